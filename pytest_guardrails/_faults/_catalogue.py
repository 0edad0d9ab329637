"""The fault catalogue as data: what goes over the wire, how the exchange ends, what a transport raises."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pytest_guardrails._errors import ConfigError, unknown

Kind = Literal["connection", "timeout", "status", "body"]
End = Literal["keep", "close", "reset", "hang"]
Headers = tuple[tuple[str, str], ...]

_JSON: Headers = (("content-type", "application/json"),)
_HTML: Headers = (("content-type", "text/html; charset=utf-8"),)

HUGE_BYTES = 16 * 1024 * 1024
_CHUNK = b" " * 65_536
_DEPTH = 100_000
_PAUSE_S = 0.05

_CLEAN = b'{"deputies": {"jailbreak": false}, "findings": {}, "violations_detected": false}'
_BLOCK = b'{"jailbreak": [{"name": "Jailbreak", "category": "SAFETY", "action": "BLOCK", "severity": "HIGH"}]}'
_PAGE = b"<!doctype html><html><title>Sign in</title><p>This network asks you to sign in.</html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which an API fails, as data.

    ``status`` None means that no answer begins. ``body`` is what is sent of it; chunks may be endless, and come
    ``pause_s`` seconds apart. ``end`` is what a server does then: keep the connection, close it, reset it, or hang.
    ``raises`` names the exception of httpx that a transport raises, after the first chunk where an answer began;
    None where a whole answer arrives and the rest is up to its reader. ``on_call`` is the only call that fails,
    counted from 1; None fails them all.
    """

    name: str
    kind: Kind
    summary: str
    raises: str | None = None
    status: int | None = None
    headers: Headers = ()
    body: bytes | Callable[[], Iterator[bytes]] = b""
    end: End = "keep"
    pause_s: float = 0.0
    on_call: int | None = None

    def chunks(self) -> Iterator[bytes]:
        """Return the body anew, in chunks that are small enough to hold."""
        return iter((self.body,)) if isinstance(self.body, bytes) else self.body()


def fault_named(name: str) -> Fault:
    """Return the fault of that name.

    Raises:
        ConfigError: for a name that is not in `FAULTS`.
    """
    if name not in FAULTS:
        raise ConfigError(unknown("fault", name, FAULTS))
    return FAULTS[name]


def call_that_fails(fault: Fault, on_call: int | None) -> int | None:
    """Return the only call that fails, counted from 1, or None for every call.

    Raises:
        ConfigError: for a number below 1.
    """
    if on_call is not None and on_call < 1:
        raise ConfigError(f"on_call counts from 1, and {on_call} came")
    return on_call or fault.on_call


def _broken(name: str, kind: Kind, summary: str, raises: str, end: End = "reset") -> Fault:
    return Fault(name, kind, summary, raises, end=end)


def _status(status: int, summary: str, *more: tuple[str, str], name: str = "", on_call: int | None = None) -> Fault:
    name = name or f"http_{status}"
    body = b'{"message": "injected fault: %s"}' % name.encode()
    return Fault(name, "status", summary, None, status, _JSON + more, body, on_call=on_call)


def _body(name: str, summary: str, body: bytes | Callable[[], Iterator[bytes]], headers: Headers = _JSON) -> Fault:
    return Fault(name, "body", summary, None, 200, headers, body)


def _cut(name: str, kind: Kind, summary: str, raises: str, end: End) -> Fault:
    headers = (*_JSON, ("content-length", str(len(_CLEAN))))
    return Fault(name, kind, summary, raises, 200, headers, _CLEAN[:-30], end)


