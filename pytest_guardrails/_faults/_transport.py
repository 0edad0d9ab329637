"""Faults in process: a transport for clients of httpx and httpx2 that fails as told, at once and without a socket."""

from __future__ import annotations

import importlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._faults._catalogue import Fault, call_that_fails, fault_named


class FaultTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport, sync and async, that answers each call with ``fault``, or only call ``on_call``, counted from 1.

    Responses and exceptions are those of the library that the request comes from (httpx or httpx2). Nothing waits:
    a timeout is raised at once. Calls that do not fail go to ``inner``, a transport of that library, which closing
    this one closes.

    Raises:
        ConfigError: for an unknown fault, an ``on_call`` below 1, or one without an ``inner``.
    """

    def __init__(self, fault: Fault | str, inner: Any = None, on_call: int | None = None) -> None:
        self.fault = fault if isinstance(fault, Fault) else fault_named(fault)
        self._inner = inner
        self._on_call = call_that_fails(self.fault, on_call)
        self._lock = threading.Lock()
        self._seen = 0
        self._met = 0
        if self._on_call is not None and inner is None:
            raise ConfigError(
                f"fault {self.fault.name!r} fails call {self._on_call} alone: the others need an inner transport"
            )

    @property
    def calls(self) -> int:
        """How often the fault was met: a test in which it is 0 has shown nothing."""
        return self._met

    def handle_request(self, request: Any) -> Any:
        """Fail, or pass the request on."""
        if not self._is_due():
            return self._inner.handle_request(request)
        library = _library(request)
        if self.fault.status is None:
            raise self._error(library, request)
        return library.Response(
            self.fault.status, headers=list(self.fault.headers), content=self._chunks(library, request), request=request
        )

    async def handle_async_request(self, request: Any) -> Any:
        """Fail, or pass the request on."""
        if not self._is_due():
            return await self._inner.handle_async_request(request)
        library = _library(request)
        if self.fault.status is None:
            raise self._error(library, request)
        chunks = _later(self._chunks(library, request))
        return library.Response(self.fault.status, headers=list(self.fault.headers), content=chunks, request=request)

    def close(self) -> None:
        """Close the inner transport."""
        if self._inner is not None:
            self._inner.close()

    async def aclose(self) -> None:
        """Close the inner transport."""
        if self._inner is not None:
            await self._inner.aclose()

    def _is_due(self) -> bool:
        with self._lock:
            self._seen += 1
            due = self._on_call in (None, self._seen)
            self._met += due
            return due

    def _chunks(self, library: Any, request: Any) -> Iterator[bytes]:
        for chunk in self.fault.chunks():
            yield chunk
            if self.fault.raises is not None:
                raise self._error(library, request)

    def _error(self, library: Any, request: Any) -> Exception:
        kind = getattr(library, self.fault.raises or "TransportError")
        error: Exception = kind(f"injected fault {self.fault.name}: {self.fault.summary}", request=request)
        return error


def _library(request: Any) -> Any:
    """Return httpx or httpx2, whichever made the request; neither knows the other's exceptions."""
    return importlib.import_module(type(request).__module__.partition(".")[0])


async def _later(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
