"""The trace log."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pytest_guardrails._model import CaseRecord, Run, Trace
from pytest_guardrails.reporters import traces


def read(run: Run) -> list[dict[str, Any]]:
    """Return the lines of a run's log, each a JSON object; a file of any reader has as many lines."""
    text = traces(run)
    lines = text.splitlines()
    assert lines == text.split("\n")[:-1]
    return [json.loads(line) for line in lines]


def test_a_line_says_what_happened_to_a_request(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """A line has what each guardrail did, what the model received and what the caller got."""
    (line,) = read(run(record("x")))
    assert (line["schema"], line["case"], line["guard_version"]) == ("pytest-guardrails/trace/1", "x", "7 (abc)")
    found = line["trace"]
    assert [(result["guardrail"], result["status"]) for result in found["results"]] == [
        ("pii_redact", "ran"),
        ("out", "skipped"),
    ]
    assert found["upstream_requests"][0]["messages"][0]["content"] == "hello!"
    assert found["response"]["choices"][0]["content"] == "hello"


def test_a_trace_reads_back_as_it_was(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """The trace of a line builds the trace of the run."""
    made = record("x")
    (line,) = read(run(made))
    assert Trace.from_dict(line["trace"]) == made.trace


def test_a_case_that_sent_nothing_has_no_line(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """The log is of requests: a case without one is not in it."""
    assert read(run(record("x", trace=None), record("y"))) == read(run(record("y")))
    assert traces(run()) == ""


def test_hostile_texts_stay_on_their_line(hostile: Run) -> None:
    """No text breaks a line, for readers that know all of Unicode's line breaks too, and each reads back."""
    lines = read(hostile)
    assert [Trace.from_dict(line["trace"]) for line in lines] == [r.trace for r in hostile.records if r.trace]
