"""``pytest-guardrails merge``: the reports of the shards of one suite to the report of the whole."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._gates import parse
from pytest_guardrails._merge._union import Part, merge, named
from pytest_guardrails._metrics import measure
from pytest_guardrails._model import Run
from pytest_guardrails._report import draw, read_report, report_file, said
from pytest_guardrails.reporters.terminal import verdict_line


def run_merge(arguments: argparse.Namespace) -> int:
    """Write the merged report; return 0, 1 where the merged run is not one that passed, 2 where nothing is written."""
    try:
        made = _merged(arguments)
        draw("json", made, arguments.output)
    except ConfigError as exc:
        print(said(exc), file=sys.stderr)
        return 2
    for line in _summary(made, len(arguments.reports)):
        print(said(line), file=sys.stderr)
    return 1 if made.exit_status else 0


def _merged(arguments: argparse.Namespace) -> Run:
    names, expected = [report_file(name) for name in arguments.reports], arguments.expect
    if expected is not None and len(names) != expected:
        raise ConfigError(f"{expected} reports are expected, and {len(names)} are given: {', '.join(names)}")
    places = [Path(name).resolve() for name in names]
    if twice := [name for name, place in zip(names, places, strict=True) if places.count(place) > 1]:
        raise ConfigError(f"{twice[0]} is given twice")
    gates = [parse(expr) for expr in arguments.fail_on]
    parts = [Part(name, read_report(name)) for name in names]
    return merge(named(parts) if arguments.matrix else parts, gates)


def _summary(made: Run, number: int) -> list[str]:
    counts = f"{number} reports, {len(made.records):,} cases, {len(made.corpora):,} corpora"
    lines = [f"merged {counts}: exit status {made.exit_status}: {verdict_line(made, measure(made.records))}"]
    return [*lines, *made.notes]
