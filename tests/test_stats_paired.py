"""Two versions on the same cases: the exact McNemar test, and the change of a rate with its interval."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._stats import holm, mcnemar, paired_difference

PAIRS = st.integers(1, 400).flatmap(
    lambda total: st.tuples(st.integers(0, total), st.just(total)).flatmap(
        lambda pair: st.tuples(st.just(pair[0]), st.integers(0, pair[1] - pair[0]), st.just(pair[1]))
    )
)


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=60)
def test_mcnemar_is_the_sign_test_of_scipy(only_first: int, only_second: int) -> None:
    """The p of discordant pairs is that of an exact binomial test at one half."""
    stats = pytest.importorskip("scipy.stats")
    total = only_first + only_second
    theirs = stats.binomtest(only_first, total).pvalue if total else 1.0
    assert mcnemar(only_first, only_second) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(("counts", "p"), [((1, 7), 0.0703), ((0, 5), 0.0625), ((0, 6), 0.03125)])
def test_mcnemar_known_answers(counts: tuple[int, int], p: float) -> None:
    """Published and hand-computed values; five discordant pairs cannot be significant, six can."""
    assert mcnemar(*counts) == pytest.approx(p, rel=0.05)


@given(PAIRS)
def test_mcnemar_knows_no_order(counts: tuple[int, int, int]) -> None:
    """Swapping the versions leaves p as it is, and it is a probability."""
    only_first, only_second, _ = counts
    assert mcnemar(only_first, only_second) == mcnemar(only_second, only_first)
    assert 0 < mcnemar(only_first, only_second) <= 1


def test_tango_known_answer() -> None:
    """Airway reactivity before and after transplantation: 1 and 7 discordant of 21 (Fagerland and others, 2014)."""
    found = paired_difference(7, 1, 21)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((-6 / 21, -0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize("counts", [(0, 0, 40), (3, 9, 50), (1, 7, 21), (0, 5, 300), (12, 12, 24), (40, 1, 41)])
def test_the_interval_agrees_with_a_likelihood_maximised_by_scipy(counts: tuple[int, int, int]) -> None:
    """At each end the score is the critical one, with the share of discordant pairs found by a numeric optimiser."""
    optimize = pytest.importorskip("scipy.optimize")
    only_first, only_second, total = counts
    found = paired_difference(*counts)
    assert found is not None

    def score(difference: float) -> float:
        def unlikelihood(share: float) -> float:  # of pairs that only the first hits
            cells = ((only_first, share), (only_second, share + difference),
                     (total - only_first - only_second, 1 - 2 * share - difference))  # fmt: skip
            return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

        low, high = max(0.0, -difference), (1 - difference) / 2
        share = optimize.minimize_scalar(unlikelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
        variance = (2 * share + difference - difference**2) / total
        return float(((only_second - only_first) / total - difference) / math.sqrt(variance))

    if found.low > -0.999:
        assert score(found.low) == pytest.approx(1.959964, abs=2e-3)
    if found.high < 0.999:
        assert score(found.high) == pytest.approx(-1.959964, abs=2e-3)


@given(PAIRS)
@settings(max_examples=60)
def test_the_interval_contains_the_change(counts: tuple[int, int, int]) -> None:
    """-1 ≤ low ≤ change ≤ high ≤ 1, and swapping the versions mirrors all three."""
    only_first, only_second, total = counts
    found, mirrored = paired_difference(*counts), paired_difference(only_second, only_first, total)
    assert found is not None
    assert mirrored is not None
    assert found.value == (only_second - only_first) / total
    assert -1 <= found.low <= found.value <= found.high <= 1
    expected = (-mirrored.value, -mirrored.high, -mirrored.low)
    assert (found.value, found.low, found.high) == pytest.approx(expected, abs=1e-9)


@given(st.integers(1, 10_000))
@settings(max_examples=30)
def test_a_run_compared_with_itself_finds_nothing(total: int) -> None:
    """Without a discordant pair the change is 0, p is 1, and the interval holds 0 and is never a point."""
    found = paired_difference(0, 0, total)
    assert found is not None
    assert (found.value, mcnemar(0, 0)) == (0.0, 1.0)
    assert found.low < 0 < found.high


def test_no_pair_is_unknown() -> None:
    """A change on no pair is None."""
    assert paired_difference(0, 0, 0) is None


@pytest.mark.parametrize(
    ("given_p", "corrected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # by hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, then no less
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.6, 0.5], [1.0, 1.0]),
    ],
)
def test_holm_known_answers(given_p: list[float], corrected: list[float]) -> None:
    """The smallest p is multiplied by the number of tests, the next by one less, none above 1 or below one before."""
    assert holm(given_p) == pytest.approx(corrected)


@given(st.lists(st.floats(0, 1), max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_holm_rejects_step_by_step(p_values: list[float], by: random.Random) -> None:
    """What is below a level is what Holm's own procedure rejects; no p gets smaller, and their order is irrelevant."""
    corrected, level = holm(p_values), 0.05
    ordered = sorted(p_values)
    steps = [p <= level / (len(ordered) - rank) for rank, p in enumerate(ordered)]
    rejected = len(list(itertools.takewhile(bool, steps)))
    assert sum(p * (1 - 1e-12) <= level for p in corrected) == rejected
    assert all(one <= other for one, other in zip(p_values, corrected, strict=True))
    shuffled = by.sample(range(len(p_values)), len(p_values))
    assert holm([p_values[at] for at in shuffled]) == tuple(corrected[at] for at in shuffled)
