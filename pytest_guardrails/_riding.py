"""Records ride on test reports: kept as objects in one process, as JSON from an xdist worker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_guardrails._codec import encode
from pytest_guardrails._model import Armed, ArmedTest, CaseRecord, CorpusRecord, Guard
from pytest_guardrails._records import guard_key, guard_of, shown_path
from pytest_guardrails._results import Results
from pytest_guardrails._showing import Showing
from pytest_guardrails.reporters._facts import category, latency_ms
from pytest_guardrails.targets.embedded import Engine


class Riding:
    """What a process has put onto its reports; a worker that dies loses nothing: what it reported has arrived."""

    def __init__(self, config: pytest.Config, results: Results, showing: Showing) -> None:
        self._config = config
        self._results = results
        self._showing = showing
        self._is_worker = hasattr(config, "workerinput")
        self._sent: set[str] = set()

    def case(self, report: pytest.TestReport, item: pytest.Item, record: CaseRecord, engine: Engine | None) -> None:
        """Keep a record, or from an xdist worker put it onto its report as JSON; its guard goes along once."""
        guard = self._unsent(record.guard, engine)
        if not item.path.is_relative_to(self._config.rootpath):  # a pack: no path of the machine goes along
            file = shown_path(item.path, self._config.rootpath)
            record = replace(record, nodeid=f"{file}::{record.nodeid.partition('::')[2]}", file=file)
        if self._is_worker or self._config.getoption("guardrails_report"):
            record = self._showing.record(record)  # it leaves this process; without a report nobody reads its texts
        if self._is_worker:
            riding = {"record": encode(record, sparse=True), "guard": guard and encode(guard)}
            report.guardrail = riding  # type: ignore[attr-defined]  # reports carry what plugins give them
        else:
            self._results.keep(record, guard)
        if record.trace is not None:
            properties: list[tuple[str, object]] = [
                ("guardrail.verdict", record.trace.verdict.value),
                ("guardrail.expected", record.expected),
                ("guardrail.decided_by", record.trace.decided_by or ""),
                ("guardrail.category", category(record)),
                ("guardrail.guard", record.guard),
                ("guardrail.guard_version", str(engine.version) if engine is not None else ""),
                ("guardrail.latency_ms", latency_ms(record)),
            ]
            item.user_properties.extend(properties)  # JUnit's reporter reads them from the teardown report
            report.user_properties.extend(properties)

    def corpus(
        self,
        report: pytest.TestReport,
        item: pytest.Item,
        record: CorpusRecord,
        engine: Engine | None,
        shadow: CorpusRecord | None = None,
    ) -> None:
        """Keep the record of a corpus, or from an xdist worker put it onto its report as JSON, as `case` does.

        ``shadow`` is what a candidate did with it.
        """
        guard = self._unsent(record.guard, engine)
        if not item.path.is_relative_to(self._config.rootpath):
            file = shown_path(item.path, self._config.rootpath)
            record = replace(record, nodeid=f"{file}::{record.nodeid.partition('::')[2]}", file=file)
        shadow = shadow and replace(shadow, nodeid=record.nodeid, file=record.file)
        if self._is_worker:
            riding = {"record": encode(record, sparse=True), "guard": guard and encode(guard)}
            riding["shadow"] = shadow and encode(shadow, sparse=True)
            report.guardrails_corpus = riding  # type: ignore[attr-defined]  # reports carry what plugins give them
        else:
            self._results.keep_corpus(record, guard)
            if shadow is not None:
                self._results.keep_corpus(shadow, None)
        properties: list[tuple[str, object]] = [("guardrail.corpus", record.name), ("guardrail.guard", record.guard)]
        item.user_properties.extend(properties)
        report.user_properties.extend(properties)

    def armed(self, report: pytest.TestReport, nodeid: str, engine: Engine | None, armed: Armed) -> None:
        """Keep what arming says of a test without a mark, or put it onto its report."""
        key = guard_key(engine) if engine else ""
        test, guard = ArmedTest(nodeid, key, armed), self._unsent(key, engine)
        if self._is_worker:
            riding = {"test": encode(test, sparse=True), "guard": guard and encode(guard)}
            report.guardrails_armed = riding  # type: ignore[attr-defined]  # reports carry what plugins give them
        else:
            self._results.keep_armed(test, guard)

    def _unsent(self, key: str, engine: Engine | None) -> Guard | None:
        """Return what a report says of an engine, the first time that it is asked for."""
        if engine is None or key in self._sent:
            return None
        self._sent.add(key)
        return guard_of(engine, self._showing.alone)
