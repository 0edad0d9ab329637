"""Which entries of allowlists a run used: one that took nothing away is unused, one that let attacks by too broad."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_guardrails._model import Outcome, Run, Trace


@dataclass(frozen=True, slots=True)
class EntryUse:
    """What one entry did in a run; ``place`` is ``phase/guardrail/check``, ``index`` counts from 0.

    ``entry`` is its text, masked unless the run reveals. ``findings`` is how many it took away, and ``missed`` names
    the attacks that passed where it did.
    """

    guard: str
    place: str
    index: int
    entry: str
    findings: int = 0
    missed: tuple[str, ...] = ()

    @property
    def unused(self) -> bool:
        """True if it took nothing away."""
        return self.findings == 0

    @property
    def over_broad(self) -> bool:
        """True if an attack passed where it took something away."""
        return bool(self.missed)


def entry_use(run: Run) -> tuple[EntryUse, ...]:
    """Return what each entry of each guard did, over cases and corpora, in the order of the configuration."""
    taken: Counter[tuple[str, str, int]] = Counter()
    missed: dict[tuple[str, str, int], list[str]] = {}
    for record in run.records:
        for place, index, findings in _taken(record.trace) if record.trace is not None else ():
            key = (record.guard, place, index)
            taken[key] += findings
            if record.outcome is Outcome.FALSE_NEGATIVE:
                missed.setdefault(key, []).append(record.nodeid)
    for corpus in run.corpora:
        for place, counts in corpus.allowed.items():
            where, _, number = place.rpartition("/")
            key = (corpus.guard, where, int(number))
            taken[key] += counts[0]
            if counts[1]:
                missed.setdefault(key, []).append(f"{corpus.name} ({counts[1]} samples)")
    return tuple(
        EntryUse(
            guard.key, place, index, entry, taken[guard.key, place, index],
            tuple(missed.get((guard.key, place, index), ())),
        )
        for guard in run.guards
        for place, entries in guard.allowlists.items()
        for index, entry in enumerate(entries)
    )  # fmt: skip


def _taken(trace: Trace) -> Iterator[tuple[str, int, int]]:
    """Yield place, entry and number of findings taken away."""
    for result in trace.results:
        for check in result.checks:
            for index, findings in check.allowed:
                yield f"{result.phase.value}/{result.guardrail}/{check.check}", index, findings


def entry_sentences(run: Run) -> Iterator[str]:
    """Say of each entry that is unused or over-broad what it is; of a run that was cut short, only the latter."""
    for use in entry_use(run):
        phase, _, check = use.place.partition("/")
        where = f"entry {use.index + 1} of {check} ({phase.partition('_')[0]}), {use.entry}"
        if use.over_broad:
            shown = ", ".join(use.missed[:3]) + (" …" if len(use.missed) > 3 else "")
            yield f"over-broad: {where}, let attacks by: {shown}"
        elif use.unused and run.complete:
            yield f"unused: {where}"
