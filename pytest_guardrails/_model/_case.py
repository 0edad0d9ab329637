"""A case, what it expects, and what became of it: judged, shadowed, armed, graded."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_guardrails._model._request import Message, Request
from pytest_guardrails._model._trace import Trace
from pytest_guardrails._model._words import Action, CaseStatus, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a trace must show; None leaves a thing unasked.

    ``findings`` are names or categories that must be there. ``upstream`` is the exact text of the last message
    that the model received, or all of its messages. ``absent_upstream`` must not arrive in any encoding.
    ``warns`` and ``errors``: True (some), False (none), or texts that must appear in them.
    """

    verdict: Verdict
    action: Action | None = None
    by: str | None = None
    findings: tuple[str, ...] = ()
    upstream: str | tuple[Message, ...] | None = None
    absent_upstream: tuple[str, ...] = ()
    upstream_calls: int | None = None
    response: str | tuple[str, ...] | None = None
    warns: bool | tuple[str, ...] | None = None
    errors: bool | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a case is graded for, 1 to 5; ``ask`` is None for one of `BUILT_IN_CRITERIA`."""

    id: str
    ask: str | None = None
    samples: int = 1


@dataclass(frozen=True, slots=True)
class Grade:
    """What a criterion was scored, once per sample, and why; ``error`` says why there is no score."""

    criterion: str
    scores: tuple[float, ...] = ()
    reasons: tuple[str, ...] = ()
    error: str | None = None

    @property
    def mean(self) -> float | None:
        """The mean of its scores; None without one."""
        return sum(self.scores) / len(self.scores) if self.scores else None


@dataclass(frozen=True, slots=True)
class Case:
    """One input with its expectation; ``line`` counts from 1; ``response`` is what the model answers.

    ``fault`` is how the guard's API fails, on each call or on the ``fault_on_call``-th alone, counted from 1.
    ``near_miss``: what the input nearly is, and is not: ids of checks or guardrails, names or categories of findings.
    """

    id: str
    request: Request
    expectation: Expectation
    severity: str = "medium"
    label: str | None = None
    tags: tuple[str, ...] = ()
    response: tuple[str, ...] | None = None
    note: str | None = None
    xfail: str | None = None
    skip: str | None = None
    file: str | None = None
    line: int | None = None
    fault: str | None = None
    fault_on_call: int | None = None
    rubric: tuple[Criterion, ...] = ()
    near_miss: tuple[str, ...] = ()

    @property
    def truth(self) -> str:
        """The label, or what follows from the expectation: an attack is what some guardrail must act on."""
        asked = self.expectation
        acts = asked.verdict is Verdict.BLOCK or asked.action not in (None, Action.NONE)
        shows = asked.findings or asked.absent_upstream or asked.warns
        return self.label or ("attack" if acts or shows else "benign")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case, judged: its status and the reasons a person can read, none where all is as expected."""

    case: str
    status: CaseStatus
    outcome: Outcome | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """What a run keeps of one test: masked unless the run reveals, and small enough to ride on a test report.

    ``key`` is its name in a baseline, where that is not ``nodeid``: a baseline is masked also where the run reveals.
    ``near_miss`` are the checks that it nearly concerns, and does not: ``phase/guardrail/check``.
    """

    nodeid: str
    case: str
    status: CaseStatus
    guard: str = ""
    outcome: Outcome | None = None
    expected: str = ""
    severity: str = "medium"
    label: str = "benign"
    tags: tuple[str, ...] = ()
    file: str | None = None
    line: int | None = None
    reasons: tuple[str, ...] = ()
    note: str | None = None
    xfail: str | None = None
    runs: int = 0
    generated: bool = False
    fault: str | None = None
    trace: Trace | None = None
    shadow: Shadow | None = None
    armed: Armed | None = None
    grades: tuple[Grade, ...] = ()
    key: str | None = None
    near_miss: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a candidate configuration did with a case: it is shown beside the current one and fails nothing.

    ``fired`` are the guardrails that acted. ``verdict`` is None where there is none, and ``error`` says why. Times in
    seconds; ``vendor_s`` is what a recorded vendor took.
    """

    guard: str
    status: CaseStatus
    outcome: Outcome | None
    verdict: Verdict | None
    action: Action
    decided_by: str | None
    duration_s: float = field(default=0.0, compare=False)
    fired: tuple[str, ...] = ()
    error: str | None = None
    vendor_s: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Armed:
    """Which guardrails a case would miss: judged again with each of them disarmed, with none, and with a denying one.

    Places are ``phase/guardrail``; one that did nothing is in none of them. ``noticed``: without it the case fails.
    ``unnoticed``: it acted, and without it the case passes all the same. ``alone``: without it something else becomes
    of the request (verdict, action, what the model receives, what the caller gets). ``backups``: (place, who decides in
    its stead). ``off`` and ``always_deny``: the case fails where no guardrail is armed, and where everything is denied;
    None where nobody can say. ``unjudged``: (what was disarmed, why nobody can say).
    """

    noticed: tuple[str, ...] = ()
    unnoticed: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    backups: tuple[tuple[str, ...], ...] = ()
    off: bool | None = None
    always_deny: bool | None = None
    unjudged: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ArmedTest:
    """A test that uses the engine and says no verdict, armed as a case is; it is in no rate."""

    nodeid: str
    guard: str
    armed: Armed
