"""The workers of a dask scheduler, on other machines."""

from __future__ import annotations

import logging
import socket
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from pytest_guardrails._errors import ConfigError, GuardrailsError
from pytest_guardrails._executors._work import do, parcel

CONNECT_S = 5
WORKERS_S = 10  # how long to wait for the first worker
PATIENCE_S = 60.0  # how long no worker may be there before the run gives up
REFRESH_S = 5.0  # how often to ask how many there are

log = logging.getLogger("pytest_guardrails")


class DaskPool:
    """The workers of the scheduler at ``address``, as many as there are at the time.

    The scheduler itself gives the work of a worker that dies to another one.
    """

    def __init__(self, function: bytes, address: str, packages: Mapping[str, str]) -> None:
        """Connect.

        Raises:
            ConfigError: where no scheduler answers, or it has no workers.
        """
        self._function = function
        self._address = address
        self._packages = packages
        self._client = _client(address)
        self._executor = self._client.get_executor()
        self._size = 0
        self._asked = self._seen = time.monotonic() - REFRESH_S

    def size(self) -> int:
        """Return how many threads all workers have, at least 1.

        Raises:
            GuardrailsError: where there was no worker for a minute.
        """
        now = time.monotonic()
        if now - self._asked >= REFRESH_S:
            self._asked, self._size = now, _threads(self._client)
        if self._size:
            self._seen = now
        elif now - self._seen > PATIENCE_S:
            raise GuardrailsError(f"the dask scheduler {self._address} has had no worker for {PATIENCE_S:.0f} s")
        return self._size or 1

    def submit(self, chunk: Sequence[Any]) -> Future[Any]:
        """Hand over a chunk."""
        with _quiet():
            future: Future[Any] = self._executor.submit(do, parcel(self._function, chunk, self._packages))
        return future

    def reopen(self) -> None:
        """Do nothing: the scheduler replaces workers."""

    def failure(self, exc: BaseException, samples: int) -> BaseException:
        """Return what to raise: a lost scheduler and a chunk that kills its workers in words of ours."""
        from distributed import KilledWorker

        if isinstance(exc, CancelledError):
            return GuardrailsError(f"the connection to the dask scheduler {self._address} was lost")
        if isinstance(exc, KilledWorker):
            return GuardrailsError(
                f"{exc.allowed_failures + 1} dask workers died while they judged the same {samples} sample(s): "
                "killed from outside, out of memory, or crashed by one of them; they have no result"
            )
        return exc

    def close(self, running: Sequence[Future[Any]]) -> None:
        """Withdraw what nobody waits for any more, and disconnect."""
        with _quiet():
            self._client.close(timeout=CONNECT_S)


def _client(address: str) -> Any:
    """Return a client of the scheduler at ``address``, which has a worker."""
    _refuse_unreachable(address)
    with _quiet() as said:
        client = _connected(address)
        try:
            client.wait_for_workers(1, timeout=WORKERS_S)
        except TimeoutError:
            client.close(timeout=CONNECT_S)
            raise ConfigError(f"the dask scheduler {address} has no workers: dask worker {address}") from None
    for warning in said:
        log.warning("dask: %s", warning.message)
    return client


def _refuse_unreachable(address: str) -> None:
    """Ask for a plain connection first: dask itself would try again and again."""
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=CONNECT_S).close()
    except OSError as exc:
        raise ConfigError(f"no dask scheduler answers at {address}: {exc}") from None


def _connected(address: str) -> Any:
    """Return a client, made in a thread: dask waits for ever for the first word of what it connects to."""
    from distributed import Client

    made: Future[Any] = Future()

    def make() -> None:
        try:
            made.set_result(Client(address, timeout=CONNECT_S, set_as_default=False))
        except Exception as exc:
            made.set_exception(exc)

    threading.Thread(target=make, daemon=True).start()
    try:
        return made.result(CONNECT_S + 1)
    except (OSError, ImportError, ValueError) as exc:
        said = str(exc) or f"no word in {CONNECT_S} s"
        raise ConfigError(f"what answers at {address} is no dask scheduler that can be used: {said}") from None


def _threads(client: Any) -> int:
    try:
        return sum(client.nthreads().values())
    except OSError:  # the futures say so too, and say it better
        return 0


@contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Keep dask's warnings (of other versions, of large chunks) from becoming errors where all warnings are errors."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield said
