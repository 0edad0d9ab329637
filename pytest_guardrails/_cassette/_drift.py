"""What a live answer says differently from its recording: verdict, schema, status, or that there is one at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pytest_guardrails._cassette._interaction import Interaction, header, json_of

_LABEL = re.compile(r"[\w .\[\]*-]{1,60}")
_MOST_NODES = 20_000
_MOST_NAMED = 12
_OPEN = (("findings",),)  # its keys are those that fired, no part of the schema (facts: lasso-api.md, section 3)
_ITEMS = ("[]", "*")

Path = tuple[str, ...]
Shape = dict[Path, set[str]]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference: ``kind`` is verdict, schema, status or error; ``what`` quotes labels and never texts.

    ``key`` is that of the request (see `key_of`).
    """

    kind: str
    what: str
    method: str
    url: str
    key: str


def drifts(recorded: Interaction, live: Interaction) -> tuple[Drift, ...]:
    """Return how ``live`` differs from ``recorded``, nothing where it says the same."""
    found = []
    if recorded.raises != live.raises:
        found.append(("error", f"{recorded.raises or 'an answer'} was recorded, now {live.raises or 'an answer'}"))
    elif recorded.status != live.status:
        found.append(("status", f"{recorded.status} was recorded, now {live.status}"))
    elif recorded.raises is None:
        before, after = _body(recorded), _body(live)
        if (verdict := _verdicts(before, after)) is not None:
            found.append(("verdict", verdict))
        if changes := _schema_changes(before, after):
            found.append(("schema", "; ".join(changes)))
    return tuple(Drift(kind, what, recorded.method, recorded.url, recorded.key) for kind, what in found)


def _body(interaction: Interaction) -> Any:
    return json_of(interaction.response_body, header(interaction.response_headers, "content-type"))


def _verdicts(before: Any, after: Any) -> str | None:
    (flag, acts), (new_flag, new_acts) = _verdict(before), _verdict(after)
    said = []
    if flag != new_flag:
        said.append(f"violations_detected {flag}, now {new_flag}")
    said += [f"{deputy} no longer says {action}" for deputy, action in sorted(acts - new_acts)]
    said += [f"{deputy} now says {action}" for deputy, action in sorted(new_acts - acts)]
    return "; ".join(said[:_MOST_NAMED]) or None


def _verdict(body: Any) -> tuple[str, frozenset[tuple[str, str]]]:
    body = body if isinstance(body, dict) else {}
    flag, findings = body.get("violations_detected"), body.get("findings")
    acts = set()
    for deputy, group in findings.items() if isinstance(findings, dict) else ():
        for finding in group if isinstance(group, list) else ():
            action = finding.get("action") if isinstance(finding, dict) else None
            acts.add((_label(deputy), _label(action) if isinstance(action, str) else "nothing"))
    return (str(flag).lower() if isinstance(flag, bool) else _kind(flag)), frozenset(acts)


def _label(text: str) -> str:
    return text if _LABEL.fullmatch(text) and not re.search(r"\d{5}", text) else "(a text)"


def _schema_changes(before: Any, after: Any) -> list[str]:
    old, new = _shape(before), _shape(after)
    changes = []
    for path in sorted(old.keys() | new.keys()):
        here, there = old.get(path), new.get(path)
        name = _label(".".join(path) or "the body")
        if here is None and not _unknowable(path, old):
            changes.append(f"{name} appeared")
        elif there is None and not _unknowable(path, new):
            changes.append(f"{name} vanished")
        elif here and there and here != there:
            changes.append(f"{name} was {' or '.join(sorted(here))}, now {' or '.join(sorted(there))}")
    return changes[:_MOST_NAMED]


def _unknowable(path: Path, shape: Shape) -> bool:
    """True in a list or open mapping that is empty there: what its items look like is not known."""
    places = (index for index, step in enumerate(path) if step in _ITEMS)
    return any(path[:index] in shape and path[: index + 1] not in shape for index in places)


def _shape(body: Any) -> Shape:
    """Return each path with its kinds of value; the items of a list share one path, and so do the keys of findings."""
    out: Shape = {}
    stack: list[tuple[Path, Any]] = [((), body)]
    for _ in range(_MOST_NODES):
        if not stack:
            break
        path, value = stack.pop()
        out.setdefault(path, set()).add(_kind(value))
        if isinstance(value, dict):
            is_open = path[-1:] in _OPEN
            stack += [((*path, "*" if is_open else key), item) for key, item in value.items()]
        elif isinstance(value, list):
            stack += [((*path, "[]"), item) for item in value]
    return out


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"
