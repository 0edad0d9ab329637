"""Rows to samples: every field is what it may be, or the error says where it is not."""

from __future__ import annotations

import itertools
import json
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_guardrails._corpus._rows import fail, rows
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._mask import shape
from pytest_guardrails._model import LABELS, Sample, Span
from pytest_guardrails._population import key_of
from pytest_guardrails._texts import is_id, is_label

FIELDS = ("text", "label", "category", "id", "spans")
_SPAN_KEYS = ("entity", "type", "start", "end")
_LABELS = {**{label: label for label in LABELS}, "1": "attack", "0": "benign"}
_HEADING = re.compile(r"[^\W\d_](?:\w| (?=\w)|[-./]){0,39}")  # a name of a column, and no message
_FIVE_DIGITS = re.compile(r"\d{5}")
_LONGEST_NAME = 200
_LARGEST = (1 << 64) - 1


def read(
    path: Path,
    shown: str,
    *,
    label: str | None = None,
    columns: Mapping[str, str] | None = None,
    key: bytes = b"",
    limit: int | None = None,
) -> Iterator[Sample]:
    """Yield the samples of a file, each with an id: its own, else the keyed hash of its text.

    An id and a category are published: of one that could be an address, a card or a text, the keyed hash stands there.

    ``shown`` is the file's name in errors. ``label`` is that of rows that have none. ``columns`` renames fields of the
    file to `FIELDS`; one that it calls ``_`` is left out, and so are fields that begin with an underscore.

    Raises:
        ConfigError: where the file cannot be read, a row cannot be meant, or an id is there twice.
    """
    ids, texts = _Seen(), _Seen()
    repeats: dict[str, int] = {}
    names = dict(columns or {})
    unseen = set(names)
    has_header = path.suffix.lower() == ".csv"
    for line, row in itertools.islice(rows(path, shown), limit):
        unseen -= row.keys()
        fields = _renamed(row, names, shown, line) if names else row
        if has_header:
            _refuse_header(fields, shown)
            has_header = False
        text = _text(fields, shown, line)
        name = _name(fields, "id", shown, line)
        if name and not ids.add(name):
            fail(f"id {_said(name)} is there twice{_first(path, shown, names, name)}", shown, line)
        if name and not is_id(name):  # it could be an address or a card: whatever names the sample is published
            name = key_of(name, key)
        if not name:
            name = key_of(text, key)
            if not texts.add(text):  # the same text again: its second line is another sample
                repeats[name] = repeats.get(name, 1) + 1
                name = f"{name}-{repeats[name]}"
        own, category = fields.get("label"), _name(fields, "category", shown, line)
        category = category if is_label(category) or not category else key_of(category, key)
        spans = None if fields.get("spans") is None else _spans(fields["spans"], text, shown, line)
        yield Sample(text, _label(own, label, shown, line), category, name, spans, line)
    if unseen and limit is None:
        raise ConfigError(f"columns names {sorted(unseen)[0]!r}, which no row has", file=shown)


def unique(samples: Iterable[Sample], key: bytes = b"") -> Iterator[Sample]:
    """Yield samples that nobody wrote down, each with an id of its own."""
    for number, sample in enumerate(samples, 1):
        yield replace(sample, id=f"{number}-{key_of(sample.text, key)}", line=None)


def _refuse_header(row: Mapping[str, Any], file: str) -> None:
    """Refuse a column that is none of `FIELDS` where it stands; of what may be a message, not a name, the shape."""
    for key in row:
        if key not in FIELDS and not key.startswith("_"):
            is_name = _HEADING.fullmatch(key) and key.count(" ") < 4 and not _FIVE_DIGITS.search(key)
            said = unknown("column", key if is_name else shape(key), FIELDS)
            fail(f"{said}; the first line of a CSV file is its header, and columns: renames fields", file, 1)


def _text(row: Mapping[str, Any], file: str, line: int) -> str:
    """Return the text of a row that has no field but `FIELDS`."""
    for key in row:
        if key not in FIELDS and not key.startswith("_"):
            fail(f"{unknown('field', _shown(key), FIELDS)}; columns: renames fields", file, line)
    text = row.get("text")
    if not isinstance(text, str) or not text:
        fail("text is empty or not there" if not text else f"text is a text, not {_kind(text)}", file, line)
    return text


