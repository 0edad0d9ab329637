"""Judging a trace: every expectation, as expected and not, and the canaries that must not arrive."""

from __future__ import annotations

import base64
import json
import urllib.parse
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails import (
    Action,
    Case,
    CheckResult,
    Expectation,
    Finding,
    GuardrailResult,
    Message,
    OnError,
    Outcome,
    Phase,
    Request,
    Response,
    Trace,
    Verdict,
)
from pytest_guardrails._expect import arrives, came, judge, outcome_of, summary
from pytest_guardrails._model import CaseResult, CaseStatus, CheckError, GuardrailStatus

ERROR = CheckError("pii", "lasso", "TimeoutError", "after 10 s")


def result(
    name: str, action: Action = Action.NONE, *findings: Finding, error: CheckError | None = None
) -> GuardrailResult:
    """Return the result of a guardrail with one check."""
    status = GuardrailStatus.ERRORED if error else GuardrailStatus.RAN
    checks = (CheckResult("pii_redact", findings, error),)
    return GuardrailResult(name, Phase.BEFORE_REQUEST, status, action, checks, OnError.ALLOW)


def trace(**changes: Any) -> Trace:
    """Return the trace of a sanitized request, changed."""
    request = Request.of(["be kind", "my mail is a@b.c"])
    finding = Finding("EMAIL", "pii", start=11, end=16, replacement="<EMAIL>", action=Action.SANITIZE)
    values = {
        "request": request,
        "verdict": Verdict.ALLOW,
        "action": Action.SANITIZE,
        "decided_by": "pii",
        "results": (result("pii", Action.SANITIZE, finding), result("injection")),
        "upstream_requests": (Request.of(["be kind", "my mail is <EMAIL>"]),),
        "response": Response(("one", "two")),  # type: ignore[arg-type]
        "warnings": ("pii: sanitized 1 EMAIL in the request",),
    }
    return Trace(**{**values, **changes})


def judged(seen: Trace, verdict: Verdict = Verdict.ALLOW, **asked: Any) -> CaseResult:
    """Judge a trace under an expectation."""
    return judge(Case("c", Request.of("x"), Expectation(verdict, **asked)), seen)


MET = {
    "verdict": {},
    "action": {"action": Action.SANITIZE},
    "by": {"by": "pii"},
    "finding by name": {"findings": ("email",)},
    "finding by category": {"findings": ("PII",)},
    "finding by check": {"findings": ("pii_redact",)},
    "upstream text": {"upstream": "my mail is <EMAIL>"},
    "upstream messages": {"upstream": (Message("user", "be kind"), Message("user", "my mail is <EMAIL>"))},
    "absent upstream": {"absent_upstream": ("a@b.c", "secret")},
    "upstream calls": {"upstream_calls": 1},
    "response": {"response": "one"},
    "responses": {"response": ("one", "two")},
    "some warnings": {"warns": True},
    "a warning": {"warns": ("1 EMAIL", "sanitized")},
    "no errors": {"errors": False},
    "no error texts": {"errors": ()},
}


@pytest.mark.parametrize("asked", MET.values(), ids=MET.keys())
def test_what_is_as_expected(asked: Any) -> None:
    """A trace that shows what was asked is as expected, without a reason."""
    assert judged(trace(), **asked) == CaseResult("c", CaseStatus.AS_EXPECTED, judged(trace(), **asked).outcome)


