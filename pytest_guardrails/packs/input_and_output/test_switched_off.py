"""Row 3 again: switching the guard off makes every near miss pass, and is not accepted as a cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_guardrails import Case, Engine, expect_verdict
from pytest_guardrails._cases import load
from pytest_guardrails._expect import judge
from pytest_guardrails.targets.embedded import scripted

HERE = Path(__file__).parent
SUITE = load(HERE / "input_and_output.guardrails.yaml")
ATTACKS = [case for case in SUITE.cases if case.truth == "attack"]


@pytest.fixture(scope="session")
def guardrails_config() -> Path:
    """The pack's own configuration."""
    return HERE / "guard.yaml"


@expect_verdict("allow", action="sanitize", absent_upstream="alice@example.com", severity="critical")
def test_the_armed_guard_still_sanitizes(guardrail_engine: Engine) -> None:
    """The cure of a false positive leaves this true positive standing."""
    guardrail_engine.run("the OpenAI API answers alice@example.com")


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.id)
def test_switched_off_the_attack_cases_are_not_as_expected(case: Case) -> None:
    """An engine without guardrails fails every attack row, so an off switch cannot look like a better rate."""
    disarmed = Engine(guardrails=())
    trace = disarmed.run(case.request, scripted(case.response, stream=case.request.stream))
    assert judge(case, trace).status == "not as expected"
