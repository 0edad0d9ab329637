"""Reporters of other packages: entry points of the group ``pytest_guardrails.reporters``, imported when asked for."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Collection, Mapping

from pytest_guardrails._errors import ConfigError, ReporterError
from pytest_guardrails._model import Run

GROUP = "pytest_guardrails.reporters"

Reporter = Callable[[Run], str | bytes]


def added(built_in: Collection[str]) -> Mapping[str, importlib.metadata.EntryPoint]:
    """Return the reporters that other packages bring, by name.

    Raises:
        ConfigError: where a name is taken: by a built-in reporter, or by another package.
    """
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        if entry.name in built_in or entry.name in found:
            raise ConfigError(f"reporter {entry.name!r} of {_package(entry)} takes a name that is already taken")
        found[entry.name] = entry
    return found


def loaded(entry: importlib.metadata.EntryPoint) -> Reporter:
    """Import a reporter.

    Raises:
        ConfigError: where it cannot be imported, or is nothing that can be called.
    """
    try:
        reporter = entry.load()
    except Exception as exc:
        said = f"cannot be imported: {type(exc).__name__}: {exc}"
        raise ConfigError(f"reporter {entry.name!r} of {_package(entry)} {said}") from exc
    if not callable(reporter):
        raise ConfigError(
            f"reporter {entry.name!r} of {_package(entry)} is no callable that takes a run: {entry.value}"
        )
    return _named(entry, reporter)


def _named(entry: importlib.metadata.EntryPoint, reporter: Reporter) -> Reporter:
    """Return a reporter whose failures name it."""

    def report(run: Run) -> str | bytes:
        who = f"reporter {entry.name!r} of {_package(entry)}"
        try:
            made = reporter(run)
        except Exception as exc:
            raise ReporterError(f"{who} failed: {type(exc).__name__}: {exc}") from exc
        if not isinstance(made, str | bytes):
            raise ReporterError(f"{who} returned {type(made).__name__}, not str or bytes")
        return made

    return report


def _package(entry: importlib.metadata.EntryPoint) -> str:
    return f"package {entry.dist.name!r}" if entry.dist else "no package"
