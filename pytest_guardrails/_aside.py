"""Files are written aside and renamed, so that nobody ever reads half of one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` at the end, or nothing at all where the block raises.

    Its folder is made, a link keeps pointing to it, and its mode stays. A pipe or a device has no place to take: it
    is written to.

    Raises:
        OSError: where it cannot be written.
    """
    if _has_no_place(path):
        with path.open("wb") as file:
            yield file
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        if path.exists():
            shutil.copymode(path, name)
        else:
            Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _has_no_place(path: Path) -> bool:
    """True for a pipe, a device, and what a system lends a process, such as ``/dev/stdout``."""
    lent = path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",))
    return lent or (path.exists() and not path.is_file() and not path.is_dir())
