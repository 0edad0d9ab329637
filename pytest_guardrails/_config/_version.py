"""The version that an effective configuration makes."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import typing
from typing import Any

from pytest_guardrails._codec import FrozenDict, encode
from pytest_guardrails._model import Check, Guardrail, GuardVersion
from pytest_guardrails.checks import factories


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
