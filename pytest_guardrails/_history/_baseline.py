"""The baseline file: a head that names the guards, then a line per case and sample, sorted, mergeable by git."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from pytest_guardrails._aside import written_aside
from pytest_guardrails._codec import decode, encode
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._history._lines import Entry, entry_of, line_of
from pytest_guardrails._history._order import in_order
from pytest_guardrails._history._side import GuardLine, Latencies, Side
from pytest_guardrails._model import Latency
from pytest_guardrails.reporters.json import dumps

SCHEMA = "pytest-guardrails/baseline/1"
HEAD_KEYS = ("schema", "guards", "corpora", "latency")
_CONFLICT = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")


@dataclass(frozen=True, slots=True)
class Head:
    """The first line: the guards by name, the case file that each corpus belongs to, and how long the guards took.

    ``latency`` is by population and guard; a baseline that is older has none.
    """

    guards: Mapping[str, GuardLine] = field(default_factory=dict)
    corpora: Mapping[str, str] = field(default_factory=dict)
    latency: Latencies = field(default_factory=dict)


def read_side(path: Path, shown: str) -> Side:
    """Return a baseline as a side of a comparison; ``shown`` names the file in errors.

    Raises:
        ConfigError: here for its head, and while its entries are read for any line that cannot be meant.
    """
    head = read_head(path, shown)
    return Side(shown, head.guards, read_entries(path, shown), head.latency, sorted=True)


def read_head(path: Path, shown: str) -> Head:
    """Read the first line.

    Raises:
        ConfigError: where there is none, or it is of another schema.
    """
    with _opened(path, shown) as file:
        data = _object(file.readline(), shown, 1)
    if data.get("schema") != SCHEMA:
        raise ConfigError(unknown("schema", data.get("schema"), [SCHEMA]), file=shown, line=1)
    for key in data:
        if key not in HEAD_KEYS:
            raise ConfigError(unknown("key", key, HEAD_KEYS), file=shown, line=1)
    guards, corpora = data.get("guards", {}), data.get("corpora", {})
    try:
        named = {name: decode(GuardLine, guard) for name, guard in guards.items()}
        return Head(named, dict(corpora), dict(_latencies(data.get("latency", {}))))
    except (TypeError, ValueError, AttributeError) as exc:
        raise ConfigError(f"guards, corpora and latency are mappings by name: {exc}", file=shown, line=1) from None


def _latencies(data: Any) -> Iterator[tuple[tuple[str, str], Latency]]:
    for population, guards in data.items():
        for guard, said in guards.items():
            latency = decode(Latency, said)
            counts = latency.count, latency.vendor_count
            times = latency.p50_s, latency.p95_s, latency.vendor_p50_s or 0.0, latency.vendor_p95_s or 0.0
            if not all(type(count) is int and count >= 0 for count in counts):
                raise ValueError(f"a count of requests is 0 or more: {population[:40]}, {guard[:40]}")
            if not all(type(time) in (int, float) and 0 <= time < math.inf for time in times):
                raise ValueError(f"a time is 0 or more seconds: {population[:40]}, {guard[:40]}")
            yield (population, guard), latency


def read_entries(path: Path, shown: str) -> Iterator[Entry]:
    """Yield the entries of a baseline, sorted.

    Raises:
        ConfigError: for a line that cannot be meant, or two of one place.
    """
    last: Entry | None = None
    each = _each(path, shown)
    for entry in each if _is_sorted(path) else in_order(each):
        if last is not None and entry.place == last.place:
            lines = [number for number, other in _numbered_lines(path, shown) if other.place == entry.place]
            said = f"{entry.population}, {entry.key!r} is there twice, first in line {lines[0]}: keep one of them"
            raise ConfigError(said, file=shown, line=lines[-1])
        last = entry
        yield entry


def _is_sorted(path: Path) -> bool:
    """True if the lines of a baseline are in order; what cannot be meant is for somebody else to say."""
    last: tuple[Any, ...] | None = None
    with path.open("rb") as file:
        next(file, None)
        for line in file:
            try:
                data = json.loads(line)
                place = data["population"], data["key"], data.get("copy", 1)
                if last is not None and place < last:
                    return False
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                return False
            last = place
    return True


def _each(path: Path, shown: str) -> Iterator[Entry]:
    return (entry for _, entry in _numbered_lines(path, shown))


def _numbered_lines(path: Path, shown: str) -> Iterator[tuple[int, Entry]]:
    with _opened(path, shown) as file:
        for number, text in enumerate(file, 1):
            if number == 1:
                continue
            data = _object(text, shown, number)
            try:
                entry = entry_of(data)
            except ConfigError as exc:
                raise ConfigError(exc.message, file=shown, line=number) from None
            yield number, entry


def _opened(path: Path, shown: str) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as exc:
        raise ConfigError(f"cannot read the baseline: {exc.strerror}", file=shown) from None


def _object(line: bytes, shown: str, number: int) -> dict[str, Any]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError("this line is not UTF-8", file=shown, line=number) from None
    if text.startswith(_CONFLICT):
        said = "a merge left a conflict here: keep one line per key, or write the file anew"
        raise ConfigError(f"{said} (pytest --guardrails-update-baseline)", file=shown, line=number)
    try:
        data = json.loads(text)
    except ValueError:
        torn = "this line is cut off" if text and not text.endswith("\n") else "this line is not JSON"
        said = torn if text.strip() else "the file is empty" if number == 1 else "this line is empty"
        raise ConfigError(said, file=shown, line=number) from None
    except RecursionError:
        raise ConfigError("this line is not JSON", file=shown, line=number) from None
    if not isinstance(data, dict):
        raise ConfigError(f"a line is a JSON object, not {type(data).__name__}", file=shown, line=number)
    return data


def write(path: Path, head: Callable[[], Head], ordered: Iterable[Entry]) -> None:
    """Write a baseline aside and rename it.

    ``head`` is asked after the last entry; what no entry names is left out of it.
    """
    places = set()
    with written_aside(path) as file, _spool(path) as body:
        for entry in ordered:
            places.add((entry.population, entry.guard))
            body.write(f"{line_of(entry)}\n".encode())
        body.seek(0)
        file.write((dumps({"schema": SCHEMA, **_head_of(head(), places)}) + "\n").encode())
        shutil.copyfileobj(body, file)


def _head_of(head: Head, places: Collection[tuple[str, str]]) -> dict[str, Any]:
    """Return a head as JSON, of what stands at ``places``: populations and guards."""
    populations, guards = {place[0] for place in places}, {place[1] for place in places}
    latency: dict[str, dict[str, Any]] = {}
    for (population, guard), known in sorted(head.latency.items()):
        if (population, guard) in places:
            latency.setdefault(population, {})[guard] = encode(known, sparse=True)
    return {
        "guards": {name: encode(guard) for name, guard in sorted(head.guards.items()) if name in guards},
        "corpora": {name: where for name, where in sorted(head.corpora.items()) if name in populations},
        "latency": latency,
    }


def _spool(path: Path) -> BinaryIO:
    return cast("BinaryIO", tempfile.TemporaryFile(dir=path.parent))


def check(path: Path, shown: str) -> int:
    """Read a whole baseline; return how many entries it has.

    Raises:
        ConfigError: where some line cannot be meant.
    """
    read_head(path, shown)
    return sum(1 for _ in read_entries(path, shown))
