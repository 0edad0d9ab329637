"""``summary.md``: the run for a pull request or a job summary, worst first."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_guardrails._metrics import Metrics, measure
from pytest_guardrails._model import CaseRecord, CaseStatus, Run
from pytest_guardrails.reporters.terminal import described

MOST_CASES = 50
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&@:])")
_SEVERITY = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def markdown(run: Run) -> str:
    """Return the summary as Markdown; every text of a case is escaped."""
    metrics = measure(run.records)
    return "\n".join([*_head(run, metrics), "", *_guardrails(metrics), "", *_failures(run)]) + "\n"


def escaped(text: str) -> str:
    """Return ``text`` so that Markdown and its tables show it as it is, on one line, without control characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return _SPECIAL.sub(r"\\\1", plain)


def _head(run: Run, metrics: Metrics) -> Iterator[str]:
    counts = metrics.statuses
    bad = counts[CaseStatus.NOT_AS_EXPECTED] + counts[CaseStatus.ERROR]
    yield f"# Guardrails: {'all as expected' if not bad else f'{bad} of {sum(counts.values())} not as expected'}"
    yield ""
    if metrics.unexpected_errors:
        yield f"**Untrusted:** guards gave no answer in {metrics.unexpected_errors} cases."
    if not run.complete:
        yield "**Incomplete:** the run was cut short."
    yield ", ".join(f"{number} {status.value}" for status, number in counts.items() if number) or "No case ran."
    yield ""
    yield f"- False-positive rate: {described(metrics.confusion.fpr, 'benign cases')}"
    yield f"- Recall: {described(metrics.confusion.recall, 'attack cases')}"
    for guard in run.guards:
        yield f"- Guard: {escaped(guard.config)}, version {escaped(str(guard.version))}"


def _guardrails(metrics: Metrics) -> Iterator[str]:
    if not metrics.guardrails:
        return
    yield "| guard | guardrail | phase | fired | silent | decided | errors | skipped |"
    yield "|---|---|---|--:|--:|--:|--:|--:|"
    for tally in metrics.guardrails:
        names = " | ".join(map(escaped, (tally.guard, tally.guardrail, tally.phase)))
        yield f"| {names} | {tally.fired} | {tally.silent} | {tally.decided} | {tally.errors} | {tally.skipped} |"


def _failures(run: Run) -> Iterator[str]:
    bad = [record for record in run.records if record.xfail is None and _is_bad(record)]
    if not bad:
        return
    bad.sort(key=lambda record: (record.status is not CaseStatus.ERROR, _SEVERITY.get(record.severity, 9)))
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
