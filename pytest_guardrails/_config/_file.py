"""A configuration file, or data of its form, to the guardrails of both phases in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_guardrails._config._guardrail import guardrail_of
from pytest_guardrails._config._version import version_of
from pytest_guardrails._document import Node, from_data, parse_json, parse_yaml
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Guardrail, GuardVersion, Phase
from pytest_guardrails._parameters import snake_keys

PHASES = {  # where a phase is written in both ways, hooks come first, as in Portkey, whatever the order of keys
    "before_request_hooks": Phase.BEFORE_REQUEST,
    "input_guardrails": Phase.BEFORE_REQUEST,
    "after_request_hooks": Phase.AFTER_REQUEST,
    "output_guardrails": Phase.AFTER_REQUEST,
}
TOP_KEYS = (*PHASES, "guardrails", "version")


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
                guardrails.append(guardrail_of(item, phase, f"{key[:-1]}_{index}", definitions, used))
                _refuse_repeated(guardrails, item)
    for name, definition in definitions.items():
        if name not in used:
            definition.fail(f"guardrail {name!r} is defined and in no phase: it would never run")
    if not guardrails:
        node.fail(f"no guardrail in any phase: every request would pass. Phases: {', '.join(PHASES)}")
    declared = top["version"].text("version") if "version" in top else None
    return Configuration(tuple(guardrails), version_of(guardrails, declared), source)


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
