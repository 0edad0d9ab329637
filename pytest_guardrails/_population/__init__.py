"""What a guard does with a population: a sample to a result, and results to counts, times and the worst of them."""

from __future__ import annotations

from pytest_guardrails._population._fold import (
    MOST_CATEGORIES,
    MOST_WORST,
    OTHER_CATEGORIES,
    Fold,
    Wrong,
    fpr_of,
    recall_of,
)
from pytest_guardrails._population._result import current_key, evaluate, key_of, places_of, result_of

__all__ = [
    "MOST_CATEGORIES",
    "MOST_WORST",
    "OTHER_CATEGORIES",
    "Fold",
    "Wrong",
    "current_key",
    "evaluate",
    "fpr_of",
    "key_of",
    "places_of",
    "recall_of",
    "result_of",
]
