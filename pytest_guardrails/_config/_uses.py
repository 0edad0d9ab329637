"""The checks that a guardrail uses, in each form in which they can be written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_guardrails._document import Node
from pytest_guardrails._errors import unknown
from pytest_guardrails._parameters import snake, snake_keys
from pytest_guardrails.checks import factories

GUARDRAIL_KEYS = (
    "id", "type", "checks", "deny", "async", "sequential", "on_fail", "on_success", "action", "on_error", "scope",
)  # fmt: skip
CHECK_KEYS = ("id", "parameters", "is_enabled")


@dataclass(frozen=True, slots=True)
class Use:
    """A check as a guardrail uses it: its id, where it stands, its parameters."""

    check: str
    place: Node
    parameters: Node | None
    enabled: bool = True


def settings_of(item: Node) -> dict[str, Node]:
    """Return the guardrail's own keys, in snake case; the other keys of a shorthand are checks."""
    if not isinstance(item.value, dict):
        item.fail(f"a guardrail is an id or a mapping, not {item.kind}")
    own = {}
    for key, node in item.value.items():
        if (name := snake(key)) in GUARDRAIL_KEYS:
            if name in own:
                node.fail(f"{key!r} is there twice, in snake case and in camel case")
            own[name] = node
    return own


def uses_of(item: Node, settings: Mapping[str, Node]) -> Iterator[Use]:
    """Yield the checks of a hook (under ``checks``) or of a shorthand (every key that is no guardrail's)."""
    others = {key: node for key, node in item.value.items() if snake(key) not in GUARDRAIL_KEYS}
    if "checks" not in settings:
        for key, node in others.items():
            yield _shorthand(key, node)
        return
    for key, node in others.items():
        node.fail(unknown("key in a guardrail", key, GUARDRAIL_KEYS))
    for check in settings["checks"].items("checks"):
        if isinstance(check.value, str):
            yield Use(known_check(check), check, None)
            continue
        keys = snake_keys(check, "a check", CHECK_KEYS)
        if "id" not in keys:
            check.fail("a check has no id")
        enabled = keys["is_enabled"].boolean("is_enabled") if "is_enabled" in keys else True
        yield Use(known_check(keys["id"]), check, keys.get("parameters"), enabled)


def _shorthand(key: str, node: Node) -> Use:
    inner = dict(node.value) if isinstance(node.value, dict) else {}
    named = inner.pop("id", None)
    enabled = next((inner.pop(name) for name in ("is_enabled", "isEnabled") if name in inner), None)
    if named is not None:
        check = known_check(named)
    else:
        check = next((name for name in (key, f"default.{key}") if name in factories()), key)
        if check not in factories():
            node.fail(unknown("guardrail key or check", key, [*GUARDRAIL_KEYS, *factories()]))
    parameters = dataclasses.replace(node, value=inner) if isinstance(node.value, dict) else node
    return Use(check, node, parameters, enabled.boolean("is_enabled") if enabled else True)


def known_check(node: Node) -> str:
    """Return the id of a known check, which may be written without ``default.``.

    Raises:
        ConfigError: for any other name, with the choices.
    """
    name = node.text("a check's id")
    known = next((candidate for candidate in (name, f"default.{name}") if candidate in factories()), None)
    if known is None:
        node.fail(unknown("check", name, factories()))
    return known
