"""Guard versions: equal configurations hash alike however they are written, and any change of what decides shows."""

from __future__ import annotations

import copy
import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import Engine, Finding, Guardrail, GuardVersion
from pytest_guardrails._config import version_of

CONFIGURATION: dict[str, Any] = {
    "version": "7",
    "guardrails": {
        "pii": {
            "checks": [
                {"id": "pii_redact", "parameters": {"entities": ["EMAIL", "PHONE"], "allowlist": ["a@b.example"]}}
            ]
        },
        "words": {
            "deny": True,
            "on_error": "allow",
            "scope": {"messages": "last", "roles": ["user", "assistant"]},
            "checks": [
                {"id": "default.contains", "parameters": {"words": ["foo"], "operator": "none"}},
                {"id": "default.wordCount", "parameters": {"minWords": 1, "maxWords": 9, "not": False}},
            ],
        },
    },
    "before_request_hooks": ["pii", "words"],
    "after_request_hooks": [
        {
            "id": "mod",
            "action": "warn",
            "checks": [{"id": "content_moderation", "parameters": {"categories": {"a": ["x"], "b": ["y"]}}}],
        },
        {
            "id": "json",
            "sequential": True,
            "jsonSchema": {"schema": {"type": "object", "required": ["a"], "maxProperties": 2}},
        },
    ],
}


def digest(data: dict[str, Any]) -> str:
    """Return the hash of a configuration."""
    return Engine.from_config(data).version.config_hash


