"""Cases to the text of a case file that reads back as them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import ENDPOINTS, Case, Expectation, Message


def dump(cases: Iterable[Case]) -> str:
    """Return the text of a case file that reads back as ``cases``, every text quoted.

    Raises:
        ConfigError: for a text with a lone surrogate, which YAML cannot hold.
    """
    return "cases:\n" + "".join(_block([_plain(case)], 2) for case in cases)


def _plain(case: Case) -> dict[str, Any]:
    request, asked = case.request, case.expectation
    out: dict[str, Any] = {"id": case.id, "severity": case.severity, "label": case.label, "tags": list(case.tags)}
    if request.messages == (Message("user", request.text),):
        out["input"] = request.text
    else:
        out["messages"] = [_given(message) for message in request.messages]
    out["endpoint"] = None if request.endpoint == ENDPOINTS[0] else request.endpoint
    out["stream"] = request.stream or None
    out["response"] = None if case.response is None else list(case.response)
    out["expect"] = {key: as_data(value) for key, value in _given(asked).items()}
    if case.fault is not None:
        on_call = case.fault_on_call
        out["fault"] = case.fault if on_call is None else {"name": case.fault, "on_call": on_call}
    out.update(xfail=case.xfail, skip=case.skip, note=case.note, near_miss=list(case.near_miss) or None)
    return {key: value for key, value in out.items() if value is not None and (key != "tags" or value)}


def as_data(value: Any) -> Any:
    """Return what an expectation asks as plain data: messages become mappings of what is not as by default."""
    if isinstance(value, list | tuple):
        return [_given(item) if isinstance(item, Message) else item for item in value]
    return value


def _given(value: Expectation | Message) -> dict[str, Any]:
    """Return the fields that are not as they are by default."""
    pairs = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {field.name: item for field, item in pairs if item != field.default}


def _block(value: Any, indent: int) -> str:
    """Write a mapping or list of mappings as block YAML, anything inside them as flow."""
    pad = " " * indent
    if isinstance(value, list):
        return "".join(f"{pad}- {_block(item, indent + 2).lstrip()}" for item in value)
    return "".join(f"{pad}{key}: {flow(item)}\n" for key, item in value.items())


def flow(value: Any) -> str:
    """Return plain data as YAML in flow style, every text quoted."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quoted(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    return quoted(str(value))


def quoted(text: str) -> str:
    """Return ``text`` as a double-quoted YAML scalar."""
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    code = ord(letter)
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable() and code != 0xFEFF:
        return letter
    if 0xD800 <= code <= 0xDFFF:
        raise ConfigError(f"a lone surrogate (U+{code:04X}) cannot be written as YAML")
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
