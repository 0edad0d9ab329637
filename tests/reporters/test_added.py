"""Reporters of other packages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_guardrails._errors import ConfigError, ReporterError
from pytest_guardrails._model import Run
from pytest_guardrails.reporters import GROUP, parse_target, reporter_named, types, write

MODULE = """\
def count(run): return f"{len(run.records)} cases"
def picture(run): return bytes([0x89, 0x50, 0xff])
def nothing(run): return None
def breaks(run): raise KeyError("no such figure")
a_number = 3
"""
ENTRIES = {
    "acme": "acme_reports:count",
    "acme.png": "acme_reports:picture",
    "nothing": "acme_reports:nothing",
    "breaks": "acme_reports:breaks",
    "number": "acme_reports:a_number",
    "absent": "acme_reports:absent",
    "gone": "acme_gone:report",
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, dict[str, str]], None]]:
    """Installs a package with reporters, as pip would."""

    def add(name: str, entries: dict[str, str]) -> None:
        site = tmp_path / name
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        lines = "".join(f"{entry} = {target}\n" for entry, target in entries.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}", encoding="utf-8")
        (site / "acme_reports.py").write_text(MODULE, encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))

    yield add
    sys.modules.pop("acme_reports", None)


@pytest.fixture
def acme(install: Callable[[str, dict[str, str]], None]) -> None:
    """The package acme, with reporters good and bad."""
    install("acme", ENTRIES)


@pytest.mark.usefixtures("acme")
def test_a_foreign_reporter_is_asked_for_like_any_other(run: Callable[..., Run], tmp_path: Path) -> None:
    """Its name is a type, its text or bytes are the file, and its default place is named after it."""
    ((kind, path),) = parse_target("acme", tmp_path)
    write(kind, path, run())
    assert (path.relative_to(tmp_path).as_posix(), path.read_text()) == ("guardrails-report/acme", "0 cases")
    ((kind, path),) = parse_target("acme.png:deep/", tmp_path)
    write(kind, path, run())
    assert (path.name, path.read_bytes()) == ("acme.png", b"\x89\x50\xff")


@pytest.mark.usefixtures("acme")
def test_an_unknown_type_lists_the_foreign_ones_too(tmp_path: Path) -> None:
    """A typo names the nearest type, and the choices have those that packages bring."""
    with pytest.raises(ConfigError, match=r"unknown report type 'acmee'; did you mean 'acme'\?.*acme\.png.*sarif"):
        parse_target("acmee", tmp_path)
    assert {"acme", "html", "gha-benchmark"} <= set(types())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent", "reporter 'absent' of package 'acme' cannot be imported: AttributeError"),
        ("gone", "reporter 'gone' of package 'acme' cannot be imported: ModuleNotFoundError"),
        ("number", "reporter 'number' of package 'acme' is no callable"),
    ],
)
@pytest.mark.usefixtures("acme")
def test_one_that_cannot_be_used_is_refused_before_any_test(tmp_path: Path, name: str, said: str) -> None:
    """A reporter that does not import, or is none, is an error of the option that names it and its package."""
    with pytest.raises(ConfigError, match=f"^--guardrails-report={name}: {said}"):
        parse_target(name, tmp_path)


@pytest.mark.parametrize(
    ("name", "said"), [("breaks", "failed: KeyError: 'no such figure'"), ("nothing", "returned NoneType, not str")]
)
@pytest.mark.usefixtures("acme")
def test_one_that_fails_is_named_and_leaves_the_old_report(
    run: Callable[..., Run], tmp_path: Path, name: str, said: str
) -> None:
    """What a reporter raises is told with its name; the last report stays, and nothing is left beside it."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "r").write_text("old")
    with pytest.raises(ReporterError, match=f"^reporter '{name}' of package 'acme' {said}"):
        write(name, folder / "r", run())
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("r", "old")]


@pytest.mark.parametrize("name", ["html", "gha-benchmark"])
def test_a_name_that_is_taken_is_refused(
    install: Callable[[str, dict[str, str]], None], tmp_path: Path, name: str
) -> None:
    """A package cannot put itself in the place of a built-in reporter, whatever report is asked for."""
    install("evil", {name: "acme_reports:count"})
    for asked in (name, "json"):
        with pytest.raises(
            ConfigError, match=f"reporter '{name}' of package 'evil' takes a name that is already taken"
        ):
            parse_target(asked, tmp_path)


@pytest.mark.usefixtures("acme")
def test_two_packages_with_one_name_are_refused(install: Callable[[str, dict[str, str]], None], tmp_path: Path) -> None:
    """Which of two reporters of one name is meant, nobody can say."""
    install("other", {"acme": "acme_reports:picture"})
    with pytest.raises(ConfigError, match="takes a name that is already taken"):
        reporter_named("acme")


@pytest.mark.usefixtures("acme")
def test_a_loaded_reporter_is_the_package_s(run: Callable[..., Run]) -> None:
    """The reporter of a foreign type gives what the package's callable gives."""
    assert reporter_named("acme")(run()) == "0 cases"
