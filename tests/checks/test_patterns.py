"""Portkey's checks about regular expressions: how rules are written, what must match, what is replaced."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import Action, ConfigError, Engine, Finding, Text, Verdict
from pytest_guardrails.checks import RegexMatch, RegexReplace
from pytest_guardrails.checks.patterns import compiled


def texts(*said: str) -> list[Text]:
    """Return one content per text, in order."""
    return [Text(text, index) for index, text in enumerate(said)]


@pytest.mark.parametrize(
    ("rule", "pattern", "flags"),
    [
        ("a+", "a+", 0),
        ("/a+/", "a+", 0),
        ("/a/b/", "a/b", 0),
        ("/a", "/a", 0),
        ("a/i", "a/i", 0),
        ("/a+/g", "a+", 0),
        ("/a+/gu", "a+", 0),
        ("/a+/i", "a+", re.I),
        ("/a.b/gims", "a.b", re.I | re.M | re.S),
        ("/a\nb/s", "a\nb", re.S),
        (r"(?<year>\d+)", r"(?P<year>\d+)", 0),
        (r"(?<=a)b(?<!c)", r"(?<=a)b(?<!c)", 0),
        (r"\d{3}\/\d", r"\d{3}\/\d", 0),
    ],
)
def test_a_rule_is_bare_or_delimited(rule: str, pattern: str, flags: int) -> None:
    """Slashes with flags are read as in JavaScript, and so are named groups; anything else is the pattern itself."""
    assert compiled(rule) == re.compile(pattern, flags)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "rule is empty"),
        ("//", "rule is empty"),
        ("//gi", "rule is empty"),
        ("/a/x", "unknown flag 'x'. Choices: i, m, s, g, u"),
        ("/usr/bin", "unknown flag 'b'"),
        ("(", "no regular expression: missing )"),
        ("[a", "no regular expression"),
        ("*a", "no regular expression: nothing to repeat"),
        ("a(?i)", "no regular expression"),
        ("(?<a>x)(?<a>y)", "no regular expression"),
        ("a{4294967296}", "no regular expression"),
        ("(" * 5000 + ")" * 5000, "no regular expression"),
    ],
    ids=lambda value: value[:20],
)
@pytest.mark.parametrize("make", [RegexMatch, RegexReplace])
def test_a_rule_that_cannot_be_meant_is_refused(make: Any, rule: str, said: str) -> None:
    """An empty or invalid pattern and an unknown flag are a ConfigError when the check is made."""
    with pytest.raises(ConfigError) as caught:
        make(rule)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("said", "failing"),
    [(["a1"], []), (["a"], [0]), (["a", "b"], [1]), (["1", "b"], []), (["a", "b", "2"], []), ([], [])],
)
def test_a_required_match_may_be_in_any_text(said: list[str], failing: list[int]) -> None:
    """Without ``not``, one match in any text is enough, and its absence is one finding on the last text."""
    found = RegexMatch(r"\d")(texts(*said))
    assert [(f.message_index, f.category, f.start, f.end) for f in found] == [
        (i, "format", None, None) for i in failing
    ]


def test_every_forbidden_match_is_a_finding() -> None:
    """With ``not``, each match of each text is a finding with its span; tool arguments are searched, too."""
    said = [Text("1 a 23", 0), Text("none", 1), Text('{"n": 4}', 2, "tool_calls.0.function.arguments")]
    found = RegexMatch("[0-9]+", not_=True)(said)
    assert [(f.message_index, f.field, f.start, f.end) for f in found] == [
        (0, "content", 0, 1),
        (0, "content", 4, 6),
        (2, said[2].field, 6, 7),
    ]
    assert {(f.name, f.category) for f in found} == {("default.regexMatch", "content")}


def test_an_empty_forbidden_match_has_no_span() -> None:
    """A match of no characters is a finding all the same, on the whole text."""
    (found,) = RegexMatch("^(?=a)", not_=True)(texts("ab"))
    assert (found.start, found.end) == (None, None)


def test_flags_and_anchors_count() -> None:
    """Flags change what matches, and anchors hold for the whole text unless ``m`` is given."""
    assert RegexMatch("/foo/i", not_=True)(texts("FOO"))
    assert not RegexMatch("foo", not_=True)(texts("FOO"))
    assert not RegexMatch("^b", not_=True)(texts("a\nb"))
    assert RegexMatch("/^b/m", not_=True)(texts("a\nb"))
    assert not RegexMatch("a.b", not_=True)(texts("a\nb"))
    assert RegexMatch("/a.b/s", not_=True)(texts("a\nb"))


def test_every_match_is_replaced() -> None:
    """Each match carries its span and the replacement, with or without the ``g`` flag."""
    for rule in (r"\d+", r"/\d+/", r"/\d+/g"):
        assert RegexReplace(rule, "#")([Text("1 and 22", 4)]) == [
            Finding("default.regexReplace", "content", message_index=4, start=0, end=1, replacement="#"),
            Finding("default.regexReplace", "content", message_index=4, start=6, end=8, replacement="#"),
        ]


@pytest.mark.parametrize("rule", ["a*", "x?", "(a|)", "^", r"\b|"])
def test_a_replacement_of_nothing_is_refused(rule: str) -> None:
    """A rule that matches the empty text would replace nothing everywhere."""
    with pytest.raises(ConfigError, match="matches the empty text"):
        RegexReplace(rule)


def test_an_empty_match_replaces_nothing() -> None:
    """A rule that only looks around finds no character to replace."""
    assert RegexReplace("(?<=a)(?=b)")(texts("ab")) == []


@pytest.mark.parametrize(
    ("parameters", "verdict", "received"),
    [
        ({}, Verdict.ALLOW, "my [REDACTED] and [REDACTED]"),
        ({"redactText": "[SSN]"}, Verdict.ALLOW, "my [SSN] and [SSN]"),
        ({"redact_text": ""}, Verdict.ALLOW, "my  and "),
        ({"redactText": r"\g<0>\1"}, Verdict.ALLOW, r"my \g<0>\1 and \g<0>\1"),
        ({"failOnDetection": True}, Verdict.BLOCK, None),
        ({"failOnDetection": False}, Verdict.ALLOW, "my [REDACTED] and [REDACTED]"),
        ({"action": "deny"}, Verdict.BLOCK, None),
        ({"action": "warn"}, Verdict.ALLOW, "my 123-45-6789 and 987-65-4321"),
    ],
)
def test_portkeys_parameter_names_of_the_replacement(
    parameters: dict[str, Any], verdict: Verdict, received: str | None
) -> None:
    """``redactText`` is taken literally, and ``failOnDetection`` denies; upstream receives what the engine wrote."""
    rule = {"rule": r"/\d{3}-\d{2}-\d{4}/", **parameters}
    engine = Engine.from_config({"input_guardrails": [{"id": "g", "deny": True, "default.regexReplace": rule}]})
    trace = engine.run("my 123-45-6789 and 987-65-4321")
    assert trace.verdict is verdict
    assert [request.text for request in trace.upstream_requests] == ([] if received is None else [received])
    assert engine.run("nothing here").action is Action.NONE


@pytest.mark.parametrize(("invert", "blocked"), [(False, "no digit"), (True, "1 digit")])
def test_portkeys_parameter_names_of_the_match(invert: bool, blocked: str) -> None:
    """``rule`` and ``not`` are the names in Portkey's manifest."""
    engine = Engine.from_config({"input_guardrails": [{"deny": True, "regexMatch": {"rule": r"\d", "not": invert}}]})
    verdicts = {said: str(engine.run(said).verdict) for said in ("no digit", "1 digit")}
    assert [said for said, verdict in verdicts.items() if verdict == "block"] == [blocked]


@given(st.text("ab1 ", max_size=30), st.sampled_from(["1", "a+", "/A/i", "b1|1b", "(?<x>a)b"]))
def test_the_engine_replaces_what_re_would(said: str, rule: str) -> None:
    """What upstream receives is what ``re.sub`` makes of the text with a literal replacement, and twice is once."""
    engine = Engine.from_config({"input_guardrails": [{"id": "g", "regexReplace": {"rule": rule, "redactText": "#"}}]})
    (received,) = engine.run(said).upstream_requests
    assert received.text == compiled(rule).sub("#", said)
    assert engine.run(received).upstream_requests[0].text == received.text
