"""Hostile texts in what is kept of a run and compared: baseline, history, ``compare``, and reports drawn again."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pytest_guardrails._history import commit_of, compare, entries, pasts, read_side, side_of, update
from pytest_guardrails._history._lines import entry_of
from pytest_guardrails._history._lines import line_of as entry_line
from pytest_guardrails._history._log import append, past_of, read
from pytest_guardrails._history._log import line_of as history_line
from pytest_guardrails._model import CaseRecord, CaseStatus, Outcome, Run, Verdict
from pytest_guardrails.cli import main
from pytest_guardrails.reporters import report_dict, write
from pytest_guardrails.reporters._versions import comparison_lines, comparison_markdown

each_text = sys.modules["safety_hostile"].each_text  # beside this file, and no package


def without_ledgers(run: Run) -> Run:
    """Return the cases of a run with a start that history can read."""
    return dataclasses.replace(run, corpora=(), started="2026-11-21T10:00:00+00:00")


def flipped(run: Run) -> Run:
    """Return a run in which each case came out the other way."""
    return dataclasses.replace(run, records=tuple(map(_flipped, run.records)))


def _flipped(record: CaseRecord) -> CaseRecord:
    if record.trace is None or record.status is not CaseStatus.AS_EXPECTED:
        return record
    trace = dataclasses.replace(record.trace, verdict=Verdict.BLOCK)
    wrong = {"status": CaseStatus.NOT_AS_EXPECTED, "outcome": Outcome.FALSE_NEGATIVE}
    return dataclasses.replace(record, trace=trace, **wrong)


@each_text
def test_a_line_of_a_baseline(text: str, hostile: ModuleType, parsers: ModuleType) -> None:
    """An entry is one line that acts on nothing, and is read back as it was."""
    found = list(entries(without_ledgers(hostile.run_full_of(text))))
    assert found
    for entry in found:
        line = entry_line(entry)
        assert line.splitlines() == [line]
        assert not parsers.unseen(line, keep="")
        again = entry_of(json.loads(line))
        assert json.dumps(again.key) == json.dumps(entry.key)
        assert json.dumps(again.fired) == json.dumps(entry.fired)


@each_text
def test_a_baseline_that_is_written_can_be_read(text: str, hostile: ModuleType, tmp_path: Path) -> None:
    """What a hostile run wrote is a baseline, equal to the run that wrote it."""
    run, path = without_ledgers(hostile.run_full_of(text)), tmp_path / "baseline.jsonl"
    update(path, "baseline.jsonl", run, lambda _file: False)
    compared = compare(read_side(path, "baseline.jsonl"), side_of(run, "this run"))
    assert (compared.pairs > 0, compared.flips, compared.new, compared.gone) == (True, (), 0, 0)


@each_text
def test_a_comparison_is_printed_harmlessly(text: str, hostile: ModuleType, parsers: ModuleType) -> None:
    """Lines act on no terminal and CI, and Markdown shows keys and names as they are."""
    run = without_ledgers(hostile.run_full_of(text))
    compared = compare(side_of(run, text), side_of(flipped(run), text))
    assert compared.flips
    lines = list(comparison_lines(compared, width=100))
    assert list(parsers.terminal_problems(lines, 10_000)) == []
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)
    said = "\n".join(comparison_markdown(compared))
    assert list(parsers.markdown_problems(said)) == []
    assert all(len(set(table)) == 1 for table in parsers.tables(said))
    assert not parsers.unseen(said)


def test_compare_prints_harmlessly(
    hostile: ModuleType, parsers: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints what was looked at above, of two reports that are full of every hostile text."""
    texts = list(hostile.TEXTS.values())
    records = [record for text in texts for record in hostile.run_full_of(text).records[2:4]]
    guards = [guard for text in texts for guard in hostile.run_full_of(text).guards]
    base = without_ledgers(hostile.run_full_of("words"))
    run = dataclasses.replace(base, records=tuple(records), guards=tuple(guards))
    for name, one in (("a", run), ("b", flipped(run))):
        write("json", tmp_path / f"{name}.json", one)
    said = {}
    for form in ("text", "json", "md"):
        assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"), "--format", form]) == 1
        said[form] = capsys.readouterr().out
        assert not parsers.unseen(said[form])
    assert json.loads(said["json"])["failed"] is True
    assert list(parsers.markdown_problems(said["md"])) == []


@each_text
def test_a_line_of_the_history(text: str, hostile: ModuleType, parsers: ModuleType, tmp_path: Path) -> None:
    """A run is one line per guard version, whatever it is called, and each is read back."""
    path = tmp_path / "history.jsonl"
    run = without_ledgers(hostile.run_full_of(text))
    found = list(pasts(run, commit_of(tmp_path)))
    assert found
    for past in found:
        append(path, past)
        assert not parsers.unseen(history_line(past), keep="")
        assert history_line(past_of(history_line(past))) == history_line(past)
    again, problems = read(path, "history.jsonl")
    assert (len(again), problems) == (len(found), [])
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(found)


def test_the_dashboard_of_a_hostile_history(
    hostile: ModuleType, parsers: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No page has an element that acts or a link that leads away, no file is outside the site, no line acts."""
    history, runs, site = tmp_path / "history.jsonl", tmp_path / "runs", tmp_path / "deep" / "site"
    for number, text in enumerate(hostile.TEXTS.values()):
        run = without_ledgers(hostile.run_full_of(text))
        for past in pasts(run, None):
            append(history, past)
        if number % 8 == 0:
            write("json", runs / f"{number}.json", run)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert main(["dashboard", str(history), str(runs), "-o", str(site)]) == 0
    said = capsys.readouterr()
    assert not parsers.unseen(said.out + said.err)
    pages = list(site.rglob("*.html"))
    assert len(pages) > 2
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not parsers.unseen(text, keep="\n\t")
        assert [off for off in parsers.structure(text).off if not _leads_inside(off)] == []
    made = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(site) for path in made)


def _leads_inside(found: str) -> bool:
    """True for a link to another page of the site, or to a run's report beside it."""
    tag, _, target = found.partition(" ")
    return tag in ("a", "link") and re.fullmatch(r"href=[\w./#%-]+", target) is not None and "//" not in target


@each_text
def test_a_hostile_report_is_drawn_again(
    text: str, hostile: ModuleType, parsers: ModuleType, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """``report`` reads a hostile report.json and prints any type of it as the run itself would have written it."""
    run, path = hostile.run_full_of(text), tmp_path / "report.json"
    write("json", path, run)
    for kind in ("csv", "md"):
        assert main(["report", str(path), "--to", kind]) == 0
        parsers.PARSERS[kind](capsysbinary.readouterr().out.decode("utf-8"), run)


@each_text
def test_what_is_wrong_with_a_file_is_said_harmlessly(
    text: str, hostile: ModuleType, parsers: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A report whose schema, status or severity is a hostile text is refused in words that act on nothing."""
    data = report_dict(hostile.run_full_of("words"))
    data["cases"][0]["status"] = text
    path = tmp_path / "report.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    commands = (["report", str(path), "--to", "md"], ["merge", str(path)], ["compare", str(path), str(path)])
    assert main(commands[len(text) % len(commands)]) == 2  # all of them read it in one place
    said = capsys.readouterr().err
    assert said
    assert not parsers.unseen(said)
    assert len(said) < 20_000
