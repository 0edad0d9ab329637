"""The site on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._history import Past
from pytest_guardrails._history._log import append
from pytest_guardrails.dashboard import Sources
from pytest_guardrails.dashboard._series import slug
from pytest_guardrails.dashboard._serve import serve

MakePast = Callable[..., Past]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str, Any]:
    """Return status, text and headers of an answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", method=method, headers=headers)
    try:
        with OPENER.open(request, timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


@pytest.fixture
def port(sources: Callable[..., Sources], past: MakePast) -> Iterator[int]:
    """Serve a history of one run."""
    server, _ = serve(sources([past(0)]), 0)
    yield server.port
    server.stop()


def test_it_serves_the_pages(port: int) -> None:
    """The first page, a page by its name, the badge and the CSV, each with its type; nothing is stored."""
    status, text, headers = get(port, "")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["cache-control"] == "no-store"
    assert "guard.yaml" in text
    assert "connect-src 'self'" in text
    assert get(port, f"{slug('guard.yaml')}.html?x=1")[0] == 200
    assert get(port, "badge.svg")[2]["content-type"] == "image/svg+xml"
    assert get(port, f"{slug('guard.yaml')}.csv")[2]["content-type"].startswith("text/csv")
    assert get(port, "", "HEAD")[:2] == (200, "")


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/x", "history.jsonl", "index.html/", "//etc/passwd"])
def test_it_serves_nothing_else(port: int, path: str) -> None:
    """A path is a name in the site, or nothing."""
    assert get(port, path)[0] == 404


def test_it_answers_to_its_own_address_alone(port: int) -> None:
    """A name that was made to point here reads nothing; nothing can be changed."""
    assert get(port, "", host="evil.example")[0] == 421
    assert get(port, "", host=f"localhost:{port}")[0] == 200
    assert get(port, "", "POST")[0] == 405


def test_it_follows_the_history(sources: Callable[..., Sources], past: MakePast) -> None:
    """A run that arrives changes the version that pages ask for, and the pages; one that goes changes nothing."""
    source = sources([past(0)])
    assert isinstance(source.history, Path)
    server, _ = serve(source, 0)
    try:
        first = json.loads(get(server.port, "version.json")[1])
        assert json.loads(get(server.port, "version.json")[1]) == first
        append(source.history, past(1, "2 (new)"))
        second = json.loads(get(server.port, "version.json")[1])
        assert second != first
        assert "2 (new)" in get(server.port, "")[1]
        source.history.unlink()
        assert json.loads(get(server.port, "version.json")[1]) == second, "what was shown stays"
        append(source.history, past(1, "3 (back)"))
        assert "3 (back)" in get(server.port, "")[1]
    finally:
        server.stop()


def test_a_report_that_cannot_be_read_is_told(sources: Callable[..., Sources], past: MakePast, tmp_path: Path) -> None:
    """A link to nowhere in the folder of reports is a line of the first page, and stops nothing."""
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "gone.json").symlink_to(tmp_path / "nowhere")
    server, served = serve(sources([past(0)], runs), 0)
    try:
        assert [problem.partition(":")[0] for problem in served.problems] == ["gone.json"]
        assert get(server.port, "")[0] == 200
        (runs / "gone.json").unlink()
        assert "gone.json" not in get(server.port, "")[1]
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_told_to_stop(
    sources: Callable[..., Sources], past: MakePast, number: signal.Signals
) -> None:
    """It prints its address, answers there, and exits 0 on Ctrl-C and on SIGTERM."""
    command = [sys.executable, "-m", "pytest_guardrails.cli", "serve", str(sources([past(0)]).history)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("http://127.0.0.1:")
            assert get(int(line.split(":")[2].partition("/")[0]), "")[0] == 200
        finally:
            process.send_signal(number)
            status = process.wait(60)
    assert status == 0


def test_a_port_that_is_taken_is_told(port: int, sources: Callable[..., Sources], capsys: Any) -> None:
    """Exit status 1; a history that is not there is 2."""
    from pytest_guardrails.cli import main

    assert main(["serve", str(sources([]).history), "--port", str(port)]) == 1
    assert capsys.readouterr().err == f"port {port}: Address already in use; without --port a free one is taken\n"
    assert main(["serve", "nowhere.jsonl"]) == 2
    assert capsys.readouterr().err == "nowhere.jsonl: cannot read the history: No such file or directory\n"
    assert main(["serve", str(sources([]).history), "--port", "70000"]) == 2
