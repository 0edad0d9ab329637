"""The law of faults: a plain client sees the same on a real socket as in process."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from typing import Any

import httpx
import pytest

from pytest_guardrails import ConfigError
from pytest_guardrails._faults import FAULTS, Fault, FaultTransport
from pytest_guardrails.servers import LassoServer

BODY = {"messages": [{"role": "user", "content": "hello"}]}
HANGING = ("read_timeout", "slow_drip")

# slow_drip: no single read is late, so a plain client reads on for ever; in process its stream raises ReadTimeout,
# as a client with a limit on the whole exchange would. It has tests of its own below.
SAME = [name for name in FAULTS if name != "slow_drip"]


@pytest.fixture(autouse=True)
def no_name_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail for names as a resolver must for .invalid (RFC 6761), without asking one."""
    resolve = socket.getaddrinfo

    def loopback_only(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "127.0.0.1":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", loopback_only)


def plain_client(fault: Fault, **options: Any) -> httpx.Client:
    """Return a client that waits long enough for anything but a timeout."""
    return httpx.Client(timeout=0.3 if fault.kind == "timeout" else 60, trust_env=False, **options)


def seen(client: httpx.Client, url: str, key: str = "") -> list[tuple[Any, ...]]:
    """Return what three calls come to: a status, the headers that matter and the body, or the class of an exception."""
    found: list[tuple[Any, ...]] = []
    for _ in range(3):
        digest = hashlib.blake2b()
        try:
            with client.stream("POST", f"{url}/classify", json=BODY, headers={"lasso-api-key": key}) as response:
                for chunk in response.iter_bytes():
                    digest.update(chunk)
        except httpx.HTTPError as exc:
            found.append((type(exc).__name__,))
        else:
            headers = [response.headers.get(name) for name in ("content-type", "location", "retry-after")]
            found.append((response.status_code, headers, digest.hexdigest()))
    return found


@pytest.mark.parametrize("name", SAME)
def test_a_fault_is_the_same_on_a_socket_and_in_process(name: str, server: LassoServer) -> None:
    """Status, headers and body, or the class of the exception, are equal, call by call."""
    fault = FAULTS[name]
    with httpx.Client(trust_env=False, headers={"lasso-api-key": server.api_key}) as healthy:
        clean = healthy.post(f"{server.base_url}/classify", json=BODY)
    inner = httpx.MockTransport(
        lambda request: httpx.Response(200, content=clean.content, headers={"content-type": "application/json"})
    )
    with plain_client(fault, transport=FaultTransport(fault, inner)) as client:
        in_process = seen(client, "http://lasso.example")
    with plain_client(fault) as client:
        on_a_socket = seen(client, server.url_for(fault), server.api_key)
    assert on_a_socket == in_process
    if fault.raises:
        assert on_a_socket[0] == (fault.raises,)


def test_a_drip_feeds_a_plain_client_for_ever(server: LassoServer) -> None:
    """Byte after byte comes in time, so that no timeout of a plain client ends it."""
    fault = FAULTS["slow_drip"]
    with (
        plain_client(fault) as client,
        client.stream("POST", f"{server.url_for(fault)}/classify", json=BODY) as response,
    ):
        first = [chunk for chunk, _ in zip(response.iter_raw(), range(4), strict=False)]
    assert b"".join(first).startswith(b'{"d')


@pytest.mark.parametrize("name", HANGING)
def test_stop_frees_clients_that_hang(name: str) -> None:
    """Clients that wait for an answer see their connection end when the server stops, before they give up."""
    server = LassoServer().start()
    url = f"{server.url_for(name)}/classify"
    ended: list[str] = []

    def wait() -> None:
        with httpx.Client(timeout=600, trust_env=False) as client:
            try:
                client.post(url, json=BODY)
            except httpx.TransportError as exc:
                ended.append(type(exc).__name__)
            else:
                ended.append("closed")

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(server.received) < len(threads):
        time.sleep(0.01)
    server.stop()
    for thread in threads:
        thread.join()
    assert len(ended) == len(threads)
    assert "ReadTimeout" not in ended


def test_a_client_that_goes_frees_the_server(server: LassoServer) -> None:
    """A connection that hangs ends with its client: no thread of the server stays."""
    url = f"{server.url_for('read_timeout')}/classify"
    before = set(threading.enumerate())
    with httpx.Client(timeout=0.1, trust_env=False) as client, pytest.raises(httpx.ReadTimeout):
        client.post(url, json=BODY)
    for thread in set(threading.enumerate()) - before:
        thread.join()


def test_heal_ends_a_fault(server: LassoServer, client: httpx.Client) -> None:
    """A healed server answers again, on the same connections."""
    server.fail("http_500")
    assert client.post("/classify", json=BODY).status_code == 500
    server.heal()
    assert client.post("/classify", json=BODY).status_code == 200


def test_a_fault_on_one_call_counts_from_when_it_was_set(server: LassoServer, client: httpx.Client) -> None:
    """The n-th call after `fail` fails, whatever came before."""
    client.post("/classify", json=BODY)
    server.fail("http_502", on_call=2)
    assert [client.post("/classify", json=BODY).status_code for _ in range(3)] == [200, 502, 200]


def test_a_fault_leaves_the_health_check_alone(server: LassoServer, client: httpx.Client) -> None:
    """Whoever waits for the server to be up can, whatever the API does."""
    server.fail("http_503")
    assert client.get(f"{server.url}/health").json() == {"status": "ok"}


def test_a_fault_comes_before_the_key(server: LassoServer) -> None:
    """A server that fails does so for everybody: a client without a key meets the fault, not a 401."""
    url = server.url_for("http_504")
    assert httpx.post(f"{url}/classify", json=BODY, trust_env=False).status_code == 504


@pytest.mark.parametrize("name", ["refused", "dns_failure", "tls_failure", "connect_timeout"])
def test_a_fault_before_the_server_has_a_url_of_its_own(name: str, server: LassoServer) -> None:
    """What happens before a server is reached cannot be set on it; the error says what to do."""
    with pytest.raises(ConfigError, match=rf"fault '{name}' happens before a server is reached.*url_for"):
        server.fail(name)
    assert server.url_for(name) != server.base_url
    assert server.url_for("http_500") == server.base_url


def test_unknown_faults_and_calls_are_refused(server: LassoServer) -> None:
    """A fault with a typo, or on a call that never comes, would test nothing."""
    with pytest.raises(ConfigError, match="did you mean 'http_500'"):
        server.fail("http500")
    with pytest.raises(ConfigError, match="did you mean 'http_500'"):
        server.url_for("http500")
    with pytest.raises(ConfigError, match="counts from 1"):
        server.fail("http_500", on_call=0)
