"""Replay and recording through the four clients: httpx and httpx2, sync and async."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from pytest_guardrails._cassette import MODES, Cassette, Metadata, RecordedTransport, load, save
from pytest_guardrails._errors import ConfigError, MissingRecording

URL = "https://lasso.example/gateway/v3/classify"


def question(text: str = "hello", **others: Any) -> dict[str, Any]:
    """Return what is asked."""
    return {"messages": [{"role": "user", "content": text}], "messageType": "PROMPT", **others}


@pytest.fixture(params=[".yaml", ".json", ".jsonl"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return where a cassette will be, in each format."""
    return tmp_path / f"x{request.param}"


# Replay


def test_what_was_recorded_is_replayed(path: Path, send: Any, made: Any, closed: Any) -> None:
    """Status, headers and body come back in the caller's library, and say that they are recorded."""
    headers = (("content-type", "application/json"), ("retry-after", "7"), ("x-of-vcrpy", "kept"))
    save(path, Cassette((made(answer={"n": 1}, status=429, response_headers=headers, latency_ms=12.5),)))
    transport = RecordedTransport(path, inner=closed)
    response = send(transport, question(sessionId="another"))
    assert isinstance(response, send.library.Response)
    assert (response.status_code, response.headers["retry-after"], response.json()) == (429, "7", {"n": 1})
    assert response.extensions["guardrails"] == {"latency_ms": 12.5, "recorded": True, "key": transport.played[0]}
    assert response.request.extensions["guardrails"] == response.extensions["guardrails"]
    assert transport.unused == ()


def test_answers_play_in_order_and_the_last_repeats(path: Path, send: Any, made: Any, closed: Any) -> None:
    """Recordings of the same question are a sequence; what was not played yet is unused."""
    save(path, Cassette(tuple(made(answer={"n": n}) for n in range(3))))
    transport = RecordedTransport(path, inner=closed)
    assert send(transport, question()).json() == {"n": 0}
    assert [interaction.response_body for interaction in transport.unused] == [b'{"n": 1}', b'{"n": 2}']
    assert [send(transport, question()).json()["n"] for _ in range(4)] == [1, 2, 2, 2]
    assert len(transport.played) == 5


def test_the_order_of_recording_does_not_count(path: Path, send: Any, made: Any) -> None:
    """A question gets its own answer, whatever stands before it."""
    texts = ["a", "b", "c"]
    save(path, Cassette(tuple(made(text, {"text": text}) for text in texts)))
    transport = RecordedTransport(path)
    assert [send(transport, question(text)).json()["text"] for text in reversed(texts)] == ["c", "b", "a"]


@pytest.mark.parametrize(
    "name", ["ConnectError", "ConnectTimeout", "ReadTimeout", "RemoteProtocolError", "DecodingError"]
)
def test_a_recorded_failure_is_raised_again(path: Path, send: Any, made: Any, name: str) -> None:
    """A failure is of the caller's library, has the request, and counts as played."""
    save(path, Cassette((made(status=599, raises=name, latency_ms=3.0),)))
    transport = RecordedTransport(path)
    with pytest.raises(getattr(send.library, name)) as caught:
        send(transport, question())
    assert caught.value.request.extensions["guardrails"]["latency_ms"] == 3.0
    assert transport.unused == ()


@pytest.mark.parametrize("name", ["Client", "KeyboardInterrupt", "HTTPStatusError", "NoSuchThing", "__doc__"])
def test_an_unknown_failure_is_a_transport_error(path: Path, send: Any, made: Any, name: str) -> None:
    """A file cannot choose what is raised beyond the library's request errors."""
    save(path, Cassette((made(status=599, raises=name),)))
    with pytest.raises(send.library.TransportError):
        send(RecordedTransport(path), question())


def test_a_miss_cannot_be_swallowed(path: Path, send: Any, made: Any, closed: Any) -> None:
    """No ``except Exception`` sees a miss; it is latched with its whole text."""
    save(path, Cassette((made("hello"),)))
    transport = RecordedTransport(path, inner=closed)

    def guard() -> None:
        with contextlib.suppress(Exception):  # what a guard does that fails open
            send(transport, question("goodbye"))

    with pytest.raises(MissingRecording) as caught:
        guard()
    assert transport.misses == (str(caught.value),)
    assert '+      "content": "goodbye"' in str(caught.value)


