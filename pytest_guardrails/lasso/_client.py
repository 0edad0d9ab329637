"""The Lasso Deputies v3 client: one request, one answer, and an exception for each way in which there is none."""

from __future__ import annotations

import email.utils
import importlib
import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pytest_guardrails._errors import (
    ConfigError,
    LassoConnectionError,
    LassoProtocolError,
    LassoStatusError,
    LassoTimeout,
    unknown,
)
from pytest_guardrails._model import Message
from pytest_guardrails.lasso._address import base_url_of
from pytest_guardrails.lasso._answer import LassoAnswer, read_answer
from pytest_guardrails.lasso._masking import compared
from pytest_guardrails.lasso._offsets import UNITS, OffsetUnit
from pytest_guardrails.lasso._request import body_of, sent
from pytest_guardrails.lasso._ulid import ulid

KEY_VARIABLE = "LASSO_API_KEY"
KEY_HEADER = "lasso-api-key"

_NOTHING_SENT = LassoAnswer(violations_detected=False, called=False)


class LassoClient:
    """A client of the Lasso API, with one pool of connections; use it as a context manager, from any thread.

    ``api_key`` and ``base_url`` come from LASSO_API_KEY and LASSO_API_BASE where they are not given. ``timeout`` is in
    seconds, for the answer as a whole: a step may take what is left as it begins, and a body that drips is given up. A
    body that stalls may take as long again, and headers that drip are bounded by each read alone: the libraries have
    no other limit. ``transport`` is one of httpx or httpx2, and makes the key optional; ``client`` is an existing
    client of either, which stays open. ``offsets`` is the unit of spans, which Lasso does not document: "cover" takes
    all that they could mean. ``max_bytes`` is the longest answer that is read. ``session_id`` makes the conversation of
    a request that names none, by default a new ULID.

    Raises:
        ConfigError: without a key or a transport, or for a base URL, a time or a unit that cannot be meant.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = 10.0,
        transport: Any = None,
        *,
        client: Any = None,
        offsets: OffsetUnit = "cover",
        max_bytes: int = 8 * 2**20,
        session_id: Callable[[], str] | None = None,
    ) -> None:
        key = api_key or os.environ.get(KEY_VARIABLE) or None
        if key is None and transport is None and client is None:
            raise ConfigError(f"no Lasso API key: pass api_key, or set {KEY_VARIABLE}")
        if key is not None and not (key.isascii() and key.isprintable() and key.strip() == key):
            raise ConfigError("the Lasso API key has characters that no header can carry")
        if key is not None and key.startswith("os.environ/"):  # LiteLLM's way to name a variable
            raise ConfigError(f"the Lasso API key names a variable: pass the key itself, or set {KEY_VARIABLE}")
        if transport is not None and client is not None:
            raise ConfigError("pass a transport or a client, not both")
        if not 0 < timeout < math.inf:
            raise ConfigError(f"timeout is a time in seconds, more than 0, not {timeout!r}")
        if offsets not in UNITS:
            raise ConfigError(unknown("unit of offsets", offsets, UNITS))
        self.base_url = base_url_of(base_url)
        self.timeout = timeout
        self.offsets = offsets
        self._max_bytes = max_bytes
        self._session_id = session_id or ulid
        self._owns = client is None
        self._http = client if client is not None else _http_client(transport, timeout)
        self._library = importlib.import_module(_library_of(self._http))
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if key is not None:
            self._headers[KEY_HEADER] = key

    def __enter__(self) -> LassoClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LassoClient({self.base_url!r})"

    def close(self) -> None:
        """Close the connections, unless they are those of a client that was given."""
        if self._owns:
            self._http.close()

    def classify(
        self,
        messages: Iterable[Message | Mapping[str, Any] | str],
        *,
        message_type: str = "PROMPT",
        session_id: str | None = None,
        user_id: str | None = None,
        tools: Iterable[Mapping[str, Any]] | None = None,
    ) -> LassoAnswer:
        """Ask what the deputies find in ``messages``; without a text in them nothing is sent (``called`` is False).

        Raises:
            LassoError: where there is no verdict: no answer, another status than 200, an answer that is none.
            ConfigError: for messages or tools that cannot be read.
        """
        body = {"message_type": message_type, "session_id": session_id, "user_id": user_id, "tools": tools}
        return _sound(self.ask("classify", messages, **body))

    def classifix(
        self,
        messages: Iterable[Message | Mapping[str, Any] | str],
        *,
        message_type: str = "PROMPT",
        session_id: str | None = None,
        user_id: str | None = None,
        tools: Iterable[Mapping[str, Any]] | None = None,
    ) -> LassoAnswer:
        """Ask the same, and for a masked copy; `masked` applies it.

        Raises:
            LassoError: where there is no verdict: no answer, another status than 200, an answer that is none.
            ConfigError: for messages or tools that cannot be read.
        """
        body = {"message_type": message_type, "session_id": session_id, "user_id": user_id, "tools": tools}
        return _sound(self.ask("classifix", messages, **body))

    def ask(
        self, endpoint: str, messages: Iterable[Message | Mapping[str, Any] | str], *, only: Any = None, **body: Any
    ) -> LassoAnswer:
        """Return the answer of an endpoint even where it is odd; ``only`` are the indexes of the messages to send.

        Raises:
            LassoError: where there is no JSON to read.
            ConfigError: for messages or tools that cannot be read.
        """
        entries = sent(messages, only)
        body["session_id"] = body.get("session_id") or self._session_id()
        content = body_of(entries, **body)
        if not entries:
            return _NOTHING_SENT
        started = time.monotonic()
        url = f"{self.base_url}/{endpoint}"
        received, oddities, vendor_s = self._post(url, _encoded(content), _Left(self.timeout))
        answer = read_answer(received)
        if answer.findings:
            answer = compared(answer, entries, self.offsets)
        oddities += answer.oddities
        spent = time.monotonic() - started
        return replace(answer, sent=entries, oddities=oddities, latency_s=spent, vendor_s=vendor_s)

    def _post(self, url: str, content: bytes, left: _Left) -> tuple[bytes, tuple[str, ...], float | None]:
        """Return the body, what is odd about it, and the seconds that it took when it was recorded."""
        library = self._library
        try:
            request = self._http.build_request(
                "POST", url, content=content, headers=self._headers, extensions={"timeout": left}
            )
            response = self._http.send(request, stream=True, follow_redirects=False)
            try:
                _refuse_status(response)
                odd = _odd_kind(response.headers.get("content-type", ""))
                return self._read(response, left), odd, _recorded_s(response.extensions.get("guardrails"))
            finally:
                response.close()
        except library.TimeoutException as exc:
            raise LassoTimeout(f"Lasso gave no answer in time ({type(exc).__name__})") from None
        except library.DecodingError:
            raise LassoProtocolError("the answer of Lasso is not encoded as it says", oddities=("encoding",)) from None
        except (library.HTTPError, library.InvalidURL, library.StreamError, OSError) as exc:
            raise LassoConnectionError(f"Lasso gave no answer ({type(exc).__name__})") from None

    def _read(self, response: Any, left: _Left) -> bytes:
        """Return the body, of bounded length and in time: a body that drips is late in no single read."""
        chunks, length = [], 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            length += len(chunk)
            if length > self._max_bytes:
                raise LassoProtocolError("the answer of Lasso is too long to be one", oddities=("length",))
            if left.is_over:
                raise LassoTimeout("Lasso gave no whole answer in time")
        return b"".join(chunks)


class _Left(dict[str, float]):
    """httpx's timeouts, where each step may take what is left of the whole: it looks its own up as it begins."""

    def __init__(self, seconds: float) -> None:
        super().__init__(dict.fromkeys(("connect", "read", "write", "pool"), seconds))
        self._deadline = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """True if nothing is left."""
        return time.monotonic() > self._deadline

    def get(self, _key: str, _default: Any = None) -> float:
        """Return the seconds that are left: hardly any, but not zero, which would mean not to wait at all."""
        return max(self._deadline - time.monotonic(), 0.001)


