"""``traces.jsonl``: the trace log: a line of JSON per request, with what each guardrail did to it."""

from __future__ import annotations

from pytest_guardrails._model import CaseRecord, Run
from pytest_guardrails.reporters._facts import Guards
from pytest_guardrails.reporters.json import dumps

SCHEMA = "pytest-guardrails/trace/1"


def traces(run: Run) -> str:
    """Return a line per request: the case, and its trace (`Trace.from_dict` reads it): guardrails, upstream, answer."""
    guards = Guards(run)
    return "".join(f"{_line(record, guards)}\n" for record in run.records if record.trace is not None)


def _line(record: CaseRecord, guards: Guards) -> str:
    said = {
        "schema": SCHEMA,
        "nodeid": record.nodeid,
        "case": record.case,
        "file": record.file,
        "line": record.line,
        "guard": record.guard,
        "guard_version": guards.version(record.guard),
        "status": record.status.value,
        "outcome": record.outcome and record.outcome.value,
        "expected": record.expected,
        "fault": record.fault,
        "trace": record.trace and record.trace.to_dict(),
    }
    return dumps(said)  # which escapes every line break that a reader may know
