"""Every way in which a guardrail API fails: one catalogue, for the transport beside it and for the loopback server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_guardrails._faults._catalogue import FAULTS, Fault, call_that_fails, fault_named

if TYPE_CHECKING:
    from pytest_guardrails._faults._transport import FaultTransport

__all__ = ["FAULTS", "Fault", "FaultTransport", "call_that_fails", "fault_named"]


def __getattr__(name: str) -> Any:
    """Import the transport where it is first used: the catalogue alone costs no httpx (PEP 562)."""
    if name != "FaultTransport":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pytest_guardrails._faults._transport import FaultTransport

    return FaultTransport
