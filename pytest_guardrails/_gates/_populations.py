"""What gates are judged on: the cases of a run, its corpora, and their parts, each with its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_guardrails._metrics import groups_of
from pytest_guardrails._model import CaseRecord, CheckResult, CorpusRecord, Group, GuardrailResult, Trace
from pytest_guardrails._stats import Histogram, percentile

WHOLE = ("cases", "corpus")

Times = Callable[[float], float | None]


@dataclass(frozen=True, slots=True)
class Population:
    """Cases or samples that a gate is judged on; ``where`` is how it is called in sentences.

    ``kind`` and ``name`` are what selects it. ``latency`` and ``vendor`` return percentiles in seconds.
    """

    kind: str
    name: str
    where: str
    counts: Group | None = None
    latency: Times | None = None
    vendor: Times | None = None
    spans: tuple[int, ...] | None = None
    failed_open: int | None = None

    def is_named(self, name: str) -> bool:
        """True for its name, or where that is a place (``phase/guardrail/check``), for the end of it."""
        is_place = self.kind in ("guardrail", "check")
        return self.name == name or (is_place and self.name.endswith(f"/{name}"))


def populations(records: Sequence[CaseRecord], corpora: Iterable[CorpusRecord]) -> list[Population]:
    """Return every population of a run, those of candidate configurations left out."""
    guards = sorted({record.guard for record in records if record.guard})
    found: list[Population] = []
    for guard in guards:
        suffix = f" ({guard})" if len(guards) > 1 else ""
        found += _of_cases([record for record in records if record.guard == guard], guard, suffix)
    kept = [corpus for corpus in corpora if not corpus.shadow]
    several = {corpus.name for corpus in kept if sum(other.name == corpus.name for other in kept) > 1}
    for corpus in kept:
        found += _of_corpus(corpus, f" ({corpus.nodeid})" if corpus.name in several else "")
    return found


def _of_cases(records: Sequence[CaseRecord], guard: str, suffix: str) -> Iterator[Population]:
    real = [record for record in records if not record.generated]
    for group in groups_of(real).get(guard, ()) or (Group("all", ""),):
        if group.kind == "all":
            traces = [record.trace for record in real if record.trace is not None]
            opened = sum(trace.failed_open for trace in traces)
            yield Population("cases", "cases", f"cases{suffix}", group, *_times(traces), failed_open=opened)
        elif group.kind == "tag":
            tagged = [record.trace for record in real if record.trace is not None and group.name in record.tags]
            yield Population("tag", group.name, f"tag {group.name}{suffix}", group, *_times(tagged))
        else:
            parts = [part for record in real for part in _parts(record.trace, group)]
            yield Population(group.kind, group.name, f"{group.kind} {group.name}{suffix}", group, *_times(parts))


def _parts(trace: Trace | None, group: Group) -> Iterator[GuardrailResult | CheckResult]:
    """Yield what one guardrail or check did in a trace."""
    for result in trace.results if trace is not None else ():
        place = f"{result.phase.value}/{result.guardrail}"
        if group.kind == "guardrail" and place == group.name:
            yield result
        elif group.kind == "check":
            yield from (check for check in result.checks if f"{place}/{check.check}" == group.name)


def _times(parts: Sequence[Trace | GuardrailResult | CheckResult]) -> tuple[Times, Times]:
    vendor = [part.vendor_s for part in parts if part.vendor_s is not None]
    return partial(percentile, [part.duration_s for part in parts]), partial(percentile, vendor)


def _of_corpus(corpus: CorpusRecord, suffix: str) -> Iterator[Population]:
    called = f"{'strategy' if corpus.generated else 'corpus'} {corpus.name}{suffix}"
    for group in corpus.groups:
        if group.kind == "all":
            yield Population(
                "strategy" if corpus.generated else "corpus",
                corpus.name,
                called,
                group,
                Histogram.of(corpus.latency).percentile,
                Histogram.of(corpus.vendor_latency).percentile,
                corpus.spans,
            )
        elif not corpus.generated:
            yield Population(group.kind, group.name, f"{group.kind} {group.name} of {called}", group)
