"""Portkey's checks about JSON: where it stands in a text, its keys, its schema, and what a hostile text costs."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import ConfigError, Engine, Finding, Text
from pytest_guardrails.checks import JsonKeys, JsonSchema, structure

SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}


def passes(check: Any, said: str) -> bool:
    """Return whether a check finds nothing in one content."""
    return not check([Text(said)])


@pytest.mark.parametrize(
    ("said", "any_", "all_", "none"),
    [
        ('{"a": 1, "b": 2, "c": 3}', True, True, False),
        ('{"a": 1}', True, False, False),
        ('{"c": 1}', False, False, True),
        ("{}", False, False, True),
        ('{"c": {"a": 1, "b": 2}}', False, False, True),
        ('Sure: {"a": null, "b": 0} there', True, True, False),
        ('```json\n{"a": 1, "b": 2}\n```', True, True, False),
        ('{"x": 1} and {"a": 1}', True, False, False),
        ('["a", "b"]', False, False, False),
        ('"a"', False, False, False),
        ("5", False, False, False),
        ("no json", False, False, False),
        ("", False, False, False),
        ('{"a": 1', False, False, False),
        ("{'a': 1}", False, False, False),
        ('{broken {"a": 1, "b": 2}', True, True, False),
        ('[1, {"a": 1, "b": 2}, oops', True, True, False),
    ],
)
def test_json_keys_asks_an_object_in_the_text_for_its_keys(said: str, any_: bool, all_: bool, none: bool) -> None:
    """Keys are asked of the top of an object that is the text or begins in it; no object is a failure."""
    found = [passes(JsonKeys(("a", "b"), operator), said) for operator in ("any", "all", "none")]  # type: ignore[arg-type]
    assert found == [any_, all_, none]


def test_json_keys_needs_a_key() -> None:
    """An empty list of keys is a mistake."""
    with pytest.raises(ConfigError, match="keys is a list of at least one key"):
        JsonKeys((), "any")


@pytest.mark.parametrize(
    ("said", "valid"),
    [
        ('{"a": 1}', True),
        ('{"a": 1, "b": [null]}', True),
        ('{"a": "1"}', False),
        ('{"a": 1.5}', False),
        ("{}", False),
        ("[]", False),
        ("1", False),
        ('The answer is {"a": 1}.', True),
        ('{"a": "x"} or {"a": 2}', True),
        ('{"b": {"a": 1}}', False),
        ("no json", False),
        ("", False),
    ],
)
def test_json_schema_asks_for_json_that_fits(said: str, valid: bool) -> None:
    """Some JSON in the text must be valid; ``not`` turns it around."""
    assert passes(JsonSchema(SCHEMA), said) is valid
    assert passes(JsonSchema(SCHEMA, not_=True), said) is not valid


def test_each_content_is_asked_and_no_tool_argument() -> None:
    """Every failing content is one finding without a span; arguments of tools are not asked."""
    said = [Text("x", 0), Text('{"a": 1}', 1), Text("y", 2, "content.1.text"), Text("z", 3, "tool_calls.0.x")]
    for check in (JsonKeys(("a",), "all"), JsonSchema(SCHEMA)):
        assert check(said) == [
            Finding(check.id, "format", message_index=0),
            Finding(check.id, "format", message_index=2, field="content.1.text"),
        ]
        assert check([]) == []


@pytest.mark.parametrize(
    "schema", [{"type": "objekt"}, {"required": "a"}, {"properties": []}, {"minimum": "1"}, {"pattern": 1}]
)
def test_a_schema_that_is_none_is_refused(schema: dict[str, Any]) -> None:
    """What its own meta-schema refuses is a ConfigError when the check is made."""
    with pytest.raises(ConfigError, match="schema is no JSON Schema: "):
        JsonSchema(schema)


def test_a_schema_may_name_its_draft() -> None:
    """``$schema`` chooses the rules: draft 4 has a boolean exclusiveMinimum, later ones a number."""
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True}
    assert not passes(JsonSchema(old), "1")
    assert passes(JsonSchema(old), "2")
    with pytest.raises(ConfigError):
        JsonSchema({"exclusiveMinimum": True})


def test_references_inside_a_schema_are_followed() -> None:
    """A ``$ref`` to a definition of the same schema is resolved."""
    check = JsonSchema({"$defs": {"n": {"type": "integer"}}, "type": "array", "items": {"$ref": "#/$defs/n"}})
    assert [passes(check, said) for said in ("[1]", '["1"]')] == [True, False]


def test_a_reference_to_elsewhere_is_an_error_of_the_check() -> None:
    """A ``$ref`` to another document is never fetched: the check errors, and the engine blocks to be safe."""
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}
    engine = Engine.from_config({"output_guardrails": [{"id": "g", "jsonSchema": {"schema": schema}}]})
    trace = engine.run("x", upstream=lambda _request: "{}")
    assert (trace.verdict == "block", [error.check for error in trace.errors]) == (True, ["default.jsonSchema"])


def test_checks_are_values() -> None:
    """Equal schemas make equal, hashable checks, however their keys are ordered."""
    first, second = JsonSchema({"type": "object", "required": ["a"]}), JsonSchema({"required": ["a"], "type": "object"})
    assert first == second
    assert hash(first) == hash(second)
    assert first != JsonSchema({"type": "object"})


@pytest.mark.parametrize(
    ("check", "parameters", "good", "bad"),
    [
        ("jsonKeys", {"keys": ["a"], "operator": "all"}, '{"a": 1}', '{"b": 1}'),
        ("jsonKeys", {"keys": "a", "operator": "none"}, '{"b": 1}', '{"a": 1}'),
        ("jsonSchema", {"schema": SCHEMA}, '{"a": 1}', '{"a": "x"}'),
        ("jsonSchema", {"schema": SCHEMA, "not": True}, '{"a": "x"}', '{"a": 1}'),
    ],
)
def test_portkeys_parameter_names_reach_the_checks(check: str, parameters: dict[str, Any], good: str, bad: str) -> None:
    """Each check is configured with the names in Portkey's manifest, and decides what the caller gets."""
    engine = Engine.from_config({"output_guardrails": [{"id": "g", "deny": True, check: parameters}]})
    runs = [engine.run("x", upstream=lambda _request, said=said: said) for said in (good, bad)]  # type: ignore[misc]
    assert [str(run.verdict) for run in runs] == ["allow", "block"]


