"""Servers on loopback that stand in for what a guard talks to: real sockets, no network, faults on request."""

from __future__ import annotations

from pytest_guardrails.servers.lasso import LassoServer, ReceivedRequest

__all__ = ["LassoServer", "ReceivedRequest"]
