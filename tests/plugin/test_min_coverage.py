"""The option ``--guardrails-min-coverage``: a run fails where checks were not seen to act."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pytest_guardrails._coverage import Shown

FULL = """\
  - {id: clean, input: hello, expect: allow, near_miss: [redact, words, answers]}
  - {id: mail, input: a@example.com, expect: {verdict: allow, action: sanitize}}
  - {id: word, input: forbidden, expect: block}
  - {id: answer, input: hello, response: the secret, expect: block}
"""
PART = "".join(FULL.splitlines(keepends=True)[:2])


def test_a_run_that_covers_enough_passes(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """All cells are covered: exit status 0, and the share is said."""
    guard(FULL)
    result = pytester.runpytest("--guardrails-min-coverage=100")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["coverage   6 of 6 cells (100 %)"])
    result.stdout.no_fnmatch_line("*TOO LOW*")


def test_a_run_that_covers_too_little_fails(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Every case passes, the run does not, and the empty cells are named; the report says the same."""
    guard(PART)
    result = pytester.runpytest("--guardrails-min-coverage=80%", "--guardrails-report=json:r.json")
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "TOO LOW    coverage is 4 of 6 cells (66.6 %), and 80 % is demanded; what is missing:",
            "  before_request/words/default.contains (deny): never fired on an attack",
            "  after_request/answers/default.contains (deny): never fired on an attack",
        ]
    )
    report = json.loads((pytester.path / "r.json").read_text())
    assert report["run"]["exit_status"] == 1
    assert (report["coverage"]["covered"], report["coverage"]["total"]) == (4, 6)
    assert report["arming"] is None


def test_arming_asks_for_more(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """With arming, each check is also to decide alone once."""
    guard(FULL)
    result = pytester.runpytest("--guardrails-min-coverage=100", "--guardrails-arming", "--guardrails-report=json:r")
    assert result.ret == 0
    cells = json.loads((pytester.path / "r").read_text())["coverage"]["cells"]
    assert [cell["times"] for cell in cells if cell["shown"] == Shown.ALONE] == [1, 1, 1]


@pytest.mark.parametrize("option", ["--guardrails-min-coverage=0", "--guardrails-min-coverage=80"])
def test_no_data_fails_and_says_so(pytester: pytest.Pytester, option: str) -> None:
    """A run without a case that ran a guard covers nothing: that is not enough for any bar."""
    pytester.makepyfile("def test_plain(): pass")
    result = pytester.runpytest(option)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["TOO LOW    coverage is unknown*no case and no corpus ran a guardrail"])


def test_a_run_that_is_worse_stays_worse(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """An untrusted run keeps its own exit status; a usage error too."""
    guard("  - {id: x, input: hello, expect: block}\n")
    assert pytester.runpytest("--guardrails-min-coverage=80").ret == pytest.ExitCode.TESTS_FAILED
    assert pytester.runpytest("--guardrails-min-coverage=80", "nowhere").ret == pytest.ExitCode.USAGE_ERROR


def test_collecting_alone_judges_nothing(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """--collect-only runs no case, so that there is nothing to cover."""
    guard(PART)
    assert pytester.runpytest("--collect-only", "--guardrails-min-coverage=80").ret == 0


@pytest.mark.parametrize("value", ["high", "", "101"])
def test_a_bar_that_cannot_be_meant_is_a_usage_error(pytester: pytest.Pytester, value: str) -> None:
    """Exit status 4 before any test runs."""
    pytester.makepyfile("def test_plain(): pass")
    result = pytester.runpytest(f"--guardrails-min-coverage={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--guardrails-min-coverage takes per cent, a number from 0 to 100, not '{value}'"])


def test_a_corpus_covers_what_its_check_did(pytester: pytest.Pytester) -> None:
    """A check that only ever sanitizes leaves the denial that its guardrail is configured for to be shown."""
    rows = [("write to a@example.com", "attack"), ("hello", "benign")]
    lines = (json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)
    (pytester.path / "own.jsonl").write_text("".join(lines))
    (pytester.path / "x.guardrails.yaml").write_text(
        "guardrails: {input_guardrails: [{id: mails, pii_redact: {entities: [EMAIL], action: sanitize}, deny: true}]}\n"
        "corpora: [{file: own.jsonl, near_miss: EMAIL}]\n"
    )
    result = pytester.runpytest("--guardrails-min-coverage=100")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "TOO LOW    coverage is 2 of 3 cells*",
            "  before_request/mails/pii_redact (deny): never fired on an attack",
        ]
    )
