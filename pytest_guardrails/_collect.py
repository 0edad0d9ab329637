"""``*.guardrails.yaml`` files as pytest items, run in a cheap lane where nothing needs pytest's whole protocol."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails import _cases
from pytest_guardrails._config import configure
from pytest_guardrails._corpus import read_specs
from pytest_guardrails._corpus_items import CorpusItem, refuse_bad_spec
from pytest_guardrails._coverage import refuse_unknown
from pytest_guardrails._document import Node, from_data
from pytest_guardrails._errors import ConfigError, MissingRecording, VerdictMismatch, unknown
from pytest_guardrails._expect import Show, judge
from pytest_guardrails._failures import failure_repr
from pytest_guardrails._gates import parse
from pytest_guardrails._model import Case, CaseRecord, CaseResult, CaseStatus, Grade, Trace
from pytest_guardrails._records import record_of, shown_path
from pytest_guardrails._session import GuardrailsSession
from pytest_guardrails.targets.embedded import Engine, scripted

CASSETTE_SUFFIXES = (".yaml", ".yml", ".json", ".jsonl")

# Hooks that do something around each test. A plugin or conftest that has one wants to see our items too.
_PER_TEST_HOOKS = (
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_call",
    "pytest_runtest_teardown",
    "pytest_runtest_makereport",
    "pytest_pyfunc_call",
)
# Plugins whose per-test hooks have nothing to do for an item without fixtures, functions or output of its own.
_INDIFFERENT = ("_pytest.", "pytest_guardrails.", "_hypothesis_pytestplugin", "xdist.", "pytest_asyncio.", "anyio.",
                "pytest_cov.", "pytest_recording.", "pytest_metadata.")  # fmt: skip
# JUnit's reporter (xmlpath) writes properties when a test is torn down.
_WHOLE_PROTOCOL_OPTIONS = ("usepdb", "trace", "setupshow", "setuponly", "setupplan", "xmlpath")

_needs_whole = pytest.StashKey[bool]()


class GuardrailsFile(pytest.File):
    """A case file."""

    def __init__(self, *, session_: GuardrailsSession, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._guardrails = session_
        self.cassette: Path | None = None
        self.grader: Any = None
        self.candidate: Engine | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """Yield one item per case, and one per corpus.

        Raises:
            CollectError: where the file or its configuration cannot be meant, with file, line and column.
        """
        try:
            suite = _cases.load(self.path, self._shown())
            overridden = self._guardrails.engines.overriding()
            self.cassette = self._named_cassette(suite)
            self._demand(suite)
            self.grader = self._named_grader(suite)
            self.candidate = self._guardrails.shadows.of_file(suite.shadow, self.path.parent, suite.file)
            items: list[pytest.Item] = []
            engine = self._engine(suite.guardrails, overridden) if suite.cases or suite.guardrails else Engine()
            names = [guardrail.id for guardrail in engine.guardrails]
            for case in suite.cases:
                by = case.expectation.by
                if by is not None and by not in names and overridden is None:
                    raise ConfigError(unknown("guardrail id", by, names), file=case.file, line=case.line)
                if case.near_miss and overridden is None:
                    refuse_unknown(case.near_miss, engine.guardrails, file=case.file, line=case.line)
                if case.fault is not None:
                    self._refuse_unknown_fault(case)
                foreign = by is not None and by not in names
                items.append(self._item(case, engine, names if foreign else None))
            items += self._corpora(suite, overridden)
        except ConfigError as exc:
            raise self.CollectError(str(exc)) from None
        yield from items

    def _shown(self) -> str:
        return shown_path(self.path, self.config.rootpath)

    def _engine(self, named: Node | None, overridden: Any) -> Engine:
        """Return the engine: of ``--guardrails-config``, else the one that is named here, else of the ini file."""
        if overridden is not None or named is None:
            return self._guardrails.engines.of(overridden or self._guardrails.engines.default())
        if isinstance(named.value, str):
            path = self.path.parent / named.text("guardrails")
            if not path.is_file():
                named.fail(f"guardrails: there is no file {named.value!r} beside this one")
            return self._guardrails.engines.of(path)
        return self._guardrails.engines.connect(Engine.from_configuration(configure(named, f"{named.file} (inline)")))

    def _corpora(self, suite: _cases.Suite, overridden: Any) -> Iterator[CorpusItem]:
        """Yield an item per corpus of the file."""
        if suite.corpora is None:
            return
        names = {case.id for case in suite.cases}
        for spec in read_specs(suite.corpora, self.path.parent):
            name = f"corpus {spec.name}"
            if name in names:
                raise ConfigError(f"a case and a corpus are both called {name!r}", file=spec.file, line=spec.line)
            engine = self._engine(spec.guardrails or suite.guardrails, overridden)
            refuse_bad_spec(spec)
            if overridden is None:
                refuse_unknown(spec.near_names, engine.guardrails, file=spec.file, line=spec.line)
            yield CorpusItem.from_parent(self, name=name, spec=spec, engine=engine, session_=self._guardrails)

    def _demand(self, suite: _cases.Suite) -> None:
        """Keep the gates of the file for the end of the run."""
        for node in suite.gates:
            try:
                parse(node.text("a gate"))
            except ConfigError as exc:
                node.fail(exc.message)
        self._guardrails.results.gates.demand(suite.file, [node.text("a gate") for node in suite.gates])

    def _named_cassette(self, suite: _cases.Suite) -> Path | None:
        """Return the cassette that the file names, beside it; it need not be there yet."""
        if suite.cassette is None:
            return None
        path = self.path.parent / suite.cassette.text("cassette")
        if path.suffix not in CASSETTE_SUFFIXES:
            suite.cassette.fail(unknown("suffix of a cassette", path.suffix, CASSETTE_SUFFIXES))
        return path

    def _named_grader(self, suite: _cases.Suite) -> Any:
        """Return who scores the rubrics of the file: named in it, else in the ini file; None where nobody must."""
        asking = next((case for case in suite.cases if any(one.ask is not None for one in case.rubric)), None)
        named, folder = suite.grader, self.path.parent
        if named is None and asking is not None:
            if not (ini := str(self.config.getini("guardrails_grader"))):
                said = "and there is none: name one under grader:, or in the ini key guardrails_grader"
                raise ConfigError(f"case {asking.id!r} asks a grader, {said}", file=asking.file, line=asking.line)
            named, folder = from_data(ini), self.config.rootpath
        if named is None:
            return None
        from pytest_guardrails._rubric import Judge, grader_of

        grader = grader_of(named, folder, lambda: self._guardrails.answers.recordings.transport)
        if isinstance(grader, Judge) and self.config.getini("guardrails_cassette_texts") == "masked":
            named.fail("a judge's answers cannot be recorded masked: its scores are in their texts")
        return grader

    @staticmethod
    def _refuse_unknown_fault(case: Case) -> None:
        from pytest_guardrails._faults import FAULTS

        if case.fault not in FAULTS:
            raise ConfigError(unknown("fault", case.fault, FAULTS), file=case.file, line=case.line)

    def _item(self, case: Case, engine: Engine, foreign: list[str] | None) -> GuardrailsItem:
        item: GuardrailsItem = GuardrailsItem.from_parent(
            self, name=case.id, case=case, engine=engine, session_=self._guardrails
        )
        asked = case.expectation
        keys = {"action": asked.action, "by": asked.by, "severity": case.severity, "label": case.truth}
        given = {key: str(value) for key, value in keys.items() if value is not None}
        item.add_marker(pytest.mark.expect_verdict(asked.verdict.value, **given))
        for name in {case.severity, *case.tags}:
            item.add_marker(self._mark(name))
        if foreign is not None:
            reason = f"expects guardrail {asked.by!r}, and this configuration has {', '.join(foreign)}"
            item.add_marker(pytest.mark.skip(reason=reason))
        if case.skip is not None:
            item.add_marker(pytest.mark.skip(reason=case.skip))
        if case.xfail is not None:
            item.add_marker(pytest.mark.xfail(reason=case.xfail))
        return item

    def _mark(self, name: str) -> pytest.MarkDecorator:
        known = self.config.stash.setdefault(_tags_key, set())
        if name not in known:
            known.add(name)
            self.config.addinivalue_line("markers", f"{name}: tag of guardrail cases")
        mark: pytest.MarkDecorator = getattr(pytest.mark, name)
        return mark


_tags_key = pytest.StashKey[set[str]]()


class GuardrailsItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, engine: Engine, session_: GuardrailsSession, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case
        self.engine = engine
        self.record: CaseRecord | None = None
        self._guardrails = session_

    def runtest(self) -> None:
        """Run the case and judge it.

        Raises:
            VerdictMismatch: where the trace is not what the case expects.
        """
        failure = self._judge()
        if failure is not None:
            raise VerdictMismatch(failure)
        self._guardrails.answers.refuse_unmet_fault(self)

    def _judge(self) -> str | None:
        """Run the case, keep its record, and return the text of its failure."""
        case = self.case
        trace = self.engine.run(case.request, scripted(case.response, stream=case.request.stream))
        session = self._guardrails
        show = session.showing.of(trace)
        result = judge(case, trace, show)
        grades: tuple[Grade, ...] = ()
        if case.rubric and result.status is not CaseStatus.ERROR:
            grades, result = self._graded(trace, result, show)
        self.record = replace(record_of(self.nodeid, case, trace, result, self.engine), grades=grades)
        candidate = getattr(self.parent, "candidate", None)
        if candidate is not None:
            self.record = replace(self.record, shadow=session.shadows.of_case(self, case, candidate))
        if result.status is CaseStatus.AS_EXPECTED:
            self.record = replace(self.record, armed=session.arming.case(self, case, self.engine, trace))
            return None
        return session.showing.diagnose(case, trace, result, show)

    def _graded(self, trace: Trace, result: CaseResult, show: Show) -> tuple[tuple[Grade, ...], CaseResult]:
        """Return the grades of the case, with a grader's reasons masked, and the result that they make."""
        from pytest_guardrails._rubric import grade, graded

        grader = getattr(self.parent, "grader", None)
        grades = grade(self.case, trace, self.engine.guardrails, grader)
        own = {criterion.id for criterion in self.case.rubric if criterion.ask is None}
        shown = (one if one.criterion in own else replace(one, reasons=tuple(map(show, one.reasons))) for one in grades)
        return tuple(shown), graded(result, grades)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Return the file, the line (from 0) and the name of the case."""
        line = None if self.case.line is None else self.case.line - 1
        return self.path, line, f"guardrails: {self.case.id}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return a mismatch without a stack: pytest would parse the sources of all its frames, for nothing."""
        if isinstance(excinfo.value, VerdictMismatch):
            return failure_repr(str(excinfo.value), self.location[0], self.case.line or 1)
        return super().repr_failure(excinfo, style)

    def run_cheaply(self, nextitem: pytest.Item | None) -> bool | None:
        """Make the one report that matters without setup and teardown, or return None for the whole protocol.

        The last case of a file takes the whole protocol: it sets up and tears down the collectors around it.
        """
        if nextitem is None or nextitem.parent is not self.parent or self._needs_whole_protocol():
            return None
        self._guardrails.prepare(self)
        start, clock = time.time(), time.perf_counter()
        try:
            failure = self._judge()
        except (Exception, MissingRecording, pytest.fail.Exception):  # run it again where pytest shows what went wrong
            return None
        if self._guardrails.answers.missed(self) or (failure is None and self._guardrails.answers.unmet_fault(self)):
            return None
        duration = time.perf_counter() - clock
        self.ihook.pytest_runtest_logstart(nodeid=self.nodeid, location=self.location)
        report = pytest.TestReport(
            nodeid=self.nodeid,
            location=self.location,
            keywords={mark.name: 1 for mark in self.own_markers},
            outcome="passed" if failure is None else "failed",
            longrepr=None if failure is None else failure_repr(failure, self.location[0], self.case.line or 1),
            when="call",
            duration=duration,
            start=start,
            stop=start + duration,
        )
        if self.record is not None:
            self._guardrails.riding.case(report, self, self.record, self.engine)
        self._guardrails.answers.ride(report, self)
        self.ihook.pytest_runtest_logreport(report=report)
        self.ihook.pytest_runtest_logfinish(nodeid=self.nodeid, location=self.location)
        return True

    def _needs_whole_protocol(self) -> bool:
        if any(mark.name in ("skip", "skipif", "xfail", "usefixtures") for mark in self.iter_markers()):
            return True
        whole = self.config.stash.get(_needs_whole, None)
        if whole is None:
            whole = self.config.stash[_needs_whole] = _someone_watches(self.config)
        return whole


def _someone_watches(config: pytest.Config) -> bool:
    """True if an option or another plugin's hook needs setup, call and teardown of every test."""
    if any(config.getoption(option, False) for option in _WHOLE_PROTOCOL_OPTIONS):
        return True
    for name in _PER_TEST_HOOKS:
        for implementation in getattr(config.hook, name).get_hookimpls():
            if not implementation.function.__module__.startswith(_INDIFFERENT):
                return True
    return False
