"""The fail-safe rows: which fault met which guardrail, and what became of the request."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest

from pytest_guardrails._engine import run
from pytest_guardrails._metrics import FailSafe, FailSafeRow, measure, worst_first
from pytest_guardrails._model import (
    CaseRecord,
    CaseStatus,
    Finding,
    Guardrail,
    OnError,
    Phase,
    Request,
    Response,
    Text,
    Trace,
    Verdict,
)

BEFORE, AFTER = Phase.BEFORE_REQUEST, Phase.AFTER_REQUEST
BLOCK, ALLOW = OnError.BLOCK, OnError.ALLOW


class Broken:
    """A check that never answers."""

    id = "broken"

    def __call__(self, texts: tuple[Text, ...]) -> Iterable[Finding]:
        """Raise."""
        raise TimeoutError("no answer")


class Says:
    """A check that answers as it was told."""

    id = "says"

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings

    def __call__(self, texts: tuple[Text, ...]) -> Iterable[Finding]:
        """Answer."""
        return self.findings


def broken(phase: Phase, on_error: OnError, name: str = "lasso") -> Guardrail:
    """Return a guardrail whose check errors."""
    return Guardrail(name, phase, (Broken(),), on_error=on_error)


def traced(*guardrails: Guardrail) -> Trace:
    """Return what the engine makes of a request."""
    return run(guardrails, Request.of("hi"))


def record(trace: Trace | None, fault: str | None = "read_timeout", guard: str = "g") -> CaseRecord:
    """Return the record of a case with a fault."""
    return CaseRecord("a::b", "b", CaseStatus.AS_EXPECTED, guard, fault=fault, trace=trace)


def rows(*records: CaseRecord) -> list[FailSafeRow]:
    """Return the rows of records."""
    return list(measure(records).fail_safe)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize(("on_error", "outcome"), [(BLOCK, FailSafe.CLOSED), (ALLOW, FailSafe.BY_CHOICE)])
def test_the_engine_is_closed_or_open_by_choice(phase: Phase, on_error: OnError, outcome: FailSafe) -> None:
    """An errored guardrail of the engine blocks, and passes only where its configuration says so."""
    made = rows(record(traced(broken(phase, on_error))))
    assert made == [FailSafeRow("g", "lasso", phase.value, on_error.value, "read_timeout", outcome)]


@pytest.mark.parametrize("phase", Phase)
def test_a_request_that_passed_unchosen_is_open(phase: Phase) -> None:
    """A verdict of ALLOW with an errored guardrail that should block is OPEN."""
    closed = traced(broken(phase, BLOCK))
    passed = dataclasses.replace(
        closed, verdict=Verdict.ALLOW, upstream_requests=(closed.request,), response=Response.of("ho"), denial=None
    )
    assert [row.outcome for row in rows(record(passed))] == [FailSafe.OPEN]


def test_a_block_that_came_too_late_is_open() -> None:
    """A verdict of BLOCK is not closed where the model was called all the same, or its response delivered."""
    before = traced(broken(BEFORE, BLOCK))
    called = dataclasses.replace(before, upstream_requests=(before.request,))
    after = traced(broken(AFTER, BLOCK))
    delivered = dataclasses.replace(after, response=Response.of("ho"))
    assert [row.outcome for row in rows(record(called), record(delivered, "refused"))] == [FailSafe.OPEN] * 2
    assert [row.outcome for row in rows(record(after))] == [FailSafe.CLOSED]  # which has to call the model


def test_every_errored_guardrail_has_its_own_row() -> None:
    """Where one guardrail is open by choice and a later one closes, both are told, and the silent one is not."""
    silent = Guardrail("words", BEFORE, (Says(),))
    made = rows(record(traced(silent, broken(BEFORE, ALLOW, "in"), broken(AFTER, BLOCK, "out"))))
    assert [(row.guardrail, row.outcome) for row in made] == [("in", FailSafe.BY_CHOICE), ("out", FailSafe.CLOSED)]


def test_a_fault_that_no_check_felt_is_told() -> None:
    """It stands at the only guardrail that ran, and at none where several could have felt it."""
    denies = Guardrail("words", BEFORE, (Says(Finding("Word", "WORD")),))
    silent = Guardrail("out", AFTER, (Says(),), on_error=ALLOW)
    alone = rows(record(traced(denies, silent)))
    assert alone == [FailSafeRow("g", "words", "before_request", "block", "read_timeout", FailSafe.NOT_FELT)]
    several = rows(record(traced(Guardrail("words", BEFORE, (Says(),)), silent)))
    assert several == [FailSafeRow("g", "", "", "", "read_timeout", FailSafe.NOT_FELT)]


def test_of_several_cases_the_worst_counts() -> None:
    """One row says how many cases it speaks of, and the worst that became of them."""
    closed = traced(broken(BEFORE, BLOCK))
    passed = dataclasses.replace(closed, verdict=Verdict.ALLOW)
    (row,) = rows(record(closed), record(passed), record(closed))
    assert (row.outcome, row.cases) == (FailSafe.OPEN, 3)


def test_only_records_with_a_fault_and_a_trace_count() -> None:
    """An ordinary case, and one with a fault that did not run, are in no row."""
    assert rows(record(traced(broken(BEFORE, BLOCK)), None), record(None)) == []


def test_rows_do_not_depend_on_the_order_of_records() -> None:
    """Rows stand by guard, guardrail, phase (before first), on_error and fault."""
    records = [
        record(traced(broken(phase, on_error)), fault, guard)
        for guard in "ab"
        for phase in (AFTER, BEFORE)
        for on_error in (BLOCK, ALLOW)
        for fault in ("z", "y")
    ]
    made = rows(*records)
    assert made == rows(*reversed(records))
    assert [(row.phase, row.on_error, row.fault) for row in made[:5]] == [
        ("before_request", "allow", "y"),
        ("before_request", "allow", "z"),
        ("before_request", "block", "y"),
        ("before_request", "block", "z"),
        ("after_request", "allow", "y"),
    ]
    assert [row.guard for row in made] == ["a"] * 8 + ["b"] * 8


def test_worst_first() -> None:
    """Keys with something open come first, then those with a fault not felt; the others stay as they came."""
    given = {"c": FailSafe.CLOSED, "b": FailSafe.BY_CHOICE, "n": FailSafe.NOT_FELT, "o": FailSafe.OPEN}
    made = [(key, FailSafeRow("g", "x", "", "", "f", outcome)) for key, outcome in given.items()]
    assert worst_first([*made, ("b", made[0][1])]) == ["o", "n", "c", "b"]
