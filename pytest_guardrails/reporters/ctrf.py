"""``ctrf.json``: the run in the Common Test Report Format; what is ours stands in labels, tags and extra."""

from __future__ import annotations

import math
from typing import Any

from pytest_guardrails._model import CaseRecord, CaseStatus, CorpusRecord, GateResult, Run
from pytest_guardrails._stats import Histogram, confusion_of
from pytest_guardrails.reporters._corpora import current, figures
from pytest_guardrails.reporters._facts import (
    Guards,
    WrongSample,
    all_of,
    category,
    file_of,
    latency_ms,
    missing,
    number_wrong,
    wrong_samples,
)
from pytest_guardrails.reporters.json import dumps
from pytest_guardrails.reporters.openmetrics import started_s
from pytest_guardrails.reporters.terminal import plain

SPEC_VERSION = "0.0.0"  # the version of the published specification (a working draft of 2025-11-24)
EXTRA = "pytest-guardrails/v1"  # the specification asks for a name with a delimiter
MOST_NAME, MOST_TEXT = 1_000, 10_000
_STATUSES = {
    CaseStatus.AS_EXPECTED: "passed",
    CaseStatus.NOT_AS_EXPECTED: "failed",
    CaseStatus.ERROR: "failed",
    CaseStatus.NOT_RUN: "skipped",
}
_COUNTED = ("passed", "failed", "skipped", "pending", "other")

Test = dict[str, Any]


def ctrf(run: Run) -> str:
    """Return the run as CTRF: a test per case, corpus and gate; an error of a guard is a failure that says so.

    What a run that is not whole lacks is a failed test.
    """
    guards = Guards(run)
    tests = [_case(record, guards) for record in run.records]
    tests += [_corpus(record, guards) for record in current(run)]
    tests += [_gate(gate) for gate in run.gates]
    tests += [_missing(said) for said in missing(run)]
    began = math.floor((started_s(run) or 0.0) * 1000)
    counts = {status: sum(test["status"] == status for test in tests) for status in _COUNTED}
    tool = {"name": "pytest-guardrails", "version": str(run.environment.get("pytest-guardrails", ""))}
    summary = {"tests": len(tests), **counts, "start": began, "stop": began + _ms(run.duration_s)}
    said = {
        "complete": run.complete,
        "exitStatus": run.exit_status,
        "revealed": run.revealed,
        "guards": [{"guard": _name(guard.key), "version": _name(str(guard.version))} for guard in run.guards],
    }
    results = {"tool": tool, "summary": summary, "tests": tests, "extra": {EXTRA: said}}
    head = {"reportFormat": "CTRF", "specVersion": SPEC_VERSION, "generatedBy": tool["name"]}
    return dumps({**head, "results": results}, indent=1) + "\n"


def _case(record: CaseRecord, guards: Guards) -> Test:
    trace = record.trace
    labels = {
        "severity": record.severity,
        "label": record.label,
        "category": category(record),
        "guard": record.guard,
        "guardVersion": guards.version(record.guard),
        "outcome": record.outcome.value if record.outcome else "",
        "expected": record.expected,
        "verdict": trace.verdict.value if trace else "",
        "action": trace.action.value if trace else "",
        "decidedBy": (trace.decided_by or "") if trace else "",
        "fault": record.fault or "",
    }
    test: Test = {
        "testId": _name(record.nodeid),
        "name": _name(record.case),
        "status": _STATUSES[record.status] if record.xfail is None else "other",
        "duration": _ms(trace.duration_s if trace else 0.0),
        "rawStatus": record.status.value if record.xfail is None else "known failing",
        "type": "guardrail case",
        "labels": {key: _name(value) for key, value in labels.items() if value},
    }
    if record.tags:
        test["tags"] = [_name(tag) for tag in record.tags]
    message = record.xfail if record.xfail is not None else "\n".join(record.reasons)
    latency = latency_ms(record)
    extra = {
        "runs": record.runs,
        "generated": record.generated,
        "latencyMs": latency,
        "note": record.note and _text(record.note),
    }
    return _placed(test, record, message, {key: value for key, value in extra.items() if value is not None})


def _placed(test: Test, record: CaseRecord | CorpusRecord, message: str, extra: dict[str, Any]) -> Test:
    """Return a test with its message and place, where there are some."""
    if message:
        test["message"] = _text(message)
    if record.file:
        test |= {"suite": [_name(file_of(record))], "filePath": _name(file_of(record))}
    if record.line is not None:
        test["line"] = record.line
    return {**test, "extra": {EXTRA: extra}}


def _corpus(record: CorpusRecord, guards: Guards) -> Test:
    counts, times = confusion_of(all_of(record)), Histogram.of(record.latency)
    test: Test = {
        "testId": _name(record.nodeid),
        "name": _name(f"corpus {record.name}"),
        "status": _STATUSES[record.status] if record.xfail is None else "other",
        "duration": _ms(record.duration_s),
        "rawStatus": record.status.value if record.xfail is None else "known failing",
        "type": "guardrail corpus",
        "labels": {"guard": _name(record.guard), "guardVersion": _name(guards.version(record.guard))},
    }
    rates = {"fpr": counts.fpr, "recall": counts.recall, "errorRate": counts.error_rate}
    extra: dict[str, Any] = {
        "rows": record.rows,
        "generated": record.generated,
        "figures": {name: _text(said) for name, said in figures(record)},
        "rates": {
            name: {
                "hits": rate.hits,
                "total": rate.total,
                "value": rate.value,
                "lower95": rate.lower,
                "upper95": rate.upper,
            }
            for name, rate in rates.items()
        },
        "latencyP95Ms": None if (p95 := times.percentile(0.95)) is None else round(p95 * 1000, 3),
    }
    samples = [_sample(sample) for sample in wrong_samples(record)]
    message = record.xfail if record.xfail is not None else "\n".join(record.reasons)
    return _placed(test, record, message, {**extra, "wrong": number_wrong(record), "samples": samples})


def _sample(sample: WrongSample) -> dict[str, str]:
    said = {
        "outcome": sample.what,
        "category": sample.category,
        "place": sample.place,
        "by": ", ".join(sample.by),
        "text": sample.text,
    }
    return {key: _name(value) for key, value in said.items() if value}


def _gate(gate: GateResult) -> Test:
    status = "passed" if gate.passed else "failed"
    test: Test = {"name": _name(f"gate {gate.expr}"), "status": status, "duration": 0, "type": "guardrail gate"}
    return {**test, "message": _text("\n".join(gate.said))} if gate.said else test


def _missing(said: str) -> Test:
    test: Test = {"name": _name(said), "status": "failed", "duration": 0, "type": "guardrail run"}
    return {**test, "rawStatus": "no result", "message": _text(said)}


def _ms(seconds: float) -> int:
    return round(seconds * 1000) if math.isfinite(seconds) else 0


def _name(text: str) -> str:
    return plain(text, MOST_NAME) or "-"


def _text(text: str) -> str:
    return plain(text, MOST_TEXT, keep="\n\t")
