"""Regression tests for LLM guardrails, inside pytest."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_guardrails._cassette import RecordedTransport
    from pytest_guardrails._errors import (
        ConfigError,
        GuardrailsError,
        LassoConnectionError,
        LassoError,
        LassoProtocolError,
        LassoStatusError,
        LassoTimeout,
        MissingRecording,
        VerdictMismatch,
    )
    from pytest_guardrails._marker import corpus, expect_verdict, inject_fault
    from pytest_guardrails._model import (
        Action,
        Case,
        Check,
        CheckResult,
        Expectation,
        Finding,
        Findings,
        Guardrail,
        GuardrailResult,
        GuardVersion,
        Message,
        OnError,
        Outcome,
        Phase,
        Request,
        Response,
        Scope,
        Target,
        Text,
        Trace,
        Verdict,
    )
    from pytest_guardrails.targets.embedded import Engine

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Case",
    "Check",
    "CheckResult",
    "ConfigError",
    "Engine",
    "Expectation",
    "Finding",
    "Findings",
    "GuardVersion",
    "Guardrail",
    "GuardrailResult",
    "GuardrailsError",
    "LassoConnectionError",
    "LassoError",
    "LassoProtocolError",
    "LassoStatusError",
    "LassoTimeout",
    "Message",
    "MissingRecording",
    "OnError",
    "Outcome",
    "Phase",
    "RecordedTransport",
    "Request",
    "Response",
    "Scope",
    "Target",
    "Text",
    "Trace",
    "Verdict",
    "VerdictMismatch",
    "corpus",
    "expect_verdict",
    "inject_fault",
]

_HOMES = {
    "ConfigError": "_errors",
    "Engine": "targets.embedded",
    "GuardrailsError": "_errors",
    "LassoConnectionError": "_errors",
    "LassoError": "_errors",
    "LassoProtocolError": "_errors",
    "LassoStatusError": "_errors",
    "LassoTimeout": "_errors",
    "MissingRecording": "_errors",
    "RecordedTransport": "_cassette",
    "VerdictMismatch": "_errors",
    "corpus": "_marker",
    "expect_verdict": "_marker",
    "inject_fault": "_marker",
}


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used, so that pytest loads the plugin without paying for it (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, '_model')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
