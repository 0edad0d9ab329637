"""The terminal section: printable lines that fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._metrics import measure
from pytest_guardrails._model import CaseRecord, CaseStatus, CorpusRecord, Group, Run, Trace
from pytest_guardrails._stats import Rate, per_cent
from pytest_guardrails.reporters.terminal import described, plain, terminal, verdict_line

MakeRun = Callable[..., Run]
MakeRecord = Callable[..., CaseRecord]


def lines(run: Run, width: int = 80) -> list[str]:
    """Return the section of a run."""
    return list(terminal(run, measure(run.records), width=width))


def test_the_section_says_guard_cases_rates_and_latency(run: MakeRun, record: MakeRecord) -> None:
    """A plain run reads as it did when this was written."""
    assert lines(run(record("a"), record("b", CaseStatus.NOT_AS_EXPECTED))) == [
        "guard      embedded engine, guard.yaml: version 7 (abc)",
        "cases      1 as expected, 1 not as expected, 0 errored",
        "guardrail                          phase   fired silent decided errors   skip",
        "pii_redact                         before      2      0       2      0      0",
        "out                                after       0      0       0      0      2",
        "FPR        unknown (0 benign cases)",
        "recall     100 % (2 of 2 attack cases), 95 %: 34 % to 100 %; ≥ 22.3 %",
        "           for ≥ 95 % you need 59 attacks, all caught",
        "latency    p50 0.40 ms, p95 0.40 ms per request",
        "slowest    0.40 ms a.guardrails.yaml::a",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_hostile_names_neither_move_the_cursor_nor_overflow(hostile: Run, width: int) -> None:
    """No line has a control, format or surrogate character, and none is wider than the terminal."""
    for line in lines(hostile, width):
        assert line.isprintable()
        assert len(line) <= width


def test_wide_letters_take_two_columns(run: MakeRun, record: MakeRecord, trace: Callable[..., Trace]) -> None:
    """A guardrail with a Chinese name leaves the figures in their columns."""
    rows = lines(run(record(trace=trace("x", name="个人信息" * 3)), record("b", trace=trace("x", name="个人信息" * 9))))
    assert rows[3].startswith("个人信息" * 3 + " " * 11 + "before")
    assert rows[5].startswith(("个人信息" * 9)[:16] + "… " + " before")


def test_a_slash_in_a_case_is_no_folder(run: MakeRun, record: MakeRecord) -> None:
    """The slowest case is named by its file without folders, and by its whole name."""
    rows = lines(run(record("and/or", nodeid="suites/a.guardrails.yaml::and/or")))
    assert rows[-1].endswith("0.40 ms a.guardrails.yaml::and/or")


def test_doubts_are_said(run: MakeRun, record: MakeRecord, open_trace: Trace) -> None:
    """Untrusted, failed open and incomplete each have a line, and the verdict of the run names them in that order."""
    made = run(record("a", CaseStatus.ERROR, trace=open_trace), complete=False)
    said = lines(made)
    assert [line.split("  ")[0].split(" in ")[0].split(" the")[0] for line in said[2:5]] == [
        "UNTRUSTED",
        "FAILED OPEN",
        "INCOMPLETE",
    ]
    assert verdict_line(made, measure(made.records)).startswith(
        "UNTRUSTED · FAILED OPEN in 1 case · INCOMPLETE · 0 of 1"
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.0721, "7.2 %"), (0.9995, "99.95 %"), (0.0003, "0.03 %"), (1e-5, "0.001 %")],
)
def test_a_share_never_rounds_to_none_or_all(share: float, said: str) -> None:
    """Only nothing is 0 % and only everything is 100 %."""
    assert per_cent(share) == said


def test_the_bound_of_many_clean_cases_is_not_zero() -> None:
    """0 of 10,000 shows an FPR of at most 0.03 %, not of at most 0."""
    assert described(Rate(0, 10_000), "benign case") == "0 % (0 of 10,000 benign cases), 95 %: 0 % to 0.038 %; ≤ 0.03 %"


def test_one_is_no_plural() -> None:
    """A single case, sample or test is counted in the singular."""
    assert described(Rate(1, 1), "attack case").startswith("100 % (1 of 1 attack case), ")


def test_a_rate_is_said_alike_of_cases_and_corpora(run: MakeRun, record: MakeRecord) -> None:
    """The line of a corpus with the same counts has the same figures in the same form."""
    counts = (Group("all", "", true_positive=2),)
    corpus = CorpusRecord("n", "mine", CaseStatus.AS_EXPECTED, rows=2, groups=counts)
    said = [line.split(None, 1)[1] for line in lines(run(record("a"), record("b"), corpora=(corpus,)))
            if line.split(None, 1)[0] == "recall"]  # fmt: skip
    assert said[0] == said[1].replace("attacks", "attack cases")


@pytest.mark.parametrize("width", [30, 50, 60, 80])
def test_no_figure_is_cut(run: MakeRun, record: MakeRecord, width: int) -> None:
    """Where the terminal is narrow, the lines of rates and corpora are broken, and every word is there."""
    corpus = CorpusRecord(
        "n", "mine", CaseStatus.NOT_AS_EXPECTED, rows=3, groups=(Group("all", "", true_positive=2, error=1),),
        latency=FrozenDict({"-350": 12}), reasons=("the guard gave no answer to 1 of 3 samples",), note="first rows",
    )  # fmt: skip
    made = run(record("a"), record("b", CaseStatus.ERROR), corpora=(corpus,))
    kept = {"FPR", "recall", "corpus", "latency", "errors", "cases", "UNTRUSTED"}
    wide = [line for line in lines(made, 500) if line.split(None, 1)[0] in kept]
    narrow = " ".join(" ".join(lines(made, width)).split())
    assert all(len(line) <= width for line in lines(made, width))
    assert len(wide) >= 7
    for line in wide:
        assert " ".join(line.split()) in narrow


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\tb\nc\u00a0d", "a b c d"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\u202e\u200b\x00", r"\u202e\u200b\x00"),
        ("\ud800", r"\ud800"),
        ("שלום 你好 é", "שלום 你好 é"),
        ("x" * 20, "xxxxxxxxxx… (20 characters)"),
    ],
)
def test_plain(text: str, said: str) -> None:
    """What can be read stays, other space is a space, all else is an escape, and what is long is cut."""
    assert plain(text, 10) == said or plain(text, 20) == said
