"""``report.json`` read back: the same run, or an error that names what is wrong; nothing in it is believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Run
from pytest_guardrails._report import read_report, run_of
from pytest_guardrails.reporters.json import SCHEMA, json_report, report_dict

EMPTY = Run("2026-11-21T10:00:00+00:00", 1.0, True, {}, (), ())  # type: ignore[arg-type]  # equal to an empty one
# A failure is shown as it was drawn: to shrink a whole run takes minutes.
FEW = settings(
    max_examples=60, suppress_health_check=list(HealthCheck), phases=set(Phase) - {Phase.shrink, Phase.explain}
)


def without_nan(text: str) -> Any:
    """Read a report as a browser would."""
    return json.loads(text, parse_constant=pytest.fail)


@FEW
@given(data=st.data())
def test_a_report_gives_its_run_back(runs: st.SearchStrategy[Run], data: st.DataObject) -> None:
    """Whatever run is written, the report reads as that run, and gives the same report again, byte for byte."""
    run = data.draw(runs)
    text = json_report(run)
    again = run_of(without_nan(text))
    assert again == run
    assert report_dict(again) == report_dict(run)
    assert json_report(again) == text


def test_times_survive_too(tmp_path: Path) -> None:
    """Equality of traces leaves times out, and the report does not."""
    (tmp_path / "report.json").write_text(json_report(EMPTY))
    assert read_report(str(tmp_path)).duration_s == 1.0


def changed(**changes: Any) -> dict[str, Any]:
    """Return a report of nothing, with some of its keys changed; `...` takes one away."""
    data = {**report_dict(EMPTY), **changes}
    return {key: value for key, value in data.items() if value is not ...}


CASE = {"nodeid": "a::b", "case": "b", "status": "as expected"}
CORPUS = {"nodeid": "a::corpus c", "name": "c", "status": "as expected"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "it is no report.json of pytest-guardrails"),
        (None, "it is no report.json of pytest-guardrails"),
        ({}, "it is no report.json of pytest-guardrails"),
        ({"schema": 7}, "it is no report.json of pytest-guardrails"),
        ({"schema": "pytest-guardrails/baseline/1"}, "it is no report.json of pytest-guardrails"),
        (changed(schema="pytest-guardrails/report/9"), f"and this version reads {SCHEMA}"),
        ({"schema": SCHEMA}, "the report is damaged: run is missing"),
        (changed(cases=...), "damaged: cases is missing"),
        (changed(cases={}), "damaged: cases: expected array, got object"),
        (changed(extra=1), "damaged: unknown key 'extra'"),
        (changed(cases=[{}]), "damaged: cases[0]: nodeid is missing"),
        (changed(cases=[{**CASE, "status": "fine"}]), "cases[0].status: unknown value 'fine'. Choices: as expected"),
        (changed(cases=[CASE, {**CASE, "runs": True}]), "cases[1].runs: expected integer, got boolean"),
        (changed(cases=[{**CASE, "runs": -1}]), "cases[0].runs: expected a whole number from 0"),
        (changed(cases=[{**CASE, "runs": 10**400}]), "cases[0].runs: expected a whole number from 0"),
        (changed(cases=[{**CASE, "line": 1.5}]), "cases[0].line: expected integer or null, got number"),
        (changed(corpora=[{**CORPUS, "ledger": "/etc/passwd"}]), "corpora[0]: unknown key 'ledger'"),
        (changed(corpora=[{**CORPUS, "latency": {"x": 1}}]), "corpora[0].latency: 'x' cannot be a key here"),
        (changed(corpora=[{**CORPUS, "worst": [["a"]]}]), "corpora[0].worst[0]: expected 5 items, got 1"),
        (changed(corpora=[{**CORPUS, "duration_s": 10**400}]), "duration_s: expected a number that a float can hold"),
        (changed(run={**report_dict(EMPTY)["run"], "complete": "yes"}), "run.complete: expected boolean, got string"),
        (changed(notes=[None]), "notes[0]: expected string, got null"),
    ],
)
def test_what_is_no_report_is_named(data: Any, said: str) -> None:
    """Another schema, a missing or unknown key, a value of a wrong kind: the error says which, and where."""
    with pytest.raises(ConfigError) as caught:
        run_of(json.loads(json.dumps(data)))
    assert said in str(caught.value)


def test_a_noun_that_refuses_its_value_is_damage_too() -> None:
    """A role that nobody has is no crash."""
    trace: dict[str, Any] = {
        "request": {"messages": [{"role": "wizard"}]},
        "verdict": "allow",
        "action": "none",
        "decided_by": None,
        "results": [],
    }
    with pytest.raises(ConfigError, match="the report is damaged: unknown role 'wizard'"):
        run_of(changed(cases=[{**CASE, "trace": trace}]))


WHOLE = json_report(EMPTY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "r.json: it is no whole JSON"),
        (WHOLE[: len(WHOLE) // 2], "was it cut off?"),
        (WHOLE + "x", "r.json: it is no whole JSON: Extra data"),
        (WHOLE.replace("1.0", "NaN", 1), "r.json: it is no JSON: JSON has no NaN"),
        (WHOLE.replace("1.0", "1e999", 1), "r.json: it is no JSON: no float can hold 1e999"),
        (WHOLE.replace("1.0", "9" * 5000, 1), "r.json: it is no JSON: "),
        ("[" * 100_000, "r.json: it is nested too deeply"),
        (WHOLE.replace('"cases": [', '"cases": [' + "[" * 300 + "]" * 300, 1), "it is nested too deeply"),
    ],
)
def test_what_is_no_json_is_named(tmp_path: Path, text: str, said: str) -> None:
    """Half a file, numbers that JSON or a float does not have, and endless nesting are errors that name the file."""
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_report(str(tmp_path / "r.json"))
    assert said in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A file that is not UTF-8, a folder without a report, no file at all, and a name that none can have."""
    (tmp_path / "r.json").write_bytes(b'{"schema": "\xff"}')
    for name, said in (
        ("r.json", "it is not UTF-8"),
        ("", "report.json: cannot read it: No such file"),
        ("gone", "gone: cannot read it: No such file"),
        ("a\0b", "no file can be called that"),
    ):
        with pytest.raises(ConfigError, match=said):
            read_report(f"{tmp_path}/{name}")
