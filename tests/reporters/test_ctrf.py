"""The report in the Common Test Report Format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_guardrails._model import CaseRecord, CaseStatus, GateResult, Run
from pytest_guardrails.reporters import ctrf
from pytest_guardrails.reporters.ctrf import EXTRA

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "ctrf-0.0.schema.json").read_text(encoding="utf-8"))


def read(run: Run) -> dict[str, Any]:
    """Return a run's report, as the published schema has it."""
    data: dict[str, Any] = json.loads(ctrf(run))
    jsonschema.validate(data, SCHEMA, cls=jsonschema.Draft7Validator)
    return data


def test_each_case_is_a_test_with_its_verdict(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Status, message, place, tags and labels say what a case was, and labels are texts."""
    bad = record("mail", CaseStatus.NOT_AS_EXPECTED, tags=("pii", "email"), reasons=("verdict: a", "action: b"))
    found = read(run(bad))["results"]["tests"][0]
    assert (found["name"], found["status"], found["rawStatus"]) == ("mail", "failed", "not as expected")
    assert (found["filePath"], found["line"], found["tags"]) == ("a.guardrails.yaml", 3, ["pii", "email"])
    assert found["message"] == "verdict: a\naction: b"
    expected = {"verdict": "allow", "decidedBy": "pii_redact", "category": "pii", "guardVersion": "7 (abc)"}
    assert expected.items() <= found["labels"].items()
    assert found["extra"][EXTRA]["latencyMs"] == 0.4


def test_the_summary_counts_every_status(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Errors are failures, what did not run is skipped, an xfail is other; counts sum up to the tests."""
    records = [record(str(number), status) for number, status in enumerate(CaseStatus)]
    records.append(record("known", CaseStatus.NOT_AS_EXPECTED, xfail="a bug"))
    data = read(run(*records, gates=(GateResult("fpr<=1%", False, ("no",)), GateResult("recall>=0", True))))
    summary = data["results"]["summary"]
    counts = {key: summary[key] for key in ("tests", "passed", "failed", "skipped", "pending", "other")}
    assert counts == {"tests": 7, "passed": 2, "failed": 3, "skipped": 1, "pending": 0, "other": 1}
    assert summary["stop"] - summary["start"] == 1500
    assert summary["start"] == 1795255200000


def test_a_corpus_has_its_rates_with_counts(hostile_figures: Run) -> None:
    """A corpus is a test whose rates stand beside their counts and bounds; a known failing one is no failure."""
    first, second = (t for t in read(hostile_figures)["results"]["tests"] if t["type"] == "guardrail corpus")
    assert first["extra"][EXTRA]["rates"]["fpr"]["hits"] == 1
    assert first["extra"][EXTRA]["rates"]["fpr"]["total"] == 6
    assert (first["status"], second["status"]) == ("failed", "other")


def test_hostile_texts_are_valid_and_printable(hostile_figures: Run) -> None:
    """Whatever stands in a field, the report is valid, and nothing in it can move a cursor or hide a letter."""

    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for pair in value.items() for item in pair for text in texts(item)]
        if isinstance(value, list):
            return [text for item in value for text in texts(item)]
        return [value] if isinstance(value, str) else []

    assert all(text.replace("\n", "").isprintable() for text in texts(read(hostile_figures)))


def test_a_run_that_is_not_whole_has_a_failed_test(run: Callable[..., Run]) -> None:
    """Whoever reads this file alone sees red: a failed test per lost one, else one for the run that was cut short."""
    lost = read(run(complete=False, lost=("t.py::x: its worker died",)))["results"]
    cut = read(run(complete=False))["results"]
    assert [(test["name"], test["status"]) for test in lost["tests"]] == [("t.py::x: its worker died", "failed")]
    assert (lost["summary"]["failed"], cut["summary"]["failed"]) == (1, 1)
    assert cut["tests"][0]["name"].startswith("the run was cut short")


def test_a_run_that_judged_nothing_is_valid(run: Callable[..., Run]) -> None:
    """No case, no gate and a time that cannot be read make a valid report of nothing."""
    assert read(run(started="yesterday"))["results"]["summary"]["tests"] == 0


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_time_that_is_no_number_is_valid(run: Callable[..., Run], seconds: float) -> None:
    """A broken clock makes no broken report."""
    assert read(run(duration_s=seconds))["results"]["tests"] == []


def test_a_corpus_has_the_samples_that_went_wrong(corpora_run: Run) -> None:
    """A corpus is one test, which says how many samples went wrong and lists those that the run keeps."""
    attacks, benign = read(corpora_run)["results"]["tests"]
    assert (attacks["status"], benign["status"]) == ("passed", "failed")
    assert benign["extra"][EXTRA]["wrong"] == 6
    assert [sample["place"] for sample in benign["extra"][EXTRA]["samples"]] == [
        "data/benign.jsonl:2",
        "data/benign.jsonl:9",
    ]
    assert attacks["extra"][EXTRA]["samples"][0]["outcome"] == "false negative"
