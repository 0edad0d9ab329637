"""The nouns: what they accept, refuse, derive, and that none of them can be changed."""

from __future__ import annotations

import dataclasses
import operator
from typing import Any

import pytest

from pytest_guardrails import (
    Action,
    Case,
    CheckResult,
    ConfigError,
    Expectation,
    Finding,
    Guardrail,
    GuardrailResult,
    GuardrailsError,
    GuardVersion,
    Message,
    OnError,
    Phase,
    Request,
    Response,
    Scope,
    Text,
    Trace,
    Verdict,
    VerdictMismatch,
)
from pytest_guardrails._errors import unknown
from pytest_guardrails._model import (
    CaseRecord,
    CaseResult,
    CaseStatus,
    Check,
    CheckError,
    Denial,
    GuardrailStatus,
    with_action,
)


class Pass:
    """A check that finds nothing."""

    id = "pass"

    def __call__(self, _texts: Any) -> list[Finding]:
        """Return nothing."""
        return []


def trace(verdict: Verdict, *results: GuardrailResult) -> Trace:
    """Return a trace with the results."""
    return Trace(Request.of("x"), verdict, Action.NONE, None, results)


def errored(on_error: OnError) -> GuardrailResult:
    """Return the result of a guardrail whose check gave no answer."""
    check = CheckResult("c", error=CheckError("g", "c", "OSError", "disk"))
    return GuardrailResult("g", Phase.BEFORE_REQUEST, GuardrailStatus.ERRORED, checks=(check,), on_error=on_error)


# actions and verdicts


def test_actions_are_ordered_by_strength() -> None:
    """NONE < WARN < SANITIZE < DENY, in every way of comparing and sorting."""
    ordered = [Action.NONE, Action.WARN, Action.SANITIZE, Action.DENY]
    shuffled = [Action.DENY, Action.NONE, Action.SANITIZE, Action.WARN]
    assert sorted(shuffled) == ordered
    assert max(ordered) is Action.DENY
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        for left, one in enumerate(ordered):
            for right, other in enumerate(ordered):
                assert compare(one, other) is compare(left, right)


@pytest.mark.parametrize(
    ("compare", "left", "right", "expected"),
    [
        (operator.ge, Action.DENY, "warn", True),
        (operator.lt, Action.NONE, "deny", True),
        (operator.gt, Action.WARN, "sanitize", False),
        (operator.le, Action.SANITIZE, "deny", True),
    ],
)
def test_actions_compare_with_their_names_by_strength(compare: Any, left: Any, right: Any, expected: bool) -> None:
    """``trace.action >= "warn"`` means what it says, and never compares letters."""
    assert compare(left, right) is expected


def test_comparing_an_action_with_anything_else_is_refused() -> None:
    """A word that is no action, or no word at all, has no strength."""
    with pytest.raises(ValueError, match="block"):
        _ = Action.DENY > "block"
    with pytest.raises(TypeError):
        _ = Action.DENY > 2  # type: ignore[operator]


def test_a_verdict_is_no_boolean() -> None:
    """Vendors disagree on which one is good, so that ``if trace.verdict`` is an error."""
    for verdict in Verdict:
        with pytest.raises(TypeError, match="not a boolean"):
            bool(verdict)
    assert Verdict.BLOCK == "block"


# messages, requests, responses


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hi", "hi"),
        ("", ""),
        (None, ""),
        ((), ""),
        ([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}, {"text": "b"}], "a\nb"),
        ([{"type": "text", "text": 5}], ""),
    ],
)
def test_the_text_of_a_message(content: Any, text: str) -> None:
    """It is the content, or its text parts joined by newlines."""
    assert Message("user", content).text == text


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"role": "usr", "content": "x"}, "did you mean 'user'"),
        ({"role": "user", "contents": "x"}, "did you mean 'content'"),
        ({"content": "x"}, "no role"),
        ({"role": "user", "content": 5}, "list of mappings, not int"),
        ({"role": "user", "content": ["x"]}, "list of mappings, not list"),
        ({"role": "user", "content": {"text": "x"}}, "list of mappings, not FrozenDict|list of mappings, not dict"),
        ({"role": "assistant", "tool_calls": "f()"}, "tool_calls of a message"),
        (5, "not int"),
        (None, "not NoneType"),
    ],
)
def test_a_message_that_cannot_be_read_is_refused(value: Any, says: str) -> None:
    """The text names what came and the nearest choice."""
    with pytest.raises(ConfigError, match=says):
        Message.of(value)


