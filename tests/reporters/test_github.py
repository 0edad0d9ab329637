"""What GitHub Actions is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pytest_guardrails._model import CaseRecord, CaseStatus, CorpusRecord, GateResult, Run
from pytest_guardrails.reporters import markdown
from pytest_guardrails.reporters._github import MOST_BYTES, append_summary, error_commands, summary

COMMAND = re.compile(r"::error (?:file=([^,:\n]*),)?(?:line=(\d+),)?title=([^,:\n]*)::([^\n\r]*)")


def test_the_summary_is_appended(run: Callable[..., Run], record: Callable[..., CaseRecord], tmp_path: Path) -> None:
    """What an earlier command of the step wrote stays, and the Markdown summary follows."""
    path = tmp_path / "summary.md"
    path.write_text("before\n", encoding="utf-8")
    append_summary(run(record()), path)
    assert path.read_text(encoding="utf-8") == f"before\n{markdown(run(record())).rstrip()}\n\n"


def test_the_summary_leaves_room_for_what_is_there(full_of: Callable[[str], Run], tmp_path: Path) -> None:
    """A file that is almost full gets whole lines up to the limit, and says that the rest is left out."""
    path = tmp_path / "summary.md"
    path.write_bytes(b"x" * (MOST_BYTES - 700) + b"\n")
    append_summary(full_of("é" * 2_000), path)
    data = path.read_bytes()
    assert MOST_BYTES - 700 < len(data) <= MOST_BYTES
    assert data.decode("utf-8").endswith("report.json has all.\n")
    append_summary(full_of("x"), path)
    assert len(path.read_bytes()) <= MOST_BYTES


def test_a_cut_keeps_whole_lines(full_of: Callable[[str], Run]) -> None:
    """What is kept is the beginning of the summary, by lines."""
    made = full_of("x")
    whole, cut = summary(made), summary(made, 400)
    kept = cut.partition("\n\n… ".encode())[0]
    assert whole.startswith(kept + b"\n")
    assert len(cut) <= 400


def test_a_cut_leaves_nothing_folded(corpora_run: Run) -> None:
    """Where the summary is cut inside a fold, that is closed, so that the reader sees that something is left out."""
    whole = summary(corpora_run)
    for room in range(len(whole) - 300, len(whole)):
        cut = summary(corpora_run, room)
        assert len(cut) <= room
        assert cut.count(b"<details") == cut.count(b"</details>")


def test_a_case_is_annotated_at_its_line(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """A case that is not as expected is an error at its file and line, from the root of the repository."""
    bad = record("x", CaseStatus.NOT_AS_EXPECTED, severity="high", reasons=("verdict: expected block, got allow",))
    (line,) = error_commands(run(bad, record("good")), "suites/pii")
    assert line == (
        "::error file=suites/pii/a.guardrails.yaml,line=3,title=x%3A not as expected (high)::"
        "verdict: expected block, got allow"
    )


def test_at_most_ten_the_worst_first(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Gates come first, then corpora, then cases: errors, then by severity; what is known to fail is none."""
    low = [record(f"low{n}", CaseStatus.NOT_AS_EXPECTED, severity="low") for n in range(20)]
    critical = record("worst", CaseStatus.NOT_AS_EXPECTED, severity="critical")
    error = record("broken", CaseStatus.ERROR, severity="low")
    known = record("known", CaseStatus.ERROR, xfail="a bug")
    corpus = CorpusRecord("f::c", "mails", CaseStatus.NOT_AS_EXPECTED, file="f.yaml", line=9, reasons=("FPR",))
    shadow = replace(corpus, name="candidate", shadow=True)
    gates = (GateResult("fpr<=1%", False, ("fpr is 3 %",)), GateResult("p95<=1s", True))
    lines = list(error_commands(run(*low, critical, error, known, corpora=(corpus, shadow), gates=gates)))
    titles = [match[3] for line in lines if (match := COMMAND.fullmatch(line))]
    assert titles[:4] == [
        "Gate fpr<=1%25 failed",
        "Corpus mails%3A not as expected",
        "broken%3A error (low)",
        "worst%3A not as expected (critical)",
    ]
    assert len(lines) == len(titles) == 10


def test_what_has_no_result_comes_first(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """A lost test is an annotation before all others."""
    made = run(record("x", CaseStatus.ERROR), complete=False, lost=("t.py::x: its worker died",))
    assert next(iter(error_commands(made))) == "::error title=No result::t.py::x: its worker died"


def test_hostile_texts_stay_in_their_command(hostile_figures: Run) -> None:
    """No text ends its property, its command or its line, or begins another command."""
    lines = list(error_commands(hostile_figures, ""))
    assert len(lines) == 5
    assert all(COMMAND.fullmatch(line) and line.isprintable() for line in lines)


def test_a_text_that_is_a_command_is_data(full_of: Callable[[str], Run]) -> None:
    """A percent sign, a new line and a whole command are escaped as GitHub's runner reads them."""
    lines = list(error_commands(full_of("50%, a:b\n::stop-commands::x")))
    assert len(lines) == 2
    assert all(line.startswith("::error file=50%25%2C a%3Ab %3A%3Astop-commands%3A%3Ax,line=3,") for line in lines)
