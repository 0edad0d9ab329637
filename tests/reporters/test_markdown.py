"""``summary.md``: the run in a comment or a job summary, where case texts must stay texts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pytest_guardrails._model import CaseRecord, CaseStatus, Run, Trace
from pytest_guardrails.reporters._markup import MOST_LETTERS, escaped
from pytest_guardrails.reporters.markdown import MOST_CASES, markdown

MakeRun = Callable[..., Run]
MakeRecord = Callable[..., CaseRecord]


def test_no_case_is_not_all_as_expected(run: MakeRun) -> None:
    """A run without cases says so, and its rates are unknown."""
    said = markdown(run())
    assert said.startswith("# Guardrails: no case ran\n")
    assert "Recall: unknown (0 attack cases)" in said


def test_doubts_come_before_figures(run: MakeRun, record: MakeRecord, open_trace: Trace) -> None:
    """Untrusted, failed open and incomplete each stand above the rates."""
    said = markdown(run(record("a", CaseStatus.ERROR, trace=open_trace), complete=False))
    places = [said.index(word) for word in ("**Untrusted", "**Failed open", "**Incomplete", "False-positive rate")]
    assert places == sorted(places)


def test_failures_are_worst_first_and_bounded(run: MakeRun, record: MakeRecord) -> None:
    """Errors come first, then by severity; beyond the bound it says how many more there are."""
    records = [record(f"f{i}", CaseStatus.NOT_AS_EXPECTED, severity="low") for i in range(MOST_CASES)]
    records += [record("grave", CaseStatus.NOT_AS_EXPECTED, severity="critical"), record("broken", CaseStatus.ERROR)]
    lines = [line for line in markdown(run(*records)).splitlines() if "guardrails\\.yaml" in line and "|" in line]
    assert [line.split(" | ")[1] for line in lines[:2]] == ["broken", "grave"]
    assert len(lines) == MOST_CASES
    assert "… and 2 more; report.json has all." in markdown(run(*records))


def test_a_known_failing_case_is_counted_apart(run: MakeRun, record: MakeRecord) -> None:
    """An xfail is neither a failure nor lost."""
    said = markdown(run(record("k", CaseStatus.NOT_AS_EXPECTED, xfail="later"), record("a")))
    assert said.startswith("# Guardrails: all as expected (1 case)\n")
    assert "1 known failing (xfail)" in said
    assert "| severity |" not in said


def test_hostile_texts_stay_in_their_cells(hostile: Run) -> None:
    """Tables keep their columns, and no markup, link, mention or hidden character gets out of a text."""
    said = markdown(hostile)
    said.encode("utf-8")
    assert all(letter.isprintable() or letter == "\n" for letter in said)
    for line in said.splitlines():
        if line.startswith(("| ", "|-")):
            assert len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", line))) in (5, 9)
    unescaped = re.sub(r"\\.", "", said)
    assert "<" not in unescaped
    assert "[" not in unescaped
    assert "`" not in unescaped


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a|b", r"a\|b"),
        ("\\|", r"\\\|"),
        ("@octocat #12", r"@&#8203;octocat #&#8203;12"),
        ("https://x.example", r"https\://x\.example"),
        ("a\nb\x1b[0m", r"a b\\x1b\[0m"),
        ("&lt;", r"\&lt;"),
    ],
)
def test_escaped(text: str, said: str) -> None:
    """What Markdown or GitHub would act on is shown as it is."""
    assert escaped(text) == said


def test_a_long_text_is_cut_and_says_so() -> None:
    """A text of 5 MB leaves a cell of a few hundred letters."""
    said = escaped("x" * 5_000_000)
    assert said.startswith("x" * MOST_LETTERS + "… ")
    assert "5,000,000 characters" in said
    assert len(said) < MOST_LETTERS + 40


def test_a_run_of_corpora_alone_says_nothing_of_cases(corpora_run: Run) -> None:
    """It tells its corpora, and the samples that went wrong, folded where the corpus is as expected; and its notes."""
    said = markdown(corpora_run)
    assert said.startswith("# Guardrails: 1 of 2 corpora not as expected\n\n")
    assert "No case ran" not in said
    assert "unknown" not in said
    assert r"- Note: arming     nothing \<b\>could\</b\> be armed" in said
    assert r"| missed attack | travel | pytest\_guardrails/corpora/x\.jsonl\:5 |  |" in said
    folds = re.findall(r"<details( open)?><summary>([^<]*)</summary>\n\n\| what \|", said)
    assert folds == [("", "1 sample went wrong"), (" open", "6 samples went wrong")]
    assert "… and 4 more; report.json keeps 2 of them." in said
    assert "\n\n\n" not in said
