"""Reporters: pure functions from a run to text, and where their text goes.

A reporter is a callable ``(Run) -> str``; `REPORTERS` is the registry.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Run
from pytest_guardrails.reporters.html import html
from pytest_guardrails.reporters.json import json_report, report_dict
from pytest_guardrails.reporters.markdown import markdown
from pytest_guardrails.reporters.terminal import terminal

__all__ = ["REPORTERS", "html", "json_report", "markdown", "parse_target", "report_dict", "terminal", "write"]

REPORTERS: Mapping[str, Callable[[Run], str]] = {"html": html, "json": json_report, "md": markdown}
FOLDER = "guardrails-report"
_NAMES = {"html": "index.html", "json": "report.json", "md": "summary.md"}


def parse_target(spec: str, base: Path) -> list[tuple[str, Path]]:
    """Return the reporters and files that ``TYPE[:DEST]`` asks for; an empty spec asks for all, in their folder.

    Raises:
        ConfigError: for an unknown type, or a destination that is a folder.
    """
    if not spec:
        return [(kind, base / FOLDER / _NAMES[kind]) for kind in REPORTERS]
    kind, _, destination = spec.partition(":")
    if kind not in REPORTERS:
        raise ConfigError(f"--guardrails-report={spec}: {unknown('report type', kind, REPORTERS)}")
    path = base / (destination or f"{FOLDER}/{_NAMES[kind]}")
    if path.is_dir() or destination.endswith("/"):
        path = path / _NAMES[kind]
    return [(kind, path)]


def write(kind: str, path: Path, run: Run) -> None:
    """Write a report aside and rename it, so that nobody ever reads half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(REPORTERS[kind](run))
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
