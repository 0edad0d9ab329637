"""The controller's part of a run: it gathers what rides on reports, ends the run, and speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_guardrails._session import GuardrailsSession

SESSION = pytest.StashKey["GuardrailsSession"]()
DESELECTED = pytest.StashKey[int]()
UNCOLLECTED = pytest.StashKey[list[str]]()


class Controller:
    """Gathers what rides on reports, ends the run, and speaks: on the controller under xdist, else in the process."""

    def __init__(self, config: pytest.Config, session_of: Callable[[pytest.Config], GuardrailsSession]) -> None:
        self._config = config
        self._session_of = session_of

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the record that rides on a report."""
        if report.when not in ("setup", "call", "teardown"):  # xdist
            self._session_of(self._config).results.lose(report.nodeid, "its worker died")
        riding = getattr(report, "guardrail", None)
        if riding is not None:
            self._session_of(self._config).results.gather(riding)
        armed = getattr(report, "guardrails_armed", None)
        if armed is not None:
            self._session_of(self._config).results.gather_armed(armed)
        found = getattr(report, "guardrails_found", None)
        if found is not None:
            self._session_of(self._config).found.gather(found)
        corpus = getattr(report, "guardrails_corpus", None)
        if corpus is not None:
            self._session_of(self._config).results.gather_corpus(corpus)
        recording = getattr(report, "guardrails_recording", None)
        if recording is not None:
            self._session_of(self._config).answers.gather(recording)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected: its tests are not in the run, which is not whole."""
        if report.failed:
            self._config.stash.setdefault(UNCOLLECTED, []).append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        """Write the reports, also of a run that was cut short, and mark a run whose guards errored as untrusted."""
        own = self._own()
        if own is not None:
            for nodeid in self._config.stash.get(UNCOLLECTED, []):
                own.results.lose(nodeid, "could not be collected")
            own.results.gates.deselected = self._config.stash.get(DESELECTED, 0)
            session.exitstatus = own.finish(session, exitstatus)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the guardrails section."""
        own = self._own()
        if own is not None:
            own.results.summarise(terminalreporter)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Gather what an xdist worker sent at its end."""
        output = getattr(node, "workeroutput", None) or {}
        counts = (self._config.stash.get(DESELECTED, 0), output.get("guardrails_deselected", 0))
        self._config.stash[DESELECTED] = max(counts)  # every worker has collected all
        if refused := output.get("guardrails_refused"):
            self._session_of(self._config).results.versions.refused = refused
        if gates := output.get("guardrails_gates"):
            self._session_of(self._config).results.gates.gather(gates)

    def _own(self) -> GuardrailsSession | None:
        if self._config.getoption("guardrails_report") or self._config.getoption("guardrails_record") != "none":
            return self._session_of(self._config)
        if self._config.getoption("guardrails_fail_on") or self._config.getini("guardrails_fail_on"):
            return self._session_of(self._config)
        return self._config.stash.get(SESSION, None)
