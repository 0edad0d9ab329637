"""The site from memory on loopback, built anew when its history has changed."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from pathlib import Path

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history import mark
from pytest_guardrails.dashboard._files import INDEX
from pytest_guardrails.dashboard._page import VERSION_FILE
from pytest_guardrails.dashboard._site import Site, Sources, build
from pytest_guardrails.servers._http import Answer, HttpServer, Incoming

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
}
_ALWAYS = (("cache-control", "no-store"), ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"))


class Served:
    """A site that follows its sources; safe for many threads.

    Raises:
        ConfigError: where there is no history.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lock = threading.Lock()
        self._mark = self._now()
        self._site, self.problems = build(sources, live=True)
        self._version = _version(self._site)

    def _now(self) -> object:
        runs = self._sources.runs
        listed = sorted((str(path), _changed(path)) for path in runs.glob("**/*.json")) if runs is not None else []
        return mark(self._sources.history), listed

    def look(self) -> tuple[Site, str]:
        """Return the site and its version, both new where the history has changed.

        Where it cannot be read just now, what was shown stays.
        """
        with self._lock:
            try:
                now = self._now()
                if now != self._mark:
                    self._site, self.problems = build(self._sources, live=True)
                    self._mark, self._version = now, _version(self._site)
            except (ConfigError, OSError) as exc:
                if self._mark is not None:
                    print(f"not refreshed: {exc}", file=sys.stderr)
                self._mark = None  # look again, and say it once
            return self._site, self._version

    def respond(self, incoming: Incoming, port: int) -> Answer:
        """Answer one request: a file of the site, by its exact name, to a browser that asked this address."""
        if incoming.headers.get("host", "") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
            return _plain(421, "this server is 127.0.0.1 alone")  # another name that was made to point here
        if incoming.method not in ("GET", "HEAD"):
            return _plain(405, "GET alone")
        site, version = self.look()
        path = incoming.path.partition("?")[0].removeprefix("/") or INDEX
        if path == VERSION_FILE:
            return _answer(path, json.dumps({"version": version}).encode())
        content = site.get(path)
        if content is None:
            return _plain(404, "there is no such page")
        try:
            return _answer(path, content.read_bytes() if isinstance(content, Path) else content)
        except OSError:
            return _plain(404, "the report is gone")


def serve(sources: Sources, port: int) -> tuple[HttpServer, Served]:
    """Serve on 127.0.0.1, on any free port for 0, until the server is stopped.

    Raises:
        ConfigError: where there is no history, or for no port.
        OSError: where the port is taken.
    """
    served = Served(sources)
    server = HttpServer(lambda incoming: served.respond(incoming, server.port), port=port)
    return server, served


def _changed(path: Path) -> int:
    """Return when a report was written; of one that is gone, or a link to nowhere, a time that none has."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def _answer(path: str, content: bytes) -> Answer:
    return Answer(200, (*_ALWAYS, ("content-type", _TYPES[Path(path).suffix])), content)


def _plain(code: int, said: str) -> Answer:
    return Answer(code, (*_ALWAYS, ("content-type", "text/plain; charset=utf-8")), f"{said}\n".encode())


def _version(site: Site) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, content in sorted(site.items()):
        digest.update(name.encode() + b"\0")
        digest.update(content if isinstance(content, bytes) else b"")
    return digest.hexdigest()
