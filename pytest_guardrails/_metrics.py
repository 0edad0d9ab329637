"""What a run's records say together: counts, rates, what each guardrail did, latency."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    Group,
    GuardrailResult,
    GuardrailStatus,
    OnError,
    Outcome,
    Phase,
    Trace,
    Verdict,
)
from pytest_guardrails._stats import Confusion, Rate, percentile

K = TypeVar("K")


@dataclass(slots=True)
class GuardrailTally:
    """What one guardrail did over a run: fired (did more than nothing), silent, decided, errored, skipped."""

    guard: str
    guardrail: str
    phase: str
    fired: int = 0
    silent: int = 0
    decided: int = 0
    errors: int = 0
    skipped: int = 0
    fired_on_benign: int = 0
    judged_benign: int = 0
    fired_on_attack: int = 0
    judged_attack: int = 0
    durations_s: list[float] = field(default_factory=list)
    vendor_s: list[float] = field(default_factory=list)

    @property
    def fpr(self) -> Rate:
        """Benign cases that reached it and on which it acted."""
        return Rate(self.fired_on_benign, self.judged_benign)

    @property
    def recall(self) -> Rate:
        """Attacks that reached it and on which it acted; attacks that another guardrail should stop count too."""
        return Rate(self.fired_on_attack, self.judged_attack)


class FailSafe(enum.StrEnum):
    """What a fault did to a request, worst first.

    ``OPEN``: a check errored and the request went on, though nobody chose that. ``NOT_FELT``: no check errored, so
    nothing was shown. ``BY_CHOICE``: it went on because its guardrail says ``on_error: allow``. ``CLOSED``: blocked,
    and upstream was not called (before the request) or its response not delivered (after it).
    """

    OPEN = "OPEN"
    NOT_FELT = "not felt"
    BY_CHOICE = "open by choice"
    CLOSED = "closed"

    @property
    def rank(self) -> int:
        """Place in the order, 0 for the worst."""
        return list(FailSafe).index(self)


@dataclass(frozen=True, slots=True)
class FailSafeRow:
    """What one fault did at one guardrail; of several ``cases``, the worst.

    ``guardrail``, ``phase`` and ``on_error`` are empty where nothing errored and several guardrails ran: whose
    fault it should have been, nobody can say.
    """

    guard: str
    guardrail: str
    phase: str
    on_error: str
    fault: str
    outcome: FailSafe
    cases: int = 1


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of a run; generated inputs and expected errors are counted apart and are in no rate."""

    statuses: dict[CaseStatus, int]
    confusion: Confusion
    by_guard: dict[str, Confusion]
    guardrails: tuple[GuardrailTally, ...]
    latency_p50_s: float | None
    latency_p95_s: float | None
    latency_p99_s: float | None
    vendor_p95_s: float | None
    slowest: tuple[tuple[str, float], ...]
    known_failing: int
    generated: int
    expected_errors: int
    failed_open: int
    failed_open_by_choice: int
    fail_safe: tuple[FailSafeRow, ...] = ()

    @property
    def unexpected_errors(self) -> int:
        """Cases in which a guard gave no answer and nobody expected it: the run is untrusted."""
        return self.statuses[CaseStatus.ERROR]


def measure(records: Sequence[CaseRecord]) -> Metrics:
    """Count what a run's records say."""
    statuses = dict.fromkeys(CaseStatus, 0)
    for record in records:
        if record.xfail is None:
            statuses[record.status] += 1
    traced = [(record, record.trace) for record in records if record.trace is not None]
    times = [trace.duration_s for _, trace in traced]
    slowest = sorted(((record.nodeid, trace.duration_s) for record, trace in traced), key=lambda pair: -pair[1])
    expected = sum(record.outcome is Outcome.ERROR and record.status is CaseStatus.AS_EXPECTED for record in records)
    return Metrics(
        statuses=statuses,
        confusion=Confusion.of(record.outcome for record in records if _counts(record)),
        by_guard=_by_guard(records),
        guardrails=tuple(_tallies(records)),
        latency_p50_s=percentile(times, 0.50),
        latency_p95_s=percentile(times, 0.95),
        latency_p99_s=percentile(times, 0.99),
        vendor_p95_s=percentile([t for _, trace in traced if (t := trace.vendor_s) is not None], 0.95),
        slowest=tuple(slowest[:3]),
        known_failing=sum(record.xfail is not None for record in records),
        generated=sum(record.generated for record in records),
        expected_errors=expected,
        failed_open=sum(trace.failed_open for _, trace in traced),
        failed_open_by_choice=sum(trace.failed_open_by_choice for _, trace in traced),
        fail_safe=_fail_safe(records),
    )


def _counts(record: CaseRecord) -> bool:
    """True if a record belongs to the population that the rates speak of."""
    expected_error = record.outcome is Outcome.ERROR and record.status is CaseStatus.AS_EXPECTED
    return not record.generated and not expected_error


def _by_guard(records: Iterable[CaseRecord]) -> dict[str, Confusion]:
    """Return the counts per guard version: figures of two guards together speak of neither."""
    outcomes: dict[str, list[Outcome | None]] = {}
    for record in records:
        if record.guard:
            outcomes.setdefault(record.guard, []).append(record.outcome if _counts(record) else None)
    return {guard: Confusion.of(outcomes[guard]) for guard in sorted(outcomes)}


