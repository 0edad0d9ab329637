"""One pytest process with guardrail tests in it: engines, the test that runs, its record, and the end of the run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from pytest_guardrails import _marker
from pytest_guardrails._answers import Answers
from pytest_guardrails._armed_items import Arming, called
from pytest_guardrails._arming import Attempt
from pytest_guardrails._cases import with_fault
from pytest_guardrails._coverage import refuse_unknown
from pytest_guardrails._engines import Engines
from pytest_guardrails._errors import ConfigError, VerdictMismatch, unknown
from pytest_guardrails._executors import ExecutorSpec, parse
from pytest_guardrails._expect import judge
from pytest_guardrails._failures import failure_repr
from pytest_guardrails._found import FoundCases, Judged, as_labelled, heard
from pytest_guardrails._model import (
    Armed,
    Case,
    CaseRecord,
    CaseResult,
    CaseStatus,
    Expectation,
    Sample,
    Trace,
)
from pytest_guardrails._records import after_pytest, masked_names, record_of
from pytest_guardrails._results import Results
from pytest_guardrails._riding import Riding
from pytest_guardrails._shadow import Shadows
from pytest_guardrails._showing import Showing
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
    is_labelled: bool = False
    is_generated: bool = False
    judged: Judged | None = None
    traces: list[Trace] = field(default_factory=list)  # kept where the run arms its tests
    put_back: Callable[[], None] | None = None  # what the model's upstream was when the test began
    armed: Armed | None = None


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
        answers: list[Any] = []
        if upstream is not None and (self._session.is_generated or self._session.shadows.on):
            upstream = heard(upstream, answers)
        trace = super().run(request, upstream) if current is self else current.run(request, upstream)
        sample = request if isinstance(request, Sample) else None
        self._session.judge_running(trace, current, sample, answers[0] if answers else None)
        return trace


class GuardrailsSession:
    """State of one pytest process; workers judge and attach, the controller gathers and ends the run."""

    def __init__(self, config: pytest.Config, item_key: pytest.StashKey[pytest.Item]) -> None:
        self.config = config
        self._item_key = item_key
        self._item_engine: tuple[pytest.Item | None, Engine | None] = None, None
        self.showing = Showing(config)
        self.revealed = self.showing.revealed
        self.running: Running | None = None
        self.answers = Answers(config, item_key, self.showing.alone)
        self.engines = Engines(config, self.answers.connected)
        self.arming = Arming(config, self.answers)
        self.shadows = Shadows(config, self.engines, self.answers)
        self._variant: Engine | None = None  # what the test that runs is called again with
        self.found = FoundCases(config, self.engines)
        self._upstream: RecordingUpstream | None = None
        self._read_marks: dict[int, tuple[Case, pytest.Mark]] = {}
        self._ended: dict[str, Running] = {}
        self.results = Results(config, revealed=self.revealed)
        self.riding = Riding(config, self.results, self.showing)

    # Configuration and engines

    def refuse_bad_options(self) -> None:
        """Raise a usage error (exit status 4) for a report, a configuration or an executor that cannot be meant."""
        try:
            self.results.targets()
            self.results.gates.asked()
            if self.config.getoption("guardrails_config") == "":
                raise ConfigError("--guardrails-config is empty: it names no configuration")
            texts = self.config.getini("guardrails_cassette_texts")
            if texts not in ("plain", "masked"):
                raise ConfigError(unknown("guardrails_cassette_texts", texts, ("plain", "masked")))
            self.executor()
            self.found.refuse_bad_option()
            self.arming.refuse_bad_option()
            self.results.least_coverage()
            self.results.versions.refuse_bad_options()
            self.shadows.default()
            if (path := self.engines.overriding()) is not None:
                self.engines.of(path)
        except ConfigError as exc:
            raise pytest.UsageError(str(exc)) from None

    def executor(self) -> ExecutorSpec | None:
        """Return where corpora are judged: ``--guardrails-executor``, else the ini key; None is here.

        Raises:
            ConfigError: where it cannot be meant.
        """
        option, ini = self.config.getoption("guardrails_executor"), self.config.getini("guardrails_executor")
        try:
            return parse(ini if option is None else option) if ini or option is not None else None
        except ConfigError as exc:
            where = "the ini key guardrails_executor" if option is None else "--guardrails-executor"
            raise ConfigError(f"{where}: {exc.message}") from None

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
        if self._variant is not None:
            return self._variant
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
        is_labelled = expected is not None and mark is not None and mark.args[0] == _marker.LABELLED
        is_generated = bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
        self.running = Running(item.nodeid, expected, is_labelled=is_labelled, is_generated=is_generated)
        if self.arming.on:
            self.running.put_back = self.upstream().snapshot()

    @property
    def is_generated(self) -> bool:
        """True while a test runs whose inputs Hypothesis generates."""
        return self.running is not None and self.running.is_generated

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

    def judge_running(self, trace: Trace, engine: Engine, sample: Sample | None = None, answer: Any = None) -> None:
        """Judge a trace of the test that runs, if it is marked; ``sample`` is what was sent, where it was one.

        Raises:
            VerdictMismatch: where it is not as expected.
            ConfigError: where labels say what is expected, and what was sent has none.
        """
        __tracebackhide__ = True
        running = self.running
        if running is None:
            return
        running.runs += 1
        running.trace, running.engine = trace, engine
        if self.arming.on and not running.is_generated:
            running.traces.append(trace)
        case = running.expected or Case("", trace.request, Expectation(trace.verdict))
        if running.is_labelled:
            case = as_labelled(case, _marker.labelled(sample), trace, engine.guardrails)
        elif sample is not None and case.label is None:
            case = replace(case, label=sample.label)
        running.judged = Judged(case, trace, answer, sample, engine.guardrails)
        if running.expected is None:
            return
        if case.near_miss and self.engines.overriding() is None:
            self._refuse_unknown_near_miss(case, engine)
        show = self.showing.of(trace)
        running.result = judge(case, trace, show)
        if running.result.status is not CaseStatus.AS_EXPECTED:
            running.mismatch = VerdictMismatch(self.showing.diagnose(case, trace, running.result, show))
            running.mismatch.judged = running.judged if running.is_generated else None
            raise running.mismatch

    @staticmethod
    def _refuse_unknown_near_miss(case: Case, engine: Engine) -> None:
        try:
            refuse_unknown(case.near_miss, engine.guardrails, file=case.file, line=case.line)
        except ConfigError as exc:
            raise pytest.fail.Exception(str(exc), pytrace=False) from None

    def notice_found(self, item: pytest.Item, exc: BaseException) -> None:
        """Keep what Hypothesis found, where it failed the test that runs."""
        if self.running is not None and self.running.is_generated:
            self.found.notice(item, exc, self.running.judged)

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

    # Arming

    def arm(self, item: pytest.Item) -> None:
        """Judge a test that has passed again with its guards disarmed, where the run asks for it."""
        running = self.running
        if running is None or not self.arming.on or hasattr(item, "case"):
            return
        if not running.runs and "guardrail_engine" not in getattr(item, "fixturenames", ()):
            return  # it asks for a fault alone
        put_back, properties = self.upstream().snapshot(), list(item.user_properties)
        running.armed = self.arming.test(item, running.engine, running.traces, functools.partial(self._again, item))
        put_back()
        item.user_properties[:] = properties

    def _again(self, item: pytest.Item, variant: Engine) -> Attempt:
        """Call the test that runs again with another engine, judged as it was, beside its own record."""
        before = self.running
        assert before is not None  # noqa: S101 - it is what is called again
        if before.put_back is not None:
            before.put_back()
        self.running, self._variant = Running(before.nodeid, before.expected, is_labelled=before.is_labelled), variant
        try:
            return self.arming.answered(item, functools.partial(self._attempt, item, self.running))
        finally:
            self.running, self._variant = before, None

    def _attempt(self, item: pytest.Item, running: Running) -> Attempt:
        passed, reason = called(item.runtest)
        if passed:
            passed, reason = called(self.require_runs)
        return Attempt(passed, tuple(running.traces), reason)

    # Records on reports

    def attach(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Put the record of a marked test onto its report, and show a mismatch without a stack."""
        excinfo = call.excinfo
        own = hasattr(item, "case")  # a case of a file shows its failure itself
        if not own and excinfo is not None and isinstance(excinfo.value, VerdictMismatch) and report.failed:
            notes = getattr(excinfo.value, "__notes__", ())
            report.longrepr = failure_repr("\n".join([str(excinfo.value), *notes]), *self._place(item))
        if call.when == "call" or (call.when == "setup" and not report.passed):
            running = self._ended.pop(item.nodeid, None)
            record = getattr(item, "record", None) or self._record(item, running)
            record = replace(record, **after_pytest(record, report, excinfo))
            engine = getattr(item, "engine", None) or (running.engine if running else None)
            self.riding.case(report, item, record, engine)

    @staticmethod
    def _place(item: pytest.Item) -> tuple[str, int]:
        file, line, _ = item.location
        return file, (line or 0) + 1

    def _record(self, item: pytest.Item, running: Running | None) -> CaseRecord:
        """Return the record of a marked test in Python."""
        mark = item.get_closest_marker(_marker.NAME)
        assert mark is not None  # noqa: S101 - the hook looked
        judged = running.judged if running else None
        case = getattr(item, "case", None) or (judged.case if judged else self._expected(item, mark))
        trace, result = (running.trace, running.result) if running else (None, None)
        nodeid = item.nodeid
        if not self.revealed:
            nodeid, name = masked_names(item, self.showing.masked)
            case = replace(case, id=name)
        generated = bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
        made = record_of(nodeid, case, trace, result, running.engine if running else None)
        armed = running.armed if running else None
        shadow = None if generated or judged is None else self.shadows.of_test(item, judged)
        key = masked_names(item, self.showing.masked)[0] if self.revealed else nodeid
        made = replace(made, shadow=shadow, key=None if key == nodeid else key)
        return replace(made, runs=running.runs if running else 0, generated=generated, armed=armed)

    def attach_armed(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Put onto the report of a test without a mark what arming says of it."""
        running = self._ended.pop(item.nodeid, None) if call.when == "call" else None
        if running is None or running.armed is None or not report.passed:
            return
        nodeid = item.nodeid if self.revealed else masked_names(item, self.showing.masked)[0]
        self.riding.armed(report, nodeid, running.engine, running.armed)

    # The end of the run

    def finish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> int | pytest.ExitCode:
        """Fold recordings into their cassettes and write the reports; return the exit status."""
        self.results.notes, drifted = self.answers.finish()
        if drifted and exitstatus == pytest.ExitCode.OK:
            exitstatus = pytest.ExitCode.TESTS_FAILED
        self.results.notes += self.found.finish()
        return self.results.finish(session, exitstatus)
