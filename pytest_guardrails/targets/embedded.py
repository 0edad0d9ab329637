"""The embedded engine: guardrails from a configuration, run in this process; and an upstream that records."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_guardrails import _config
from pytest_guardrails._engine import Upstream, echo, run
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Check, Guardrail, GuardVersion, Message, Request, Response, Trace


class Engine:
    """Guardrails, ready to run: immutable, and safe to use from many threads at once."""

    __slots__ = ("_guardrails", "_source", "_version")

    def __init__(
        self,
        guardrails: Iterable[Guardrail] = (),
        *,
        version: GuardVersion | str | None = None,
        source: str = "python",
    ) -> None:
        """Take guardrails in the order in which they run; ``version`` is declared, or a whole `GuardVersion`.

        Raises:
            ConfigError: where an id is there twice in one phase.
        """
        self._guardrails = tuple(guardrails)
        seen = set()
        for guardrail in self._guardrails:
            if not isinstance(guardrail, Guardrail):
                raise ConfigError(f"Engine(guardrails=...) takes guardrails, not {type(guardrail).__name__}")
            if (guardrail.phase, guardrail.id) in seen:
                raise ConfigError(f"guardrail {guardrail.id!r} is there twice in {guardrail.phase.value}")
            seen.add((guardrail.phase, guardrail.id))
        if not isinstance(version, GuardVersion):
            version = _config.version_of(self._guardrails, version)
        self._version: GuardVersion = version
        self._source = source

    @classmethod
    def from_file(cls, path: str | Path) -> Engine:
        """Read a configuration file, YAML or JSON.

        Raises:
            ConfigError: where it cannot be read or meant, with file, line and column.
        """
        return cls.from_configuration(_config.load(path))

    @classmethod
    def from_config(cls, mapping: Mapping[str, Any]) -> Engine:
        """Read a configuration that is already Python data.

        Raises:
            ConfigError: where it cannot be meant, with a path such as ``input_guardrails[0].checks[1]``.
        """
        return cls.from_configuration(_config.read(mapping))

    @classmethod
    def from_configuration(cls, configuration: _config.Configuration) -> Engine:
        """Take a configuration that has been read."""
        return cls(configuration.guardrails, version=configuration.version, source=configuration.source)

    def connected(self, transport: Any, session_id: Callable[[], str] | None = None) -> Engine:
        """Return this engine with ``transport`` (httpx's) for every check that asks an API and has none of its own.

        ``session_id`` gives the conversation of each request, so that a recording does not change without need.
        """
        guardrails = [
            replace(guardrail, checks=tuple(_connected(check, transport, session_id) for check in guardrail.checks))
            for guardrail in self._guardrails
        ]
        return Engine(guardrails, version=self._version, source=self._source)

    @property
    def guardrails(self) -> tuple[Guardrail, ...]:
        """The guardrails, in the order in which they run."""
        return self._guardrails

    @property
    def version(self) -> GuardVersion:
        """What decides: declared version, hash of the effective configuration, packages."""
        return self._version

    @property
    def source(self) -> str:
        """Where the configuration came from: a file's path, ``inline`` or ``python``."""
        return self._source

    def run(self, request: Request | str | Iterable[Any], upstream: Upstream | None = None) -> Trace:
        """Send a request (or its messages, or the text of a user) through the guardrails.

        ``upstream`` is the model behind them, by default an echo of the last message. What it raises passes through.

        Raises:
            ConfigError: for a request that cannot be read.
        """
        __tracebackhide__ = True
        return run(self._guardrails, Request.of(request), echo if upstream is None else upstream)


def _connected(check: Check, transport: Any, session_id: Callable[[], str] | None) -> Check:
    connect = getattr(check, "connected", None)
    return connect(transport, session_id) if connect else check


class RecordingUpstream:
    """A model that records what it receives and answers from a script, else with an echo; safe in threads.

    ``replies``: a text, a `Response`, or a list of chunks for a stream, each used once; the last one repeats.
    """

    def __init__(self, *replies: str | Response | Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._replies: list[str | Response | tuple[str, ...]] = []
        self.reply(*replies)

    def __call__(self, request: Request) -> Any:
        """Record the request, and answer."""
        with self._lock:  # so that each reply is used once
            self._requests.append(request)
            position = min(len(self._requests), len(self._replies)) - 1
            return self._replies[position] if position >= 0 else echo(request)

    def reply(self, *replies: str | Response | Iterable[str]) -> RecordingUpstream:
        """Add scripted replies, in the order in which they are used."""
        self._replies += [r if isinstance(r, str | Response) else tuple(r) for r in replies]
        return self

    def snapshot(self) -> Callable[[], None]:
        """Return a function that puts back what was received and scripted so far, as often as it is called."""
        requests, replies = tuple(self._requests), tuple(self._replies)

        def put_back() -> None:
            self._requests[:], self._replies[:] = requests, replies

        return put_back

    def reset(self) -> None:
        """Forget what was received and scripted."""
        self._requests.clear()
        self._replies.clear()

    @property
    def requests(self) -> tuple[Request, ...]:
        """What was received, in order."""
        return tuple(self._requests)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of the last message of each request received."""
        return tuple(request.text for request in self._requests)


def scripted(response: tuple[str, ...] | None, *, stream: bool) -> Callable[[Request], Any]:
    """Return the upstream of a case: its ``response`` as one choice per text, or as the chunks of a stream."""
    if response is None:
        return echo
    if stream:
        return lambda _request: response
    return lambda _request: Response(tuple(Message("assistant", text) for text in response))
