"""Runs that reporters are shown: a plain one, a hostile one, a large one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    CheckError,
    CheckResult,
    CorpusRecord,
    Denial,
    Finding,
    GateResult,
    Group,
    Guard,
    GuardrailResult,
    GuardrailStatus,
    GuardVersion,
    Message,
    OnError,
    Outcome,
    Phase,
    Request,
    Response,
    Run,
    Trace,
    Verdict,
)

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "]]></style><svg/onload=alert(2)>",
    "| a | [x](javascript:alert(3)) `b` @everyone #12 https://evil.example",
    "\u202eright to left\u202c \u200bzero\u2060width\ufeff \U000e0041tag",
    "\x1b[31mred\x1b]8;;http://evil.example\x07link\x9b0m",
    "nul\x00 bell\x07 cr\r lf\n del\x7f nel\x85 \u2028 \u2029",
    "lone \ud800 surrogate \udfff",
    "&lt;b&gt; ' \" \\u003c ${x} {{y}}",
)


def make_trace(text: str = "hello", *, name: str = "pii_redact", blocked: bool = False, error: bool = False) -> Trace:
    """Return a trace in which one guardrail fired on ``text``, and every field that a text can be in holds it."""
    action = Action.DENY if blocked else Action.SANITIZE
    finding = Finding(text, text, text, 0.5, 0, text, 0, 4, text, action, text)
    problem = CheckError(name, text, text, text) if error else None
    check = CheckResult(text, () if error else (finding,), problem, 0.0002)
    status = GuardrailStatus.ERRORED if error else GuardrailStatus.RAN
    first = GuardrailResult(name, Phase.BEFORE_REQUEST, status, Action.NONE if error else action, (check,))
    last = GuardrailResult("out", Phase.AFTER_REQUEST, GuardrailStatus.SKIPPED)
    request = Request(
        (Message("user", text), Message("user", (FrozenDict({"type": "text", "text": text}), FrozenDict({"x": text}))))
    )
    return Trace(
        request=request,
        verdict=Verdict.BLOCK if blocked else Verdict.ALLOW,
        action=Action.NONE if error else action,
        decided_by=name,
        results=(first, last),
        upstream_requests=() if blocked else (Request((Message("user", f"{text}!"),)),),
        response=None if blocked else Response((Message("assistant", text),)),
        denial=Denial(446, FrozenDict({"error": FrozenDict({"message": text})})) if blocked else None,
        status=446 if blocked else 200,
        warnings=(text,),
        duration_s=0.0004,
    )


def make_record(case: str = "c", status: CaseStatus = CaseStatus.AS_EXPECTED, **fields: Any) -> CaseRecord:
    """Return the record of a case of ``a.guardrails.yaml``, a true positive unless ``fields`` say otherwise."""
    given: dict[str, Any] = {
        "nodeid": f"a.guardrails.yaml::{case}",
        "guard": "guard.yaml@abc",
        "outcome": Outcome.TRUE_POSITIVE,
        "expected": "allow (sanitize) by 'pii_redact'",
        "label": "attack",
        "file": "a.guardrails.yaml",
        "line": 3,
        "runs": 1,
        "trace": make_trace(),
    }
    return CaseRecord(case=case, status=status, **{**given, **fields})


def make_run(*records: CaseRecord, **fields: Any) -> Run:
    """Return a complete, masked run of ``records`` against one guard."""
    rails = (("pii_redact", "before_request", "sanitize", "block"), ("out", "after_request", "deny", "allow"))
    guard = Guard("guard.yaml@abc", "embedded engine", "guard.yaml", GuardVersion("7", "abc"), rails)
    given: dict[str, Any] = {
        "started": "2026-11-21T10:00:00+00:00",
        "duration_s": 1.5,
        "complete": True,
        "environment": FrozenDict({"python": "3.13"}),
        "guards": (guard,),
        "records": records,
    }
    return Run(**{**given, **fields})


def make_hostile(text: str) -> Run:
    """Return a run in which ``text`` stands wherever a text can stand."""
    records = []
    for number, status in enumerate((CaseStatus.NOT_AS_EXPECTED, CaseStatus.ERROR, CaseStatus.AS_EXPECTED)):
        trace = make_trace(text, name=text, blocked=number == 0, error=number == 1)
        records.append(
            make_record(
                f"{text}{number}",
                status,
                nodeid=f"{text}::{text}{number}",
                guard=text,
                expected=text,
                severity=text,
                tags=(text, text),
                file=text,
                reasons=(text, text),
                note=text,
                trace=trace,
            )
        )
    records.append(make_record(xfail=text, trace=None))
    guard = Guard(text, text, text, GuardVersion(text, text), ((text, "before_request", text, text),))
    return make_run(*records, guards=(guard,), environment=FrozenDict({text: text}), started=text)


def make_hostile_figures(text: str) -> Run:
    """Return a run with ``text`` in every field that reports of figures read: corpora, gates, wrong outcomes."""
    run = make_hostile(text)
    wrong = (Outcome.FALSE_NEGATIVE, Outcome.FALSE_POSITIVE, Outcome.ERROR, None)
    records = [replace(record, outcome=outcome) for record, outcome in zip(run.records, wrong, strict=True)]
    groups = tuple(Group(kind, text, 3, 1, 5, 2, 1, 1) for kind in ("all", "tag", "guardrail", "check"))
    corpus = CorpusRecord(
        f"{text}::{text}",
        text,
        CaseStatus.NOT_AS_EXPECTED,
        text,
        text,
        7,
        rows=12,
        groups=groups,
        latency=FrozenDict({"-350": 12}),
        worst=((text,) * 5,),
        reasons=(text, text),
        note=text,
    )
    gates = (GateResult(text, False, (text, text)), GateResult(f"{text} ", True))
    twice = (corpus, replace(corpus, nodeid=f"{text}::again", xfail=text))
    return replace(run, records=tuple(records), corpora=twice, gates=gates, complete=False)


@pytest.fixture
def corpora_run() -> Run:
    """A run of corpora alone: one too often stopped, one as expected, and samples of each that went wrong."""
    place = "before_request/words/default.contains"
    benign = CorpusRecord(
        "a.guardrails.yaml::corpus benign", "benign", CaseStatus.NOT_AS_EXPECTED, "guard.yaml@abc", "a.guardrails.yaml",
        7, rows=40, reasons=("FPR 15 %, and max_fpr is 10 %",),
        groups=(Group("all", "", 0, 6, 34), Group("category", "money", 0, 6, 34), Group("check", place, 0, 6, 34)),
        worst=tuple(("false positive", "money", f"data/benign.jsonl:{n}", f"«aa · #{n}»", place) for n in (2, 9)),
    )  # fmt: skip
    attacks = CorpusRecord(
        "a.guardrails.yaml::corpus attacks", "attacks", CaseStatus.AS_EXPECTED, "guard.yaml@abc", "a.guardrails.yaml",
        8, rows=20, groups=(Group("all", "", 19, 0, 0, 1), Group("category", "travel", 19, 0, 0, 1)),
        worst=(("false negative", "travel", "pytest_guardrails/corpora/x.jsonl:5", "«bb · #5»", ""),),
    )  # fmt: skip
    return make_run(corpora=(attacks, benign), notes=("arming     nothing <b>could</b> be armed",), exit_status=1)


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def hostile_text(request: pytest.FixtureRequest) -> str:
    """A text that means harm to a report."""
    return str(request.param)


@pytest.fixture
def hostile(hostile_text: str) -> Run:
    """A run with a text that means harm in every field."""
    return make_hostile(hostile_text)


@pytest.fixture
def hostile_figures(hostile_text: str) -> Run:
    """A run with a text that means harm in every field, of cases that are wrong, corpora and gates."""
    return make_hostile_figures(hostile_text)


@pytest.fixture
def full_of() -> Callable[[str], Run]:
    """Makes a run with a text in every field."""
    return make_hostile


@pytest.fixture
def record() -> Callable[..., CaseRecord]:
    """Makes records."""
    return make_record


@pytest.fixture
def run() -> Callable[..., Run]:
    """Makes runs of records."""
    return make_run


@pytest.fixture
def trace() -> Callable[..., Trace]:
    """Makes traces."""
    return make_trace


@pytest.fixture
def open_trace() -> Trace:
    """A request that passed although its only check errored and nobody chose that."""
    check = CheckResult("lasso", (), CheckError("lasso", "lasso", "TimeoutError", "no answer"))
    errored = GuardrailResult(
        "lasso", Phase.BEFORE_REQUEST, GuardrailStatus.ERRORED, Action.NONE, (check,), OnError.BLOCK
    )
    return Trace(Request.of("hi"), Verdict.ALLOW, Action.NONE, None, (errored,), (Request.of("hi"),), Response.of("hi"))


@pytest.fixture
def big() -> Callable[[int, int], Run]:
    """Makes a run of many cases, of which every so many-th is not as expected."""

    def made(number: int, every: int) -> Run:
        records = []
        for index in range(number):
            bad = index % every == 0
            outcome = Outcome.FALSE_NEGATIVE if bad else Outcome.TRUE_POSITIVE
            name = f"{('card', 'email', 'prompt injection', 'iban')[index % 4]} in a sentence, variant {index:05}"
            records.append(
                make_record(
                    name,
                    CaseStatus.NOT_AS_EXPECTED if bad else CaseStatus.AS_EXPECTED,
                    nodeid=f"suites/f{index % 40}.guardrails.yaml::{name}",
                    file=f"suites/f{index % 40}.guardrails.yaml",
                    line=index,
                    outcome=outcome,
                    severity=("critical", "high", "medium", "low")[index % 4],
                    tags=(("pii", "email"), ("injection",), ("multi_turn", "pii"), ())[index % 4],
                    reasons=("verdict: expected block, got allow", "upstream: expected x, got y") if bad else (),
                    trace=make_trace(f"«aa aaaaa aa aaaaa@aaaaaaa.aaa · 29 chars · #{index:08x}»"),
                )
            )
        return make_run(*records)

    return made
