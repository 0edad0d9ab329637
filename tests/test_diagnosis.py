"""What a person reads when a trace is not what was expected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_guardrails import (
    Action,
    Case,
    CheckResult,
    Expectation,
    Finding,
    GuardrailResult,
    Message,
    OnError,
    Phase,
    Request,
    Trace,
    Verdict,
)
from pytest_guardrails._diagnosis import diagnosis, headline, trace_lines
from pytest_guardrails._expect import came, judge, summary
from pytest_guardrails._model import CaseResult, CaseStatus, CheckError, GuardrailStatus

ERROR = CheckError("lasso", "classify", "TimeoutError", "secret")
RESULTS = (
    GuardrailResult(
        "pii",
        Phase.BEFORE_REQUEST,
        GuardrailStatus.RAN,
        Action.SANITIZE,
        (CheckResult("pii_redact", (Finding("SSN", "pii"), Finding("EMAIL", "pii"), Finding("EMAIL", "pii"))),),
    ),
    GuardrailResult(
        "lasso",
        Phase.BEFORE_REQUEST,
        GuardrailStatus.ERRORED,
        checks=(CheckResult("classify", error=ERROR),),
        on_error=OnError.ALLOW,
    ),
    GuardrailResult("output", Phase.AFTER_REQUEST, GuardrailStatus.RAN, Action.DENY),
    GuardrailResult("last", Phase.AFTER_REQUEST, GuardrailStatus.SKIPPED),
)
TRACE = Trace(
    Request.of("secret question"),
    Verdict.BLOCK,
    Action.DENY,
    "output",
    RESULTS,
    (Request.of("the secret"),),
    status=446,
    warnings=("pii: sanitized 2 EMAIL, 1 SSN in the request",),
)
CLEAN = replace(TRACE, results=RESULTS[:1])


def told(case: Case, trace: Trace, show: Any = repr, *, masked: bool = False) -> str:
    """Return the diagnosis of a trace under a case."""
    result = judge(case, trace, show)
    return diagnosis(case, trace, result, headline(summary(case.expectation), came(trace), result), show, masked=masked)


def case(**asked: Any) -> Case:
    """Return a case that expects the request to pass."""
    return Case("C-7", Request.of("secret question"), Expectation(Verdict.ALLOW, **asked), severity="high")


def test_the_trace_is_told_in_order() -> None:
    """Guardrails before, the model, guardrails after, the caller, the warnings: one line each."""
    assert list(trace_lines(TRACE)) == [
        "before  pii                          sanitize  2 EMAIL, 1 SSN",
        "before  lasso                        errored   classify: TimeoutError",
        "model   called 1 time",
        "after   output                       deny",
        "after   last                         skipped",
        "caller  446 block by 'output'",
        "warning pii: sanitized 2 EMAIL, 1 SSN in the request",
    ]


def test_nobody_decided_and_nothing_was_called() -> None:
    """An empty trace has the model and the caller in it."""
    empty = Trace(Request.of("x"), Verdict.ALLOW, Action.NONE, None, ())
    assert list(trace_lines(empty)) == ["model   called 0 times", "caller  200 allow"]


@pytest.mark.parametrize(("name", "shown"), [("g" * 28, "g" * 28), ("g" * 29, "g" * 27 + "…"), ("g", "g" + " " * 27)])
def test_a_long_name_is_cut(name: str, shown: str) -> None:
    """Lines stay in their columns whatever a guardrail is called."""
    skipped = replace(RESULTS[3], guardrail=name)
    (line,) = [line for line in trace_lines(replace(TRACE, results=(skipped,))) if line.startswith("after")]
    assert line == f"after   {shown} skipped"


def test_a_whole_diagnosis() -> None:
    """Summary, place, reasons, what the model received, the trace: in this order, every line indented but the first."""
    placed = replace(case(by="pii", upstream="the <S>"), file="a.guardrails.yaml", line=12)
    assert told(placed, CLEAN, masked=True).splitlines() == [
        "expected allow by 'pii', got block (deny) by 'output'",
        "  a.guardrails.yaml:12  case 'C-7', severity high, benign",
        "  - verdict: expected allow, got block",
        "  - by: expected 'pii', got 'output'",
        "  - upstream: expected 'the <S>', the model received 'the secret'",
        "  the model received (- expected, + got):",
        "    - 'the <S>'",
        "    + 'the secret'",
        "  trace:",
        "    before  pii                          sanitize  2 EMAIL, 1 SSN",
        "    model   called 1 time",
        "    caller  446 block by 'output'",
        "    warning pii: sanitized 2 EMAIL, 1 SSN in the request",
        "  texts are masked; --guardrails-reveal shows them",
    ]


def test_messages_are_compared_line_by_line() -> None:
    """Equal messages are context, other ones are minus and plus, and a missing one has one side."""
    wanted = (Message("system", "be kind"), Message("user", "b"), Message("user", "c"))
    received = Request((Message("system", "be kind"), Message("user", "B")))
    lines = told(case(upstream=wanted), replace(CLEAN, upstream_requests=(received,))).splitlines()
    start = lines.index("  the model received (- expected, + got):")
    assert lines[start + 1 : start + 5] == [
        "      system: 'be kind'",
        "    - user: 'b'",
        "    + user: 'B'",
        "    - user: 'c'",
    ]


@pytest.mark.parametrize(
    ("asked", "trace"),
    [
        ({}, CLEAN),
        ({"upstream": "the secret"}, CLEAN),
        ({"upstream": "x"}, replace(CLEAN, upstream_requests=())),
    ],
    ids=["not asked", "equal", "nothing received"],
)
def test_there_is_no_difference_to_show(asked: Any, trace: Trace) -> None:
    """What was not asked, is equal, or was never received is not compared."""
    assert "the model received (-" not in told(case(**asked), trace)


def test_a_masked_diagnosis_holds_no_text_of_the_case() -> None:
    """Every text goes through ``show``: of the request, the model, the expectation and the error."""
    seen = told(case(upstream="my hope", absent_upstream=("secret",), response="hope"), TRACE, lambda _text: "***")
    assert "***" in seen
    assert not any(text in seen for text in ("secret", "hope", "question"))


def test_a_case_without_a_name_or_a_place_says_what_it_has() -> None:
    """A marked test has no id and no file: severity and truth are left."""
    assert told(replace(case(), id=""), CLEAN).splitlines()[1] == "  severity high, benign"
    assert "masked" not in told(case(), CLEAN)


@pytest.mark.parametrize(
    ("asked", "got", "status", "expected"),
    [
        ("block", "allow", CaseStatus.NOT_AS_EXPECTED, "expected block, got allow"),
        ("block", "block by 'x'", CaseStatus.NOT_AS_EXPECTED, "expected block, got block by 'x': why"),
        ("allow (none)", "allow (warn)", CaseStatus.NOT_AS_EXPECTED, "expected allow (none), got allow (warn): why"),
        ("allow", "allow", CaseStatus.NOT_AS_EXPECTED, "expected allow, got allow: why"),
        ("allow", "block", CaseStatus.ERROR, "guard error: why"),
    ],
)
def test_the_headline(asked: str, got: str, status: CaseStatus, expected: str) -> None:
    """One line: what was expected and came, and the first reason where the verdict alone does not tell."""
    assert headline(asked, got, CaseResult("c", status, reasons=("why", "and more"))) == expected


def test_an_error_is_the_headline() -> None:
    """A guard that gave no answer is told as that, not as a wrong verdict."""
    assert told(case(), TRACE).splitlines()[0] == "guard error: lasso/classify gave no answer: TimeoutError"
