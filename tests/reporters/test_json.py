"""``report.json``: whole, canonical, and JSON for every parser."""

from __future__ import annotations

import json
from collections.abc import Callable

from pytest_guardrails._codec import decode
from pytest_guardrails._model import CaseRecord, CaseStatus, Run
from pytest_guardrails.reporters.json import SCHEMA, dumps, json_report, report_dict

MakeRun = Callable[..., Run]
MakeRecord = Callable[..., CaseRecord]


def test_a_run_without_cases_is_a_whole_report(run: MakeRun) -> None:
    """No case gives an empty list, unknown rates, and the name of the schema first."""
    report = json.loads(json_report(run()))
    assert report["cases"] == []
    assert report["metrics"]["fpr"]["value"] is None
    assert next(iter(report.items())) == ("schema", SCHEMA)


def test_the_text_is_the_report(run: MakeRun, record: MakeRecord) -> None:
    """What is written parses to what `report_dict` says, one case on one line."""
    made = run(record("a"), record("b", CaseStatus.ERROR))
    text = json_report(made)
    assert json.loads(text) == report_dict(made)
    assert [line.strip(", ")[:12] for line in text.splitlines() if '"nodeid"' in line] == ['{"nodeid": "'] * 2


def test_a_record_survives_its_report(run: MakeRun, record: MakeRecord) -> None:
    """A case of the report decodes to the record that it came from."""
    made = record("a", CaseStatus.NOT_AS_EXPECTED, tags=("x",), reasons=("y",))
    case = json.loads(json_report(run(made)))["cases"][0]
    assert decode(CaseRecord, case) == made


def test_hostile_texts_survive_exactly(hostile: Run, hostile_text: str) -> None:
    """Every text comes back as it was, in a file that is UTF-8 and has no control characters."""
    text = json_report(hostile)
    text.encode("utf-8")
    assert all(letter >= " " or letter == "\n" for letter in text)
    report = json.loads(text)
    assert report["cases"][0]["note"] == hostile_text
    assert report["cases"][0]["trace"]["request"]["messages"][0]["content"] == hostile_text


def test_a_number_without_a_word_in_json_is_null() -> None:
    """A score of NaN or infinity is null, because browsers refuse a file with NaN in it."""
    assert dumps([float("nan"), {"a": (float("inf"), 1.5)}, "NaN"]) == '[null, {"a": [null, 1.5]}, "NaN"]'


def test_lone_surrogates_are_escapes() -> None:
    """What UTF-8 cannot hold stands as its escape, also after a backslash."""
    assert dumps("\\\ud800") == r'"\\\ud800"'
    assert json.loads(dumps("\\\ud800")) == "\\\ud800"
