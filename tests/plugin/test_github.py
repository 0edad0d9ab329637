"""A run inside GitHub Actions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

CASES = """\
  - {id: wrong, input: my mail is alice@example.com, severity: high, expect: block}
  - {id: clean, input: hello, expect: allow}
"""


@pytest.fixture
def step(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The summary of a step of a GitHub job, whose checkout has the suite as a folder."""
    path = tmp_path / "step.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path.parent))
    pytester.makeini("[pytest]")
    return path


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_step_gets_a_summary_and_annotations_once(
    pytester: pytest.Pytester, guard: Callable[..., None], step: Path, workers: tuple[str, ...]
) -> None:
    """One Markdown summary is in the step's file, and one error stands at the line of its case, in the repository."""
    guard(CASES)
    result = pytester.runpytest(*workers)
    text = step.read_text(encoding="utf-8")
    assert text.count("# Guardrails") == 1
    assert "wrong" in text
    commands = [line for line in result.outlines if line.startswith("::")]
    place = f"file={pytester.path.name}/cases.guardrails.yaml,line=3,title=wrong%3A not as expected (high)"
    assert commands == [f"::error {place}::verdict: expected block, got allow"]


def test_nothing_personal_is_told(pytester: pytest.Pytester, guard: Callable[..., None], step: Path) -> None:
    """Texts of cases are masked in the summary and the annotations, also without another report."""
    guard(
        "  - {id: a, input: mail alice@example.com, response: wonderland, "
        "expect: {verdict: block, upstream: looking glass, absent_upstream: [tweedledee]}}\n"
    )
    result = pytester.runpytest()
    said = step.read_text(encoding="utf-8") + result.stdout.str()
    assert "::error file=" in said
    for secret in ("alice", "example.com", "wonderland", "looking", "tweedle"):
        assert secret not in said


def test_a_summary_that_cannot_be_written_is_a_note(
    pytester: pytest.Pytester, guard: Callable[..., None], step: Path
) -> None:
    """Where the file cannot be written the run says so, and ends as it would have ended."""
    step.mkdir()
    guard("  - {id: clean, input: hello, expect: allow}\n")
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["no summary for GitHub: GITHUB_STEP_SUMMARY cannot be written (Is a directory)"])


def test_a_run_without_guardrails_says_nothing(pytester: pytest.Pytester, step: Path) -> None:
    """Other suites of a job get no empty summary."""
    pytester.makepyfile("def test_one(): assert False\n")
    result = pytester.runpytest()
    assert not step.exists()
    assert not [line for line in result.outlines if line.startswith("::")]


def test_elsewhere_nothing_is_annotated(
    pytester: pytest.Pytester, guard: Callable[..., None], step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Annotations are for GitHub's runner alone; whoever sets the summary's file gets the summary."""
    monkeypatch.delenv("GITHUB_ACTIONS")
    guard(CASES)
    result = pytester.runpytest()
    assert step.exists()
    assert not [line for line in result.outlines if line.startswith("::")]
