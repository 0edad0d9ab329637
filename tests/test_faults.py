"""The fault catalogue, and the transport that fails in process: both libraries, sync and async, one call or all."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import itertools
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from pytest_guardrails import ConfigError
from pytest_guardrails._faults import FAULTS, Fault, FaultTransport, fault_named

URL = "http://lasso.example/gateway/v3/classify"
LIBRARIES = ("httpx", "httpx2")
RAISING = [fault.name for fault in FAULTS.values() if fault.raises]
STATUSES = {fault.name: fault.status for fault in FAULTS.values() if fault.kind == "status" and not fault.on_call}


def library_named(name: str) -> Any:
    """Return httpx or, where it is installed, httpx2."""
    return importlib.import_module(name) if name == "httpx" else pytest.importorskip(name)


def met(fault: str) -> bytes:
    """Return the body that a client of httpx reads of a fault."""
    with httpx.Client(transport=FaultTransport(fault)) as client:
        return client.post(URL).content


def answering(library: Any, status: int = 200) -> Any:
    """Return a transport that always answers."""
    return library.MockTransport(lambda request: library.Response(status))


def test_the_catalogue_names_each_fault_once() -> None:
    """Each fault stands under its own name, in snake case, with a sentence that says what it is."""
    assert len(FAULTS) >= 37
    for name, fault in FAULTS.items():
        assert name == fault.name
        assert name.isidentifier()
        assert name == name.lower()
        assert fault.summary.endswith(".")
        assert fault.kind in ("connection", "timeout", "status", "body")
        assert (fault.status is None) <= (fault.raises is not None), "a fault without an answer is an exception"


def test_the_catalogue_cannot_be_changed() -> None:
    """One test cannot change what a fault is for another."""
    with pytest.raises(TypeError):
        FAULTS["mine"] = FAULTS["refused"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        FAULTS["refused"].name = "mine"  # type: ignore[misc]


def test_the_catalogue_costs_no_http_library() -> None:
    """Case files are validated against the names alone."""
    code = "import sys, pytest_guardrails._faults as f; f.FAULTS; print(sorted({'httpx', 'httpx2'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert run.stdout.strip() == "[]"


def test_the_package_has_no_other_names() -> None:
    """A name that is not there is an AttributeError, as for any module."""
    with pytest.raises(AttributeError, match="no attribute 'FaultyTransport'"):
        _ = importlib.import_module("pytest_guardrails._faults").FaultyTransport


@pytest.mark.parametrize("ask", [fault_named, FaultTransport])
def test_an_unknown_fault_is_refused(ask: Any) -> None:
    """A name with a typo is an error that names the nearest fault and all of them."""
    with pytest.raises(ConfigError, match=r"unknown fault 'read_timeuot'; did you mean 'read_timeout'\?.*wrong_types"):
        ask("read_timeuot")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", RAISING)
def test_a_fault_raises_what_the_library_of_the_request_raises(name: str, library: str) -> None:
    """An exception is the library's own, carries the request, says that it was injected, and comes without waiting."""
    package = library_named(library)
    expected = getattr(package, FAULTS[name].raises or "")
    with package.Client(transport=FaultTransport(name)) as client, pytest.raises(expected, match=name) as caught:
        client.post(URL)
    assert type(caught.value) is expected
    assert str(caught.value.request.url) == URL


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", FAULTS)
def test_async_clients_meet_the_same_faults(name: str, library: str) -> None:
    """A fault gives an async client the status and body, or the class of exception, that it gives a sync one."""
    package = library_named(library)

    def sync() -> tuple[Any, ...]:
        with package.Client(transport=FaultTransport(name, answering(package), on_call=1)) as client:
            try:
                response = client.post(URL)
            except package.HTTPError as exc:
                return (type(exc),)
            return response.status_code, response.content

    async def not_sync() -> tuple[Any, ...]:
        async with package.AsyncClient(transport=FaultTransport(name, answering(package), on_call=1)) as client:
            try:
                response = await client.post(URL)
            except package.HTTPError as exc:
                return (type(exc),)
            return response.status_code, response.content

    assert asyncio.run(not_sync()) == sync()


