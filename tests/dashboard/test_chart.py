"""Pictures: what is drawn of many runs, and how it can be read."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._history import Past
from pytest_guardrails.dashboard._chart import MOST_DRAWN, Scale, chart, small, thinned
from pytest_guardrails.dashboard._figures import ERRORS, FPR, LATENCY, METRICS, RECALL, nice_top
from pytest_guardrails.dashboard._series import GuardHistory, Point, histories

MakePast = Callable[..., Past]
PAST = Past("2026-03-01T12:00:00+00:00", None, "s", "g", "1", "passed")


def parsed(picture: str) -> ET.Element:
    """Return a picture; it must be well formed."""
    return ET.fromstring(picture)  # noqa: S314 - our own text


def classes(picture: str, name: str) -> list[ET.Element]:
    """Return the elements of a class."""
    return [element for element in parsed(picture).iter() if element.get("class") == name]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=400), st.integers(1, 50))
def test_the_worst_run_is_always_drawn(hits: Sequence[int], most: int) -> None:
    """However few points are drawn, the highest FPR and the lowest recall are among them, in order of time."""
    names = ("false_positive", "false_negative", "true_positive", "true_negative")
    points = [Point(i, PAST, dict(zip(names, (n, n, 40 - n, 40 - n), strict=True))) for i, n in enumerate(hits)]
    for metric in (FPR, RECALL):
        marks = thinned(metric, points, most)
        assert len(marks) <= most
        assert [mark.point.index for mark in marks] == sorted({mark.point.index for mark in marks})
        assert max(mark.point.counts.false_positive for mark in marks) == max(hits)


def test_a_picture_says_what_it_shows(past: MakePast, counts: Callable[..., FrozenDict]) -> None:
    """Its title has the newest figure with counts and interval, each dot its run, each change of version a line."""
    worse = FrozenDict({"cases": counts(fp=10, tn=30)})
    (guard,) = histories([past(0), past(1, "2 (b)", populations=worse), past(2, "2 (b)", status="untrusted")])
    picture = chart(FPR, guard.populations[0], guard)
    assert parsed(picture)[0].text == "False-positive rate over 3 runs; newest 2.5 % (1 of 40; 95 %: 0.44 % to 13 %)"
    assert len(classes(picture, "dot")) == 2
    assert "25 % (10 of 40" in str(classes(picture, "dot")[1][0].text)
    assert len(classes(picture, "dot apart")) == 1, "an untrusted run stands apart"
    assert len(classes(picture, "change")) == 1
    assert [element.text for element in classes(picture, "version")] == ["2", "1"]


def test_the_line_is_dashed_where_the_suite_changed(past: MakePast) -> None:
    """Before and after it speaks of other cases; within one suite it is whole."""
    (guard,) = histories([past(0), past(1), past(2, suite="52"), past(3, suite="52")])
    picture = chart(RECALL, guard.populations[0], guard)
    assert (len(classes(picture, "line")), len(classes(picture, "line other"))) == (2, 1)


@pytest.mark.parametrize("metric", METRICS)
def test_what_is_unknown_is_not_drawn(past: MakePast, metric: object) -> None:
    """0 of 0 is no point at 0; where nothing is known the page says so."""
    nothing = FrozenDict({"cases": FrozenDict({"p50_s": None, "p95_s": None})})
    (guard,) = histories([past(0, populations=nothing)])
    assert chart(metric, guard.populations[0], guard).startswith("<p")  # type: ignore[arg-type]
    assert small(metric, guard.populations[0], guard) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", METRICS)
def test_everything_drawn_is_inside_the_picture(
    past: MakePast, counts: Callable[..., FrozenDict], metric: object
) -> None:
    """Also of one run alone, of extreme rates, and of times from microseconds to minutes."""
    for pasts in (
        [past(0, populations=FrozenDict({"cases": counts(0, 40, 0, 20, 60, p50_s=1e-6, p95_s=90.0)}))],
        [past(i, populations=FrozenDict({"cases": counts(1, 0, 9_000_000, 0, p95_s=1e-7)})) for i in range(3)],
        [past(i, populations=FrozenDict({"cases": counts(p95_s=0)})) for i in range(3)],
    ):
        (guard,) = histories(pasts)
        picture = chart(metric, guard.populations[0], guard)  # type: ignore[arg-type]
        for dot in classes(picture, "dot"):
            assert 46 <= float(dot.attrib["cx"]) <= 470
            assert 24 <= float(dot.attrib["cy"]) <= 168


def test_thousands_of_runs_are_a_small_picture(past: MakePast) -> None:
    """Points and lines of changes are bounded, however many there are."""
    pasts = [
        past(0, f"1.{i} (x)", time=f"2026-03-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}") for i in range(3_000)
    ]
    guard: GuardHistory = histories(pasts)[0]
    picture = chart(ERRORS, guard.populations[0], guard)
    assert len(classes(picture, "dot")) <= MOST_DRAWN
    assert len(classes(picture, "change")) <= 160
    assert len(picture) < 80_000
    assert len(chart(LATENCY, guard.populations[0], guard)) < 80_000


@given(st.floats(1e-9, 1e9))
def test_an_axis_ends_at_a_round_number_above(value: float) -> None:
    """1, 2 or 5 times a power of ten, and less than three times what it must hold."""
    top = nice_top(value)
    assert value <= top * (1 + 1e-9)
    assert top <= 2.6 * value
    assert f"{top:e}"[0] in "125"


def test_one_run_stands_in_the_middle() -> None:
    """A scale of one run divides by nothing."""
    assert Scale(1, 0, 1).x(0) == pytest.approx(258)
