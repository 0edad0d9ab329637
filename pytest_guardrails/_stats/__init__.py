"""Counts to rates that never stand alone, and what two versions, scores, spans and times say: pure functions."""

from __future__ import annotations

from pytest_guardrails._stats._histogram import Histogram
from pytest_guardrails._stats._paired import Difference, holm, mcnemar, paired_difference
from pytest_guardrails._stats._rates import (
    Confusion,
    Rate,
    cases_needed,
    clean_cases_needed,
    confusion_of,
    is_at_most,
    percentile,
    upper_bound,
    wilson,
)
from pytest_guardrails._stats._scores import TARGET_FPR, recall_at_fpr, rounded_score, score_curve, sweep
from pytest_guardrails._stats._sentences import (
    GOOD_FPR,
    GOOD_RECALL,
    counted,
    per_cent,
    rate_sentence,
    sample_advice,
    sample_sentence,
)
from pytest_guardrails._stats._spans import span_counts, span_precision, span_recall

__all__ = [
    "GOOD_FPR",
    "GOOD_RECALL",
    "TARGET_FPR",
    "Confusion",
    "Difference",
    "Histogram",
    "Rate",
    "cases_needed",
    "clean_cases_needed",
    "confusion_of",
    "counted",
    "holm",
    "is_at_most",
    "mcnemar",
    "paired_difference",
    "per_cent",
    "percentile",
    "rate_sentence",
    "recall_at_fpr",
    "rounded_score",
    "sample_advice",
    "sample_sentence",
    "score_curve",
    "span_counts",
    "span_precision",
    "span_recall",
    "sweep",
    "upper_bound",
    "wilson",
]
