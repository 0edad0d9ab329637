"""The guardrails section of pytest's terminal summary: plain lines that fit the width, whatever a case is called."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from pytest_guardrails._allowlists import entry_sentences
from pytest_guardrails._metrics import FailSafe, FailSafeRow, GuardrailTally, Metrics
from pytest_guardrails._model import CaseStatus, OnError, Run
from pytest_guardrails._stats import GOOD_FPR, GOOD_RECALL, Rate, counted, rate_sentence, sample_advice
from pytest_guardrails.reporters._arming import arming_lines
from pytest_guardrails.reporters._corpora import corpora_lines, corpora_verdict, is_untrusted
from pytest_guardrails.reporters._gates import gate_lines, gates_verdict

MOST_ROWS = 24
MOST_FAULTS = 6
MOST_ENTRIES = 6
_LONGEST = 2_000
_MARK = (  # takes no room of its own: a few belong to a letter, many cover the lines around it, or hide a text
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
_STACK = re.compile(f"({_MARK}{{4}})({_MARK}+)")
_COMMAND = re.compile(r"^\s*:(?=:)|#(?=#(?:\[|vso\[))")  # GitHub and Azure read commands in the log of a step


def terminal(run: Run, metrics: Metrics, *, width: int = 80) -> Iterator[str]:
    """Yield the lines of the section, printable and at most ``width`` columns wide."""
    for line in _lines(run, metrics, width):
        yield _cut(no_command(plain(line, _LONGEST)), width)


def no_command(line: str) -> str:
    """Return a printed line in which a CI that reads its own log finds no command."""
    return _COMMAND.sub(lambda match: f"{match[0]} ", line)


def plain(text: str, most: int, keep: str = "") -> str:
    r"""Return ``text`` so that it can only be read: other space as spaces, what is not printable as an escape.

    Control, format (bidirectional, zero-width, tags), unassigned and surrogate characters show as ``\x1b`` or
    ``\u202e``, and so does what follows four combining marks in a row. ``keep`` names characters that stay. What is
    longer than ``most`` is cut, and says so.
    """
    cut = "" if len(text) <= most else f"… ({len(text):,} characters)"
    text = text[:most]
    if not text.isascii():
        text = _STACK.sub(lambda match: match[1] + "".join(map(_readable, match[2])), text)
    if text.isprintable():
        return text + cut
    return "".join(letter if letter.isprintable() or letter in keep else _readable(letter) for letter in text) + cut


def _readable(letter: str) -> str:
    return " " if letter.isspace() else letter.encode("unicode_escape").decode("ascii")


def verdict_line(run: Run, metrics: Metrics, show: Callable[[str], str] = str) -> str:
    """Say in one line what became of the run; what makes its figures doubtful comes first.

    ``show`` makes names in it harmless where they will stand.
    """
    counts = metrics.statuses
    failed, errors = counts[CaseStatus.NOT_AS_EXPECTED], counts[CaseStatus.ERROR]
    said = ["UNTRUSTED"] if errors or any(map(is_untrusted, run.corpora)) else []
    said += [f"FAILED OPEN in {_cases(metrics.failed_open)}"] if metrics.failed_open else []
    said += [] if run.complete else ["INCOMPLETE"]
    said += [*gates_verdict(run), *_worse(run, show)]
    if failed or errors:
        of = f"{failed} of {_cases(sum(counts.values()))} not as expected"
        said.append(f"{of}, {errors} without an answer" if errors else of)
    elif counts[CaseStatus.AS_EXPECTED]:
        said.append(f"all as expected ({_cases(counts[CaseStatus.AS_EXPECTED])})")
    elif run.records or not run.corpora:
        said.append("no case ran")
    return " · ".join([*said, *corpora_verdict(run)])


def _worse(run: Run, show: Callable[[str], str] = str) -> list[str]:
    """Name the rules of comparison that fail the run."""
    rulings = run.comparison.rulings if run.comparison is not None else ()
    rules = [show(ruling.rule) for ruling in rulings if ruling.fails]
    return [f"WORSE than the baseline: {', '.join(rules)}"] if rules else []


def status_lines(run: Run, width: int) -> Iterator[str]:
    """Yield why a run fails of which every test has passed: pytest's own last line is green then."""
    why = [f"gate {gate.expr}" for gate in run.gates if not gate.passed] + _worse(run)
    why += ["coverage is too low"] if any(note.startswith("TOO LOW") for note in run.notes) else []
    if run.exit_status and why:
        yield from _broken([f"FAILED     exit status {run.exit_status}: {'; '.join(why)}"], width)