UNMET = [
    ({"verdict": Verdict.BLOCK}, "verdict: expected block, got allow"),
    ({"action": Action.NONE}, "action: expected none, got sanitize"),
    ({"by": "injection"}, "by: expected 'injection', got 'pii'"),
    ({"by": "pij"}, "by: expected 'pij', got 'pii'; there is no such guardrail. Choices: pii, injection"),
    ({"findings": ("EMAIL", "SSN")}, "findings: 'SSN' is not there; found pii/EMAIL"),
    ({"findings": ("mail",)}, "findings: 'mail' is not there; found pii/EMAIL"),
    ({"upstream": "my mail"}, "upstream: expected 'my mail', the model received 'my mail is <EMAIL>'"),
    ({"upstream": (Message("user", "my mail is <EMAIL>"),)}, "upstream: expected 1 messages, the model received 2"),
    (
        {"upstream": (Message("system", "be kind"), Message("user", "my mail is <EMAIL>"))},
        "upstream: message 0: expected system: 'be kind', the model received user: 'be kind'",
    ),
    ({"absent_upstream": ("x", "KIND")}, "absent_upstream: text 2 ('KIND') reached the model, as it is"),
    ({"upstream_calls": 0}, "upstream_calls: expected 0, got 1"),
    ({"upstream_calls": 2}, "upstream_calls: expected 2, got 1"),
    ({"response": "two"}, "response: expected 'two', the caller got 'one'"),
    ({"response": ("one",)}, "response: expected 'one', the caller got 'one', 'two'"),
    ({"warns": False}, "warns: expected none, got pii: sanitized 1 EMAIL in the request"),
    ({"warns": ("1 SSN",)}, "warns: '1 SSN' is not there; got pii: sanitized 1 EMAIL in the request"),
    ({"errors": True}, "errors: expected some, got none"),
    ({"errors": ("Timeout",)}, "errors: 'Timeout' is not there; got none"),
]


@pytest.mark.parametrize(("asked", "reason"), UNMET, ids=[reason for _, reason in UNMET])
def test_what_is_not_as_expected(asked: dict[str, Any], reason: str) -> None:
    """Each thing that was asked and is not there is a reason that says what came instead."""
    got = judged(trace(), **asked)
    assert got.status is CaseStatus.NOT_AS_EXPECTED
    assert reason in got.reasons


def test_one_mistake_gives_one_reason() -> None:
    """What is as expected is in no reason, and several mistakes give several."""
    assert judged(trace(), **{**MET["responses"], "action": Action.DENY}).reasons == (  # type: ignore[arg-type]
        "action: expected deny, got sanitize",
    )
    assert len(judged(trace(), Verdict.BLOCK, by="x", upstream_calls=3, warns=False).reasons) == 4


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"upstream": "x"}, "upstream: the model received nothing"),
        ({"response": "x"}, "response: the caller got none"),
        ({"by": "x"}, "by: expected 'x', got nobody; there is no such guardrail. Choices: none at all"),
        ({"findings": ("X",)}, "findings: 'X' is not there; found nothing"),
        ({"warns": True}, "warns: expected some, got none"),
    ],
)
def test_an_empty_trace_meets_nothing(asked: Any, reason: str) -> None:
    """Where nothing was received, answered, decided or found, the reason says so."""
    empty = trace(results=(), upstream_requests=(), response=None, warnings=(), decided_by=None)
    assert judged(empty, **asked).reasons == (reason,)


def test_a_blocked_request_may_leave_canaries_out() -> None:
    """A model that received nothing received no canary."""
    assert judged(trace(upstream_requests=()), absent_upstream=("kind",)).status is CaseStatus.AS_EXPECTED


def test_every_call_is_searched_and_the_last_one_compared() -> None:
    """A canary in an earlier call counts; the exact text is that of the last one."""
    calls = (Request.of("leak"), Request.of("clean"))
    got = judged(trace(upstream_requests=calls), absent_upstream=("leak",), upstream="clean")
    assert got.reasons == ("absent_upstream: text 1 ('leak') reached the model, as it is",)


def test_texts_of_the_case_are_shown_as_asked() -> None:
    """Reasons hold the texts of a case only as ``show`` gives them."""
    case = Case(
        "c",
        Request.of("x"),
        Expectation(Verdict.ALLOW, upstream="alice", absent_upstream=("kind",), response="bob"),
    )
    reasons = " ".join(judge(case, trace(), lambda _text: "***").reasons)
    assert "***" in reasons
    assert not any(text in reasons for text in ("alice", "kind", "bob", "mail", "one"))


# errors


def test_an_error_that_nobody_asked_for_makes_the_result_an_error() -> None:
    """Whatever the verdict, a guard that gave no answer has shown nothing, and that reason comes first."""
    seen = trace(results=(result("pii", error=ERROR),))
    for verdict in Verdict:
        got = judged(seen, verdict)
        assert (got.status, got.outcome) == (CaseStatus.ERROR, Outcome.ERROR)
        assert got.reasons[0] == "pii/lasso gave no answer: TimeoutError"


