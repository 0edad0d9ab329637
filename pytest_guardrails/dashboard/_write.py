"""Writing a site into a folder: aside and renamed, and nothing is replaced or removed that we did not write."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_guardrails._aside import written_aside
from pytest_guardrails._errors import ConfigError
from pytest_guardrails.dashboard._site import Site

MANIFEST = "dashboard.json"
SCHEMA = "pytest-guardrails/dashboard/1"
_OURS = re.compile(r"(runs/)?[a-z0-9][a-z0-9.-]*\.(html|svg|csv|json)")  # names that we give, and no other
_MOST_MANIFEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """How many files a build wrote and removed; ``kept`` are old ones that somebody has changed since."""

    written: int
    removed: int
    kept: tuple[str, ...] = ()


def write(site: Site, folder: Path) -> Written:
    """Write a site; files of an older one that are no longer part of it are removed where nobody changed them.

    Raises:
        ConfigError: where a file that we did not write is in the way; nothing is written then.
        OSError: where it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    old = _manifest(folder)
    _refuse_foreign(site, folder, old)
    new = {name: _digest(content) for name, content in site.items()}
    _replace(folder / MANIFEST, _listing({**old, **new}))  # so that a build that is cut short still knows its files
    for name in sorted(site, key=lambda name: name == "index.html"):
        _replace(folder / name, site[name])
    kept, removed = [], 0
    for name in sorted(set(old) - set(site)):
        path = folder / name
        if not path.is_file() or path.is_symlink():
            continue
        if _digest(path) == old[name]:
            path.unlink()
            removed += 1
        else:
            kept.append(name)
    _replace(folder / MANIFEST, _listing(new))
    return Written(len(site), removed, tuple(kept))


def _refuse_foreign(site: Site, folder: Path, old: Mapping[str, str]) -> None:
    for name in (*site, MANIFEST):
        path = folder / name
        if path.parent.is_symlink() or path.is_symlink() or (path.exists() and not path.is_file()):
            raise ConfigError("it is in the way of the site: no regular file", file=str(path))
        if name != MANIFEST and path.exists() and name not in old:
            raise ConfigError("it is in the way, and no dashboard wrote it: choose another folder", file=str(path))


def _manifest(folder: Path) -> dict[str, str]:
    """Return what an older build wrote, by its hash.

    Raises:
        ConfigError: where the file of that name is none of ours.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > _MOST_MANIFEST:
            raise ValueError("too large")
        data = json.loads(path.read_bytes())
        if data["schema"] != SCHEMA:
            raise ValueError("another schema")
        return {name: str(digest) for name, digest in data["files"].items() if _OURS.fullmatch(name)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ConfigError("it is in the way, and is no list of a dashboard's files", file=str(path)) from None


def _listing(files: Mapping[str, str]) -> bytes:
    return json.dumps({"schema": SCHEMA, "files": dict(sorted(files.items()))}, indent=1).encode() + b"\n"


def _digest(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _replace(path: Path, content: bytes | Path) -> None:
    """Write a file aside and rename it, so that nobody ever reads half of one."""
    with written_aside(path) as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            with content.open("rb") as source:
                shutil.copyfileobj(source, file)