def test_without_a_file_everything_misses(path: Path, send: Any, closed: Any) -> None:
    """A cassette that is not there answers nothing, opens no socket and is not made."""
    transport = RecordedTransport(path, inner=closed)
    with pytest.raises(MissingRecording, match="does not exist"):
        send(transport, question())
    assert transport.save() == 0
    assert list(path.parent.iterdir()) == []


def test_only_the_first_misses_are_compared(tmp_path: Path, made: Any) -> None:
    """A suite without its recordings is not slowed down by a thousand comparisons."""
    path = tmp_path / "x.jsonl"
    save(path, Cassette((made("hello"),)))
    transport = RecordedTransport(path)
    for number in range(25):
        with pytest.raises(MissingRecording):
            transport.handle_request(httpx.Request("POST", URL, json=question(str(number))))
    assert all(text.startswith("no recording answers POST") for text in transport.misses)
    assert [("nearest" in text) for text in transport.misses] == [True] * 20 + [False] * 5


def test_latency_is_taken_only_if_asked(tmp_path: Path, send: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``wait`` a replay takes the time of the recording, a failure as well; without, none."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setattr(anyio, "sleep", sleep)
    path = tmp_path / "x.yaml"
    save(path, Cassette((made(latency_ms=40.0), made("two", status=599, raises="ReadTimeout", latency_ms=500.0))))
    send(RecordedTransport(path), question())
    assert waited == []
    transport = RecordedTransport(path, wait=True)
    send(transport, question())
    with pytest.raises(send.library.ReadTimeout):
        send(transport, question("two"))
    assert waited == [0.04, 0.5]


def test_streams_and_other_methods_are_replayed(path: Path, made: Any) -> None:
    """A streamed response, and a request without a body."""
    save(path, Cassette((made(method="GET", request_body=b"", response_body="é".encode() * 5000),)))
    with httpx.Client(transport=RecordedTransport(path)) as client, client.stream("GET", URL) as response:
        assert b"".join(response.iter_bytes(7)) == "é".encode() * 5000


# Recording


def test_once_records_what_is_not_there_and_then_replays(path: Path, send: Any, service: Any, closed: Any) -> None:
    """The first run records everything, repeats included; the second one opens no socket."""
    live = service()
    recording = RecordedTransport(path, "once", inner=live)
    first = [send(recording, question(text)).json() for text in ("a", "a", "b")]
    assert [answer["n"] for answer in first] == [1, 2, 3]
    assert recording.save() == 3
    replay = RecordedTransport(path, "once", inner=closed)
    assert [send(replay, question(text)).json() for text in ("a", "a", "b")] == first
    with pytest.raises(MissingRecording):
        send(replay, question("c"))
    before = path.read_bytes()
    assert replay.save() == 0
    assert path.read_bytes() == before


def test_new_replays_what_is_there_and_records_the_rest(path: Path, send: Any, service: Any, made: Any) -> None:
    """What is recorded is not asked again, and stays."""
    save(path, Cassette((made("a", {"n": 0}),)))
    live = service()
    recording = RecordedTransport(path, "new", inner=live)
    assert [send(recording, question(text)).json()["n"] for text in ("a", "b", "a")] == [0, 1, 0]
    recording.save()
    assert len(live.calls) == 1
    assert sorted(item.response_body[:7] for item in load(path).interactions) == [b'{"n": 0', b'{"n":1,']


def test_all_records_everything_and_keeps_the_rest(path: Path, send: Any, service: Any, made: Any) -> None:
    """Answers to what was asked again are replaced, the others stay."""
    save(path, Cassette((made("a", {"n": 10}), made("a", {"n": 11}), made("b", {"n": 12}))))
    recording = RecordedTransport(path, "all", inner=service())
    assert send(recording, question("a")).json()["n"] == 1
    recording.save()
    found = {item.request_body: item.response_body for item in load(path).interactions}
    assert sorted(body[:8] for body in found.values()) == [b'{"n": 12', b'{"n":1,"']
    assert len(load(path).interactions) == 2


def test_verify_answers_from_the_recording_and_tells_the_difference(
    path: Path, send: Any, service: Any, made: Any
) -> None:
    """Live answers are compared and thrown away; nothing is written; what is not recorded is a miss, and not sent."""
    save(path, Cassette((made("a", {"violations_detected": True}), made("b"))))
    before = path.read_bytes()
    live = service(lambda n, body: {"violations_detected": False})
    transport = RecordedTransport(path, "verify", inner=live)
    assert send(transport, question("a")).json() == {"violations_detected": True}
    send(transport, question("b"))
    (drift,) = transport.drift
    assert (drift.kind, drift.what, drift.url) == ("verdict", "violations_detected true, now false", URL)
    with pytest.raises(MissingRecording):
        send(transport, question("c"))
    assert len(live.calls) == 2
    assert transport.save() == 0
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_verify_tells_a_failure(path: Path, send: Any, service: Any, made: Any) -> None:
    """A service that is gone is drift, and the recording is answered."""
    save(path, Cassette((made("a", {"n": 1}),)))
    transport = RecordedTransport(path, "verify", inner=service(lambda n, body: "ConnectError"))
    assert send(transport, question("a")).json() == {"n": 1}
    assert [(drift.kind, drift.what) for drift in transport.drift] == [
        ("error", "an answer was recorded, now ConnectError")
    ]


@pytest.mark.parametrize("mode", ["once", "new", "all", "verify"])
def test_nothing_is_sent_live_without_the_credential(
    tmp_path: Path, send: Any, service: Any, made: Any, mode: str
) -> None:
    """What would only get the answer to a missing key is refused before it is sent, and names the header alone."""
    path = tmp_path / "x.jsonl"
    if mode == "verify":
        save(path, Cassette((made(answer={"n": 1}),)))
    live = service()
    transport = RecordedTransport(path, mode, inner=live, credential="lasso-api-key")
    with pytest.raises(ConfigError, match="has no lasso-api-key"):
        send(transport, question())
    assert live.calls == []
    assert send(transport, json=question(), headers={"lasso-api-key": "k"}).status_code == 200
    assert len(live.calls) == 1


def test_replay_needs_no_credential(path: Path, send: Any, made: Any, closed: Any) -> None:
    """A recorded answer is given to whoever asks."""
    save(path, Cassette((made(answer={"n": 1}),)))
    assert send(RecordedTransport(path, inner=closed, credential="lasso-api-key"), question()).json() == {"n": 1}


@pytest.mark.parametrize("name", ["ConnectError", "ReadTimeout", "PoolTimeout", "RemoteProtocolError"])
def test_failures_are_recorded_and_raised(path: Path, send: Any, service: Any, closed: Any, name: str) -> None:
    """The caller gets the failure while it is recorded, and when it is replayed."""
    recording = RecordedTransport(path, "once", inner=service(lambda n, body: name))
    with pytest.raises(getattr(send.library, name)):
        send(recording, question())
    recording.save()
    (interaction,) = load(path).interactions
    assert (interaction.status, interaction.raises, interaction.latency_ms is not None) == (599, name, True)
    with pytest.raises(getattr(send.library, name)):
        send(RecordedTransport(path, inner=closed), question())


def test_what_a_recording_run_sees_is_what_replay_gives(path: Path, send: Any, service: Any) -> None:
    """Both runs get the same status, headers and body, compressed or not, text or bytes."""
    import gzip

    answers: list[dict[str, Any]] = [
        {"status_code": 200, "content": gzip.compress(b'{"a": 1}'), "headers": {"content-encoding": "gzip"}},
        {"status_code": 302, "headers": {"location": "https://h.example/", "set-cookie": "a=b"}},
        {"status_code": 200, "content": b"\xff\x00", "headers": {"content-type": "application/octet-stream"}},
        {"status_code": 500, "content": b""},
    ]
    recording = RecordedTransport(path, "once", inner=service(lambda n, body: answers[n - 1]))
    live = [send(recording, question(str(n))) for n in range(4)]
    recording.save()
    replay = RecordedTransport(path)
    again = [send(replay, question(str(n))) for n in range(4)]
    assert [(r.status_code, r.headers, r.content) for r in again] == [
        (r.status_code, r.headers, r.content) for r in live
    ]
    assert live[0].json() == {"a": 1}
    assert "set-cookie" not in live[1].headers


def test_an_answer_that_cannot_be_decoded_is_a_failure(path: Path, send: Any, service: Any) -> None:
    """Bad gzip is a DecodingError while recording and on replay."""
    bad = {"status_code": 200, "stream": send.library.ByteStream(b"no gzip"), "headers": {"content-encoding": "gzip"}}
    recording = RecordedTransport(path, "once", inner=service(lambda n, body: bad))
    with pytest.raises(send.library.DecodingError):
        send(recording, question())
    recording.save()
    with pytest.raises(send.library.DecodingError):
        send(RecordedTransport(path), question())


def test_no_credential_reaches_a_part_or_a_cassette(path: Path, send: Any, service: Any) -> None:
    """Neither the key of a request, nor a cookie, nor a parameter of the URL is written, not even for a moment."""
    secret = "s3cr" + "et"
    answer = {"status_code": 200, "json": {"n": 1}, "headers": {"set-cookie": secret}}
    recording = RecordedTransport(path, "once", inner=service(lambda n, body: answer))
    headers = {"lasso-api-key": secret, "authorization": f"Bearer {secret}", "cookie": secret}
    url = f"https://me:{secret}@lasso.example/x?api_key={secret}"
    send(recording, url=url, json=question(), headers=headers)
    (part,) = path.parent.iterdir()
    assert secret not in part.read_text()
    recording.save()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert secret not in path.read_text()


def test_metadata_say_what_it_is(path: Path, send: Any, service: Any) -> None:
    """Without a word, a recording is of now and from where it was asked; with one, it is what the caller says."""
    recording = RecordedTransport(path, "once", inner=service())
    send(recording, question())
    recording.save()
    found = load(path).metadata
    assert (found.kind, found.base_url, found.key_id) == ("recorded", "https://lasso.example", None)
    assert found.recorded_at is not None
    given = {
        "kind": "synthetic",
        "recorded_at": "2026-01-01",
        "base_url": "https://b.example",
        "api": "v3",
        "note": "n",
    }
    path.unlink()
    recording = RecordedTransport(path, "once", inner=service(), metadata=given)
    send(recording, question())
    recording.save()
    assert load(path).metadata == Metadata("synthetic", "2026-01-01", "https://b.example", "v3", "n")


@pytest.mark.parametrize("mode", ["new", "all"])
def test_a_synthetic_cassette_is_not_recorded_into(tmp_path: Path, made: Any, mode: str) -> None:
    """What is made up and what is real do not mix; it is refused before anything is sent."""
    path = tmp_path / "x.yaml"
    save(path, Cassette((made(),), Metadata("synthetic")))
    with pytest.raises(ConfigError, match="synthetic cassette"):
        RecordedTransport(path, mode)
    RecordedTransport(path, mode, metadata={"kind": "synthetic"})
    RecordedTransport(path, "verify")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"mode": "rewrite"}, "unknown mode of recording 'rewrite'"),
        ({"path": "x.har"}, "unknown suffix"),
        ({"metadata": {"kind": "made"}}, "unknown kind"),
        ({"metadata": {"apy": "v3"}}, "did you mean 'api'"),
        ({"part": "a/b"}, "name of a part"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    """Every option is checked when the transport is made."""
    options = {"path": "x.yaml", "mode": "none", **changes}
    with pytest.raises(ConfigError, match=problem):
        RecordedTransport(tmp_path / options.pop("path"), options.pop("mode"), **options)


def test_modes_are_those_of_the_option() -> None:
    """The names of the modes, sorted."""
    assert MODES == ("all", "new", "none", "once", "verify")


# Real connections


class Loopback:
    """A service on a real socket, which counts its connections."""

    def __init__(self) -> None:
        import http.server

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.url = f"http://127.0.0.1:{self.server.server_port}/echo"

    def __enter__(self) -> Loopback:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def test_live_requests_need_no_transport(tmp_path: Path, send: Any) -> None:
    """Without ``inner``, the request's own library sends; one transport serves client after client, loop after loop."""
    path = tmp_path / "x.yaml"
    with Loopback() as service:
        recording = RecordedTransport(path, "once")
        for text in ("a", "b"):
            assert send(recording, question(text), url=service.url).json() == question(text)
        recording.close()
    recording.save()
    replay = RecordedTransport(path)
    assert send(replay, question("b"), url=service.url).json() == question("b")


def test_a_refused_connection_is_recorded(tmp_path: Path, send: Any) -> None:
    """Nobody listens: a ConnectError, now and on replay."""
    import socket

    path = tmp_path / "x.yaml"
    with socket.socket() as unused:  # bound while we ask, so that no other server gets the port
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        recording = RecordedTransport(path, "once")
        for _ in range(2):
            with pytest.raises(send.library.ConnectError):
                send(recording, question(), url=url)
            recording.save()
            recording = RecordedTransport(path)


# Threads and processes


def test_eight_threads_record_and_replay_at_once(tmp_path: Path) -> None:
    """Nothing is lost, nobody gets another one's answer, and everything that was played is known."""
    path = tmp_path / "x.jsonl"

    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=request.content)

    def run(transport: RecordedTransport) -> list[Any]:
        wrong: list[Any] = []

        def work(thread: int) -> None:
            with httpx.Client(transport=transport) as client:
                for number in range(40):
                    body = question(f"{thread} {number}")
                    if client.post(URL, json=body).json() != body:
                        wrong.append(body)

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return wrong

    recording = RecordedTransport(path, "once", inner=httpx.MockTransport(echo))
    assert run(recording) == []
    assert recording.save() == 320
    replay = RecordedTransport(path)
    assert run(replay) == []
    assert (len(replay.played), len(set(replay.played)), replay.unused) == (320, 320, ())