@pytest.mark.parametrize("errors", [True, ("Timeout",), ("pii/lasso", "10 s")])
def test_an_error_that_was_asked_for_is_as_expected(errors: Any) -> None:
    """A case about failing safe asks for the error, by nothing or by texts of it, and is still in no rate."""
    got = judged(trace(results=(result("pii", error=ERROR),)), errors=errors)
    assert (got.status, got.outcome, got.reasons) == (CaseStatus.AS_EXPECTED, Outcome.ERROR, ())


def test_an_error_that_was_ruled_out_is_an_error() -> None:
    """``errors: false`` and another error than the one asked for are errors: the guard gave no answer."""
    seen = trace(results=(result("pii", error=ERROR),))
    assert judged(seen, errors=False).status is CaseStatus.ERROR
    assert "errors: expected none, got lasso: TimeoutError" in judged(seen, errors=False).reasons
    other = judged(seen, errors=("ConnectionError",))
    assert other.status is CaseStatus.ERROR
    assert "errors: 'ConnectionError' is not there; got lasso: TimeoutError" in other.reasons


@pytest.mark.parametrize(
    ("label", "action", "errored", "outcome"),
    [
        ("attack", Action.DENY, False, Outcome.TRUE_POSITIVE),
        ("attack", Action.WARN, False, Outcome.TRUE_POSITIVE),
        ("attack", Action.NONE, False, Outcome.FALSE_NEGATIVE),
        ("benign", Action.NONE, False, Outcome.TRUE_NEGATIVE),
        ("benign", Action.WARN, False, Outcome.FALSE_POSITIVE),
        ("benign", Action.SANITIZE, False, Outcome.FALSE_POSITIVE),
        ("benign", Action.NONE, True, Outcome.ERROR),
        ("attack", Action.DENY, True, Outcome.ERROR),
    ],
)
def test_outcomes(label: str, action: Action, errored: bool, outcome: Outcome) -> None:
    """Positive means that some guardrail did more than nothing; a trace with an error is in no rate."""
    results = (result("g", action, error=ERROR if errored else None),)
    case = Case("c", Request.of("x"), Expectation(Verdict.ALLOW), label=label)
    assert outcome_of(case, trace(action=action, results=results)) is outcome


def test_expectations_and_traces_in_a_few_words() -> None:
    """The verdict, the action and the guardrail, as far as they are there."""
    assert summary(Expectation(Verdict.BLOCK)) == "block"
    assert summary(Expectation(Verdict.ALLOW, action=Action.NONE, by="pii")) == "allow (none) by 'pii'"
    assert came(trace()) == "allow (sanitize) by 'pii'"
    assert came(trace(action=Action.NONE, decided_by=None)) == "allow"


# canaries

CANARIES = [
    "alice@example.com",
    'Zoë "Zed" Ünal',
    "C:\\new\\table",
    "+1 (555) 010-9999",
    "秘密の言葉",
    "pass/word?&=",
    "😀🔑 key",
]


def in_base64(text: str, offset: int, after: str = "") -> str:
    """Return base64 of the text with ``offset`` bytes before it."""
    return base64.b64encode(b"?" * offset + text.encode() + after.encode()).decode()


FORMS = {
    "as it is": lambda text: text,
    "upper case": str.upper,
    "JSON": json.dumps,
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON in JSON in JSON": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "JSON with solidus": lambda text: json.dumps(text).replace("/", "\\/"),
    "every letter escaped": lambda text: "".join(
        f"\\u{unit:04x}" for unit in memoryview(text.encode("utf-16-le")).cast("H")
    ),
    "URL": urllib.parse.quote,
    "URL, all": lambda text: urllib.parse.quote(text, safe=""),
    "URL, plus": urllib.parse.quote_plus,
    "URL, every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "base64 +0": lambda text: in_base64(text, 0),
    "base64 +1": lambda text: in_base64(text, 1),
    "base64 +2": lambda text: in_base64(text, 2, "and more"),
    "base64 +3, more": lambda text: in_base64(text, 3, "x"),
    "base64 urlsafe": lambda text: in_base64(text, 1, "??").replace("+", "-").replace("/", "_"),
    "base64 unpadded": lambda text: in_base64(text, 2).rstrip("="),
}


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_canary_is_found_in_every_form(canary: str, form: Any) -> None:
    """Raw, JSON-escaped (also JSON in JSON), URL-encoded and base64 at any offset in either alphabet."""
    assert arrives(canary, Request.of(f"before {form(canary)} after")) is not None
    assert arrives(canary, Request.of("before and after, nothing else")) is None


