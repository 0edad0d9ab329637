"""The packs, on their own configurations and on a user's."""

from __future__ import annotations

import pytest


def test_the_packs_pass_on_their_own_configurations(pytester: pytest.Pytester) -> None:
    """Every case of every pack is as expected, none errors and none is left out."""
    result = pytester.runpytest("--pyargs", "pytest_guardrails.packs", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["cases * 0 not as expected, 0 errored"])


def test_the_near_miss_pack_is_large_enough(pytester: pytest.Pytester) -> None:
    """There are at least sixty legitimate look-alikes."""
    result = pytester.runpytest("--pyargs", "pytest_guardrails.packs.near_miss", "--co", "-q")
    assert sum("near_miss.guardrails.yaml::" in line for line in result.stdout.lines) >= 60


def test_a_bad_guard_fails_the_near_miss_pack(pytester: pytest.Pytester) -> None:
    """On a user's own shape-only redactor, given by --guardrails-config, the pack finds false positives."""
    (pytester.path / "mine.yaml").write_text(
        "input_guardrails:\n  - {id: digits, default.regexReplace: {rule: '[0-9]{9,}'}}\n"
    )
    result = pytester.runpytest("--pyargs", "pytest_guardrails.packs.near_miss", "-q", "--guardrails-config=mine.yaml")
    assert result.ret == 1
    assert result.parseoutcomes()["failed"] >= 5
    result.stdout.fnmatch_lines(["guard * mine.yaml*"])


def test_a_guard_that_is_off_fails_the_sanitize_pack(pytester: pytest.Pytester) -> None:
    """A user's guard that never sanitizes does not get through."""
    (pytester.path / "off.yaml").write_text(
        "input_guardrails:\n  - {id: nothing, default.contains: {words: [zzzz], operator: none}}\n"
    )
    result = pytester.runpytest("--pyargs", "pytest_guardrails.packs.sanitize", "-q", "--guardrails-config=off.yaml")
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] > 10
    assert outcomes["passed"] == 1


def test_the_laws_of_order_hold_for_a_users_configuration(pytester: pytest.Pytester) -> None:
    """Cases that name the pack's guardrails are skipped with their reason; the laws still run."""
    (pytester.path / "mine.yaml").write_text("input_guardrails: [pii_redact, prompt_injection_detect]\n")
    result = pytester.runpytest("--pyargs", "pytest_guardrails.packs.order", "-rs", "--guardrails-config=mine.yaml")
    outcomes = result.parseoutcomes()
    assert outcomes["skipped"] >= 8
    assert outcomes["passed"] >= 15
    assert "failed" not in outcomes
