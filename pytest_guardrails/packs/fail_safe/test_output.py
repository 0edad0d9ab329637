"""After the request: a guard that gets no answer blocks, and the caller never sees what the model said."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_guardrails import Engine, expect_verdict


@pytest.fixture(autouse=True)
def own_configuration(pytestconfig: pytest.Config) -> None:
    """Skip where another configuration is under test: its input may be guarded too, and block first."""
    if pytestconfig.getoption("guardrails_config"):
        pytest.skip("about a guard on the output alone")


@pytest.fixture(scope="session")
def guardrails_config() -> Path:
    """Lasso on the output, failing safe."""
    return Path(__file__).with_name("output_safe.yaml")


@expect_verdict("block", upstream_calls=1, severity="critical", label="benign")
@pytest.mark.usefixtures("lasso_fault")
def test_no_answer_keeps_the_response_back(guardrail_engine: Engine) -> None:
    """Whatever way the API fails in, the caller gets a denial, and nothing of the response."""
    trace = guardrail_engine.run("What is the capital of France?", lambda _request: "It is Paris.")
    assert trace.response is None
    assert trace.denial is not None
    assert "Paris" not in str(trace.denial)
