"""``pytest-guardrails dashboard``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_guardrails._history import Past, keep, store_of
from pytest_guardrails.cli import main
from pytest_guardrails.dashboard import Sources
from pytest_guardrails.dashboard._write import MANIFEST

MakePast = Callable[..., Past]


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_writes_the_site(
    sources: Callable[..., Sources], past: MakePast, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says where and how many files, and what it removed of an older one."""
    sources([past(0), past(0, guard="old.yaml")])
    assert main(["dashboard", "history.jsonl"]) == 0
    assert capsys.readouterr() == ("site/index.html: 12 files written\n", "")
    sources([past(0)])
    assert main(["dashboard", "history.jsonl", "-o", "site"]) == 0
    assert capsys.readouterr() == ("site/index.html: 7 files written, 5 old ones removed\n", "")
    assert len(list(Path("site").iterdir())) == 8, "the pages and the manifest"
    assert (Path("site") / MANIFEST).exists()


def test_a_database_gives_the_same_site(
    sources: Callable[..., Sources], past: MakePast, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a history is kept changes nothing of what it says."""
    pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")
    lines = [past(0), past(1, "2")]
    sources(lines)
    keep(store_of("sqlite:///history.db", Path()), lines)
    assert (
        main(["dashboard", "history.jsonl", "-o", "a"]) == main(["dashboard", "sqlite:///history.db", "-o", "b"]) == 0
    )
    capsys.readouterr()
    assert {p.name: p.read_bytes() for p in Path("a").iterdir()} == {
        p.name: p.read_bytes() for p in Path("b").iterdir()
    }


def test_what_cannot_be_meant_is_refused(
    sources: Callable[..., Sources], past: MakePast, capsys: pytest.CaptureFixture[str]
) -> None:
    """A history or a folder that is not there, a page of somebody else in the way: exit status 2, nothing written."""
    assert main(["dashboard", "nowhere.jsonl"]) == 2
    sources([past(0)])
    assert main(["dashboard", "history.jsonl", "nowhere"]) == 2
    Path("site").mkdir()
    Path("site/index.html").write_text("mine")
    assert main(["dashboard", "history.jsonl"]) == 2
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        "nowhere.jsonl", "nowhere", "site/index.html",
    ]  # fmt: skip
    assert [path.name for path in Path("site").iterdir()] == ["index.html"]
    Path("file").write_text("")
    assert main(["dashboard", "history.jsonl", "-o", "file"]) == 1


def test_what_cannot_be_read_is_printed_and_harmless(
    sources: Callable[..., Sources], past: MakePast, capsys: pytest.CaptureFixture[str]
) -> None:
    """Problems go to stderr, printable; the site is written all the same."""
    path = sources([past(0)]).history
    assert isinstance(path, Path)
    with path.open("a") as file:
        file.write('{"schema": "\x1b[31m"}\n' * 12)
    assert main(["dashboard", "history.jsonl"]) == 0
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert told.splitlines()[-1] == "… and 2 more; the first page lists them"
