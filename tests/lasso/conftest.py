"""An API that answers as it is told and keeps what it was asked; the published payloads, with safe values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

PAYLOADS: dict[str, Any] = json.loads((Path(__file__).parent / "payloads.json").read_text(encoding="utf-8"))


class Api(httpx.MockTransport):
    """Answers with each body once, then with the last one again; ``asked`` are the requests."""

    def __init__(self, *answers: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers) or [{"violations_detected": False, "deputies": {}, "findings": {}}]
        self._status = status
        self._headers = {"content-type": "application/json"} if headers is None else headers
        super().__init__(self._answer)

    @property
    def bodies(self) -> list[Any]:
        """The bodies that came."""
        return [json.loads(request.content) for request in self.asked]

    @property
    def paths(self) -> list[str]:
        """The last parts of the paths that were asked for."""
        return [request.url.path.rpartition("/")[2] for request in self.asked]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return httpx.Response(self._status, content=content, headers=self._headers)


@pytest.fixture
def api() -> Callable[..., Api]:
    """Make an API that answers with the given bodies."""
    return Api


@pytest.fixture
def payload() -> Callable[[str], Any]:
    """Return a published payload by its name."""
    return lambda name: json.loads(json.dumps(PAYLOADS[name]))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key and no base URL of the machine reaches a test."""
    monkeypatch.delenv("LASSO_API_KEY", raising=False)
    monkeypatch.delenv("LASSO_API_BASE", raising=False)
