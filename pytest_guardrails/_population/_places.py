"""Where findings stand in the text that was sent, though guardrails before them may have rewritten it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_guardrails._model import Action, CheckResult, Finding, GuardrailResult, Phase, Span, Trace


@dataclass(frozen=True, slots=True)
class _Edit:
    """A span of a text and what became of it, both in characters, half-open."""

    start: int
    end: int
    new_start: int
    new_end: int


def found_and_changed(trace: Trace, sequential: frozenset[str]) -> tuple[list[Span], list[Span]]:
    """Return the spans found and those rewritten in the message that was sent, in its own characters.

    Findings without a span are left out, and so are those behind a rewriting of the whole text: where they stand in
    the original, nobody can say. ``sequential`` is as in `result_of`.
    """
    layers: list[list[_Edit]] = []
    found: list[Span] = []
    changed: list[Span] = []
    for checks in _stages(trace.results, sequential):
        here = [finding for check in checks for finding in check.findings if _is_in_content(finding)]
        found += [_in_original(finding, layers) for finding in here if finding.start is not None]
        rewritten = [finding for finding in here if finding.action is Action.SANITIZE]
        if any(finding.start is None for finding in rewritten):
            break
        changed += [_in_original(finding, layers) for finding in rewritten]
        if rewritten:
            layers.append(_edits(rewritten))
    return found, changed


def _stages(results: Iterable[GuardrailResult], sequential: frozenset[str]) -> Iterator[Sequence[CheckResult]]:
    """Yield the checks that saw the same text together, in order."""
    for result in results:
        if result.phase is not Phase.BEFORE_REQUEST:
            continue
        if f"{result.phase.value}/{result.guardrail}" in sequential:
            yield from ((check,) for check in result.checks)
        else:
            yield result.checks


def _is_in_content(finding: Finding) -> bool:
    return finding.message_index == 0 and finding.field == "content"


def _edits(findings: Iterable[Finding]) -> list[_Edit]:
    """Return what replacing spans does to places; overlapping spans merge under the widest, as the engine does it."""
    spans = sorted((f.start or 0, f.end or 0, f.replacement or "") for f in findings)
    merged: list[tuple[int, int, str, int]] = []
    for start, end, replacement in spans:
        if merged and start < merged[-1][1]:
            first, last, widest, width = merged[-1]
            if end - start > width:
                widest, width = replacement, end - start
            merged[-1] = (first, max(last, end), widest, width)
        else:
            merged.append((start, end, replacement, end - start))
    edits, moved = [], 0
    for start, end, replacement, _ in merged:
        new_start = start + moved
        edits.append(_Edit(start, end, new_start, new_start + len(replacement)))
        moved += len(replacement) - (end - start)
    return edits


def _in_original(finding: Finding, layers: Sequence[Sequence[_Edit]]) -> Span:
    start, end = finding.start or 0, finding.end or 0
    for edits in reversed(layers):
        start, end = _before(start, edits, at_end=False), _before(end, edits, at_end=True)
    return Span(finding.name, start, end)


def _before(position: int, edits: Sequence[_Edit], *, at_end: bool) -> int:
    """Return where a place stood before the edits; inside a replacement it is the edge of what was replaced."""
    moved = 0
    for edit in edits:
        inside = edit.new_start < position <= edit.new_end if at_end else edit.new_start <= position < edit.new_end
        if inside:
            return edit.end if at_end else edit.start
        if position >= edit.new_end:
            moved = edit.end - edit.new_end
    return position + moved
