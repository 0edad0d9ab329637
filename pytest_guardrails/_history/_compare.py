"""Two versions on what both have judged: flips, rates in pairs, errors; and what the rules say of them."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from pytest_guardrails._history._lines import Entry
from pytest_guardrails._history._order import side_by_side
from pytest_guardrails._history._rules import Firing, could_be_significant, not_compared, rulings
from pytest_guardrails._history._side import Side
from pytest_guardrails._model import (
    SEVERITIES,
    Action,
    CaseStatus,
    Comparison,
    Flip,
    Latency,
    Outcome,
    PopulationChange,
    RateChange,
    Verdict,
)
from pytest_guardrails._stats import holm, mcnemar, paired_difference

MOST_FLIPS = 200
MOST_KEYS = 20
_HIT = {"fpr": Outcome.FALSE_POSITIVE, "recall": Outcome.TRUE_POSITIVE}
_RATE_OF = {"benign": "fpr", "attack": "recall"}
_OUTCOMES = {
    ("attack", True): Outcome.TRUE_POSITIVE,
    ("attack", False): Outcome.FALSE_NEGATIVE,
    ("benign", True): Outcome.FALSE_POSITIVE,
    ("benign", False): Outcome.TRUE_NEGATIVE,
}
_TRUTHS = ("newly wrong", "newly right", "")


@dataclass(slots=True)
class _Only:
    """What one version alone has judged: how many, the first keys, and the critical ones."""

    count: int = 0
    keys: list[str] = field(default_factory=list)
    critical: int = 0
    populations: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        self.count += 1
        self.critical += entry.severity == "critical"
        self.populations[entry.population] += 1
        if len(self.keys) < MOST_KEYS:
            self.keys.append(shown_key(entry))


@dataclass(slots=True)
class _Counts:
    """What is counted of one population and guard."""

    pairs: int = 0
    flips: Counter[str] = field(default_factory=Counter)
    errors_before: int = 0
    errors_after: int = 0
    relabelled: int = 0
    rates: Counter[tuple[str, bool, bool]] = field(default_factory=Counter)


@dataclass(slots=True)
class _Tally:
    """What is counted while two versions are walked through side by side; it grows with neither."""

    counts: dict[tuple[str, str], _Counts] = field(default_factory=dict)
    firing: dict[str, Firing] = field(default_factory=dict)
    flips: list[Flip] = field(default_factory=list)
    critical: list[Flip] = field(default_factory=list)
    new: _Only = field(default_factory=_Only)
    gone: _Only = field(default_factory=_Only)
    relabelled: list[str] = field(default_factory=list)

    def pair(self, before: Entry, after: Entry) -> None:
        """Count one case or sample under both versions."""
        counts = self.counts.setdefault((after.population, after.guard), _Counts())
        counts.pairs += 1
        counts.errors_before += before.errored
        counts.errors_after += after.errored
        self.firing.setdefault(after.guard, Firing()).add(before, after)
        if before.label != after.label:
            counts.relabelled += 1
            if len(self.relabelled) < MOST_KEYS:
                self.relabelled.append(f"{shown_key(after)}: {before.label}, now {after.label}")
        if before.errored or after.errored:
            return
        self._rate(counts, *by_old_label(before, after))
        if (flip := flip_of(before, after)) is not None:
            counts.flips["all"] += 1
            counts.flips.update((flip.truth, flip.verdict) if flip.truth or flip.verdict else ("otherwise",))
            self._keep(flip)

    @staticmethod
    def _rate(counts: _Counts, before: Entry, after: Entry) -> None:
        if Outcome.ERROR in (before.outcome, after.outcome):  # an expected one
            return
        rate = _RATE_OF[after.label]
        counts.rates[rate, before.outcome is _HIT[rate], after.outcome is _HIT[rate]] += 1

    def _keep(self, flip: Flip) -> None:
        self.flips.append(flip)
        if flip.severity == "critical" and (flip.truth == "newly wrong" or flip.new_label):
            self.critical.append(flip)
        if len(self.flips) > 2 * MOST_FLIPS:
            self.flips = heapq.nsmallest(MOST_FLIPS, self.flips, key=_worst_first)

    def alone(self, before: Entry | None, after: Entry | None) -> None:
        """Count what only one version has judged."""
        if before is not None:
            self.gone.add(before)
        if after is not None:
            self.new.add(after)
            self.firing.setdefault(after.guard, Firing()).add(None, after)


def compare(before: Side, after: Side) -> Comparison:
    """Compare two versions on the cases and samples that both have judged, whatever order they come in.

    Raises:
        ConfigError: where a side is read from a file that cannot be meant.
    """
    return compare_pairs(side_by_side(before.in_order(), after.in_order()), before, after)


def compare_pairs(pairs: Iterable[tuple[Entry | None, Entry | None]], before: Side, after: Side) -> Comparison:
    """Compare what two versions did with each case or sample; one that a version has not judged is None there."""
    tally = _Tally()
    for one, other in pairs:
        if one is not None and other is not None:
            tally.pair(one, other)
        else:
            tally.alone(one, other)
    populations = _corrected(_populations(tally, before, after))
    compared = Comparison(
        before=str(before),
        after=str(after),
        pairs=sum(population.pairs for population in populations),
        new=tally.new.count,
        gone=tally.gone.count,
        populations=populations,
        flips=tuple(heapq.nsmallest(MOST_FLIPS, tally.flips, key=_worst_first)),
        new_keys=tuple(tally.new.keys),
        gone_keys=tuple(tally.gone.keys),
        relabelled_keys=tuple(tally.relabelled),
    )
    ruled = rulings(compared, tally.critical, tally.firing, after.guards, tally.gone.critical)
    passed_over = not_compared(compared, tally.gone.populations, before, after)
    return replace(compared, rulings=(*ruled, *passed_over))


def by_old_label(before: Entry, after: Entry) -> tuple[Entry, Entry]:
    """Return a pair as its old label judges it: a loss is a loss, whatever somebody calls the text since.

    Of a pair whose label is another now, what its author expected of each is left out too: it was not the same thing.
    """
    if before.label == after.label:
        return before, after
    return _labelled(before, before.label), _labelled(after, before.label)


def _labelled(entry: Entry, label: str) -> Entry:
    if entry.outcome is Outcome.ERROR:
        return replace(entry, label=label)
    acted = entry.action is not Action.NONE
    return replace(entry, label=label, outcome=_OUTCOMES[label, acted], status=CaseStatus.AS_EXPECTED)


def flip_of(before: Entry, after: Entry) -> Flip | None:
    """Return how two versions differ on one case or sample, None where they do not.

    What was critical before is critical still, whatever severity it has now, and its old label judges it.
    """
    new_label = after.label if after.label != before.label else ""
    before, after = by_old_label(before, after)
    truth = "" if before.wrong is after.wrong else "newly wrong" if after.wrong else "newly right"
    blocked = after.verdict is Verdict.BLOCK
    verdict = "" if before.verdict is after.verdict else "became blocked" if blocked else "became allowed"
    if not truth and not verdict and before.action is after.action:
        return None
    return Flip(
        population=after.population,
        key=after.key if after.copy == 1 else f"{after.key} (copy {after.copy})",
        label=after.label,
        severity="critical" if before.severity == "critical" else after.severity,
        truth=truth,
        verdict=verdict,
        before=_said(before),
        after=_said(after),
        where=after.where,
        new_label=new_label,
    )


def shown_key(entry: Entry) -> str:
    """Return what names an entry to a reader."""
    if entry.severity is not None:
        return entry.key
    return f"{entry.population}: {entry.key}{f' ({entry.where})' if entry.where else ''}"


def _said(entry: Entry) -> str:
    action = "" if entry.action in (Action.NONE, Action.DENY) else f" ({entry.action.value})"
    return f"{entry.verdict.value}{action}{f' by {entry.by}' if entry.by else ''}"


def _worst_first(flip: Flip) -> tuple[int, int, bool, str, str]:
    severity = SEVERITIES.index(flip.severity) if flip.severity else len(SEVERITIES)
    return _TRUTHS.index(flip.truth), severity, flip.label != "attack", flip.population, flip.key


def _populations(tally: _Tally, before: Side, after: Side) -> Iterator[PopulationChange]:
    for (population, guard), counts in sorted(tally.counts.items(), key=lambda item: (item[0][0] != "cases", item[0])):
        flips = counts.flips
        yield PopulationChange(
            population=population,
            guard=guard,
            pairs=counts.pairs,
            flips=flips["all"],
            newly_wrong=flips["newly wrong"],
            newly_right=flips["newly right"],
            became_blocked=flips["became blocked"],
            became_allowed=flips["became allowed"],
            otherwise=flips["otherwise"],
            errors_before=counts.errors_before,
            errors_after=counts.errors_after,
            relabelled=counts.relabelled,
            rates=tuple(_change(rate, counts.rates) for rate in _HIT),
            latency_before=_latency_before(population, guard, before, after),
            latency_after=after.latency.get((population, guard)),
        )


def _corrected(populations: Iterable[PopulationChange]) -> tuple[PopulationChange, ...]:
    """Return populations with the p of all their rates corrected by Holm.

    A rate with fewer than `LEAST_DISCORDANT` discordant pairs could not be significant alone; it asks nothing of chance
    and is none of those that are corrected for.
    """
    found = list(populations)
    tested = [change for population in found for change in population.rates if could_be_significant(change)]
    known = dict(zip(map(id, tested), holm([change.p or 0.0 for change in tested]), strict=True))
    return tuple(
        replace(
            population,
            rates=tuple(replace(change, p_holm=known.get(id(change), change.p)) for change in population.rates),
        )
        for population in found
    )


def _change(rate: str, counts: Counter[tuple[str, bool, bool]]) -> RateChange:
    """Return how a rate changed on its pairs, counted by (rate, hit before, hit after)."""
    only_before, only_after, both = counts[rate, True, False], counts[rate, False, True], counts[rate, True, True]
    pairs = only_before + only_after + both + counts[rate, False, False]
    worse, better = (only_after, only_before) if rate == "fpr" else (only_before, only_after)
    difference = paired_difference(only_before, only_after, pairs)
    return RateChange(
        rate=rate,
        pairs=pairs,
        before=both + only_before,
        after=both + only_after,
        worse=worse,
        better=better,
        difference=difference.value if difference else None,
        interval=(difference.low, difference.high) if difference else None,
        p=mcnemar(only_before, only_after) if pairs else None,
    )


def _latency_before(population: str, guard: str, before: Side, after: Side) -> Latency | None:
    """Return the old latency; a guard of another name is the same one where each side has only one."""
    known = before.latency.get((population, guard))
    if known is None and len(before.guards) == len(after.guards) == 1:
        known = before.latency.get((population, next(iter(before.guards))))
    return known
