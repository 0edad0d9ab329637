"""What goes in and out: a message, a request, a response, and the texts that a check reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_guardrails._codec import EMPTY, FrozenDict, freeze
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model._corpus import Sample
from pytest_guardrails._model._words import ENDPOINTS, ROLES, STATUS_OK


@dataclass(frozen=True, slots=True)
class Message:
    """One message: ``content`` is text, content parts (JSON objects), or None beside tool calls."""

    role: str
    content: str | tuple[FrozenDict, ...] | None = None
    name: str | None = None
    tool_calls: tuple[FrozenDict, ...] = ()
    tool_call_id: str | None = None

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ConfigError(unknown("role", self.role, ROLES))
        if not isinstance(self.content, str | None):
            object.__setattr__(self, "content", _objects(self.content, "content"))
        if self.tool_calls != ():
            object.__setattr__(self, "tool_calls", _objects(self.tool_calls, "tool_calls"))

    @classmethod
    def of(cls, value: Message | Mapping[str, Any] | str) -> Message:
        """Read a message from a mapping (``role``, ``content``, …) or from the text of a user.

        Raises:
            ConfigError: for an unknown key or role, or a value of the wrong kind.
        """
        if isinstance(value, Message):
            return value
        if isinstance(value, str):
            return cls("user", value)
        if not isinstance(value, Mapping):
            raise ConfigError(f"a message is a text or a mapping with role and content, not {type(value).__name__}")
        for key in value:
            if key not in cls.__slots__:
                raise ConfigError(unknown("message key", key, cls.__slots__))
        if "role" not in value:
            raise ConfigError("a message has no role")
        return cls(**{str(key): item for key, item in value.items() if item is not None})

    @property
    def text(self) -> str:
        """The text of the content: its text parts joined by newlines, empty where there is none."""
        if isinstance(self.content, str):
            return self.content
        parts = (part.get("text") for part in self.content or ())
        return "\n".join(part for part in parts if isinstance(part, str))


def _objects(value: object, what: str) -> tuple[FrozenDict, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(item, Mapping) for item in value):
        return tuple(freeze(item) for item in value)
    raise ConfigError(f"{what} of a message is a list of mappings, not {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller sent: at least one message, and where to."""

    messages: tuple[Message, ...]
    endpoint: str = "chat/completions"
    stream: bool = False
    model: str | None = None
    metadata: FrozenDict = EMPTY

    def __post_init__(self) -> None:
        if isinstance(self.messages, str | Message | Mapping) or not isinstance(self.messages, Iterable):
            raise ConfigError("Request(messages=...) takes a sequence of messages")
        object.__setattr__(self, "messages", tuple(Message.of(message) for message in self.messages))
        if self.metadata is not EMPTY:
            object.__setattr__(self, "metadata", freeze(self.metadata))
        if not self.messages:
            raise ConfigError("a request has at least one message: an empty one would be checked by nothing")
        if self.endpoint not in ENDPOINTS:
            raise ConfigError(unknown("endpoint", self.endpoint, ENDPOINTS))

    @classmethod
    def of(cls, value: Request | Message | Mapping[str, Any] | str | Sample | Iterable[Any]) -> Request:
        """Read a request from a request, a plain text, a sample, one message, or a list of messages.

        Raises:
            ConfigError: where a message cannot be read or there is none.
        """
        if isinstance(value, Request):
            return value
        if isinstance(value, Sample):
            value = value.text
        if isinstance(value, str | Message | Mapping):
            return cls((Message.of(value),))
        if not isinstance(value, Iterable):
            raise ConfigError(f"a request is a text, a message or a list of messages, not {type(value).__name__}")
        return cls(tuple(Message.of(message) for message in value))

    @property
    def text(self) -> str:
        """The text of the last message."""
        return self.messages[-1].text


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: one assistant message per choice, its HTTP status, and the chunks if it was streamed."""

    choices: tuple[Message, ...]
    status: int = STATUS_OK
    chunks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(_choice(choice) for choice in self.choices))
        object.__setattr__(self, "chunks", tuple(self.chunks))

    @classmethod
    def of(cls, text: str, *, chunks: Iterable[str] = ()) -> Response:
        """Build a response of one choice that says ``text``."""
        return cls((Message("assistant", text),), chunks=tuple(chunks))

    @property
    def text(self) -> str:
        """The text of the first choice, empty where there is none."""
        return self.choices[0].text if self.choices else ""


def _choice(value: Message | Mapping[str, Any] | str) -> Message:
    return Message("assistant", value) if isinstance(value, str) else Message.of(value)


@dataclass(frozen=True, slots=True)
class Text:
    """One text that a check looks at: which message it is in, where (`field`), who said it."""

    text: str
    message_index: int = 0
    field: str = "content"
    role: str = "user"
