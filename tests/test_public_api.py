"""What the package exports."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pytest_guardrails
from pytest_guardrails import checks

PROMISED = [
    "Action",
    "Case",
    "CheckResult",
    "ConfigError",
    "Engine",
    "Expectation",
    "Finding",
    "Findings",
    "Guardrail",
    "GuardrailResult",
    "GuardVersion",
    "Message",
    "Outcome",
    "Phase",
    "Request",
    "Response",
    "Trace",
    "Verdict",
    "expect_verdict",
]


def test_all_is_sorted_and_complete() -> None:
    """``__all__`` is sorted, has no repeats, and holds every promised name."""
    assert pytest_guardrails.__all__ == sorted(set(pytest_guardrails.__all__))
    assert set(PROMISED) <= set(pytest_guardrails.__all__)


@pytest.mark.parametrize("name", pytest_guardrails.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    """Each public name can be imported and has a docstring."""
    value = getattr(pytest_guardrails, name)
    assert value.__doc__
    assert name in dir(pytest_guardrails)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A typo is refused as in any module."""
    with pytest.raises(AttributeError, match="Engnie"):
        _ = pytest_guardrails.Engnie


def test_star_import_works_in_a_fresh_interpreter() -> None:
    """The lazy names survive ``from pytest_guardrails import *``."""
    code = "from pytest_guardrails import *; print(Engine.__name__, expect_verdict('block').name)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert run.stdout.split() == ["Engine", "expect_verdict"]


def test_the_subpackage_of_checks_exports_what_exists() -> None:
    """The public subpackage of checks lists each name once, and every built-in check among them."""
    assert len(set(checks.__all__)) == len(checks.__all__)
    assert all(hasattr(checks, name) for name in checks.__all__)
    assert {factory.__name__ for factory in checks.BUILT_IN.values()} <= set(checks.__all__)
