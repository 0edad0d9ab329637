"""One entry of a phase to a guardrail: what it does where its checks fire, err or pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_guardrails._config._check import check_of
from pytest_guardrails._config._uses import Use, known_check, settings_of, uses_of
from pytest_guardrails._document import Node
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Action, Check, Guardrail, OnError, Phase, Scope
from pytest_guardrails._parameters import snake_keys
from pytest_guardrails.checks import factories

SCOPE_KEYS = ("messages", "roles")


def guardrail_of(item: Node, phase: Phase, fallback: str, definitions: Mapping[str, Node], used: set[str]) -> Guardrail:
    """Read one entry of a phase: an id, a check's name, a hook object, or Portkey's shorthand."""
    if isinstance(item.value, str):
        name = item.text("a guardrail")
        if name in definitions:
            used.add(name)
            return _defined(name, definitions[name], phase)
        if name in factories():
            return _built(item, name, phase, {}, [Use(name, item, None)], bare=True)
        item.fail(unknown("guardrail id or check", name, [*definitions, *factories()]))
    settings = settings_of(item)
    name = settings["id"].text("id") if "id" in settings else fallback
    uses = list(uses_of(item, settings))
    reference = "id" in settings and set(settings) <= {"id", "type"}
    if not uses and reference and name not in (*definitions, *factories()):
        settings["id"].fail(unknown("guardrail id or check", name, [*definitions, *factories()]))
    if not uses and name in definitions:
        extra = [key for key in settings if key not in ("id", "type")]
        if extra:
            item.fail(f"guardrail {name!r} is defined above; {extra[0]} belongs there")
        used.add(name)
        return _defined(name, definitions[name], phase)
    if not uses and name in factories() and "checks" not in settings:
        bare = "deny" not in settings and "action" not in settings
        return _built(item, name, phase, settings, [Use(name, item, None)], bare=bare)
    return _built(item, name, phase, settings, uses)


def _defined(name: str, node: Node, phase: Phase) -> Guardrail:
    if isinstance(node.value, str):
        return _built(node, name, phase, {}, [Use(known_check(node), node, None)], bare=True)
    settings = settings_of(node)
    if "id" in settings and settings["id"].text("id") != name:
        settings["id"].fail(f"guardrail {name!r} has another id inside: {settings['id'].value!r}")
    return _built(node, name, phase, settings, list(uses_of(node, settings)))


def _built(
    item: Node, name: str, phase: Phase, settings: Mapping[str, Node], uses: list[Use], *, bare: bool = False
) -> Guardrail:
    if "type" in settings:
        settings["type"].choice("type", ("guardrail", "mutator"))
    for key in ("on_fail", "on_success"):
        if key in settings:  # Portkey's feedback scores: they change no verdict
            settings[key].mapping(key, ("feedback",))
    active = [use for use in uses if use.enabled]
    if not active:
        reason = "every check of it is disabled" if uses else "it has no checks"
        item.fail(f"guardrail {name!r} would pass everything: {reason}")
    chosen, action = _action(settings, bare), None
    if chosen is not None:
        action = chosen.value
    checks, open_by_parameter = [], set()
    for use in active:
        check, fail_on_error = check_of(use, phase, action, settings.get("deny"))
        if action is None and "deny" in settings and not _flag(settings, "deny") and getattr(check, "denies", False):
            settings["deny"].fail(
                f"{check.id} denies by itself what it does not mask: leave deny: false out, or write action: warn"
            )
        checks.append(check)
        open_by_parameter.add(fail_on_error)
    observes = _flag(settings, "async")
    mutates = "type" in settings and settings["type"].value == "mutator"
    said: dict[str, Any] = {
        "action": Action.WARN if observes else _guardrail_action(item, settings, checks, chosen, bare),
        "on_error": OnError.ALLOW if observes else _on_error(item, settings, open_by_parameter),
        "scope": _scope(settings.get("scope")),
        "sequential": _flag(settings, "sequential") or mutates,
        "disabled": tuple(use.check for use in uses if not use.enabled),
    }
    try:
        return Guardrail(name, phase, tuple(checks), **said)
    except ConfigError as exc:
        item.fail(exc.message)


def _flag(settings: Mapping[str, Node], key: str) -> bool:
    return settings[key].boolean(key) if key in settings else False


def _action(settings: Mapping[str, Node], bare: bool) -> Action | None:
    """Return the action that the guardrail names itself, refusing two that contradict each other."""
    action = None
    if "action" in settings:
        action = Action(settings["action"].choice("action", ("deny", "sanitize", "warn")))
    if "deny" in settings and action is not None:
        deny = settings["deny"].boolean("deny")
        if deny is not (action is Action.DENY):
            settings["deny"].fail(f"deny: {str(deny).lower()} and action: {action.value} say two things")
    if _flag(settings, "async") and (_flag(settings, "deny") or action in (Action.DENY, Action.SANITIZE)):
        settings["async"].fail("an async guardrail only observes: it can neither deny nor sanitize")
    if _flag(settings, "async") and "on_error" in settings and settings["on_error"].value == "block":
        settings["on_error"].fail("an async guardrail only observes: its errors cannot block")
    return action


def _guardrail_action(
    item: Node, settings: Mapping[str, Node], checks: list[Check], chosen: Action | None, bare: bool
) -> Action:
    rewriters = [check for check in checks if getattr(check, "rewrites", None)]
    if chosen is Action.SANITIZE and len(rewriters) < len(checks):
        only = next(check.id for check in checks if check not in rewriters)
        settings["action"].fail(f"{only} only detects: it cannot sanitize; give it a guardrail that denies or warns")
    if chosen is not None:
        return chosen
    if _flag(settings, "deny") or (bare and not rewriters):
        return Action.DENY
    return Action.SANITIZE if rewriters else Action.WARN


def _on_error(item: Node, settings: Mapping[str, Node], by_parameter: set[bool | None]) -> OnError:
    """Read ``on_error`` and Portkey's ``failOnError``; blocking is the default."""
    said = by_parameter - {None}
    if len(said) > 1:
        item.fail("its checks disagree on failOnError; a guardrail has one on_error")
    written = OnError(settings["on_error"].choice("on_error", list(OnError))) if "on_error" in settings else None
    parameter = None if not said else OnError.BLOCK if True in said else OnError.ALLOW
    if written and parameter and written is not parameter:
        settings["on_error"].fail(f"on_error: {written.value} and failOnError say two things")
    return written or parameter or OnError.BLOCK


def _scope(node: Node | None) -> Scope:
    if node is None:
        return Scope()
    if isinstance(node.value, str):
        return Scope(last_only=node.choice("scope", ("all", "last")) == "last")
    keys = snake_keys(node, "scope", SCOPE_KEYS)
    last = keys["messages"].choice("scope messages", ("all", "last")) == "last" if "messages" in keys else False
    roles = keys["roles"].texts("roles") if "roles" in keys else ()
    if "roles" in keys and not roles:
        keys["roles"].fail("roles is empty: no message would be checked")
    try:
        return Scope(last, roles)
    except ConfigError as exc:
        keys["roles"].fail(exc.message)
