"""Reports beside a history: matched, linked, compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._codec import EMPTY
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history import Past, pasts
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    Guard,
    GuardVersion,
    Outcome,
    Request,
    Run,
    Trace,
    Verdict,
)
from pytest_guardrails.dashboard import Sources, build
from pytest_guardrails.dashboard._series import slug
from pytest_guardrails.reporters import json_report

MakeSources = Callable[..., Sources]


def case(key: str, label: str, acted: bool) -> CaseRecord:
    """Return a case that guardrail ``words`` denied, or on which nothing acted."""
    outcomes = {
        ("attack", True): "true_positive",
        ("attack", False): "false_negative",
        ("benign", True): "false_positive",
    }
    verdict, action = (Verdict.BLOCK, Action.DENY) if acted else (Verdict.ALLOW, Action.NONE)
    trace = Trace(Request.of("hello"), verdict, action, "words" if acted else None, (), duration_s=0.25)
    outcome = Outcome(outcomes.get((label, acted), "true_negative"))
    return CaseRecord(f"a.yaml::{key}", key, CaseStatus.AS_EXPECTED, "guard.yaml@1", outcome, label=label, trace=trace)


def run(day: int, version: str, *records: CaseRecord, **fields: Any) -> Run:
    """Return a run of one version of guard.yaml."""
    guard = Guard("guard.yaml@1", "embedded engine", "guard.yaml", GuardVersion(version, "abc"))
    return Run(f"2026-03-{day:02}T10:00:00+00:00", 1.0, True, EMPTY, (guard,), records, **fields)


OLD = run(1, "1", case("kill <b>process</b>", "benign", True), case("bomb", "attack", True))
NEW = run(2, "2", case("kill <b>process</b>", "benign", False), case("bomb", "attack", False))


def written(folder: Path, **runs: Run) -> Path:
    """Write the reports of some runs."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, made in runs.items():
        (folder / f"{name}.json").write_text(json_report(made), encoding="utf-8")
    return folder


def lines(*runs: Run) -> list[Past]:
    """Return what the history has of some runs."""
    return [past for made in runs for past in pasts(made, None)]


def test_flips_are_told_where_both_versions_have_a_report(sources: MakeSources, tmp_path: Path) -> None:
    """In pairs, worst first, with the keys of the cases and never their texts."""
    runs = written(tmp_path / "runs", old=OLD, new=NEW)
    site, problems = build(sources(lines(OLD, NEW), runs))
    page = bytes(site[f"{slug('guard.yaml')}.html"]).decode()
    assert problems == []
    assert "old.json against new.json, cases alone: 2 compared." in page
    assert "2 of 2 flipped; 1 newly wrong, 1 newly right" in page
    assert page.index("a.yaml::bomb") < page.index("a.yaml::kill &lt;b&gt;process&lt;/b&gt;")


def test_a_report_of_the_new_version_alone_shows_its_own_comparison(sources: MakeSources, tmp_path: Path) -> None:
    """What the run itself compared with its baseline."""
    from pytest_guardrails._history import compare, side_of

    compared = replace(NEW, comparison=compare(side_of(OLD, "baseline"), side_of(NEW, "this run")))
    site, _ = build(sources(lines(OLD, NEW), written(tmp_path / "runs", new=compared)))
    assert (
        "against its baseline (guard.yaml 1 (abc)): 2 compared." in bytes(site[f"{slug('guard.yaml')}.html"]).decode()
    )


def test_reports_are_copied_into_the_site_or_linked_inside_it(sources: MakeSources, tmp_path: Path) -> None:
    """A report elsewhere is copied, its HTML page rather than its JSON; one in the site is linked where it is."""
    runs = written(tmp_path / "runs", old=OLD)
    (written(tmp_path / "runs" / "42", report=NEW) / "index.html").write_text("<p>a report</p>")
    site, _ = build(sources(lines(OLD, NEW), runs))
    copies = {name: content.name for name, content in site.items() if isinstance(content, Path)}
    assert sorted(copies.values()) == ["index.html", "old.json"]
    page = bytes(site[f"{slug('guard.yaml')}.html"]).decode()
    assert all(f'<a href="{name}">report</a>' in page for name in copies)
    inside, _ = build(sources(lines(OLD, NEW), runs), tmp_path)
    assert [name for name, content in inside.items() if isinstance(content, Path)] == []
    assert '<a href="runs/42/index.html">report</a>' in bytes(inside[f"{slug('guard.yaml')}.html"]).decode()


def test_a_report_that_reveals_texts_is_not_published(sources: MakeSources, tmp_path: Path) -> None:
    """It is neither linked nor copied, and that is told."""
    site, problems = build(sources(lines(OLD), written(tmp_path / "runs", old=replace(OLD, revealed=True))))
    assert problems == ["old.json: not linked, since it reveals texts"]
    assert [name for name, content in site.items() if isinstance(content, Path)] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"schema": "other/1", "run": {}, "guards": []}',
        "[" * 100_000,
        '{"schema": 1, "run": 2, "guards": 3}',
    ],
    ids=range(6),
)
def test_what_is_no_report_is_told(sources: MakeSources, tmp_path: Path, text: str) -> None:
    """Another file in the folder stops nothing."""
    runs = written(tmp_path / "runs", old=OLD)
    (runs / "zzz.json").write_text(text)
    _, problems = build(sources(lines(OLD), runs))
    assert len(problems) == 1
    assert problems[0].startswith("zzz.json: no report of a run: ")


def test_a_damaged_report_costs_its_flips_alone(sources: MakeSources, tmp_path: Path) -> None:
    """Its head tells which run it belongs to; what cannot be read behind it is told."""
    runs = written(tmp_path / "runs", old=OLD, new=NEW)
    text = (runs / "new.json").read_text()
    (runs / "new.json").write_text(text[: text.index('"cases": [')])
    site, problems = build(sources(lines(OLD, NEW), runs))
    assert len(problems) == 1
    assert problems[0].startswith("new.json: its flips cannot be told: ConfigError")
    assert "Changes of version" in bytes(site[f"{slug('guard.yaml')}.html"]).decode()


def test_a_report_that_another_program_wrote_is_read(sources: MakeSources, tmp_path: Path) -> None:
    """Keys in another order, without spaces."""
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "old.json").write_text(json.dumps(json.loads(json_report(OLD)), sort_keys=True, separators=(",", ":")))
    site, problems = build(sources(lines(OLD), runs))
    assert problems == []
    assert len([content for content in site.values() if isinstance(content, Path)]) == 1


def test_a_folder_that_is_not_there_is_an_error(sources: MakeSources, tmp_path: Path) -> None:
    """A wrong name is no empty folder."""
    with pytest.raises(ConfigError, match="there is no such folder of reports"):
        build(sources([], tmp_path / "nowhere"))
