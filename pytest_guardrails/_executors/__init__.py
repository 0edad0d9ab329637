"""Judge chunks of samples here, in threads, in processes or on a dask cluster: in order, in flat memory, at a rate."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._executors._pace import Pace
from pytest_guardrails._executors._spec import FORMS, ExecutorSpec, chunk_size, chunked, parse, workers_of

if TYPE_CHECKING:  # threads and processes are paid for by the runs that use them
    from pytest_guardrails._executors._pools import Pool

__all__ = ["FORMS", "ExecutorSpec", "Pace", "chunk_size", "chunked", "parse", "run_all"]

S = TypeVar("S")
R = TypeVar("R")


def run_all(
    spec: ExecutorSpec | None,
    function: Callable[[Sequence[S]], R],
    chunks: Iterable[Sequence[S]],
    *,
    concurrency: int | None = None,
    rate_limit: str | Pace | None = None,
    packages: Mapping[str, str] | None = None,
) -> Generator[R, None, None]:
    """Apply ``function`` to each chunk and yield the results in the order of the chunks.

    Chunks are read as they are needed, never more than two per worker ahead. Without ``spec`` it happens here, one
    after the other, or in as many threads as ``concurrency``; with it, ``concurrency`` is the most that run at once.
    ``rate_limit`` counts samples. For processes and dask, ``function`` is picklable (a partial of a module's function);
    ``packages`` are the versions that workers elsewhere must have. What ``function`` raises is raised at once. Close it
    (`contextlib.closing`) where it may not be read to its end.

    Raises:
        ConfigError: for a rate, a concurrency or a function that cannot be meant, and a scheduler that does not answer.
        GuardrailsError: where the workers of one chunk died three times, or a scheduler was lost.
    """
    if concurrency is not None and (isinstance(concurrency, bool) or concurrency < 1):
        raise ConfigError(f"concurrency is a whole number from 1, not {concurrency!r}")
    pace = Pace.of(rate_limit) if isinstance(rate_limit, str) else rate_limit
    if spec is None and concurrency is not None and concurrency > 1:
        spec = ExecutorSpec("threads", concurrency)
    if spec is None:
        return _one_by_one(function, chunks, pace)
    return _in_pool(lambda: _pool(spec, function, concurrency, packages or {}), iter(chunks), concurrency, pace)


def _one_by_one(
    function: Callable[[Sequence[S]], R], chunks: Iterable[Sequence[S]], pace: Pace | None
) -> Generator[R, None, None]:
    for chunk in chunks:
        if pace is not None:
            pace.wait(len(chunk))
        yield function(chunk)


def _in_pool(
    opened: Callable[[], Pool], chunks: Iterator[Sequence[S]], concurrency: int | None, pace: Pace | None
) -> Generator[R, None, None]:
    from pytest_guardrails._executors._window import Window

    for first in chunks:  # no worker is started for nothing
        yield from Window(opened(), chain([first], chunks), concurrency=concurrency, pace=pace).results()


def _pool(
    spec: ExecutorSpec, function: Callable[[Sequence[S]], R], concurrency: int | None, packages: Mapping[str, str]
) -> Pool:
    from pytest_guardrails._executors._pools import ProcessPool, ThreadPool, dask_pool

    if spec.kind == "dask":
        return dask_pool(function, spec.address or "", packages)
    workers = workers_of(spec, concurrency)
    return ThreadPool(function, workers) if spec.kind == "threads" else ProcessPool(function, workers)
