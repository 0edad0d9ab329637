"""What travels to a worker process, and what the worker does with it."""

from __future__ import annotations

import functools
import importlib.metadata
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_guardrails._errors import ConfigError, GuardrailsError


@dataclass(frozen=True, slots=True, repr=False)
class Work:
    """One chunk and the function for it, pickled; it has no repr, because workers log those, and texts are private.

    ``packages`` are the versions that must be installed where it is done, so that every worker judges alike.
    """

    function: bytes
    chunk: bytes
    packages: tuple[tuple[str, str], ...] = ()


def packed(function: Callable[[Any], Any]) -> bytes:
    """Return ``function`` as it travels to a worker.

    Raises:
        ConfigError: where it cannot leave this process.
    """
    try:
        return pickle.dumps(function, pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError) as exc:
        raise ConfigError(f"this guard cannot go to another process ({exc}); use threads as the executor") from None


def parcel(function: bytes, chunk: Sequence[Any], packages: Mapping[str, str]) -> Work:
    """Return what to send for one chunk."""
    return Work(function, pickle.dumps(chunk, pickle.HIGHEST_PROTOCOL), tuple(sorted(packages.items())))


def do(work: Work) -> Any:
    """Apply the function to its chunk, in a worker.

    Raises:
        ConfigError: where this worker cannot load the function, or has another version of a package that decides.
        GuardrailsError: in place of an exception that would not survive the way back.
    """
    try:
        _require(work.packages)
        return _function(work.function)(pickle.loads(work.chunk))  # noqa: S301 - made by `parcel` in the run's process
    except BaseException as exc:
        if _survives(exc):
            raise
        raise GuardrailsError(f"{type(exc).__name__}: {exc}") from None


@functools.lru_cache(maxsize=8)
def _function(pickled: bytes) -> Callable[[Any], Any]:
    try:
        loaded: Callable[[Any], Any] = pickle.loads(pickled)  # noqa: S301 - made by `packed` in the run's process
    except (ImportError, AttributeError) as exc:
        raise ConfigError(
            f"a worker cannot load the guard ({exc}): its checks belong in a module that workers can import"
        ) from None
    return loaded


@functools.lru_cache(maxsize=8)
def _require(packages: tuple[tuple[str, str], ...]) -> None:
    for name, version in packages:
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            here = "none"
        if here != version:
            raise ConfigError(f"a worker has {name} {here} and this run has {version}: they could judge differently")


def _survives(exc: BaseException) -> bool:
    """True if an exception can be pickled and read again; some constructors ask for more than was kept."""
    try:
        return type(pickle.loads(pickle.dumps(exc))) is type(exc)  # noqa: S301 - our own bytes
    except Exception:
        return False
