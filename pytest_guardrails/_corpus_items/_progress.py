"""How far a corpus is, on a terminal: one line that changes, or where none can, a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from pytest_guardrails._model import Group
from pytest_guardrails._population import Fold, fpr_of, recall_of
from pytest_guardrails._stats import per_cent
from pytest_guardrails.reporters.terminal import plain

_LIVE_S = 0.25
_LINES_S = 10.0
_LONGEST_NAME = 40


class Progress:
    """Shows progress of one corpus; nothing under ``-q`` or in an xdist worker."""

    def __init__(self, config: pytest.Config, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = plain(name, _LONGEST_NAME)
        self._clock = clock
        self._reporter: Any = None if config.option.verbose < 0 else config.pluginmanager.getplugin("terminalreporter")
        self._capture: Any = config.pluginmanager.getplugin("capturemanager")
        self._live = bool(self._reporter and self._reporter.isatty)
        self._last = clock()
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._drawn and self._live:
            self._write("")

    def show(self, fold: Fold, total: int) -> None:
        """Say how far it is, unless that was said a moment ago."""
        now = self._clock()
        if self._reporter is None or now - self._last < (_LIVE_S if self._live else _LINES_S):
            return
        self._last = now
        self._write(progress_line(self._name, fold.rows, total, fold.counts()))

    def _write(self, line: str) -> None:
        if self._capture is None:
            self._draw(line)
            return
        with self._capture.global_and_fixture_disabled():
            self._draw(line)

    def _draw(self, line: str) -> None:
        if not self._drawn:
            self._reporter.ensure_newline()
            self._drawn = True
        if self._live:
            width = self._reporter._tw.fullwidth - 1
            self._reporter.rewrite(line[:width].ljust(width))
            self._reporter.rewrite("")
        else:
            self._reporter.write_line(line)
        self._reporter.flush()


def progress_line(name: str, done: int, total: int, counts: Group) -> str:
    """Return what is said of a corpus under way: ``corpus benign  12,000 of 100,000 · FPR 0.2%``."""
    said = [f"corpus {name}  {done:,} of {total:,}"]
    for label, rate in (("FPR", fpr_of(counts)), ("recall", recall_of(counts))):
        said += [f"{label} {per_cent(rate.value)}"] if rate.value is not None else []
    said += [f"{counts.error:,} errors"] if counts.error else []
    return " · ".join(said)
