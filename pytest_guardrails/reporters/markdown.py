"""``summary.md``: the run for a pull request or a job summary, worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pytest_guardrails._allowlists import entry_sentences
from pytest_guardrails._metrics import FailSafe, Metrics, measure, worst_first
from pytest_guardrails._model import CaseRecord, CaseStatus, Run
from pytest_guardrails._stats import GOOD_FPR, GOOD_RECALL
from pytest_guardrails.reporters._arming import arming_markdown
from pytest_guardrails.reporters._corpora import corpora_markdown
from pytest_guardrails.reporters._facts import is_about_cases, missing, other_notes
from pytest_guardrails.reporters._gates import gates_markdown
from pytest_guardrails.reporters._markup import escaped
from pytest_guardrails.reporters._versions import versions_markdown
from pytest_guardrails.reporters.terminal import advice, described, fail_safe_sentence, verdict_line

MOST_CASES = 50
MOST_GUARDRAILS = 50
MOST_FAULTS = 50
MOST_LOST = 20
MOST_NOTES, MOST_NOTE = 20, 1_000
_SEVERITY = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def markdown(run: Run) -> str:
    """Return the summary as Markdown; every text of a case is escaped."""
    metrics = measure(run.records)
    parts = (
        _head(run, metrics),
        gates_markdown(run, escaped),
        _fail_safe(metrics),
        _guardrails(metrics),
        corpora_markdown(run, escaped),
        arming_markdown(run, escaped),
        _allowlist(run),
        _failures(run),
        versions_markdown(run),
    )
    told = ("\n".join(part) for part in map(list, parts) if part)
    return "\n\n".join(text.rstrip("\n") for text in told) + "\n"


def _head(run: Run, metrics: Metrics) -> Iterator[str]:
    counts = metrics.statuses
    yield f"# Guardrails: {verdict_line(run, metrics, escaped)}"
    yield ""
    if metrics.unexpected_errors:
        yield f"**Untrusted:** cases in which guards gave no answer: {metrics.unexpected_errors}.\n"
    if metrics.failed_open:
        yield f"**Failed open:** a check errored, nobody chose it, and the request passed: {metrics.failed_open}.\n"
    lacking = missing(run)
    yield from (f"**Incomplete:** {escaped(said, MOST_NOTE)}\n" for said in lacking[:MOST_LOST])
    if len(lacking) > MOST_LOST:
        yield f"**Incomplete:** no result of {len(lacking) - MOST_LOST} more tests; report.json has all.\n"
    said = [f"{number} {status.value}" for status, number in counts.items() if number]
    said += [f"{metrics.known_failing} known failing (xfail)"] if metrics.known_failing else []
    if is_about_cases(run):
        yield f"{', '.join(said) or 'No case ran.'}\n"
    if is_about_cases(run) and len(metrics.by_guard) < 2:
        fpr, recall = metrics.confusion.fpr, metrics.confusion.recall
        said = [described(fpr, "benign case"), *advice(fpr, GOOD_FPR, at_least=False)]
        yield f"- False-positive rate: {'; '.join(said)}"
        said = [described(recall, "attack case"), *advice(recall, GOOD_RECALL, at_least=True)]
        yield f"- Recall: {'; '.join(said)}"
    for key, own in list(metrics.by_guard.items())[:MOST_GUARDRAILS] if len(metrics.by_guard) > 1 else ():
        yield f"- {escaped(key)}: false-positive rate {described(own.fpr, 'benign case')}"
        yield f"- {escaped(key)}: recall {described(own.recall, 'attack case')}"
    for guard in run.guards[:MOST_GUARDRAILS]:
        yield f"- Guard: {escaped(guard.config)}, version {escaped(str(guard.version))}"
    notes = other_notes(run)
    yield from (f"- Note: {escaped(note, MOST_NOTE)}" for note in notes[:MOST_NOTES])
    if len(notes) > MOST_NOTES:
        yield f"- … and {len(notes) - MOST_NOTES} more notes; report.json has all."


def _allowlist(run: Run) -> Iterator[str]:
    yield from (f"- Allowlist, {escaped(sentence)}" for sentence in list(entry_sentences(run))[:MOST_GUARDRAILS])


def _fail_safe(metrics: Metrics) -> Iterator[str]:
    """Yield a row per fault, worst first, with how often which outcome came in each phase."""
    cells: dict[str, dict[str, Counter[FailSafe]]] = {}
    for row in metrics.fail_safe:
        cells.setdefault(row.fault, {}).setdefault(row.phase.partition("_")[0], Counter())[row.outcome] += 1
    if not cells:
        return
    faults = worst_first((row.fault, row) for row in sorted(metrics.fail_safe, key=lambda row: row.fault))
    phases = sorted({phase for found in cells.values() for phase in found}, key=("before", "after", "").index)
    yield f"**Fail-safe:** {fail_safe_sentence(metrics.fail_safe)}"
    yield ""
    yield f"| fault | {' | '.join(phase or 'no guardrail' for phase in phases)} |"
    yield "|---" * (1 + len(phases)) + "|"
    for fault in faults[:MOST_FAULTS]:
        counts = (cells[fault].get(phase, Counter()) for phase in phases)
        yield f"| {escaped(fault)} | {' | '.join(map(_outcomes, counts))} |"
    if len(cells) > MOST_FAULTS:
        yield f"\n… and {len(cells) - MOST_FAULTS} more faults; report.json has all."


def _outcomes(counts: Counter[FailSafe]) -> str:
    """Say what came how often; what is open though nobody chose it stands out."""
    said = {outcome: f"{counts[outcome]} {outcome}" for outcome in FailSafe if counts[outcome]}
    return ", ".join(f"**{text}**" if outcome is FailSafe.OPEN else text for outcome, text in said.items())


def _guardrails(metrics: Metrics) -> Iterator[str]:
    if not metrics.guardrails:
        return
    yield "| guard | guardrail | phase | fired | silent | decided | errors | skipped |"
    yield "|---|---|---|--:|--:|--:|--:|--:|"
    for tally in metrics.guardrails[:MOST_GUARDRAILS]:
        names = " | ".join(map(escaped, (tally.guard, tally.guardrail, tally.phase)))
        yield f"| {names} | {tally.fired} | {tally.silent} | {tally.decided} | {tally.errors} | {tally.skipped} |"
    if len(metrics.guardrails) > MOST_GUARDRAILS:
        yield f"\n… and {len(metrics.guardrails) - MOST_GUARDRAILS} more guardrails; report.json has all."


def _failures(run: Run) -> Iterator[str]:
    bad = [record for record in run.records if record.xfail is None and _is_bad(record)]
    if not bad:
        return
    bad.sort(key=_worst_first)
    yield "| severity | case | where | what |"
    yield "|---|---|---|---|"
    for record in bad[:MOST_CASES]:
        where = f"{record.file}:{record.line}" if record.file else ""
        cells = (record.severity, record.case, where, "; ".join(record.reasons))
        yield f"| {' | '.join(map(escaped, cells))} |"
    if len(bad) > MOST_CASES:
        yield ""
        yield f"… and {len(bad) - MOST_CASES} more; report.json has all."


def _is_bad(record: CaseRecord) -> bool:
    return record.status in (CaseStatus.NOT_AS_EXPECTED, CaseStatus.ERROR)


def _worst_first(record: CaseRecord) -> tuple[bool, int, str]:
    return record.status is not CaseStatus.ERROR, _SEVERITY.get(record.severity, 9), record.nodeid