@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_a_whole_json_text_is_its_value(value: Any) -> None:
    """A text that is JSON yields that value and no part of it."""
    assert list(structure._objects(json.dumps(value))) == [value]


@given(st.text(st.characters(exclude_characters="{[")), st.dictionaries(st.text(), st.integers()), st.text())
def test_an_object_is_found_after_any_text_without_brackets(before: str, value: dict[str, int], after: str) -> None:
    """An object or list that begins in a text is found, whatever stands around it."""
    found = structure._objects(f"{before}x{json.dumps(value)}{after}")
    assert next(found) == value


HOSTILE = {
    "openers": "{" * 100_000,
    "lists": "[" * 100_000,
    "both": "{[" * 50_000,
    "keys": '{"a":' * 50_000,
    "unclosed texts": '{"' * 50_000,
    "one unclosed text": '{"a": "' + "x" * 100_000,
    "many small ones": "{} " * 50_000,
    "digits": "[" + "9" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_given_up_after_fifty_attempts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many brackets a text has, at most fifty of them are tried before the check gives up with an error."""
    attempts: list[int] = []

    class Counting(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
            attempts.append(idx)
            return super().raw_decode(s, idx)

    monkeypatch.setattr(structure.json, "JSONDecoder", Counting)
    with contextlib.suppress(ValueError):
        JsonKeys(("zz",), "any")([Text(HOSTILE[name])])
    assert attempts
    assert len(attempts) <= 50
    assert attempts == sorted(set(attempts))


def test_json_after_fifty_brackets_is_given_up() -> None:
    """The limit is on opening brackets: the fiftieth is tried, the next is an error."""
    assert passes(JsonKeys(("a",), "any"), "{ " * 49 + '{"a": 1}')
    with pytest.raises(ValueError, match="more than 50 brackets"):
        passes(JsonKeys(("a",), "any"), "{ " * 50 + '{"a": 1}')


def test_none_of_the_keys_means_no_object_of_the_text() -> None:
    """One clean object beside another does not hide a forbidden key."""
    check = JsonKeys(("a",), "none")
    assert check([Text('{"a": 1} {}')])
    assert not check([Text('{"b": 1} {}')])


def test_json_hidden_behind_brackets_is_an_error() -> None:
    """Where more brackets open than are tried, the check gives no answer, and so the guardrail blocks."""
    check = JsonSchema({"type": "object"}, not_=True)
    with pytest.raises(ValueError, match="brackets"):
        check([Text("{" * 51 + ' {"a": 1}')])
