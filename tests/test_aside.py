"""Files are written aside and renamed: nobody reads half of one, links stay, and what is no file is written to."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pytest_guardrails._aside import written_aside


def put(path: Path, content: bytes) -> None:
    """Write a file aside."""
    with written_aside(path) as file:
        file.write(content)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """A failure half way leaves the old file, and nothing beside it."""
    path = tmp_path / "new" / "x"
    put(path, b"old")
    with pytest.raises(TypeError), written_aside(path) as file:
        file.writelines([b"new", "half way"])  # type: ignore[list-item]
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_a_new_file_can_be_read_by_all_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    """A temporary file's private mode is not that of the file that takes its place."""
    put(tmp_path / "x", b"1")
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644
    (tmp_path / "x").chmod(0o600)
    put(tmp_path / "x", b"2")
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_a_link_keeps_pointing_to_its_file(tmp_path: Path) -> None:
    """What is written to a link arrives where it points to."""
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    put(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are made where there are some")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """A pipe stays one, and whoever reads it gets what was written."""
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    put(tmp_path / "pipe", b"new")
    reader.join(30)
    assert got == [b"new"]
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="devices are paths where there is /dev/null")
def test_a_device_is_written_to() -> None:
    """A device stays one, also for a user who could replace it."""
    put(Path(os.devnull), b"gone")
    assert Path(os.devnull).is_char_device()
