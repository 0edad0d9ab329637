"""The table of cases and corpora."""

from __future__ import annotations

import csv as reader
import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._model import CaseRecord, CaseStatus, CorpusRecord, Group, Run
from pytest_guardrails.reporters import csv
from pytest_guardrails.reporters.csv import COLUMNS

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "＝1", '=HYPERLINK("http://x")')


def read(run: Run) -> list[dict[str, str]]:
    """Return the rows of a run's table; every row has every column."""
    rows = list(reader.DictReader(io.StringIO(csv(run), newline=""), strict=True))
    assert all(set(row) == set(COLUMNS) and None not in row.values() for row in rows)
    return rows


def test_a_case_is_a_row(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Each case has a row with what was expected, what came, and why it is wrong."""
    (row,) = read(run(record("x", CaseStatus.NOT_AS_EXPECTED, tags=("pii", "a"), reasons=("one", "two"))))
    expected = {
        "kind": "case",
        "name": "x",
        "line": "3",
        "status": "not as expected",
        "verdict": "allow",
        "decided_by": "pii_redact",
        "category": "pii",
        "tags": "pii a",
        "guard_version": "7 (abc)",
        "reasons": "one; two",
        "latency_ms": "0.4",
        "fpr": "",
    }
    assert expected.items() <= row.items()


def test_a_corpus_has_a_row_per_group(run: Callable[..., Run]) -> None:
    """Each group of a corpus has a row with its counts and rates; that of a candidate has none."""
    groups = (Group("all", "", 8, 1, 9, 2), Group("category", "mail", 8, 0, 0, 2))
    corpus = CorpusRecord("a::c", "mails", CaseStatus.AS_EXPECTED, "guard.yaml@abc", groups=groups)
    first, second = read(run(corpora=(corpus, replace(corpus, shadow=True))))
    assert (first["kind"], first["group_kind"], first["fpr"], first["recall"]) == ("corpus", "all", "0.1", "0.8")
    assert (second["group"], second["fpr"], second["true_positive"], second["error"]) == ("mail", "", "8", "0")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(full_of: Callable[[str], Run], text: str) -> None:
    """What a spreadsheet would run, also behind a space, a tab or in full-width letters, begins with an apostrophe."""
    cells = [cell for row in read(full_of(text)) for cell in row.values()]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "＝"))]
    assert any(cell.startswith("'") for cell in cells)


@settings(max_examples=60)
@given(st.text(max_size=12), st.sampled_from(["", "=", "\t@", " -", "\x0b+", "\ufeff=", "\x00="]))
def test_any_text_is_one_harmless_line(text: str, start: str) -> None:
    """Whatever a note says, the table keeps its rows, and no cell begins as a formula."""
    record = CaseRecord("a::b", "b", CaseStatus.AS_EXPECTED, note=f"{start}{text}", reasons=(start, text))
    made = Run("", 1.0, True, {}, (), (record,))  # type: ignore[arg-type]
    (row,) = read(made)
    assert all(cell.isprintable() and not cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row.values())


def test_hostile_texts_keep_the_table(hostile_figures: Run) -> None:
    """Whatever stands in a field, there is a row per case, group and sample, each on a line of its own."""
    rows = read(hostile_figures)
    assert [row["kind"] for row in rows] == ["case"] * 4 + (["corpus"] * 4 + ["sample"]) * 2 + ["run"]
    assert len(csv(hostile_figures).splitlines()) == 16


def test_numbers_stay_numbers(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Figures are no texts to a spreadsheet: no apostrophe stands before one."""
    (row,) = read(run(record()))
    assert float(row["latency_ms"]) == 0.4


def test_a_sample_that_went_wrong_has_a_row(corpora_run: Run) -> None:
    """With its place, what it was, who acted, and its masked text."""
    samples = [row for row in read(corpora_run) if row["kind"] == "sample"]
    assert [(row["name"], row["file"], row["line"], row["outcome"]) for row in samples] == [
        ("attacks", "pytest_guardrails/corpora/x.jsonl", "5", "false_negative"),
        ("benign", "data/benign.jsonl", "2", "false_positive"),
        ("benign", "data/benign.jsonl", "9", "false_positive"),
    ]
    expected = {"decided_by": "before_request/words/default.contains", "category": "money", "text": "«aa · #2»"}
    assert expected.items() <= samples[1].items()
