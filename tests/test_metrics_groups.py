"""What a run's records say of tags, guardrails and checks, and of time."""

from __future__ import annotations

from pytest_guardrails._metrics import groups_of, measure
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    CheckError,
    CheckResult,
    Finding,
    Group,
    GuardrailResult,
    GuardrailStatus,
    Outcome,
    Phase,
    Request,
    Trace,
    Verdict,
)

FOUND = (Finding("EMAIL", "pii", action=Action.WARN),)
BEFORE = Phase.BEFORE_REQUEST


def result(name: str, *checks: CheckResult, seconds: float = 0.001) -> GuardrailResult:
    """Return what a guardrail did, from its checks; without one it was skipped."""
    if not checks:
        return GuardrailResult(name, BEFORE, GuardrailStatus.SKIPPED)
    status = GuardrailStatus.ERRORED if any(check.error for check in checks) else GuardrailStatus.RAN
    action = max(check.action for check in checks)
    return GuardrailResult(name, BEFORE, status, action, checks, duration_s=seconds)


def record(label: str, outcome: Outcome, *results: GuardrailResult, **fields: object) -> CaseRecord:
    """Return a record with these results in its trace."""
    trace = Trace(Request.of("hi"), Verdict.ALLOW, Action.NONE, None, results, duration_s=0.002)
    given = {"guard": "g@1", "label": label, "outcome": outcome, "trace": trace, **fields}
    return CaseRecord("a::c", "c", CaseStatus.AS_EXPECTED, **given)  # type: ignore[arg-type]


def groups(*records: CaseRecord) -> dict[tuple[str, str], Group]:
    """Return the groups of the one guard of records."""
    (found,) = groups_of(records).values()
    return {(group.kind, group.name): group for group in found}


def test_each_part_has_outcomes_of_its_own() -> None:
    """A tag takes the outcome of the case; a guardrail and a check that of what they did themselves."""
    fired, silent = CheckResult("mail", FOUND), CheckResult("mail")
    found = groups(
        record("attack", Outcome.TRUE_POSITIVE, result("one", fired), result("two", silent), tags=("pii", "pii")),
        record("attack", Outcome.TRUE_POSITIVE, result("one", silent, CheckResult("b", FOUND)), result("two")),
        record("benign", Outcome.TRUE_NEGATIVE, result("one", silent), result("two", silent), tags=("pii",)),
    )
    assert found["all", ""] == Group("all", "", 2, 0, 1, 0, 0, 0)
    assert found["tag", "pii"] == Group("tag", "pii", 1, 0, 1, 0, 0, 0)
    assert found["guardrail", "before_request/one"] == Group("guardrail", "before_request/one", 2, 0, 1, 0, 0, 0)
    assert found["guardrail", "before_request/two"] == Group("guardrail", "before_request/two", 0, 0, 1, 1, 0, 0)
    assert found["check", "before_request/one/mail"] == Group("check", "before_request/one/mail", 1, 0, 1, 1, 0, 0)
    assert found["check", "before_request/one/b"] == Group("check", "before_request/one/b", 1, 0, 0, 0, 0, 0)


def test_an_error_is_in_no_rate_and_keeps_its_label() -> None:
    """A check without an answer is an error of it and of its guardrail; the check beside it is judged."""
    broken = CheckResult("a", error=CheckError("one", "a", "OSError", "no answer"))
    found = groups(
        record("attack", Outcome.TRUE_POSITIVE, result("one", broken, CheckResult("b", FOUND))),
        record("benign", Outcome.TRUE_NEGATIVE, result("one", broken, CheckResult("b"))),
    )
    assert found["guardrail", "before_request/one"] == Group("guardrail", "before_request/one", 0, 0, 0, 0, 2, 1)
    assert found["check", "before_request/one/a"] == Group("check", "before_request/one/a", 0, 0, 0, 0, 2, 1)
    assert found["check", "before_request/one/b"] == Group("check", "before_request/one/b", 1, 0, 1, 0, 0, 0)


def test_generated_and_unjudged_records_are_in_no_group() -> None:
    """Generated inputs, cases that did not run, and expected errors are left out."""
    check = CheckResult("mail", FOUND)
    records = [
        record("attack", Outcome.TRUE_POSITIVE, result("one", check), generated=True),
        record("attack", Outcome.ERROR, result("one", check)),  # as expected
        CaseRecord("a::d", "d", CaseStatus.NOT_RUN, "g@1"),
    ]
    assert groups_of(records) == {}


def test_guards_are_kept_apart() -> None:
    """Each guard version has groups of its own."""
    check = CheckResult("mail", FOUND)
    records = [record("attack", Outcome.TRUE_POSITIVE, result("one", check), guard=guard) for guard in ("b@2", "a@1")]
    kept = groups_of(records)
    assert list(kept) == ["a@1", "b@2"]
    assert all(found[0] == Group("all", "", 1, 0, 0, 0, 0, 0) for found in kept.values())


def test_times_of_the_vendor_stand_beside_our_own() -> None:
    """Recorded vendor times are summed within a guardrail and a request, and unknown where nobody measured them."""
    slow, quick = CheckResult("a", vendor_s=0.2), CheckResult("b", vendor_s=0.1)
    metrics = measure(
        [
            record("benign", Outcome.TRUE_NEGATIVE, result("one", slow, quick), result("two", slow)),
            record("benign", Outcome.TRUE_NEGATIVE, result("one", CheckResult("a"))),
        ]
    )
    one, two = metrics.guardrails
    assert (one.vendor_s, two.vendor_s) == ([0.2 + 0.1], [0.2])
    assert metrics.vendor_p95_s == 0.2 + 0.1 + 0.2
    assert metrics.latency_p99_s == 0.002
    assert measure([record("benign", Outcome.TRUE_NEGATIVE, result("one", CheckResult("a")))]).vendor_p95_s is None
