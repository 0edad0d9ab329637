"""``report.json`` to the run that it was written from; it may come from anywhere, and is believed in nothing."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from pytest_guardrails._codec import FrozenDict, decode
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import ArmedTest, CaseRecord, Comparison, CorpusRecord, GateResult, Guard, Run
from pytest_guardrails._report._check import Mismatch, Rule, checker
from pytest_guardrails._report._schema import report_schema
from pytest_guardrails.reporters.json import SCHEMA

NAME = "report.json"
MOST_LEVELS = 200  # far below where Python stops to recurse


def report_file(name: str) -> str:
    """Return the file that is meant: of a folder, its report.json."""
    try:
        return f"{name.rstrip('/')}/{NAME}" if Path(name).is_dir() else name
    except ValueError:  # a name with NUL in it
        return name


def read_report(name: str) -> Run:
    """Read a report, or the one of a folder.

    Raises:
        ConfigError: where it cannot be read, or is no whole report of this version.
    """
    name = report_file(name)
    try:
        text = Path(name).read_bytes()
    except (OSError, ValueError) as exc:
        said = exc.strerror if isinstance(exc, OSError) else "no file can be called that"
        raise ConfigError(f"cannot read it: {said}", file=name) from None
    try:
        return run_of(_parsed(text))
    except ConfigError as exc:
        raise ConfigError(exc.message, file=name) from None


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_refuse)
    except RecursionError:
        raise ConfigError("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise ConfigError("it is no JSON: it is not UTF-8") from None
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        raise ConfigError(f"it is no whole JSON: {exc.msg} at {where}; was it cut off?") from None
    except ValueError as exc:
        raise ConfigError(f"it is no JSON: {str(exc)[:80]}") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"no float can hold {text[:20]}")
    return number


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"JSON has no {word}")


@functools.cache
def _checker() -> Rule:
    return checker(report_schema())


def run_of(data: Any) -> Run:
    """Return the run that a report describes; its figures are not read, they follow from the records.

    Raises:
        ConfigError: where ``data``, made of JSON types, is no report of this version.
    """
    schema = data.get("schema") if isinstance(data, Mapping) else None
    if not isinstance(schema, str) or not schema.startswith(SCHEMA.rpartition("/")[0] + "/"):
        raise ConfigError(f"it is no {NAME} of pytest-guardrails")
    if schema != SCHEMA:
        raise ConfigError(f"its schema is {schema[:80]!r}, and this version reads {SCHEMA}: use the one that wrote it")
    try:
        _refuse_depth(data)
        _checker()(data)
        return _run(data)
    except Mismatch as exc:
        raise ConfigError(f"the report is damaged: {exc}") from None
    except ConfigError as exc:  # of a noun that refuses what it is given, such as a role that nobody has
        raise ConfigError(f"the report is damaged: {exc.message}") from None


def _refuse_depth(data: Any) -> None:
    """Refuse nesting at which whoever walks through the data would run out of stack."""
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > MOST_LEVELS:
            raise Mismatch("it is nested too deeply")
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, dict | list)
        ]


def _run(data: Mapping[str, Any]) -> Run:
    head = data["run"]
    return Run(
        started=head["started"],
        duration_s=head["duration_s"],
        complete=head["complete"],
        environment=FrozenDict(head["environment"]),
        guards=tuple(decode(Guard, guard) for guard in data["guards"]),
        records=tuple(decode(CaseRecord, record) for record in data["cases"]),
        revealed=head["revealed"],
        exit_status=head["exit_status"],
        corpora=tuple(decode(CorpusRecord, record) for record in data["corpora"]),
        gates=tuple(decode(GateResult, gate) for gate in data["gates"]),
        comparison=_comparison(data, "comparison"),
        shadow=_comparison(data, "shadow"),
        armed=tuple(decode(ArmedTest, test) for test in data["armed"]),
        notes=tuple(data["notes"]),
        lost=tuple(head["lost"]),
        gates_alone=head["gates_alone"],
    )


def _comparison(data: Mapping[str, Any], key: str) -> Comparison | None:
    return decode(Comparison, data[key]) if key in data else None
