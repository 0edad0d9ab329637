"""What Lasso's v3 API takes for a request, as far as integrators know; anything else is refused with a reason."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from pytest_guardrails.servers._rules import MESSAGE_TYPES

# Source: the roles of Portkey's plugin; Kong's says that the server rejects the role "tool".
ROLES = ("user", "assistant", "system", "developer", "model")
_BLOCKS: Mapping[str, tuple[tuple[str, type], ...]] = {
    "tool_use": (("id", str), ("name", str), ("input", dict)),  # Kong: an input that is a string is rejected
    "tool_result": (("tool_use_id", str), ("content", str)),
    "reasoning": (("content", str),),
}
_MOST_AGENT = 128


class RequestError(Exception):
    """The body is no request; the text is what the server says, and quotes nothing of the body."""


def read_request(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a classify request.

    Raises:
        RequestError: with what is wrong, where the real server is known or supposed to answer 400.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError("the body is not JSON") from None
    if not isinstance(data, dict):
        raise RequestError("the body is not an object")
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestError("messages is a list of at least one message")
    for index, message in enumerate(messages):
        _check_message(message, f"messages[{index}]")
    if data.get("messageType", "PROMPT") not in MESSAGE_TYPES:
        raise RequestError(f"messageType is one of {', '.join(MESSAGE_TYPES)}")
    for name in ("sessionId", "userId", "agentId", "agentName"):
        if not isinstance(data.get(name, ""), str):
            raise RequestError(f"{name} is a text")
    for name in ("agentId", "agentName"):
        _check_agent(name, data.get(name))
    if not isinstance(data.get("tools", []), list):
        raise RequestError("tools is a list")
    return data


def _check_message(message: Any, where: str) -> None:
    if not isinstance(message, dict):
        raise RequestError(f"{where} is not an object")
    if message.get("role") not in ROLES:
        raise RequestError(f"{where}.role is one of {', '.join(ROLES)}")
    content = message.get("content")
    if isinstance(content, str):
        return
    if not isinstance(content, dict):
        raise RequestError(f"{where}.content is a text or one block")
    kind = content.get("type")
    if not isinstance(kind, str) or kind not in _BLOCKS:
        raise RequestError(f"{where}.content.type is one of {', '.join(_BLOCKS)}")
    for name, wanted in _BLOCKS[kind]:
        if not isinstance(content.get(name), wanted):
            raise RequestError(f"{where}.content.{name} is {'an object' if wanted is dict else 'a text'}")


def _check_agent(name: str, value: str | None) -> None:
    """Refuse what breaks the rules of both agent fields (source: Kong's plugin): Lasso fails the whole request."""
    if value is None:
        return
    if not value.strip() or len(value.strip()) > _MOST_AGENT:
        raise RequestError(f"{name} has 1 to {_MOST_AGENT} characters")
    if any(unicodedata.category(letter) in ("Cc", "Cf") for letter in value):
        raise RequestError(f"{name} has no control or format characters")
