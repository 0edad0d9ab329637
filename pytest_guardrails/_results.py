"""The results of a run, where they come together: gathered, written as reports, summarised on the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._arming import is_armed
from pytest_guardrails._codec import decode
from pytest_guardrails._coverage import coverage, read_least
from pytest_guardrails._errors import ConfigError, ReporterError
from pytest_guardrails._metrics import measure
from pytest_guardrails._model import ArmedTest, CaseRecord, CorpusRecord, Guard, Run
from pytest_guardrails._records import environment
from pytest_guardrails._run_gates import RunGates
from pytest_guardrails._spool import close
from pytest_guardrails._versions import Versions
from pytest_guardrails.reporters import is_untrusted, parse_target, terminal, write
from pytest_guardrails.reporters._arming import too_low
from pytest_guardrails.reporters._github import append_summary, error_commands
from pytest_guardrails.reporters._versions import versions_lines
from pytest_guardrails.reporters.terminal import no_command, plain, status_lines

EXIT_UNTRUSTED = 10  # pytest itself uses 0 to 6
_LONGEST = 2_000
_ALARMING = ("FAILED", "UNTRUSTED", "INCOMPLETE", "LOST", "NOT ", "TOO LOW")  # shown in red where there are colours


def judged_something(run: Run) -> bool:
    """True if a run has something to say."""
    return bool(run.records or run.corpora or run.armed or run.gates or run.comparison or run.lost)


class Results:
    """What tests left behind, in the one process that ends the run."""

    def __init__(self, config: pytest.Config, *, revealed: bool) -> None:
        self.config = config
        self._lost: dict[str, str] = {}
        self.notes: list[str] = []
        self.gates = RunGates(config)
        self.versions = Versions(config)
        self._revealed = revealed
        self._records: dict[str, CaseRecord] = {}
        self._corpora: dict[tuple[str, bool], CorpusRecord] = {}
        self._armed: dict[str, ArmedTest] = {}
        self._guards: dict[str, Guard] = {}
        self._started = datetime.now(UTC)
        self._run: Run | None = None
        self._written: list[Path] = []
        self._unwritten: list[str] = []
        self._annotations: list[str] = []

    def targets(self) -> list[tuple[str, Path]]:
        """Return the reports asked for.

        Raises:
            ConfigError: for one that cannot be meant.
        """
        asked = self.config.getoption("guardrails_report") or []
        base = self.config.invocation_params.dir
        targets = list(dict.fromkeys(target for spec in asked for target in parse_target(spec, base)))
        first: dict[Path, str] = {}
        for kind, path in targets:
            other = first.setdefault(path.resolve(), kind)
            if other != kind:
                raise ConfigError(f"--guardrails-report: {other} and {kind} would both write {path.name}")
        return targets

    def gather(self, riding: Mapping[str, Any]) -> None:
        """Keep a record that a worker put onto a report."""
        guard = riding["guard"]
        self.keep(decode(CaseRecord, riding["record"]), guard and decode(Guard, guard))

    def keep(self, record: CaseRecord, guard: Guard | None) -> None:
        """Keep a record; the last one of a test counts."""
        if guard is not None:
            self._guards[guard.key] = guard
        self._records[record.nodeid] = record

    def gather_corpus(self, riding: Mapping[str, Any]) -> None:
        """Keep the record of a corpus that a worker put onto a report."""
        guard = riding["guard"]
        self.keep_corpus(decode(CorpusRecord, riding["record"]), guard and decode(Guard, guard))
        if riding["shadow"] is not None:
            self.keep_corpus(decode(CorpusRecord, riding["shadow"]), None)

    def keep_corpus(self, record: CorpusRecord, guard: Guard | None) -> None:
        """Keep the record of a corpus; the last one of a test counts."""
        if guard is not None:
            self._guards[guard.key] = guard
        self._corpora[record.nodeid, record.shadow] = record

    def gather_armed(self, riding: Mapping[str, Any]) -> None:
        """Keep what a worker says of a test without a mark that was armed."""
        guard = riding["guard"]
        self.keep_armed(decode(ArmedTest, riding["test"]), guard and decode(Guard, guard))

    def keep_armed(self, test: ArmedTest, guard: Guard | None) -> None:
        """Keep what arming says of a test without a mark; the last one counts."""
        if guard is not None:
            self._guards[guard.key] = guard
        self._armed[test.nodeid] = test

    def lose(self, nodeid: str, why: str) -> None:
        """Note a test, or a file of some, whose results nobody has: the run is not whole."""
        place, bracket, _ = nodeid.partition("[")  # a parameter could be a case's text
        self._lost[f"{place}[…]" if bracket and not self._revealed else nodeid] = why

    def least_coverage(self) -> float | None:
        """Return the coverage that the run has to reach, in per cent.

        Raises:
            ConfigError: where it cannot be meant.
        """
        asked = self.config.getoption("guardrails_min_coverage")
        return None if asked is None else read_least(asked)

    def _refuse_low_coverage(self, run: Run) -> Run:
        """Note a coverage that is too low, or that nothing was armed; return the run with its exit status."""
        if self.config.getoption("guardrails_arming") is not None and not is_armed(run):
            self.notes.append("arming     no case and no test that passed could be judged again")
        least = self.least_coverage()
        problems = [] if least is None else too_low(coverage(run), least)
        self.notes += [plain(problem, _LONGEST) for problem in problems]
        failed = problems and run.exit_status == pytest.ExitCode.OK
        return replace(run, exit_status=int(pytest.ExitCode.TESTS_FAILED)) if failed else run

    def finish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> int | pytest.ExitCode:
        """Write the reports and return the exit status, `EXIT_UNTRUSTED` where guards errored unexpectedly."""
        records = [record for _, record in sorted(self._records.items())]
        corpora = [record for _, record in sorted(self._corpora.items())]
        untrusted = measure(records).unexpected_errors or any(map(is_untrusted, corpora))
        if untrusted and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            exitstatus = EXIT_UNTRUSTED
        ended = exitstatus in (0, 1, 5, EXIT_UNTRUSTED)
        whole = ended and not (session.shouldfail or session.shouldstop or self._lost)
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
            corpora=tuple(corpora),
            armed=tuple(test for _, test in sorted(self._armed.items())),
            lost=tuple(plain(f"{nodeid}: {why}", _LONGEST) for nodeid, why in sorted(self._lost.items())),
        )
        if self.config.getoption("collectonly"):
            return exitstatus
        self._run = self.gates.judge(self._refuse_low_coverage(self._run))
        self._run = self.versions.end(self._run, deselected=self.gates.deselected)
        self.notes += [f"LOST       {lost}" for lost in self._run.lost] + self.versions.notes
        self._run = replace(self._run, notes=tuple(plain(note, _LONGEST) for note in self.notes))
        exitstatus = self._run.exit_status
        for ledger in (record.ledger for record in corpora if whole and record.ledger):
            close(Path(ledger))
        for kind, path in self.targets():
            try:
                write(kind, path, self._run)
            except (OSError, ReporterError) as exc:
                said = exc.strerror if isinstance(exc, OSError) else str(exc)
                self._unwritten.append(plain(f"{path}: {said}", _LONGEST))
                exitstatus = exitstatus or pytest.ExitCode.USAGE_ERROR
            else:
                self._written.append(path)
        self._tell_github(self._run)
        return exitstatus

    def _tell_github(self, run: Run) -> None:
        """Append the summary of a GitHub step, and keep its annotations, where a run on GitHub judged something."""
        if not judged_something(run):
            return
        if path := os.environ.get("GITHUB_STEP_SUMMARY"):
            try:
                append_summary(run, Path(path))
            except OSError as exc:
                self.notes.append(f"no summary for GitHub: GITHUB_STEP_SUMMARY cannot be written ({exc.strerror})")
        if os.environ.get("GITHUB_ACTIONS") == "true":
            self._annotations = list(error_commands(run, self._folder_in_repository()))

    def _folder_in_repository(self) -> str:
        """Return where the root of the suite stands in the repository that GitHub has checked out."""
        top = os.environ.get("GITHUB_WORKSPACE")
        root = self.config.rootpath
        return root.relative_to(top).as_posix() if top and root.is_relative_to(top) and root != Path(top) else ""

    def summarise(self, terminal_reporter: Any) -> None:
        """Print the guardrails section."""
        run = self._run
        judged = run is not None and judged_something(run)
        if run is None or not (judged or self._written or self._unwritten or self.notes):
            return
        terminal_reporter.section("guardrails")
        width = terminal_reporter._tw.fullwidth
        if judged or self._written:
            self._say(terminal_reporter, terminal(run, measure(run.records), width=width))
        self._say(terminal_reporter, versions_lines(run, width))
        self._say(terminal_reporter, map(no_command, self.notes))
        self._say(terminal_reporter, self._files())
        if not {"failed", "error"} & terminal_reporter.stats.keys():
            self._say(terminal_reporter, status_lines(run, width))

    def _files(self) -> Iterator[str]:
        cwd = self.config.invocation_params.dir
        for path in self._written:
            yield f"report     {path.relative_to(cwd) if path.is_relative_to(cwd) else path}"
        yield from (f"NO REPORT  {problem}" for problem in self._unwritten)
        yield from self._annotations

    @staticmethod
    def _say(terminal_reporter: Any, lines: Iterable[str]) -> None:
        for line in lines:
            terminal_reporter.write_line(line, red=line.startswith(_ALARMING))
