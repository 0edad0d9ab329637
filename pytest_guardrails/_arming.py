"""Which case would notice if a guardrail were off: engine variants, each case judged again, and what that says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pytest_guardrails._engine import Upstream, evaluate
from pytest_guardrails._expect import judge
from pytest_guardrails._model import (
    Armed,
    Case,
    CaseStatus,
    Finding,
    Guard,
    Guardrail,
    GuardrailResult,
    GuardrailStatus,
    Phase,
    Run,
    Text,
    Trace,
    Verdict,
)

EVERYTHING = ""  # of a case: no variant of it was judged
OFF = "all off"
DENYING = "always deny"
NO_ANSWER = "a check gives no answer"
NO_TEXT = "a request has no text to deny"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a case or test under other guardrails; ``passed`` is None where nobody can say, and why."""

    passed: bool | None
    traces: tuple[Trace, ...] = ()
    reason: str = ""


Attempting = Callable[[Sequence[Guardrail]], Attempt]


@dataclass(frozen=True, slots=True)
class DenyEverything:
    """A check that finds something in every text."""

    id: ClassVar[str] = "always-deny"

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return one finding per text."""
        return [Finding("always-deny", "arming", message_index=text.message_index, field=text.field) for text in texts]


ALWAYS_DENY = Guardrail("pytest-guardrails/always-deny", Phase.BEFORE_REQUEST, (DenyEverything(),))


def place_of(guardrail: Guardrail) -> str:
    """Return ``phase/guardrail``."""
    return f"{guardrail.phase.value}/{guardrail.id}"


def acted(guardrails: Iterable[Guardrail], traces: Iterable[Trace]) -> list[Guardrail]:
    """Return the guardrails whose absence could change something: in some trace they found something, or errored.

    One that ran and found nothing showed the others the same texts as they see without it. One that was skipped would
    be skipped again: the guardrail that ended the request is still there.
    """
    places = {_place(result) for trace in traces for result in trace.results if result.findings or result.errors}
    return [guardrail for guardrail in guardrails if place_of(guardrail) in places]


def arm(guardrails: Sequence[Guardrail], traces: Sequence[Trace], attempt: Attempting) -> Armed:
    """Judge a case again with each guardrail disarmed, with all, and with one in front that denies everything.

    ``traces`` are what it showed with all ``guardrails``; ``attempt`` judges it under others.
    """
    tried = {
        place_of(one): attempt(tuple(other for other in guardrails if other is not one))
        for one in acted(guardrails, traces)
    }
    off, denying = attempt(()), _denied(attempt((ALWAYS_DENY, *guardrails)))
    unjudged = ((name, one.reason) for name, one in {**tried, OFF: off, DENYING: denying}.items() if one.passed is None)
    alone = tuple(
        place for place, one in tried.items() if one.passed is not None and _became(one.traces) != _became(traces)
    )
    return Armed(
        noticed=tuple(place for place, one in tried.items() if one.passed is False),
        unnoticed=tuple(place for place, one in tried.items() if one.passed),
        alone=alone,
        backups=tuple(
            (place, other)
            for place, one in tried.items()
            if one.passed and place not in alone
            for other in _instead(place, traces, one.traces)
        ),
        off=_fails(off),
        always_deny=_fails(denying),
        unjudged=tuple(unjudged),
    )


def unjudged(reason: str) -> Armed:
    """Return what arming says of a case of which no variant can be judged."""
    return Armed(unjudged=((EVERYTHING, reason),))


def attempting(case: Case, upstream: Upstream) -> Attempting:
    """Return the function that judges ``case`` under other guardrails; an error there is never a verdict."""

    def attempt(guardrails: Sequence[Guardrail]) -> Attempt:
        trace = evaluate(guardrails, case.request, upstream)
        status = judge(case, trace, _unseen).status
        if status is CaseStatus.ERROR:
            return Attempt(None, (trace,), NO_ANSWER)
        return Attempt(status is CaseStatus.AS_EXPECTED, (trace,))

    return attempt


def _unseen(_text: str) -> str:
    """Show nothing: nobody reads why a variant failed."""
    return ""


def _fails(attempt: Attempt) -> bool | None:
    return None if attempt.passed is None else not attempt.passed


def _denied(attempt: Attempt) -> Attempt:
    """Return the attempt, unless some request in it could not be denied."""
    allowed = any(trace.verdict is not Verdict.BLOCK for trace in attempt.traces)
    return Attempt(None, reason=NO_TEXT) if allowed else attempt


def _became(traces: Iterable[Trace]) -> list[tuple[object, ...]]:
    """Return what became of each request: verdict, action, what the model received, what the caller got."""
    return [(trace.verdict, trace.action, trace.upstream_requests, trace.response) for trace in traces]


def _place(result: GuardrailResult) -> str:
    return f"{result.phase.value}/{result.guardrail}"


def _decider(trace: Trace) -> str | None:
    """Return the place of the guardrail that decided; the same id may stand in both phases."""
    for result in trace.results:
        did = result.action is trace.action or result.errors
        if result.guardrail == trace.decided_by and result.status is not GuardrailStatus.SKIPPED and did:
            return _place(result)
    return None


def _instead(place: str, traces: Sequence[Trace], others: Sequence[Trace]) -> list[str]:
    """Return who decided in ``others`` what ``place`` decided in ``traces``."""
    pairs = [(_decider(trace), _decider(other)) for trace, other in zip(traces, others, strict=False)]
    return sorted({after for before, after in pairs if before == place and after is not None and after != place})


@dataclass(frozen=True, slots=True)
class ArmedGuardrail:
    """In how many cases and tests a guardrail is missed when it is off, and in how many it decides alone.

    ``unnoticed``: it acted there and nobody misses it. ``unjudged``: it acted there and nobody can say.
    """

    guard: str
    phase: str
    guardrail: str
    noticed: int = 0
    alone: int = 0
    unnoticed: int = 0
    unjudged: int = 0

    @property
    def tested(self) -> bool:
        """True if some case or test fails without it."""
        return self.noticed > 0


@dataclass(frozen=True, slots=True)
class Backup:
    """In so many ``cases``, ``guardrail`` and ``backup`` each decide alike, and no case notices if one is off."""

    guard: str
    guardrail: str
    backup: str
    cases: int


@dataclass(frozen=True, slots=True)
class Arming:
    """What arming says of a run; cases and tests are named by their node ids.

    ``vacuous`` pass under every variant. ``asleep`` are other attacks that pass with every guardrail off. ``unjudged``
    are (node id, what was disarmed, why nobody can say); what is disarmed is empty where no variant was judged.
    """

    judged: int
    vacuous: tuple[str, ...] = ()
    asleep: tuple[str, ...] = ()
    guardrails: tuple[ArmedGuardrail, ...] = ()
    backups: tuple[Backup, ...] = ()
    unjudged: tuple[tuple[str, ...], ...] = ()

    @property
    def untested(self) -> tuple[ArmedGuardrail, ...]:
        """The guardrails whose absence no case and no test notices."""
        return tuple(guardrail for guardrail in self.guardrails if not guardrail.tested)


@dataclass(frozen=True, slots=True)
class _One:
    """A case or test that was armed; a test has no label."""

    nodeid: str
    guard: str
    label: str | None
    armed: Armed


def is_armed(run: Run) -> bool:
    """True if the run was asked to arm its cases, and had one to arm."""
    return bool(run.armed) or any(record.armed is not None for record in run.records)


def summarise(run: Run) -> Arming | None:
    """Sum up what a run's cases and tests say; None where none was armed.

    A case that is not as expected, or is known to fail, tells nothing.
    """
    if not is_armed(run):
        return None
    every = list(_armed(run))
    judged = [one for one in every if not any(what == EVERYTHING for what, _ in one.armed.unjudged)]
    vacuous = tuple(one.nodeid for one in judged if is_vacuous(one.armed))
    asleep = (one.nodeid for one in judged if one.label == "attack" and one.armed.off is False)
    return Arming(
        judged=len(judged),
        vacuous=vacuous,
        asleep=tuple(nodeid for nodeid in asleep if nodeid not in vacuous),
        guardrails=tuple(_guardrails(run.guards, every)),
        backups=tuple(_backups(judged)),
        unjudged=tuple((one.nodeid, *why) for one in every for why in one.armed.unjudged),
    )


def is_vacuous(armed: Armed) -> bool:
    """True if a case passes whatever the guard does: nothing that was disarmed or denied made it fail."""
    return armed.off is False and armed.always_deny is False and not armed.noticed and not armed.unjudged


def _armed(run: Run) -> Iterator[_One]:
    for record in run.records:
        if record.armed is not None and record.status is CaseStatus.AS_EXPECTED and record.xfail is None:
            yield _One(record.nodeid, record.guard, record.label, record.armed)
    for test in run.armed:
        yield _One(test.nodeid, test.guard, None, test.armed)


def _guardrails(guards: Iterable[Guard], every: Sequence[_One]) -> Iterator[ArmedGuardrail]:
    """Yield a row per guardrail of each guard that was armed, in the order in which they run."""
    counts: Mapping[str, Counter[tuple[str, str]]] = {
        "noticed": Counter((one.guard, place) for one in every for place in one.armed.noticed),
        "alone": Counter((one.guard, place) for one in every for place in one.armed.alone),
        "unnoticed": Counter((one.guard, place) for one in every for place in one.armed.unnoticed),
        "unjudged": Counter((one.guard, place) for one in every for place, _ in one.armed.unjudged),
    }
    armed = {one.guard for one in every}
    for guard in guards:
        for name, phase, *_ in guard.guardrails if guard.key in armed else ():
            key = guard.key, f"{phase}/{name}"
            yield ArmedGuardrail(guard.key, phase, name, **{what: count[key] for what, count in counts.items()})


def _backups(judged: Iterable[_One]) -> Iterator[Backup]:
    """Yield the pairs that stand in for each other where only both together are missed, the most frequent first."""
    cases: Counter[tuple[str, str, str]] = Counter()
    for one in judged:
        if one.armed.off and not one.armed.noticed:
            cases.update((one.guard, place, other) for place, other in one.armed.backups)
    for (guard, place, other), number in sorted(cases.items(), key=lambda item: (-item[1], item[0])):
        yield Backup(guard, place, other, number)
