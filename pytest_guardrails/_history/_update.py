"""Writing a run into its baseline: what ran replaces its old lines, what did not run stays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_guardrails._history._baseline import Head, read_entries, read_head, write
from pytest_guardrails._history._lines import CASES, Entry, entries, measured
from pytest_guardrails._history._order import in_order, numbered, side_by_side
from pytest_guardrails._history._side import Latencies, guards_of, joined, latency_of
from pytest_guardrails._model import Latency, Run

NOISE = 2.0
_SECONDS = ("p50_s", "p95_s", "vendor_p50_s", "vendor_p95_s")


@dataclass(slots=True)
class Update:
    """How many lines of a baseline an update left as they are, added, changed and removed, and how many did not run.

    ``kept_guards`` and ``kept_populations`` are those of the lines that did not run.
    """

    same: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    not_run: int = 0
    kept_guards: set[str] = field(default_factory=set)
    kept_populations: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        said = [f"{self.same:,} unchanged"] if self.same else []
        said += [f"{number:,} {name}" for name, number in self._changes() if number]
        said += [f"{self.not_run:,} kept, which did not run"] if self.not_run else []
        return ", ".join(said) or "no line"

    def _changes(self) -> tuple[tuple[str, int], ...]:
        return ("added", self.added), ("changed", self.changed), ("removed", self.removed)


def update(path: Path, shown: str, run: Run, gone: Callable[[str], bool]) -> Update:
    """Write what a run judged into the baseline at ``path``, which need not be there yet.

    ``gone`` says of a case file whether each of its cases would have run: then an old line of it that has no new one
    is removed. Samples of a corpus that ran are replaced as a whole.

    Raises:
        ConfigError: where the old baseline cannot be read.
        OSError: where the new one cannot be written.
    """
    old_head = read_head(path, shown) if path.exists() else Head()
    old = read_entries(path, shown) if path.exists() else iter(())
    corpora = [corpus for corpus in run.corpora if measured(corpus)]
    ran = {corpus.name: corpus.nodeid.partition("::")[0] for corpus in corpora if corpus.ledger is not None}
    idle_corpora = {corpus.name for corpus in corpora} - set(ran)
    idle = {record.key or record.nodeid for record in run.records if record.outcome is None}
    done = Update()

    def removed(entry: Entry) -> bool:
        if entry.population == CASES:
            return entry.key not in idle and gone(entry.key.partition("::")[0])
        if entry.population in idle_corpora:
            return False
        return entry.population in ran or gone(old_head.corpora.get(entry.population, ""))

    def head() -> Head:
        kept = {name: guard for name, guard in old_head.guards.items() if name in done.kept_guards}
        new = {name: joined(kept.get(name), guard) for name, guard in guards_of(run.guards).items()}
        times = _times(old_head.latency, latency_of(run), done.kept_populations)
        return Head({**kept, **new}, {**old_head.corpora, **ran}, times)

    write(path, head, _merged(old, numbered(in_order(entries(run))), removed, done))
    return done


def _times(old: Latencies, new: Latencies, parts: Collection[str]) -> dict[tuple[str, str], Latency]:
    """Return the times to keep: the old ones where the new are about the same, or of a small part of a population.

    Times are noise: so a head does not change with each update, and what grows little by little is still compared with
    what it was. ``parts`` are populations of which something did not run.
    """
    kept = dict(old)
    for place, latency in new.items():
        known = old.get(place)
        small = known is not None and place[0] in parts and latency.count < known.count / 2
        if known is None or not (small or _is_about(known, latency)):
            kept[place] = _rounded(latency)
    return kept


def _is_about(one: Latency, other: Latency) -> bool:
    """True for times of as many requests, none of them more than `NOISE` times another."""
    if (one.count, one.vendor_count) != (other.count, other.vendor_count):
        return False
    pairs = ((getattr(one, name) or 0.0, getattr(other, name) or 0.0) for name in _SECONDS)
    return all(max(pair) <= NOISE * min(pair) for pair in pairs)


def _rounded(latency: Latency) -> Latency:
    """Return times of two significant digits."""
    times = {name: getattr(latency, name) for name in _SECONDS}
    rounded: dict[str, Any] = {name: float(f"{time:.2g}") for name, time in times.items() if time is not None}
    return replace(latency, **rounded)


def _merged(
    old: Iterator[Entry], new: Iterator[Entry], removed: Callable[[Entry], bool], done: Update
) -> Iterator[Entry]:
    for before, after in side_by_side(old, new):
        if after is not None:
            done.added += before is None
            done.same += before == after
            done.changed += before is not None and before != after
            yield after
        elif before is not None:
            if removed(before):
                done.removed += 1
            else:
                done.not_run += 1
                done.kept_guards.add(before.guard)
                done.kept_populations.add(before.population)
                yield before
