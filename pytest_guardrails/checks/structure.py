"""Checks of Portkey's ``default`` plugin about JSON in a text: keys, and schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pytest_guardrails._codec import FrozenDict, freeze
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Finding, Text
from pytest_guardrails.checks.wording import contents, failure

_MOST_STARTS = 50  # how many opening brackets of a text are tried, so that a hostile text costs little


@dataclass(frozen=True, slots=True)
class JsonKeys:
    """Every content holds a JSON object with any, all or none of ``keys`` at its top."""

    keys: tuple[str, ...]
    operator: Literal["any", "all", "none"]
    id: ClassVar[str] = "default.jsonKeys"

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigError("keys is a list of at least one key")

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per content without such an object."""
        return [failure(self.id, text) for text in contents(texts) if not self._passes(text.text)]

    def _passes(self, text: str) -> bool:
        there = [[key in value for key in self.keys] for value in _objects(text) if isinstance(value, Mapping)]
        if self.operator == "none":  # every object of the text is free of them, and there is one
            return bool(there) and not any(map(any, there))
        return any(map(any if self.operator == "any" else all, there))


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """Every content holds JSON that is valid under ``schema``; ``not`` inverts."""

    schema: Mapping[str, Any]
    not_: bool = False
    id: ClassVar[str] = "default.jsonSchema"
    _validator: Any = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        import jsonschema
        import referencing

        kind = jsonschema.validators.validator_for(self.schema, default=jsonschema.Draft202012Validator)
        try:
            kind.check_schema(dict(self.schema))
        except jsonschema.SchemaError as exc:
            raise ConfigError(f"schema is no JSON Schema: {exc.message}") from None
        # An empty registry: a $ref to another document is an error of the check, never a download.
        validator = kind(dict(self.schema), registry=referencing.Registry())
        object.__setattr__(self, "schema", freeze(self.schema) if self.schema else FrozenDict())
        object.__setattr__(self, "_validator", validator)

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per content without JSON that fits."""
        return [
            failure(self.id, text)
            for text in contents(texts)
            if any(map(self._validator.is_valid, _objects(text.text))) is self.not_
        ]


def _objects(text: str) -> Iterator[Any]:
    """Yield the JSON values in a text: the whole of it, else the objects and lists that begin inside.

    Raises:
        ValueError: where more brackets open than are tried; an error of the check, so that nothing hides behind them.
    """
    try:
        yield json.loads(text)
        return
    except (ValueError, RecursionError):
        pass
    decoder = json.JSONDecoder()
    position, tried = 0, 0
    while starts := [start for start in (text.find("{", position), text.find("[", position)) if start >= 0]:
        tried += 1
        if tried > _MOST_STARTS:
            raise ValueError(f"more than {_MOST_STARTS} brackets open where no JSON is")
        try:
            value, position = decoder.raw_decode(text, min(starts))
            yield value
        except (ValueError, RecursionError):
            position = min(starts) + 1
