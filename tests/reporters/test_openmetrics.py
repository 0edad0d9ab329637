"""The figures as OpenMetrics text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as older_format

from pytest_guardrails._model import (
    CaseRecord,
    CaseStatus,
    CorpusRecord,
    GateResult,
    Group,
    Guard,
    GuardVersion,
    Outcome,
    Run,
)
from pytest_guardrails.reporters import openmetrics
from pytest_guardrails.reporters.openmetrics import FAMILIES
from pytest_guardrails.reporters.terminal import plain

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(run: Run) -> Samples:
    """Return a run's samples as Prometheus' own parser reads them, each once."""
    text = openmetrics(run)
    assert text.endswith("\n# EOF\n")
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found: Samples = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


def value(found: Samples, name: str, **labels: str) -> float:
    """Return the value of the one sample of a name that has these labels."""
    (number,) = (v for (n, own), v in found.items() if n == name and labels.items() <= dict(own).items())
    return number


def test_rates_have_bounds_and_say_of_whom(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """A guard's rates over its cases stand beside exact bounds, and its name stays while its version changes."""
    outcomes = [Outcome.FALSE_POSITIVE, *[Outcome.TRUE_NEGATIVE] * 3, Outcome.TRUE_POSITIVE]
    records = [
        record(str(n), outcome=outcome, label="attack" if n == 4 else "benign") for n, outcome in enumerate(outcomes)
    ]
    found = read(run(*records))
    labels = {"guard": "guard.yaml", "version": "7 (abc)", "population": "cases"}
    assert value(found, "guardrails_fpr_ratio", **labels) == 0.25
    assert value(found, "guardrails_fpr_upper95_ratio", **labels) == pytest.approx(0.7514, abs=1e-4)
    assert value(found, "guardrails_recall_ratio", **labels) == 1
    assert value(found, "guardrails_outcomes", outcome="true_negative", **labels) == 3
    assert value(found, "guardrails_latency_seconds", quantile="0.95", **labels) == 0.0004
    assert value(found, "guardrails_latency_seconds_count", **labels) == 5
    assert value(found, "guardrails_guardrail_fpr_ratio", guardrail="pii_redact", **labels) == 1
    assert value(found, "guardrails_guardrail_requests", guardrail="out", did="skipped") == 5


def test_what_is_unknown_has_no_sample(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Of 0 benign cases there is no rate, and never a 0."""
    names = {name for name, _ in read(run(record()))}
    assert "guardrails_recall_ratio" in names
    assert not any(name.startswith("guardrails_fpr") for name in names)


def test_a_corpus_is_a_population_of_its_own(run: Callable[..., Run]) -> None:
    """A corpus has its rates, and its guardrails theirs; that of a candidate has none."""
    groups = (Group("all", "", 8, 1, 9, 2, 5), Group("guardrail", "before_request/pii", 4, 0, 10, 6))
    corpus = CorpusRecord(
        "a::c",
        "mails",
        CaseStatus.ERROR,
        "guard.yaml@abc",
        groups=groups,
        latency={"-350": 3},  # type: ignore[arg-type]
    )
    found = read(run(corpora=(corpus, replace(corpus, shadow=True))))
    assert value(found, "guardrails_recall_ratio", population="corpus:mails") == 0.8
    assert value(found, "guardrails_error_ratio", population="corpus:mails") == 0.2
    assert value(found, "guardrails_guardrail_recall_ratio", guardrail="pii", phase="before_request") == 0.4
    assert value(found, "guardrails_latency_seconds_count", population="corpus:mails") == 3
    assert value(found, "guardrails_trusted") == 0


def test_gates_and_the_run_are_said(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Gates, trust, completeness and time are gauges of the run."""
    gates = (GateResult("fpr<=1%", False), GateResult("recall>=95%", True))
    found = read(run(record(), complete=False, gates=gates))
    assert value(found, "guardrails_gate_passed", gate="fpr<=1%") == 0
    assert value(found, "guardrails_gate_passed", gate="recall>=95%") == 1
    assert (value(found, "guardrails_complete"), value(found, "guardrails_trusted")) == (0, 1)
    assert value(found, "guardrails_run_started_timestamp_seconds") == 1795255200
    assert value(read(run(record(), complete=False, lost=("t.py::x: died",))), "guardrails_lost") == 1


def test_two_versions_of_a_guard_are_told_apart(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Two guards of one name have a sample each, by their versions."""
    guards = [Guard(f"guard.yaml@{h}", "engine", "guard.yaml", GuardVersion(None, h)) for h in ("aa", "bb")]
    records = [record(h, guard=f"guard.yaml@{h}") for h in ("aa", "bb")]
    found = read(run(*records, guards=tuple(guards)))
    assert value(found, "guardrails_cases", version="undeclared (bb)", status="as_expected") == 1


def test_hostile_texts_are_labels(hostile_figures: Run) -> None:
    """A text in a label ends neither the label nor the line; both parsers of Prometheus read all of it."""
    found = read(hostile_figures)
    assert value(found, "guardrails_complete") == 0
    older = [sample for family in older_format(openmetrics(hostile_figures)) for sample in family.samples]
    assert len(older) == len(found)


@settings(max_examples=60)
@given(st.text(max_size=20))
def test_any_text_can_be_a_label(text: str) -> None:
    """Whatever a gate or a corpus is called, the label that is read is its printable form."""
    corpus = CorpusRecord("a::c", text, CaseStatus.AS_EXPECTED, "g@1", groups=(Group("all", "", 1, 1, 1, 1),))
    made = Run("", 1.0, True, {}, (), (), corpora=(corpus, corpus), gates=(GateResult(text, True),))  # type: ignore[arg-type]
    found = [dict(labels) for name, labels in read(made) if name == "guardrails_fpr_ratio"]
    assert [labels["population"] for labels in found] == [f"corpus:{plain(text, 100)}"] * 2


def test_every_family_is_declared_before_its_samples(hostile_figures: Run) -> None:
    """Each family has a type and a help; none has a sample without them, and a case is named in none."""
    text = openmetrics(hostile_figures)
    declared = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert declared <= set(FAMILIES)
    families = {family.name for family in text_string_to_metric_families(text)}
    assert families == declared


def test_no_case_is_named(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Cases would be a time series each: none is there."""
    assert "wolpertinger" not in openmetrics(run(record("wolpertinger")))
