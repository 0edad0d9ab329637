"""Threads and processes of this machine, behind one small interface."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from typing import Any, Protocol

from pytest_guardrails._executors._work import do, packed, parcel

GRACE_S = 5.0  # how long to wait for threads that nobody needs any more: they cannot be stopped


class Pool(Protocol):
    """Workers that take chunks."""

    def size(self) -> int:
        """Return how many chunks it can work on at once, at least 1; raise if it will never work on any."""

    def submit(self, chunk: Sequence[Any], /) -> Future[Any]:
        """Hand over a chunk; raise `BrokenExecutor` if the workers are gone."""

    def reopen(self) -> None:
        """Start anew after a `BrokenExecutor`; the futures of before are all done afterwards."""

    def failure(self, exc: BaseException, samples: int, /) -> BaseException:
        """Return what to raise for what a future of so many samples raised."""

    def close(self, running: Sequence[Future[Any]], /) -> None:
        """Stop the workers; ``running`` are futures that nobody waits for any more."""


class ThreadPool:
    """Threads of this process."""

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        self._function = function
        self._workers = workers
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="guardrails")

    def size(self) -> int:
        """Return the number of threads."""
        return self._workers

    def submit(self, chunk: Sequence[Any]) -> Future[Any]:
        """Hand over a chunk."""
        return self._executor.submit(self._function, chunk)

    def reopen(self) -> None:
        """Do nothing: threads do not die alone."""

    def failure(self, exc: BaseException, _samples: int) -> BaseException:
        """Return the exception as it is."""
        return exc

    def close(self, running: Sequence[Future[Any]]) -> None:
        """Drop what waits, and give what runs a few seconds."""
        self._executor.shutdown(wait=not running, cancel_futures=True)
        wait([future for future in running if not future.cancelled()], timeout=GRACE_S)


class ProcessPool:
    """Fresh interpreters on this machine; they end with this process, however it ends.

    They are spawned and never forked: a fork of a process with threads can hang, and would share its connections.
    """

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        self._function = packed(function)
        self._workers = workers
        self._executor = self._open()

    def _open(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, mp_context=context, initializer=_start)

    def size(self) -> int:
        """Return the number of processes."""
        return self._workers

    def submit(self, chunk: Sequence[Any]) -> Future[Any]:
        """Hand over a chunk."""
        return self._executor.submit(do, parcel(self._function, chunk, {}))

    def reopen(self) -> None:
        """Start new processes in place of a pool that broke."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._executor = self._open()

    def failure(self, exc: BaseException, _samples: int) -> BaseException:
        """Return the exception as it is."""
        return exc

    def close(self, running: Sequence[Future[Any]]) -> None:
        """Stop the processes, in the middle of their work where nobody waits for it."""
        processes = list((self._executor._processes or {}).values()) if running else []
        self._executor.shutdown(wait=not running, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(GRACE_S)


def _start() -> None:
    """Prepare a worker: Ctrl-C is the main process's to handle, and without that one a worker has nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def dask_pool(function: Callable[[Any], Any], address: str, packages: Mapping[str, str]) -> Pool:
    """Return the workers of a dask scheduler."""
    from pytest_guardrails._executors._dask import DaskPool

    return DaskPool(packed(function), address, packages)
