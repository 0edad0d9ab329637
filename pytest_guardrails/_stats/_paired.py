"""Two versions on the same cases: the exact McNemar test, and the difference of the two rates with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pytest_guardrails._stats._rates import at_most


@dataclass(frozen=True, slots=True)
class Difference:
    """A change of a rate, -1 to 1, with its two-sided 95 % interval, which always holds it."""

    value: float
    low: float
    high: float


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of McNemar's test, from the counts of discordant pairs; 1.0 where there is none.

    A small p says: were a hit of the first version alone as likely as of the second alone, counts as uneven as these
    would be rare (McNemar 1947; the exact form is the sign test).
    """
    total = only_first + only_second
    return min(1.0, 2 * at_most(min(only_first, only_second), total, 0.5)) if total else 1.0


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return each p as it is after Holm's correction for all of them, in the same order.

    The smallest is multiplied by their number, the next one by one less, and none is smaller than one before it. The
    chance that any of several true null hypotheses is rejected stays what it is for one (Holm, Scandinavian Journal of
    Statistics 6, 1979); nothing is assumed of how they depend on each other.
    """
    corrected = [1.0] * len(p_values)
    least = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = least
    return tuple(corrected)


def paired_difference(only_first: int, only_second: int, total: int, confidence: float = 0.95) -> Difference | None:
    """Return how much larger the second rate is than the first, on ``total`` pairs; None for no pair.

    The interval is Tango's score interval (Statistics in Medicine 17, 1998): the differences that a score test does
    not reject. It holds for few pairs too, and is symmetric: swapping the versions changes the sign alone.
    """
    if total == 0:
        return None
    value = (only_second - only_first) / total
    z = NormalDist().inv_cdf(0.5 + confidence / 2)

    def score(difference: float) -> float:
        return _score(only_first, only_second, total, difference)

    low = -1.0 if value == -1 else _crossing(lambda at: score(at) > z, -1.0, value)
    high = 1.0 if value == 1 else _crossing(lambda at: score(at) >= -z, value, 1.0)
    return Difference(value, low, high)


def _score(only_first: int, only_second: int, total: int, difference: float) -> float:
    """Return Tango's score: how many standard errors the counts are above a true ``difference``; it falls with it."""
    distance = only_second - only_first - total * difference
    if distance == 0:
        return 0.0
    # The likeliest share of pairs that only the first hits, were the difference true: root of a x² + b x + c.
    a = 2 * total
    b = (2 * total + only_first - only_second) * difference - only_first - only_second
    c = -only_first * difference * (1 - difference)
    share = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = total * (2 * share + difference * (1 - difference))
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)


def _crossing(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return where ``holds``, true at ``low`` and not beyond ``high``, ends; to the last bits of a float."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2