def _cases(number: int) -> str:
    return counted(number, "case")


def _lines(run: Run, metrics: Metrics, width: int) -> Iterator[str]:
    for guard in run.guards:
        yield f"guard      {guard.target}, {guard.config}: version {guard.version}"
    about_cases = bool(run.records or not run.corpora)
    if about_cases:
        yield from _broken(["cases      " + ", ".join(_counts(metrics.statuses, metrics))], width)
    yield from _broken(_trust(run, metrics), width)
    if metrics.guardrails:
        yield from _table(metrics, width)
    if about_cases:
        yield from _broken(_rates(metrics), width)
    yield from _fail_safe(metrics)
    yield from arming_lines(run)
    yield from _allowlist(run)
    yield from _broken(corpora_lines(run), width)
    yield from gate_lines(run, width)
    if metrics.latency_p50_s is not None and metrics.latency_p95_s is not None:
        vendor = "" if metrics.vendor_p95_s is None else f"; recorded vendor p95 {_ms(metrics.vendor_p95_s)}"
        said = f"latency    p50 {_ms(metrics.latency_p50_s)}, p95 {_ms(metrics.latency_p95_s)} per request{vendor}"
        yield from _broken([said], width)
        name, slowest = metrics.slowest[0]
        yield f"slowest    {_ms(slowest)} {_file_name(name)}"


def _broken(lines: Iterable[str], width: int) -> Iterator[str]:
    """Yield lines of figures, those that are too long broken where their sentences allow it: none may be cut."""
    indent = " " * (11 if width >= 40 else 2)
    for line in lines:
        yield from textwrap.wrap(plain(line, _LONGEST), max(20, width), subsequent_indent=indent)


def _file_name(nodeid: str) -> str:
    """Return a node id without the folders of its file; a slash in the name of the case is none of theirs."""
    file, separator, case = nodeid.partition("::")
    return file.rpartition("/")[2] + separator + case


def _counts(counts: dict[CaseStatus, int], metrics: Metrics) -> Iterator[str]:
    yield f"{counts[CaseStatus.AS_EXPECTED]} as expected"
    yield f"{counts[CaseStatus.NOT_AS_EXPECTED]} not as expected"
    yield f"{counts[CaseStatus.ERROR]} errored"
    if counts[CaseStatus.NOT_RUN]:
        yield f"{counts[CaseStatus.NOT_RUN]} not run"
    if metrics.known_failing:
        yield f"{metrics.known_failing} xfail"


def _trust(run: Run, metrics: Metrics) -> Iterator[str]:
    if metrics.unexpected_errors:
        yield f"UNTRUSTED  guards gave no answer in {_cases(metrics.unexpected_errors)}: no rate improves"
    for record in filter(is_untrusted, run.corpora):
        yield f"UNTRUSTED  the guard gave no answer to samples of corpus {record.name}: no rate improves"
    if metrics.failed_open:
        yield f"FAILED OPEN in {_cases(metrics.failed_open)}, and nobody chose on_error: allow"
    if metrics.failed_open_by_choice:
        yield f"open       FAILED OPEN by choice (on_error: allow) in {_cases(metrics.failed_open_by_choice)}"
    if not run.complete:
        yield "INCOMPLETE the run was cut short: what follows speaks of a part of it"


def _table(metrics: Metrics, width: int) -> Iterator[str]:
    several = len({tally.guard for tally in metrics.guardrails}) > 1
    name_width = max(16, min(34, width - 46))
    yield f"{'guardrail':<{name_width}} phase   fired silent decided errors   skip"
    guard = None
    rows = sorted(metrics.guardrails, key=lambda tally: tally.guard)
    for tally in rows[:MOST_ROWS]:
        if several and tally.guard != guard:
            guard = tally.guard
            yield guard
        yield _row(tally, name_width, several)
    if len(rows) > MOST_ROWS:
        yield f"… and {len(rows) - MOST_ROWS} more guardrails; the report has all"


