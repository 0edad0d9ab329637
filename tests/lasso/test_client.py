"""The client: what it sends, what it returns, and the one exception for each way to get no verdict."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import ConfigError, MissingRecording
from pytest_guardrails.lasso import (
    LassoClient,
    LassoConnectionError,
    LassoError,
    LassoProtocolError,
    LassoStatusError,
    LassoTimeout,
    ulid,
)
from pytest_guardrails.lasso._client import _seconds

CLEAN = b'{"violations_detected": false, "deputies": {}, "findings": {}}'
BLOCK = b'{"violations_detected": true, "deputies": {}, "findings": {"jailbreak": [{"action": "BLOCK"}]}}'
SECRET = "-".join(("made", "up", "key"))


def answered(body: bytes | Exception, status: int = 200, library: Any = httpx, **headers: str) -> LassoClient:
    """Return a client whose API gives one answer to everything."""

    def answer(_request: Any) -> Any:
        if isinstance(body, Exception):
            raise body
        return library.Response(status, content=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return LassoClient(transport=library.MockTransport(answer))


def test_a_request_is_what_the_api_expects(api: Callable[..., Any]) -> None:
    """One POST with the key in its header, JSON in and out, and the body that was asked for."""
    transport = api()
    with LassoClient(SECRET, "https://own.host", transport=transport) as client:
        client.classify(["hi"], session_id="s", user_id="u", tools=[{"name": "t"}])
    [request] = transport.asked
    assert (request.method, str(request.url)) == ("POST", "https://own.host/gateway/v3/classify")
    assert request.headers["lasso-api-key"] == SECRET
    assert request.headers["content-type"] == request.headers["accept"] == "application/json"
    assert transport.bodies == [
        {
            "messages": [{"role": "user", "content": "hi"}],
            "messageType": "PROMPT",
            "sessionId": "s",
            "userId": "u",
            "tools": [{"name": "t"}],
        }
    ]


def test_classifix_asks_the_other_endpoint(api: Callable[..., Any]) -> None:
    """And says which side of the conversation it is."""
    transport = api()
    LassoClient(transport=transport).classifix(["hi"], message_type="COMPLETION")
    assert (transport.paths, transport.bodies[0]["messageType"]) == (["classifix"], "COMPLETION")


def test_settings_come_from_arguments_then_from_the_environment(
    api: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """LASSO_API_KEY and LASSO_API_BASE count where nothing is given."""
    monkeypatch.setenv("LASSO_API_KEY", f"{SECRET}-environment")
    monkeypatch.setenv("LASSO_API_BASE", "https://env.host/gateway/v3/classify")
    transport = api()
    LassoClient(transport=transport).classify(["hi"])
    LassoClient(SECRET, "https://own.host", transport=transport).classify(["hi"])
    assert [request.url.host for request in transport.asked] == ["env.host", "own.host"]
    assert [request.headers["lasso-api-key"] for request in transport.asked] == [f"{SECRET}-environment", SECRET]


def test_without_a_key_there_is_no_live_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable; an empty one is none."""
    monkeypatch.setenv("LASSO_API_KEY", "")
    with pytest.raises(ConfigError, match="LASSO_API_KEY"):
        LassoClient()


def test_with_a_transport_the_key_may_be_missing(api: Callable[..., Any]) -> None:
    """Then there is no header at all."""
    transport = api()
    LassoClient(transport=transport).classify(["hi"])
    assert "lasso-api-key" not in transport.asked[0].headers


@pytest.mark.parametrize("key", [f"{SECRET}\n", f"{SECRET}\u2019", "os.environ/LASSO_API_KEY"])
def test_a_key_that_no_header_can_carry_is_refused_unquoted(key: str) -> None:
    """Here, since the HTTP library would quote it."""
    with pytest.raises(ConfigError) as caught:
        LassoClient(key)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"timeout": 0}, {"timeout": float("nan")}, {"timeout": float("inf")}, {"offsets": "bytes"}, {"base_url": "host"}],
    ids=["zero", "nan", "infinite", "unit", "url"],
)
def test_settings_that_cannot_be_meant_are_refused(options: dict[str, Any], api: Callable[..., Any]) -> None:
    """At once, and not at the first call."""
    with pytest.raises(ConfigError):
        LassoClient(transport=api(), **options)


