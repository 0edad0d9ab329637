"""Arming and coverage in the reports: harmless whatever a guardrail or a case is called, and short."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from pytest_guardrails._codec import EMPTY
from pytest_guardrails._metrics import measure
from pytest_guardrails._model import Armed, ArmedTest, CaseRecord, Guard, GuardVersion, Run
from pytest_guardrails.reporters import json_report, markdown, terminal


def armed_run(record: Callable[..., CaseRecord], text: str, number: int = 1) -> Run:
    """Return a run in which ``text`` stands wherever arming and coverage show one, ``number`` times."""
    names = [text if number == 1 else f"{text}{index}" for index in range(number)]
    place = f"before_request/{text}"
    rails = tuple((name, "before_request", "deny", "block") for name in names)
    guard = Guard(text, text, text, GuardVersion(None, text), rails, tuple((text,) for _ in names))
    hidden = Armed((), (place,), (), ((place, place),), True, False)
    tests = tuple(ArmedTest(f"{name}::{name}", text, Armed(off=False, always_deny=False)) for name in names)
    unjudged = ArmedTest(f"{text}::x", text, Armed(unjudged=(("", text),)))
    records = tuple(record(name, guard=text, armed=hidden, nodeid=f"{text}::{name}") for name in names)
    asleep = record("asleep", guard=text, armed=Armed(off=False, always_deny=True), nodeid=f"{text}::z")
    return Run("", 0, True, EMPTY, (guard,), (*records, asleep), armed=(*tests, unjudged))


def test_the_terminal_shows_hostile_names_as_text(record: Callable[..., CaseRecord], hostile_text: str) -> None:
    """Every line is printable and fits the width."""
    run = armed_run(record, hostile_text)
    lines = list(terminal(run, measure(run.records), width=80))
    assert all(line.isprintable() for line in lines)
    groups = ("vacuous", "asleep", "untested", "backed up", "unjudged")
    assert [line.split(":")[0].strip() for line in lines if line.startswith("  ") and line[2] != " "][:5] == [*groups]


def test_markdown_escapes_them(record: Callable[..., CaseRecord], hostile_text: str) -> None:
    """Neither a tag nor a link nor a mention is left."""
    text = markdown(armed_run(record, hostile_text)).partition("**Arming:**")[2]
    assert text
    assert re.search(r"(?<!\\)[<\[`]|@(?!&#8203;)\w|(?<!&)#(?!&#8203;)\w|[\x1b\u202e]", text) is None


def test_the_report_is_json(record: Callable[..., CaseRecord], hostile_text: str) -> None:
    """The keys arming and coverage can be read back."""
    report = json.loads(json_report(armed_run(record, hostile_text)))
    assert report["arming"]["judged"] == 3
    assert report["coverage"]["total"] == 3


def test_long_lists_are_cut(record: Callable[..., CaseRecord]) -> None:
    """The terminal shows ten of each list and says how many more there are; the report has all."""
    run = armed_run(record, "x", 30)
    lines = list(terminal(run, measure(run.records), width=80))
    assert sum(line.startswith("    x") and "::" in line for line in lines) == 11  # and the one that is asleep
    assert "    … and 20 more; the report has all" in lines
    assert "  … and 20 more guardrails; the report has all" in lines
    assert len(json.loads(json_report(run))["arming"]["vacuous"]) == 30