RECORD = """
import sys, httpx
from pytest_guardrails._cassette import RecordedTransport
path, name = sys.argv[1:]
echo = httpx.MockTransport(lambda request: httpx.Response(200, content=request.content))
transport = RecordedTransport(path, "new", inner=echo, part=name)
with httpx.Client(transport=transport) as client:
    for n in range(50):
        client.post("https://lasso.example/", json={"messages": [{"role": "user", "content": f"{name} {n}"}]})
        if n % 10 == 9:
            transport.save()
"""


def test_two_processes_record_and_fold_at_once(tmp_path: Path) -> None:
    """Two processes that record into one cassette, and fold it while the other one records, lose nothing."""
    import subprocess
    import sys

    path = tmp_path / "x.jsonl"
    both = [subprocess.Popen([sys.executable, "-c", RECORD, str(path), name]) for name in ("gw0", "gw1")]  # noqa: S603
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(load(path).interactions) == 100
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_process_leaves_what_it_recorded(tmp_path: Path) -> None:
    """Without a save, everything is in the part, and a later run folds it in."""
    import subprocess
    import sys

    path = tmp_path / "x.yaml"
    code = RECORD.replace("transport.save()", "__import__('os')._exit(9)")
    assert subprocess.run([sys.executable, "-c", code, str(path), "gw0"], check=False).returncode == 9  # noqa: S603
    assert RecordedTransport(path, "once", inner=httpx.MockTransport(lambda r: httpx.Response(200))).save() == 10
    assert len(load(path).interactions) == 10


def test_many_coroutines_record_at_once(tmp_path: Path) -> None:
    """Concurrent requests of one loop are all recorded, each with its own answer."""
    path = tmp_path / "x.jsonl"

    async def echo(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(200, content=request.content)

    async def run(transport: RecordedTransport) -> list[Any]:
        async with httpx.AsyncClient(transport=transport) as client:
            return list(await asyncio.gather(*(client.post(URL, json=question(str(n))) for n in range(50))))

    recording = RecordedTransport(path, "once", inner=httpx.MockTransport(echo))
    assert [r.json() for r in asyncio.run(run(recording))] == [question(str(n)) for n in range(50)]
    assert recording.save() == 50
    assert [r.json() for r in asyncio.run(run(RecordedTransport(path)))] == [question(str(n)) for n in range(50)]
