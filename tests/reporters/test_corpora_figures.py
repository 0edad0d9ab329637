"""What is said of a corpus in figures."""

from __future__ import annotations

from pytest_guardrails._model import CaseStatus, CorpusRecord, Group
from pytest_guardrails._stats import score_curve
from pytest_guardrails.reporters._corpora import figures

GROUPS = (Group("all", "", true_positive=6, true_negative=2_000, false_negative=2),)


def record(scored: dict[tuple[float, str], int], silent: dict[str, int]) -> CorpusRecord:
    """Return a corpus with the scores of one check."""
    curve = score_curve("before_request/g/check", scored, silent)
    return CorpusRecord("n", "mixed", CaseStatus.AS_EXPECTED, rows=2_008, groups=GROUPS, curves=(curve,))


def test_scores_are_told_with_a_threshold() -> None:
    """How well they tell attacks apart, the recall at a stated false-positive rate, and the threshold to choose."""
    said = dict(figures(record({(0.9, "attack"): 6, (0.5, "benign"): 1_000}, {"attack": 2, "benign": 1_000})))
    assert said["scores"] == "check: ROC AUC 0.812, recall 75 % at FPR 1 %"
    assert said[""] == "threshold 0.9 is shown to keep FPR ≤ 1 %"


def test_where_no_threshold_is_good_enough_that_is_said() -> None:
    """Too few benign samples show nothing."""
    said = dict(figures(record({(0.9, "attack"): 6, (0.9, "benign"): 10}, {})))
    assert said["scores"] == "check: ROC AUC 0.500, no recall at FPR 1 %"
    assert said[""] == "no threshold is shown to keep FPR ≤ 1 %"


def test_scores_of_one_label_say_nothing() -> None:
    """There is nothing to tell apart."""
    assert "scores" not in dict(figures(record({(0.9, "attack"): 6}, {})))