def _label(own: Any, given: str | None, file: str, line: int) -> str:
    if own in LABELS and given in (None, own):
        return str(own)
    if own is None:
        if given is None:
            fail("the row has no label, and the corpus says none for all: attack or benign", file, line)
        return given
    plain = own if isinstance(own, str) else str(own) if isinstance(own, int) and not isinstance(own, bool) else None
    label = _LABELS.get(plain) if plain is not None else None
    if label is None:
        fail(unknown("label", _shown(own if plain is None else plain), _LABELS), file, line)
    if given not in (None, label):
        fail(f"the row says {label}, and the corpus says {given} for all", file, line)
    return label


def _name(row: Mapping[str, Any], key: str, file: str, line: int) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        fail(f"{key} is a text, not {_kind(value)}", file, line)
    if len(value) > _LONGEST_NAME:
        fail(f"{key} has {len(value):,} characters, and may have {_LONGEST_NAME}", file, line)
    return value


def _spans(value: Any, text: str, file: str, line: int) -> tuple[Span, ...]:
    if isinstance(value, str):  # a cell of a CSV file
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            fail("spans is not JSON", file, line)
    if not isinstance(value, list):
        fail(f"spans is a list, not {_kind(value)}", file, line)
    return tuple(_span(span, text, file, line) for span in value)


def _span(value: Any, text: str, file: str, line: int) -> Span:
    if not isinstance(value, dict):
        fail(f"a span is an object with entity, start and end, not {_kind(value)}", file, line)
    for key in value:
        if key not in _SPAN_KEYS:
            fail(unknown("key of a span", _shown(key), _SPAN_KEYS), file, line)
    entity, start, end = value.get("entity", value.get("type")), value.get("start"), value.get("end")
    if not isinstance(entity, str) or not entity or ("entity" in value and "type" in value):
        fail("a span has an entity (or a type): what stands there", file, line)
    if type(start) is not int or type(end) is not int:
        fail("start and end of a span are whole numbers: characters, half-open", file, line)
    if not 0 <= start < end <= len(text):
        fail(f"the span {start}:{end} is not in the text of {len(text)} characters", file, line)
    return Span(entity, start, end)


def _renamed(row: Mapping[str, Any], names: Mapping[str, str], file: str, line: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in row.items():
        name = names.get(key, key)
        if name == "_":
            continue
        if name in out:
            fail(f"two fields of the row are its {name}", file, line)
        out[name] = value
    return out


def _first(path: Path, shown: str, names: Mapping[str, str], wanted: str) -> str:
    """Say where an id stood first: ids are not kept, so it is looked up again."""
    for line, row in rows(path, shown):
        if _name(_renamed(row, names, shown, line), "id", shown, line) == wanted:
            return f"; the first is in line {line}"
    return ""


def _said(name: str) -> str:
    return repr(name) if is_id(name) else repr(shape(name))


def _shown(value: object) -> str:
    """Return what stands where a word of ours should, so that it can be printed: perhaps it is somebody's text."""
    return str(value) if is_label(str(value)) else shape(str(value))


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else "a text")


class _Seen:
    """A set of texts in 16 to 32 bytes each: their hashes, in a table with open addressing."""

    def __init__(self) -> None:
        self._table = array("Q", [0]) * 1024
        self._count = 0

    def add(self, text: str) -> bool:
        """Add a text; return False if it was there."""
        number = hash(text) & _LARGEST or 1  # 0 is an empty place
        if not self._put(number):
            return False
        self._count += 1
        if 2 * self._count > len(self._table):
            old, self._table = self._table, array("Q", [0]) * (2 * len(self._table))
            for other in filter(None, old):
                self._put(other)
        return True

    def _put(self, number: int) -> bool:
        mask = len(self._table) - 1
        place = number & mask
        while (there := self._table[place]) != 0:
            if there == number:
                return False
            place = (place + 1) & mask
        self._table[place] = number
        return True
