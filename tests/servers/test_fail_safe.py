"""The law on a real socket: whatever way the API fails in, fail-safe blocks, and only a choice lets pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_guardrails import Engine, Trace, Verdict
from pytest_guardrails._faults import FAULTS
from pytest_guardrails.servers import LassoServer

SECRET = "what the model said"


@pytest.fixture(scope="module")
def server() -> Iterator[LassoServer]:
    """One stand-in for all of them."""
    with LassoServer() as server:
        yield server


def run(server: LassoServer, fault: str, phase: str, on_error: str) -> Trace:
    """Send one harmless request through a guard whose API fails."""
    server.heal()
    base_url = server.url_for(fault)
    if fault == "flaky":
        server.fail(fault, on_call=1)
    check = {"timeout": 400, "credentials": {"apiKey": server.api_key, "apiEndpoint": base_url}}
    guardrail = {"id": "lasso", "lasso.classify": check, "deny": True, "on_error": on_error}
    engine = Engine.from_config({f"{phase}_guardrails": [guardrail]})
    return engine.run("What is the capital of France?", lambda _request: SECRET)


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("phase", ["input", "output"])
def test_fail_safe_blocks(server: LassoServer, phase: str, fault: str) -> None:
    """Before, the model is not called; after, nothing that it said reaches the caller."""
    trace = run(server, fault, phase, "block")
    assert trace.verdict is Verdict.BLOCK
    assert trace.errors
    assert trace.response is None
    assert SECRET not in str(trace.denial)
    assert len(trace.upstream_requests) == (0 if phase == "input" else 1)
    assert server.api_key not in str(trace.to_dict())


@pytest.mark.parametrize("fault", ["refused", "reset_in_body", "http_429", "bad_gzip", "json_null", "deep_nesting"])
def test_a_choice_to_pass_says_so(server: LassoServer, fault: str) -> None:
    """With on_error allow the request passes, and trace and warning call it a choice."""
    trace = run(server, fault, "input", "allow")
    assert trace.verdict is Verdict.ALLOW
    assert trace.failed_open_by_choice
    assert not trace.failed_open
    assert any("FAILED OPEN by choice" in warning for warning in trace.warnings)
