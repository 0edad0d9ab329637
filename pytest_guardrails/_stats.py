"""Counts to rates that never stand alone: intervals, one-sided bounds, and sentences about small samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pytest_guardrails._model import Outcome


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
        low, high = (middle, high) if _at_most(hits, total, middle) > 1 - confidence else (low, middle)
    return high


def _at_most(hits: int, total: int, p: float) -> float:
    """Return P(X <= hits) for a binomial X, summed in logarithms so that large samples do not overflow."""
    if 2 * hits > total:  # the other tail has fewer terms
        return 1 - _at_most(total - hits - 1, total, 1 - p)
    log_p, log_q = math.log(p), math.log1p(-p)
    terms = (
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) + k * log_p + (total - k) * log_q
        for k in range(hits + 1)
    )
    return math.fsum(map(math.exp, terms))


def clean_cases_needed(rate: float, confidence: float = 0.95) -> int:
    """Return how many cases without a hit show that the rate is at most ``rate``: 299 for 1 % at 95 %."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate))


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
    def error_rate(self) -> Rate:
        """Traces in which a check gave no answer."""
        judged = self.true_positive + self.false_positive + self.true_negative + self.false_negative
        return Rate(self.error, judged + self.error)


def sample_sentence(rate: Rate, name: str, kind: str) -> str:
    """Say what a count of bad cases allows to claim: "0 of 40 benign: FPR ≤ 7.2 % at 95 %"."""
    if rate.upper is None:
        return f"no {kind} case ran: {name} is unknown"
    return f"{rate.hits} of {rate.total} {kind}: {name} ≤ {100 * rate.upper:.1f} % at 95 %"


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile, ``share`` from 0 to 1; None for no values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
