"""A stand-in for the Lasso Deputies v3 API on a loopback port: checks, answers by rules, records, and fails as told."""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pytest_guardrails._codec import FrozenDict, freeze
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._faults import Fault, call_that_fails, fault_named
from pytest_guardrails.servers._http import Answer, HttpServer, Incoming
from pytest_guardrails.servers._replay import Replay
from pytest_guardrails.servers._request import RequestError, read_request
from pytest_guardrails.servers._rules import DEFAULT_RULES, OFFSETS, answer, hits, load_rules, located_answer, masked

API_PATH = "/gateway/v3"
_CLASSIFY, _CLASSIFIX = f"{API_PATH}/classify", f"{API_PATH}/classifix"
_KEPT_HEADERS = ("accept", "content-type", "lasso-conversation-id", "lasso-user-id", "user-agent")
_MOST_RECEIVED = 100_000
_JSON = (("content-type", "application/json"),)
_BEFORE_THE_SERVER = ("refused", "dns_failure", "tls_failure", "connect_timeout")


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request to classify or classifix; ``headers`` are the ones that hold no credential, in lower case.

    ``body`` is its JSON, or None where it was none.
    """

    path: str
    headers: FrozenDict
    body: Any


class LassoServer:
    """A Lasso API on loopback, as a context manager or with `start` and `stop`; it serves many threads at once.

    ``rules`` is a rules file (default: the package's own), ``cassette`` a recording to answer from instead, whatever
    host it was made at. ``api_key`` None makes a random one. ``offsets`` is the unit of spans: characters, utf8 (bytes)
    or utf16 (code units).
    ``mask_messages=False`` lets classifix return the messages as they came, masked in its spans alone
    (source: TrueFoundry's fixture of a real answer).

    Answers have the shapes of LiteLLM's and Portkey's fixtures: spans on classifix alone, and only for rules that mask.

    Raises:
        ConfigError: for rules or a cassette that cannot be read or meant, or both at once, and an unknown unit.
    """

    def __init__(
        self,
        rules: str | Path | None = None,
        *,
        cassette: str | Path | None = None,
        api_key: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        offsets: Literal["characters", "utf8", "utf16"] = "characters",
        mask_messages: bool = True,
    ) -> None:
        if offsets not in OFFSETS:
            raise ConfigError(unknown("unit of offsets", offsets, OFFSETS))
        if rules is not None and cassette is not None:
            raise ConfigError("a server answers by rules or from a cassette, not both")
        self.api_key = api_key or secrets.token_hex(16)
        self._rules = load_rules(DEFAULT_RULES if rules is None else Path(rules))
        self._replay = None if cassette is None else Replay(Path(cassette))
        self._offsets = offsets
        self._mask_messages = mask_messages
        self._address = host, port
        self._http: HttpServer | None = None
        self._lock = threading.Lock()
        self._received: deque[ReceivedRequest] = deque(maxlen=_MOST_RECEIVED)
        self._fault: Fault | None = None
        self._on_call: int | None = None
        self._calls = 0
        self._unanswering: list[socket.socket] = []

    def __enter__(self) -> LassoServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"LassoServer({self.url!r})" if self._http else "LassoServer(stopped)"

    def start(self) -> LassoServer:
        """Listen; nothing happens where it does already.

        Raises:
            ConfigError: for a host beyond loopback, or a number that is no port.
            OSError: where the port is taken.
        """
        if self._http is None:
            self._http = HttpServer(self._respond, *self._address)
        return self

    def stop(self) -> None:
        """Close the port and every connection, also those of requests that hang; what was received stays."""
        http, self._http = self._http, None
        if http is not None:
            http.stop()
        while self._unanswering:
            self._unanswering.pop().close()

    @property
    def url(self) -> str:
        """The root of the host, as Portkey's ``apiEndpoint`` wants it.

        Raises:
            ConfigError: before `start`.
        """
        if self._http is None:
            raise ConfigError("the server is not running: use it in a with statement, or start() it")
        return f"http://{self._http.host}:{self._http.port}"

    @property
    def base_url(self) -> str:
        """The base of the API, as ``LASSO_API_BASE`` wants it."""
        return self.url + API_PATH

    @property
    def received(self) -> tuple[ReceivedRequest, ...]:
        """The last 100,000 requests to classify and classifix, whatever became of them, in order."""
        with self._lock:
            return tuple(self._received)

    @property
    def misses(self) -> tuple[str, ...]:
        """The requests that the cassette had no answer to, each with the nearest recording; a client got a 404."""
        return () if self._replay is None else self._replay.misses

    def fail(self, fault: Fault | str, *, on_call: int | None = None) -> None:
        """Fail every call from now on, or only call ``on_call``, counted from 1; the check of the key comes later.

        Raises:
            ConfigError: for an unknown fault, one that happens before any server is reached (see `url_for`),
                or an ``on_call`` below 1.
        """
        found = fault if isinstance(fault, Fault) else fault_named(fault)
        if found.name in _BEFORE_THE_SERVER:
            raise ConfigError(
                f"fault {found.name!r} happens before a server is reached: give the client url_for() of it"
            )
        with self._lock:
            self._fault, self._on_call, self._calls = found, call_that_fails(found, on_call), 0

    def heal(self) -> None:
        """Answer again; connections that hang keep hanging."""
        with self._lock:
            self._fault = None

    def reset(self) -> None:
        """Heal, and forget what was received and missed."""
        with self._lock:
            self._fault = None
            self._received.clear()
        if self._replay is not None:
            self._replay.forget()

    def url_for(self, fault: Fault | str) -> str:
        """Return the base URL at which a client meets ``fault``; unless it is met before the server, `fail` with it.

        Raises:
            ConfigError: for an unknown fault, or before `start`.
        """
        found = fault if isinstance(fault, Fault) else fault_named(fault)
        base = self.base_url
        if found.name == "refused":
            return f"http://127.0.0.1:{_closed_port()}{API_PATH}"
        if found.name == "dns_failure":
            return f"http://lasso.invalid{API_PATH}"  # RFC 2606: never resolves
        if found.name == "tls_failure":
            return base.replace("http://", "https://", 1)
        if found.name == "connect_timeout":
            sockets = _full_backlog()
            self._unanswering += sockets
            return f"http://127.0.0.1:{sockets[0].getsockname()[1]}{API_PATH}"
        self.fail(found)
        return base

    def _respond(self, incoming: Incoming) -> Answer:
        path = incoming.path.partition("?")[0]
        if path == "/health":
            return _said(200, {"status": "ok"}) if incoming.method == "GET" else _refused(405, "use GET")
        if path not in (_CLASSIFY, _CLASSIFIX):
            return _refused(404, f"no such path; there are {_CLASSIFY} and {_CLASSIFIX}")
        if incoming.method != "POST":
            return _refused(405, "use POST")
        fault = self._record(path, incoming)
        if fault is not None:
            body = fault.body if isinstance(fault.body, bytes) else fault.body()
            return Answer(fault.status, fault.headers, body, fault.end, fault.pause_s)
        if not hmac.compare_digest(incoming.headers.get("lasso-api-key", "").encode(), self.api_key.encode()):
            return _refused(401, "lasso-api-key is missing or wrong")
        if incoming.body is None:
            return _refused(413, "the body is too large")
        if self._replay is not None:
            return self._replay.answer(path, incoming) or _refused(404, "no recording answers this request")
        try:
            return self._classify(path, read_request(incoming.body))
        except RequestError as exc:
            return _refused(400, str(exc))
        except RecursionError:
            return _refused(400, "the body is nested too deeply")

    def _record(self, path: str, incoming: Incoming) -> Fault | None:
        """Keep the request, and return the fault that it meets."""
        headers = {name: incoming.headers[name] for name in _KEPT_HEADERS if name in incoming.headers}
        request = ReceivedRequest(path, freeze(headers), _json(incoming.body or b""))
        with self._lock:
            self._received.append(request)
            self._calls += 1
            return self._fault if self._on_call in (None, self._calls) else None

    def _classify(self, path: str, request: dict[str, Any]) -> Answer:
        messages = request["messages"]
        found = hits(self._rules, messages, request.get("messageType", "PROMPT"))
        literal = next((hit.rule.answer for hit in found if hit.rule.answer is not None), None)
        if literal is not None:
            return _said(200, literal)
        if path == _CLASSIFY:
            return _said(200, answer(found))
        shown = masked(messages, found) if self._mask_messages else messages
        return _said(200, located_answer(found, shown, self._offsets))


def _said(status: int, body: Mapping[str, Any]) -> Answer:
    try:
        return Answer(status, _JSON, json.dumps(body, ensure_ascii=False).encode())
    except UnicodeEncodeError:  # half a surrogate pair came, and goes back as it came
        return Answer(status, _JSON, json.dumps(body).encode())


def _refused(status: int, message: str) -> Answer:
    return _said(status, {"message": message})


def _json(body: bytes) -> Any:
    try:
        return freeze(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _full_backlog() -> list[socket.socket]:
    """Return a listening socket that accepts nothing, and the connections that fill its queue."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    sockets = [listener]
    for _ in range(4):  # Linux queues one more than it is told, macOS a few
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        sockets.append(filler)
    return sockets