def test_a_message_is_read_from_its_mapping() -> None:
    """Keys that are null are left out, and a message is taken as it is."""
    message = Message.of({"role": "tool", "content": "x", "tool_call_id": "7", "name": None})
    assert message == Message("tool", "x", tool_call_id="7")
    assert Message.of(message) is message


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"messages": ()}, "at least one message"),
        ({"messages": "hi"}, "sequence of messages"),
        ({"messages": Message("user", "hi")}, "sequence of messages"),
        ({"messages": {"role": "user"}}, "sequence of messages"),
        ({"messages": 5}, "sequence of messages"),
        ({"messages": ("hi",), "endpoint": "chat/completion"}, "did you mean 'chat/completions'"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(arguments: Any, says: str) -> None:
    """No message, one that is not in a list, and an unknown endpoint."""
    with pytest.raises(ConfigError, match=says):
        Request(**arguments)


def test_a_response_takes_texts_and_messages() -> None:
    """A text is the answer of the assistant; without a choice there is no text."""
    assert Response(("a", {"role": "assistant", "content": "b"})).choices == (  # type: ignore[arg-type]
        Message("assistant", "a"),
        Message("assistant", "b"),
    )
    assert Response(()).text == ""


# guardrails


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"id": ""}, "no id"),
        ({"id": None}, "no id"),
        ({"checks": ()}, "would pass everything"),
        ({"checks": ("regex",)}, "callable with an id"),
        ({"checks": (len,)}, "callable with an id"),
        ({"phase": "before"}, "did you mean 'before_request'"),
        ({"action": "block"}, "Choices: deny, none, sanitize, warn"),
        ({"action": "none"}, "use warn"),
        ({"on_error": "alow"}, "did you mean 'allow'"),
    ],
)
def test_a_guardrail_that_cannot_be_meant_is_refused(arguments: Any, says: str) -> None:
    """The text names the guardrail's mistake and the choices."""
    with pytest.raises(ConfigError, match=says):
        Guardrail(**{"id": "g", "phase": Phase.BEFORE_REQUEST, "checks": (Pass(),), **arguments})


def test_a_guardrail_reads_names_and_blocks_by_default() -> None:
    """Names become members; the defaults are to deny, to fail safe and to look at everything."""
    guardrail = Guardrail("g", "after_request", [Pass()])  # type: ignore[arg-type]
    assert (guardrail.phase, guardrail.action, guardrail.on_error) == (Phase.AFTER_REQUEST, Action.DENY, OnError.BLOCK)
    assert (guardrail.scope, guardrail.sequential) == (Scope(), False)
    assert isinstance(guardrail.checks[0], Check)


def test_a_scope_of_an_unknown_role_is_refused() -> None:
    """A role that no message can have would narrow a guardrail to nothing."""
    with pytest.raises(ConfigError, match="did you mean 'system'"):
        Scope(roles=("sytem",))


# immutability

VALUES = [
    Message("user", "x"),
    Request.of("x"),
    Response.of("x"),
    Text("x"),
    Finding("F", "test"),
    Scope(),
    Guardrail("g", Phase.BEFORE_REQUEST, (Pass(),)),
    CheckError("g", "c", "OSError", "disk"),
    CheckResult("c"),
    GuardrailResult("g", Phase.BEFORE_REQUEST, GuardrailStatus.RAN),
    Denial(446, {}),  # type: ignore[arg-type]
    trace(Verdict.ALLOW),
    GuardVersion(None, "abc"),
    Expectation(Verdict.ALLOW),
    Case("c", Request.of("x"), Expectation(Verdict.ALLOW)),
    CaseResult("c", CaseStatus.AS_EXPECTED),
    CaseRecord("n", "c", CaseStatus.AS_EXPECTED),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_noun_can_be_changed(value: Any) -> None:
    """Setting or deleting a field is refused, and there is no room for another one."""
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(value, name)
    with pytest.raises((AttributeError, TypeError)):
        value.brand_new = 1


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.content[0].update(text="y"),
        lambda m: m.content[0].__setitem__("text", "y"),
        lambda m: m.content[0]["source"].pop("data"),
        lambda m: m.tool_calls[0]["function"].clear(),
        lambda m: m.tool_calls[0]["list"].append(1),
    ],
)
def test_what_is_inside_a_message_cannot_be_changed(change: Any) -> None:
    """Parts and tool calls are immutable to their innermost value, and copied from what came."""
    part = {"type": "text", "text": "x", "source": {"data": "d"}}
    message = Message("user", [part], tool_calls=[{"function": {"name": "f"}, "list": [1]}])  # type: ignore[arg-type]
    with pytest.raises((TypeError, AttributeError)):
        change(message)
    part["text"] = "y"
    assert message.text == "x"
    assert hash(message) == hash(dataclasses.replace(message))


def test_metadata_cannot_be_changed() -> None:
    """The metadata of a request is a frozen copy."""
    metadata = {"user": {"id": 1}}
    request = Request(("x",), metadata=metadata)  # type: ignore[arg-type]
    metadata["user"]["id"] = 2
    assert request.metadata == {"user": {"id": 1}}
    with pytest.raises(TypeError, match="immutable"):
        request.metadata["user"]["id"] = 3


