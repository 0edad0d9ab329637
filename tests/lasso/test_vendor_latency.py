"""What Lasso took when its answer was recorded, beside what a replay takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from pytest_guardrails import Engine, Finding, Findings, Guardrail, Phase
from pytest_guardrails._model import Text
from pytest_guardrails.lasso import LassoClient

CLEAN = {"violations_detected": False, "deputies": {}, "findings": {}}
GUARD = {"input_guardrails": [{"id": "lasso", "lasso.classify": {}, "deny": True}]}


def transport(**extensions: Any) -> httpx.MockTransport:
    """Return a transport that answers at once, with notes beside the answer."""
    return httpx.MockTransport(lambda _: httpx.Response(200, json=CLEAN, extensions=extensions))


def test_a_recorded_time_reaches_the_trace() -> None:
    """Milliseconds of the recording are seconds of the check, its guardrail and the trace."""
    made = Engine.from_config(GUARD).connected(
        transport(guardrails={"latency_ms": 250.0, "recorded": True, "key": "k"})
    )
    trace = made.run("hello")
    (result,) = trace.results
    (check,) = result.checks
    assert (check.vendor_s, result.vendor_s, trace.vendor_s) == (0.25, 0.25, 0.25)
    assert type(trace).from_dict(trace.to_dict()).vendor_s == 0.25


@pytest.mark.parametrize("notes", [None, {}, {"latency_ms": None}, {"latency_ms": "250"}, "250", 250])
def test_a_time_that_nobody_measured_is_unknown(notes: Any) -> None:
    """Whatever else stands there, no time is made up."""
    extensions = {} if notes is None else {"guardrails": notes}
    with LassoClient(transport=transport(**extensions)) as client:
        assert client.classify(["hello"]).vendor_s is None


def test_without_a_call_there_is_no_vendor() -> None:
    """A request without a text asks nobody."""
    made = Engine.from_config(GUARD).connected(transport(guardrails={"latency_ms": 250.0}))
    assert made.run([{"role": "user", "content": []}]).vendor_s is None


def test_a_check_of_your_own_can_say_what_its_vendor_took() -> None:
    """`Findings` is a list with a time; a list alone has none."""

    class Asks:
        id = "asks"

        def __call__(self, texts: Sequence[Text]) -> list[Finding]:
            return Findings([], vendor_s=0.12)

    (result,) = Engine([Guardrail("g", Phase.BEFORE_REQUEST, (Asks(),))]).run("hello").results
    assert result.vendor_s == 0.12


def test_a_check_that_says_nothing_of_a_vendor_has_none() -> None:
    """Checks that look for themselves have no vendor."""
    made = Engine.from_config({"input_guardrails": [{"id": "pii", "pii_redact": {}}]})
    assert made.run("hello").vendor_s is None
