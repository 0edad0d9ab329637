"""Data against a schema: the few keywords that our schema uses, fast enough for a report of many thousand cases."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from pytest_guardrails._errors import unknown

Rule = Callable[[Any], None]
Rules = Mapping[type, Rule]  # by the Python type that a JSON value is read as

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (float, int),
}
_NAMES = {kind: name for name, kinds in _TYPES.items() for kind in kinds if name != "number"} | {float: "number"}
_LONGEST = 60


class Mismatch(ValueError):  # noqa: N818 - what data is, not what went wrong here
    """Data that is not as its schema says; ``steps`` lead there, the last one first."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.steps: list[str] = []

    def __str__(self) -> str:
        where = "".join(reversed(self.steps)).lstrip(".")
        return f"{where}: {self.args[0]}" if where else str(self.args[0])


def checker(schema: Mapping[str, Any]) -> Rule:
    """Return a function that raises a `Mismatch` for JSON data that is not as ``schema`` says."""
    compiler = _Compiler(schema.get("$defs", {}))
    rules = compiler.rules(schema)
    return lambda data: _apply(rules, data)


def _apply(rules: Rules, value: Any) -> None:
    rule = rules.get(type(value))
    if rule is None:
        _fail(f"expected {' or '.join(dict.fromkeys(_NAMES[kind] for kind in rules))}, got {_NAMES[type(value)]}")
    rule(value)


def _fail(what: str) -> NoReturn:
    raise Mismatch(what)


def _anything(_value: Any) -> None:
    """Refuse nothing."""


class _Compiler:
    """Turns schemas into rules; each definition once."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._made: dict[str, Rules] = {}

    def rules(self, schema: Mapping[str, Any]) -> Rules:
        """Return a rule per type that the schema allows."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in self._made:
                self._made[name] = self.rules(self._definitions[name])
            return self._made[name]
        if "anyOf" in schema:
            return {kind: rule for part in schema["anyOf"] for kind, rule in self.rules(part).items()}
        if "const" in schema or "enum" in schema:
            return {str: _one_of(schema.get("enum") or [schema["const"]])}
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        return {kind: self._rule(name, schema) for name in names for kind in _TYPES[name]}

    def _rule(self, name: str, schema: Mapping[str, Any]) -> Rule:
        if name == "object":
            return self._object(schema)
        if name == "array":
            return self._array(schema)
        if name == "integer":
            return _within(schema["minimum"], schema["maximum"])
        return _float if name == "number" else _anything

    def _object(self, schema: Mapping[str, Any]) -> Rule:
        known = {key: self.rules(part) for key, part in schema.get("properties", {}).items()}
        required, more = schema.get("required", ()), schema.get("additionalProperties", True)
        others = self.rules(more) if isinstance(more, Mapping) else None
        keys = re.compile(schema.get("propertyNames", {}).get("pattern", ""))

        def rule(value: dict[str, Any]) -> None:
            for key, item in value.items():
                own = known.get(key, others)
                if own is None:
                    if more is True:
                        continue
                    _fail(unknown("key", key[:_LONGEST], known))
                if not keys.search(key):
                    _fail(f"{key[:_LONGEST]!r} cannot be a key here")
                try:
                    _apply(own, item)
                except Mismatch as exc:
                    exc.steps.append(f".{key[:_LONGEST]}")
                    raise
            for key in required:
                if key not in value:
                    _fail(f"{key} is missing")

        return rule

    def _array(self, schema: Mapping[str, Any]) -> Rule:
        items, least, most = self.rules(schema["items"]), schema.get("minItems", 0), schema.get("maxItems")

        def rule(value: list[Any]) -> None:
            if len(value) < least or (most is not None and len(value) > most):
                _fail(f"expected {f'{least}' if least == most else f'at least {least}'} items, got {len(value)}")
            for index, item in enumerate(value):
                try:
                    _apply(items, item)
                except Mismatch as exc:
                    exc.steps.append(f"[{index}]")
                    raise

        return rule


def _one_of(choices: list[str]) -> Rule:
    def rule(value: str) -> None:
        if value not in choices:
            _fail(unknown("value", value[:_LONGEST], choices))

    return rule


def _within(least: int, most: int) -> Rule:
    def rule(value: int) -> None:
        if not least <= value <= most:
            _fail(f"expected a whole number from {least} to {most}")

    return rule


def _float(value: float) -> None:
    if not abs(value) <= sys.float_info.max:
        _fail("expected a number that a float can hold")
