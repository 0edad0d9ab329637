"""Writing a site into a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_guardrails._errors import ConfigError
from pytest_guardrails.dashboard._write import MANIFEST, write

OLD = {"index.html": b"one", "a-1234.html": b"a", "runs/b.json": b"b"}


def files(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds, without the manifest."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.pop(MANIFEST, None)
    return found


def test_a_site_is_written_and_its_old_pages_are_removed(tmp_path: Path) -> None:
    """What is no longer part of it goes, what somebody else put there stays, and nothing is left aside."""
    site = tmp_path / "deep" / "site"
    assert write(OLD, site).written == 3
    (site / "CNAME").write_bytes(b"ours.example")
    done = write({"index.html": b"two", "badge.svg": b"s"}, site)
    assert (done.written, done.removed, done.kept) == (2, 2, ())
    assert files(site) == {"index.html": b"two", "badge.svg": b"s", "CNAME": b"ours.example"}


def test_an_old_page_that_somebody_changed_is_kept(tmp_path: Path) -> None:
    """It is told instead of removed."""
    write(OLD, tmp_path)
    (tmp_path / "a-1234.html").write_bytes(b"mine now")
    done = write({"index.html": b"two"}, tmp_path)
    assert done.kept == ("a-1234.html",)
    assert files(tmp_path)["a-1234.html"] == b"mine now"


def test_a_file_that_is_not_ours_is_not_replaced(tmp_path: Path) -> None:
    """An index.html of somebody else stops the build before anything is written."""
    (tmp_path / "index.html").write_bytes(b"my home page")
    with pytest.raises(ConfigError, match=r"index.html: it is in the way, and no dashboard wrote it"):
        write(OLD, tmp_path)
    assert files(tmp_path) == {"index.html": b"my home page"}
    (tmp_path / "index.html").unlink()
    (tmp_path / MANIFEST).write_text("[]")
    with pytest.raises(ConfigError, match="is no list of a dashboard's files"):
        write(OLD, tmp_path)


@pytest.mark.parametrize("name", ["../victim.html", "/victim.html", "a/../../victim.html", ".ssh/x.html", "sub/x.html"])
def test_a_forged_manifest_removes_nothing_elsewhere(tmp_path: Path, name: str) -> None:
    """Names that we would never give are ignored."""
    victim = tmp_path / "victim.html"
    victim.write_bytes(b"")
    site = tmp_path / "site"
    for folder in (site, site / ".ssh", site / "sub"):
        folder.mkdir()
        (folder / "x.html").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    names = {name: empty, str(victim): empty}
    (site / MANIFEST).write_text(json.dumps({"schema": "pytest-guardrails/dashboard/1", "files": names}))
    assert write({"index.html": b""}, site).removed == 0
    assert victim.exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link where a page would be, or a folder of them, could lead anywhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    site = tmp_path / "site"
    site.mkdir()
    (site / "runs").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="no regular file"):
        write(OLD, site)
    assert list(elsewhere.iterdir()) == []


def test_a_build_that_was_cut_short_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest goes first, so that the next build knows its own half-written site."""
    renamed = Path.replace

    def fail_at_index(self: Path, target: Path) -> Path:
        if target.name == "index.html":
            raise OSError(28, "No space left on device")
        return renamed(self, target)

    monkeypatch.setattr(Path, "replace", fail_at_index)
    with pytest.raises(OSError, match="No space left"):
        write(OLD, tmp_path)
    assert sorted(files(tmp_path)) == ["a-1234.html", "runs/b.json"], "nothing is left aside"
    monkeypatch.undo()
    assert write(OLD, tmp_path).written == 3
    assert files(tmp_path) == OLD


def test_a_copy_is_made_of_a_file(tmp_path: Path) -> None:
    """A report is copied as it is."""
    report = tmp_path / "report.json"
    report.write_bytes(b"{}")
    write({"runs/r.json": report}, tmp_path / "site")
    assert files(tmp_path / "site") == {"runs/r.json": b"{}"}
