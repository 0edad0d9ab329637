"""Spans found against spans annotated: how many of each meet, and what was changed that should not have been."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_guardrails._model import Span
from pytest_guardrails._stats._rates import Rate

Place = tuple[int, int]


def span_counts(
    gold: Iterable[Span], found: Iterable[Span], text_length: int, changed: Iterable[Span] | None = None
) -> tuple[int, int, int, int, int]:
    """Count spans of one text: gold, found, hit, caught, and changed characters outside every gold span.

    Hit: found spans that overlap a gold one. Caught: gold spans that overlap a found one. Which entity a span is said
    to be is not compared; a place named twice counts once. ``changed`` are the spans that were rewritten, all found
    ones where it is None. What lies beyond the text is left out.
    """
    wanted, seen = _places(gold, text_length), _places(found, text_length)
    rewritten = seen if changed is None else _places(changed, text_length)
    outside = _length([*rewritten, *wanted]) - _length(wanted)
    return len(wanted), len(seen), _meeting(seen, wanted), _meeting(wanted, seen), outside


def span_precision(counts: Sequence[int]) -> Rate:
    """Return the share of found spans that overlap a gold one."""
    return Rate(counts[2], counts[1])


def span_recall(counts: Sequence[int]) -> Rate:
    """Return the share of gold spans that overlap a found one."""
    return Rate(counts[3], counts[0])


def _places(spans: Iterable[Span], text_length: int) -> list[Place]:
    cut = {(max(0, span.start), min(span.end, text_length)) for span in spans}
    return sorted(place for place in cut if place[0] < place[1])


def _meeting(these: Sequence[Place], those: Sequence[Place]) -> int:
    """Return how many of ``these`` overlap one of ``those``."""
    return sum(any(start < last and first < end for first, last in those) for start, end in these)


def _length(places: Iterable[Place]) -> int:
    """Return how many characters places cover together."""
    covered = reach = 0
    for start, end in sorted(places):
        covered += max(0, end - max(start, reach))
        reach = max(reach, end)
    return covered
