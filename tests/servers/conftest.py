"""A Lasso stand-in that runs, and a plain client of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from pytest_guardrails.servers import LassoServer


@pytest.fixture
def server() -> Iterator[LassoServer]:
    """Run a server with the default rules."""
    with LassoServer() as running:
        yield running


@pytest.fixture
def client(server: LassoServer) -> Iterator[httpx.Client]:
    """Return a plain client that sends the server's key."""
    headers = {"lasso-api-key": server.api_key}
    with httpx.Client(base_url=server.base_url, headers=headers, trust_env=False, timeout=60) as plain:
        yield plain


@pytest.fixture(scope="module")
def shared() -> Iterator[httpx.Client]:
    """Return a plain client of a server that a whole module shares, as Hypothesis asks of fixtures."""
    with (
        LassoServer() as running,
        httpx.Client(base_url=running.base_url, headers={"lasso-api-key": running.api_key}, trust_env=False) as plain,
    ):
        yield plain
