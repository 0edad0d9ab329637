"""Where reports go, and that nobody reads half of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_guardrails import reporters
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import CaseRecord, Run
from pytest_guardrails.reporters import REPORTERS, parse_target, write

MakeRun = Callable[..., Run]
MakeRecord = Callable[..., CaseRecord]


def test_an_empty_target_is_every_report_in_its_folder(tmp_path: Path) -> None:
    """Without a type all reports are written under guardrails-report."""
    assert parse_target("", tmp_path) == [
        ("html", tmp_path / "guardrails-report" / "index.html"),
        ("json", tmp_path / "guardrails-report" / "report.json"),
        ("md", tmp_path / "guardrails-report" / "summary.md"),
    ]


def test_a_target_is_a_type_and_a_file_or_folder(tmp_path: Path) -> None:
    """A destination is a file, unless it is a folder or is written as one; a colon in it is its own."""
    (tmp_path / "there").mkdir()
    for spec, path in (
        ("md", "guardrails-report/summary.md"),
        ("md:out/x.md", "out/x.md"),
        ("md:there", "there/summary.md"),
        ("html:new/", "new/index.html"),
        ("json:a:b.json", "a:b.json"),
    ):
        assert parse_target(spec, tmp_path) == [(spec.partition(":")[0], tmp_path / path)]


@pytest.mark.parametrize("spec", ["html:", "gha-benchmark:"])
def test_a_colon_asks_for_a_destination(spec: str, tmp_path: Path) -> None:
    """A colon with nothing behind it is an error, not the place that the bare type has."""
    with pytest.raises(ConfigError, match="nothing stands after the colon"):
        parse_target(spec, tmp_path)


def test_an_unknown_type_names_the_choices(tmp_path: Path) -> None:
    """A report type that does not exist is an error that says which do."""
    with pytest.raises(ConfigError, match=r"htlm.*html"):
        parse_target("htlm:x", tmp_path)


@pytest.mark.parametrize("kind", REPORTERS)
def test_hostile_texts_can_be_written(hostile: Run, kind: str, tmp_path: Path) -> None:
    """A report with lone surrogates and control characters is a UTF-8 file that reads as the reporter's text."""
    path = tmp_path / "deep" / "folder" / kind
    write(kind, path, hostile)
    assert path.read_bytes() == REPORTERS[kind](hostile).encode("utf-8")
    assert [found.name for found in path.parent.iterdir()] == [kind]


def test_a_written_report_can_be_read_by_others(run: MakeRun, tmp_path: Path) -> None:
    """The file has the permissions of an ordinary file, not of a temporary one."""
    write("json", tmp_path / "r.json", run())
    assert (tmp_path / "r.json").stat().st_mode & 0o777 == 0o644
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["cases"] == []


def test_a_reporter_that_fails_leaves_the_old_report(
    run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a report cannot be made, the last one stays as it was, and nothing is left beside it."""

    def broken(_run: Run) -> str:
        raise RuntimeError("no report")

    (tmp_path / "r.md").write_text("old")
    monkeypatch.setattr(reporters, "REPORTERS", {"md": broken})
    with pytest.raises(RuntimeError, match="no report"):
        write("md", tmp_path / "r.md", run())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.md", "old")]
