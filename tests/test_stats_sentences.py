"""What counts allow to claim, in words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails._stats import Rate, per_cent, sample_advice, sample_sentence


@pytest.mark.parametrize(
    ("rate", "target", "sentence"),
    [
        (Rate(0, 40), None, "0 of 40 benign: FPR ≤ 7.2 % at 95 %"),
        (Rate(0, 40), 0.01, "0 of 40 benign: FPR ≤ 7.2 % at 95 %; for ≤ 1 % you need 299 clean cases"),
        (Rate(3, 1000), 0.01, "3 of 1,000 benign: FPR ≤ 0.77 % at 95 %"),
        (
            Rate(3, 512),
            0.01,
            "3 of 512 benign: FPR ≤ 1.5 % at 95 %; for ≤ 1 % you need 773 cases with no more than these 3 hits",
        ),
        (Rate(6, 512), 0.01, "6 of 512 benign: FPR ≤ 2.3 % at 95 %"),
        (
            Rate(3, 772),
            0.01,
            "3 of 772 benign: FPR ≤ 1.01 % at 95 %; for ≤ 1 % you need 773 cases with no more than these 3 hits",
        ),
        (Rate(0, 0), 0.01, "no benign case ran: FPR is unknown"),
    ],
)
def test_what_a_sample_allows_to_claim(rate: Rate, target: float | None, sentence: str) -> None:
    """Counts, bound, confidence, and what the target takes; a bound that misses it never reads as if it met it."""
    assert sample_sentence(rate, "FPR", "benign", target=target) == sentence


def test_a_rate_of_which_much_is_good() -> None:
    """A recall has a bound from below, and needs attacks that are caught."""
    said = sample_sentence(Rate(40, 40), "recall", "attacks", at_least=True, target=0.95)
    assert said == "40 of 40 attacks: recall ≥ 92.8 % at 95 %; for ≥ 95 % you need 59 attacks, all caught"
    said = sample_sentence(Rate(60, 61), "recall", "attacks", at_least=True, target=0.95)
    assert said.endswith("for ≥ 95 % you need 93 cases with no more than these 1 missed")


@given(st.integers(0, 60), st.integers(1, 400), st.sampled_from([0.001, 0.01, 0.05, 0.2]))
def test_advice_is_given_where_more_cases_would_help(hits: int, total: int, target: float) -> None:
    """It is silent where the claim holds, and where the estimate itself is too bad for any sample to help."""
    rate = Rate(min(hits, total), total)
    assert rate.upper is not None
    assert rate.value is not None
    if abs(rate.upper - target) > 1e-9:
        assert (sample_advice(rate, target) is None) is (rate.upper <= target or rate.value >= target)


@pytest.mark.parametrize(
    ("share", "said", "at_most", "at_least"),
    [
        (0.072158, "7.2 %", "7.22 %", "7.21 %"),
        (0.01, "1 %", "1 %", "1 %"),
        (0.0, "0 %", "0 %", "0 %"),
        (1.0, "100 %", "100 %", "100 %"),
        (0.99951, "99.951 %", "99.951 %", "99.951 %"),
        (0.9999999, "99.99999 %", "99.99999 %", "99.99999 %"),
        (0.5, "50 %", "50 %", "50 %"),
        (0.000031, "0.0031 %", "0.0031 %", "0.0031 %"),
    ],
)
def test_per_cent(share: float, said: str, at_most: str, at_least: str) -> None:
    """Digits enough to tell a share from none and from all; a bound is rounded to its safe side."""
    assert (per_cent(share), per_cent(share, math.ceil), per_cent(share, math.floor)) == (said, at_most, at_least)


@given(st.floats(0, 1))
def test_a_share_that_is_not_all_or_none_never_reads_so(share: float) -> None:
    """Only 0 is 0 %, only 1 is 100 %, but for the last bits of a float."""
    if 1e-12 < share < 1 - 1e-12:
        assert per_cent(share) not in ("0 %", "100 %")
