"""Files to rows: each a mapping of what was written to its line; streamed, but for YAML."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from pytest_guardrails._document import Node, parse_yaml
from pytest_guardrails._errors import ConfigError, unknown

LONGEST_ROW = 10_000_000  # bytes
Row = tuple[int, dict[str, Any]]
_DEFAULT_CELL = 131_072  # of the csv module, whose limit is one for the whole process


def rows(path: Path, shown: str) -> Iterator[Row]:
    """Yield the line, from 1, and the fields of each row; ``shown`` is the file's name in errors.

    Raises:
        ConfigError: where the file cannot be read or a row cannot be meant.
    """
    return _READERS[suffix_of(path, shown)](path, shown)


def suffix_of(path: Path, shown: str) -> str:
    """Return the suffix that says how a file is read.

    Raises:
        ConfigError: for one that nobody reads.
    """
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise ConfigError(unknown("suffix of a corpus", path.suffix or path.name, SUFFIXES), file=shown)
    return suffix


def fail(message: str, file: str, line: int | None) -> NoReturn:
    """Raise a `ConfigError` at a row."""
    raise ConfigError(message, file=file, line=line)


def _lines(path: Path, shown: str) -> Iterator[tuple[int, str]]:
    """Yield each line as it is written, its end included, with its number."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_ROW + 1):
                number += 1
                yield number, _text(line, shown, number)
    except OSError as exc:
        raise ConfigError(f"cannot read the file: {exc.strerror}", file=shown) from None


def _text(line: bytes, shown: str, number: int) -> str:
    if len(line) > LONGEST_ROW:
        fail(f"the row is longer than {LONGEST_ROW:,} bytes", shown, number)
    if number == 1:
        if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            fail("the file is UTF-16; a corpus is UTF-8", shown, number)
        line = line.removeprefix(codecs.BOM_UTF8)
    if b"\0" in line:
        fail("there is a NUL byte: is the file text in UTF-8?", shown, number)
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as exc:
        fail(f"the row is not UTF-8 (byte {exc.start + 1})", shown, number)


def _jsonl(path: Path, shown: str) -> Iterator[Row]:
    decode = json.JSONDecoder(object_pairs_hook=_once).decode
    for number, line in _lines(path, shown):
        if not line.strip():
            continue
        try:
            row = decode(line)
        except json.JSONDecodeError as exc:
            fail(f"not JSON: {exc.msg} (column {exc.colno})", shown, number)
        except ValueError as exc:  # a repeated key, an endless number
            fail(f"not JSON: {exc}", shown, number)
        except RecursionError:
            fail("nested too deeply", shown, number)
        if not isinstance(row, dict):
            fail(f"a row is an object with text and label, not {type(row).__name__}", shown, number)
        yield number, row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {twice!r} is there twice")
    return out


def _plain(path: Path, shown: str) -> Iterator[Row]:
    for number, line in _lines(path, shown):
        text = line.removesuffix("\n").removesuffix("\r")
        if text.strip():
            yield number, {"text": text}


def _csv(path: Path, shown: str) -> Iterator[Row]:
    if csv.field_size_limit() < LONGEST_ROW:
        csv.field_size_limit(LONGEST_ROW)  # raised and left so: between two rows, others may read CSV as well
    reader = csv.reader((line for _, line in _lines(path, shown)), strict=True)
    header: list[str] | None = None
    start = 1
    while (cells := _cells(reader, shown, start)) is not None:
        line, start = start, reader.line_num + 1
        if not cells:
            continue
        if header is None:
            header = cells
            twice = [name for name in header if header.count(name) > 1]
            if twice:
                fail(f"column {twice[0]!r} is there twice", shown, line)
            continue
        if len(cells) != len(header):
            fail(f"the row has {len(cells)} cells, and the header has {len(header)}", shown, line)
        yield line, {name: cell or None for name, cell in zip(header, cells, strict=True)}


def _cells(reader: Any, shown: str, line: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as exc:
        fail(f"not CSV: {exc}", shown, line)


def _yaml(path: Path, shown: str) -> Iterator[Row]:
    text = "".join(line for _, line in _lines(path, shown))
    root = parse_yaml(text, shown)
    if root.is_empty:
        return
    for node in root.items("a corpus"):
        yield node.line or 0, {key: _written(value) for key, value in node.mapping("a row").items()}


def _written(node: Node) -> Any:
    """Return a scalar as it was written, nothing as None, and what has a structure as JSON would have it."""
    if isinstance(node.value, str):
        return None if node.is_empty else node.value
    return node.data()


_READERS: Mapping[str, Callable[[Path, str], Iterator[Row]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _csv,
    ".txt": _plain,
    ".yaml": _yaml,
    ".yml": _yaml,
}
SUFFIXES = tuple(_READERS)
