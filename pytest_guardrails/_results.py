"""The results of a run, where they come together: gathered, written as reports, summarised on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._codec import decode
from pytest_guardrails._metrics import measure
from pytest_guardrails._model import CaseRecord, Guard, Run
from pytest_guardrails._records import environment
from pytest_guardrails.reporters import parse_target, terminal, write

EXIT_UNTRUSTED = 10  # pytest itself uses 0 to 6


class Results:
    """What tests left behind, in the one process that ends the run."""

    def __init__(self, config: pytest.Config, *, revealed: bool) -> None:
        self.config = config
        self.crashed = False
        self.notes: list[str] = []
        self._revealed = revealed
        self._records: dict[str, CaseRecord] = {}
        self._guards: dict[str, Guard] = {}
        self._started = datetime.now(UTC)
        self._run: Run | None = None
        self._written: list[Path] = []
        self._unwritten: list[str] = []

    def targets(self) -> list[tuple[str, Path]]:
        """Return the reports asked for.

        Raises:
            ConfigError: for one that cannot be meant.
        """
        asked = self.config.getoption("guardrails_report") or []
        return [target for spec in asked for target in parse_target(spec, self.config.invocation_params.dir)]

    def gather(self, riding: Mapping[str, Any]) -> None:
        """Keep a record that a worker put onto a report."""
        guard = riding["guard"]
        self.keep(decode(CaseRecord, riding["record"]), guard and decode(Guard, guard))

    def keep(self, record: CaseRecord, guard: Guard | None) -> None:
        """Keep a record; the last one of a test counts."""
        if guard is not None:
            self._guards[guard.key] = guard
        self._records[record.nodeid] = record

    def finish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> int | pytest.ExitCode:
        """Write the reports and return the exit status, `EXIT_UNTRUSTED` where guards errored unexpectedly."""
        records = [record for _, record in sorted(self._records.items())]
        if measure(records).unexpected_errors and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            exitstatus = EXIT_UNTRUSTED
        ended = exitstatus in (0, 1, 5, EXIT_UNTRUSTED)
        whole = ended and not (session.shouldfail or session.shouldstop or self.crashed)
        now = datetime.now(UTC)
        self._run = Run(
            started=self._started.isoformat(timespec="seconds"),
            duration_s=round((now - self._started).total_seconds(), 3),
            complete=bool(whole),
            environment=environment(),
            guards=tuple(guard for _, guard in sorted(self._guards.items())),
            records=tuple(records),
            revealed=self._revealed,
            exit_status=int(exitstatus),
        )
        if self.config.getoption("collectonly"):
            return exitstatus
        for kind, path in self.targets():
            try:
                write(kind, path, self._run)
            except OSError as exc:
                self._unwritten.append(f"{path}: {exc.strerror}")
                exitstatus = exitstatus or pytest.ExitCode.USAGE_ERROR
            else:
                self._written.append(path)
        return exitstatus

    def summarise(self, terminal_reporter: Any) -> None:
        """Print the guardrails section."""
        run = self._run
        if run is None or not (run.records or self._written or self._unwritten or self.notes):
            return
        terminal_reporter.section("guardrails")
        if run.records or self._written:
            for line in terminal(run, measure(run.records), width=terminal_reporter._tw.fullwidth):
                terminal_reporter.write_line(line)
        for note in self.notes:
            terminal_reporter.write_line(note)
        cwd = self.config.invocation_params.dir
        for path in self._written:
            shown = path.relative_to(cwd) if path.is_relative_to(cwd) else path
            terminal_reporter.write_line(f"report     {shown}")
        for problem in self._unwritten:
            terminal_reporter.write_line(f"NO REPORT  {problem}")
