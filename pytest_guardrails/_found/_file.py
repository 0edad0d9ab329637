"""Found cases appended to a case file, which keeps what it has: cases, comments, line ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_guardrails import _cases
from pytest_guardrails._aside import written_aside
from pytest_guardrails._document import parse_yaml
from pytest_guardrails._dump import dump
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._found._case import identity
from pytest_guardrails._model import Case


def append(text: str, cases: Iterable[Case], file: str) -> tuple[str, tuple[Case, ...]]:
    """Return the text of a case file with the cases appended whose input it does not have, and those cases.

    Raises:
        ConfigError: where the text is no case file, does not end with its list of cases in block style, or would make
            something else of a new one.
    """
    head, column, there = _read(text, file)
    seen = {identity(case) for case in there}
    names = {case.id for case in there}
    new: list[Case] = []
    for case in cases:
        if identity(case) not in seen:
            seen.add(identity(case))
            new.append(replace(case, id=_fresh(case.id, names)))
            names.add(new[-1].id)
    if not new:
        return text, ()
    written = head + _indented(dump(new), column).replace("\n", "\r\n" if "\r\n" in text else "\n")
    _refuse_changed((*there, *new), written, file)
    return written, tuple(new)


def _fresh(name: str, names: set[str]) -> str:
    count = 2
    fresh = name
    while fresh in names:
        fresh, count = f"{name}-{count}", count + 1
    return fresh


def _read(text: str, file: str) -> tuple[str, int, tuple[Case, ...]]:
    """Return what goes before new cases, the column (from 0) of their dashes, and the cases that are there."""
    end = "\r\n" if "\r\n" in text else "\n"
    head = text if not text or text.endswith("\n") else text + end
    root = parse_yaml(text, file)
    if root.is_empty or (isinstance(root.value, dict) and "cases" not in root.value):
        return f"{head}cases:{end}", 2, ()
    there = _cases.read(text, file).cases
    first = root.mapping("a case file")["cases"].items("cases")[0]
    line = text.splitlines()[(first.line or 1) - 1]
    return head, len(line) - len(line.lstrip(" ")), there


def _indented(dumped: str, column: int) -> str:
    """Return the items of a dumped case file, with their dashes in a column."""
    items = dumped.splitlines(keepends=True)[1:]
    return "".join(" " * column + line[2:] for line in items)


def _refuse_changed(meant: Sequence[Case], written: str, file: str) -> None:
    """Raise an error unless the text reads back as these cases: nothing is written on trust."""
    try:
        read = _cases.read(written, file).cases
    except ConfigError:
        raise ConfigError("its list of cases is not the last thing in it, in block style", file=file) from None
    if tuple(map(_content, read)) != tuple(map(_content, meant)):
        raise ConfigError("a new case would not read back as it is: the defaults or the last text reach in", file=file)


def _content(case: Case) -> Case:
    return replace(case, file=None, line=None)


def write(path: Path, text: str) -> None:
    """Write a file aside and rename it, so that nobody ever reads half of it; a link keeps pointing to it."""
    with written_aside(path) as file:
        file.write(text.encode())
