"""What answers a guard that asks an API, as pytest sees it: made when a test first needs it, refused when it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from pytest_guardrails._errors import MissingRecording, VerdictMismatch
from pytest_guardrails._failures import failure_repr
from pytest_guardrails._marker import fault_of
from pytest_guardrails.targets.embedded import Engine

if TYPE_CHECKING:
    from pytest_guardrails._recording import Recordings
    from pytest_guardrails.servers import LassoServer


class Answers:
    """The recordings and the Lasso stand-in of one pytest process; neither is made, or imported, before its time."""

    def __init__(self, config: pytest.Config, item_key: pytest.StashKey[pytest.Item], show: Callable[[str], str]):
        self._config = config
        self._item_key = item_key  # under which the config's stash has the test that runs
        self._show = show
        self._made: Recordings | None = None
        self._server: LassoServer | None = None
        self._shown: set[str] = set()

    @property
    def recordings(self) -> Recordings:
        """The recorded answers of this process; httpx is imported here."""
        if self._made is None:
            from pytest_guardrails._recording import Recordings

            self._made = Recordings(self._config, lambda: self._config.stash.get(self._item_key, None), self._show)
        return self._made

    @property
    def server(self) -> LassoServer:
        """The Lasso stand-in, on a loopback socket."""
        if self._server is None:
            from pytest_guardrails.servers import LassoServer

            self._server = LassoServer()
            self._server.start()
        return self._server

    def connected(self, engine: Engine) -> Engine:
        """Return an engine whose checks are answered here where they ask an API."""
        if not any(hasattr(check, "connected") for guardrail in engine.guardrails for check in guardrail.checks):
            return engine
        return engine.connected(self.recordings.transport, self.recordings.session_id)

    def replays(self, engine: Engine) -> bool:
        """True if all that the engine's checks ask an API is answered from recordings: nothing is ever sent."""
        asking = [check for rail in engine.guardrails for check in rail.checks if hasattr(check, "connected")]
        if not asking:
            return True
        ours = all(getattr(check, "transport", None) is self.recordings.transport for check in asking)
        return ours and self._config.getoption("guardrails_record") == "none"

    @contextmanager
    def aside(self, item: pytest.Item) -> Iterator[None]:
        """Answer what is asked inside as when the test began; then go on as if nothing had been asked."""
        if self._server is not None:
            self._server.reset()
        with self._made.aside(item) if self._made is not None else nullcontext():
            yield

    def begin(self, item: pytest.Item) -> None:
        """Say which test runs, and forget what the one before did to the stand-in and was answered."""
        self._config.stash[self._item_key] = item
        if self._server is not None:
            self._server.reset()
        if self._made is not None:
            self._made.forget()

    def missed(self, item: pytest.Item) -> bool:
        """True if a guard asked for something that is not recorded, whatever became of the exception."""
        exchange = self._made.of(item) if self._made else None
        return bool(exchange and exchange.misses)

    def refuse_misses(self, item: pytest.Item) -> None:
        """Raise a miss again that the guard or the test swallowed.

        Raises:
            MissingRecording: where there is one that has not failed the test.
        """
        __tracebackhide__ = True
        exchange = self._made.of(item) if self._made else None
        if exchange is not None and exchange.misses and item.nodeid not in self._shown:
            raise exchange.misses[0]

    def unmet_fault(self, item: pytest.Item) -> str | None:
        """Return the fault of a test that no request has met."""
        fault = fault_of(item)
        if fault is None:
            return None
        exchange = self._made.of(item) if self._made else None
        met = exchange is not None and exchange.fault is not None and exchange.fault.calls > 0
        return None if met else fault[0]

    def refuse_unmet_fault(self, item: pytest.Item) -> None:
        """Fail a test whose fault no request has met: its guard did not ask the API.

        Raises:
            VerdictMismatch: where that is so.
        """
        __tracebackhide__ = True
        if (fault := self.unmet_fault(item)) is not None:
            raise VerdictMismatch(
                f"the fault {fault!r} was never met: no request of this test reached the API that it spoils"
            )

    def attach(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Show a miss without a stack, and at the end of a test tell what it played."""
        if call.excinfo is not None and isinstance(call.excinfo.value, MissingRecording):
            self._shown.add(item.nodeid)
            file, line, _ = item.location
            report.longrepr = failure_repr(str(call.excinfo.value), file, (line or 0) + 1)
        if call.when == "teardown":
            self.ride(report, item)

    def ride(self, report: pytest.TestReport, item: pytest.Item) -> None:
        """Keep which recordings a test played, or from an xdist worker put that onto its report."""
        riding = self._made.riding(item) if self._made else None
        if riding is None:
            return
        if hasattr(self._config, "workerinput"):
            report.guardrails_recording = riding  # type: ignore[attr-defined]  # reports carry what plugins give them
        else:
            self.recordings.gather(riding)

    def finish(self) -> tuple[list[str], bool]:
        """Stop the stand-in and fold recordings into their cassettes; return what to say, and if answers drifted."""
        if self._server is not None:
            self._server.stop()
        if self._made is None and self._config.getoption("guardrails_record") == "none":
            return [], False
        return self.recordings.finish()

    def gather(self, riding: dict[str, Any]) -> None:
        """Keep what rode on a report from a worker."""
        self.recordings.gather(riding)
