"""``pytest-guardrails compare A B``: two baselines or reports, compared and printed."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from pytest_guardrails._codec import encode
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history._baseline import SCHEMA, read_side
from pytest_guardrails._history._compare import compare
from pytest_guardrails._history._lines import Entry
from pytest_guardrails._history._order import in_order
from pytest_guardrails._history._side import GuardLine, Side, joined, side_of
from pytest_guardrails._model import Comparison
from pytest_guardrails._report import run_of
from pytest_guardrails.reporters._versions import comparison_lines, comparison_markdown
from pytest_guardrails.reporters.json import SCHEMA as REPORT_SCHEMA
from pytest_guardrails.reporters.json import dumps


def _text(compared: Comparison) -> Iterator[str]:
    return comparison_lines(compared, width=WIDTH)


def _json(compared: Comparison) -> Iterator[str]:
    yield dumps({**encode(compared), "failed": compared.failed}, indent=1)


WIDTH = 100
FORMATS: Mapping[str, Callable[[Comparison], Iterator[str]]] = {
    "text": _text,
    "json": _json,
    "md": comparison_markdown,
}


def run_compare(arguments: argparse.Namespace) -> int:
    """Print the comparison of two files; return 0, 1 where a rule fails, 2 where a file cannot be meant."""
    try:
        compared = compare(side(arguments.before), together([side(name) for name in arguments.after]))
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return 2
    for line in FORMATS[arguments.format](compared):
        print(line)
    return 1 if compared.failed else 0


def together(sides: Sequence[Side]) -> Side:
    """Return the parts of a suite as one side; the latency of a population that is in several of them is unknown.

    Raises:
        ConfigError: while its entries are read, where two parts have judged the same case or sample.
    """
    if len(sides) == 1:
        return sides[0]
    guards: dict[str, GuardLine] = {}
    for part in sides:
        for name, guard in part.guards.items():
            guards[name] = joined(guards.get(name), guard)
    timed = Counter(place for part in sides for place in part.latency)
    latency = {place: known for part in sides for place, known in part.latency.items() if timed[place] == 1}
    doubts = dict.fromkeys(part.doubt for part in sides if part.doubt)
    names = ", ".join(part.name for part in sides)
    made = Side(names, guards, _once(sides, names), latency, ", ".join(doubts) or None, sorted=True)
    return replace(made, is_counted=any(part.is_counted for part in sides))


def _once(sides: Sequence[Side], names: str) -> Iterator[Entry]:
    last: Entry | None = None
    for entry in in_order(chain.from_iterable(part.entries for part in sides)):
        if last is not None and entry.place == last.place:
            raise ConfigError(f"{entry.population}, {entry.key!r} is in two of them: that is no one suite", file=names)
        last = entry
        yield entry


def side(name: str) -> Side:
    """Return a baseline, a report.json, or the folder of one as a side of a comparison.

    Raises:
        ConfigError: where it is none of these.
    """
    path = Path(name)
    if path.is_dir():
        path, name = path / "report.json", f"{name.rstrip('/')}/report.json"
    try:
        with path.open("rb") as file:
            first = file.readline()
    except OSError as exc:
        raise ConfigError(f"cannot read it: {exc.strerror}", file=name) from None
    if _is_head(first):
        return read_side(path, name)
    return _report(path, name)


def _is_head(line: bytes) -> bool:
    """True for the first line of a baseline, of this version or another."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and str(data.get("schema", "")).startswith(SCHEMA.rpartition("/")[0])


def _report(path: Path, name: str) -> Side:
    """Return the cases of a report; its corpora are counted there, not listed."""
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or data.get("schema") != REPORT_SCHEMA:
        raise ConfigError(f"it is neither a baseline ({SCHEMA}) nor a report.json ({REPORT_SCHEMA})", file=name)
    try:
        run = run_of(data)
    except ConfigError as exc:
        raise ConfigError(exc.message, file=name) from None
    made = side_of(run, name)
    if not run.corpora:
        return replace(made, is_counted=True)
    doubts = [made.doubt] if made.doubt else []
    doubts.append("cases alone: a report counts its corpora and does not list them")
    unlisted = sum(corpus.rows for corpus in run.corpora if not corpus.shadow)
    return replace(made, doubt=", ".join(doubts), is_counted=True, unlisted=unlisted)