def test_a_transport_and_a_client_are_two_things(api: Callable[..., Any]) -> None:
    """One of them would be forgotten."""
    with httpx.Client() as client, pytest.raises(ConfigError, match="not both"):
        LassoClient(transport=api(), client=client)


def test_no_key_is_in_the_repr_or_in_an_error() -> None:
    """Neither says what must not be written."""
    transport = httpx.MockTransport(lambda _: httpx.Response(401, text=SECRET))
    client = LassoClient(SECRET, transport=transport)
    assert SECRET not in repr(client)
    with pytest.raises(LassoStatusError) as caught:
        client.classify(["hi"])
    assert SECRET not in f"{caught.value!r}{caught.value}"


def test_nothing_to_say_is_nothing_sent(api: Callable[..., Any]) -> None:
    """An empty list of messages is never sent: the answer is clean and says that nobody was asked."""
    transport = api()
    answer = LassoClient(transport=transport).classify(["", {"role": "assistant"}])
    assert (answer.called, answer.violations_detected, transport.asked) == (False, False, [])


def test_an_unknown_message_type_is_refused_even_then(api: Callable[..., Any]) -> None:
    """A typo does not wait for the first text."""
    with pytest.raises(ConfigError, match="message type"):
        LassoClient(transport=api()).classify([], message_type="INPUT")


def test_each_call_has_a_conversation(api: Callable[..., Any]) -> None:
    """A new ULID, or what the client was told to make, or what the call says."""
    transport = api()
    client = LassoClient(transport=transport)
    client.classify(["hi"])
    client.classify(["hi"])
    LassoClient(transport=transport, session_id=lambda: ulid("test")).classify(["hi"])
    first, second, third = (body["sessionId"] for body in transport.bodies)
    assert (first != second, third) == (True, ulid("test"))


def test_text_that_no_encoding_takes_is_sent_all_the_same(api: Callable[..., Any]) -> None:
    """Half a surrogate pair becomes a question mark; other text stays as it is."""
    transport = api()
    LassoClient(transport=transport).classify(["a\ud800b", "שלום 😀"])
    assert [message["content"] for message in transport.bodies[0]["messages"]] == ["a?b", "שלום 😀"]
    assert "שלום 😀".encode() in transport.asked[0].content


def test_tools_that_are_no_json_are_refused(api: Callable[..., Any]) -> None:
    """They are the caller's mistake, and no failure of the API."""
    with pytest.raises(ConfigError, match="tools"):
        LassoClient(transport=api()).classify(["hi"], tools=[{"name": "t", "parameters": {1, 2}}])


def test_the_answer_knows_what_was_sent(payload: Callable[[str], Any], api: Callable[..., Any]) -> None:
    """It is typed, and carries the messages for which it was given."""
    answer = LassoClient(transport=api(payload("jailbreak_block"))).classify(["hi"])
    assert [finding.action for finding in answer.findings] == ["BLOCK"]
    assert [entry.text for entry in answer.sent] == ["hi"]
    assert answer.called


# Ways to get no verdict


@pytest.mark.parametrize("status", [201, 204, 301, 307, 400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504])
def test_another_status_is_no_verdict(status: int) -> None:
    """Whatever body comes with it, and nothing of that body is quoted."""
    client = answered(BLOCK, status, location="https://elsewhere.invalid")
    with pytest.raises(LassoStatusError, match=f"answered {status}") as caught:
        client.classify(["hi"])
    assert caught.value.status == status
    assert "BLOCK" not in str(caught.value)


def test_a_redirect_is_not_followed(api: Callable[..., Any]) -> None:
    """Not even by a client that follows them otherwise: the texts and the key go to one host."""
    transport = api(status=307, headers={"location": "https://elsewhere.invalid/"})
    with httpx.Client(transport=transport, follow_redirects=True) as own, pytest.raises(LassoStatusError):
        LassoClient(SECRET, client=own).classify(["hi"])
    assert len(transport.asked) == 1


def test_retry_after_is_read() -> None:
    """As seconds or as a date, on the error."""
    with pytest.raises(LassoStatusError) as caught:
        answered(b"", 429, retry_after="7").classify(["hi"])
    assert caught.value.retry_after == 7.0
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3000 < (_seconds(later) or 0) <= 3600
    assert _seconds(format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)) == 0.0
    assert [_seconds(text) for text in (None, "", "soon", "-1", "1e9", "9" * 30)] == [None] * 6


