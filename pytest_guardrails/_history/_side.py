"""One side of a comparison: what some version of the guards judged, wherever it was kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_guardrails._history._lines import CASES, Entry, entries, measured, shadow_cases, shadow_corpora
from pytest_guardrails._history._order import in_order, numbered, side_by_side
from pytest_guardrails._model import Guard, Run
from pytest_guardrails._stats import Histogram, percentile


@dataclass(frozen=True, slots=True)
class GuardLine:
    """A guard in a file: its versions (several where a run had several of that name), the ids of its guardrails."""

    versions: tuple[str, ...] = ()
    guardrails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """Entries of a version, the guards that judged them, and what is known of their latency.

    ``entries`` come in any order, unless they are ``sorted``. ``latency`` maps population and guard to p50 and p95 in
    seconds. ``doubt`` says why it is only a part, if it is.
    """

    name: str
    guards: Mapping[str, GuardLine]
    entries: Iterable[Entry]
    latency: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    doubt: str | None = None
    sorted: bool = False

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


def latency_of(run: Run) -> dict[tuple[str, str], tuple[float, float]]:
    """Return p50 and p95 in seconds for each guard's cases and each corpus."""
    names = {guard.key: guard.config for guard in run.guards}
    times: dict[str, list[float]] = {}
    for record in run.records:
        if record.trace is not None and not record.generated:
            times.setdefault(names.get(record.guard, record.guard), []).append(record.trace.duration_s)
    known = {(CASES, guard): (percentile(found, 0.50), percentile(found, 0.95)) for guard, found in times.items()}
    for corpus in run.corpora:
        if measured(corpus):
            counted = Histogram.of(corpus.latency)
            place = corpus.name, names.get(corpus.guard, corpus.guard)
            known[place] = counted.percentile(0.50), counted.percentile(0.95)
    return {place: (p50, p95) for place, (p50, p95) in known.items() if p50 is not None and p95 is not None}


def shadow_pairs(run: Run) -> Iterator[tuple[Entry | None, Entry | None]]:
    """Yield what the current version and its candidate did with each case and sample that both were given."""
    yield from shadow_cases(run)
    for current, candidate in shadow_corpora(run):
        yield from side_by_side(numbered(in_order(current)), numbered(in_order(candidate)))


def twice(run: Run) -> str | None:
    """Return the name of a corpus that two populations of a run share: nobody could tell their samples apart."""
    names = [corpus.name for corpus in run.corpora if measured(corpus)] + [CASES]
    return next((name for name in names if names.count(name) > 1), None)
