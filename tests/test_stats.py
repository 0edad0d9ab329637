"""Rates that never stand alone: known answers, an independent implementation, and what always holds."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails import Outcome
from pytest_guardrails._stats import (
    Confusion,
    Rate,
    cases_needed,
    clean_cases_needed,
    is_at_most,
    percentile,
    upper_bound,
    wilson,
)

COUNTS = st.integers(1, 200).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
SAMPLES = [(0, 1), (1, 1), (0, 40), (1, 40), (20, 40), (39, 40), (40, 40), (3, 1000), (997, 1000), (7, 100_000)]


@pytest.mark.parametrize(("hits", "total"), SAMPLES)
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_intervals_and_bounds_agree_with_scipy(hits: int, total: int, confidence: float) -> None:
    """Wilson's interval and the exact one-sided bounds are those of an independent implementation."""
    stats = pytest.importorskip("scipy.stats")
    theirs = stats.binomtest(hits, total).proportion_ci(confidence, "wilson")
    assert wilson(hits, total, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    exact = stats.binomtest(hits, total, alternative="less").proportion_ci(confidence, "exact").high
    assert upper_bound(hits, total, confidence) == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize(("hits", "total"), SAMPLES)
def test_the_lower_bound_agrees_with_scipy(hits: int, total: int) -> None:
    """The exact one-sided lower bound at 95 % is that of an independent implementation."""
    stats = pytest.importorskip("scipy.stats")
    exact = stats.binomtest(hits, total, alternative="greater").proportion_ci(0.95, "exact").low
    assert Rate(hits, total).lower == pytest.approx(exact, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "value", "interval", "lower", "upper"),
    [
        (Rate(0, 40), 0.0, (0.0, 0.0876), 0.0, 0.0722),
        (Rate(1, 10), 0.1, (0.0179, 0.4042), 0.0051, 0.3942),
        (Rate(10, 10), 1.0, (0.7225, 1.0), 0.7411, 1.0),
        (Rate(5, 10), 0.5, (0.2366, 0.7634), 0.2224, 0.7776),
    ],
)
def test_known_answers(rate: Rate, value: float, interval: tuple[float, float], lower: float, upper: float) -> None:
    """Four rates from the tables."""
    assert rate.value == value
    assert rate.interval == pytest.approx(interval, abs=5e-5)
    assert (rate.lower, rate.upper) == pytest.approx((lower, upper), abs=5e-5)


def test_nothing_of_nothing_is_unknown() -> None:
    """0 of 0 is None, never 0.0."""
    rate = Rate(0, 0)
    assert (rate.value, rate.interval, rate.lower, rate.upper) == (None, None, None, None)


@given(COUNTS)
@settings(deadline=None)
def test_low_rate_high(counts: tuple[int, int]) -> None:
    """0 ≤ low ≤ rate ≤ high ≤ 1, for the interval and for the bounds, without any tolerance."""
    rate = Rate(*counts)
    assert rate.value is not None
    assert rate.interval is not None
    assert rate.lower is not None
    assert rate.upper is not None
    assert 0 <= rate.interval[0] <= rate.value <= rate.interval[1] <= 1
    assert 0 <= rate.lower <= rate.value <= rate.upper <= 1


@given(COUNTS)
@settings(deadline=None)
def test_more_clean_cases_never_raise_the_bound(counts: tuple[int, int]) -> None:
    """With as many hits among more cases, the bound only falls; with one more hit it only rises."""
    hits, total = counts
    bound, more = upper_bound(hits, total), upper_bound(hits, total + 1)
    worse = upper_bound(min(hits + 1, total), total)
    assert more is not None
    assert bound is not None
    assert worse is not None
    assert more <= bound <= worse


@given(COUNTS)
@settings(deadline=None)
def test_wilson_is_symmetric(counts: tuple[int, int]) -> None:
    """Hits and misses are two sides of one interval."""
    hits, total = counts
    one, other = wilson(hits, total), wilson(total - hits, total)
    assert one is not None
    assert other is not None
    assert one == pytest.approx((1 - other[1], 1 - other[0]), abs=1e-12)


def test_a_large_corpus_costs_little() -> None:
    """Both bounds of few hits among 100,000 come at once, whichever side the hits are on."""
    started = time.process_time()
    for rate in (Rate(5, 100_000), Rate(99_995, 100_000)):
        assert rate.lower is not None
        assert rate.upper is not None
        assert rate.lower < rate.hits / rate.total < rate.upper
    assert time.process_time() - started < 1


