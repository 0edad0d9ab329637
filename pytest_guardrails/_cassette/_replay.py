"""An interaction as the caller's library has it: a response, or an exception."""

from __future__ import annotations

import importlib
from typing import Any

import httpx

from pytest_guardrails._cassette._interaction import Interaction


def library_of(request: Any) -> Any:
    """Return the library of a request: httpx, or httpx2 where the caller uses that one."""
    name = type(request).__module__.partition(".")[0]
    return importlib.import_module(name) if name == "httpx2" else httpx


def exception_of(library: Any, name: str) -> Any:
    """Return the library's exception of that name; a file cannot choose another thing than a request's failure."""
    found = getattr(library, name, None)
    is_one = isinstance(found, type) and issubclass(found, library.RequestError)
    return found if is_one else library.TransportError


def response_of(request: Any, answer: Interaction, key: str, *, is_recorded: bool) -> httpx.Response:
    """Return a response of the request's library; it and the request have `notes_of` among their extensions."""
    noted = notes_of(answer, key, is_recorded=is_recorded)
    request.extensions["guardrails"] = noted
    response: httpx.Response = library_of(request).Response(
        answer.status,
        headers=list(answer.response_headers),
        content=answer.response_body,
        extensions={"guardrails": noted},
        request=request,
    )
    return response


def notes_of(answer: Interaction, key: str, *, is_recorded: bool) -> dict[str, Any]:
    """Return what may be of interest beside an answer: how long it took, whether it is recorded, and its key."""
    return {"latency_ms": answer.latency_ms, "recorded": is_recorded, "key": key}
