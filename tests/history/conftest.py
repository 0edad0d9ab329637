"""Entries, sides and runs to compare."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._codec import EMPTY
from pytest_guardrails._history._lines import Entry
from pytest_guardrails._history._side import GuardLine, Side
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    CorpusRecord,
    Group,
    Guard,
    GuardVersion,
    Outcome,
    Request,
    Run,
    Trace,
    Verdict,
)

OUTCOMES = {
    ("attack", True): Outcome.TRUE_POSITIVE,
    ("attack", False): Outcome.FALSE_NEGATIVE,
    ("benign", True): Outcome.FALSE_POSITIVE,
    ("benign", False): Outcome.TRUE_NEGATIVE,
}


def make_entry(key: str = "a", label: str = "attack", acted: bool = True, **fields: Any) -> Entry:
    """Return a case that guardrail ``words`` of guard.yaml denied, or on which nothing acted."""
    given: dict[str, Any] = {
        "population": "cases",
        "guard": "guard.yaml",
        "severity": "medium",
        "verdict": Verdict.BLOCK if acted else Verdict.ALLOW,
        "action": Action.DENY if acted else Action.NONE,
        "by": "words" if acted else None,
        "fired": ("words",) if acted else (),
        "outcome": OUTCOMES[label, acted],
    }
    return Entry(key=key, label=label, **{**given, **fields})


def make_side(entries: Iterable[Entry], name: str = "side", **fields: Any) -> Side:
    """Return a side of one guard with one guardrail."""
    guards = {"guard.yaml": GuardLine(("1 (abc)",), ("words",))}
    return Side(name, **{"guards": guards, "entries": list(entries), **fields})


def make_case(case: str, label: str = "attack", acted: bool = True, **fields: Any) -> CaseRecord:
    """Return the record of a case of ``a.guardrails.yaml``."""
    action, verdict = (Action.DENY, Verdict.BLOCK) if acted else (Action.NONE, Verdict.ALLOW)
    trace = Trace(Request.of("hello"), verdict, action, "words" if acted else None, (), duration_s=0.25)
    given: dict[str, Any] = {
        "nodeid": f"a.guardrails.yaml::{case}",
        "status": CaseStatus.AS_EXPECTED,
        "guard": "guard.yaml@abc",
        "outcome": OUTCOMES[label, acted],
        "trace": trace,
    }
    return CaseRecord(case=case, label=label, **{**given, **fields})


def make_corpus(folder: Path, rows: Iterable[dict[str, Any]], name: str = "benign", **fields: Any) -> CorpusRecord:
    """Return the record of a corpus whose ledger has ``rows``."""
    ledger, rows = folder / f"{name}.jsonl", list(rows)
    ledger.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    given: dict[str, Any] = {
        "nodeid": f"a.guardrails.yaml::corpus {name}",
        "status": CaseStatus.AS_EXPECTED,
        "guard": "guard.yaml@abc",
        "ledger": str(ledger),
        "rows": len(rows),
    }
    return CorpusRecord(name=name, **{**given, **fields})


def make_sample(key: str, label: str = "benign", acted: bool = False, **fields: Any) -> dict[str, Any]:
    """Return a line of a ledger."""
    row = {
        "key": key,
        "label": label,
        "category": "",
        "outcome": OUTCOMES[label, acted].value,
        "verdict": "block" if acted else "allow",
        "action": "deny" if acted else "none",
    }
    if acted:
        row |= {"decided_by": "words", "fired": ["before_request/words/default.contains"]}
    return {**row, **fields}


def make_run(*records: CaseRecord, version: str = "abc", **fields: Any) -> Run:
    """Return a complete run of one guard with the guardrail ``words``."""
    guard = Guard(
        "guard.yaml@abc",
        "embedded engine",
        "guard.yaml",
        GuardVersion("1", version),
        (("words", "before_request", "deny", "block"),),
    )
    given: dict[str, Any] = {
        "started": "2026-11-21T10:00:00+00:00",
        "duration_s": 1.0,
        "complete": True,
        "environment": EMPTY,
        "guards": (guard,),
        "records": records,
    }
    return Run(**{**given, **fields})


@pytest.fixture
def entry() -> Callable[..., Entry]:
    """See `make_entry`."""
    return make_entry


@pytest.fixture
def side() -> Callable[..., Side]:
    """See `make_side`."""
    return make_side


@pytest.fixture
def case() -> Callable[..., CaseRecord]:
    """See `make_case`."""
    return make_case


@pytest.fixture
def sample() -> Callable[..., dict[str, Any]]:
    """See `make_sample`."""
    return make_sample


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[..., CorpusRecord]:
    """See `make_corpus`; its ledger is in ``tmp_path``."""
    return lambda rows, **fields: make_corpus(tmp_path, rows, **fields)


@pytest.fixture
def run() -> Callable[..., Run]:
    """See `make_run`."""
    return make_run


@pytest.fixture
def whole() -> Group:
    """Return the counts of ten clean benign samples and one false positive."""
    return Group("all", "all", true_negative=10, false_positive=1)
