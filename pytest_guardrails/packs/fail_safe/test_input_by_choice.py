"""Before the request, with ``on_error: allow``: the request passes, and everything says that this was a choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_guardrails import Engine, expect_verdict


@pytest.fixture(scope="session")
def guardrails_config() -> Path:
    """Lasso on the input, passing by choice what it could not check."""
    return Path(__file__).with_name("input_open.yaml")


@pytest.fixture(autouse=True)
def own_configuration(pytestconfig: pytest.Config) -> None:
    """Skip where another configuration is under test: this module is about a choice that this one made."""
    if pytestconfig.getoption("guardrails_config"):
        pytest.skip("about a configuration that chose on_error: allow")


@expect_verdict("allow", upstream_calls=1, warns="FAILED OPEN by choice", label="benign")
@pytest.mark.usefixtures("lasso_fault")
def test_a_choice_to_pass_is_said(guardrail_engine: Engine) -> None:
    """The trace knows it, and the operator is warned."""
    assert guardrail_engine.run("What is the capital of France?").failed_open_by_choice
