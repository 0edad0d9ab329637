"""Lines of a history as what is drawn: guards, their runs in order, a series per population and guardrail."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_guardrails._history import Past
from pytest_guardrails._stats import Confusion

CASES = "cases"
SOUND = ("passed", "failed")  # the states of a run whose figures can be relied on
COUNTS = ("true_positive", "false_positive", "true_negative", "false_negative", "error")
TIMES = ("p50_s", "p95_s", "p99_s")
_LETTERS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Point:
    """One run in a series: its place among the runs of its guard, and the figures that its line of the history has."""

    index: int
    past: Past
    figures: Mapping[str, Any]

    @property
    def counts(self) -> Confusion:
        """What it counted."""
        return Confusion(*[self.figures.get(key, 0) for key in COUNTS])

    @property
    def times(self) -> tuple[float | None, ...]:
        """The p50, p95 and p99, in seconds."""
        return tuple(map(self.figures.get, TIMES))


@dataclass(frozen=True, slots=True)
class Series:
    """A population over the runs of a guard, as a whole or (``guardrail``) what reached one guardrail."""

    population: str
    guardrail: str
    points: tuple[Point, ...]

    def at(self, index: int) -> Point | None:
        """Return the point of a run, None where that run did not measure it."""
        place = bisect_left(self.points, index, key=_index)
        return self.points[place] if place < len(self.points) and self.points[place].index == index else None


@dataclass(frozen=True, slots=True)
class GuardHistory:
    """One guard over time: its runs, the places where another version or another suite begins, its populations.

    ``guardrails`` has the series of each population's guardrails.
    """

    name: str
    pasts: tuple[Past, ...]
    changes: tuple[int, ...]
    populations: tuple[Series, ...]
    guardrails: Mapping[str, tuple[Series, ...]]

    @property
    def newest(self) -> Past:
        """The last run."""
        return self.pasts[-1]

    @property
    def slug(self) -> str:
        """A name for its files."""
        return slug(self.name)


@dataclass(frozen=True, slots=True)
class VersionPoint:
    """A version in a series: the newest run that can be relied on, else the newest; and of how many."""

    version: str
    point: Point
    runs: int


def _index(point: Point) -> int:
    return point.index


def around(guard: GuardHistory, index: int) -> tuple[range, range]:
    """Return the runs of the version before a change, newest first, and those of the version after it, oldest first."""
    place = bisect_left(guard.changes, index)
    start = guard.changes[place - 1] if place else 0
    after = bisect_right(guard.changes, index)
    end = guard.changes[after] if after < len(guard.changes) else len(guard.pasts)
    return range(index - 1, start - 1, -1), range(index, end)


def by_version(series: Series) -> list[VersionPoint]:
    """Return the versions of a series, the one that ran last at the end; runs of one version are not pooled."""
    found: dict[str, list[Point]] = {}
    for point in series.points:
        found.setdefault(point.past.version, []).append(point)
    made = []
    for version, points in sorted(found.items(), key=lambda item: item[1][-1].index):
        sound = next((point for point in reversed(points) if point.past.status in SOUND), None)
        made.append(VersionPoint(version, sound or points[-1], len(points)))
    return made


def histories(pasts: Iterable[Past]) -> list[GuardHistory]:
    """Return the guards of a history, the one that ran last first; lines may come in any order."""
    by_guard: dict[str, list[Past]] = {}
    for past in pasts:
        by_guard.setdefault(past.guard, []).append(past)
    found = [_history(name, sorted(lines, key=lambda past: past.when)) for name, lines in by_guard.items()]
    return sorted(found, key=lambda guard: guard.newest.when, reverse=True)


def _history(name: str, pasts: list[Past]) -> GuardHistory:
    changes = tuple(i for i in range(1, len(pasts)) if pasts[i].version != pasts[i - 1].version)
    whole: dict[tuple[str, str], list[Point]] = defaultdict(list)
    single: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for index, past in enumerate(pasts):
        for population, counts in past.populations.items():
            whole[population, ""].append(Point(index, past, counts))
        for population, guardrails in past.guardrails.items():
            for guardrail, counts in guardrails.items():
                single[population, guardrail].append(Point(index, past, counts))
    populations = sorted(_series(whole), key=lambda series: (series.population != CASES, series.population))
    by_population: dict[str, list[Series]] = {}
    for series in _series(single):
        by_population.setdefault(series.population, []).append(series)
    parts = {population: tuple(found) for population, found in by_population.items()}
    return GuardHistory(name, tuple(pasts), changes, tuple(populations), parts)


def _series(points: Mapping[tuple[str, str], list[Point]]) -> Iterator[Series]:
    for (population, guardrail), found in points.items():
        yield Series(population, guardrail, tuple(found))


def slug(name: str) -> str:
    """Return a name that every file system and URL takes, and that no other name shares."""
    readable = _LETTERS.sub("-", name.lower()[:60]).strip("-")[:40]
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{readable or 'x'}-{digest}"


def short(version: str) -> str:
    """Return what people call a version: what it declares, else its hash."""
    declared, _, rest = version.partition(" (")
    return rest.rstrip(")")[:10] if declared == "undeclared" and rest else declared
