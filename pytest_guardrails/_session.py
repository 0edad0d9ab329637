"""One pytest process with guardrail tests in it: engines, the test that runs, its record, and the end of the run."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pytest_guardrails import _marker
from pytest_guardrails._answers import Answers
from pytest_guardrails._cases import with_fault
from pytest_guardrails._codec import encode
from pytest_guardrails._diagnosis import diagnosis, headline
from pytest_guardrails._engines import Engines
from pytest_guardrails._errors import ConfigError, VerdictMismatch, unknown
from pytest_guardrails._expect import Show, came, judge, summary
from pytest_guardrails._failures import failure_repr
from pytest_guardrails._key import mask_key
from pytest_guardrails._mask import mask_trace, masker, placeholders_of
from pytest_guardrails._model import (
    Case,
    CaseRecord,
    CaseResult,
    CaseStatus,
    Trace,
)
from pytest_guardrails._records import after_pytest, guard_of, masked_names, record_of, shown_path
from pytest_guardrails._results import Results
from pytest_guardrails.targets.embedded import Engine, RecordingUpstream


@dataclass(slots=True)
class Running:
    """The test that runs now: what its marker expects, and what its runs of the engine showed."""

    nodeid: str
    expected: Case | None
    engine: Engine | None = None
    runs: int = 0
    trace: Trace | None = None
    result: CaseResult | None = None
    mismatch: VerdictMismatch | None = None


class JudgedEngine(Engine):
    """The engine of the test that runs now; it reports each trace to the session, which judges it."""

    __slots__ = ("_session",)

    def __init__(self, session: GuardrailsSession, first: Engine) -> None:
        super().__init__(first.guardrails, version=first.version, source=first.source)
        self._session = session

    def _current(self) -> Engine:
        return self._session.engine_of_item() or self

    @property
    def guardrails(self) -> Any:
        """The guardrails, in the order in which they run."""
        current = self._current()
        return super().guardrails if current is self else current.guardrails

    @property
    def version(self) -> Any:
        """What decides: declared version, hash of the effective configuration, packages."""
        current = self._current()
        return super().version if current is self else current.version

    def run(self, request: Any, upstream: Any = None) -> Trace:
        """Send a request through the guardrails; inside a marked test, judge what came.

        Raises:
            VerdictMismatch: where the trace is not what the test's marker expects.
        """
        __tracebackhide__ = True
        current = self._current()
        trace = super().run(request, upstream) if current is self else current.run(request, upstream)
        self._session.judge_running(trace, current)
        return trace


class GuardrailsSession:
    """State of one pytest process; workers judge and attach, the controller gathers and ends the run."""

    def __init__(self, config: pytest.Config, item_key: pytest.StashKey[pytest.Item]) -> None:
        self.config = config
        self._item_key = item_key
        self._item_engine: tuple[pytest.Item | None, Engine | None] = None, None
        self.revealed = bool(config.getoption("guardrails_reveal"))
        self.running: Running | None = None
        self._is_worker = hasattr(config, "workerinput")
        self.answers = Answers(config, item_key, self._shown_alone)
        self.engines = Engines(config, self.answers.connected)
        self._upstream: RecordingUpstream | None = None
        self._sent: set[str] = set()
        self._read_marks: dict[int, tuple[Case, pytest.Mark]] = {}
        self._ended: dict[str, Running] = {}
        self.results = Results(config, revealed=self.revealed)

    # Configuration and engines

    def refuse_bad_options(self) -> None:
        """Raise a usage error (exit status 4) for a report or configuration that cannot be meant."""
        try:
            self.results.targets()
            if self.config.getoption("guardrails_config") == "":
                raise ConfigError("--guardrails-config is empty: it names no configuration")
            texts = self.config.getini("guardrails_cassette_texts")
            if texts not in ("plain", "masked"):
                raise ConfigError(unknown("guardrails_cassette_texts", texts, ("plain", "masked")))
            if (path := self.engines.overriding()) is not None:
                self.engines.of(path)
        except ConfigError as exc:
            raise pytest.UsageError(str(exc)) from None

    def judged_engine(self, config: Any) -> Engine:
        """Return the engine for ``guardrail_engine``; a bad configuration fails the test without a stack."""
        return JudgedEngine(self, self._engine_or_fail(config))

    def _engine_or_fail(self, config: Any) -> Engine:
        try:
            return self.engines.of(self.engines.overriding() or config)
        except ConfigError as exc:
            pytest.fail(str(exc), pytrace=False)

    def engine_of_item(self) -> Engine | None:
        """Return the engine that the fixtures of the test that runs now ask for, in its setup and teardown too.

        The fixture lives as long as the session, and pytest gives the first one to all: it must not bring along the
        configuration of the module that asked first.
        """
        item = self.config.stash.get(self._item_key, None)
        if self._item_engine[0] is not item:
            request = getattr(item, "_request", None)
            config = request.getfixturevalue("guardrails_config") if request is not None else None
            self._item_engine = item, self._engine_or_fail(config) if request is not None else None
        return self._item_engine[1]

    def prepare(self, item: pytest.Item) -> None:
        """Empty what lives as long as the session, before a test: the model, and what answers its guards."""
        if self._upstream is not None:
            self._upstream.reset()
        self.answers.begin(item)

    def upstream(self) -> RecordingUpstream:
        """Return the session's recording upstream."""
        if self._upstream is None:
            self._upstream = RecordingUpstream()
        return self._upstream

    # The test that runs

    def begin(self, item: pytest.Item) -> None:
        """Start judging what ``item`` runs, with the configuration that its own fixtures give."""
        mark = item.get_closest_marker(_marker.NAME)
        expected = None
        if mark is not None and not hasattr(item, "case"):
            expected = self._expected(item, mark)
        self.running = Running(item.nodeid, expected)

    def _expected(self, item: pytest.Item, mark: pytest.Mark) -> Case:
        """Return what a marked test expects; a mark that many tests share is read once."""
        if id(mark) not in self._read_marks:
            self._read_marks[id(mark)] = _marker.read_marker(mark), mark
        file, line, _ = item.location
        read = self._read_marks[id(mark)][0]
        case = replace(read, id=item.name, file=file, line=None if line is None else line + 1)
        name, on_call = _marker.fault_of(item) or (None, None)
        return replace(case, fault=name, fault_on_call=on_call, expectation=with_fault(case.expectation, name))

    def end(self) -> None:
        """Stop judging; the record of what ran waits for the report."""
        running, self.running = self.running, None
        if running is not None:
            self._ended[running.nodeid] = running

    def judge_running(self, trace: Trace, engine: Engine) -> None:
        """Judge a trace of the test that runs, if it is marked.

        Raises:
            VerdictMismatch: where it is not as expected.
        """
        __tracebackhide__ = True
        running = self.running
        if running is None:
            return
        running.runs += 1
        running.trace, running.engine = trace, engine
        if running.expected is None:
            return
        show = self.show(trace)
        running.result = judge(running.expected, trace, show)
        if running.result.status is not CaseStatus.AS_EXPECTED:
            running.mismatch = VerdictMismatch(self.diagnose(running.expected, trace, running.result, show))
            raise running.mismatch

    def require_runs(self) -> None:
        """Fail a marked test that passed without running the engine, or by swallowing a mismatch.

        Raises:
            VerdictMismatch: in both cases.
        """
        __tracebackhide__ = True
        running = self.running
        if running is None or running.expected is None:
            return
        self.refuse_swallowed()
        if not running.runs:
            running.mismatch = VerdictMismatch(
                "never ran the guard: a test marked expect_verdict has to call guardrail_engine.run(...); "
                "with the guard switched off it would pass just the same"
            )
            raise running.mismatch

    def refuse_swallowed(self) -> None:
        """Raise a mismatch that the test caught, to pass or to skip all the same.

        Raises:
            VerdictMismatch: where there is one.
        """
        __tracebackhide__ = True
        if self.running is not None and self.running.mismatch is not None:
            raise self.running.mismatch

    # Judging and showing

    def show(self, trace: Trace) -> Show:
        """Return how texts of a trace are shown: masked, or as they are where the run reveals."""
        return repr if self.revealed else functools.partial(self._masked_text, trace)

    def _shown_alone(self, text: str) -> str:
        return text if self.revealed else masker(mask_key(self.config))(text)

    def _masked_text(self, trace: Trace, text: str) -> str:
        return masker(mask_key(self.config), placeholders_of(trace))(text)

    def _masked(self, record: CaseRecord) -> CaseRecord:
        """Return a record as it may leave this process, in a report or to the controller."""
        trace = record.trace
        if trace is None or self.revealed:
            return record
        return replace(record, trace=mask_trace(trace, masker(mask_key(self.config), placeholders_of(trace))))

    def diagnose(self, case: Case, trace: Trace, result: CaseResult, show: Show) -> str:
        """Return the text of a failure."""
        first = headline(summary(case.expectation), came(trace), result)
        return diagnosis(case, trace, result, first, show, masked=not self.revealed)

    # Records on reports

    def attach(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Put the record of a marked test onto its report, and show a mismatch without a stack."""
        excinfo = call.excinfo
        if excinfo is not None and isinstance(excinfo.value, VerdictMismatch) and report.failed:
            notes = getattr(excinfo.value, "__notes__", ())
            report.longrepr = failure_repr("\n".join([str(excinfo.value), *notes]), *self._place(item))
        if call.when == "call" or (call.when == "setup" and not report.passed):
            running = self._ended.pop(item.nodeid, None)
            record = getattr(item, "record", None) or self._record(item, running)
            record = replace(record, **after_pytest(record, report, excinfo))
            engine = getattr(item, "engine", None) or (running.engine if running else None)
            self.ride(report, item, record, engine)

    @staticmethod
    def _place(item: pytest.Item) -> tuple[str, int]:
        file, line, _ = item.location
        return file, (line or 0) + 1

    def _record(self, item: pytest.Item, running: Running | None) -> CaseRecord:
        """Return the record of a marked test in Python."""
        mark = item.get_closest_marker(_marker.NAME)
        assert mark is not None  # noqa: S101 - the hook looked
        case = getattr(item, "case", None) or self._expected(item, mark)
        trace, result = (running.trace, running.result) if running else (None, None)
        nodeid = item.nodeid
        if not self.revealed:
            nodeid, name = masked_names(item, masker(mask_key(self.config)))
            case = replace(case, id=name)
        generated = bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
        made = record_of(nodeid, case, trace, result, running.engine if running else None)
        return replace(made, runs=running.runs if running else 0, generated=generated)

    def ride(self, report: pytest.TestReport, item: pytest.Item, record: CaseRecord, engine: Engine | None) -> None:
        """Keep a record, or from an xdist worker put it onto its report as JSON; its guard goes along the first time.

        A worker that dies loses nothing that way: what it reported has arrived.
        """
        guard = None
        if not item.path.is_relative_to(self.config.rootpath):  # a pack: no path of the machine goes along
            file = shown_path(item.path, self.config.rootpath)
            record = replace(record, nodeid=f"{file}::{record.nodeid.partition('::')[2]}", file=file)
        if engine is not None and record.guard not in self._sent:
            self._sent.add(record.guard)
            guard = guard_of(engine)
        if self._is_worker or self.config.getoption("guardrails_report"):
            record = self._masked(record)  # it leaves this process; without a report nobody reads its texts
        if self._is_worker:
            riding = {"record": encode(record, sparse=True), "guard": guard and encode(guard)}
            report.guardrail = riding  # type: ignore[attr-defined]  # reports carry what plugins give them
        else:
            self.results.keep(record, guard)
        if record.trace is not None:
            properties: list[tuple[str, object]] = [
                ("guardrail.verdict", record.trace.verdict.value),
                ("guardrail.decided_by", record.trace.decided_by or ""),
                ("guardrail.guard", record.guard),
            ]
            item.user_properties.extend(properties)  # JUnit's reporter reads them from the teardown report
            report.user_properties.extend(properties)

    # The end of the run

    def finish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> int | pytest.ExitCode:
        """Fold recordings into their cassettes and write the reports; return the exit status."""
        self.results.notes, drifted = self.answers.finish()
        if drifted and exitstatus == pytest.ExitCode.OK:
            exitstatus = pytest.ExitCode.TESTS_FAILED
        return self.results.finish(session, exitstatus)