@pytest.mark.parametrize(("rate", "cases"), [(0.01, 299), (0.05, 59), (0.1, 29), (0.001, 2995)])
def test_how_many_clean_cases_show_a_rate(rate: float, cases: int) -> None:
    """299 cases without a hit show at most 1 % at 95 %, and one fewer does not."""
    assert clean_cases_needed(rate) == cases
    enough, short = upper_bound(0, cases), upper_bound(0, cases - 1)
    assert enough is not None
    assert short is not None
    assert enough <= rate < short


def test_a_higher_confidence_needs_more_cases() -> None:
    """At 99 % it takes 459 clean cases to show 1 %."""
    assert clean_cases_needed(0.01, confidence=0.99) == 459


@given(st.integers(0, 30), st.floats(0.001, 0.9))
@settings(max_examples=50)
def test_the_cases_needed_are_the_fewest_that_show_a_rate(hits: int, rate: float) -> None:
    """So many cases with so many hits show the rate, and one fewer does not."""
    needed = cases_needed(hits, rate)
    enough, short = upper_bound(hits, needed), upper_bound(hits, needed - 1)
    assert enough is not None
    assert enough <= rate * (1 + 1e-9)
    assert short is None or short > rate * (1 - 1e-9)


@given(COUNTS, st.floats(0.001, 1))
def test_a_bound_in_one_step_is_the_bound(counts: tuple[int, int], target: float) -> None:
    """Whether the bound is within a target is known without looking for it."""
    bound = upper_bound(*counts)
    assert bound is not None
    if abs(bound - target) > 1e-9:
        assert is_at_most(Rate(*counts), target) is (bound <= target)


def test_nothing_of_nothing_is_within_no_target() -> None:
    """0 of 0 shows no rate, not even one of 100 %."""
    assert not is_at_most(Rate(0, 0), 1.0)


@given(*[st.integers(0, 500)] * 4)
def test_precision_and_f1(tp: int, fp: int, tn: int, fn: int) -> None:
    """Precision is of what was acted on; F1 is the harmonic mean of precision and recall, and None where 0/0."""
    counts = Confusion(tp, fp, tn, fn)
    assert counts.precision == Rate(tp, tp + fp)
    precision, recall, f1 = counts.precision.value, counts.recall.value, counts.f1
    if not (tp or fp or fn):
        assert f1 is None
    elif not precision or not recall:
        assert f1 == 0
    else:
        assert f1 == pytest.approx(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize(("hits", "total"), [(150_000, 500_000), (499_000, 500_000), (3, 1_000_000)])
def test_bounds_of_a_million_agree_with_scipy(hits: int, total: int) -> None:
    """The bound of a large corpus sums few terms, and is still exact."""
    beta = pytest.importorskip("scipy.stats").beta
    assert upper_bound(hits, total) == pytest.approx(beta.ppf(0.95, hits + 1, total - hits), rel=1e-7)


def test_outcomes_are_counted_and_errors_are_in_no_other_rate() -> None:
    """Each outcome counts once, None is a case that did not run, and an error improves no rate."""
    outcomes = [
        *[Outcome.TRUE_POSITIVE] * 5,
        *[Outcome.FALSE_POSITIVE] * 4,
        *[Outcome.TRUE_NEGATIVE] * 3,
        *[Outcome.FALSE_NEGATIVE] * 2,
        Outcome.ERROR,
        None,
    ]
    confusion = Confusion.of(outcomes)
    assert confusion == Confusion(5, 4, 3, 2, 1)
    assert (confusion.fpr, confusion.recall, confusion.error_rate) == (Rate(4, 7), Rate(5, 7), Rate(1, 15))


def test_only_errors_leave_every_other_rate_unknown() -> None:
    """A run in which every guard errored has an error rate of one and no other rate."""
    confusion = Confusion.of([Outcome.ERROR] * 3)
    assert (confusion.error_rate.value, confusion.fpr.value, confusion.recall.value) == (1.0, None, None)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7.0], 0.95, 7.0),
        ([3, 1, 2], 0.5, 2),
        ([4, 1, 3, 2], 0.5, 2),
        (range(1, 101), 0.95, 95),
        (range(1, 101), 0.99, 99),
        (range(1, 101), 0.0, 1),
        (range(1, 101), 1.0, 100),
    ],
)
def test_percentiles_are_nearest_rank(values: list[float], share: float, expected: float | None) -> None:
    """A percentile is one of the values, and unknown where there is none."""
    assert percentile(values, share) == expected


@given(st.lists(st.floats(0, 1e3), min_size=1), st.floats(0, 1))
@settings(deadline=None)
def test_a_percentile_has_its_share_below_it(values: list[float], share: float) -> None:
    """At least that share of the values is no larger."""
    found = percentile(values, share)
    assert found is not None
    assert sum(value <= found for value in values) >= math.floor(share * len(values))
