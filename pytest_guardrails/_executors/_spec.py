"""Where chunks of samples are judged, as the user writes it: ``threads:8``, ``processes``, ``dask:tcp://host:8786``."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._executors._pace import Pace

S = TypeVar("S")

FORMS = ("threads", "threads:N", "processes", "processes:N", "dask:ADDRESS")
SCHEMES = ("tcp", "tls", "ws", "wss")
MOST_WORKERS = 512  # above it a typing error is likelier than a machine that large
SIZES = {"threads": 8, "processes": 256, "dask": 256}  # samples in a chunk: a thread has no sending to pay for

_ADDRESS = re.compile(r"(?:(\w+)://)?([\w.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\]):(\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ExecutorSpec:
    """Where to judge: ``kind`` is ``threads``, ``processes`` or ``dask``; ``workers`` None leaves the number open."""

    kind: str
    workers: int | None = None
    address: str | None = None


def parse(text: str) -> ExecutorSpec:
    """Read an executor.

    Raises:
        ConfigError: for an unknown one, a number or an address that cannot be meant, or dask where it is not installed.
    """
    kind, colon, rest = text.partition(":")
    if kind not in SIZES:
        raise ConfigError(unknown("executor", text, FORMS))
    if kind == "dask":
        return ExecutorSpec(kind, address=_address(rest))
    if not colon:
        return ExecutorSpec(kind)
    if not re.fullmatch("[0-9]{1,9}", rest) or not 1 <= int(rest) <= MOST_WORKERS:
        raise ConfigError(f"executor {text!r}: the number of {kind} is 1 to {MOST_WORKERS}, not {rest!r}")
    return ExecutorSpec(kind, int(rest))


def _address(address: str) -> str:
    """Return the address of a dask scheduler, with its scheme."""
    match = _ADDRESS.fullmatch(address)
    if match is None or not 1 <= int(match[3]) <= 65535:
        raise ConfigError(
            f"executor 'dask:{address}': the address of a scheduler is HOST:PORT or SCHEME://HOST:PORT, "
            "as in dask:tcp://127.0.0.1:8786"
        )
    if match[1] not in (None, *SCHEMES):
        raise ConfigError(unknown("scheme of a dask scheduler", match[1], SCHEMES))
    if importlib.util.find_spec("distributed") is None:
        raise ConfigError("the executor dask needs an extra: pip install 'pytest-guardrails[dask]'")
    return address if match[1] else f"tcp://{address}"


def workers_of(spec: ExecutorSpec, concurrency: int | None) -> int:
    """Return how many threads or processes to use: the number asked for, never more than ``concurrency``."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    usual = processors if spec.kind == "processes" else processors + 4
    return min(spec.workers or concurrency or min(usual, MOST_WORKERS), concurrency or MOST_WORKERS)


def chunk_size(
    spec: ExecutorSpec | None, *, concurrency: int | None = None, rate_limit: str | None = None, remote: bool = False
) -> int:
    """Return how many samples make a good chunk: 1 for a guard that asks an API, at most a tenth of a second's rate.

    Raises:
        ConfigError: for a rate that cannot be meant.
    """
    if remote:
        return 1
    usual = SIZES[spec.kind if spec else "threads" if concurrency else "processes"]
    return usual if rate_limit is None else max(1, min(usual, int(Pace.of(rate_limit).per_second / 10)))


def chunked(samples: Iterable[S], size: int) -> Iterator[list[S]]:
    """Yield lists of ``size`` samples, read only when asked for; the last may be shorter."""
    source = iter(samples)
    while chunk := list(islice(source, size)):
        yield chunk
