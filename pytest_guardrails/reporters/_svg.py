"""Drawings of the page, made here: each has a name for those who cannot see it, and its figures stand beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pytest_guardrails._stats import Rate, per_cent
from pytest_guardrails.reporters._markup import shown

_NICE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_PER_DECADE = 6
_LEAST_S = 1e-7
FEWEST_BINS, MOST_BINS = 8, 48

Bin = tuple[float, float, int]  # from, to (seconds) and how many


def reach(rates: Iterable[Rate], *, lowest: bool) -> float:
    """Return the axis that holds what is known of every rate: how far it goes from 0, or from 1 where high is good."""
    ends = [0.0]
    for rate in rates:
        if rate.interval is not None:
            low, high = rate.interval
            ends.append(max(high, rate.upper or 0.0) if lowest else 1 - min(low, rate.lower or 0.0))
    return next(nice for nice in _NICE if max(ends) <= nice + 1e-12)


def interval_bar(rate: Rate, title: str, *, lowest: bool) -> str:
    """Draw a rate that is known: its interval as a bar, the estimate as a dot, the one-sided bound as a line.

    The axis starts at 0 where low is good, ends at 100 % where high is good, and says where its other end is.
    """
    span = reach([rate], lowest=lowest)
    start = 0.0 if lowest else 1 - span
    ends = f'<text x="6" y="36">{per_cent(start)}</text>'
    ends += f'<text x="314" y="36" text-anchor="end">{per_cent(start + span)}</text>'
    marks = _marks(rate, (start, span), width=308, lowest=lowest)
    return _drawing("bar", 320, 40, title, f'<line class="axis" x1="6" x2="314" y1="12" y2="12"/>{marks}{ends}')


def small_bar(rate: Rate, title: str, span: float, *, lowest: bool) -> str:
    """Draw a rate for a table, all of whose rows share one axis; an empty axis where nothing is known."""
    start = 0.0 if lowest else 1 - span
    marks = _marks(rate, (start, span), width=128, lowest=lowest) if rate.interval else ""
    return _drawing("small", 140, 24, title, f'<line class="axis" x1="6" x2="134" y1="12" y2="12"/>{marks}')


def _marks(rate: Rate, axis: tuple[float, float], *, width: int, lowest: bool) -> str:
    start, span = axis
    low, high = rate.interval or (0.0, 1.0)
    bound = (rate.upper if lowest else rate.lower) or 0.0

    def x(share: float) -> float:
        return round(6 + width * (share - start) / span, 1)

    return (
        f'<rect class="interval" x="{x(low)}" y="8" width="{max(1.0, round(x(high) - x(low), 1))}" height="8" rx="2"/>'
        f'<line class="bound" x1="{x(bound)}" x2="{x(bound)}" y1="2" y2="22"/>'
        f'<circle class="dot" cx="{x(rate.value or 0.0)}" cy="12" r="5"/>'
    )


def difference_bar(difference: float, interval: Sequence[float], title: str, span: float) -> str:
    """Draw a change of a rate with its interval around a line at no change; ``span`` is where the axis ends."""

    def x(change: float) -> float:
        return round(70 + 64 * max(-1.0, min(1.0, change / span)), 1)

    low, high = interval
    return _drawing(
        "small",
        140,
        24,
        title,
        '<line class="axis" x1="6" x2="134" y1="12" y2="12"/><line class="bound" x1="70" x2="70" y1="2" y2="22"/>'
        f'<rect class="interval" x="{x(low)}" y="8" width="{max(1.0, round(x(high) - x(low), 1))}" height="8" rx="2"/>'
        f'<circle class="dot" cx="{x(difference)}" cy="12" r="5"/>',
    )


def time_bins(times: Iterable[tuple[float, int]]) -> list[Bin]:
    """Count (seconds, how many) in bins of equal width on a logarithmic scale, without a gap, at most `MOST_BINS`."""
    counts: dict[int, int] = {}
    for seconds, number in times:
        index = math.floor(math.log10(max(seconds, _LEAST_S)) * _PER_DECADE + 1e-9)
        counts[index] = counts.get(index, 0) + number
    if not counts:
        return []
    first = max(min(counts), max(counts) - MOST_BINS + 1)
    below = sum(number for index, number in counts.items() if index < first)
    made = range(first, max(max(counts) + 1, first + FEWEST_BINS))
    numbers = [counts.get(index, 0) + (below if index == first else 0) for index in made]
    return [(_edge(index), _edge(index + 1), number) for index, number in zip(made, numbers, strict=True)]


def _edge(index: int) -> float:
    return float(10 ** (index / _PER_DECADE))


def histogram(bins: Sequence[Bin], title: str) -> str:
    """Draw bins as columns from the first edge to the last, which are written below."""
    most = max(number for _, _, number in bins)
    width = 308 / len(bins)
    columns = "".join(
        f'<rect class="column" x="{6 + place * width:.1f}" y="{_round(70 - 64 * number / most)}" '
        f'width="{max(1.0, width - 1):.1f}" height="{_round(64 * number / most)}"/>'
        for place, (_, _, number) in enumerate(bins)
        if number
    )
    ends = (
        f'<text x="6" y="84">{time_text(bins[0][0])}</text>'
        f'<text x="314" y="84" text-anchor="end">{time_text(bins[-1][1])}</text>'
    )
    return _drawing("histogram", 320, 88, title, f'{columns}<line class="axis" x1="6" x2="314" y1="71" y2="71"/>{ends}')


def _round(value: float) -> float:
    return round(value, 1)


def time_text(seconds: float) -> str:
    """Return seconds in the unit that needs no more than three digits before the point, two of them significant."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 0.995 or unit == "µs":
            value = seconds * factor
            return f"{value:,.0f} {unit}" if value >= 9.95 else f"{value:.1f} {unit}"
    raise AssertionError("the last unit takes everything")


def curve(points: Sequence[Sequence[float]], title: str) -> str:
    """Draw (threshold, false-positive rate, recall) as recall over false-positive rate, both from 0 to 1."""
    line = " ".join(f"{6 + 108 * point[1]:.1f},{114 - 108 * point[2]:.1f}" for point in points)
    frame = '<path class="axis" fill="none" d="M6 6V114H114"/><path class="even" fill="none" d="M6 114L114 6"/>'
    return _drawing("curve", 120, 120, title, f'{frame}<polyline class="line" fill="none" points="{line}"/>')


def _drawing(kind: str, width: int, height: int, title: str, inside: str) -> str:
    name = shown(title, 1_000)
    return f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img"><title>{name}</title>{inside}</svg>'