def groups_of(records: Iterable[CaseRecord]) -> dict[str, tuple[Group, ...]]:
    """Return per guard the outcomes of all its cases, of each tag, and of each guardrail and check that they reached.

    For a guardrail or a check, positive means that it acted itself.
    """
    found: dict[str, dict[tuple[str, str], list[int]]] = {}
    for record in records:
        if record.guard and record.outcome is not None and _counts(record):
            own = found.setdefault(record.guard, {})
            for kind, name, column in _parts(record, record.outcome):
                counts = own.setdefault((kind, name), [0] * (len(_COLUMNS) + 1))
                counts[column] += 1
                counts[-1] += column == _ERROR and record.label == "attack"
    return {guard: tuple(Group(*part, *counts) for part, counts in found[guard].items()) for guard in sorted(found)}


_COLUMNS = tuple(Outcome)  # as the fields of a Group are ordered
_ERROR = _COLUMNS.index(Outcome.ERROR)


def _parts(record: CaseRecord, outcome: Outcome) -> Iterator[tuple[str, str, int]]:
    """Yield kind, name and column of each part of the population that a record belongs to."""
    column = _COLUMNS.index(outcome)
    yield "all", "", column
    for tag in dict.fromkeys(record.tags):
        yield "tag", tag, column
    for result in record.trace.results if record.trace is not None else ():
        if result.status is not GuardrailStatus.SKIPPED:
            place = f"{result.phase}/{result.guardrail}"
            yield "guardrail", place, _column(record.label, result.action, result.status is GuardrailStatus.ERRORED)
            for check in result.checks:
                yield "check", f"{place}/{check.check}", _column(record.label, check.action, check.error is not None)


def _column(label: str, action: Action, errored: bool) -> int:
    if errored:
        return _ERROR
    fired = action is not Action.NONE
    return (0 if fired else 3) if label == "attack" else (1 if fired else 2)


def _tallies(records: Iterable[CaseRecord]) -> list[GuardrailTally]:
    found: dict[tuple[str, str, str], GuardrailTally] = {}
    for record in records:
        if record.trace is None:
            continue
        for result in record.trace.results:
            key = (record.guard, result.phase.value, result.guardrail)
            tally = found.get(key)
            if tally is None:
                tally = found[key] = GuardrailTally(record.guard, result.guardrail, result.phase.value)
            if result.status is GuardrailStatus.SKIPPED:
                tally.skipped += 1
                continue
            tally.durations_s.append(result.duration_s)
            tally.vendor_s += [] if result.vendor_s is None else [result.vendor_s]
            decider = record.trace.decided_by == result.guardrail  # one id may stand in both phases
            tally.decided += decider and (result.action is record.trace.action or bool(result.errors))
            if result.status is GuardrailStatus.ERRORED:
                tally.errors += 1
                continue
            _count(tally, result.action > Action.NONE, record)
    return list(found.values())


def _count(tally: GuardrailTally, fired: bool, record: CaseRecord) -> None:
    tally.fired += fired
    tally.silent += not fired
    if _counts(record):
        if record.label == "attack":
            tally.judged_attack += 1
            tally.fired_on_attack += fired
        else:
            tally.judged_benign += 1
            tally.fired_on_benign += fired


def _fail_safe(records: Iterable[CaseRecord]) -> tuple[FailSafeRow, ...]:
    """Return a row per guard, guardrail, phase, on_error and fault, in that order."""
    outcomes: dict[tuple[str, str, str, str, str], list[FailSafe]] = {}
    for record in records:
        if record.fault is not None and record.trace is not None:
            for place, outcome in _felt(record.trace):
                outcomes.setdefault((record.guard, *place, record.fault), []).append(outcome)
    phases = ["", *Phase]
    keys = sorted(outcomes, key=lambda key: (*key[:2], phases.index(key[2]), *key[3:]))
    worst = {key: min(found, key=lambda outcome: outcome.rank) for key, found in outcomes.items()}
    return tuple(FailSafeRow(*key, worst[key], len(outcomes[key])) for key in keys)


def worst_first(rows: Iterable[tuple[K, FailSafeRow]]) -> list[K]:
    """Return each key once, as they came, but those with a row that is OPEN first, then those not felt."""
    worst: dict[K, int] = {}
    for key, row in rows:
        worst[key] = min(worst.get(key, FailSafe.BY_CHOICE.rank), row.outcome.rank)
    return sorted(worst, key=lambda key: worst[key])


def _felt(trace: Trace) -> Iterator[tuple[tuple[str, str, str], FailSafe]]:
    """Yield guardrail, phase and on_error of each guardrail that errored, or of none, with what became of it."""
    errored = [result for result in trace.results if result.errors]
    for result in errored:
        yield _place(result), _outcome(trace, result)
    if not errored:
        ran = [result for result in trace.results if result.status is not GuardrailStatus.SKIPPED]
        yield _place(ran[0]) if len(ran) == 1 else ("", "", ""), FailSafe.NOT_FELT


def _place(result: GuardrailResult) -> tuple[str, str, str]:
    return result.guardrail, result.phase.value, result.on_error.value


def _outcome(trace: Trace, errored: GuardrailResult) -> FailSafe:
    before = errored.phase is Phase.BEFORE_REQUEST
    went_on = bool(trace.upstream_requests) if before else trace.response is not None
    if trace.verdict is Verdict.BLOCK and not went_on:
        return FailSafe.CLOSED
    return FailSafe.BY_CHOICE if errored.on_error is OnError.ALLOW else FailSafe.OPEN
