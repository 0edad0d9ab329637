"""Missed attacks and false positives as SARIF."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema

from pytest_guardrails._model import CaseRecord, CaseStatus, Outcome, Run
from pytest_guardrails.reporters import sarif
from pytest_guardrails.reporters.sarif import MOST_RESULTS

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def read(run: Run) -> dict[str, Any]:
    """Return the one run of a log that the published schema accepts."""
    data = json.loads(sarif(run))
    VALIDATOR.validate(data)
    (log,) = data["runs"]
    for result in log["results"]:
        assert log["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    return dict(log)


def missed(record: Callable[..., CaseRecord], name: str, severity: str = "medium", **fields: Any) -> CaseRecord:
    """Return a case in which an attack passed."""
    given = {"outcome": Outcome.FALSE_NEGATIVE, "severity": severity, "tags": ("injection",), **fields}
    return record(name, given.pop("status", CaseStatus.NOT_AS_EXPECTED), **given)


def test_a_missed_attack_stands_at_its_line(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """A result has its category as rule, its severity as level, and the file and line of its case."""
    made = run(missed(record, "x", "critical", reasons=("verdict: expected block, got allow",), file="a b/c.yaml"))
    (result,) = read(made)["results"]
    assert (result["ruleId"], result["level"]) == ("injection", "error")
    assert result["message"]["text"] == "Missed attack: x: verdict: expected block, got allow"
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "a%20b/c.yaml", "uriBaseId": "%SRCROOT%"}
    assert physical["region"] == {"startLine": 3}
    assert result["properties"]["kind"] == "missed attack"


def test_only_wrong_outcomes_are_results(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """False positives and missed attacks are results; what is right, errored or did not run is none."""
    records = [record(outcome.value, CaseStatus.NOT_AS_EXPECTED, outcome=outcome) for outcome in Outcome]
    kinds = [result["properties"]["kind"] for result in read(run(*records, record("n", outcome=None)))["results"]]
    assert sorted(kinds) == ["false positive", "missed attack"]


def test_what_a_case_expects_is_a_note_and_a_known_failure_is_suppressed(
    run: Callable[..., Run], record: Callable[..., CaseRecord]
) -> None:
    """An attack that a case lets pass on purpose weighs little, and an xfail says why it is accepted."""
    asked = missed(record, "asked", "critical", status=CaseStatus.AS_EXPECTED)
    known = missed(record, "known", "critical", xfail="ticket 7")
    first, second = read(run(asked, known))["results"]
    assert (first["level"], "suppressions" in first) == ("note", False)
    assert second["suppressions"] == [{"kind": "external", "justification": "ticket 7"}]


def test_the_fingerprint_lasts(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """A case keeps its fingerprint when its line and the guard's version change, and no two share one."""
    first = missed(record, "x")
    moved, other = replace(first, line=99, guard="guard.yaml@zzz"), missed(record, "y")
    prints = [read(run(r))["results"][0]["partialFingerprints"] for r in (first, moved, other)]
    assert prints[0] == prints[1] != prints[2]


def test_the_worst_5000_are_kept_and_the_rest_counted(
    run: Callable[..., Run], record: Callable[..., CaseRecord]
) -> None:
    """What a reader would refuse is left out, the least severe first, and the log says how much."""
    one, critical = missed(record, "x", "low"), missed(record, "z", "critical", nodeid="z")
    many = [replace(one, nodeid=f"a.yaml::{n:05}", trace=None) for n in range(MOST_RESULTS)]
    data = json.loads(sarif(run(*many, critical)))["runs"][0]
    assert len(data["results"]) == MOST_RESULTS
    assert data["results"][0]["properties"]["severity"] == "critical"
    notes = [note["message"]["text"] for note in data["invocations"][0]["toolExecutionNotifications"]]
    assert notes == ["Left out: 1 more results; report.json has all."]


def test_an_untrusted_run_was_no_success(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Where a guard gave no answer, the empty list of results is not read as good news."""
    errored = record("e", CaseStatus.ERROR, outcome=Outcome.ERROR)
    for made, successful in ((run(record()), True), (run(errored), False), (run(complete=False), False)):
        assert read(made)["invocations"][0]["executionSuccessful"] is successful


def test_a_lost_test_is_told(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """A run that lost a test was no success, and says which."""
    invocation = read(run(record(), complete=False, lost=("t.py::x: its worker died",)))["invocations"][0]
    (note,) = invocation["toolExecutionNotifications"]
    assert not invocation["executionSuccessful"]
    assert (note["level"], note["message"]["text"]) == ("error", "No result: t.py::x: its worker died")


def test_the_rules_say_how_severe_they_are(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """A rule has the severity of its worst case, as GitHub sorts by it."""
    rules = read(run(missed(record, "x", "low"), missed(record, "y", "high")))["tool"]["driver"]["rules"]
    assert [(rule["id"], rule["properties"]["security-severity"]) for rule in rules] == [("injection", "8.0")]


def test_hostile_texts_are_valid(hostile_figures: Run, hostile_text: str) -> None:
    """Whatever stands in a field, the log is valid, and the file's address is a relative reference."""
    results = read(hostile_figures)["results"]
    assert len(results) == 2
    uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert not set(uri) & set('<>" \\^`{|}')
    safe = hostile_text.replace("\\", "/").encode("utf-8", "backslashreplace").decode()
    assert Path(unquote(uri)) == Path(safe)
    assert all(result["message"]["text"].isprintable() for result in results)


def test_a_sample_stands_at_its_own_line(corpora_run: Run) -> None:
    """Samples that went wrong are results at their lines, those of a corpus that is as expected only notes."""
    log = read(corpora_run)
    places = [result["locations"][0]["physicalLocation"] for result in log["results"]]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [
        ("data/benign.jsonl", 2),
        ("data/benign.jsonl", 9),
        ("a.guardrails.yaml", 8),  # in a corpus of this package: what the repository has is the line that asks for it
    ]
    assert [result["level"] for result in log["results"]] == ["warning", "warning", "note"]
    assert [result["ruleId"] for result in log["results"]] == ["money", "money", "travel"]
    said = log["results"][0]["message"]["text"]
    assert said.startswith("False positive: data/benign.jsonl:2 of corpus benign, by before_request/words/")
    prints = {result["partialFingerprints"]["pytestGuardrailsCase/v1"] for result in log["results"]}
    assert len(prints) == 3


def test_samples_that_a_run_does_not_keep_are_counted(corpora_run: Run) -> None:
    """Six samples were stopped and two are kept: the log says that four are left out."""
    notes = [note["message"]["text"] for note in read(corpora_run)["invocations"][0]["toolExecutionNotifications"]]
    assert notes == ["Left out: 4 more results; report.json has all."]
