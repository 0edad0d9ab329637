"""YAML, JSON or plain Python data as nodes that know their place, and readers that keep scalars as written.

YAML 1.1 turns ``no``, ``12:30``, ``010`` and ``4111_1111_1111_1111`` into other things and lets the last of two
equal keys win. Here a scalar stays the text that was written until a reader asks for more, and a repeated key is an
error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from pytest_guardrails._errors import ConfigError, unknown

_MOST_NODES = 5_000_000  # what aliases may expand to, so that a small file cannot ask for endless work
_DEEPEST = 100  # libyaml's composer recurses in C without a limit: deeper text would end the process
_SCALAR_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_BRACKETS = re.compile(r"[\[\]{}]")
_INDENTED = re.compile(rf"[ ?-]{{{2 * _DEEPEST},}}")  # not at a line's start: YAML has more line ends than re
_SHORT = re.compile(r"[\w.:%/+-]{0,24}")
_NINE_DIGITS = re.compile(r"[0-9](?:[.:%/+_-]?[0-9]){8}")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,999})\Z")  # Python refuses to read endless ones
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(slots=True)
class Node:
    """A value and its place: a text as written, a list of nodes, or a mapping of key texts to nodes.

    ``plain`` is True for an unquoted scalar, which alone may be read as a number, a boolean or null. ``keys`` has the
    line and column of each key of a mapping.
    """

    value: Any
    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str = ""
    plain: bool = False
    keys: dict[str, tuple[int | None, int | None]] | None = None

    def fail(self, message: str) -> NoReturn:
        """Raise a `ConfigError` at this place."""
        where = f"{self.path}: " if self.line is None and self.path else ""
        raise ConfigError(where + message, file=self.file, line=self.line, column=self.column)

    def mapping(self, what: str, keys: Iterable[str] | None = None) -> dict[str, Node]:
        """Return the mapping; ``keys`` are the ones it may have."""
        if not isinstance(self.value, dict):
            self.fail(f"{what} is a mapping, not {self.kind}")
        if keys is not None:
            known = tuple(keys)
            for key, node in self.value.items():
                if key not in known:
                    line, column = (self.keys or {}).get(key, (node.line, node.column))
                    place = replace(node, line=line, column=column)
                    place.fail(unknown(f"key in {what}", key, known))
        return self.value

    def items(self, what: str) -> list[Node]:
        """Return the list."""
        if not isinstance(self.value, list):
            self.fail(f"{what} is a list, not {self.kind}")
        return self.value

    def text(self, what: str) -> str:
        """Return the scalar as it was written."""
        number = self.plain and self.line is None  # Python data says what it is; a file keeps what was written
        if not isinstance(self.value, str) or number or self.is_empty:
            self.fail(f"{what} is a text, not {self.kind}" + (' (write "" for empty)' if self.value == "" else ""))
        return self.value

    def texts(self, what: str) -> tuple[str, ...]:
        """Return a list of texts; one text alone counts as a list of it."""
        if isinstance(self.value, str):
            return (self.text(what),)
        return tuple(item.text(f"an item of {what}") for item in self.items(what))

    def choice(self, what: str, choices: Iterable[str]) -> str:
        """Return a text that is one of ``choices``."""
        came, known = self.text(what), tuple(choices)
        if came not in known:
            self.fail(unknown(what, came, known))
        return came

    def boolean(self, what: str) -> bool:
        """Return true or false; nothing else is one."""
        if not self.plain or self.value not in ("true", "false"):
            self.fail(f"{what} is true or false, not {self.kind}")
        return bool(self.value == "true")

    def integer(self, what: str) -> int:
        """Return a whole number."""
        if not self.plain or not _INTEGER.match(self.value):
            self.fail(f"{what} is a whole number, not {self.kind}")
        return int(self.value)

    def number(self, what: str) -> float:
        """Return a number."""
        if not self.plain or not _NUMBER.match(self.value):
            self.fail(f"{what} is a number, not {self.kind}")
        return float(self.value)

    def data(self) -> Any:
        """Return plain JSON data, with unquoted scalars read as JSON reads them (YAML 1.2 core, without its extras)."""
        if isinstance(self.value, dict):
            return {key: node.data() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.data() for node in self.value]
        if not self.plain or not isinstance(self.value, str):
            return self.value
        if self.value in _WORDS:
            return _WORDS[self.value]
        if _INTEGER.match(self.value):
            return int(self.value)
        return float(self.value) if _NUMBER.match(self.value) else self.value

    @property
    def is_empty(self) -> bool:
        """True for a key with nothing behind it."""
        return self.plain and self.value == ""

    @property
    def kind(self) -> str:
        """What this is, for a message: a mapping, a list, nothing, or the scalar itself if it is one short word.

        Anything longer could be a text of a case, which no message shows.
        """
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        if self.is_empty:
            return "nothing"
        if not _SHORT.fullmatch(self.value) or _NINE_DIGITS.search(self.value):
            return f"a text of {len(self.value):,} characters"
        return self.value if self.plain else repr(self.value)


def parse_yaml(text: str, file: str) -> Node:
    """Parse one YAML document; an empty one is an empty text.

    Raises:
        ConfigError: for text that is no YAML, a repeated key, a key that is no text, or aliases that expand endlessly.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _parsed(text, file, loader)


