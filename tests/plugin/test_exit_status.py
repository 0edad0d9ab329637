"""Exit statuses: as pytest's, and 10 for a run whose guards gave no answer."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

BROKEN = """\
guardrails:
  input_guardrails:
    - {id: form, default.jsonSchema: {schema: {$ref: "https://schemas.invalid/x.json"}}, deny: true%s}
"""


def run(pytester: pytest.Pytester, expect: str, extra: str = "") -> pytest.RunResult:
    """Run one case on a guard whose check cannot answer."""
    (pytester.path / "c.guardrails.yaml").write_text(
        BROKEN % extra + f"cases:\n  - {{id: a, input: '{{}}', expect: {expect}}}\n"
    )
    return pytester.runpytest("--guardrails-report=json:r.json")


def metrics(pytester: pytest.Pytester) -> dict[str, object]:
    """Return the metrics of the report."""
    data: dict[str, object] = json.loads((pytester.path / "r.json").read_text())["metrics"]
    return data


def test_an_unexpected_guard_error_makes_the_run_untrusted(pytester: pytest.Pytester) -> None:
    """A guard that blocked because it broke has not passed its test, although the verdict is the expected one."""
    result = run(pytester, "block")
    result.assert_outcomes(failed=1)
    assert result.ret == 10
    result.stdout.fnmatch_lines(["guard error: form/default.jsonSchema gave no answer*", "UNTRUSTED*"])
    assert metrics(pytester)["trusted"] is False
    assert metrics(pytester)["cases"]["error"] == 1  # type: ignore[index]


def test_an_expected_error_is_as_expected(pytester: pytest.Pytester) -> None:
    """A case that asks for the error passes, is in no rate, and leaves the run trusted."""
    result = run(pytester, "{verdict: block, errors: true, upstream_calls: 0}")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    said = metrics(pytester)
    assert (said["trusted"], said["expected_errors"], said["error_rate"]["total"]) == (True, 1, 0)  # type: ignore[index]


def test_open_by_choice_is_shown_as_such(pytester: pytest.Pytester) -> None:
    """``on_error: allow`` passes, and the terminal and the report say that it failed open by choice."""
    result = run(pytester, "{verdict: allow, errors: true, warns: FAILED OPEN by choice}", ", on_error: allow")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*FAILED OPEN by choice (on_error: allow) in 1 case*"])
    assert metrics(pytester)["failed_open_by_choice"] == 1
    assert metrics(pytester)["failed_open"] == 0


def test_a_verdict_that_is_not_as_expected_is_a_plain_failure(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """A mismatch without an error is status 1, as any failed test."""
    guard("  - {id: a, input: x, expect: block}\n")
    assert pytester.runpytest().ret == pytest.ExitCode.TESTS_FAILED
