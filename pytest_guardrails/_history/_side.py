"""One side of a comparison: what some version of the guards judged, wherever it was kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from pytest_guardrails._history._lines import CASES, Entry, entries, measured, shadow_cases, shadow_corpora
from pytest_guardrails._history._order import in_order, numbered, side_by_side
from pytest_guardrails._model import CorpusRecord, Guard, Latency, Run
from pytest_guardrails._stats import Histogram, percentile

Latencies = Mapping[tuple[str, str], Latency]


@dataclass(frozen=True, slots=True)
class GuardLine:
    """A guard in a file: its versions (several where a run had several of that name), the ids of its guardrails."""

    versions: tuple[str, ...] = ()
    guardrails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """Entries of a version, the guards that judged them, and what is known of their latency.

    ``entries`` come in any order, unless they are ``sorted``. ``latency`` is by population and guard. ``doubt`` says
    why it is only a part, if it is; ``is_counted`` that it counts its corpora and lists none of their samples, of which
    there are ``unlisted``.
    """

    name: str
    guards: Mapping[str, GuardLine]
    entries: Iterable[Entry]
    latency: Latencies = field(default_factory=dict)
    doubt: str | None = None
    sorted: bool = False
    is_counted: bool = False
    unlisted: int = 0

    def in_order(self) -> Iterable[Entry]:
        """Return the entries, sorted."""
        return self.entries if self.sorted else in_order(self.entries)

    def __str__(self) -> str:
        versions = [f"{name} {', '.join(guard.versions)}" for name, guard in sorted(self.guards.items())]
        named = f"{self.name}: {'; '.join(versions)}" if versions else self.name
        return f"{named} ({self.doubt})" if self.doubt else named


def guards_of(guards: Iterable[Guard]) -> dict[str, GuardLine]:
    """Return the guards of a run by the names of their configurations."""
    found: dict[str, GuardLine] = {}
    for guard in guards:
        ids = tuple(guardrail[0] for guardrail in guard.guardrails)
        found[guard.config] = joined(found.get(guard.config), GuardLine((str(guard.version),), ids))
    return found


def joined(one: GuardLine | None, other: GuardLine) -> GuardLine:
    """Return two guards of one name as one."""
    if one is None:
        return other
    return GuardLine(
        tuple(sorted({*one.versions, *other.versions})), tuple(dict.fromkeys((*one.guardrails, *other.guardrails)))
    )


def side_of(run: Run, name: str) -> Side:
    """Return a run as a side."""
    doubt = None if run.complete else "cut short"
    return Side(name, guards_of(run.guards), numbered(in_order(entries(run))), latency_of(run), doubt, sorted=True)


class _Timed(Protocol):
    """What took its time: a trace, or what a candidate did."""

    @property
    def duration_s(self) -> float:
        """Seconds in the guard."""

    @property
    def vendor_s(self) -> float | None:
        """Seconds at a vendor, as its recordings say."""


def latency_of(run: Run) -> dict[tuple[str, str], Latency]:
    """Return how long each guard took for its cases and for each corpus."""
    cases = ((record.guard, record.trace) for record in run.records if not record.generated)
    return _latencies(run, cases, ((corpus.guard, corpus) for corpus in run.corpora if measured(corpus)))


def shadow_latency(run: Run) -> tuple[Latencies, Latencies]:
    """Return how long the current guards and their candidates took for what both judged, each by the current guard."""
    both = [record for record in run.records if record.trace is not None and not record.generated]
    both = [record for record in both if record.shadow is not None and record.shadow.verdict is not None]
    candidates = {corpus.nodeid: corpus for corpus in run.corpora if corpus.shadow}
    corpora = [corpus for corpus in run.corpora if measured(corpus) and corpus.nodeid in candidates]
    current = _latencies(
        run, ((record.guard, record.trace) for record in both), ((corpus.guard, corpus) for corpus in corpora)
    )
    beside = ((corpus.guard, candidates[corpus.nodeid]) for corpus in corpora)
    return current, _latencies(run, ((record.guard, record.shadow) for record in both), beside)


def _latencies(
    run: Run, cases: Iterable[tuple[str, _Timed | None]], corpora: Iterable[tuple[str, CorpusRecord]]
) -> dict[tuple[str, str], Latency]:
    names = {guard.key: guard.config for guard in run.guards}
    times: dict[str, list[_Timed]] = {}
    for guard, timed in cases:
        if timed is not None:
            times.setdefault(names.get(guard, guard), []).append(timed)
    known = {(CASES, guard): _of_cases(found) for guard, found in times.items()}
    known |= {(corpus.name, names.get(guard, guard)): _of_corpus(corpus) for guard, corpus in corpora}
    return {place: latency for place, latency in known.items() if latency is not None}


def _of_cases(timed: Iterable[_Timed]) -> Latency | None:
    own: list[float] = []
    vendor: list[float] = []
    for one in timed:
        own.append(one.duration_s)
        vendor += [] if one.vendor_s is None else [one.vendor_s]
    return _latency(len(own), partial(percentile, own), len(vendor), partial(percentile, vendor))


def _of_corpus(corpus: CorpusRecord) -> Latency | None:
    own, vendor = Histogram.of(corpus.latency), Histogram.of(corpus.vendor_latency)
    return _latency(own.total, own.percentile, vendor.total, vendor.percentile)


_Shares = Callable[[float], float | None]


def _latency(count: int, own: _Shares, vendor_count: int, vendor: _Shares) -> Latency | None:
    p50, p95 = own(0.50), own(0.95)
    if p50 is None or p95 is None:
        return None
    return Latency(count, p50, p95, vendor_count, vendor(0.50), vendor(0.95))


def shadow_pairs(run: Run) -> Iterator[tuple[Entry | None, Entry | None]]:
    """Yield what the current version and its candidate did with each case and sample that both were given."""
    yield from shadow_cases(run)
    for current, candidate in shadow_corpora(run):
        yield from side_by_side(numbered(in_order(current)), numbered(in_order(candidate)))


def twice(run: Run) -> str | None:
    """Return the name of a corpus that two populations of a run share: nobody could tell their samples apart."""
    names = [corpus.name for corpus in run.corpora if measured(corpus)] + [CASES]
    return next((name for name in names if names.count(name) > 1), None)
