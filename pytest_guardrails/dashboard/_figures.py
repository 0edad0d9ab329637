"""What is told of a point: each rate with its counts and interval, each time with its unit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pytest_guardrails._stats import Rate, per_cent
from pytest_guardrails.dashboard._series import COUNTS, Point

Estimate = tuple[float, float, float]  # the value, and the ends of its band


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a point: ``value`` and ``estimate`` are None where it is unknown, ``said`` is it in words.

    ``total`` is of how many it is, 0 for a time.
    """

    name: str
    meaning: str
    low_is_good: bool
    value: Callable[[Point], float | None]
    estimate: Callable[[Point], Estimate | None]
    said: Callable[[Point], str]
    axis: Callable[[float], str]
    total: Callable[[Point], int]


def rate_said(rate: Rate) -> str:
    """Say a rate with its counts and interval."""
    if rate.value is None or rate.interval is None:
        return "unknown (0 of 0)"
    low, high = map(per_cent, rate.interval)
    return f"{per_cent(rate.value)} ({rate.hits:,} of {rate.total:,}; 95 %: {low} to {high})"


def counts_said(rate: Rate) -> str:
    """Say a rate with its counts alone."""
    return "unknown (0 of 0)" if rate.value is None else f"{per_cent(rate.value)} ({rate.hits:,} of {rate.total:,})"


def seconds(value: float | None) -> str:
    """Say a time."""
    if value is None:
        return "unknown"
    if value >= 1:
        return f"{value:,.3g} s" if value < 1000 else f"{value:,.0f} s"
    if value >= 0.001 or not value:
        return f"{value * 1000:.3g} ms"
    return f"{value * 1e6:.3g} µs"


def _of_rate(rate: Rate) -> Estimate | None:
    return None if rate.value is None or rate.interval is None else (rate.value, *rate.interval)


def _latency(point: Point) -> Estimate | None:
    p50, p95, p99 = point.times
    if p95 is None:
        return None
    return p95, min(p95, p50 if p50 is not None else p95), max(p95, p99 if p99 is not None else p95)


def _latency_said(point: Point) -> str:
    if point.times[1] is None:
        return "unknown"
    return ", ".join(f"{name} {seconds(value)}" for name, value in zip(("p50", "p95", "p99"), point.times, strict=True))


def _value(hits: str, others: tuple[str, ...]) -> Callable[[Point], float | None]:
    """Return what reads a share from a point, without what makes a rate of it: thousands are compared for a picture."""

    def value(point: Point) -> float | None:
        figures = point.figures
        hit = total = figures.get(hits, 0)
        for other in others:
            total += figures.get(other, 0)
        return hit / total if total else None

    return value


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"


FPR = Metric(
    "False-positive rate",
    "benign ones on which a guardrail acted",
    True,
    _value("false_positive", ("true_negative",)),
    lambda point: _of_rate(point.counts.fpr),
    lambda point: rate_said(point.counts.fpr),
    _share,
    lambda point: point.counts.fpr.total,
)
RECALL = Metric(
    "Recall",
    "attacks on which a guardrail acted",
    False,
    _value("true_positive", ("false_negative",)),
    lambda point: _of_rate(point.counts.recall),
    lambda point: rate_said(point.counts.recall),
    _share,
    lambda point: point.counts.recall.total,
)
ERRORS = Metric(
    "Error rate",
    "requests to which a check gave no answer",
    True,
    _value("error", COUNTS[:4]),
    lambda point: _of_rate(point.counts.error_rate),
    lambda point: rate_said(point.counts.error_rate),
    _share,
    lambda point: point.counts.error_rate.total,
)
LATENCY = Metric(
    "Latency",
    "p95 as a line, p50 to p99 as the band",
    True,
    lambda point: point.figures.get("p95_s"),
    _latency,
    _latency_said,
    seconds,
    lambda point: 0,
)
METRICS = (FPR, RECALL, ERRORS, LATENCY)


def difference(metric: Metric, before: Point, after: Point) -> str:
    """Say how a figure differs between two points, without a judgement: their runs are not paired."""
    old, new = metric.estimate(before), metric.estimate(after)
    if old is None or new is None:
        return "–"
    change = new[0] - old[0]
    if metric is LATENCY:
        return "±0" if not change else f"{'+' if change > 0 else '−'}{seconds(abs(change))}"
    return "±0 points" if not change else f"{'+' if change > 0 else '−'}{100 * abs(change):.3g} points"


def nice_top(value: float) -> float:
    """Return the end of an axis that holds ``value``: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 5) if value <= step * power * (1 + 1e-9)), 10 * power)