def _huge() -> Iterator[bytes]:
    yield _CLEAN
    yield from itertools.repeat(_CHUNK, HUGE_BYTES // len(_CHUNK))


def _drip() -> Iterator[bytes]:
    yield from (_CLEAN[index : index + 1] for index in range(len(_CLEAN)))
    yield from itertools.repeat(b" ")


def _deep() -> Iterator[bytes]:
    nested = b"[" * _DEPTH + b"]" * _DEPTH
    yield b'{"deputies": {}, "findings": {"jailbreak": %s}, "violations_detected": false}' % nested


_TABLE = (
    _broken("refused", "connection", "Nothing listens on the port.", "ConnectError"),
    _broken("dns_failure", "connection", "The name of the host does not resolve.", "ConnectError"),
    _broken("tls_failure", "connection", "The TLS handshake fails: the port speaks plain HTTP.", "ConnectError"),
    _broken("connect_timeout", "timeout", "The connection is never accepted.", "ConnectTimeout"),
    _broken("read_timeout", "timeout", "The request is taken, and no answer ever begins.", "ReadTimeout", "hang"),
    _broken("reset_before_body", "connection", "The connection is reset before any answer.", "ReadError"),
    _cut("reset_in_body", "connection", "The connection is reset in the middle of the body.", "ReadError", "reset"),
    _cut("short_body", "body", "The body ends before its announced length.", "RemoteProtocolError", "close"),
    _status(400, "The request is called invalid."),
    _status(401, "The key is called wrong."),
    _status(403, "The key may not do this, or a firewall in between says no."),
    _status(404, "The path is not there, as with a wrong base URL."),
    _status(408, "The server gave up waiting for the request."),
    _status(413, "The request is called too large."),
    _status(422, "The request is called unprocessable."),
    _status(429, "Too many requests, and no word on when to come back."),
    _status(429, "Too many requests; come back in a second.", ("retry-after", "1"), name="http_429_retry_after"),
    _status(500, "The server broke."),
    _status(502, "A gateway in between got no good answer."),
    _status(503, "The service is down."),
    _status(504, "A gateway in between got no answer in time."),
    _status(307, "The answer is a redirect that leads back to itself.", ("location", "?"), name="redirect_loop"),
    _status(503, "The service is down for one call only, the second unless told otherwise.", name="flaky", on_call=2),
    _body("empty_body", "A 200 without a body.", b""),
    _body("html_body", "A 200 with a web page, as from a captive portal.", _PAGE, _HTML),
    _body("truncated_json", "A 200 whose JSON stops in the middle.", _CLEAN[:-30]),
    _body("wrong_content_type", "A clean answer that calls itself a web page.", _CLEAN, _HTML),
    _body(
        "wrong_types",
        "Each field has a value of the wrong type.",
        b'{"deputies": [], "findings": "none", "violations_detected": "false"}',
    ),
    _body("missing_violations_detected", "The verdict itself is missing.", b'{"deputies": {}, "findings": {}}'),
    _body(
        "findings_null",
        "Violations, and null for the findings.",
        b'{"deputies": {"jailbreak": true}, "findings": null, "violations_detected": true}',
    ),
    _body("empty_object", "An empty object.", b"{}"),
    _body("json_null", "The JSON value null.", b"null"),
    _body("json_list", "A list where an object belongs.", b"[1]"),
    _body("huge_body", "A clean answer, padded to 16 MiB.", _huge),
    Fault(
        "slow_drip",
        "timeout",
        "A byte at a time, for ever: no single read is late, and the answer never ends.",
        "ReadTimeout",
        200,
        _JSON,
        _drip,
        "close",
        _PAUSE_S,
    ),
    _body(
        "bad_gzip",
        "The body says gzip and is not.",
        b"\x1f\x8b\x08" + b"\xff" * 64,
        (*_JSON, ("content-encoding", "gzip")),
    ),
    _body(
        "bad_charset",
        "A clean answer with bytes that are no UTF-8.",
        _CLEAN[:-1] + b', "note": "\xff\xfe\xe9"}',
        (("content-type", "application/json; charset=utf-8"),),
    ),
    _body(
        "duplicate_keys",
        "A BLOCK first, then the same keys again and clean: most parsers keep the last.",
        b'{"violations_detected": true, "findings": %s, ' % _BLOCK + _CLEAN[1:],
    ),
    _body("deep_nesting", "A finding nested 100,000 deep.", _deep),
)

FAULTS: Mapping[str, Fault] = MappingProxyType({fault.name: fault for fault in _TABLE})