@pytest.mark.parametrize(("name", "status"), STATUSES.items())
def test_a_status_is_answered(name: str, status: int) -> None:
    """A fault of a status answers with it, and with JSON that says that it was injected."""
    with httpx.Client(transport=FaultTransport(name)) as client:
        response = client.post(URL)
    assert response.status_code == status
    assert response.json() == {"message": f"injected fault: {name}"}


def test_only_one_429_says_when_to_come_back() -> None:
    """There is a 429 with Retry-After, in seconds, and one without."""
    with httpx.Client(transport=FaultTransport("http_429_retry_after")) as client:
        assert client.post(URL).headers["retry-after"] == "1"
    with httpx.Client(transport=FaultTransport("http_429")) as client:
        assert "retry-after" not in client.post(URL).headers


def test_a_redirect_loop_never_ends() -> None:
    """A client that follows the redirect comes back to where it was until it gives up, on the same path."""
    transport = FaultTransport("redirect_loop")
    with httpx.Client(transport=transport, follow_redirects=True) as client:
        with pytest.raises(httpx.TooManyRedirects) as caught:
            client.post(URL)
        assert caught.value.request.url.path == httpx.URL(URL).path
        assert transport.calls == client.max_redirects + 1


def test_a_bad_gzip_fails_in_the_decoder_of_the_client() -> None:
    """The body is raw: the client's own decoding meets the garbage."""
    with httpx.Client(transport=FaultTransport("bad_gzip")) as client, pytest.raises(httpx.DecodingError):
        client.post(URL)


@pytest.mark.parametrize("name", ["empty_body", "html_body", "truncated_json", "bad_charset", "deep_nesting"])
def test_a_body_that_no_parser_takes(name: str) -> None:
    """Bodies that are no JSON fail in any parser."""
    with pytest.raises((ValueError, RecursionError)):
        json.loads(met(name))


def test_a_parser_that_keeps_the_last_key_takes_duplicates_for_clean() -> None:
    """The BLOCK of duplicate_keys is lost on a parser that keeps the last value of a key."""
    body = met("duplicate_keys")
    assert b'"action": "BLOCK"' in body
    assert json.loads(body) == {"deputies": {"jailbreak": False}, "findings": {}, "violations_detected": False}


def test_a_charset_that_is_replaced_looks_clean() -> None:
    """A client that reads the text of bad_charset with replacement characters sees a clean answer."""
    assert json.loads(met("bad_charset").decode(errors="replace"))["violations_detected"] is False


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("wrong_types", {"deputies": [], "findings": "none", "violations_detected": "false"}),
        ("missing_violations_detected", {"deputies": {}, "findings": {}}),
        ("findings_null", {"deputies": {"jailbreak": True}, "findings": None, "violations_detected": True}),
        ("empty_object", {}),
        ("json_null", None),
        ("json_list", [1]),
    ],
)
def test_a_body_of_the_wrong_shape_is_json(name: str, body: Any) -> None:
    """Bodies of the wrong shape parse, so that only a reader of their fields can refuse them."""
    assert json.loads(met(name)) == body


@pytest.mark.parametrize("name", ["wrong_content_type", "huge_body"])
def test_a_body_that_is_clean_but_for_its_wrapping(name: str) -> None:
    """What is wrong with these is the type or the size alone: their JSON is a clean answer."""
    assert json.loads(met(name)) == {"deputies": {"jailbreak": False}, "findings": {}, "violations_detected": False}


def test_a_huge_body_is_made_in_small_chunks() -> None:
    """The body is larger than 8 MiB and smaller than 64, and no chunk of it is larger than 64 KiB."""
    sizes = [len(chunk) for chunk in FAULTS["huge_body"].chunks()]
    assert 8 * 2**20 < sum(sizes) <= 64 * 2**20
    assert max(sizes) <= 65_536


