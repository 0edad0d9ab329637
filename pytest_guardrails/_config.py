"""A configuration, in our words or Portkey's, to guardrails; what would silently pass is refused with its place."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_guardrails._codec import FrozenDict, encode
from pytest_guardrails._document import Node, from_data, parse_json, parse_yaml
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Action, Check, Guardrail, GuardVersion, OnError, Phase, Scope
from pytest_guardrails._parameters import parameters_of_factory, read_value, required_parameters, snake, snake_keys
from pytest_guardrails.checks import BUILT_IN, factories

PHASES = {  # where a phase is written in both ways, hooks come first, as in Portkey, whatever the order of keys
    "before_request_hooks": Phase.BEFORE_REQUEST,
    "input_guardrails": Phase.BEFORE_REQUEST,
    "after_request_hooks": Phase.AFTER_REQUEST,
    "output_guardrails": Phase.AFTER_REQUEST,
}
TOP_KEYS = (*PHASES, "guardrails", "version")
GUARDRAIL_KEYS = (
    "id", "type", "checks", "deny", "async", "sequential", "on_fail", "on_success", "action", "on_error", "scope",
)  # fmt: skip
CHECK_KEYS = ("id", "parameters", "is_enabled")
SCOPE_KEYS = ("messages", "roles")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Guardrails in the order in which they run, and the version that their effective configuration makes."""

    guardrails: tuple[Guardrail, ...]
    version: GuardVersion
    source: str


