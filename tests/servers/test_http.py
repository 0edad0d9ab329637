"""The HTTP server below: keep-alive, bodies it will not read, clients that go, and answers that end in every way."""

from __future__ import annotations

import http.client
import itertools
import socket
from collections.abc import Callable, Iterator

import pytest

from pytest_guardrails.servers._http import MOST_BYTES, Answer, HttpServer, Incoming

Serve = Callable[[Callable[[Incoming], Answer]], HttpServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve answers, and stop at the end of the test."""
    running: list[HttpServer] = []

    def start(respond: Callable[[Incoming], Answer]) -> HttpServer:
        running.append(HttpServer(respond))
        return running[-1]

    yield start
    for server in running:
        server.stop()


def echo(incoming: Incoming) -> Answer:
    """Say what came."""
    size = None if incoming.body is None else len(incoming.body)
    return Answer(200, (("x-method", incoming.method),), f"{incoming.path} {size}".encode())


def exchanged(server: HttpServer, sent: bytes, *, ends: bool = True) -> bytes:
    """Return everything that comes back for raw bytes, until the server closes; ``ends``: say that no more comes."""
    with socket.create_connection((server.host, server.port), timeout=60) as client:
        client.sendall(sent)
        if ends:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def test_a_connection_serves_many_requests(serve: Serve) -> None:
    """Requests share one connection, whatever their method."""
    server = serve(echo)
    client = http.client.HTTPConnection(server.host, server.port)
    local = set()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        client.request(method, "/a?b=c", body=b"12345")
        local.add(client.sock.getsockname())
        response = client.getresponse()
        assert (response.getheader("x-method"), response.read()) == (method, b"/a?b=c 5")
    client.close()
    assert len(local) == 1


def test_head_has_no_body(serve: Serve) -> None:
    """An answer to HEAD says how long it would be, and the next request on the connection is understood."""
    server = serve(echo)
    answers = exchanged(server, 2 * b"HEAD / HTTP/1.1\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == answers.count(b"content-length: 3\r\n\r\n") == 2
    assert b"/ 0" not in answers


@pytest.mark.parametrize(
    "headers",
    [
        b"content-length: -1",
        b"content-length: +1",
        b"content-length: 1_0",
        b"content-length: 1\r\ncontent-length: 2",
        b"content-length: 1" + b"0" * 18,
        b"content-length: ",
        b"transfer-encoding: chunked",
    ],
)
def test_a_length_that_cannot_be_trusted_is_a_411(headers: bytes, serve: Serve) -> None:
    """A body is read only where its length is said once and plainly; the connection ends."""
    server = serve(echo)
    answer = exchanged(server, b"POST / HTTP/1.1\r\n%s\r\n\r\n" % headers)
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_that_is_too_large_is_thrown_away(serve: Serve) -> None:
    """A body over the limit is None, one at the limit is whole, and both leave the connection usable."""
    server = serve(echo)
    client = http.client.HTTPConnection(server.host, server.port)
    for size, expected in ((MOST_BYTES + 1, b"/ None"), (MOST_BYTES, b"/ %d" % MOST_BYTES)):
        client.request("POST", "/", body=b"a" * size)
        assert client.getresponse().read() == expected
    client.close()


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc", b"POST / HT"])
def test_a_request_that_breaks_off_is_not_answered(sent: bytes, serve: Serve) -> None:
    """Half a request reaches nobody."""
    came: list[Incoming] = []

    def respond(incoming: Incoming) -> Answer:
        came.append(incoming)
        return Answer(200)

    assert not exchanged(serve(respond), sent).startswith(b"HTTP/1.1 200")
    assert came == []


def test_chunks_end_with_the_connection(serve: Serve) -> None:
    """A body in chunks has no announced length, and the connection ends after it."""
    server = serve(lambda _: Answer(200, (), iter([b"a", b"b"])))
    head, _, body = exchanged(server, b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    assert body == b"ab"
    assert b"content-length" not in head


def test_a_reset_is_a_reset(serve: Serve) -> None:
    """Reset means RST, not an orderly end: the client's socket says so."""
    server = serve(lambda _: Answer(None, end="reset"))
    with pytest.raises(ConnectionResetError):
        exchanged(server, b"GET / HTTP/1.1\r\n\r\n", ends=False)


def test_an_endless_answer_ends_when_its_client_goes(serve: Serve) -> None:
    """The server notices between two chunks that nobody reads."""
    told: list[int] = []

    def chunks() -> Iterator[bytes]:
        try:
            for number in itertools.count():
                told.append(number)
                yield b"a"
        finally:
            told.append(-1)

    body = chunks()
    server = serve(lambda _: Answer(200, (), body, pause_s=0.01))
    with socket.create_connection((server.host, server.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(1) == b"H"
    server.stop()
    body.close()
    assert told[-1] == -1


def test_a_drip_ends_when_its_client_sends_no_more(serve: Serve) -> None:
    """A client that half-closes is taken to be gone: it is not flooded with what should drip."""
    server = serve(lambda _: Answer(200, (), itertools.repeat(b"a", 10_000), pause_s=0.01))
    assert exchanged(server, b"GET / HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")[2] == b"a"


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01", b"nonsense\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n"])
def test_what_is_no_http_gets_an_error(sent: bytes, serve: Serve) -> None:
    """A TLS handshake, nonsense and unknown methods are answered at once and do not hurt the server."""
    server = serve(echo)
    answer = exchanged(server, sent, ends=False)
    assert any(status in answer for status in (b"400", b"501"))
    assert b"/ 0" in exchanged(server, b"GET / HTTP/1.1\r\n\r\n")
