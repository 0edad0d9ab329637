"""Send a request for real, and say what became of it: an answer or an exception, and how long it took."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from dataclasses import dataclass
from typing import Any

from pytest_guardrails._cassette._interaction import (
    FAILED,
    RESPONSE_HEADERS,
    Interaction,
    kept,
    without_credentials,
)
from pytest_guardrails._cassette._replay import library_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a live request: the answer, as it will be given; ``error`` where it was none."""

    interaction: Interaction
    error: Exception | None = None


class Live:
    """Sends requests through the given transport, else through one for each library and event loop, made at need."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._of_loops: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()

    def send(self, request: Any) -> Outcome:
        start = time.perf_counter()
        try:
            response = self._transport(library_of(request)).handle_request(request)
            try:
                response.read()
            finally:
                response.close()
        except library_of(request).RequestError as exc:
            return _failed(request, exc, start)
        return _answered(request, response, start)

    async def send_async(self, request: Any) -> Outcome:
        start = time.perf_counter()
        try:
            response = await self._async_transport(library_of(request)).handle_async_request(request)
            try:
                await response.aread()
            finally:
                await response.aclose()
        except library_of(request).RequestError as exc:
            return _failed(request, exc, start)
        return _answered(request, response, start)

    def close(self) -> None:
        with self._lock:
            made, self._made = self._made, {}
        for transport in [self._inner, *made.values()]:
            if hasattr(transport, "close"):
                transport.close()

    async def aclose(self) -> None:
        made = self._of_loops.pop(_loop(), {})
        for transport in [self._inner, *made.values()]:
            if hasattr(transport, "aclose"):
                await transport.aclose()

    def _transport(self, library: Any) -> Any:
        if self._inner is not None:
            return self._inner
        with self._lock:  # making one reads certificates: 20 ms
            if library.__name__ not in self._made:
                self._made[library.__name__] = library.HTTPTransport()
            return self._made[library.__name__]

    def _async_transport(self, library: Any) -> Any:
        if self._inner is not None:
            return self._inner
        with self._lock:
            made = self._of_loops.setdefault(_loop(), {})
            if library.__name__ not in made:
                made[library.__name__] = library.AsyncHTTPTransport()
            return made[library.__name__]


def _loop() -> Any:
    """Return what asynchronous connections live and die with: asyncio's running loop, one thing for all under trio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return Live


def _answered(request: Any, response: Any, start: float) -> Outcome:
    headers = kept(tuple(response.headers.multi_items()), RESPONSE_HEADERS)
    answer = Interaction(
        method=request.method,
        url=str(request.url),
        status=response.status_code,
        response_headers=headers,
        response_body=without_credentials(response.content, request.headers.multi_items()),
        latency_ms=_since(start),
    )
    return Outcome(answer)


def _failed(request: Any, error: Exception, start: float) -> Outcome:
    name = type(error).__name__
    answer = Interaction(request.method, str(request.url), status=FAILED, latency_ms=_since(start), raises=name)
    return Outcome(answer, error)


def _since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)
