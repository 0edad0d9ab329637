"""The history file: one line per run and guard version, whoever writes at the same time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._codec import FrozenDict, encode
from pytest_guardrails._history._log import CI_VARIABLES, Past, append, commit_of, pasts, read
from pytest_guardrails._model import CaseRecord, CaseStatus, Group, Run
from pytest_guardrails._stats import Histogram

MakeRun = Callable[..., Run]
MakeCase = Callable[..., CaseRecord]

PAST = Past("2026-11-21T10:00:00+00:00", None, "ab", "guard.yaml", "1 (abc)", "passed", FrozenDict({"cases": {"x": 1}}))


def test_a_run_is_a_line_per_guard(run: MakeRun, case: MakeCase, corpus: Any, sample: Any, whole: Group) -> None:
    """Counts and latencies by population, with version, commit and status; a guard that judged nothing has none."""
    timed = Histogram()
    timed.add(0.5)
    one = corpus([sample("k")], groups=(whole,), latency=timed.to_dict())
    made = run(case("a"), case("b", "benign"), case("drawn", generated=True), corpora=(one,))
    idle = replace(made.guards[0], key="idle@1", config="idle.yaml")
    (past,) = pasts(replace(made, guards=(*made.guards, idle)), "c0ffee0")
    assert (past.guard, past.version, past.commit, past.status) == ("guard.yaml", "1 (abc)", "c0ffee0", "passed")
    assert past.populations["cases"] == {
        "true_positive": 1, "false_positive": 1, "true_negative": 0, "false_negative": 0, "error": 0,
        "p50_s": 0.25, "p95_s": 0.25, "p99_s": 0.25,
    }  # fmt: skip
    benign = past.populations["benign"]
    assert (benign["false_positive"], benign["true_negative"]) == (1, 10)
    assert benign["p99_s"] == pytest.approx(0.5, rel=0.011)


def test_the_hash_of_the_suite_is_that_of_keys_and_labels(run: MakeRun, case: MakeCase) -> None:
    """It is the same in any order and whatever came, and another where a case is new or has another label."""

    def suite(*records: CaseRecord) -> str:
        return next(pasts(run(*records), None)).suite

    first = suite(case("a"), case("b"))
    assert suite(case("b", acted=False), case("a")) == first
    assert suite(case("a")) != first
    assert suite(case("a"), case("b", "benign")) != first


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "passed"),
        ({"exit_status": 1}, "failed"),
        ({"exit_status": 10, "records": "error"}, "untrusted"),
        ({"exit_status": 2, "complete": False}, "incomplete"),
    ],
)
def test_the_status_says_what_the_figures_are_worth(
    run: MakeRun, case: MakeCase, fields: dict[str, Any], status: str
) -> None:
    """A run that was cut short, or whose guards gave no answer, is marked as that."""
    records = [case("a"), case("b", status=CaseStatus.ERROR)] if fields.pop("records", None) else [case("a")]
    assert next(pasts(run(*records, **fields), None)).status == status


def test_lines_are_appended_and_read(tmp_path: Path) -> None:
    """Each append adds one line, and the reader gives them back in order."""
    path = tmp_path / "deep" / "history.jsonl"
    append(path, PAST)
    append(path, replace(PAST, status="failed"))
    assert path.read_bytes().count(b"\n") == 2
    assert read(path, "h") == ([PAST, replace(PAST, status="failed")], [])


def test_a_torn_line_stays_alone_and_is_told(tmp_path: Path) -> None:
    """What a process left when it died swallows no later line, and no reader is silent about it."""
    path = tmp_path / "history.jsonl"
    append(path, PAST)
    with path.open("ab") as file:
        file.write(b'{"schema": "pytest-gua')
    assert read(path, "h") == ([PAST], ["h:2: cut off"])
    append(path, PAST)
    found, problems = read(path, "h")
    assert found == [PAST, PAST]
    assert len(problems) == 1
    assert problems[0].startswith("h:2: no line of a history")


@pytest.mark.parametrize(
    "line", ["<<<<<<< ours", '{"schema": "other/1"}', "[]", '{"schema": "pytest-guardrails/history/1"}']
)
def test_a_line_of_something_else_is_told(tmp_path: Path, line: str) -> None:
    """A conflict, another schema, another shape: named with its place, and the others are read."""
    path = tmp_path / "history.jsonl"
    path.write_text(line + "\n")
    append(path, PAST)
    found, problems = read(path, "h")
    assert (found, problems[0][:4]) == ([PAST], "h:1:")


WRITER = """
import json, sys
from dataclasses import replace
from pathlib import Path
from pytest_guardrails._codec import decode
from pytest_guardrails._history._log import Past, append
past = decode(Past, json.loads(sys.argv[2]))
for _ in range(40):
    append(Path(sys.argv[1]), replace(past, guard=f"guard{sys.argv[3]}.yaml" + "x" * 9000))
"""


def test_writers_at_the_same_time_tear_no_line(tmp_path: Path) -> None:
    """Four processes append at once, and each of their lines is whole."""
    path = tmp_path / "history.jsonl"
    command = [sys.executable, "-c", WRITER, str(path), json.dumps(encode(PAST))]
    writers = [subprocess.Popen([*command, str(worker)]) for worker in range(4)]  # noqa: S603 - our own code
    assert [writer.wait(60) for writer in writers] == [0] * 4
    found, problems = read(path, "h")
    assert problems == []
    assert sorted(past.guard[:6] for past in found) == sorted(
        f"guard{worker}"[:6] for worker in range(4) for _ in range(40)
    )


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No CI says a commit."""
    for name in (*CI_VARIABLES, "GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_the_commit_is_what_is_checked_out(tmp_path: Path, nowhere: pytest.MonkeyPatch) -> None:
    """Git says it before the CI does; without git and CI there is none."""
    nowhere.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "repository"
    folder.mkdir()
    assert commit_of(folder) is None
    nowhere.setenv("GITHUB_SHA", "A" * 40)
    assert commit_of(folder) == "a" * 40
    nowhere.setenv("GITHUB_SHA", "not a commit; rm -rf")
    assert commit_of(folder) is None
    for arguments in (["init", "-q"], ["-c", "user.name=x", "-c", "user.email=x@example.com",
                                       "commit", "-q", "--allow-empty", "-m", "x"]):  # fmt: skip
        subprocess.run(["git", *arguments], cwd=folder, check=True)  # noqa: S603, S607
    asked = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, text=True)  # noqa: S607
    assert commit_of(folder) == asked.strip()
    nowhere.setenv("PATH", os.devnull)
    nowhere.setenv("CI_COMMIT_SHA", "b" * 40)
    assert commit_of(folder) == "b" * 40


def test_a_line_is_json_for_everybody(tmp_path: Path) -> None:
    """The line names its schema first and has no number that JSON has no word for."""
    path = tmp_path / "history.jsonl"
    append(path, replace(PAST, populations=FrozenDict({"cases": {"p50_s": float("nan")}})))
    data = json.loads(path.read_text())
    assert next(iter(data)) == "schema"
    assert data["populations"] == {"cases": {"p50_s": None}}
