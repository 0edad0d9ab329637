"""A small threaded HTTP/1.1 server on loopback, whose answers may also break off, hang or reset the connection."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

from pytest_guardrails._errors import ConfigError

MOST_BYTES = 1024 * 1024
_MOST_DRAINED = 64 * MOST_BYTES
_TLS_HANDSHAKE = b"\x16"
_GIVE_UP_S = 10.0
_LENGTH = re.compile(r"[0-9]{1,18}")

End = Literal["keep", "close", "reset", "hang"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request as it came; ``body`` is None where it was larger than `MOST_BYTES`, and was thrown away."""

    method: str
    path: str
    headers: Message
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; ``status`` None sends nothing at all.

    A ``body`` of bytes has its length announced, unless ``headers`` say another; one in chunks, ``pause_s`` seconds
    apart, ends with the connection. ``end`` is what becomes of the connection.
    """

    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterator[bytes] = b""
    end: End = "keep"
    pause_s: float = 0.0


class HttpServer:
    """Serves ``respond(incoming) -> Answer`` on a loopback port, one thread per connection, until `stop`.

    Raises:
        ConfigError: for a host that is no IPv4 address of loopback (nothing here is meant for a network), or no port.
        OSError: where the port is taken.
    """

    def __init__(self, respond: Callable[[Incoming], Answer], host: str = "127.0.0.1", port: int = 0) -> None:
        if not _is_loopback(host):
            raise ConfigError(f"a test server listens on loopback alone (127.0.0.1), not on {host!r}")
        if not 0 <= port <= 65_535:
            raise ConfigError(f"a port is a number from 0 (any free one) to 65535, not {port}")
        self.respond = respond
        self._connections: dict[threading.Thread, socket.socket] = {}  # for the acceptor, and for stop after it
        self._listener = socket.create_server((host, port), backlog=128)
        self._listener.setblocking(False)
        self.host, self.port = self._listener.getsockname()
        self._waker, self._wake = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name=f"http-{self.port}", daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Close the port and every connection, and return when no thread is left; one that is stuck is given 10 s."""
        self._waker.close()
        self._acceptor.join(_GIVE_UP_S)
        for connection in self._connections.values():
            with contextlib.suppress(OSError):  # it has ended already
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._connections:
            thread.join(_GIVE_UP_S)

    def _accept(self) -> None:
        with self._listener, self._wake, selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while all(key.fileobj is not self._wake for key, _ in selector.select()):
                with contextlib.suppress(OSError):  # the client went before it was accepted
                    connection, address = self._listener.accept()
                    self._begin(connection, address)

    def _begin(self, connection: socket.socket, address: Any) -> None:
        connection.setblocking(True)
        thread = threading.Thread(target=self._talk, args=(connection, address), daemon=True)
        thread.start()
        self._connections = {one: its for one, its in self._connections.items() if one.is_alive()}
        self._connections[thread] = connection

    def _talk(self, connection: socket.socket, address: Any) -> None:
        server: Any = self
        with connection, contextlib.suppress(OSError):  # the client went
            if connection.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
                connection.recv(65_536)  # what is left unread would turn the answer into a reset
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
            else:
                _Conversation(connection, address, server)


class _Conversation(BaseHTTPRequestHandler):
    """One connection: reads requests and writes answers until either side ends it."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "pytest-guardrails", ""
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True
    server: Any

    def answer(self) -> None:
        length = self._length()
        if length is None:
            self._write(Answer(411, (("connection", "close"),), b"", "close"))
            return
        body = self._read(length)
        self._write(self.server.respond(Incoming(self.command, self.path, self.headers, body)))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: a request line may hold what no log should."""

    def _length(self) -> int | None:
        """Return how long the body is, None where that is not said in a way that can be trusted."""
        said = ",".join(self.headers.get_all("content-length") or ["0"])
        return int(said) if _LENGTH.fullmatch(said) and "transfer-encoding" not in self.headers else None

    def _read(self, length: int) -> bytes | None:
        if length <= MOST_BYTES:
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionAbortedError("the client went in the middle of its request")
            return body
        left = min(length, _MOST_DRAINED)  # a client that is still sending does not see an answer
        while left and (chunk := self.rfile.read(min(left, 65_536))):
            left -= len(chunk)
        self.close_connection = length > _MOST_DRAINED
        return None

    def _write(self, answer: Answer) -> None:
        if answer.status is not None:
            self._write_answer(answer, answer.status)
            self.wfile.flush()
        if answer.end == "hang":
            while not self._is_over(None):
                pass
        if answer.end == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if answer.end != "keep":
            self.close_connection = True

    def _write_answer(self, answer: Answer, status: int) -> None:
        self.send_response(status)
        for name, value in answer.headers:
            self.send_header(name, value)
        names = {name.lower() for name, _ in answer.headers}
        if not isinstance(answer.body, bytes):
            self.send_header("connection", "close")
        elif "content-length" not in names:
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(answer.body, bytes):
            self.wfile.write(answer.body)
        else:
            self._write_chunks(answer.body, answer.pause_s)

    def _write_chunks(self, chunks: Iterator[bytes], pause_s: float) -> None:
        for chunk in chunks:
            self.wfile.write(chunk)
            if pause_s:
                self.wfile.flush()
                if self._is_over(pause_s):
                    return

    def _is_over(self, wait_s: float | None) -> bool:
        """Wait, and return True as soon as the client, or `HttpServer.stop`, has ended the connection."""
        self.connection.settimeout(wait_s)
        try:
            return not self.connection.recv(65_536)
        except TimeoutError:
            return False
        finally:
            self.connection.settimeout(None)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False
