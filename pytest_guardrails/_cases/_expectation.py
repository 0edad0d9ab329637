"""What a case expects, as it is written in YAML or as keywords of a marker."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from pytest_guardrails._document import Node, from_data
from pytest_guardrails._dump import as_data
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Action, Expectation, Message, Verdict

EXPECT_KEYS = tuple(field.name for field in dataclasses.fields(Expectation))
ABSENT = ("", "null", "~")
_OTHER_BOOLEANS = frozenset(("yes", "no", "on", "off", "y", "n", "true", "false", "null", "~", ""))


def expectation(node: Node, defaults: Mapping[str, Node] | None = None) -> Expectation:
    """Read what a trace must show: a verdict alone, or a mapping of the marker's keys.

    Raises:
        ConfigError: for an unknown key, or a value of the wrong kind.
    """
    own = {"verdict": node} if isinstance(node.value, str) else node.mapping("expect", EXPECT_KEYS)
    keys = {**(defaults or {}), **own}
    if "verdict" not in keys:
        node.fail("expect needs a verdict: allow or block")
    readers: dict[str, Callable[[Node], Any]] = {
        "verdict": lambda n: Verdict(n.choice("verdict", list(Verdict))),
        "action": lambda n: Action(n.choice("action", list(Action))),
        "by": lambda n: n.text("by"),
        "findings": lambda n: _demanded("findings", n),
        "upstream": _upstream,
        "absent_upstream": lambda n: _demanded("absent_upstream", n),
        "upstream_calls": _calls,
        "response": lambda n: n.text("response") if isinstance(n.value, str) else n.texts("response"),
        "warns": lambda n: _some("warns", n),
        "errors": lambda n: _some("errors", n),
    }
    read = Expectation(**{key: readers[key](value) for key, value in keys.items()})
    _refuse_contradictions(read, keys)
    return read


def _refuse_contradictions(read: Expectation, keys: Mapping[str, Node]) -> None:
    if read.verdict is Verdict.ALLOW and read.action is Action.DENY:
        keys["action"].fail("verdict allow with action deny can never be")
    if read.verdict is Verdict.BLOCK and read.response is not None:
        keys["response"].fail("a blocked caller gets no response")
    if read.upstream_calls == 0 and read.upstream is not None:
        keys["upstream"].fail("upstream_calls: 0 says that the model receives nothing")


def _calls(node: Node) -> int:
    calls = node.integer("upstream_calls")
    if calls < 0:
        node.fail(f"upstream_calls is 0 or more, not {calls}")
    return calls


def _upstream(node: Node) -> str | tuple[Message, ...]:
    if isinstance(node.value, str):
        return node.text("upstream")
    return tuple(message_of(item) for item in node.items("upstream"))


def refuse_other_booleans(key: str, node: Node) -> None:
    """Refuse what YAML 1.1 took for true or false: read as a text it would mean something else than was meant."""
    unsure = node.plain and isinstance(node.value, str) and node.value.casefold() in _OTHER_BOOLEANS
    if unsure and node.value not in ("true", "false"):
        node.fail(f"{key}: {node.value or 'nothing'} could mean two things; write true, false, or a quoted text")


def _some(key: str, node: Node) -> bool | tuple[str, ...]:
    refuse_other_booleans(key, node)
    return node.boolean(key) if node.plain and node.value in ("true", "false") else _demanded(key, node)


def _demanded(key: str, node: Node) -> tuple[str, ...]:
    """Read texts that must be there; an empty list or text would demand nothing."""
    texts = node.texts(key)
    if not texts or "" in texts:
        node.fail(f"{key} demands nothing: it has no text, or an empty one")
    return texts


def message_of(node: Node) -> Message:
    if isinstance(node.value, str):
        return Message("user", node.text("a message"))
    keys = node.mapping("a message", Message.__slots__)
    out: dict[str, Any] = {}
    for key, value in keys.items():
        as_written = isinstance(value.value, str) and not (value.plain and value.value in ABSENT)
        out[key] = value.text(key) if as_written else value.data()
    try:
        return Message.of(out)
    except ConfigError as exc:
        node.fail(exc.message)


def expectation_of(values: Mapping[str, Any]) -> Expectation:
    """Read an expectation from Python values: the marker's arguments.

    Raises:
        ConfigError: for an unknown key, or a value of the wrong kind.
    """
    given = {key: as_data(value) for key, value in values.items() if value is not None}
    return expectation(from_data(given))
