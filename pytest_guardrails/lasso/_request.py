"""Messages to the messages that Lasso reads, each with the places that its text came from.

Every text of a message is sent in some form: what fits no known shape is sent as plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_guardrails._codec import freeze
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Message, Scope, Text
from pytest_guardrails._texts import texts_in_scope

MESSAGE_TYPES = ("PROMPT", "COMPLETION")
LONGEST_USER_ID = 128  # characters (source: Kong's ai-lasso-guardrail)

_SAID = re.compile(r"content(\.[0-9]+\.text)?")
_PROBE = "content.0.input"
_ALL = Scope()


@dataclass(frozen=True, slots=True)
class Segment:
    """One text of a message inside what is sent: its field, and where it stands (characters, half-open)."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as Lasso gets it (``wire``), and where it came from.

    ``text`` is what spans count in: the segments, joined by newlines. A tool call has none, since nobody says how
    Lasso counts in one; its texts stand under the field ``root``, each a segment of its own.
    """

    wire: Mapping[str, Any]
    message_index: int
    segments: tuple[Segment, ...]
    text: str | None = None
    root: str = ""
    wrapped: bool = False

    def inputs(self, value: Mapping[str, Any]) -> dict[str, str]:
        """Return the texts of a tool call's ``input`` by field."""
        inner = value.get("arguments") if self.wrapped else value
        return {f"{self.root}{suffix}": text for suffix, text in _leaves(inner)}


def sent(messages: Iterable[Message | Mapping[str, Any] | str], only: Container[int] | None = None) -> tuple[Sent, ...]:
    """Return what Lasso gets for ``messages``; ``only`` are the indexes of those to send, all by default.

    Tool calls become ``tool_use`` of role ``model``, tool results ``tool_result`` of role ``developer``, texts of one
    message are joined by newlines (source: LiteLLM test_lasso.py). Empty content is not sent. A tool's message
    without ``tool_call_id``, which LiteLLM skips, is sent as plain text.

    Raises:
        ConfigError: for a message that cannot be read.
    """
    out: list[Sent] = []
    for index, value in enumerate(messages):
        if only is not None and index not in only:
            continue
        message = Message.of(value)
        text = message.content
        if isinstance(text, str) and not message.tool_calls and message.role not in ("tool", "function"):
            if text:  # the usual message, the short way
                wire = {"role": message.role, "content": text}
                out.append(Sent(wire, index, (Segment("content", 0, len(text)),), text))
        else:
            out += _of_message(message, index)
    return tuple(out)


