"""Inline SVG: a figure over the runs of a guard, with its band, the changes of version and the dates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_guardrails.dashboard._figures import LATENCY, Estimate, Metric, nice_top
from pytest_guardrails.dashboard._series import SOUND, GuardHistory, Point, Series, short
from pytest_guardrails.reporters._markup import shown

MOST_DRAWN = 160
MOST_SMALL = 60
WIDTH, HEIGHT = 480, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 24, 22
_NAME_GAP, _LINE_GAP, _MOST_DATES = 52, 3, 4
_MOST_LETTERS = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """A point as it is drawn."""

    point: Point
    estimate: Estimate

    @property
    def sound(self) -> bool:
        """False where the run was cut short or gave no answers: what it says stands apart."""
        return self.point.past.status in SOUND


def thinned(metric: Metric, points: Sequence[Point], most: int) -> list[Mark]:
    """Return at most ``most`` marks: of neighbours the worst one, so that no bad run is lost in the picture."""
    known = [
        (value if metric.low_is_good else -value, point)
        for point in points
        if (value := metric.value(point)) is not None
    ]
    size = max(1, math.ceil(len(known) / most))
    worst = [max(known[i : i + size], key=lambda pair: pair[0])[1] for i in range(0, len(known), size)]
    return [Mark(point, found) for point in worst if (found := metric.estimate(point)) is not None]


@dataclass(frozen=True, slots=True)
class Scale:
    """Places of runs and values in the picture."""

    runs: int
    low: float
    high: float

    def x(self, index: float) -> float:
        """Return where a run stands."""
        share = 0.5 if self.runs < 2 else index / (self.runs - 1)
        return round(LEFT + 4 + share * (WIDTH - LEFT - RIGHT - 8), 1)

    def y(self, value: float) -> float:
        """Return where a value stands."""
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _scale(metric: Metric, marks: Sequence[Mark], runs: int) -> Scale:
    if metric is LATENCY:
        return Scale(runs, 0.0, nice_top(max(mark.estimate[2] for mark in marks)))
    if metric.low_is_good:
        return Scale(runs, 0.0, min(1.0, nice_top(max(mark.estimate[2] for mark in marks))))
    return Scale(runs, 1 - min(1.0, nice_top(1 - min(mark.estimate[1] for mark in marks))), 1.0)


def chart(metric: Metric, series: Series, guard: GuardHistory) -> str:
    """Draw a figure of a series with its axis, or say that nothing is known of it."""
    marks = thinned(metric, series.points, MOST_DRAWN)
    if not marks:
        return '<p class="none">Unknown: nothing of the kind was judged.</p>'
    scale = _scale(metric, marks, len(guard.pasts))
    parts = [*_changes(guard, scale), *_axis(metric, scale), *_dates(guard, scale), *_lines(marks, scale)]
    parts += [_dot(metric, mark, scale) for mark in marks]
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{_title(metric, series)}{"".join(parts)}</svg>'
    )


def small(metric: Metric, series: Series, guard: GuardHistory) -> str:
    """Draw a figure of a series as a line alone, with its band."""
    marks = thinned(metric, series.points, MOST_SMALL)
    if not marks:
        return ""
    scale = _scale(metric, marks, len(guard.pasts))
    lines = "".join(_lines(marks, scale))
    last = marks[-1]
    dot = f'<circle class="dot" r="7" cx="{scale.x(last.point.index)}" cy="{scale.y(last.estimate[0])}"/>'
    box = f"{LEFT - 6} {TOP - 8} {WIDTH - LEFT - RIGHT + 12} {HEIGHT - TOP - BOTTOM + 16}"
    return f'<svg class="small" viewBox="{box}" role="img">{_title(metric, series)}{lines}{dot}</svg>'


def _title(metric: Metric, series: Series) -> str:
    """Return the picture in words; the newest run is named also where a worse neighbour is drawn."""
    said = f"{metric.name} over {len(series.points):,} runs; newest {metric.said(series.points[-1])}"
    return f"<title>{shown(said)}</title>"


def _axis(metric: Metric, scale: Scale) -> Iterator[str]:
    for value in (scale.low, (scale.low + scale.high) / 2, scale.high):
        y = scale.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 5}" y="{y + 3.5}" text-anchor="end">{shown(metric.axis(value))}</text>'


def _dates(guard: GuardHistory, scale: Scale) -> Iterator[str]:
    runs = len(guard.pasts)
    places = sorted({round(i * (runs - 1) / (_MOST_DATES - 1)) for i in range(_MOST_DATES)})
    last = None
    for index in places:
        date = guard.pasts[index].when.date().isoformat()
        if date == last:
            continue
        last = date
        x = scale.x(index)
        anchor = "start" if x < LEFT + 30 else "end" if x > WIDTH - RIGHT - 30 else "middle"
        yield f'<text x="{x}" y="{HEIGHT - 7}" text-anchor="{anchor}">{date}</text>'


def _changes(guard: GuardHistory, scale: Scale) -> Iterator[str]:
    """Draw where another version begins, the newest ones with their names."""
    named, drawn = float(WIDTH), float(WIDTH + _LINE_GAP)
    for index in reversed((0, *guard.changes)):
        x = scale.x(index - 0.5) if index else float(LEFT)
        if drawn - x < _LINE_GAP:
            continue
        drawn = x
        if index:
            yield f'<line class="change" x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{HEIGHT - BOTTOM}"/>'
        anchor = "end" if x > WIDTH - _NAME_GAP else "start"
        left = x - _NAME_GAP if anchor == "end" else x
        if left + _NAME_GAP <= named:
            named = left
            whole = short(guard.pasts[index].version)
            name = whole if len(whole) <= _MOST_LETTERS else f"{whole[: _MOST_LETTERS - 1]}…"
            yield f'<text class="version" x="{x + (2 if anchor == "start" else 0)}" y="12" text-anchor="{anchor}">'
            yield f"{shown(name)}</text>"


def _lines(marks: Sequence[Mark], scale: Scale) -> Iterator[str]:
    """Draw bands and lines; across another suite the line is dashed, since it speaks of other cases."""
    solid = [mark for mark in marks if mark.sound]
    part: list[Mark] = []
    for mark in [*solid, None]:
        if part and (mark is None or mark.point.past.suite != part[-1].point.past.suite):
            yield _band(part, scale)
            yield _path("line", part, scale)
            if mark is not None:
                yield _path("line other", [part[-1], mark], scale)
            part = []
        if mark is not None:
            part.append(mark)


def _band(part: Sequence[Mark], scale: Scale) -> str:
    if len(part) == 1:
        x, (_, low, high) = scale.x(part[0].point.index), part[0].estimate
        return f'<path class="whisker" d="M{x} {scale.y(low)}V{scale.y(high)}"/>'
    upper = [f"{scale.x(mark.point.index)} {scale.y(mark.estimate[2])}" for mark in part]
    lower = [f"{scale.x(mark.point.index)} {scale.y(mark.estimate[1])}" for mark in reversed(part)]
    return f'<path class="band" d="M{"L".join([*upper, *lower])}Z"/>'


def _path(name: str, part: Sequence[Mark], scale: Scale) -> str:
    if len(part) == 1:
        return ""
    places = "L".join(f"{scale.x(mark.point.index)} {scale.y(mark.estimate[0])}" for mark in part)
    return f'<path class="{name}" d="M{places}"/>'


def _dot(metric: Metric, mark: Mark, scale: Scale) -> str:
    past = mark.point.past
    kind = "dot" if mark.sound else "dot apart"
    said = f"{metric.said(mark.point)}\n{past.version}, {past.when:%Y-%m-%d %H:%M}, {past.status}"
    title = "\n".join(shown(line, 200) for line in said.split("\n"))
    x, y = scale.x(mark.point.index), scale.y(mark.estimate[0])
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="2.6"><title>{title}</title></circle>'
