"""Sorting entries, and walking two sorted lists of them side by side, in bounded memory."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import operator
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pytest_guardrails._history._lines import Entry, entry_of, line_of

MOST_IN_MEMORY = 50_000

_place = operator.attrgetter("place")


def in_order(entries: Iterable[Entry], most: int = MOST_IN_MEMORY) -> Iterator[Entry]:
    """Yield entries sorted by place, equal ones as they came; what is more than ``most`` waits in temporary files."""
    left = iter(entries)
    first = sorted(itertools.islice(left, most), key=_place)
    with contextlib.ExitStack() as stack:
        parts: list[Iterator[Entry]] = []
        while part := sorted(itertools.islice(left, most), key=_place):
            file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n"))
            file.writelines(f"[{json.dumps(entry.where)}, {line_of(entry)}]\n" for entry in part)
            file.seek(0)
            parts.append(_back(*json.loads(line)) for line in file)
        yield from heapq.merge(first, *parts, key=_place) if parts else first


def _back(where: str, data: Mapping[str, Any]) -> Entry:
    return replace(entry_of(data), where=where)


def numbered(ordered: Iterable[Entry]) -> Iterator[Entry]:
    """Yield sorted entries, those of one place counted: a corpus may hold one text twice."""
    last, copies = None, 0
    for entry in ordered:
        copies = copies + 1 if entry.place == last else 1
        last = entry.place
        yield entry if copies == 1 else replace(entry, copy=copies)


def side_by_side(first: Iterable[Entry], second: Iterable[Entry]) -> Iterator[tuple[Entry | None, Entry | None]]:
    """Yield what two sorted lists have at each place, None where one of them has nothing there."""
    left, right = iter(first), iter(second)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one.place < other.place):
            yield one, None
            one = next(left, None)
        elif one is None or other.place < one.place:
            yield None, other
            other = next(right, None)
        else:
            yield one, other
            one, other = next(left, None), next(right, None)
