"""Shared by the tests: pytester, and a small guard to put a suite around."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest

pytest_plugins = ["pytester"]

# pytester forgets what an inner run imported; what is imported here stays, so that inner runs start quickly.
# For yaml it is a must: libyaml's binding does not survive a second import.
for name in ("yaml", "hypothesis.strategies", "stdnum.iban", "pytest_guardrails._collect", "pytest_guardrails.cli"):
    importlib.import_module(name)

# A busy machine is no failure: no deadline for an example, on top of what CI's own profile says.
hypothesis.settings.register_profile("tests", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("tests")

GUARD = """\
version: "1.2"
input_guardrails:
  - {id: redact, pii_redact: {entities: [EMAIL]}, action: sanitize}
  - {id: words, default.contains: {words: [forbidden], operator: none}, deny: true}
output_guardrails:
  - {id: answers, default.contains: {words: [secret], operator: none}, deny: true}
"""


@pytest.fixture(scope="session", autouse=True)
def outside_github() -> Iterator[None]:
    """No run inside a test speaks to the GitHub job that runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True)
def reports_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every report.json that a test makes is valid by its schema, and reads as the run that it was made from."""
    reporters: Any = importlib.import_module("pytest_guardrails.reporters")

    def checked(run: Any) -> str:
        text: str = reporters.json_report(run)
        reading: Any = importlib.import_module("pytest_guardrails._report")
        assert reporters.json_report(reading.run_of(json.loads(text))) == text
        return text

    monkeypatch.setitem(reporters.REPORTERS, "json", checked)


@pytest.fixture
def guard(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write guard.yaml and, given cases as YAML list items, ``cases.guardrails.yaml`` beside it."""
    for name in ("CI", "BUILD_NUMBER", "COLUMNS"):  # they change what pytest prints
        monkeypatch.delenv(name, raising=False)

    def write(cases: str = "", *, head: str = "guardrails: guard.yaml\n", name: str = "cases") -> None:
        (pytester.path / "guard.yaml").write_text(GUARD)
        if cases:
            (pytester.path / f"{name}.guardrails.yaml").write_text(f"{head}cases:\n{cases}", encoding="utf-8")

    return write