def body_of(
    sent: Sequence[Sent],
    *,
    message_type: str = "PROMPT",
    session_id: str | None = None,
    user_id: str | None = None,
    tools: Iterable[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the body of a request; what is empty is left out, and the optional ``source`` always is.

    ``user_id`` is cut at 128 characters. ``tools`` are OpenAI's, Anthropic's or already flat.

    Raises:
        ConfigError: for an unknown message type, or a tool without a name.
    """
    if message_type not in MESSAGE_TYPES:
        raise ConfigError(unknown("message type", message_type, MESSAGE_TYPES))
    body: dict[str, Any] = {"messages": [entry.wire for entry in sent], "messageType": message_type}
    if session_id:
        body["sessionId"] = session_id
    if user_id:
        body["userId"] = user_id[:LONGEST_USER_ID]
    if flat := [_flat_tool(tool) for tool in tools or ()]:
        body["tools"] = flat
    return body


def _of_message(message: Message, index: int) -> Iterator[Sent]:
    """Yield the text of a message, then its tool calls and results, then whatever else it says."""
    texts = {text.field: text for text in texts_in_scope((message,), _ALL) if text.text}
    blocks = [*_blocks_in_parts(message, index, texts), *_tool_calls(message, index, texts)]
    for block in blocks:
        for segment in block.segments:
            if "#" not in segment.field[len(block.root) :]:  # JSON inside JSON is escaped there: send it in plain too
                texts.pop(segment.field, None)
    role = message.role
    if role in ("tool", "function"):
        role = "developer"  # the server is said to refuse role "tool" (source: Kong's ai-lasso-guardrail)
        if message.tool_call_id:
            blocks += _tool_result(message.tool_call_id, index, list(texts.values()))
            texts = {}
    said = [text for text in texts.values() if _SAID.fullmatch(text.field)]
    yield from _plain(role, index, said)
    yield from blocks
    yield from _plain(role, index, [text for text in texts.values() if not _SAID.fullmatch(text.field)])


def _plain(role: str, index: int, texts: Sequence[Text]) -> Iterator[Sent]:
    if texts:
        joined, segments = _joined(texts)
        yield Sent({"role": role, "content": joined}, index, segments, joined)


def _tool_result(call_id: str, index: int, texts: Sequence[Text]) -> Iterator[Sent]:
    if texts:
        joined, segments = _joined(texts)
        content = {"type": "tool_result", "tool_use_id": call_id, "content": joined}
        yield Sent({"role": "developer", "content": content}, index, segments, joined)


def _joined(texts: Sequence[Text]) -> tuple[str, tuple[Segment, ...]]:
    segments, start = [], 0
    for text in texts:
        segments.append(Segment(text.field, start, start + len(text.text)))
        start += len(text.text) + 1
    return "\n".join(text.text for text in texts), tuple(segments)


def _blocks_in_parts(message: Message, index: int, texts: Mapping[str, Text]) -> Iterator[Sent]:
    """Yield the tool calls and results that stand among the parts of the content, as Anthropic writes them."""
    parts = message.content if isinstance(message.content, tuple) else ()
    for position, part in enumerate(parts):
        path = f"content.{position}"
        if part.get("type") == "tool_use":
            yield _tool_use(part, index, (part.get("input"), f"{path}.input"), texts)
        elif part.get("type") == "tool_result" and isinstance(part.get("tool_use_id"), str):
            inside = (f"{path}.content", f"{path}.content.")
            own = [text for field, text in texts.items() if field == inside[0] or field.startswith(inside[1])]
            yield from _tool_result(part["tool_use_id"], index, own)


def _tool_calls(message: Message, index: int, texts: Mapping[str, Text]) -> Iterator[Sent]:
    """Yield the calls of an assistant: of a function, of a custom tool, or written flat."""
    for position, call in enumerate(message.tool_calls):
        kind = next((key for key in ("function", "custom") if isinstance(call.get(key), Mapping)), None)
        inner = call[kind] if kind else call
        key = "arguments" if "arguments" in inner else "input"
        path = ".".join(["tool_calls", str(position), *([kind] if kind else []), key])
        named = {"id": call.get("id"), "name": inner.get("name")}
        yield _tool_use(named, index, (inner.get(key), path), texts)


def _tool_use(call: Mapping[str, Any], index: int, arguments: tuple[Any, str], texts: Mapping[str, Text]) -> Sent:
    """Return the call of a tool; what is no JSON object is wrapped in one, as in LiteLLM, a list as the list it is."""
    value, root = arguments
    if value is None:
        value = {}
    if isinstance(value, str) and root not in texts:  # its texts, if any, stand inside its JSON
        value, root = _object_in(value), f"{root}#"
    if not _is_json(value):
        value = json.dumps(value)
    wrapped = not isinstance(value, Mapping)
    wire_input = {"arguments": value} if wrapped else value
    named = {key: call[key] if isinstance(call.get(key), str) else "" for key in ("id", "name")}
    wire = {"role": "model", "content": {"type": "tool_use", **named, "input": wire_input}}
    fields = [(f"{root}{suffix}", text) for suffix, text in _leaves(value)]
    own = tuple(Segment(field, 0, len(text)) for field, text in fields if field in texts and texts[field].text == text)
    return Sent(wire, index, own, None, root, wrapped)


def _leaves(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts of a tool call's input with their paths below it, as the engine sees them."""
    probe = Message("assistant", (freeze({"input": value}),))
    for text in texts_in_scope((probe,), _ALL):
        if text.field.startswith(_PROBE):
            yield text.field[len(_PROBE) :], text.text


def _object_in(text: str) -> Any:
    """Return what arguments spell as JSON; a repeated key keeps each of its values, as a list."""
    try:
        return json.loads(text, object_pairs_hook=_every_value) if text else {}
    except (ValueError, RecursionError):
        return text


def _every_value(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, list[Any]] = {}
    for key, value in pairs:
        out.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in out.items()}


def _is_json(value: Any) -> bool:
    """False for what Python's parser takes and JSON has no word for: NaN and the infinities."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _flat_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    inner = tool.get("function") if isinstance(tool, Mapping) else None
    flat = inner if isinstance(inner, Mapping) else tool
    if not isinstance(flat, Mapping) or not isinstance(flat.get("name"), str):
        raise ConfigError("a tool is a mapping with a name, or with a function that has one")
    out = {"name": flat["name"], "description": flat.get("description")}
    out["parameters"] = flat.get("parameters", flat.get("input_schema"))
    return {key: value for key, value in out.items() if value is not None}
