"""``pytest-guardrails lasso-server``: a stand-in by hand, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pytest_guardrails.cli import _parser
from pytest_guardrails.servers import LassoServer
from pytest_guardrails.servers._command import serve_lasso

BODY = {"messages": [{"role": "user", "content": "hello"}]}


def parsed(*arguments: str) -> argparse.Namespace:
    """Return the arguments as the command line reads them."""
    return _parser().parse_args(["lasso-server", *arguments])


def started(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start the command, and return what it says of itself."""
    command = [sys.executable, "-m", "pytest_guardrails.cli", "lasso-server", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    said: dict[str, str] = {}
    for line in process.stdout or ():
        if line.startswith("  -d"):  # the last line
            break
        name, _, value = line.strip().partition("  ")
        said[name] = value.strip()
    return process, said


def ended(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """Tell the command to stop, and return its exit status."""
    process.send_signal(number)
    process.communicate()
    return process.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    """It prints where it is and its key, answers there, and exits 0 on Ctrl-C and on SIGTERM."""
    process, said = started()
    try:
        url = f"{said['base URL']}/classify"
        answer = httpx.post(url, json=BODY, headers={"lasso-api-key": said["key"]}, trust_env=False)
        assert answer.json()["violations_detected"] is False
        assert httpx.post(url, json=BODY, trust_env=False).status_code == 401
    finally:
        status = ended(process, number)
    assert status == 0


def test_a_key_that_was_given_is_not_printed() -> None:
    """A given key works, and only a random one is shown; a fault is met at the printed URL."""
    key = "-".join(["key", "of", "mine"])
    process, said = started("--key", key, "--fault", "http_503")
    try:
        url = f"{said['base URL']}/classify"
        assert httpx.post(url, json=BODY, headers={"lasso-api-key": key}, trust_env=False).status_code == 503
    finally:
        ended(process, signal.SIGTERM)
    assert said["key"] == "as given"
    assert said["fault"] == "http_503"
    assert key not in str(said)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fault", "http503"), "unknown fault 'http503'; did you mean 'http_503'"),
        (("--rules", "gone.yaml"), "gone.yaml: cannot read the rules"),
        (("--cassette", "gone.yaml"), "gone.yaml: cannot read the cassette"),
        (("--port", "99999"), "a port is a number from 0 (any free one) to 65535, not 99999"),
    ],
)
def test_what_cannot_be_served_exits_1(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A mistake is told on standard error, with exit status 1, and signals mean again what they meant."""
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert serve_lasso(parsed(*arguments)) == 1
    assert message in capsys.readouterr().err
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_port_that_is_taken_exits_1(server: LassoServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A taken port is told on standard error, without a traceback."""
    assert serve_lasso(parsed("--port", str(httpx.URL(server.url).port))) == 1
    assert "in use" in capsys.readouterr().err
