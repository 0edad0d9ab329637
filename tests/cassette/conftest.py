"""Shared by the tests of cassettes: the four clients, a service without a socket, and interactions."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_guardrails._cassette import Interaction

URL = "https://lasso.example/gateway/v3/classify"
Send = Callable[..., Any]


@pytest.fixture(params=["httpx", "httpx-async", "httpx2", "httpx2-async"])
def send(request: pytest.FixtureRequest) -> Send:
    """Return a function that posts JSON through a transport with one of the four clients."""
    name, _, is_async = request.param.partition("-")
    library = pytest.importorskip(name)

    def post(transport: Any, body: Any = None, url: str = URL, **options: Any) -> Any:
        options = options or {"json": body}
        if not is_async:
            with library.Client(transport=transport) as client:
                return client.post(url, **options)

        async def run() -> Any:
            async with library.AsyncClient(transport=transport) as client:
                return await client.post(url, **options)

        return asyncio.run(run())

    post.library = library  # type: ignore[attr-defined]  # what the client's exceptions and responses are of
    return post


@pytest.fixture
def service(send: Any) -> Iterator[Callable[..., Any]]:
    """Return a maker of transports that stand for the live service, of the same library as ``send``."""
    library = send.library

    def make(answer: Callable[[int, Any], Any] | None = None) -> Any:
        calls: list[Any] = []

        def handler(request: Any) -> Any:
            calls.append(request)
            body = json.loads(request.content) if request.content else None
            result = answer(len(calls), body) if answer else {"n": len(calls), "violations_detected": False}
            if isinstance(result, str):
                raise getattr(library, result)("no answer", request=request)
            if isinstance(result, dict) and "status_code" in result:
                return library.Response(**result)
            return library.Response(200, json=result)

        transport = library.MockTransport(handler)
        transport.calls = calls
        return transport

    return make


@pytest.fixture
def made() -> Callable[..., Interaction]:
    """Return a maker of interactions: a Lasso question, and an answer."""

    def make(text: str = "hello", answer: Any = None, **changes: Any) -> Interaction:
        question = {"messages": [{"role": "user", "content": text}], "messageType": "PROMPT"}
        values: dict[str, Any] = {
            "method": "POST",
            "url": URL,
            "request_headers": (("accept", "*/*"), ("content-type", "application/json")),
            "request_body": json.dumps(question).encode(),
            "response_headers": (("content-type", "application/json"),),
            "response_body": json.dumps({"violations_detected": False} if answer is None else answer).encode(),
        }
        return Interaction(**{**values, **changes})

    return make


@pytest.fixture
def closed() -> Any:
    """Return a transport that fails the test when anything is sent through it."""
    httpx = importlib.import_module("httpx")

    class Closed(httpx.BaseTransport, httpx.AsyncBaseTransport):  # type: ignore[misc, name-defined]  # imported late
        def handle_request(self, request: Any) -> Any:
            pytest.fail("a socket would have been opened")

        async def handle_async_request(self, request: Any) -> Any:
            pytest.fail("a socket would have been opened")

    return Closed()
