"""Before the request: a guard that gets no answer blocks, and the model is not called."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_guardrails import Engine, expect_verdict


@pytest.fixture(scope="session")
def guardrails_config() -> Path:
    """Lasso on the input, failing safe."""
    return Path(__file__).with_name("input_safe.yaml")


@expect_verdict("block", upstream_calls=0, severity="critical", label="benign")
@pytest.mark.usefixtures("lasso_fault")
def test_no_answer_blocks_before_the_model(guardrail_engine: Engine) -> None:
    """Whatever way the API fails in, the request ends here."""
    guardrail_engine.run("What is the capital of France?")
