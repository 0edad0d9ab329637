"""Where a history is kept: a file of JSON lines or a database, with the same content."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history._log import Past, append, read
from pytest_guardrails._history._sql import Database, database, is_url

Store = Path | Database


def store_of(spec: str, base: Path) -> Store:
    """Return what a path, relative to ``base``, or a database URL names; nothing is opened.

    Raises:
        ConfigError: for a URL that cannot be meant, or where its extra is not installed.
    """
    return database(spec, base) if is_url(spec) else base / spec


def keep(store: Store, pasts: Iterable[Past]) -> None:
    """Append lines.

    Raises:
        OSError, ConfigError: where that cannot be done.
    """
    if isinstance(store, Path):
        for past in pasts:
            append(store, past)
    else:
        store.append(pasts)


def recall(store: Store, shown: str) -> tuple[list[Past], list[str]]:
    """Return the lines in their order, and what was wrong with those that cannot be read.

    Raises:
        ConfigError: where there is no history.
    """
    if not isinstance(store, Path):
        return store.read()
    try:
        return read(store, shown)
    except OSError as exc:
        raise ConfigError(f"cannot read the history: {exc.strerror}", file=shown) from None


def mark(store: Store) -> object:
    """Return what is another value where a history has changed, None where it is not there."""
    try:
        if not isinstance(store, Path):
            return store.mark()
        found = store.stat()
    except (OSError, ConfigError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
