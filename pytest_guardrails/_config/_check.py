"""A use of a check to the check, built from its parameters."""

from __future__ import annotations

import importlib.metadata
import typing
from collections.abc import Callable
from typing import Any

from pytest_guardrails._config._uses import Use
from pytest_guardrails._document import Node
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Check, Phase
from pytest_guardrails._parameters import parameters_of_factory, read_value, required_parameters, snake_keys
from pytest_guardrails.checks import BUILT_IN, factories


def check_of(use: Use, phase: Phase, action: str | None, deny: Node | None) -> tuple[Check, bool | None]:
    """Build a check from its parameters; the second value is its ``failOnError``, None where it says nothing.

    A check that rewrites does what its own ``action`` says, else what the guardrail's says, else it denies under
    ``deny: true`` unless it is one of Portkey's redactors, which pass; else it sanitizes.
    """
    make = _factory(use)
    hints = parameters_of_factory(make)
    nodes = snake_keys(use.parameters, f"parameters of {use.check}") if use.parameters is not None else {}
    fail_on_error = nodes.pop("fail_on_error").boolean("failOnError") if "fail_on_error" in nodes else None
    arguments: dict[str, Any] = {name: phase for name, hint in hints.items() if hint is Phase}
    for key, node in nodes.items():
        name = f"{key}_" if f"{key}_" in hints else key
        if name not in hints or name in arguments:
            known = [hint.rstrip("_") for hint in hints if hint not in arguments]
            node.fail(unknown(f"parameter of {use.check}", key, known))
        arguments[name] = read_value(node, hints[name], f"parameter {key} of {use.check}")
    missing = [hint.rstrip("_") for hint in required_parameters(make) if hint not in arguments]
    if missing:
        use.place.fail(f"{use.check} needs the parameter {missing[0]!r}")
    if "action" in hints:
        denies = deny is not None and deny.boolean("deny")
        own = arguments.get("action")
        if own is not None and action is not None and own != action:
            nodes["action"].fail(f"action: {own} inside a guardrail with action: {action} says two things")
        if own == "deny" and deny is not None and not denies:
            nodes["action"].fail("action: deny inside a guardrail with deny: false says two things")
        if arguments.get("fail_on_detection") and not denies:
            nodes["fail_on_detection"].fail("failOnDetection only warns without deny: true; write deny: true")
        redacts = "deny" if denies and not getattr(make, "passes_under_deny", False) else "sanitize"
        arguments["action"] = own or action or redacts
    try:
        check = make(**arguments)
    except ConfigError as exc:
        use.place.fail(f"{use.check}: {exc.message}")
    except (TypeError, ValueError) as exc:  # another package's way to say the same
        use.place.fail(f"{use.check}: {exc}")
    return check, fail_on_error


def _factory(use: Use) -> Callable[..., Check]:
    found = factories()[use.check][0]
    if use.check not in BUILT_IN:  # an entry point, of whichever class: importlib_metadata, once imported, has its own
        try:
            found = typing.cast("importlib.metadata.EntryPoint", found).load()
        except Exception as exc:  # another package's code may fail in any way
            use.place.fail(f"check {use.check!r} cannot be imported: {type(exc).__name__}: {exc}")
    return typing.cast("Callable[..., Check]", found)
