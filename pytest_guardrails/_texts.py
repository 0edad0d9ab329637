"""Where the texts of a message are, and the message with other texts in those places.

Every string that a model can read is a text: content, parts, tool arguments (also inside their JSON), tool results;
and so is a number of nine digits or more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

from pytest_guardrails._model import Finding, Message, Scope, Text

# Keys of an API's own objects whose strings name or type something; inside tool arguments, every string is data.
_STRUCTURAL = frozenset({"type", "id", "tool_use_id", "tool_call_id", "role", "name", "media_type", "detail", "format"})
_ARGUMENTS = re.compile(r"\.(arguments|input)(?=[.#]|\Z)")
_LONG = 10**8
_DEEPEST = 100
_LABEL = re.compile(r"\w[\w ./:+&-]{0,63}")
_LONG_NUMBER = re.compile(r"[0-9]{5}")
_NINE_DIGITS = re.compile(r"[0-9](?:[ ./:+&_-]{0,3}[0-9]){8}")  # a card, an account or a phone, however it is grouped
_TOKEN = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20}")  # a key; a word of that length has no digit
_DATA_KEYS = frozenset({"url", "image_url", "file_data"})
_DATA_URL = re.compile(r"data:[\w.+/-]+;base64,[A-Za-z0-9+/=_-]*", re.ASCII)


def is_label(text: object) -> TypeGuard[str]:
    """True for a name that can be published: it cannot hold an address, a card, a key or a long sentence."""
    return is_id(text) and _LONG_NUMBER.search(text) is None and _TOKEN.search(text) is None


def is_id(text: object) -> TypeGuard[str]:
    """True for an id that can be published: a label that may also be a short number or a hash."""
    return isinstance(text, str) and _LABEL.fullmatch(text) is not None and _NINE_DIGITS.search(text) is None


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
    elif not content:
        content = texts.get("content") or content
    else:
        content = _rewritten(content, "content", texts)
    return replace(message, content=content, tool_calls=_rewritten(message.tool_calls, "tool_calls", texts))


def replaced(text: str, findings: Sequence[Finding]) -> str:
    """Return ``text`` with every span replaced at once; overlapping spans merge under their widest replacement."""
    whole = [finding for finding in findings if finding.start is None]
    if whole:
        return whole[0].replacement or ""
    out, position = [], 0
    for start, end, replacement in merged((f.start or 0, f.end or 0, f.replacement or "") for f in findings):
        out += [text[position:start], replacement]
        position = end
    return "".join([*out, text[position:]])


def merged(spans: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return (start, end, replacement) in order; those that overlap become one, with the widest one's replacement."""
    found: list[tuple[int, int, str, int]] = []
    for start, end, replacement in sorted(spans):
        if found and start < found[-1][1]:
            first, last, widest, width = found[-1]
            if end - start > width:
                widest, width = replacement, end - start
            found[-1] = (first, max(last, end), widest, width)
        else:
            found.append((start, end, replacement, end - start))
    return [(start, end, replacement) for start, end, replacement, _ in found]


def _texts_of(message: Message) -> Iterator[tuple[str, str]]:
    if not message.content and not message.tool_calls:
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
            if _is_text(path, key, item):
                yield from _leaves(item, _under(path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}.{index}")
    elif _is_long_number(value):
        yield path, str(value)


def _rewritten(value: Any, path: str, texts: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        inner = _json_inside(value, path)
        if inner is None:
            return texts.get(path, value)
        changed = _rewritten(inner, f"{path}#", texts)
        return value if changed == inner else json.dumps(changed, ensure_ascii=False)
    if isinstance(value, Mapping):
        return {
            key: _rewritten(item, _under(path, key), texts) if _is_text(path, key, item) else item
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_rewritten(item, f"{path}.{index}", texts) for index, item in enumerate(value)]
    if _is_long_number(value) and texts.get(path, str(value)) != str(value):
        return texts[path]
    return value


def _is_long_number(value: Any) -> bool:
    """True for a number that could be a card or an account: a tool's argument need not be a string to be one."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LONG


def _under(path: str, key: str) -> str:
    """Return the path of a key, escaped so that no two places of a message share one."""
    return f"{path}.{key.replace('~', '~0').replace('.', '~1').replace('#', '~2')}"


def _is_text(path: str, key: str, value: Any) -> bool:
    if not isinstance(value, str) or _ARGUMENTS.search(path):
        return True
    return key not in _STRUCTURAL and not (key in _DATA_KEYS and _DATA_URL.fullmatch(value))


def _json_inside(text: str, path: str) -> Any:
    """Return the object or list that tool arguments spell as JSON, else None: escapes must not hide a value."""
    if not path.endswith("arguments") or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        value = json.loads(text, object_pairs_hook=_every_value)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and not _is_deep(value) else None


def _is_deep(value: Any) -> bool:
    """True if JSON is nested so deeply that walking it could exhaust Python's stack: it stays one text then."""
    level = [value]
    for _ in range(_DEEPEST):
        containers = [item for item in level if isinstance(item, dict | list)]
        level = [item for box in containers for item in (box.values() if isinstance(box, dict) else box)]
        if not level:
            return False
    return True


def _every_value(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object with every value of a repeated key, in a list: the first one is sent, and read, too."""
    out: dict[str, list[Any]] = {}
    for key, value in pairs:
        out.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in out.items()}
