"""Where the texts of a message are, and the message with other texts in those places.

Every string that a model can read is a text: content, parts, tool arguments (also inside their JSON), tool results.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pytest_guardrails._model import Message, Scope, Text

# Keys whose strings name or type something and are never shown to a model as prose.
_STRUCTURAL = frozenset({"type", "id", "tool_use_id", "tool_call_id", "role", "name", "media_type", "detail", "format"})


def texts_in_scope(messages: tuple[Message, ...], scope: Scope) -> tuple[Text, ...]:
    """Return every text of the messages in ``scope``, in order; an empty content is an empty text."""
    last = len(messages) - 1
    found = []
    for index, message in enumerate(messages):
        if (scope.last_only and index != last) or (scope.roles and message.role not in scope.roles):
            continue
        if isinstance(message.content, str) and not message.tool_calls:
            found.append(Text(message.content, index, "content", message.role))  # the usual message, the short way
        else:
            found.extend(Text(text, index, field, message.role) for field, text in _texts_of(message))
    return tuple(found)


def with_texts(message: Message, texts: Mapping[str, str]) -> Message:
    """Return ``message`` with the text of each given field replaced; fields are those of `texts_in_scope`."""
    content: Any = message.content
    if isinstance(content, str):
        content = texts.get("content", content)
    elif content is not None:
        content = _rewritten(content, "content", texts)
    return replace(message, content=content, tool_calls=_rewritten(message.tool_calls, "tool_calls", texts))


def _texts_of(message: Message) -> Iterator[tuple[str, str]]:
    if message.content is None and not message.tool_calls:
        yield "content", ""
    yield from _leaves(message.content, "content")
    yield from _leaves(message.tool_calls, "tool_calls")


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        inner = _json_inside(value, path)
        if inner is None:
            yield path, value
        else:
            yield from _leaves(inner, f"{path}#")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if _is_text(key, item):
                yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}.{index}")


def _rewritten(value: Any, path: str, texts: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        inner = _json_inside(value, path)
        if inner is None:
            return texts.get(path, value)
        changed = _rewritten(inner, f"{path}#", texts)
        return value if changed == inner else json.dumps(changed, ensure_ascii=False)
    if isinstance(value, Mapping):
        return {
            key: _rewritten(item, f"{path}.{key}", texts) if _is_text(key, item) else item
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_rewritten(item, f"{path}.{index}", texts) for index, item in enumerate(value)]
    return value


def _is_text(key: str, value: Any) -> bool:
    if isinstance(value, str):
        return key not in _STRUCTURAL and not value.startswith("data:")
    return True


def _json_inside(text: str, path: str) -> Any:
    """Return the object or list that tool arguments spell as JSON, else None: escapes must not hide a value."""
    if not path.endswith("arguments") or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None
