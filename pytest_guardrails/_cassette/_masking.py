"""Masked storage: no text of a message is written, and a recording is found and replayed as if it were.

A text becomes its shape, length and keyed hash; the live request is masked in the same way before it is looked up.
In a response, the messages of Lasso's ``/classifix`` become splices into the texts that were sent, and are rebuilt
from the live request; every other string goes the way of the texts, but for labels such as a finding's name.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_guardrails._cassette._interaction import json_of
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._mask import shape

Mask = Callable[[str], str]

MASKED = re.compile(r"«[^«»]{0,200} · [0-9]{1,12} chars · #[0-9a-f]{32}»")
_SPLICES = "$splices"
_LABELS = frozenset({"role", "type", "id", "tool_use_id", "messageType", "sessionId"})
_RESPONSE_LABELS = _LABELS | {"name", "category", "action", "severity", "mask"}
_DATA = frozenset({"input", "arguments"})  # below these, every string is data, whatever its key
_LONG = 10**8  # as in _texts: a number of nine digits can be a card or an account
_PLACEHOLDER = r"<[A-Z][A-Z0-9_]{1,30}>|\[[A-Z][A-Z0-9_]{1,30}\]"
_LONGEST_PLACEHOLDER = 40


def checked_key(key: bytes | None) -> bytes | None:
    """Return the key.

    Raises:
        ConfigError: for an empty one, or one longer than 64 bytes.
    """
    if key is not None and not 1 <= len(key) <= 64:
        raise ConfigError("GUARDRAILS_MASK_KEY has 1 to 64 bytes")
    return key


def key_id(key: bytes) -> str:
    """Return what tells a key from another one, and says nothing about it."""
    return hashlib.blake2b(b"pytest-guardrails mask key", key=key, digest_size=4).hexdigest()


def text_mask(key: bytes) -> Mask:
    """Return the function that masks a text: as `_mask.masker`, with a hash so long that no two texts share it."""

    @functools.lru_cache(maxsize=65_536)
    def mask(text: str) -> str:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=16).hexdigest()
        return f"«{shape(text)} · {len(text)} chars · #{digest}»"

    return mask


def masked_request(body: bytes, content_type: str, mask: Mask) -> bytes:
    """Return a body with every text in it masked; one that is no JSON is one text."""
    return _masked(body, content_type, lambda value: mapped(value, mask))


def masked_response(body: bytes, content_type: str, request: bytes, mask: Mask) -> bytes:
    """Return a response to ``request`` (as it was sent) with every text masked, and its messages as splices."""

    def change(value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
            return mapped(value, mask, _RESPONSE_LABELS)
        others = {name: item for name, item in value.items() if name != "messages"}
        sent = _messages_of(json_of(request))
        splitter = _splitter(value.get("findings"))
        messages = [
            _spliced(item, sent[index] if index < len(sent) else None, splitter, mask)
            for index, item in enumerate(value["messages"])
        ]
        ordered = {name: mapped(item, mask, _RESPONSE_LABELS, name) for name, item in others.items()}
        return {name: messages if name == "messages" else ordered[name] for name in value}

    return _masked(body, content_type, change)


def unmasked_response(body: bytes, request: bytes) -> bytes:
    """Return a stored response with its messages rebuilt from the live request."""
    if _SPLICES.encode() not in body:
        return body
    value = json_of(body)
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
        return body
    sent = _messages_of(json_of(request))
    value["messages"] = [
        _rebuilt(item, sent[index] if index < len(sent) else None) for index, item in enumerate(value["messages"])
    ]
    return _compact(value)


def _masked(body: bytes, content_type: str, change: Callable[[Any], Any]) -> bytes:
    if not body:
        return body
    value = json_of(body, content_type)
    try:
        return _compact(change(body.decode("utf-8", "backslashreplace") if value is None else value))
    except RecursionError:
        return _compact(change(body.decode("utf-8", "backslashreplace")))


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def mapped(value: Any, change: Mask, labels: frozenset[str] = _LABELS, name: str = "") -> Any:
    """Return JSON with each string changed, but for those whose key is one of ``labels``; long numbers are strings."""
    if isinstance(value, str):
        return value if name in labels else change(value)
    if isinstance(value, dict):
        below = frozenset() if name in _DATA else labels
        return {key: mapped(item, change, below, key) for key, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, change, labels, name) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _LONG:
        return change(str(value))
    return value


def _messages_of(request: Any) -> list[Any]:
    messages = request.get("messages") if isinstance(request, dict) else None
    return messages if isinstance(messages, list) else []


def _splitter(findings: Any) -> re.Pattern[str]:
    """Return what finds placeholders in a masked text: by their form, and those that the findings name."""
    named = set()
    for group in findings.values() if isinstance(findings, Mapping) else ():
        for finding in group if isinstance(group, list) else ():
            mask = finding.get("mask") if isinstance(finding, dict) else None
            if isinstance(mask, str) and 0 < len(mask) <= _LONGEST_PLACEHOLDER:
                named.add(mask)
    words = [re.escape(mask) for mask in sorted(named, key=lambda mask: (-len(mask), mask))]
    return re.compile("|".join([*words, _PLACEHOLDER]))


def _spliced(value: Any, sent: Any, splitter: re.Pattern[str], mask: Mask, name: str = "") -> Any:
    """Return a message of the response as splices into the one that was sent, masked where that cannot be said."""
    if isinstance(value, str):
        if value == sent and name in _LABELS:
            return value
        splices = _splices(sent, value, splitter) if isinstance(sent, str) else None
        return {_SPLICES: splices} if splices is not None else mapped(value, mask, _LABELS, name)
    if isinstance(value, dict):
        other = sent if isinstance(sent, dict) else {}
        return {key: _spliced(item, other.get(key), splitter, mask, key) for key, item in value.items()}
    if isinstance(value, list):
        rest = sent if isinstance(sent, list) else []
        return [
            _spliced(item, rest[index] if index < len(rest) else None, splitter, mask, name)
            for index, item in enumerate(value)
        ]
    return mapped(value, mask, _LABELS, name)


def _splices(sent: str, got: str, splitter: re.Pattern[str]) -> list[list[Any]] | None:
    """Return ``[start, end, placeholder]`` for each place in which ``got`` is not ``sent``; None if more differs."""
    if sent == got:
        return []
    splices: list[list[Any]] = []
    at = position = 0
    for match in splitter.finditer(got):
        literal = got[position : match.start()]
        start = sent.find(literal, at) if splices else (0 if sent.startswith(literal) else -1)
        if start < 0:
            return None
        if splices:
            splices[-1][1] = start
        at = start + len(literal)
        splices.append([at, at, match[0]])
        position = match.end()
    tail = got[position:]
    if not splices or not sent.endswith(tail) or len(sent) - len(tail) < at:
        return None
    splices[-1][1] = len(sent) - len(tail)
    return splices


def _rebuilt(value: Any, sent: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {_SPLICES}:
            return _applied(value[_SPLICES], sent)
        other = sent if isinstance(sent, dict) else {}
        return {key: _rebuilt(item, other.get(key)) for key, item in value.items()}
    if isinstance(value, list):
        rest = sent if isinstance(sent, list) else []
        return [_rebuilt(item, rest[index] if index < len(rest) else None) for index, item in enumerate(value)]
    return value


def _applied(splices: Any, sent: Any) -> Any:
    """Return the text that was sent with the splices in it; what does not fit (a damaged file) stays as it is."""
    if not isinstance(sent, str) or not isinstance(splices, Sequence):
        return {_SPLICES: splices}
    out, position = [], 0
    for splice in splices:
        if not _fits(splice, position, len(sent)):
            return {_SPLICES: splices}
        start, end, placeholder = splice
        out += [sent[position:start], placeholder]
        position = end
    return "".join([*out, sent[position:]])


def _fits(splice: Any, position: int, length: int) -> bool:
    if not isinstance(splice, list) or [type(item) for item in splice] != [int, int, str]:
        return False
    return bool(position <= splice[0] <= splice[1] <= length)
