"""What a person reads when a trace is not what was expected, and what assertions show of traces and verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from pytest_guardrails._model import (
    Case,
    CaseResult,
    CaseStatus,
    GuardrailResult,
    GuardrailStatus,
    Message,
    Phase,
    Trace,
)


def diagnosis(
    case: Case, trace: Trace, result: CaseResult, headline: str, show: Callable[[str], str], *, masked: bool
) -> str:
    """Return the text of a failure: its summary, every reason, what the model received, and the trace in order."""
    lines = [headline]
    where = f"{case.file}:{case.line}" if case.file else ""
    named = f"case {case.id!r}, " if case.id else ""
    lines.append(f"  {where + '  ' if where else ''}{named}severity {case.severity}, {case.truth}")
    lines += [f"  - {reason}" for reason in result.reasons]
    lines += _difference(case, trace, show)
    lines += ["  trace:", *(f"    {line}" for line in trace_lines(trace))]
    if masked:
        lines.append("  texts are masked; --guardrails-reveal shows them")
    return "\n".join(lines)


def headline(asked: str, got: str, result: CaseResult) -> str:
    """Return the one line that stands for a failure in a summary."""
    if result.status is CaseStatus.ERROR:
        first = result.reasons[0]
        return f"no grade: {first}" if first.startswith("rubric ") else f"guard error: {first}"
    if asked == got or asked.split()[0] == got.split()[0]:
        return f"expected {asked}, got {got}: {result.reasons[0]}"
    return f"expected {asked}, got {got}"


def _difference(case: Case, trace: Trace, show: Callable[[str], str]) -> Iterator[str]:
    """Yield what the model should have received against what it did, where the case says so."""
    wanted = case.expectation.upstream
    if wanted is None or not trace.upstream_requests:
        return
    received = trace.upstream_requests[-1]
    if isinstance(wanted, str):
        before, after = [show(wanted)], [show(received.text)]
    else:
        before, after = ([_line(m, show) for m in messages] for messages in (wanted, received.messages))
    if before != after:
        yield "  the model received (- expected, + got):"
        for index in range(max(len(before), len(after))):
            left, right = (side[index] if index < len(side) else None for side in (before, after))
            if left == right:
                yield f"      {left}"
                continue
            yield from (f"    {sign} {text}" for sign, text in (("-", left), ("+", right)) if text is not None)


def _line(message: Message, show: Callable[[str], str]) -> str:
    return f"{message.role}: {show(message.text)}"


def trace_lines(trace: Trace) -> Iterator[str]:
    """Yield one line per step: guardrails before, the model, guardrails after, the caller."""
    for result in trace.results:
        if result.phase is Phase.BEFORE_REQUEST:
            yield _step(result)
    calls = len(trace.upstream_requests)
    yield f"model   called {calls} time{'' if calls == 1 else 's'}"
    for result in trace.results:
        if result.phase is Phase.AFTER_REQUEST:
            yield _step(result)
    by = f" by {trace.decided_by!r}" if trace.decided_by else ""
    yield f"caller  {trace.status} {trace.verdict.value}{by}"
    for warning in trace.warnings:
        yield f"warning {warning}"


def _step(result: GuardrailResult) -> str:
    phase = "before" if result.phase is Phase.BEFORE_REQUEST else "after "
    name = result.guardrail if len(result.guardrail) <= 28 else f"{result.guardrail[:27]}…"
    if result.status is GuardrailStatus.SKIPPED:
        return f"{phase}  {name:<28} skipped"
    did = "errored" if result.errors else result.action.value
    found = Counter(finding.name for finding in result.findings)
    said = [f"{count} {label}" for label, count in sorted(found.items())]
    said += [f"{error.check}: {error.kind}" for error in result.errors]
    return f"{phase}  {name:<28} {did:<9} {', '.join(said)}".rstrip()
