"""The gates of a run: from the command line, the ini file and case files, gathered where the run ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._gates import Gate, judge_gates, parse
from pytest_guardrails._model import Run
from pytest_guardrails._stats import counted

OPTION, INI = "--guardrails-fail-on", "guardrails_fail_on"


class RunGates:
    """What is demanded of a run; xdist's workers read case files, and send what these demand to the controller."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._of_files: dict[str, tuple[str, ...]] = {}
        self.deselected = 0

    def asked(self) -> list[Gate]:
        """Return every gate: of the command line, of the ini file, of case files in the order of their names.

        Raises:
            ConfigError: for one that cannot be meant.
        """
        lines = ((INI, self._config.getini(INI)), (OPTION, self._config.getoption(INI) or []))
        gates = [_read(expr, where) for where, exprs in lines for expr in exprs]
        gates += [parse(expr, file) for file, exprs in sorted(self._of_files.items()) for expr in exprs]
        return list(dict.fromkeys(gates))

    def demand(self, file: str, exprs: Iterable[str]) -> None:
        """Keep what a case file demands of its own cases and corpora."""
        self._of_files[file] = tuple(exprs)

    def riding(self) -> dict[str, Any]:
        """Return what a worker sends to the controller at its end."""
        return {file: list(exprs) for file, exprs in self._of_files.items()}

    def gather(self, riding: Mapping[str, Any]) -> None:
        """Keep what a worker has read; all of them have read the same."""
        for file, exprs in riding.items():
            self.demand(file, exprs)

    def judge(self, run: Run) -> Run:
        """Return a run with its gates judged, and exit status 1 where one fails and nothing else is wrong."""
        gates = judge_gates(self.asked(), run, self._notes())
        alone = run.exit_status == 0 and any(not gate.passed for gate in gates)
        status = pytest.ExitCode.TESTS_FAILED if alone else run.exit_status
        return replace(run, gates=gates, exit_status=int(status), gates_alone=alone)

    def _notes(self) -> tuple[str, ...]:
        number = self.deselected
        notes = [f"{counted(number, 'test')} deselected: judged on those that ran"] if number else []
        if chosen := [argument for argument in self._config.args if "::" in argument]:
            notes.append(f"{counted(len(chosen), 'node id')} chosen on the command line: judged on what these name")
        if self._config.getoption("lf", False):
            notes.append("--lf: judged on what failed in the last run")
        return tuple(notes)


def _read(expr: str, where: str) -> Gate:
    try:
        return parse(expr)
    except ConfigError as exc:
        raise ConfigError(f"{where}: {exc.message}") from None
