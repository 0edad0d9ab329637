"""A moving window over chunks: few in flight, results in order, and nothing lost with a worker that dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_guardrails._errors import GuardrailsError
from pytest_guardrails._executors._pace import Pace

if TYPE_CHECKING:
    from pytest_guardrails._executors._pools import Pool

PER_WORKER = 2  # one chunk to work on, and one that waits for it
MOST_TRIES = 3
LOOK_AGAIN_S = 5.0  # how often to ask a pool, while nothing comes, whether anything will


@dataclass(slots=True, eq=False)
class _Job:
    """A chunk, what it waits for (None: to be submitted again), and how many times its worker died."""

    chunk: Sequence[Any]
    future: Future[Any] | None = None
    lost: int = 0


class Window:
    """Chunks that were submitted and whose results were not yet taken, oldest first."""

    def __init__(
        self, pool: Pool, chunks: Iterator[Sequence[Any]], *, concurrency: int | None = None, pace: Pace | None = None
    ) -> None:
        self._pool = pool
        self._chunks = chunks
        self._concurrency = concurrency
        self._pace = pace
        self._jobs: deque[_Job] = deque()

    def results(self) -> Iterator[Any]:
        """Yield the result of each chunk, in order.

        Raises:
            GuardrailsError: where the workers of one chunk died three times.
        """
        try:
            while self._fill():
                finished = self._finished()
                if any(isinstance(self._exception(job), BrokenExecutor) for job in finished):
                    self._recover()
                elif finished and finished[0] is self._jobs[0]:
                    yield self._jobs.popleft().future.result()  # type: ignore[union-attr]  # it is finished
                else:
                    wait(self._running(), timeout=LOOK_AGAIN_S, return_when=FIRST_COMPLETED)
        finally:
            self._pool.close(self._running())

    def _running(self) -> list[Future[Any]]:
        return [job.future for job in self._jobs if job.future is not None and not job.future.done()]

    def _finished(self) -> list[_Job]:
        return [job for job in self._jobs if job.future is not None and job.future.done()]

    def _fill(self) -> bool:
        """Submit what there is room for; return whether anything is left to wait for."""
        again = next((job for job in self._jobs if job.future is None), None)
        if again is not None:  # alone, so that it is known which chunk a worker dies of
            if not self._running():
                self._submit(again)
            return True
        while self._has_room() and (chunk := next(self._chunks, None)) is not None:
            self._jobs.append(_Job(chunk))
            self._submit(self._jobs[-1])
        return bool(self._jobs)

    def _has_room(self) -> bool:
        size = min(self._pool.size(), self._concurrency or self._pool.size())
        if any(job.future is None for job in self._jobs):
            return False  # a chunk that lost its worker goes first
        if self._jobs and self._jobs[0].future.done():  # type: ignore[union-attr]  # none is None
            return False  # a result that can be taken goes first
        if (self._pace or self._concurrency) and len(self._running()) >= size:
            return False  # what waits in a worker's queue would start in a burst
        return len(self._jobs) < size * PER_WORKER

    def _submit(self, job: _Job) -> None:
        if self._pace is not None:
            self._pace.wait(len(job.chunk))
        try:
            job.future = self._pool.submit(job.chunk)
        except BrokenExecutor:
            job.lost += 1
            self._recover()

    def _exception(self, job: _Job) -> BaseException | None:
        """Return that a finished job lost its worker, or None; raise at once what its function raised."""
        assert job.future is not None  # noqa: S101 - it is finished
        try:
            exc = job.future.exception()
        except CancelledError as cancelled:
            exc = cancelled
        if exc is None or isinstance(exc, BrokenExecutor):
            return exc
        raise self._pool.failure(exc, len(job.chunk))

    def _recover(self) -> None:
        """Start new workers, and put every chunk that has no result back."""
        self._pool.reopen()
        for job in self._jobs:
            future = job.future
            if future is not None and (future.cancelled() or isinstance(future.exception(), BrokenExecutor)):
                job.future = None
                job.lost += 1
            if job.future is None and job.lost >= MOST_TRIES:
                raise GuardrailsError(
                    f"a worker process died {job.lost} times while it judged the same {len(job.chunk)} sample(s): "
                    "killed from outside, out of memory, or crashed by one of them; they have no result"
                )