DATES = r"[A-Z][a-z]{2}, [0-9]{1,5} [A-Z][a-z]{2} [0-9]{1,9} [0-9:]{1,12} [A-Z+0-9-]{0,9}"


@given(st.text(max_size=40) | st.from_regex(DATES))
def test_reading_retry_after_is_total(text: str) -> None:
    """No header crashes it."""
    seconds = _seconds(text)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ConnectError", LassoConnectionError),
        ("ReadError", LassoConnectionError),
        ("WriteError", LassoConnectionError),
        ("CloseError", LassoConnectionError),
        ("RemoteProtocolError", LassoConnectionError),
        ("LocalProtocolError", LassoConnectionError),
        ("ProxyError", LassoConnectionError),
        ("UnsupportedProtocol", LassoConnectionError),
        ("ConnectTimeout", LassoTimeout),
        ("ReadTimeout", LassoTimeout),
        ("WriteTimeout", LassoTimeout),
        ("PoolTimeout", LassoTimeout),
        ("DecodingError", LassoProtocolError),
    ],
)
def test_every_exception_of_either_library_is_one_of_ours(library: Any, name: str, kind: type[LassoError]) -> None:
    """Its class tells what happened; its text, of which a server may have written parts, is not repeated."""
    client = answered(getattr(library, name)(f"said {SECRET}"), library=library)
    with pytest.raises(kind) as caught:
        client.classify(["hi"])
    assert SECRET not in str(caught.value)


def test_a_reset_of_the_system_is_a_connection_error() -> None:
    """A transport may let the system's own exceptions through."""
    with pytest.raises(LassoConnectionError):
        answered(ConnectionResetError("reset")).classify(["hi"])


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[1]", b"{}", CLEAN.replace(b"false", b'"no"')])
def test_an_odd_answer_is_no_verdict(body: bytes) -> None:
    """The error says what is odd, as text and as data."""
    with pytest.raises(LassoProtocolError) as caught:
        answered(body).classify(["hi"])
    assert caught.value.oddities
    assert all(oddity in str(caught.value) for oddity in caught.value.oddities)


def test_a_body_that_is_not_compressed_as_it_says_is_no_verdict() -> None:
    """Bad gzip is a protocol error, good gzip an answer."""
    with pytest.raises(LassoProtocolError):
        answered(b"no gzip", content_encoding="gzip").classify(["hi"])
    assert answered(gzip.compress(CLEAN), content_encoding="gzip").classify(["hi"]).violations_detected is False


@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "application/octet-stream", "json"])
def test_another_content_type_is_no_verdict(kind: str) -> None:
    """What says that it is not JSON may come from anybody on the way."""
    with pytest.raises(LassoProtocolError, match="content type"):
        answered(CLEAN, content_type=kind).classify(["hi"])


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/x+json", ""])
def test_json_by_any_name_is_read(kind: str) -> None:
    """And so is a body without a type."""
    assert answered(CLEAN, content_type=kind).classify(["hi"]).oddities == ()


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_a_delivered_block_is_returned_however_odd(kind: str) -> None:
    """An error may be allowed by choice; who said BLOCK must not get lost in it."""
    answer = answered(BLOCK.replace(b"{}", b"null"), content_type=kind).classify(["hi"])
    assert answer.delivers_block
    assert answer.oddities


def test_an_answer_that_is_too_long_is_not_read_on() -> None:
    """The limit counts what it is decompressed to."""
    body = gzip.compress(b" " * 100_000)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body, headers={"content-encoding": "gzip"}))
    with pytest.raises(LassoProtocolError, match="too long"):
        LassoClient(transport=transport, max_bytes=10_000).classify(["hi"])


def test_a_missing_recording_passes_through() -> None:
    """It is no failure of the API, and no verdict."""

    def miss(_request: httpx.Request) -> httpx.Response:
        raise MissingRecording("nothing recorded")

    with pytest.raises(MissingRecording):
        LassoClient(transport=httpx.MockTransport(miss)).classify(["hi"])


# Both libraries, sockets, threads