def _encoded(body: Mapping[str, Any]) -> bytes:
    """Return a body as JSON; half a surrogate pair, for which UTF-8 has no word, becomes a question mark.

    Raises:
        ConfigError: for tools that hold what JSON has no word for.
    """
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    except (TypeError, ValueError):
        raise ConfigError("the tools of a request hold what JSON has no word for") from None


def _recorded_s(notes: object) -> float | None:
    """Return the seconds that a recorded answer took, from what a recorded transport notes beside it."""
    noted = notes.get("latency_ms") if isinstance(notes, Mapping) else None
    return noted / 1000 if isinstance(noted, int | float) else None


def _odd_kind(content_type: str) -> tuple[str, ...]:
    kind = content_type.partition(";")[0].strip().lower()
    if not kind or kind == "application/json" or kind.endswith("+json"):
        return ()
    return ("the body is not JSON, by its own content type",)


def _sound(answer: LassoAnswer) -> LassoAnswer:
    """Return an answer that is a verdict; one that delivers a BLOCK is, whatever else is wrong with it."""
    if answer.oddities and not answer.delivers_block:
        raise protocol_error(answer)
    return answer


def protocol_error(answer: LassoAnswer) -> LassoProtocolError:
    """Return the exception that says why an answer is no verdict."""
    said = f"the answer of Lasso is no verdict: {'; '.join(answer.oddities)}"
    return LassoProtocolError(said, oddities=answer.oddities)


def _refuse_status(response: Any) -> None:
    status = response.status_code
    if status == 200:
        return
    known = {401: ": the key is missing or wrong", 403: ": the key may not do this", 429: ": too many requests"}
    retry_after = _seconds(response.headers.get("retry-after"))
    raise LassoStatusError(f"Lasso answered {status}{known.get(status, '')}", status=status, retry_after=retry_after)


def _seconds(retry_after: str | None) -> float | None:
    """Read ``Retry-After``: seconds, or a date; None for anything else."""
    if retry_after is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", retry_after.strip()):
        return float(retry_after)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def _http_client(transport: Any, timeout: float) -> Any:
    """Return a client of the library that the transport belongs to: httpx, or httpx2 where it is one of those."""
    httpx2 = sys.modules.get("httpx2")
    if httpx2 is not None and isinstance(transport, httpx2.BaseTransport):
        return httpx2.Client(transport=transport, timeout=timeout, follow_redirects=False)
    import httpx

    return httpx.Client(transport=transport, timeout=timeout, follow_redirects=False)


def _library_of(client: Any) -> str:
    for kind in type(client).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in ("httpx", "httpx2") and kind.__name__ == "Client":
            return name
    raise ConfigError(f"client is an httpx.Client or an httpx2.Client, not {type(client).__name__}")