def _row(tally: GuardrailTally, name_width: int, indent: bool) -> str:
    name = _cut(("  " if indent else "") + plain(tally.guardrail, _LONGEST), name_width)
    name += " " * (name_width - _columns(name))
    phase = tally.phase.split("_", maxsplit=1)[0]
    figures = f"{tally.fired:>6} {tally.silent:>6} {tally.decided:>7} {tally.errors:>6} {tally.skipped:>6}"
    return f"{name} {phase:<6} {figures}"


def _rates(metrics: Metrics) -> Iterator[str]:
    counts = metrics.confusion
    if len(metrics.by_guard) < 2:
        yield f"FPR        {described(counts.fpr, 'benign case')}"
        yield from (f"           {said}" for said in advice(counts.fpr, GOOD_FPR, at_least=False))
        yield f"recall     {described(counts.recall, 'attack case')}"
        yield from (f"           {said}" for said in advice(counts.recall, GOOD_RECALL, at_least=True))
    for guard, own in list(metrics.by_guard.items())[:MOST_ROWS] if len(metrics.by_guard) > 1 else ():
        yield f"rates of {guard}"
        yield f"  FPR      {described(own.fpr, 'benign case')}"
        yield f"  recall   {described(own.recall, 'attack case')}"
    if counts.error:
        yield f"errors     {described(counts.error_rate, 'case')}"
    if metrics.generated:
        are = "is" if metrics.generated == 1 else "are"
        yield f"generated  {counted(metrics.generated, 'test')} with generated inputs {are} in no rate"


def _fail_safe(metrics: Metrics) -> Iterator[str]:
    if not metrics.fail_safe:
        return
    yield f"fail-safe  {fail_safe_sentence(metrics.fail_safe)}"
    bad = [row for row in metrics.fail_safe if row.outcome in (FailSafe.OPEN, FailSafe.NOT_FELT)]
    bad.sort(key=lambda row: row.outcome.rank)
    for row in bad[:MOST_FAULTS]:
        where = f"{row.guardrail}, {row.phase.partition('_')[0]}" if row.guardrail else "no guardrail"
        yield f"  {row.outcome.value:<8} {plain(row.fault, 64)} at {where}"
    if len(bad) > MOST_FAULTS:
        yield f"  … and {len(bad) - MOST_FAULTS} more; the report has all"


def _allowlist(run: Run) -> Iterator[str]:
    said = list(entry_sentences(run))
    yield from (f"allowlist  {sentence}" for sentence in said[:MOST_ENTRIES])
    if len(said) > MOST_ENTRIES:
        yield f"  … and {len(said) - MOST_ENTRIES} more; the report has all"


def fail_safe_sentence(rows: Sequence[FailSafeRow]) -> str:
    """Say how the guardrails met their faults: "34/34 closed, 34 open by choice".

    Of the rows of guardrails that chose ``on_error: allow`` none is in the fraction: to be open was asked of them.
    """
    asked = [row.outcome for row in rows if row.on_error != OnError.ALLOW]
    said = [f"{asked.count(FailSafe.CLOSED)}/{len(asked)} closed"] if asked else []
    counts = {outcome: sum(row.outcome is outcome for row in rows) for outcome in FailSafe}
    shown = (FailSafe.BY_CHOICE, FailSafe.OPEN, FailSafe.NOT_FELT)
    return ", ".join([*said, *(f"{counts[outcome]} {outcome}" for outcome in shown if counts[outcome])])


def advice(rate: Rate, target: float, *, at_least: bool) -> list[str]:
    """Say what a sample that is too small would need to show a good rate; nothing for a bad rate, or without a case."""
    said = sample_advice(rate, target, at_least=at_least) if rate.total else None
    return [said] if said else []


def described(rate: Rate, noun: str) -> str:
    """Say a rate with its counts, two-sided interval and exact one-sided bound, or that it is unknown."""
    return rate_sentence(rate, noun, at_least=noun.startswith("attack"))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def _columns(text: str) -> int:
    """Return how wide a printable text is in a terminal: East Asian letters take two columns, accents none."""
    return len(text) if text.isascii() else sum(map(_letter_columns, text))


def _letter_columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _cut(line: str, width: int) -> str:
    if _columns(line) <= width:
        return line
    kept, room = [], width - 1
    for letter in line:
        room -= _letter_columns(letter)
        if room < 0:
            break
        kept.append(letter)
    return f"{''.join(kept)}…"
