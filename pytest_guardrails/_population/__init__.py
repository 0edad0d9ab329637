"""What a guard does with a population: a sample to a result, and results to counts, times and the worst of them."""

from __future__ import annotations

from pytest_guardrails._population._fold import (
    MOST_CATEGORIES,
    MOST_WORST,
    OTHER_CATEGORIES,
    Fold,
    Wrong,
    fpr_of,
    in_turn,
    recall_of,
)
from pytest_guardrails._population._result import ANSWER, current_key, evaluate, key_of, places_of, result_of

__all__ = [
    "ANSWER",
    "MOST_CATEGORIES",
    "MOST_WORST",
    "OTHER_CATEGORIES",
    "Fold",
    "Wrong",
    "current_key",
    "evaluate",
    "fpr_of",
    "in_turn",
    "key_of",
    "places_of",
    "recall_of",
    "result_of",
]
