"""``pytest-guardrails report`` and ``schema report``: a report drawn again as something else, and what it may hold."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path

from pytest_guardrails._errors import ConfigError, ReporterError
from pytest_guardrails._model import Run
from pytest_guardrails._report._read import read_report
from pytest_guardrails.reporters import BENCHMARK, parse_target, reporter_named, write
from pytest_guardrails.reporters.terminal import no_command, plain

SCHEMA_FILE = "report.schema.json"
_LONGEST = 2_000


def run_report(arguments: argparse.Namespace) -> int:
    """Write a report as another type; return 0, or 2 where nothing is written."""
    try:
        if arguments.to != BENCHMARK:
            reporter_named(arguments.to)  # before a long read
        draw(arguments.to, read_report(arguments.report), arguments.output)
    except ConfigError as exc:
        print(said(exc), file=sys.stderr)
        return 2
    return 0


def draw(kind: str, run: Run, output: str | None) -> None:
    """Write a run as a report of a type, into a file or a folder; without one, to standard output.

    Raises:
        ConfigError: where the place cannot be meant or written, or the reporter makes nothing of this run.
    """
    if kind == BENCHMARK and output is None:
        raise ConfigError(f"{kind} is two files: -o says in which folder")
    try:
        if output is None:
            _print(reporter_named(kind)(run))
            return
        for each, path in parse_target(f"{kind}:{output}", Path.cwd()):
            write(each, path, run)
    except ConfigError:
        raise
    except OSError as exc:
        raise ConfigError(f"cannot write it: {exc.strerror}", file=output or "standard output") from None
    except (ArithmeticError, LookupError, RecursionError, ReporterError, TypeError, ValueError) as exc:
        raise ConfigError(f"no {kind} can be made of this report: {type(exc).__name__}: {exc}") from exc


def _print(made: str | bytes) -> None:
    sys.stdout.buffer.write(made.encode("utf-8", "backslashreplace") if isinstance(made, str) else made)
    sys.stdout.buffer.flush()


def said(what: object) -> str:
    """Return an error or a note as a terminal may show it, whatever stands in the file that it speaks of."""
    return "\n".join(no_command(plain(line, _LONGEST)) for line in str(what).split("\n"))


def shipped_schema() -> str:
    """Return the text of the schema of ``report.json``."""
    return files("pytest_guardrails").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")
