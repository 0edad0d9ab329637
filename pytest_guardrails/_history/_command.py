"""``pytest-guardrails compare A B``: two baselines or reports, compared and printed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_guardrails._codec import encode
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history._baseline import SCHEMA, read_side
from pytest_guardrails._history._compare import compare
from pytest_guardrails._history._side import Side, side_of
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
        compared = compare(side(arguments.before), side(arguments.after))
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return 2
    for line in FORMATS[arguments.format](compared):
        print(line)
    return 1 if compared.failed else 0


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
        return made
    doubts = [made.doubt] if made.doubt else []
    return replace(made, doubt=", ".join([*doubts, "cases alone: a report counts its corpora and does not list them"]))
