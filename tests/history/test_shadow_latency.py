"""How long the current guard and its candidate took, each by its own times."""

from __future__ import annotations

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._history._side import shadow_latency
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    Guard,
    GuardVersion,
    Outcome,
    Request,
    Run,
    Shadow,
    Trace,
    Verdict,
)


def test_each_guard_has_its_own_times() -> None:
    """The candidate's times are not those of the guard beside it; what only one of them judged counts for neither."""

    def record(name: str, seconds: float, beside: float | None) -> CaseRecord:
        trace = Trace(Request.of("hi"), Verdict.ALLOW, Action.NONE, None, (), duration_s=seconds)
        judged = (CaseStatus.AS_EXPECTED, Outcome.TRUE_NEGATIVE, Verdict.ALLOW, Action.NONE, None)
        shadow = None if beside is None else Shadow("c@2", *judged, duration_s=beside)
        return CaseRecord(name, name, CaseStatus.AS_EXPECTED, "g@1", Outcome.TRUE_NEGATIVE, trace=trace, shadow=shadow)

    guard = Guard("g@1", "embedded engine", "g.yaml", GuardVersion("1", "1"))
    records = (record("a", 0.001, 0.004), record("b", 0.001, 0.004), record("alone", 9.0, None))
    run = Run("2026-11-21T10:00:00+00:00", 1.0, True, FrozenDict({}), (guard,), records)
    current, candidate = (next(iter(side.values())) for side in shadow_latency(run))
    assert (current.count, current.p50_s, current.p95_s) == (2, 0.001, 0.001)
    assert (candidate.count, candidate.p50_s, candidate.p95_s) == (2, 0.004, 0.004)