def parse_json(text: str, file: str) -> Node:
    """Parse one JSON document, with the places that a YAML parser sees in it.

    Raises:
        ConfigError: for text that is no JSON, or a repeated key.
    """
    import yaml

    try:
        json.loads(text, parse_int=str)  # read again below
    except json.JSONDecodeError as exc:
        raise ConfigError(f"not JSON: {exc.msg}", file=file, line=exc.lineno, column=exc.colno) from None
    except RecursionError:
        raise ConfigError("nested too deeply", file=file) from None
    # JSON has no tabs inside strings, and YAML none between tokens. Strings are decoded by json, from the source.
    return _parsed(text.replace("\t", " "), file, yaml.SafeLoader, decode=True)


def from_data(data: Any, path: str = "") -> Node:
    """Wrap plain Python data (mappings, sequences, scalars) as nodes whose place is a path such as ``checks[0].id``.

    Raises:
        ConfigError: for a value that JSON has no word for.
    """
    if isinstance(data, Mapping):
        return Node({str(k): from_data(v, f"{path}.{k}" if path else str(k)) for k, v in data.items()}, path=path)
    if isinstance(data, str):
        return Node(str(data), path=path)
    if isinstance(data, Sequence):
        return Node([from_data(item, f"{path}[{index}]") for index, item in enumerate(data)], path=path)
    if data is None or isinstance(data, bool | int | float):
        return Node("" if data is None else json.dumps(data), path=path, plain=True)
    raise ConfigError(f"{path}: {type(data).__name__} is nothing that a configuration can say")


def _parsed(text: str, file: str, loader: Any, *, decode: bool = False) -> Node:
    import yaml

    try:
        if _may_be_deep(text):
            _refuse_deep(yaml.parse(text, Loader=loader), file)
        root = yaml.compose(text, Loader=loader)
        if root is None:
            return Node("", file, 1, 1, plain=True)
        return _Converter(file, text if decode else None).convert(root)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        problem = exc.problem or exc.context or "not YAML"
        place = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
        raise ConfigError(f"not YAML: {problem}", file=file, **place) from None
    except yaml.YAMLError as exc:
        raise ConfigError(f"not YAML: {str(exc).splitlines()[0]}", file=file) from None
    except RecursionError:
        raise ConfigError("nested too deeply", file=file) from None


def _may_be_deep(text: str) -> bool:
    """Return False where a quick look shows that the text cannot be nested deeply."""
    depth = opened = 0
    for match in _BRACKETS.finditer(text):
        opens = match[0] in "[{"
        opened += opens
        depth = depth + 1 if opens else max(0, depth - 1)
        if depth > _DEEPEST or opened > 10 * _DEEPEST:  # a closing one may stand in a quoted text or a comment
            return True
    return _INDENTED.search(text) is not None


def _refuse_deep(events: Iterable[Any], file: str) -> None:
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > _DEEPEST:
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            raise ConfigError(f"nested more than {_DEEPEST} deep", file=file, line=line, column=column)


class _Converter:
    """Turns PyYAML's nodes into ours; ``source`` is given for JSON, whose strings json decodes."""

    def __init__(self, file: str, source: str | None) -> None:
        self._file = file
        self._source = source
        self._open: set[int] = set()
        self._done: dict[int, tuple[Node, int]] = {}

    def convert(self, root: Any) -> Node:
        node, _size = self._convert(root)
        return node

    def _convert(self, raw: Any) -> tuple[Node, int]:
        known = self._done.get(id(raw))
        if known is not None:
            return known
        mark = raw.start_mark
        node = Node("", self._file, mark.line + 1, mark.column + 1)
        if id(raw) in self._open:
            node.fail("an alias that contains itself")
        if raw.id == "scalar":
            self._scalar(node, raw)
            return node, 1  # scalars are not worth remembering
        self._open.add(id(raw))
        size = self._mapping(node, raw) if raw.id == "mapping" else self._sequence(node, raw)
        self._open.discard(id(raw))
        if size > _MOST_NODES:
            node.fail(f"aliases expand to more than {_MOST_NODES:,} values")
        self._done[id(raw)] = node, size
        return node, size

    def _scalar(self, node: Node, raw: Any) -> None:
        if raw.tag not in _SCALAR_TAGS:
            node.fail(f"tags such as {raw.tag} are not read")
        node.plain = not raw.style  # libyaml says "" where the Python loader says None
        node.value = raw.value
        if self._source is not None and not node.plain:
            node.value = json.loads(self._source[raw.start_mark.index : raw.end_mark.index])

    def _mapping(self, node: Node, raw: Any) -> int:
        out: dict[str, Node] = {}
        node.keys = {}
        size = 1
        for raw_key, raw_value in raw.value:
            key, _ = self._convert(raw_key)
            if not isinstance(key.value, str):
                key.fail("a key is a text")
            if key.value in out:
                key.fail(f"key {key.value!r} is there twice; the first is in line {out[key.value].line}")
            node.keys[key.value] = key.line, key.column
            value, inner = self._convert(raw_value)
            if value.is_empty or (value.line or 0) > (key.line or 0):  # nothing, or a block below: the key is the place
                value.line, value.column = key.line, key.column
            out[key.value] = value
            size += inner
        node.value = out
        return size

    def _sequence(self, node: Node, raw: Any) -> int:
        items = [self._convert(item) for item in raw.value]
        node.value = [item for item, _ in items]
        return 1 + sum(size for _, size in items)
