"""Record every cassette of this project anew: the real client and checks, against the loopback stand-in.

    python cassettes/record.py [FOLDER]

With a FOLDER the cassettes are written there, under their names. They are synthetic: nothing in them was said by the
live API. Their URLs are the vendor's, so that they replay where no LASSO_API_BASE is set.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from pytest_guardrails import Engine, RecordedTransport
from pytest_guardrails._cases import load
from pytest_guardrails._faults import FaultTransport, fault_named
from pytest_guardrails.servers import LassoServer
from pytest_guardrails.targets.embedded import scripted

ROOT = Path(__file__).resolve().parent.parent
SUITES = (
    ROOT / "pytest_guardrails/packs/lasso_verdicts/verdicts.guardrails.yaml",
    ROOT / "pytest_guardrails/packs/lasso_verdicts/masking.guardrails.yaml",
    ROOT / "examples/lasso/chat.guardrails.yaml",
)
METADATA = {
    "kind": "synthetic",
    "recorded_at": "2026-11-21T00:00:00+00:00",
    "base_url": "https://server.lasso.security",
    "api": "v3",
    "note": "answers of the loopback stand-in pytest_guardrails.servers.LassoServer",
}


class ToServer(httpx.HTTPTransport):
    """Sends every request to the stand-in, whatever host it names, and leaves the latency of the machine out."""

    def __init__(self, server: LassoServer) -> None:
        super().__init__()
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the stand-in, with its key."""
        url = httpx.URL(self._server.url + request.url.raw_path.decode())
        headers = {**request.headers, "host": url.netloc.decode(), "lasso-api-key": self._server.api_key}
        return super().handle_request(httpx.Request("POST", url, headers=headers, content=request.read()))


def record(suite_file: Path, folder: Path | None = None) -> Path:
    """Record the cassette of a case file, and return its path."""
    suite = load(suite_file)
    assert suite.cassette is not None and suite.guardrails is not None  # noqa: S101, PT018 - these suites name both
    stored = suite_file.parent / str(suite.cassette.value)
    rules = suite_file.with_name("rules.yaml")
    engine = Engine.from_file(suite_file.parent / str(suite.guardrails.value))
    with tempfile.TemporaryDirectory() as work, LassoServer(rules if rules.exists() else None) as server:
        fresh = Path(work) / stored.name
        transport = RecordedTransport(fresh, "all", inner=ToServer(server), metadata=METADATA)
        for case in suite.cases:
            spoilt: Any = transport
            if case.fault is not None:
                spoilt = FaultTransport(fault_named(case.fault), transport, case.fault_on_call)
            engine.connected(spoilt, lambda: "01HF3Z7YVDN0SGKPVJ9BQ6RPXE").run(
                case.request, scripted(case.response, stream=case.request.stream)
            )
        transport.close()
        transport.save()
        target = (folder / stored.name) if folder else stored
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(fresh, target)
    return target


if __name__ == "__main__":
    for suite_file in SUITES:
        print(record(suite_file, Path(sys.argv[1]) if len(sys.argv) > 1 else None))
