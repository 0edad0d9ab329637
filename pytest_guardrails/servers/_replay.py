"""Answers of the Lasso stand-in from a cassette, whatever host that was recorded against."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_guardrails._errors import ConfigError, MissingRecording
from pytest_guardrails.servers._http import Answer, Incoming

if TYPE_CHECKING:
    import httpx

_KEPT_HEADERS = ("content-type", "location", "retry-after")
_KEY_VARIABLE = "GUARDRAILS_MASK_KEY"


class Replay:
    """Answers requests from one cassette; where its texts are masked, ``GUARDRAILS_MASK_KEY`` must be set.

    Raises:
        ConfigError: for a cassette that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        from pytest_guardrails._cassette import RecordedTransport, load

        try:
            urls = dict.fromkeys(interaction.url for interaction in load(path).interactions)
        except OSError as exc:
            raise ConfigError(f"cannot read the cassette: {exc.strerror}", file=str(path)) from None
        key = os.environ.get(_KEY_VARIABLE)
        self._urls = tuple(urls)
        self._transport = RecordedTransport(path, mask_key=key.encode()[:64] if key else None)
        self._lock = threading.Lock()
        self._misses: list[str] = []

    @property
    def misses(self) -> tuple[str, ...]:
        """What was asked and is not recorded, with the nearest recording, in order."""
        with self._lock:
            return tuple(self._misses)

    def forget(self) -> None:
        """Forget the misses."""
        with self._lock:
            self._misses.clear()

    def answer(self, path: str, incoming: Incoming) -> Answer | None:
        """Return what was recorded for this request, at any host; None where there is nothing, which is latched."""
        import httpx

        endpoint = path.rpartition("/")[2]
        known = [url for url in self._urls if urlsplit(url).path.rpartition("/")[2] == endpoint]
        missing = ""
        for url in known or [f"http://unrecorded{path}"]:
            headers = {"content-type": incoming.headers.get("content-type", "")}
            request = httpx.Request("POST", url, content=incoming.body or b"", headers=headers)
            try:
                return _as_answer(self._transport.handle_request(request))
            except MissingRecording as exc:
                missing = missing or str(exc)
            except httpx.TimeoutException:
                return Answer(None, end="hang")
            except httpx.TransportError:
                return Answer(None, end="reset")
        with self._lock:
            self._misses.append(missing)
        return None


def _as_answer(response: httpx.Response) -> Answer:
    headers = tuple((name, response.headers[name]) for name in _KEPT_HEADERS if name in response.headers)
    return Answer(response.status_code, headers, response.read())