def load(path: str | Path) -> Configuration:
    """Read a configuration file, YAML or (by its suffix ``.json``) JSON.

    Raises:
        ConfigError: where it cannot be read or meant, with file, line and column.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot read the configuration: {exc.strerror}", file=str(path)) from None
    except UnicodeDecodeError:
        raise ConfigError("the configuration is not UTF-8", file=str(path)) from None
    parse = parse_json if str(path).endswith(".json") else parse_yaml
    return configure(parse(text, str(path)), str(path))


def read(data: Mapping[str, Any]) -> Configuration:
    """Read a configuration that is already Python data; its errors name a path such as ``input_guardrails[0]``."""
    return configure(from_data(data), "inline")


def configure(node: Node, source: str) -> Configuration:
    """Read a configuration from its node.

    Raises:
        ConfigError: for anything unknown, ambiguous, or that would let every request pass.
    """
    top = snake_keys(node, "the configuration", TOP_KEYS)
    definitions = _definitions(top.get("guardrails"))
    used: set[str] = set()
    guardrails: list[Guardrail] = []
    for key, phase in PHASES.items():
        if key in top:
            for index, item in enumerate(top[key].items(key), 1):
                guardrails.append(_guardrail(item, phase, f"{key[:-1]}_{index}", definitions, used))
                _refuse_repeated(guardrails, item)
    for name, definition in definitions.items():
        if name not in used:
            definition.fail(f"guardrail {name!r} is defined and in no phase: it would never run")
    if not guardrails:
        node.fail(f"no guardrail in any phase: every request would pass. Phases: {', '.join(PHASES)}")
    declared = top["version"].text("version") if "version" in top else None
    return Configuration(tuple(guardrails), version_of(guardrails, declared), source)


def version_of(guardrails: typing.Iterable[Guardrail], declared: str | None = None) -> GuardVersion:
    """Return what decides: equal configurations hash alike, however their keys are ordered."""
    effective = [_effective(guardrail) for guardrail in guardrails]
    digest = hashlib.sha256(json.dumps(effective, sort_keys=True, default=repr).encode()).hexdigest()
    packages = {name: importlib.metadata.version(name) for name in ("pytest-guardrails", "python-stdnum")}
    for guardrail in effective:
        for check in guardrail["checks"]:
            package = factories().get(check["id"], (None, None))[1]
            if package:
                packages[package] = importlib.metadata.version(package)
    return GuardVersion(declared, digest[:12], FrozenDict(packages))


def _effective(guardrail: Guardrail) -> dict[str, Any]:
    out: dict[str, Any] = {
        name: encode(getattr(guardrail, name)) for name in ("id", "phase", "action", "on_error", "scope", "sequential")
    }
    checks = [{"id": check.id, "parameters": _parameters_of(check)} for check in guardrail.checks]
    if not guardrail.sequential:  # the order of checks that all see the same text decides nothing
        checks.sort(key=lambda check: json.dumps(check, sort_keys=True, default=repr))
    out["checks"] = checks
    return out


def _parameters_of(check: Check) -> Any:
    if dataclasses.is_dataclass(check):
        fields = [f for f in dataclasses.fields(check) if f.init and not f.metadata.get("secret")]
        return {f.name: _encoded(getattr(check, f.name)) for f in fields}
    return getattr(check, "parameters", None)


def _encoded(value: Any) -> Any:
    try:
        return encode(value)
    except TypeError:  # another package's check may hold anything
        return repr(value)


def _definitions(node: Node | None) -> dict[str, Node]:
    if node is None:
        return {}
    return dict(node.mapping("guardrails"))


def _refuse_repeated(guardrails: list[Guardrail], node: Node) -> None:
    newest = guardrails[-1]
    for other in guardrails[:-1]:
        if other.id == newest.id and other.phase is newest.phase:
            node.fail(f"guardrail {newest.id!r} is there twice in {newest.phase.value}")
        if other.id == newest.id and other.checks != newest.checks:
            node.fail(f"guardrail {newest.id!r} means one thing before the request and another after it")


def _guardrail(item: Node, phase: Phase, fallback: str, definitions: Mapping[str, Node], used: set[str]) -> Guardrail:
    """Read one entry of a phase: an id, a check's name, a hook object, or Portkey's shorthand."""
    if isinstance(item.value, str):
        name = item.text("a guardrail")
        if name in definitions:
            used.add(name)
            return _defined(name, definitions[name], phase)
        if name in factories():
            return _built(item, name, phase, {}, [_Use(name, item, None)], bare=True)
        item.fail(unknown("guardrail id or check", name, [*definitions, *factories()]))
    settings = _settings(item)
    name = settings["id"].text("id") if "id" in settings else fallback
    uses = list(_uses(item, settings))
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
        return _built(item, name, phase, settings, [_Use(name, item, None)], bare=bare)
    return _built(item, name, phase, settings, uses)


def _defined(name: str, node: Node, phase: Phase) -> Guardrail:
    if isinstance(node.value, str):
        return _built(node, name, phase, {}, [_Use(_known_check(node), node, None)], bare=True)
    settings = _settings(node)
    if "id" in settings and settings["id"].text("id") != name:
        settings["id"].fail(f"guardrail {name!r} has another id inside: {settings['id'].value!r}")
    return _built(node, name, phase, settings, list(_uses(node, settings)))


@dataclass(frozen=True, slots=True)
class _Use:
    """A check as a guardrail uses it: its id, where it stands, its parameters."""

    check: str
    place: Node
    parameters: Node | None
    enabled: bool = True


def _settings(item: Node) -> dict[str, Node]:
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


def _uses(item: Node, settings: Mapping[str, Node]) -> Iterator[_Use]:
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
            yield _Use(_known_check(check), check, None)
            continue
        keys = snake_keys(check, "a check", CHECK_KEYS)
        if "id" not in keys:
            check.fail("a check has no id")
        enabled = keys["is_enabled"].boolean("is_enabled") if "is_enabled" in keys else True
        yield _Use(_known_check(keys["id"]), check, keys.get("parameters"), enabled)


def _shorthand(key: str, node: Node) -> _Use:
    inner = dict(node.value) if isinstance(node.value, dict) else {}
    named = inner.pop("id", None)
    enabled = next((inner.pop(name) for name in ("is_enabled", "isEnabled") if name in inner), None)
    if named is not None:
        check = _known_check(named)
    else:
        check = next((name for name in (key, f"default.{key}") if name in factories()), key)
        if check not in factories():
            node.fail(unknown("guardrail key or check", key, [*GUARDRAIL_KEYS, *factories()]))
    parameters = dataclasses.replace(node, value=inner) if isinstance(node.value, dict) else node
    return _Use(check, node, parameters, enabled.boolean("is_enabled") if enabled else True)


def _known_check(node: Node) -> str:
    name = node.text("a check's id")
    known = next((candidate for candidate in (name, f"default.{name}") if candidate in factories()), None)
    if known is None:
        node.fail(unknown("check", name, factories()))
    return known


def _built(
    item: Node, name: str, phase: Phase, settings: Mapping[str, Node], uses: list[_Use], *, bare: bool = False
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
        check, fail_on_error = _check(use, phase, action, settings.get("deny"))
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


def _check(use: _Use, phase: Phase, action: str | None, deny: Node | None) -> tuple[Check, bool | None]:
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


def _factory(use: _Use) -> Callable[..., Check]:
    found = factories()[use.check][0]
    if use.check not in BUILT_IN:  # an entry point, of whichever class: importlib_metadata, once imported, has its own
        try:
            found = typing.cast("importlib.metadata.EntryPoint", found).load()
        except Exception as exc:  # another package's code may fail in any way
            use.place.fail(f"check {use.check!r} cannot be imported: {type(exc).__name__}: {exc}")
    return typing.cast("Callable[..., Check]", found)
