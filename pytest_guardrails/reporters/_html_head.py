"""The head of the page: what became of the run in one line, what makes it doubtful, its gates."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_guardrails._metrics import Metrics
from pytest_guardrails._model import CaseStatus, Run
from pytest_guardrails.reporters._corpora import current, is_untrusted
from pytest_guardrails.reporters._facts import is_about_cases, missing, other_notes
from pytest_guardrails.reporters._gates import MOST_SENTENCES
from pytest_guardrails.reporters._html_parts import Cell, bdi, listed, mark, section, table
from pytest_guardrails.reporters._island import STATES
from pytest_guardrails.reporters._markup import shown, slug
from pytest_guardrails.reporters._versions import guardrail_sentences
from pytest_guardrails.reporters.terminal import verdict_line

SECTIONS = (
    ("gates", "Gates"), ("changes", "Changes"), ("fail-safe", "Fail-safe"), ("rates", "Rates"), ("causes", "Causes"),
    ("cases", "Cases"), ("latency", "Latency"), ("corpora", "Corpora"), ("candidate", "Candidate"),
    ("arming", "Arming"), ("allowlists", "Allowlists"), ("environment", "Environment"),
)  # fmt: skip


_JUDGED = (CaseStatus.AS_EXPECTED, CaseStatus.NOT_AS_EXPECTED, CaseStatus.ERROR)


def is_good(run: Run, metrics: Metrics) -> bool:
    """True if something ran, nothing happened that nobody expected or chose, and pytest found nothing else."""
    return run.exit_status == 0 and _is_clean(run, metrics)


def _is_clean(run: Run, metrics: Metrics) -> bool:
    bad = (CaseStatus.NOT_AS_EXPECTED, CaseStatus.ERROR)
    judged = current(run)
    as_expected = not any(metrics.statuses[status] for status in bad) and not metrics.failed_open
    corpora = all(record.xfail is not None or record.status is CaseStatus.AS_EXPECTED for record in judged)
    ran = bool(metrics.statuses[CaseStatus.AS_EXPECTED] or judged)
    demands = all(gate.passed for gate in run.gates) and not (run.comparison and run.comparison.failed)
    return ran and run.complete and as_expected and corpora and demands


def head(run: Run, metrics: Metrics) -> Iterator[str]:
    """Yield the header: the verdict of the run, and what a reader has to know before any figure."""
    verdict = verdict_line(run, metrics)
    yield f'<header class="{"good" if is_good(run, metrics) else "bad"}">'
    yield f'<p class="over">Guardrail tests</p>\n<h1>{shown(verdict[0].upper() + verdict[1:])}</h1>'
    yield '<ul class="verdicts">'
    for good, said in _verdicts(run, metrics):
        yield f'<li class="{"passed" if good else "failed"}">{mark(good)} {said}</li>'
    yield "</ul>"
    yield from [_counts(metrics)] if is_about_cases(run) else []
    for sentence in _doubts(run, metrics):
        yield f'<p class="doubt">{sentence}</p>'
    for sentence in _choices(run):
        yield f'<p class="chosen">{sentence}</p>'
    yield from listed(other_notes(run))
    guards = "; ".join(
        f"<b>{bdi(one.config)}</b> {bdi(one.version.declared or 'undeclared')}" for one in run.guards[:8]
    )
    more = f" and {len(run.guards) - 8} more" if len(run.guards) > 8 else ""
    started = shown(run.started)
    when = f'<time datetime="{started}">{bdi(run.started.replace("T", " ", 1))}</time>'
    yield f'<p class="quiet">{guards}{more}{", " if guards else ""}{when}, {run.duration_s:,.1f} s</p>'
    if run.revealed:
        yield '<p class="reveal"><b>Texts are revealed</b>: this page holds what the cases say. Do not publish it.</p>'
    else:
        yield (
            '<p class="quiet"><b>Texts are masked</b>: shape, length and a keyed hash; equal texts look alike. '
            "<code>--guardrails-reveal</code> shows them.</p>"
        )
    yield "</header>"


def navigation(body: str) -> Iterator[str]:
    """Yield links to the sections that ``body`` has, and the switch between light and dark."""
    there = [(name, title) for name, title in SECTIONS if f'<section id="{name}"' in body]
    yield '<nav aria-label="Sections"><ul>'
    yield "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in there)
    yield '</ul><button type="button" id="theme" hidden>Theme: automatic</button></nav>'


def gates(run: Run) -> Iterator[str]:
    """Yield the section of gates, failed ones first; nothing without one."""
    rows: list[list[Cell]] = []
    for gate in sorted(run.gates, key=lambda gate: gate.passed):
        said = [bdi(sentence, 1_000) for sentence in gate.said[:MOST_SENTENCES]]
        said += [f"… and {len(gate.said) - MOST_SENTENCES} more"] if len(gate.said) > MOST_SENTENCES else []
        became = ("passed", f"{mark(True)} holds") if gate.passed else ("failed", f"{mark(False)} failed")
        rows.append([f"<code>{bdi(gate.expr)}</code>", became, "<br>".join(said)])
    yield from section("gates", "Gates", table("Gates", ["gate", "", "on"], rows, "gates"))


def _verdicts(run: Run, metrics: Metrics) -> Iterator[tuple[bool, str]]:
    untrusted = metrics.unexpected_errors or any(map(is_untrusted, run.corpora))
    if not (any(metrics.statuses[status] for status in _JUDGED) or any(record.rows for record in current(run))):
        yield False, "nothing was judged"
    else:
        answered = "every error was expected" if metrics.expected_errors else "every guard gave its answer"
        yield not untrusted, "untrusted: a guard gave no answer" if untrusted else f"trusted: {answered}"
    if run.gates:
        held = sum(gate.passed for gate in run.gates)
        yield held == len(run.gates), f"{held} of {len(run.gates)} gates hold"
    if run.comparison is not None:
        failed = sum(ruling.fails for ruling in run.comparison.rulings)
        yield (
            not failed,
            f"baseline: {f'{failed} rules fail' if failed > 1 else '1 rule fails' if failed else 'no rule fails'}",
        )
    if not run.complete:
        lost = len(run.lost)
        yield False, f"incomplete: {lost:,} test{'' if lost == 1 else 's'} without a result" if lost else "incomplete"
    if run.exit_status and _is_clean(run, metrics):
        yield False, f"exit status {run.exit_status}: the run failed for another reason"


def _counts(metrics: Metrics) -> str:
    counts = {status.value: number for status, number in metrics.statuses.items()}
    counts["known failing"] = metrics.known_failing
    made = "".join(
        f'<div class="{slug(name)}{"" if counts[name] else " zero"}"><dt>{name}</dt><dd>{counts[name]:,}</dd></div>'
        for name in STATES
    )
    return f'<h2 class="unseen">Counts</h2>\n<dl class="counts">{made}</dl>'


def _doubts(run: Run, metrics: Metrics) -> Iterator[str]:
    if metrics.unexpected_errors:
        errors = metrics.unexpected_errors
        yield f"Untrusted: cases in which guards gave no answer: {errors:,}. An error improves no rate."
    for record in [record for record in run.corpora if is_untrusted(record)][:10]:
        yield f"Untrusted: the guard gave no answer to samples of corpus {bdi(record.name)}. An error improves no rate."
    if metrics.failed_open:
        yield (
            "Failed open: cases in which a check errored, nobody chose on_error: allow, and the request passed: "
            f"{metrics.failed_open:,}."
        )
    if surprising := _open_by_choice(run)[1]:
        yield f"Open by choice (on_error: allow), where the case did not expect it: {surprising:,}."
    lacking = missing(run)
    yield from (f"Incomplete: {bdi(said, 1_000)}." for said in lacking[:MOST_SENTENCES])
    if len(lacking) > MOST_SENTENCES:
        yield f"Incomplete: no result of {len(lacking) - MOST_SENTENCES:,} more tests; report.json has all."
    failed = [gate for gate in run.gates if not gate.passed]
    for gate in failed[:MOST_SENTENCES]:
        yield f"Gate <code>{bdi(gate.expr)}</code> failed: {bdi('; '.join(gate.said[:3]), 1_000)}"
    blamed = [record for record in current(run) if record.xfail is None and record.reasons and not is_untrusted(record)]
    for record in blamed[:MOST_SENTENCES]:
        yield f"Corpus {bdi(record.name)}: {bdi(record.reasons[0], 1_000)}"
    worse = [ruling for ruling in run.comparison.rulings if ruling.fails] if run.comparison is not None else []
    for ruling in worse[:MOST_SENTENCES]:
        yield f"Worse than the baseline, {bdi(ruling.rule)}: {bdi(ruling.said, 1_000)}"
    if worse:
        yield from _blamed(run)


def _choices(run: Run) -> Iterator[str]:
    """Say what somebody chose and each case expected: worth knowing, and nothing to be alarmed by."""
    if expected := _open_by_choice(run)[0]:
        cases = f"{expected:,} case{'' if expected == 1 else 's'}"
        yield f"Open by choice (on_error: allow): {cases} passed an errored check, as expected."
    if run.comparison is not None and not run.comparison.failed:
        yield from _blamed(run)


def _blamed(run: Run) -> Iterator[str]:
    """Say which guardrails decided what flipped since the baseline."""
    if run.comparison is not None and (blamed := list(guardrail_sentences(run.comparison))):
        said = bdi("; ".join(blamed), 1_000)
        yield f'<a href="#changes">Flipped since the baseline</a>, by the guardrail that decided: {said}.'


def _open_by_choice(run: Run) -> tuple[int, int]:
    """Return in how many cases that was expected, and in how many it was not."""
    chosen = [record for record in run.records if record.trace is not None and record.trace.failed_open_by_choice]
    expected = sum(record.status is CaseStatus.AS_EXPECTED or record.xfail is not None for record in chosen)
    return expected, len(chosen) - expected
