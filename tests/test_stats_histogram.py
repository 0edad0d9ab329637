"""Times in buckets: close to the truth, in little memory."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._stats import Histogram, percentile

TIMES = st.lists(st.floats(1e-8, 1e6), max_size=60)


def histogram(times: list[float]) -> Histogram:
    """Return a histogram of times."""
    made = Histogram()
    for time in times:
        made.add(time)
    return made


@given(TIMES, st.floats(0, 1))
@settings(max_examples=80)
def test_a_percentile_is_within_one_per_cent(times: list[float], share: float) -> None:
    """Whatever the times are, a percentile is off by at most 1 % of what sorting them gives."""
    exact, found = percentile(times, share), histogram(times).percentile(share)
    assert (found is None) is (exact is None)
    if exact is not None:
        assert found == pytest.approx(exact, rel=0.01 + 1e-9)


@given(TIMES, TIMES)
@settings(max_examples=30)
def test_merging_counts_both(one: list[float], other: list[float]) -> None:
    """Two merged are one of all, in either order, and through JSON and back."""
    merged = histogram(one)
    merged.merge(histogram(other))
    assert merged.to_dict() == histogram(other + one).to_dict()
    assert merged.total == len(one) + len(other)
    assert Histogram.of(json.loads(json.dumps(merged.to_dict()))).to_dict() == merged.to_dict()


def test_memory_is_flat() -> None:
    """Times over six orders of magnitude take some hundred buckets, however many there are."""
    draw = random.Random(1)  # noqa: S311 - a fixed sample
    made = histogram([10 ** draw.uniform(-5, 1) for _ in range(20_000)])
    assert made.total == 20_000
    assert len(made.to_dict()) < 720


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("-inf")])
def test_what_is_no_time_is_refused(seconds: float) -> None:
    """A negative time or none at all is an error, not a count."""
    with pytest.raises(ValueError, match="0 or more seconds"):
        Histogram().add(seconds)


def test_extremes_are_counted_at_the_edge() -> None:
    """Zero and infinity are counted, at the ends of the range."""
    made = histogram([0.0, float("inf")])
    assert made.percentile(0.5) == pytest.approx(1e-9, rel=0.02)
    assert made.percentile(1.0) == pytest.approx(1e9, rel=0.02)


@pytest.mark.parametrize("buckets", [{"1": -1}, {"1": "2"}, {"1": True}, {"x": 1}, {"1": 0.5}])
def test_what_is_no_histogram_is_refused(buckets: dict[str, int]) -> None:
    """Counts are whole and not negative, and buckets have numbers."""
    with pytest.raises(ValueError, match=r".+"):
        Histogram.of(buckets)
