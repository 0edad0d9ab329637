"""Tests marked ``@corpus``: measured before their body runs; and the record of a corpus on its report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_guardrails import _marker
from pytest_guardrails._corpus import CorpusSpec
from pytest_guardrails._corpus_items._conditions import conditions_of, measured
from pytest_guardrails._corpus_items._items import CorpusItem
from pytest_guardrails._corpus_items._shadow import measure_shadow, take_shadow
from pytest_guardrails._corpus_items._verdict import failure_text
from pytest_guardrails._coverage import refuse_unknown
from pytest_guardrails._errors import ConfigError, VerdictMismatch
from pytest_guardrails._failures import failure_repr
from pytest_guardrails._key import mask_key
from pytest_guardrails._mask import masker
from pytest_guardrails._model import CaseStatus, CorpusRecord
from pytest_guardrails._records import masked_names
from pytest_guardrails._session import GuardrailsSession
from pytest_guardrails.targets.embedded import Engine

_measured = pytest.StashKey[tuple[CorpusRecord, Engine, str]]()


def result_of_marked(session: GuardrailsSession, item: pytest.Item) -> CorpusRecord:
    """Return what came of the corpus of a marked test, measured the first time that somebody asks."""
    if _measured not in item.stash:
        spec = _spec(item)
        engine = session.engine_of_item()
        if engine is None:
            pytest.fail("@corpus is for test functions: this item has no fixtures", pytrace=False)
        if session.engines.overriding() is None:
            _refuse_unknown(spec, engine)
        how = conditions_of(session, item, spec)
        if not session.revealed:
            how = replace(how, nodeid=masked_names(item, masker(mask_key(session.config)))[0])
        item.stash[_measured] = measured(session, spec, engine, how), engine, how.shown
        measure_shadow(session, item, spec, how, session.shadows.default())
    return item.stash[_measured][0]


def _refuse_unknown(spec: CorpusSpec, engine: Engine) -> None:
    try:
        refuse_unknown(spec.near_names, engine.guardrails, file=spec.file, line=spec.line)
    except ConfigError as exc:
        raise pytest.fail.Exception(str(exc), pytrace=False) from None


def judge_marked(session: GuardrailsSession, item: pytest.Item) -> None:
    """Measure the corpus of a marked test, and judge what its marker asks, before its body runs.

    Raises:
        VerdictMismatch: where it does not come out as it was asked for.
    """
    __tracebackhide__ = True
    record = result_of_marked(session, item)
    if record.status is not CaseStatus.AS_EXPECTED:
        raise VerdictMismatch(failure_text(record, item.stash[_measured][2], masked=not session.revealed))


def _spec(item: pytest.Item) -> CorpusSpec:
    mark = item.get_closest_marker(_marker.CORPUS)
    assert mark is not None  # noqa: S101 - the hook looked
    try:
        spec = _marker.read_corpus(mark, item.path.parent)
    except ConfigError as exc:
        raise pytest.fail.Exception(str(exc), pytrace=False) from None
    file, line, _ = item.location
    return replace(spec, file=file, line=None if line is None else line + 1)


def attach(
    session: GuardrailsSession, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Put the record of a corpus onto its report, and show a mismatch without a stack."""
    excinfo = call.excinfo
    mismatch = excinfo is not None and isinstance(excinfo.value, VerdictMismatch)
    if mismatch and excinfo is not None and report.failed:
        file, line, _ = item.location
        report.longrepr = failure_repr(str(excinfo.value), file, (line or 0) + 1)
    if not (call.when == "call" or (call.when == "setup" and not report.passed)):
        return
    record: CorpusRecord | None
    engine: Engine | None
    if isinstance(item, CorpusItem):
        record, engine = item.corpus, item.engine
    else:
        record, engine, _ = item.stash.get(_measured, (None, None, ""))
        if _measured in item.stash:
            del item.stash[_measured]  # a test that runs again measures again
    record = record or _not_run(session, item, call)
    session.riding.corpus(report, item, _after_pytest(record, report, call), engine, take_shadow(item))


def _not_run(session: GuardrailsSession, item: pytest.Item, call: pytest.CallInfo[None]) -> CorpusRecord:
    """Return the record of a corpus that was not measured to its end."""
    spec = item.spec if isinstance(item, CorpusItem) else _spec(item)
    nodeid = item.nodeid
    if not (isinstance(item, CorpusItem) or session.revealed):
        nodeid, _ = masked_names(item, masker(mask_key(session.config)))
    file, line, _ = item.location
    said = () if call.excinfo is None else (f"it was not measured to its end: {call.excinfo.typename}",)
    made = CorpusRecord(nodeid, spec.name, CaseStatus.NOT_RUN, file=file, line=(line or 0) + 1, reasons=said)
    return replace(made, generated=spec.sample is not None)


def _after_pytest(record: CorpusRecord, report: pytest.TestReport, call: pytest.CallInfo[None]) -> CorpusRecord:
    """Return the record as pytest's outcome changes it: a test can fail, or not run, for reasons of its own."""
    if report.skipped:
        known = getattr(report, "wasxfail", None)
        if known is None:
            made = CorpusRecord(record.nodeid, record.name, CaseStatus.NOT_RUN, file=record.file, line=record.line)
            return replace(made, generated=record.generated)
        return replace(record, xfail=known or "xfail")
    if report.failed and record.status is CaseStatus.AS_EXPECTED:
        why = (
            "passed, against its xfail" if call.excinfo is None else f"the test itself failed: {call.excinfo.typename}"
        )
        return replace(record, status=CaseStatus.NOT_AS_EXPECTED, reasons=(*record.reasons, why))
    return record
