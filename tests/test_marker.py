"""``@expect_verdict``: each argument, the choices that a wrong one is answered with, and equality with the mark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_guardrails import Action, ConfigError, Expectation, Message, Verdict, corpus, expect_verdict, inject_fault
from pytest_guardrails._marker import read_cassette, read_marker
from pytest_guardrails.strategies import emails, given_cases

BLOCK, ALLOW = Verdict.BLOCK, Verdict.ALLOW


@pytest.fixture(autouse=True)
def _registered(pytestconfig: pytest.Config) -> None:
    """Register the markers, as the plugin does, so that these tests run without it too."""
    pytestconfig.addinivalue_line("markers", "expect_verdict(verdict): what every run of the engine must show")
    pytestconfig.addinivalue_line("markers", "cassette(name): the recorded answers")


@pytest.mark.parametrize(
    ("verdict", "arguments", "read"),
    [
        ("block", {}, Expectation(BLOCK)),
        (Verdict.ALLOW, {}, Expectation(ALLOW)),
        ("block", {"action": "deny"}, Expectation(BLOCK, action=Action.DENY)),
        ("allow", {"action": Action.SANITIZE}, Expectation(ALLOW, action=Action.SANITIZE)),
        ("block", {"by": "g"}, Expectation(BLOCK, by="g")),
        ("block", {"findings": "EMAIL"}, Expectation(BLOCK, findings=("EMAIL",))),
        ("block", {"findings": ["EMAIL", "pii"]}, Expectation(BLOCK, findings=("EMAIL", "pii"))),
        ("allow", {"upstream": "no"}, Expectation(ALLOW, upstream="no")),
        ("allow", {"upstream": ""}, Expectation(ALLOW, upstream="")),
        ("allow", {"upstream": ["a", "b"]}, Expectation(ALLOW, upstream=(Message("user", "a"), Message("user", "b")))),
        (
            "allow",
            {"upstream": [{"role": "system", "content": "a"}]},
            Expectation(ALLOW, upstream=(Message("system", "a"),)),
        ),
        (
            "allow",
            {"upstream": [Message("tool", "a", tool_call_id="c")]},
            Expectation(ALLOW, upstream=(Message("tool", "a", tool_call_id="c"),)),
        ),
        (
            "allow",
            {"upstream": (Message("user", ({"type": "text", "text": "a", "n": 1},)), "b")},
            Expectation(
                ALLOW, upstream=(Message("user", ({"type": "text", "text": "a", "n": 1},)), Message("user", "b"))
            ),
        ),
        ("allow", {"absent_upstream": "a@b.example"}, Expectation(ALLOW, absent_upstream=("a@b.example",))),
        ("allow", {"absent_upstream": ("a", "b")}, Expectation(ALLOW, absent_upstream=("a", "b"))),
        ("block", {"upstream_calls": 0}, Expectation(BLOCK, upstream_calls=0)),
        ("allow", {"upstream_calls": 2}, Expectation(ALLOW, upstream_calls=2)),
        ("allow", {"response": "hi"}, Expectation(ALLOW, response="hi")),
        ("allow", {"response": ["a", "b"]}, Expectation(ALLOW, response=("a", "b"))),
        ("allow", {"warns": True}, Expectation(ALLOW, warns=True)),
        ("allow", {"warns": False}, Expectation(ALLOW, warns=False)),
        ("allow", {"warns": "sanitized"}, Expectation(ALLOW, warns=("sanitized",))),
        ("block", {"errors": ["timeout"]}, Expectation(BLOCK, errors=("timeout",))),
        ("block", {"errors": True, "by": None}, Expectation(BLOCK, errors=True)),
    ],
)
def test_every_argument_means_what_it_says(verdict: Any, arguments: dict[str, Any], read: Expectation) -> None:
    """An argument fills its field of the expectation, and the rest stays unasked."""
    assert read_marker(expect_verdict(verdict, **arguments).mark).expectation == read


@pytest.mark.parametrize("severity", ["critical", "high", "medium", "low"])
@pytest.mark.parametrize("label", ["attack", "benign"])
def test_severity_and_label_belong_to_the_case(severity: Any, label: Any) -> None:
    """Severity and label are read into the case, not into the expectation."""
    case = read_marker(expect_verdict("block", severity=severity, label=label).mark)
    assert (case.severity, case.label, case.truth, case.expectation) == (severity, label, label, Expectation(BLOCK))


@pytest.mark.parametrize(("verdict", "truth"), [("block", "attack"), ("allow", "benign")])
def test_severity_and_label_have_defaults(verdict: Any, truth: str) -> None:
    """A marker alone is of medium severity, and its label follows from what it expects."""
    case = read_marker(expect_verdict(verdict).mark)
    assert (case.severity, case.label, case.truth) == ("medium", None, truth)


@pytest.mark.parametrize(
    ("verdict", "arguments"),
    [
        ("block", {"by": "x"}),
        ("allow", {}),
        (Verdict.BLOCK, {"severity": "high", "label": "attack", "findings": ["a"], "upstream_calls": 0}),
        ("allow", {"warns": False}),
    ],
)
def test_it_equals_the_mark(verdict: Any, arguments: dict[str, Any]) -> None:
    """``@expect_verdict(...)`` and ``@pytest.mark.expect_verdict(...)`` are equal, and so is what they mean."""
    plain = pytest.mark.expect_verdict(verdict, **arguments)
    assert expect_verdict(verdict, **arguments) == plain
    assert read_marker(plain.mark) == read_marker(expect_verdict(verdict, **arguments).mark)


def test_what_is_none_is_not_said() -> None:
    """An argument of None is as if it were not there."""
    assert expect_verdict("block", by=None, severity=None) == pytest.mark.expect_verdict("block")


WRONG: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    (("blok",), {}, "verdict: unknown verdict 'blok'; did you mean 'block'? Choices: allow, block"),
    (("sanitize",), {}, "Choices: allow, block"),
    ((True,), {}, "verdict: verdict is a text, not true"),
    ((None,), {}, "expect needs a verdict: allow or block"),
    (
        ("block",),
        {"action": "dney"},
        "action: unknown action 'dney'; did you mean 'deny'? Choices: deny, none, sanitize, warn",
    ),
    (
        ("block",),
        {"severity": "hgih"},
        "unknown severity 'hgih'; did you mean 'high'? Choices: critical, high, low, medium",
    ),
    (("block",), {"label": "good"}, "unknown label 'good'. Choices: attack, benign"),
    (("block",), {"by": 3}, "by: by is a text, not 3"),
    (("block",), {"by": ["g"]}, "by: by is a text, not a list"),
    (("block",), {"findings": {"a": 1}}, "findings: findings is a list, not a mapping"),
    (("block",), {"findings": [1]}, "findings[0]: an item of findings is a text, not 1"),
    (("block",), {"findings": {"a"}}, "findings: set is nothing that a configuration can say"),
    (("allow",), {"upstream": [{"role": "usr"}]}, "upstream[0]: unknown role 'usr'; did you mean 'user'?"),
    (
        ("allow",),
        {"upstream": [{"rol": "user"}]},
        "upstream[0].rol: unknown key in a message 'rol'; did you mean 'role'?",
    ),
    (("allow",), {"absent_upstream": ""}, "absent_upstream demands nothing: it has no text, or an empty one"),
    (("block",), {"upstream_calls": "0"}, "upstream_calls: upstream_calls is a whole number, not '0'"),
    (("block",), {"upstream_calls": True}, "upstream_calls: upstream_calls is a whole number, not true"),
    (("block",), {"upstream_calls": 0, "upstream": "x"}, "upstream_calls: 0 says that the model receives nothing"),
    (("allow",), {"action": "deny"}, "verdict allow with action deny can never be"),
    (("block",), {"response": "x"}, "a blocked caller gets no response"),
    (("block",), {"warns": 1}, "warns: warns is a text, not 1"),
]


def as_mark(*positional: Any, **named: Any) -> None:
    """Write the plain mark and read it, as collection does."""
    read_marker(pytest.mark.expect_verdict(*positional, **named).mark)


@pytest.mark.parametrize("make", [expect_verdict, as_mark])
@pytest.mark.parametrize(("positional", "named", "said"), WRONG)
def test_a_wrong_argument_is_refused_with_its_choices(
    make: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any], said: str
) -> None:
    """What cannot be meant is a ConfigError where it is written, or where the mark is read; it names the choices."""
    with pytest.raises(ConfigError) as caught:
        make(*positional, **named)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("positional", "named", "said"),
    [
        ((), {}, 'takes one verdict, as in @expect_verdict("block"); it got 0'),
        (("block", "deny"), {}, "it got 2"),
        ((), {"verdict": "block"}, "it got 0"),
        (("block",), {"verdict": "allow"}, "takes its verdict as the first argument"),
        (("block",), {"severty": "high"}, "unknown argument of @expect_verdict 'severty'; did you mean 'severity'?"),
        (("block",), {"lable": "attack"}, "did you mean 'label'?"),
        (("block",), {"finding": "EMAIL"}, "did you mean 'findings'?"),
    ],
)
def test_a_mark_of_another_shape_is_refused(positional: tuple[Any, ...], named: dict[str, Any], said: str) -> None:
    """The plain mark takes whatever it is given; reading it refuses what the typed decorator would not take."""
    with pytest.raises(ConfigError) as caught:
        as_mark(*positional, **named)
    assert said in str(caught.value)


def test_the_choices_are_the_arguments_by_name() -> None:
    """What an unknown argument is answered with is every keyword, without the positional verdict."""
    with pytest.raises(ConfigError) as caught:
        as_mark("block", zzz=1)
    assert str(caught.value).endswith(
        "Choices: absent_upstream, action, by, errors, findings, label, near_miss, response, severity, upstream, "
        "upstream_calls, warns"
    )


def test_the_decorator_takes_its_extras_by_name_only() -> None:
    """The typed decorator has one positional argument, and no argument that is not in its signature."""
    for positional, named in ((("block", "deny"), {}), ((), {"verdict": "block"}), (("block",), {"severty": "high"})):
        with pytest.raises(ConfigError):
            expect_verdict(*positional, **named)


def some_test() -> None:
    """What a bare decorator is called with."""


BARE: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    (expect_verdict, (some_test,), {}, 'stands bare on some_test: it takes arguments, as in @expect_verdict("block")'),
    (
        inject_fault,
        (some_test,),
        {},
        "@inject_fault stands bare on some_test: it takes arguments, as in @inject_fault(",
    ),
    (corpus, (some_test,), {}, 'stands bare on some_test: it takes arguments, as in @corpus("benign.jsonl")'),
    (corpus, (type("TestX", (), {}),), {}, "@corpus stands bare on TestX"),
    (given_cases, (some_test,), {}, "@given_cases stands bare on some_test"),
    (expect_verdict, (), {}, '@expect_verdict takes one verdict, as in @expect_verdict("block"); it got 0'),
    (inject_fault, ("refused", "flaky"), {}, "@inject_fault takes one fault"),
    (corpus, ("a.jsonl", "b.jsonl"), {}, '@corpus takes one file, as in @corpus("benign.jsonl"); it got 2'),
    (corpus, (), {}, "a corpus has one of file, shipped, sample; this one has none"),
    (expect_verdict, ("alow",), {}, "unknown verdict 'alow'; did you mean 'allow'?"),
    (expect_verdict, ("block",), {"severty": "low"}, "unknown argument of @expect_verdict 'severty'; did you mean"),
    (
        corpus,
        ("a.jsonl",),
        {"max_frp": 0.1},
        "unknown argument of @corpus 'max_frp'; did you mean 'max_fpr'? Choices: ",
    ),
    (inject_fault, ("refused",), {"oncall": 1}, "unknown argument of @inject_fault 'oncall'; did you mean 'on_call'?"),
    (
        given_cases,
        (emails(),),
        {"exepct": "allow"},
        "unknown argument of @given_cases 'exepct'; did you mean 'expect'?",
    ),
]


@pytest.mark.parametrize(("decorator", "positional", "named", "said"), BARE, ids=[row[3][:40] for row in BARE])
def test_a_decorator_says_what_is_wrong_with_its_arguments(
    decorator: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any], said: str
) -> None:
    """Where Python would raise a bare TypeError, a ConfigError names the decorator and the nearest choice."""
    with pytest.raises(ConfigError) as caught:
        decorator(*positional, **named)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("positional", "named", "said"),
    [
        ((), {}, '@cassette takes one name, as in @cassette("checkout"); it got 0'),
        (("a", "b"), {}, "it got 2"),
        ((1,), {}, "takes the name of a cassette"),
        (("",), {}, "takes the name of a cassette"),
        (("a.yml_",), {}, "unknown suffix of a cassette '.yml_'; did you mean '.yml'?"),
        ((), {"nam": "a"}, "@cassette takes no nam="),
    ],
)
def test_a_cassette_of_another_shape_is_refused(positional: tuple[Any, ...], named: dict[str, Any], said: str) -> None:
    """The mark takes whatever it is given; reading it says what it wants."""
    with pytest.raises(ConfigError) as caught:
        read_cassette(pytest.mark.cassette(*positional, **named).mark)
    assert said in str(caught.value)


@pytest.mark.parametrize(("given", "named"), [("EMAIL", ("EMAIL",)), (["a", "b"], ("a", "b")), (None, ())])
def test_a_near_miss_belongs_to_the_case(given: Any, named: tuple[str, ...]) -> None:
    """It is a name or a list of them."""
    assert read_marker(expect_verdict("allow", near_miss=given).mark).near_miss == named


@pytest.mark.parametrize(
    ("verdict", "near", "said"),
    [
        ("allow", True, "near_miss says of what"),
        ("allow", [], "near_miss names nothing"),
        ("allow", "", "near_miss names nothing"),
        ("block", "EMAIL", "an attack is no near miss"),
    ],
)
def test_a_near_miss_that_cannot_be_meant_is_refused(verdict: Any, near: Any, said: str) -> None:
    """It says of what, and never of an attack."""
    with pytest.raises(ConfigError, match=said):
        expect_verdict(verdict, near_miss=near)


def test_it_marks_functions_classes_and_params() -> None:
    """The mark lands on whatever pytest marks."""

    @expect_verdict("block", by="g")
    def marked() -> None: ...

    @expect_verdict("allow")
    class Marked: ...

    param = pytest.param("x", marks=expect_verdict("block"))
    assert [mark.name for mark in marked.pytestmark] == ["expect_verdict"]  # type: ignore[attr-defined]
    assert Marked.pytestmark[0].args == ("allow",)  # type: ignore[attr-defined]
    assert [mark.args for mark in param.marks] == [("block",)]