def shuffled(value: Any, draw: st.DrawFn) -> Any:
    """Return a copy whose mappings have their keys in a drawn order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], draw) for key in draw(st.permutations(list(value)))}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


@given(st.data())
def test_the_order_of_keys_decides_nothing(data: st.DataObject) -> None:
    """A configuration with its keys in any other order, at any depth, has the same hash."""
    assert digest(shuffled(CONFIGURATION, data.draw)) == digest(CONFIGURATION)


def test_the_way_of_writing_decides_nothing() -> None:
    """Hook or shorthand, snake or camel case, with or without prefix or a written default: one meaning, one hash."""
    forms: list[dict[str, Any]] = [
        {
            "before_request_hooks": [
                {"id": "g", "deny": True, "checks": [{"id": "default.wordCount", "parameters": {"minWords": 2}}]}
            ]
        },
        {
            "beforeRequestHooks": [
                {
                    "id": "g",
                    "type": "guardrail",
                    "deny": True,
                    "checks": [{"id": "wordCount", "parameters": {"min_words": 2, "not": False}}],
                }
            ]
        },
        {"input_guardrails": [{"id": "g", "deny": True, "wordCount": {"minWords": 2}}]},
        {
            "inputGuardrails": [
                {
                    "id": "g",
                    "action": "deny",
                    "x": {"id": "wordCount", "minWords": 2},
                    "on_error": "block",
                    "scope": "all",
                }
            ]
        },
        {"guardrails": {"g": {"action": "deny", "default.wordCount": {"minWords": 2}}}, "input_guardrails": ["g"]},
    ]
    assert len({digest(form) for form in forms}) == 1


def change(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    """Return a function that sets the value at a path of a configuration."""

    def apply(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = to

    return apply


WORDS = ("guardrails", "words")
CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "entity": change("guardrails", "pii", "checks", 0, "parameters", "entities", to=["EMAIL"]),
    "allowlist": change("guardrails", "pii", "checks", 0, "parameters", "allowlist", to=[]),
    "placeholder": change("guardrails", "pii", "checks", 0, "parameters", "placeholder", to="*"),
    "action of a check": change("guardrails", "pii", "checks", 0, "parameters", "action", to="warn"),
    "word": change(*WORDS, "checks", 0, "parameters", "words", to=["fop"]),
    "one more word": change(*WORDS, "checks", 0, "parameters", "words", to=["foo", "bar"]),
    "operator": change(*WORDS, "checks", 0, "parameters", "operator", to="any"),
    "minimum": change(*WORDS, "checks", 1, "parameters", "minWords", to=2),
    "not": change(*WORDS, "checks", 1, "parameters", "not", to=True),
    "deny": change(*WORDS, "deny", to=False),
    "on_error": change(*WORDS, "on_error", to="block"),
    "scope messages": change(*WORDS, "scope", "messages", to="all"),
    "scope roles": change(*WORDS, "scope", "roles", to=["user", "tool"]),
    "sequential": change(*WORDS, "sequential", to=True),
    "a disabled check": change(*WORDS, "checks", 1, "is_enabled", to=False),
    "order of guardrails": change("before_request_hooks", to=["words", "pii"]),
    "phase of a guardrail": lambda data: data["after_request_hooks"].append(data["before_request_hooks"].pop()),
    "one guardrail less": change("after_request_hooks", to=CONFIGURATION["after_request_hooks"][:1]),
    "id": change("after_request_hooks", 0, "id", to="moderation"),
    "action": change("after_request_hooks", 0, "action", to="deny"),
    "category": change("after_request_hooks", 0, "checks", 0, "parameters", "categories", "a", to=["z"]),
    "schema": change("after_request_hooks", 1, "jsonSchema", "schema", "maxProperties", to=3),
    "deep in a schema": change("after_request_hooks", 1, "jsonSchema", "schema", "required", 0, to="b"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_what_decides_shows(name: str) -> None:
    """A changed parameter, action, scope, order or guardrail gives another hash."""
    data = copy.deepcopy(CONFIGURATION)
    CHANGES[name](data)
    assert digest(data) != digest(CONFIGURATION)


def test_all_those_changes_are_told_apart() -> None:
    """No two of the changes give the same hash."""
    hashes = set()
    for apply in CHANGES.values():
        data = copy.deepcopy(CONFIGURATION)
        apply(data)
        hashes.add(digest(data))
    assert len(hashes) == len(CHANGES)


def test_a_declared_version_is_said_and_not_hashed() -> None:
    """The declared version stands beside the hash, and changes nothing in it."""
    other = {**CONFIGURATION, "version": "8"}
    first, second = Engine.from_config(CONFIGURATION).version, Engine.from_config(other).version
    assert (first.declared, second.declared, first.config_hash) == ("7", "8", second.config_hash)
    undeclared = {key: value for key, value in CONFIGURATION.items() if key != "version"}
    assert Engine.from_config(undeclared).version.declared is None


def test_a_version_reads_as_declared_and_hash() -> None:
    """The text of a version is the declared one, or 'undeclared', with the first twelve digits of the hash."""
    version = Engine.from_config(CONFIGURATION).version
    assert re.fullmatch(r"7 \([0-9a-f]{12}\)", str(version))
    assert str(GuardVersion(None, "abc")) == "undeclared (abc)"


def test_packages_that_decide_are_named_with_their_versions() -> None:
    """The version names our package, and the one whose checksums decide."""
    assert Engine.from_config(CONFIGURATION).version.packages == {
        name: importlib.metadata.version(name) for name in ("pytest-guardrails", "python-stdnum")
    }


def test_an_engine_of_guardrails_hashes_as_its_configuration_does() -> None:
    """Guardrails handed over in Python have the version that they would have from a file."""
    engine = Engine.from_config(CONFIGURATION)
    assert Engine(engine.guardrails, version="7").version == engine.version
    assert Engine(engine.guardrails).version.declared is None
    whole = GuardVersion("x", "y")
    assert Engine(engine.guardrails, version=whole).version is whole


@dataclass(frozen=True)
class Holding:
    """A check whose field is nothing that JSON knows."""

    pattern: Any
    id: str = "holding"

    def __call__(self, _texts: object) -> list[Finding]:
        """Find nothing."""
        return []


def test_a_check_may_hold_what_json_does_not_know() -> None:
    """A foreign dataclass check with a pattern or a type in a field has a hash, and another one for another value."""
    first, again, other = (
        version_of([Guardrail("g", "before_request", (Holding(value),))]).config_hash  # type: ignore[arg-type]
        for value in (re.compile("a"), re.compile("a"), re.compile("b"))
    )
    assert first == again != other


def test_a_check_that_is_no_dataclass_shows_its_parameters() -> None:
    """A plain callable is hashed by its id, and by ``parameters`` where it has them."""

    class Plain:
        id = "plain"

        def __init__(self, parameters: object = None) -> None:
            self.parameters = parameters

        def __call__(self, _texts: object) -> list[Finding]:
            return []

    hashes = [
        version_of([Guardrail("g", "before_request", (Plain(parameters),))]).config_hash  # type: ignore[arg-type]
        for parameters in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2, "b": 2}, None)
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3