# what is derived


@pytest.mark.parametrize(
    ("verdict", "on_error", "failed_open", "by_choice"),
    [
        (Verdict.ALLOW, OnError.BLOCK, True, False),
        (Verdict.ALLOW, OnError.ALLOW, False, True),
        (Verdict.BLOCK, OnError.BLOCK, False, False),
        (Verdict.BLOCK, OnError.ALLOW, False, False),
    ],
)
def test_failing_open_and_failing_open_by_choice_are_two_things(
    verdict: Verdict, on_error: OnError, failed_open: bool, by_choice: bool
) -> None:
    """A request that passed an errored guardrail failed open, by choice only where somebody chose it."""
    seen = trace(verdict, errored(on_error))
    assert (seen.failed_open, seen.failed_open_by_choice) == (failed_open, by_choice)
    described = seen.to_dict()
    assert (described["failed_open"], described["failed_open_by_choice"]) == (failed_open, by_choice)


def test_a_trace_without_an_error_did_not_fail_open() -> None:
    """A guardrail that ran, and one that was skipped, are no failures."""
    ran = (GuardrailResult("g", Phase.BEFORE_REQUEST, status) for status in (GuardrailStatus.RAN, "skipped"))
    seen = trace(Verdict.ALLOW, *ran)  # type: ignore[arg-type]
    assert (seen.failed_open, seen.failed_open_by_choice, seen.errors) == (False, False, ())


def test_findings_and_errors_are_gathered_in_order() -> None:
    """A trace has the findings of every check of every guardrail, in the order in which they ran."""
    names = iter("abcd")
    checks = tuple(CheckResult("c", (Finding(next(names), "t"), Finding(next(names), "t"))) for _ in range(2))
    result = GuardrailResult("g", Phase.BEFORE_REQUEST, GuardrailStatus.RAN, checks=checks)
    seen = trace(Verdict.ALLOW, result, errored(OnError.ALLOW))
    assert [finding.name for finding in seen.findings] == list("abcd")
    assert [str(error) for error in seen.errors] == ["g/c: OSError: disk"]


@pytest.mark.parametrize(
    ("actions", "expected"),
    [((), Action.NONE), ((None,), Action.NONE), ((Action.WARN, None, Action.SANITIZE), Action.SANITIZE)],
)
def test_the_action_of_a_check_is_its_strongest(actions: Any, expected: Action) -> None:
    """A finding that nothing was done about counts as nothing."""
    assert CheckResult("c", tuple(Finding("F", "t", action=action) for action in actions)).action is expected


@pytest.mark.parametrize(
    ("expectation", "label", "truth"),
    [
        (Expectation(Verdict.BLOCK), None, "attack"),
        (Expectation(Verdict.ALLOW), None, "benign"),
        (Expectation(Verdict.ALLOW, action=Action.NONE), None, "benign"),
        (Expectation(Verdict.ALLOW, action=Action.WARN), None, "attack"),
        (Expectation(Verdict.ALLOW, findings=("EMAIL",)), None, "attack"),
        (Expectation(Verdict.BLOCK), "benign", "benign"),
        (Expectation(Verdict.ALLOW), "attack", "attack"),
    ],
)
def test_the_truth_of_a_case_is_its_label_or_follows(expectation: Expectation, label: Any, truth: str) -> None:
    """An attack is what some guardrail must act on, unless a label says otherwise."""
    assert Case("c", Request.of("x"), expectation, label=label).truth == truth


def test_an_action_is_put_on_a_copy() -> None:
    """The finding that a check returned stays as it was."""
    finding = Finding("F", "t")
    assert with_action(finding, Action.DENY).action is Action.DENY
    assert finding.action is None


# errors of the package


def test_a_config_error_names_its_place() -> None:
    """File, line and column stand before the message, as far as they are known."""
    assert str(ConfigError("odd", file="a.yaml", line=3, column=5)) == "a.yaml:3:5: odd"
    assert str(ConfigError("odd", file="a.yaml")) == "a.yaml: odd"
    assert str(ConfigError("odd")) == "odd"


@pytest.mark.parametrize(("kind", "base"), [(ConfigError, ValueError), (VerdictMismatch, AssertionError)])
def test_the_exceptions_have_one_base(kind: type, base: type) -> None:
    """Each is one of ours, and the built-in one that a caller would look for."""
    assert issubclass(kind, GuardrailsError)
    assert issubclass(kind, base)


def test_an_unknown_word_comes_with_the_nearest_choice_and_all_of_them() -> None:
    """The nearest choice comes first, and none is invented."""
    assert unknown("key", "actoin", ["by", "action"]) == (
        "unknown key 'actoin'; did you mean 'action'? Choices: action, by"
    )
    assert unknown("key", "zzz", ["by"]) == "unknown key 'zzz'. Choices: by"
