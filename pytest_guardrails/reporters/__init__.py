"""Reporters: pure functions from a run to text, and where their text goes.

A reporter is a callable ``(Run) -> str`` (one of another package may return bytes); `REPORTERS` has the built-in ones,
and the entry points of the group ``pytest_guardrails.reporters`` add to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_guardrails._aside import written_aside
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Run
from pytest_guardrails.reporters._added import GROUP, Reporter, added, loaded
from pytest_guardrails.reporters._corpora import is_untrusted
from pytest_guardrails.reporters.csv import csv
from pytest_guardrails.reporters.ctrf import ctrf
from pytest_guardrails.reporters.gha_benchmark import bigger_is_better, smaller_is_better
from pytest_guardrails.reporters.html import html
from pytest_guardrails.reporters.json import json_report, report_dict
from pytest_guardrails.reporters.junit import junit
from pytest_guardrails.reporters.markdown import markdown
from pytest_guardrails.reporters.openmetrics import openmetrics
from pytest_guardrails.reporters.sarif import sarif
from pytest_guardrails.reporters.terminal import terminal
from pytest_guardrails.reporters.traces import traces

__all__ = [
    "GROUP",
    "REPORTERS",
    "Reporter",
    "bigger_is_better",
    "csv",
    "ctrf",
    "html",
    "is_untrusted",
    "json_report",
    "junit",
    "markdown",
    "openmetrics",
    "parse_target",
    "report_dict",
    "reporter_named",
    "sarif",
    "smaller_is_better",
    "terminal",
    "traces",
    "types",
    "write",
]

REPORTERS: Mapping[str, Callable[[Run], str]] = {
    "csv": csv,
    "ctrf": ctrf,
    "gha-benchmark-bigger": bigger_is_better,
    "gha-benchmark-smaller": smaller_is_better,
    "html": html,
    "json": json_report,
    "junit": junit,
    "md": markdown,
    "openmetrics": openmetrics,
    "sarif": sarif,
    "traces": traces,
}
PAGES = ("html", "json", "md")  # what the bare option writes
BENCHMARK = "gha-benchmark"  # both of its files, in a folder
FOLDER = "guardrails-report"
_NAMES = {
    "csv": "cases.csv",
    "ctrf": "ctrf.json",
    "gha-benchmark-bigger": "bigger-is-better.json",
    "gha-benchmark-smaller": "smaller-is-better.json",
    "html": "index.html",
    "json": "report.json",
    "junit": "junit.xml",
    "md": "summary.md",
    "openmetrics": "metrics.txt",
    "sarif": "guardrails.sarif",
    "traces": "traces.jsonl",
}


def types() -> list[str]:
    """Return every type of report, those of other packages included.

    Raises:
        ConfigError: where another package takes a name that is taken.
    """
    built_in = sorted([*REPORTERS, BENCHMARK])
    return [*built_in, *sorted(added(built_in))]


def reporter_named(kind: str) -> Reporter:
    """Return the reporter of a type.

    Raises:
        ConfigError: for an unknown type, and for a reporter of another package that cannot be used.
    """
    if kind in REPORTERS:
        return REPORTERS[kind]
    others = added([*REPORTERS, BENCHMARK])
    if kind not in others:
        raise ConfigError(unknown("report type", kind, types()))
    return loaded(others[kind])


def parse_target(spec: str, base: Path) -> list[tuple[str, Path]]:
    """Return the reporters and files that ``TYPE[:DEST]`` asks for; an empty spec asks for the pages, in their folder.

    Raises:
        ConfigError: for an unknown type, a reporter that cannot be used, or a destination that cannot be meant.
    """
    if not spec:
        return [(kind, base / FOLDER / _NAMES[kind]) for kind in PAGES]
    kind, colon, destination = spec.partition(":")
    if colon and not destination:
        raise ConfigError(f"--guardrails-report={spec}: nothing stands after the colon; name a file or a folder")
    try:
        added([*REPORTERS, BENCHMARK])  # a package that takes a name of ours is refused whatever is asked for
        if kind == BENCHMARK:
            return _benchmark_targets(base / (destination or FOLDER))
        reporter_named(kind)
    except ConfigError as exc:
        raise ConfigError(f"--guardrails-report={spec}: {exc.message}") from None
    if destination == "-":
        raise ConfigError(f"--guardrails-report={spec}: a report is a file, and '-' names none")
    name = _NAMES.get(kind) or re.sub(r"[^\w.-]", "_", kind)
    path = base / (destination or f"{FOLDER}/{name}")
    if path.is_dir() or destination.endswith("/"):
        path = path / name
    return [(kind, path)]


def _benchmark_targets(folder: Path) -> list[tuple[str, Path]]:
    if folder.is_file():
        raise ConfigError(f"{BENCHMARK} writes two files into a folder, and {folder.name} is a file")
    return [(kind, folder / _NAMES[kind]) for kind in ("gha-benchmark-smaller", "gha-benchmark-bigger")]


def write(kind: str, path: Path, run: Run) -> None:
    """Write a report aside and rename it, so that nobody ever reads half of one.

    Raises:
        OSError: where it cannot be written.
        ReporterError: where a reporter of another package made none.
    """
    with written_aside(path) as file:
        made = reporter_named(kind)(run)
        file.write(made.encode("utf-8", "backslashreplace") if isinstance(made, str) else made)
