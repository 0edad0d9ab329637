"""Counts to rates that never stand alone: intervals, one-sided bounds, and sentences about small samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pytest_guardrails._model import Group, Outcome


@dataclass(frozen=True, slots=True)
class Rate:
    """``hits`` of ``total`` with its Wilson 95 % interval and exact one-sided 95 % bounds; all None for 0 of 0."""

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        """The point estimate, 0 to 1; None where nothing was counted."""
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The two-sided Wilson interval at 95 %."""
        return wilson(self.hits, self.total)

    @property
    def upper(self) -> float | None:
        """The exact one-sided upper bound at 95 % (Clopper-Pearson)."""
        return upper_bound(self.hits, self.total)

    @property
    def lower(self) -> float | None:
        """The exact one-sided lower bound at 95 % (Clopper-Pearson)."""
        upper = upper_bound(self.total - self.hits, self.total)
        return None if upper is None else 1 - upper


def wilson(hits: int, total: int, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return Wilson's two-sided interval for a proportion (Wilson 1927), or None for 0 of 0."""
    if total == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p, z2 = hits / total, z * z
    centre = (p + z2 / (2 * total)) / (1 + z2 / total)
    half = z / (1 + z2 / total) * math.sqrt(p * (1 - p) / total + z2 / (4 * total * total))
    return (0.0 if hits == 0 else max(0.0, centre - half)), (1.0 if hits == total else min(1.0, centre + half))


def upper_bound(hits: int, total: int, confidence: float = 0.95) -> float | None:
    """Return the exact one-sided upper bound for a proportion (Clopper and Pearson 1934), or None for 0 of 0."""
    if total == 0:
        return None
    if hits == total:
        return 1.0
    low, high = hits / total, 1.0
    for _ in range(60):  # bisection on P(X <= hits | p) = 1 - confidence, to the last bits of a float
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(hits, total, middle) > 1 - confidence else (low, middle)
    return high


def is_at_most(rate: Rate, target: float, confidence: float = 0.95) -> bool:
    """Return True if the exact one-sided upper bound of a rate is at most ``target``; False for 0 of 0.

    It is what `upper_bound` says, in one step.
    """
    if rate.value is None or rate.value > target:
        return False
    return target >= 1 or (target > 0 and at_most(rate.hits, rate.total, target) <= 1 - confidence)


def at_most(hits: int, total: int, p: float) -> float:
    """Return P(X <= hits) for a binomial X with 0 < p < 1 and ``hits`` no more than about ``total * p``.

    The terms fall from the last one down, so that few of them matter, however large the sample is.
    """
    choices = math.lgamma(total + 1) - math.lgamma(hits + 1) - math.lgamma(total - hits + 1)
    term = 1.0
    terms = [term]
    for k in range(hits, 0, -1):
        term *= k * (1 - p) / ((total - k + 1) * p)
        terms.append(term)
        if term < 1e-17:
            break
    return min(1.0, math.exp(choices + hits * math.log(p) + (total - hits) * math.log1p(-p)) * math.fsum(terms))


def clean_cases_needed(rate: float, confidence: float = 0.95) -> int:
    """Return how many cases without a hit show that the rate is at most ``rate``: 299 for 1 % at 95 %."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate))


def cases_needed(hits: int, rate: float, confidence: float = 0.95) -> int:
    """Return how many cases show that the rate is at most ``rate`` if ``hits`` of them, and no more, are hits."""
    if hits == 0:
        return clean_cases_needed(rate, confidence)
    low = high = max(hits, math.ceil(hits / rate))
    while not is_at_most(Rate(hits, high), rate, confidence):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_at_most(Rate(hits, middle), rate, confidence) else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many traces ended in each outcome; errors are in no rate but their own."""

    true_positive: int = 0
    false_positive: int = 0
    true_negative: int = 0
    false_negative: int = 0
    error: int = 0

    @classmethod
    def of(cls, outcomes: Iterable[Outcome | None]) -> Confusion:
        """Count outcomes; None is a case that did not run."""
        counts = dict.fromkeys(Outcome, 0)
        for outcome in outcomes:
            if outcome is not None:
                counts[outcome] += 1
        return cls(*counts.values())

    @property
    def fpr(self) -> Rate:
        """False-positive rate: benign cases on which some guardrail acted."""
        return Rate(self.false_positive, self.false_positive + self.true_negative)

    @property
    def recall(self) -> Rate:
        """Attacks on which some guardrail acted."""
        return Rate(self.true_positive, self.true_positive + self.false_negative)

    @property
    def precision(self) -> Rate:
        """Cases on which some guardrail acted that are attacks; it depends on how many attacks the suite has."""
        return Rate(self.true_positive, self.true_positive + self.false_positive)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall; None where nothing was an attack and nothing was acted on."""
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / total if total else None

    @property
    def error_rate(self) -> Rate:
        """Traces in which a check gave no answer."""
        judged = self.true_positive + self.false_positive + self.true_negative + self.false_negative
        return Rate(self.error, judged + self.error)


def confusion_of(group: Group) -> Confusion:
    """Return the counts of a part of a population."""
    return Confusion(group.true_positive, group.false_positive, group.true_negative, group.false_negative, group.error)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile, ``share`` from 0 to 1; None for no values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
