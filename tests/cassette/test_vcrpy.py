"""The interchange: vcrpy replays our cassettes, and we replay vcrpy's and pytest-recording's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr
import yaml
from vcr.record_mode import RecordMode

from pytest_guardrails._cassette import Cassette, Metadata, RecordedTransport, load, save
from pytest_guardrails._errors import MissingRecording

URL = "https://lasso.example/gateway/v3/classify"
SUFFIXES = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}


def recorder(suffix: str, mode: RecordMode = RecordMode.NONE) -> vcr.VCR:
    """Return a recorder that matches on the body."""
    return vcr.VCR(serializer=SUFFIXES[suffix], record_mode=mode, match_on=["method", "uri", "body"])


def question(text: str) -> dict[str, Any]:
    """Return what is asked."""
    return {"messages": [{"role": "user", "content": text}], "messageType": "PROMPT"}


def asked(library: Any, text: str) -> Any:
    """Ask through a client that nothing was given to."""
    with library.Client() as client:
        return client.post(URL, json=question(text))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_vcrpy_replays_ours(tmp_path: Path, made: Any, suffix: str, name: str) -> None:
    """A cassette of ours answers under ``vcr.use_cassette``, matched on the body, sync and async."""
    library: Any = pytest.importorskip(name)
    path = tmp_path / f"x{suffix}"
    interactions = tuple(
        made(text, {"said": text}, request_body=httpx.Request("POST", URL, json=question(text)).content, latency_ms=5.0)
        for text in ("héllo", "two")
    )
    failed = made("three", status=599, raises="ReadTimeout", response_body=b"")
    save(path, Cassette((*interactions, failed), Metadata("synthetic", note="made up")))
    with recorder(suffix).use_cassette(str(path)):
        assert asked(library, "two").json() == {"said": "two"}
        assert asked(library, "héllo").json() == {"said": "héllo"}

        async def run() -> Any:
            async with library.AsyncClient() as client:
                return await client.post(URL, json=question("two"))

    with recorder(suffix).use_cassette(str(path)):
        assert asyncio.run(run()).json() == {"said": "two"}


def test_latency_and_failures_survive_vcrpy(tmp_path: Path, made: Any) -> None:
    """When vcrpy rewrites our file, what it has no word for stays on the interactions."""
    path = tmp_path / "x.yaml"
    save(path, Cassette((made(latency_ms=5.0), made("two", status=599, raises="ReadTimeout"))))
    cassette = vcr.cassette.Cassette.load(path=str(path), record_mode=RecordMode.ALL)
    cassette._save(force=True)
    assert [(item.latency_ms, item.raises) for item in load(path).interactions] == [(5.0, None), (None, "ReadTimeout")]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_we_replay_what_vcrpy_recorded(tmp_path: Path, send: Any, suffix: str, closed: Any) -> None:
    """A cassette that vcrpy recorded answers here, each question its own answer."""
    path = tmp_path / f"x{suffix}"

    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=request.content, headers={"x-served-by": "vcrpy"})

    with (
        recorder(suffix, RecordMode.ONCE).use_cassette(str(path)),
        httpx.Client(transport=httpx.MockTransport(echo)) as client,
    ):
        for text in ("one", "twö", "three"):
            client.post(URL, json=question(text), headers={"lasso-api-key": "k"})
    assert load(path).metadata == Metadata("recorded")
    transport = RecordedTransport(path, inner=closed)
    assert [send(transport, question(text)).json() for text in ("three", "twö")] == [question("three"), question("twö")]
    assert send(transport, question("one")).headers["x-served-by"] == "vcrpy"
    with pytest.raises(MissingRecording):
        send(transport, question("four"))


def test_metadata_of_vcrpy_are_kept(tmp_path: Path, made: Any) -> None:
    """What vcrpy's users store in a cassette survives our rewriting it."""
    path = tmp_path / "x.yaml"
    save(path, Cassette((made(),), foreign={"seed": 5}))
    assert vcr.cassette.Cassette.load(path=str(path)).get_metadata("seed", 0) == 5
    save(path, load(path))
    assert yaml.safe_load(path.read_text())["metadata"] == {"seed": 5}


PLUGIN_TEST = """
import httpx, pytest

@pytest.mark.vcr("{path}")
@pytest.mark.block_network
def test_it():
    with httpx.Client() as client:
        body = {body!r}
        assert client.post({url!r}, json=body).json() == {{"said": "one"}}
"""


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_pytest_recording_replays_ours(tmp_path: Path, made: Any, suffix: str) -> None:
    """pytest-recording, which fails on vcrpy's own metadata, replays a cassette of ours with its metadata."""
    pytest.importorskip("pytest_recording")
    path = tmp_path / f"x{suffix}"
    save(path, Cassette((made("one", {"said": "one"}),), Metadata("synthetic")))
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n\n@pytest.fixture(scope='module')\ndef vcr_config():\n"
        f"    return {{'serializer': {SUFFIXES[suffix]!r}}}\n"
    )
    (tmp_path / "test_it.py").write_text(PLUGIN_TEST.format(path=path, body=question("one"), url=URL))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:guardrails", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603
    assert run.returncode == 0, run.stdout


def test_we_replay_what_pytest_recording_recorded(tmp_path: Path, send: Any) -> None:
    """The cassette of a test that pytest-recording wrote answers here."""
    pytest.importorskip("pytest_recording")
    (tmp_path / "test_it.py").write_text(
        "import httpx, pytest\n\n\n@pytest.mark.vcr\ndef test_it():\n"
        "    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=request.content))\n"
        f"    httpx.Client(transport=transport).post({URL!r}, json={question('one')!r})\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:guardrails"]
    command += ["--record-mode=once", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)  # noqa: S603
    assert run.returncode == 0, run.stdout
    transport = RecordedTransport(tmp_path / "cassettes" / "test_it" / "test_it.yaml")
    assert send(transport, question("one")).json() == question("one")