def test_a_drip_never_ends() -> None:
    """On a wire a drip goes on after the whole answer, a byte at a time."""
    assert all(len(chunk) == 1 for chunk in itertools.islice(FAULTS["slow_drip"].chunks(), 1_000))


@pytest.mark.parametrize(("on_call", "expected"), [(1, [503, 200, 200]), (3, [200, 200, 503]), (None, [200, 503, 200])])
def test_flaky_fails_one_call_only(on_call: int | None, expected: list[int]) -> None:
    """The n-th call fails, the second by default; the others go to the inner transport."""
    transport = FaultTransport("flaky", answering(httpx), on_call)
    with httpx.Client(transport=transport) as client:
        assert [client.post(URL).status_code for _ in range(3)] == expected
    assert transport.calls == 1


def test_any_fault_can_fail_one_call_only() -> None:
    """``on_call`` makes every fault a flaky one."""
    with httpx.Client(transport=FaultTransport("reset_before_body", answering(httpx), on_call=2)) as client:
        assert client.post(URL).status_code == 200
        with pytest.raises(httpx.ReadError):
            client.post(URL)
        assert client.post(URL).status_code == 200


@pytest.mark.parametrize("name", ["flaky", "refused"])
def test_one_failing_call_needs_an_inner_transport(name: str) -> None:
    """Where only one call fails, something must answer the others."""
    with pytest.raises(ConfigError, match=f"fault '{name}' fails call 3 alone: the others need an inner transport"):
        FaultTransport(name, on_call=3)


@pytest.mark.parametrize("on_call", [0, -1])
def test_calls_count_from_one(on_call: int) -> None:
    """A call that never comes is no call to fail."""
    with pytest.raises(ConfigError, match="counts from 1"):
        FaultTransport("refused", answering(httpx), on_call)


def test_calls_say_how_often_the_fault_was_met() -> None:
    """A transport that was never asked says 0, and each call that failed counts."""
    transport = FaultTransport("http_500")
    assert transport.calls == 0
    with httpx.Client(transport=transport) as client:
        client.post(URL)
        client.post(URL)
    assert transport.calls == 2


def test_threads_share_one_failing_call() -> None:
    """Of many calls from many threads, exactly one is the n-th."""
    transport = FaultTransport("http_503", answering(httpx), on_call=100)
    gate = threading.Barrier(8)
    with httpx.Client(transport=transport) as client, ThreadPoolExecutor(8) as pool:

        def calls(_: int) -> list[int]:
            gate.wait()
            return [client.post(URL).status_code for _ in range(50)]

        statuses = [status for some in pool.map(calls, range(8)) for status in some]
    assert statuses.count(503) == 1
    assert len(statuses) == 400


def test_closing_closes_the_inner_transport() -> None:
    """A client that closes this transport closes what is behind it too, sync and async; with nothing behind it, too."""

    class Inner(httpx.MockTransport):
        closed = 0

        def close(self) -> None:
            self.closed += 1

        async def aclose(self) -> None:
            self.closed += 1

    async def close_async(transport: FaultTransport) -> None:
        async with httpx.AsyncClient(transport=transport):
            pass

    inner = Inner(lambda request: httpx.Response(200))
    httpx.Client(transport=FaultTransport("refused", inner)).close()
    asyncio.run(close_async(FaultTransport("refused", inner)))
    assert inner.closed == 2
    httpx.Client(transport=FaultTransport("refused")).close()
    asyncio.run(close_async(FaultTransport("refused")))


def test_a_fault_of_ones_own() -> None:
    """A fault that is not in the catalogue works like one that is."""
    teapot = Fault("teapot", "status", "It is a teapot.", status=418, body=b"short and stout")
    with httpx.Client(transport=FaultTransport(teapot)) as client:
        response = client.post(URL)
    assert (response.status_code, response.content) == (418, b"short and stout")
