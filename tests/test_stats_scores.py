"""Scores against labels: the area under the curve, what thresholds do, and the one that is suggested."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._stats import Rate, recall_at_fpr, rounded_score, score_curve, sweep

LABELLED = st.lists(st.tuples(st.integers(0, 10).map(lambda n: n / 10), st.sampled_from(["attack", "benign"])))


@given(LABELLED, st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=60)
def test_the_area_is_that_of_the_rank_sum_test(
    scores: list[tuple[float, str]], silent_attacks: int, silent_benign: int
) -> None:
    """AUC is U of Mann and Whitney over all pairs, ties counting half and texts without a score below all others."""
    stats = pytest.importorskip("scipy.stats")
    attacks = [score for score, label in scores if label == "attack"] + [-1.0] * silent_attacks
    benign = [score for score, label in scores if label == "benign"] + [-1.0] * silent_benign
    curve = score_curve("c", Counter(scores), {"attack": silent_attacks, "benign": silent_benign})
    if not (attacks and benign):
        assert (curve.auc, curve.points, curve.suggested) == (None, (), None)
    else:
        u = stats.mannwhitneyu(attacks, benign, method="asymptotic").statistic
        assert curve.auc == pytest.approx(u / (len(attacks) * len(benign)))


@given(LABELLED)
@settings(max_examples=60)
def test_a_threshold_counts_what_scores_at_least_that(scores: list[tuple[float, str]]) -> None:
    """The sweep falls through every score that there is, and counts as a loop over all would."""
    steps = list(sweep(Counter(scores)))
    assert [step[0] for step in steps] == sorted({score for score, _ in scores}, reverse=True)
    for threshold, attacks, benign in steps:
        assert attacks == sum(score >= threshold for score, label in scores if label == "attack")
        assert benign == sum(score >= threshold for score, label in scores if label == "benign")


@given(LABELLED, st.sampled_from([0.01, 0.3, 0.8, 0.95]))
@settings(max_examples=60)
def test_the_suggested_threshold_is_the_best_that_is_proven(scores: list[tuple[float, str]], target: float) -> None:
    """No threshold with a proven rate stops more attacks, and of those that stop as many none has fewer alarms."""
    curve = score_curve("c", Counter(scores), target_fpr=target)
    _, all_attacks, all_benign = max(sweep(Counter(scores)), key=lambda step: -step[0], default=(0.0, 0, 0))
    proven = [
        (attacks, -benign, threshold)
        for threshold, attacks, benign in sweep(Counter(scores))
        if attacks and all_benign and (Rate(benign, all_benign).upper or 0) <= target
    ]
    assert curve.suggested == (max(proven)[2] if proven else None)
    if all_attacks and all_benign:
        within = [a / all_attacks for _, a, b in sweep(Counter(scores)) if b / all_benign <= target and a]
        assert (recall_at_fpr(curve, target) or 0.0) == max(within, default=0.0)


def test_known_answer() -> None:
    """300 benign texts below 0.5 show 1 % there, and a threshold that 3 more of them reach is not suggested."""
    scored = {(0.9, "attack"): 80, (0.5, "attack"): 15, (0.4, "attack"): 5, (0.4, "benign"): 3, (0.1, "benign"): 297}
    curve = score_curve("c", scored)
    assert curve.points == ((0.9, 0.0, 0.8), (0.5, 0.0, 0.95), (0.4, 0.01, 1.0), (0.1, 1.0, 1.0))
    assert (curve.suggested, recall_at_fpr(curve, 0.01), recall_at_fpr(curve, 0.001)) == (0.5, 1.0, 0.95)
    assert curve.auc == pytest.approx(1 - (5 * 3 / 2) / (100 * 300))


def test_of_thresholds_that_stop_as_many_the_highest_is_suggested() -> None:
    """A lower one would only add false positives."""
    curve = score_curve("c", {(0.9, "attack"): 10, (0.5, "benign"): 1, (0.1, "benign"): 999})
    assert curve.suggested == 0.9


def test_too_few_benign_texts_suggest_nothing() -> None:
    """Perfect scores on 20 benign texts prove no rate of 1 %."""
    curve = score_curve("c", {(0.9, "attack"): 20, (0.1, "benign"): 20})
    assert (curve.auc, curve.suggested) == (1.0, None)
    assert recall_at_fpr(curve, 0.01) == 1.0


def test_a_curve_of_many_thresholds_has_few_points() -> None:
    """A million thresholds leave 60 points, with the first, the last, and the ones that matter among them."""
    scored = {(n / 5000, "attack" if n % 7 and n > 1000 else "benign"): 3 for n in range(5000)}
    curve = score_curve("c", scored)
    assert 50 < len(curve.points) <= 60
    thresholds = [point[0] for point in curve.points]
    assert thresholds == sorted(thresholds, reverse=True)
    assert (thresholds[0], thresholds[-1]) == (4999 / 5000, 0.0)
    assert curve.suggested is None or curve.suggested in thresholds


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_rounding_never_moves_a_score_over_a_threshold(score: float, other: float) -> None:
    """A score reaches a rounded threshold if and only if its own rounding does."""
    threshold = rounded_score(other)
    assert threshold <= other
    assert (score >= threshold) is (rounded_score(score) >= threshold)


@pytest.mark.parametrize(("score", "rounded"), [(0.9, 0.9), (0.8996, 0.899), (0.0, 0.0), (1.0, 1.0), (-0.1236, -0.124)])
def test_rounded_scores_are_short(score: float, rounded: float) -> None:
    """Three digits, toward less."""
    assert rounded_score(score) == rounded


def test_a_hostile_score_is_refused_or_kept_apart() -> None:
    """The least of floats still rounds to a number."""
    assert math.isfinite(rounded_score(5e-324))
