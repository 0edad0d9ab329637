"""One recorded exchange, the key under which it is found, and what of it may be written.

What is written is allow-listed: of the headers only those named here, of a URL neither its user nor the values of
parameters that are named like a key.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

REQUEST_HEADERS = frozenset({"accept", "content-type"})
RESPONSE_HEADERS = frozenset({"content-type", "date", "location", "retry-after"})
REDACTED = "REDACTED"
_SHORTEST_CREDENTIAL = 8  # a shorter one could stand in any text
FAILED = 599  # the status that vcrpy, which knows no exceptions, replays where a request failed

# Fresh for each call, or about the caller and not about what is judged (facts: lasso-api.md, section 8).
VOLATILE = ("sessionId", "userId", "source", "agentId", "agentName", "sessionInformation")
VOLATILE_IN_MESSAGES = ("traceId", "eventId", "eventIndex", "isLastEventInTrace")

_SECRET = re.compile(
    r"(access|api)?key|auth(orization)?|bearer|cookie|credentials?|jwt|passw(or)?d|pwd|secret|sig(nature)?|token"
)
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_DEFAULT_PORTS = {"http": 80, "https": 443}

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and what came of it; ``raises`` names the exception where no answer came, and status is 599 then.

    Bodies are bytes without transfer or content encoding; ``latency_ms`` is None where nobody measured it.
    """

    method: str
    url: str
    request_headers: Headers = ()
    request_body: bytes = field(default=b"", repr=False)
    status: int = 200
    response_headers: Headers = ()
    response_body: bytes = field(default=b"", repr=False)
    latency_ms: float | None = None
    raises: str | None = None

    @property
    def key(self) -> str:
        """What `key_of` says of the request."""
        return key_of(self.method, self.url, self.request_body, header(self.request_headers, "content-type"))

    @property
    def answer(self) -> tuple[object, ...]:
        """What came back, without the headers and times that differ from one recording to the next."""
        return self.status, self.raises, self.response_body


def key_of(method: str, url: str, body: bytes, content_type: str = "") -> str:
    """Return the key under which an answer to this request is found: 32 hexadecimal digits.

    Equal for equal JSON, however it is spelled, and whatever its volatile fields say (sessionId, userId, source,
    agentId, agentName, sessionInformation; in each message traceId, eventId, eventIndex, isLastEventInTrace). A body
    that is no JSON counts byte by byte.
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{method.upper()}\n{normalised(url)}\n".encode("utf-8", "surrogatepass"))
    canonical = canonical_json(body, content_type)
    digest.update(b"bytes\n" + body if canonical is None else b"json\n" + canonical.encode())
    return digest.hexdigest()


def canonical_json(body: bytes, content_type: str = "") -> str | None:
    """Return JSON with sorted keys and without volatile fields, None where the body is none."""
    value = json_of(body, content_type)
    if value is None:
        return None
    try:
        return _CANONICAL.encode(_lasting(value))
    except RecursionError:
        return None


def json_of(body: bytes, content_type: str = "") -> Any:
    """Return the JSON that a body spells; None for null, and where the type or the text says that it is none."""
    if not body or (content_type and "json" not in content_type.lower()):
        return None
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        return None


def _lasting(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    for name in VOLATILE:
        value.pop(name, None)
    messages = value.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict):
            for name in VOLATILE_IN_MESSAGES:
                message.pop(name, None)
    return value


def header(headers: Iterable[tuple[str, str]], name: str) -> str:
    """Return the first header of that name (in lower case), else an empty text."""
    return next((value for key, value in headers if key.lower() == name), "")


@functools.lru_cache(maxsize=1024)
def kept(headers: Headers, names: frozenset[str]) -> Headers:
    """Return the headers that may be written; an address among them without its secrets."""
    allowed = [(key.lower(), value) for key, value in headers if key.lower() in names]
    return tuple((key, scrubbed(value) if key == "location" else value) for key, value in allowed)


@functools.lru_cache(maxsize=1024)
def scrubbed(url: str) -> str:
    """Return a URL without user, password and fragment, and with `REDACTED` for values named like a key.

    Raises:
        ValueError: for what is no URL.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = parts.query
    if any(is_secret_name(name) for name, _ in parse_qsl(query, keep_blank_values=True)):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, REDACTED if is_secret_name(name) else value) for name, value in pairs])
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def is_secret_name(name: str) -> bool:
    """True for the name of a header, parameter or JSON key whose value is a credential: api_key, accessToken, sig."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return bool(words) and _SECRET.fullmatch(words[-1]) is not None


def without_credentials(body: bytes, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return an answer without what the request's headers named like a key say: some APIs repeat it in their errors."""
    for name, value in headers:
        if is_secret_name(name):
            for said in (value, value.rpartition(" ")[2]):
                if len(said) >= _SHORTEST_CREDENTIAL:
                    body = body.replace(said.encode("utf-8", "surrogatepass"), REDACTED.encode())
    return body


@functools.lru_cache(maxsize=1024)
def normalised(url: str) -> str:
    parts = urlsplit(scrubbed(url))
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    if parts.port is not None and parts.port != _DEFAULT_PORTS.get(scheme):
        host = f"{host}:{parts.port}"
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return urlunsplit((scheme, host, parts.path or "/", query, ""))
