"""The parameters of a check, read as the types that its factory declares, in snake case or camel case."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pytest_guardrails._codec import freeze
from pytest_guardrails._document import Node
from pytest_guardrails._errors import unknown

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def parameters_of_factory(make: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters of a factory and their types."""
    plain_class = isinstance(make, type) and not dataclasses.is_dataclass(make)
    hints = typing.get_type_hints(make.__init__ if plain_class else getattr(make, "__wrapped__", make))
    return {name: hints.get(name, Any) for name in inspect.signature(make).parameters}


def required_parameters(make: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters without a default."""
    return [name for name, p in inspect.signature(make).parameters.items() if p.default is inspect.Parameter.empty]


def read_value(node: Node, hint: Any, what: str) -> Any:
    """Read a parameter as the type that its factory declares."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if node.is_empty or (node.plain and node.value == "null"):
            return None
        return read_value(node, next(part for part in arguments if part is not type(None)), what)
    if origin is Literal:
        return node.choice(what, [choice for choice in arguments if choice is not None])
    readers: dict[Any, Callable[[str], Any]] = {
        bool: node.boolean, int: node.integer, float: node.number, str: node.text,
    }  # fmt: skip
    if hint in readers:
        return readers[hint](what)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        inner = node.mapping(what)
        return {key: read_value(item, arguments[1], f"{what}.{key}") for key, item in inner.items()}
    if origin is not None and arguments and arguments[0] is str:
        return node.texts(what)
    if origin is not None and arguments and str in typing.get_args(arguments[0]):  # a text, or a mapping
        items = node.items(what) if isinstance(node.value, list) else [node]
        return tuple(item.text(what) if isinstance(item.value, str) else freeze(item.data()) for item in items)
    return node.data()


def snake(key: str) -> str:
    """Return a key in snake case: ``minWords`` and ``min_words`` are one key."""
    return _CAMEL.sub("_", key).lower()


def snake_keys(node: Node, what: str, keys: tuple[str, ...] | None = None) -> dict[str, Node]:
    """Return a mapping under its keys in snake case; ``keys`` are the ones it may have."""
    out: dict[str, Node] = {}
    for key, value in node.mapping(what).items():
        name = snake(key)
        if keys is not None and name not in keys:
            value.fail(unknown(f"key in {what}", key, keys))
        if name in out:
            value.fail(f"{key!r} is there twice, in snake case and in camel case")
        out[name] = value
    return out