def test_a_transport_of_httpx2_is_used_by_httpx2() -> None:
    """Its requests and responses are of its own classes."""
    seen: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, content=CLEAN)

    LassoClient(transport=httpx2.MockTransport(answer)).classify(["hi"])
    assert isinstance(seen[0], httpx2.Request)


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_given_client_is_used_and_stays_open(library: Any) -> None:
    """It is not ours to close, also where its class is the user's own."""

    class Own(library.Client):  # type: ignore[name-defined,misc]  # of either library
        pass

    with Own(transport=library.MockTransport(lambda _: library.Response(200, content=CLEAN))) as own:
        with LassoClient(client=own) as client:
            client.classify(["hi"])
        assert not own.is_closed


def test_a_client_that_cannot_be_used_is_refused() -> None:
    """An asynchronous one, or what is none at all."""
    own = httpx.AsyncClient()
    for client in (own, object()):
        with pytest.raises(ConfigError, match=r"httpx\.Client"):
            LassoClient(client=client)
    asyncio.run(own.aclose())


def test_its_own_client_is_closed_at_the_end(api: Callable[..., Any]) -> None:
    """After the block nothing can be sent."""
    with LassoClient(transport=api()) as client:
        client.classify(["hi"])
    with pytest.raises(RuntimeError, match="closed"):
        client.classify(["hi"])


def test_threads_share_a_client(api: Callable[..., Any]) -> None:
    """Each call gets the answer to its own text."""

    def echo(request: httpx.Request) -> httpx.Response:
        text = json.loads(request.content)["messages"][0]["content"]
        found = {"d": [{"name": text, "action": "WARN"}]}
        return httpx.Response(200, json={"violations_detected": True, "deputies": {}, "findings": found})

    client = LassoClient(transport=httpx.MockTransport(echo))
    asked = [f"t{number}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda text: client.classify([text]).findings[0].name, asked)
        assert list(answers) == asked


@contextmanager
def listening(serve: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Serve each connection on a free port of the loopback until the block ends; yield its URL."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=one, args=(connection,)))
            threads[-1].start()

    def one(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            try:
                serve(connection, over)
            except OSError:  # the client has gone, as it should
                return

    listener.settimeout(0.05)
    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        acceptor.join()
        for thread in threads:
            thread.join()
        listener.close()


def drip(connection: socket.socket, over: threading.Event) -> None:
    """Send a body that never ends, a byte at a time, faster than any single read would give up."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
    while not over.wait(0.01):
        connection.sendall(b" ")


def silence(_connection: socket.socket, over: threading.Event) -> None:
    """Take the request, and answer nothing."""
    over.wait()


def stall(connection: socket.socket, over: threading.Event) -> None:
    """Begin a body, and stop."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
    over.wait()


@pytest.mark.parametrize("serve", [drip, silence, stall])
@pytest.mark.parametrize("library", [None, httpx2], ids=["httpx", "httpx2"])
def test_an_answer_that_does_not_end_is_a_timeout(serve: Callable[..., None], library: Any) -> None:
    """Silence, a body that stops, and one that drips for ever, on a real socket."""
    with listening(serve) as url:
        transport = library.HTTPTransport() if library else None
        with LassoClient(SECRET, url, 0.3, transport) as client, pytest.raises(LassoTimeout):
            client.classify(["hi"])


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_step_may_take_what_is_left_and_no_more(library: Any) -> None:
    """The limit of a step is looked up as it begins, and shrinks as the exchange goes on."""
    limits: list[float] = []

    def answer(request: Any) -> Any:
        limits.append(request.extensions["timeout"].get("connect"))
        threading.Event().wait(0.05)  # longer than the clock of any system takes to move
        limits.append(request.extensions["timeout"].get("read"))
        return library.Response(200, content=CLEAN)

    LassoClient(timeout=30, transport=library.MockTransport(answer)).classify(["hi"])
    first, second = limits
    assert 30 >= first > second > 0


def test_a_live_client_asks_a_real_server() -> None:
    """Without a transport it opens a connection of its own."""

    def clean(connection: socket.socket, _over: threading.Event) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(CLEAN)}\r\n\r\n"
        connection.sendall(head.encode() + CLEAN)

    with listening(clean) as url, LassoClient(SECRET, url) as client:
        assert client.classify(["hi"]).violations_detected is False


def test_a_port_that_nobody_listens_on_is_a_connection_error() -> None:
    """Refused is no verdict."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with LassoClient(SECRET, f"http://127.0.0.1:{port}") as client, pytest.raises(LassoConnectionError):
        client.classify(["hi"])
