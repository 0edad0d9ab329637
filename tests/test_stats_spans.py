"""Spans found against spans annotated."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._model import Span
from pytest_guardrails._stats import Rate, span_counts, span_precision, span_recall

LENGTH = 30
SPANS = st.lists(
    st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 8)).map(lambda p: Span("E", p[0], min(LENGTH, sum(p)))),
    max_size=5,
)  # fmt: skip


def spans(*places: tuple[int, int]) -> list[Span]:
    """Return spans of places."""
    return [Span("EMAIL", *place) for place in places]


@pytest.mark.parametrize(
    ("gold", "found", "counts"),
    [
        ([], [], (0, 0, 0, 0, 0)),
        ([(0, 5)], [(0, 5)], (1, 1, 1, 1, 0)),
        ([(0, 5)], [], (1, 0, 0, 0, 0)),
        ([], [(3, 7)], (0, 1, 0, 0, 4)),
        ([(0, 5)], [(4, 9)], (1, 1, 1, 1, 4)),
        ([(0, 5)], [(5, 9)], (1, 1, 0, 0, 4)),
        ([(0, 5), (6, 9)], [(0, 9)], (2, 1, 1, 2, 1)),
        ([(0, 9)], [(0, 3), (6, 9)], (1, 2, 2, 1, 0)),
        ([(0, 5)], [(0, 5), (0, 5)], (1, 1, 1, 1, 0)),
        ([], [(25, 99)], (0, 1, 0, 0, 5)),
        ([(0, 5)], [(30, 40)], (1, 0, 0, 0, 0)),
    ],
)
def test_known_answers(
    gold: list[tuple[int, int]], found: list[tuple[int, int]], counts: tuple[int, int, int, int, int]
) -> None:
    """Touching is not overlapping, a place counts once, and what lies beyond the text is left out."""
    assert span_counts(spans(*gold), spans(*found), LENGTH) == counts


def test_only_what_was_changed_is_over_redacted() -> None:
    """A span that was only reported is found, and has changed nothing."""
    assert span_counts([], spans((0, 4), (6, 8)), LENGTH, changed=spans((6, 8))) == (0, 2, 0, 0, 2)
    assert span_counts([], spans((0, 4)), LENGTH, changed=[]) == (0, 1, 0, 0, 0)


@given(SPANS, SPANS)
@settings(max_examples=80)
def test_counts_are_those_of_characters_one_by_one(gold: list[Span], found: list[Span]) -> None:
    """What sets of characters say, the counts say; perfect finding is perfect."""

    def characters(some: list[Span]) -> set[int]:
        return {at for span in some for at in range(span.start, span.end)}

    counts = span_counts(gold, found, LENGTH)
    assert counts[2] == len({(s.start, s.end) for s in found if characters([s]) & characters(gold)})
    assert counts[3] == len({(s.start, s.end) for s in gold if characters([s]) & characters(found)})
    assert counts[4] == len(characters(found) - characters(gold))
    same = span_counts(gold, gold, LENGTH)
    assert (same[1], same[2], same[3], same[4]) == (same[0], same[0], same[0], 0)


def test_rates_of_spans() -> None:
    """Precision is of found spans, recall of gold ones; without one they are unknown."""
    assert (span_precision((4, 10, 7, 3, 9)), span_recall((4, 10, 7, 3, 9))) == (Rate(7, 10), Rate(3, 4))
    assert span_precision((4, 0, 0, 0, 0)).value is None
    assert span_recall((0, 4, 0, 0, 9)).value is None
