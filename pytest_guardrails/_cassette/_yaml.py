"""Read the YAML of a cassette in one pass over the parser's events.

vcrpy's own loader knows no places, lets the last of two equal keys win, and composes by recursion in C, which a
deeply nested file ends with the whole process. This one refuses both, and is faster.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, NoReturn

from pytest_guardrails._errors import ConfigError

_DEEPEST = 50
_MOST_VALUES = 5_000_000  # with aliases written out
_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = (f"{_TAG}str", f"{_TAG}python/str", f"{_TAG}python/unicode")
_PLAIN_TAGS = (None, "!", *(f"{_TAG}{name}" for name in ("int", "float", "bool", "null")))
_MAPPING_TAGS = (None, "!", f"{_TAG}map")
_SEQUENCE_TAGS = (None, "!", f"{_TAG}seq", f"{_TAG}python/tuple")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?[0-9]{1,20}\.[0-9]{0,40}(?:[eE][-+][0-9]{1,3})?\Z")


def load_yaml(text: str, file: str) -> tuple[Any, dict[int, int]]:
    """Return the data of one YAML document, None where there is none, and the line of each mapping, by its ``id``.

    Raises:
        ConfigError: with the place, for text that is no YAML, a repeated key, a tag other than vcrpy's plain ones,
            nesting that is too deep, or aliases that stand for too much.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        place = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
        raise ConfigError(f"not YAML: {exc.problem or exc.context}", file=file, **place) from None
    except yaml.YAMLError:
        raise ConfigError("not YAML: a character that YAML does not allow", file=file) from None
    return builder.root, builder.lines


class _Open:
    """A mapping or list whose end has not come yet."""

    __slots__ = ("anchor", "into", "key", "size")

    def __init__(self, into: Any, anchor: str | None) -> None:
        self.into = into
        self.anchor = anchor
        self.key: str | None = None
        self.size = 1


class _Builder:
    def __init__(self, file: str) -> None:
        self.root: Any = None
        self.lines: dict[int, int] = {}
        self._file = file
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._documents = 0

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            value = self._scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = value, 1
            self._put(value, 1, event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._open(event, is_mapping=kind == "MappingStartEvent")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._close(event)
        elif kind == "AliasEvent":
            if event.anchor not in self._anchors:
                self._fail("an alias for nothing, or for what it is part of", event)
            self._put(*self._anchors[event.anchor], event)
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                self._fail("a second document: a cassette is one", event)

    def _open(self, event: Any, *, is_mapping: bool) -> None:
        if event.tag not in (_MAPPING_TAGS if is_mapping else _SEQUENCE_TAGS):
            self._fail(f"tags such as {event.tag[:60]} are not read", event)
        if len(self._stack) >= _DEEPEST:
            self._fail(f"nested more than {_DEEPEST} deep", event)
        if self._stack and isinstance(self._stack[-1].into, dict) and self._stack[-1].key is None:
            self._fail("a key is a text", event)
        into: Any = {} if is_mapping else []
        self.lines[id(into)] = event.start_mark.line + 1
        self._stack.append(_Open(into, event.anchor))

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        if done.anchor:
            self._anchors[done.anchor] = done.into, done.size
        self._put(done.into, done.size, event)

    def _put(self, value: Any, size: int, event: Any) -> None:
        if not self._stack:
            self.root = value
            return
        top = self._stack[-1]
        top.size += size
        if top.size > _MOST_VALUES:
            self._fail(f"aliases stand for more than {_MOST_VALUES:,} values", event)
        if not isinstance(top.into, dict):
            top.into.append(value)
        elif top.key is not None:
            top.into[top.key] = value
            top.key = None
        else:
            top.key = self._key(value, top.into, event)

    def _key(self, value: Any, into: dict[str, Any], event: Any) -> str:
        if not isinstance(value, str):
            self._fail("a key is a text", event)
        if value in into:
            self._fail(f"key {value[:40]!r} is there twice", event)
        if value == "<<" and not getattr(event, "style", None):
            self._fail("merge keys are not read", event)
        return str(value)

    def _scalar(self, event: Any) -> Any:
        tag, value = event.tag, event.value
        if tag == f"{_TAG}binary":
            try:
                return base64.b64decode("".join(value.split()), validate=True)
            except (binascii.Error, ValueError):
                self._fail("no base64 behind !!binary", event)
        if tag in _TEXT_TAGS or (tag in _PLAIN_TAGS[:2] and event.style):
            return value
        if tag not in _PLAIN_TAGS:
            self._fail(f"tags such as {tag[:60]} are not read", event)
        if value in _WORDS:
            return _WORDS[value]
        if _INTEGER.match(value):
            return int(value)
        return float(value) if _FLOAT.match(value) else value

    def _fail(self, message: str, event: Any) -> NoReturn:
        mark = event.start_mark
        raise ConfigError(message, file=self._file, line=mark.line + 1, column=mark.column + 1)
