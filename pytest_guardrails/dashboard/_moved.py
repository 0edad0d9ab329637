"""What moved where another version began: the rates of each population, and whether chance explains it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_guardrails._history import Past
from pytest_guardrails._model import RateChange
from pytest_guardrails._stats import Rate, mcnemar
from pytest_guardrails.dashboard._figures import ERRORS, FPR, RECALL, Metric, counts_said, difference
from pytest_guardrails.dashboard._page import figure, name
from pytest_guardrails.dashboard._reports import Change
from pytest_guardrails.dashboard._series import SOUND, GuardHistory, Point, around

LEVEL = 0.05
MOST_TOTAL = 10_000_000  # of more, which nobody has judged, a p takes too long
_RATES = {FPR.name: "fpr", RECALL.name: "recall"}


@dataclass(frozen=True, slots=True)
class Move:
    """One rate of a population that differs between two versions; ``tested`` is the number of rates that could."""

    population: str
    metric: Metric
    before: Point
    after: Point
    tested: int

    @property
    def points(self) -> float:
        """After minus before, -1 to 1."""
        return (self.metric.value(self.after) or 0.0) - (self.metric.value(self.before) or 0.0)

    @property
    def worse(self) -> bool:
        """True if it moved the wrong way."""
        return (self.points > 0) is self.metric.low_is_good


@dataclass(frozen=True, slots=True)
class Moved:
    """A change of version: the last sound run before it, the first one after it, and the rates that differ.

    ``moves`` has what became worse first, then what became better, the largest first. ``both`` names the populations
    that both runs measured, ``apart`` those that one of them did.
    """

    before: Past
    after: Past
    moves: tuple[Move, ...]
    both: tuple[str, ...]
    apart: tuple[str, ...]

    @property
    def same_suite(self) -> bool:
        """True if both runs judged the same keys with the same labels."""
        return self.before.suite == self.after.suite


def moved(guard: GuardHistory, index: int) -> Moved:
    """Return what moved at the change of version that begins with run ``index``."""
    earlier, later = around(guard, index)
    first = next((i for i in earlier if guard.pasts[i].status in SOUND), index - 1)
    second = next((i for i in later if guard.pasts[i].status in SOUND), index)
    pairs: list[tuple[str, Point, Point]] = []
    apart: list[str] = []
    for series in guard.populations:
        before, after = series.at(first), series.at(second)
        if before is not None and after is not None:
            pairs.append((series.population, before, after))
        elif before is not after:
            apart.append(series.population)
    moves = sorted(_moves(pairs), key=lambda move: (not move.worse, -abs(move.points), move.population))
    both = tuple(population for population, _, _ in pairs)
    return Moved(guard.pasts[first], guard.pasts[second], tuple(moves), both, tuple(apart))


def _moves(pairs: list[tuple[str, Point, Point]]) -> Iterator[Move]:
    found = []
    tested = 0
    for population, before, after in pairs:
        for metric in (FPR, RECALL, ERRORS):
            old, new = metric.value(before), metric.value(after)
            if old is None or new is None:
                continue
            tested += metric is not ERRORS
            if old != new:
                found.append((population, metric, before, after))
    for one in found:
        yield Move(*one, tested)


def move_html(move: Move, change: Change | None) -> str:
    """Say a move as markup: population, rate, by how many points, worse or better, significant or not."""
    told = ", ".join(
        [
            " → ".join(counts_said(_rate(move.metric, point)) for point in (move.before, move.after)),
            difference(move.metric, move.before, move.after),
        ]
    )
    kind = "worse" if move.worse else "better"
    title = {FPR.name: "FPR"}.get(move.metric.name, move.metric.name.lower())
    said = significance(move, change)
    end = f"; {figure(said)}" if said else ""
    return f'{name(move.population)}: {title} {figure(told)}, <span class="{kind}">{kind}</span>{end}'


def significance(move: Move, change: Change | None) -> str:
    """Say whether chance explains a move: by its pairs where reports have them, else as far as the totals tell."""
    if move.metric is ERRORS:
        return ""
    paired = _paired(move, change)
    if paired is not None and paired.p_holm is not None:
        verdict = "significant" if paired.p_holm < LEVEL else "not significant"
        return f"{verdict} (McNemar in pairs, p = {paired.p_holm:.2g} after Holm)"
    if move.before.past.suite != move.after.past.suite:
        return "not comparable: the suite changed"
    old, new = (_rate(move.metric, point) for point in (move.before, move.after))
    if not old.total == new.total <= MOST_TOTAL or move.before.counts.error or move.after.counts.error:
        return "significance unknown without pairs"
    low, high = bounds(old, new)
    high = min(1.0, high * move.tested)
    if high < LEVEL:
        return f"significant (McNemar p ≤ {high:.2g})"
    return f"not significant (McNemar p ≥ {low:.2g})" if low >= LEVEL else "significance unknown without pairs"


def bounds(before: Rate, after: Rate) -> tuple[float, float]:
    """Return the least and the largest p that McNemar's test can give of two rates on the same inputs.

    Totals do not tell how many pairs changed, but at least as many as the totals differ by, all one way; and at most as
    many as there are hits, or misses, to be at different places. Between the two p only grows.
    """
    least = abs(after.hits - before.hits)
    hits = before.hits + after.hits
    most = min(hits, 2 * before.total - hits)
    return mcnemar(0, least), mcnemar((most - least) // 2, (most + least) // 2)


def _rate(metric: Metric, point: Point) -> Rate:
    counts = point.counts
    return counts.fpr if metric is FPR else counts.recall if metric is RECALL else counts.error_rate


def _paired(move: Move, change: Change | None) -> RateChange | None:
    if change is None or not change.of_versions:
        return None
    found = (one for one in change.comparison.populations if one.population == move.population)
    rates = (rate for one in found for rate in one.rates if rate.rate == _RATES[move.metric.name] and rate.pairs)
    return next(rates, None)