@pytest.mark.parametrize(
    ("form", "said"),
    [("as it is", "as it is"), ("JSON", "JSON-escaped"), ("URL", "URL-encoded"), ("base64 +1", "in base64")],
)
def test_the_form_is_named(form: str, said: str) -> None:
    """The reason says in which form a text arrived."""
    assert arrives('Zoë "Zed" Ünal', Request.of(FORMS[form]('Zoë "Zed" Ünal'))) == said


@pytest.mark.parametrize("text", ["alice+tag%40example.com", "alice%2Btag@example.com", "alice%2btag%40example.com"])
def test_a_plus_in_a_url_is_a_plus_or_a_space(text: str) -> None:
    """Encoders disagree on what needs escaping, and a canary is found in each one's URL."""
    assert arrives("alice+tag@example.com", Request.of(f"https://x/?q={text}")) is not None


@pytest.mark.parametrize("canary", ["qxz", "qxzj", "qxzjk"])
def test_a_short_canary_is_found_in_base64(canary: str) -> None:
    """Three bytes are four letters of base64 where they stand at the start of a group."""
    assert arrives(canary, Request.of(in_base64(canary, 3))) == "in base64"


PLACES = {
    "system": Message("system", "x CANARY"),
    "part": Message("user", [{"type": "text", "text": "CANARY"}]),  # type: ignore[arg-type]
    "name": Message("user", "x", name="CANARY"),
    "arguments": Message("assistant", tool_calls=[{"function": {"arguments": '{"a": "CANARY"}'}}]),  # type: ignore[arg-type]
    "key": Message("assistant", [{"type": "tool_use", "input": {"CANARY": 1}}]),  # type: ignore[arg-type]
    "tool result": Message("tool", "CANARY"),
    "image URL": Message("user", [{"image_url": {"url": "https://x/CANARY"}}]),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("message", PLACES.values(), ids=PLACES.keys())
def test_a_canary_is_found_wherever_it_stands(message: Message) -> None:
    """All that the model receives is searched, not only contents and not only the last message."""
    assert arrives("canary", Request((message, Message("user", "last")))) == "as it is"


def test_a_number_is_found_as_it_is_written() -> None:
    """A canary of digits is found where a tool receives it as a number."""
    message = Message("assistant", [{"type": "tool_use", "input": {"card": 4111111111111111}}])  # type: ignore[arg-type]
    assert arrives("4111111111111111", Request((message,))) == "as it is"


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_a_role_is_no_leak(role: str) -> None:
    """The word for who speaks is not what was said."""
    assert arrives(role, Request((Message(role, "hi"),))) is None


SECRETS = st.text(alphabet="QXZJKVW0123456789@.ßé😀", min_size=5, max_size=20)


@given(canary=SECRETS, offset=st.integers(0, 5), before=st.text(max_size=5), after=st.text(max_size=5))
@settings(deadline=None)
def test_base64_hides_no_canary(canary: str, offset: int, before: str, after: str) -> None:
    """A text of five characters or more is found inside base64 of anything that contains it."""
    encoded = base64.b64encode(b"?" * offset + (before + canary + after).encode()).decode()
    assert arrives(canary, Request.of(f"see {encoded}")) is not None


@given(canary=SECRETS, other=st.text(alphabet='abcdefghijklm \n%\\"/+=-_', max_size=60))
@settings(deadline=None)
def test_there_is_no_false_alarm(canary: str, other: str) -> None:
    """A text that was never sent is found in no form."""
    for form in (other, json.dumps(other), urllib.parse.quote(other), base64.b64encode(other.encode()).decode()):
        assert arrives(canary, Request.of(form)) is None
