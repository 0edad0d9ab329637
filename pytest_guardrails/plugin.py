"""The pytest plugin: declares options, fixtures, the marker and hooks, and delegates; imports nothing heavy at load."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_guardrails._session import GuardrailsSession
    from pytest_guardrails.targets.embedded import Engine, RecordingUpstream

MARKER = "expect_verdict"
SUFFIXES = (".guardrails.yaml", ".guardrails.yml")
SEVERITIES = ("critical", "high", "medium", "low")
REPORT = "--guardrails-report"

_session_key = pytest.StashKey["GuardrailsSession"]()
_item_key = pytest.StashKey[pytest.Item]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and ini keys of the group "guardrails"."""
    group = parser.getgroup("guardrails", "regression tests for LLM guardrails")
    group.addoption(
        REPORT,
        action="append",
        nargs="?",
        const="",
        metavar="TYPE[:DEST]",
        help="write a report: alone, a folder guardrails-report/ with report.json, index.html and summary.md; "
        "=json, =html or =md writes that one, to DEST if given. Repeatable; the value needs the '='.",
    )
    group.addoption(
        "--guardrails-config",
        metavar="PATH",
        help="the guardrail configuration to test, before any named by a fixture, a case file or the ini file",
    )
    group.addoption(
        "--guardrails-reveal",
        action="store_true",
        help="show the texts of cases in failures and reports, which mask them by default",
    )
    parser.addini("guardrails_config", "the guardrail configuration to test, relative to the ini file")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Keep a bare ``--guardrails-report`` from taking the path after it for its value."""
    if REPORT in args:
        args[:] = [f"{REPORT}=" if arg == REPORT else arg for arg in args]
        parse = parser.parse_known_args
        early_config.known_args_namespace = parse(args, namespace=early_config.known_args_namespace)


def pytest_configure(config: pytest.Config) -> None:
    """Register markers, and refuse options that cannot be meant before any test runs."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(verdict, /, *, action, by, findings, upstream, absent_upstream, upstream_calls, response, warns, "
        "errors, severity, label): every guardrail_engine.run(...) of the test must end in this verdict",
    )
    for severity in SEVERITIES:
        config.addinivalue_line("markers", f"{severity}: guardrail cases of this severity")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Controller(config), "guardrails-controller")
    if config.getoption("guardrails_report") or config.getoption("guardrails_config") is not None:
        _session(config).refuse_bad_options()


def _session(config: pytest.Config) -> GuardrailsSession:
    """Return this process's session, made (and its imports paid for) when a guardrail test first needs it."""
    session = config.stash.get(_session_key, None)
    if session is None:
        from pytest_guardrails._session import GuardrailsSession

        session = GuardrailsSession(config, lambda: config.stash.get(_item_key, None))
        config.stash[_session_key] = session
    return session


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give an xdist worker the key under which texts are masked, so that all workers mask alike."""
    from pytest_guardrails._key import mask_key

    node.workerinput["guardrails_mask_key"] = mask_key(node.config).hex()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect case files."""
    if not file_path.name.endswith(SUFFIXES):
        return None
    from pytest_guardrails._collect import GuardrailsFile

    return GuardrailsFile.from_parent(parent, path=file_path, session_=_session(parent.config))


def _is_marked(item: pytest.Item) -> bool:
    """True if the item has the marker; its keywords alone do not tell, since a parameter may have that name."""
    return MARKER in item.keywords and item.get_closest_marker(MARKER) is not None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a marker with wrong arguments into a collection error of its module."""
    report = yield
    items = [item for item in report.result or () if isinstance(item, pytest.Function)]
    marked = [item for item in items if _is_marked(item)]
    if marked and report.passed:
        from pytest_guardrails._failures import marker_problems

        if problems := marker_problems(marked):
            return pytest.CollectReport(collector.nodeid, "failed", "\n".join(problems), [])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a case of a file in the cheap lane where nothing needs the whole protocol."""
    run_cheaply = getattr(item, "run_cheaply", None)
    return run_cheaply(nextitem) if run_cheaply is not None else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note which test runs, and empty the recording upstream, which lives as long as the session for Hypothesis."""
    item.config.stash[_item_key] = item
    session = item.config.stash.get(_session_key, None)
    if session is not None:
        session.reset_upstream()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge what a test runs, and fail a marked test that ran nothing or swallowed a mismatch."""
    if not _is_marked(item) and "guardrail_engine" not in getattr(item, "fixturenames", ()):
        return (yield)
    session = _session(item.config)
    session.begin(item)
    try:
        result = yield
        session.require_runs()
    except pytest.skip.Exception:
        session.refuse_swallowed()
        raise
    finally:
        session.end()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the record of a guardrail test onto its report, as JSON, and show a mismatch without a stack."""
    report = yield
    if _is_marked(item):
        _session(item.config).attach(item, call, report)
    return report


class Controller:
    """Gathers what rides on reports, ends the run, and speaks: on the controller under xdist, else in the process."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the record that rides on a report."""
        if report.when not in ("setup", "call", "teardown"):  # xdist: the worker died in this test
            _session(self._config).crashed = True
        riding = getattr(report, "guardrail", None)
        if riding is not None:
            _session(self._config).gather(riding)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        """Write the reports, also of a run that was cut short, and mark a run whose guards errored as untrusted."""
        own = self._own()
        if own is not None:
            session.exitstatus = own.finish(session, exitstatus)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the guardrails section."""
        own = self._own()
        if own is not None:
            own.summarise(terminalreporter)

    def _own(self) -> GuardrailsSession | None:
        if self._config.getoption("guardrails_report"):
            return _session(self._config)
        return self._config.stash.get(_session_key, None)


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Explain comparisons of traces and verdicts."""
    if "pytest_guardrails._model" not in sys.modules or op != "==":
        return None
    from pytest_guardrails._failures import explain

    session = config.stash.get(_session_key, None)
    return explain(left, right, session.running.trace if session and session.running else None)


@pytest.fixture(scope="session")
def guardrails_config(pytestconfig: pytest.Config) -> Any:
    """The configuration under test; override it to return a path, a mapping or an `Engine`.

    Precedence: ``--guardrails-config``, then an override of this fixture, then the ini key ``guardrails_config``.
    """
    return _session(pytestconfig).engines.default()


@pytest.fixture(scope="session")
def guardrail_engine(guardrails_config: Any, pytestconfig: pytest.Config) -> Engine:
    """The engine under test; inside a marked test each ``run(...)`` is judged at once."""
    return _session(pytestconfig).judged_engine(guardrails_config)


@pytest.fixture(scope="session")
def guardrail_upstream(pytestconfig: pytest.Config) -> RecordingUpstream:
    """A model that records what it receives and answers from a script; emptied before each test."""
    return _session(pytestconfig).upstream()
