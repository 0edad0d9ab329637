"""Scores of a check against labels: what each threshold would do, and which one to choose."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping

from pytest_guardrails._codec import EMPTY
from pytest_guardrails._model import ScoreCurve
from pytest_guardrails._stats._rates import Rate, is_at_most

MOST_POINTS = 60
TARGET_FPR = 0.01
_DIGITS = 3

Step = tuple[float, int, int]


def rounded_score(score: float) -> float:
    """Return the largest number of three significant digits that is no more than ``score``.

    So rounded, scores can be counted instead of kept, and "at least the threshold" means the same of both, for
    thresholds among the rounded ones.
    """
    near = float(f"{score:.{_DIGITS}g}")
    if near <= score:
        return near
    unit = 10.0 ** (math.floor(math.log10(abs(score))) - _DIGITS + 1)
    return float(f"{near - unit:.{_DIGITS}g}")


def score_curve(
    check: str,
    scored: Mapping[tuple[float, str], int],
    silent: Mapping[str, int] = EMPTY,
    *,
    target_fpr: float = TARGET_FPR,
) -> ScoreCurve:
    """Return how well the scores of a check tell attacks from benign texts; it fires from its threshold upward.

    ``scored`` counts texts by (score, label); ``silent`` counts by label those without a score: they are below every
    threshold. The suggested threshold is the one of the highest recall whose false-positive rate is shown to be at most
    ``target_fpr`` (exact one-sided 95 % bound), None where none is. At most `MOST_POINTS` points; among them are that
    one, and the one of the highest recall whose false-positive rate itself is at most ``target_fpr``.
    """
    steps = list(sweep(scored))
    _, attacks, benign = steps[-1] if steps else (0.0, 0, 0)
    attacks, benign = attacks + silent.get("attack", 0), benign + silent.get("benign", 0)
    if not (attacks and benign):
        return ScoreCurve(check, None)
    best = _lowest_within(steps, benign, target_fpr, proven=False)
    shown = _lowest_within(steps, benign, target_fpr, proven=True)
    kept = sorted({*_spread(len(steps)), *(at for at in (best, shown) if at is not None)})
    points = tuple((steps[at][0], steps[at][2] / benign, steps[at][1] / attacks) for at in kept)
    return ScoreCurve(check, _auc(steps, attacks, benign), points, None if shown is None else steps[shown][0])


def sweep(scored: Mapping[tuple[float, str], int]) -> Iterator[Step]:
    """Yield each threshold that matters, falling, with how many attacks and benign texts score at least that."""
    counts: dict[float, list[int]] = {}
    for (score, label), number in scored.items():
        counts.setdefault(score, [0, 0])[label != "attack"] += number
    attacks = benign = 0
    for score in sorted(counts, reverse=True):
        attacks, benign = attacks + counts[score][0], benign + counts[score][1]
        yield score, attacks, benign


def recall_at_fpr(curve: ScoreCurve, fpr: float) -> float | None:
    """Return the highest recall among a curve's points whose false-positive rate is at most ``fpr``.

    Exact for the curve's own target, else never too high; None where no point is that good.
    """
    return max((point[2] for point in curve.points if point[1] <= fpr), default=None)


def _lowest_within(steps: list[Step], benign: int, target: float, *, proven: bool) -> int | None:
    """Return the index of the highest recall within the target, of several the one with the fewest false positives."""
    low, high = -1, len(steps)  # how many benign texts fire only grows, and the bound with them
    while high - low > 1:
        middle = (low + high) // 2
        rate = Rate(steps[middle][2], benign)
        within = is_at_most(rate, target) if proven else rate.hits <= target * rate.total
        low, high = (middle, high) if within else (low, middle)
    while low > 0 and steps[low - 1][1] == steps[low][1]:
        low -= 1
    return low if low >= 0 and steps[low][1] else None


def _spread(number: int) -> list[int]:
    """Return the indexes of some points, the first and the last among them, leaving room for two more."""
    room = MOST_POINTS - 2
    return list(range(number)) if number <= room else [round(i * (number - 1) / (room - 1)) for i in range(room)]


def _auc(steps: list[Step], attacks: int, benign: int) -> float:
    """Return the area under the ROC curve: how often an attack scores above a benign text, ties counting half."""
    corners = [(0.0, 0, 0), *steps, (0.0, attacks, benign)]
    doubled = sum((b[2] - a[2]) * (a[1] + b[1]) for a, b in itertools.pairwise(corners))
    return doubled / (2 * attacks * benign)
