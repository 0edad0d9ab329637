"""A comparison as lines of a terminal and as Markdown: readable, and unable to be anything else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from pytest_guardrails._codec import EMPTY
from pytest_guardrails._history import compare
from pytest_guardrails._history._lines import Entry
from pytest_guardrails._history._side import Side
from pytest_guardrails._model import Flip, Latency, Run
from pytest_guardrails.reporters._html_changes import changes
from pytest_guardrails.reporters._versions import (
    MOST_FLIPS,
    comparison_lines,
    comparison_markdown,
    guardrail_sentences,
    what_changed,
)

MakeEntry = Callable[..., Entry]
MakeSide = Callable[..., Side]
HOSTILE = "\x1b[31mred \u202e <img src=x> | `b` @everyone [x](javascript:1)\n# head"


def test_what_is_new_and_gone_is_said(entry: MakeEntry, side: MakeSide) -> None:
    """Two suites that differ are compared on what they share, and it says which cases only one of them has."""
    made = compare(side([entry("a"), entry("old")]), side([entry("a"), entry("new")]))
    said = list(comparison_lines(made, width=200))
    assert "compared   1 in both; the suites differ: 1 only before (old), 1 only after (new)" in said


def test_a_change_is_said_with_its_counts(entry: MakeEntry, side: MakeSide) -> None:
    """A rate never stands alone: both counts, the paired interval and p."""
    before = side([entry(f"{n}", "benign", acted=n < 1) for n in range(10)])
    after = side([entry(f"{n}", "benign", acted=n < 8) for n in range(10)])
    said = "\n".join(comparison_lines(compare(before, after), width=200))
    assert "FPR      10 % → 80 % (1 → 8 of 10), +70.0 points, 95 %: +" in said
    assert "McNemar p = 0.016" in said
    assert "FAILED     fpr-loss: " in said
    assert "passed" not in said


def test_a_comparison_without_a_gate_fails_nothing(entry: MakeEntry, side: MakeSide) -> None:
    """Of a candidate it says what would fail."""
    made = compare(side([entry("a", severity="critical")]), side([entry("a", severity="critical", acted=False)]))
    said = "\n".join(comparison_lines(made, width=200, gate=False))
    assert "would fail critical-flip" in said
    assert "FAILED" not in said


@pytest.mark.parametrize("width", [40, 80, 200])
def test_hostile_names_are_only_read(entry: MakeEntry, side: MakeSide, width: int) -> None:
    """No control character, no line of its own and no markup comes from a key, a guardrail or a guard."""
    before = [entry(HOSTILE, guard=HOSTILE, by=HOSTILE, fired=(HOSTILE,), population=HOSTILE, severity="critical")]
    after = [entry(HOSTILE, guard=HOSTILE, acted=False, population=HOSTILE, severity="critical")]
    made = compare(side(before, HOSTILE), side(after, HOSTILE))
    lines = list(comparison_lines(made, width=width))
    assert all(line.isprintable() and len(line) <= width for line in lines)
    text = "\n".join(comparison_markdown(made))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n# head" not in text
    assert "@everyone" not in text
    assert re.search(r"(?<!\\)(<img|\[x|`|\(javascript)", text) is None


def test_the_terminal_shows_the_first_flips(entry: MakeEntry, side: MakeSide) -> None:
    """Many flips are cut, and the rest is counted."""
    keys = [f"{number:03}" for number in range(50)]
    made = compare(side([entry(key) for key in keys]), side([entry(key, acted=False) for key in keys]))
    said = list(comparison_lines(made, width=200))
    assert sum(line.startswith("  newly wrong") for line in said) == MOST_FLIPS
    assert f"  … and {50 - MOST_FLIPS} more flips" in said


def test_the_guardrails_that_decided_are_named(entry: MakeEntry, side: MakeSide) -> None:
    """What acts now, and what acts no more, with how many went wrong; an answer that reads the same is explained."""
    before = [entry("a", "benign", acted=False), entry("b", by="words"), entry("c", "benign", acted=False)]
    after = [entry("a", "benign", by="words"), entry("b", acted=False), entry("c", "benign", by="pii")]
    made = compare(side(before), side(after))
    assert list(guardrail_sentences(made)) == [
        "words: 1 newly wrong and acting no more, 1 newly wrong",
        "pii: 1 newly wrong",
    ]
    assert "- Guardrails: words" in "\n".join(comparison_markdown(made))
    same = Flip("cases", "x", "benign", "low", "newly wrong", "", "allow", "allow")
    assert what_changed(same) == "same answer; what changed is an error, a text or a call"
    assert what_changed(replace(same, after="allow (warn) by w")) == "same verdict, another action and guardrail"


def test_latency_is_a_plain_line(entry: MakeEntry, side: MakeSide) -> None:
    """Both times, how many times as long, and of how many requests; a vendor's apart; what is not recorded is said."""
    place = ("cases", "guard.yaml")
    then, now = Latency(40, 0.0006, 0.0012), Latency(38, 0.0007, 0.0048, 38, 0.2, 0.3)
    made = compare(side([entry("a")], latency={place: then}), side([entry("a")], latency={place: now}))
    lines = list(comparison_lines(made, width=200))
    assert "  latency  p50 600 µs → 700 µs (x1.2), p95 1.2 ms → 4.8 ms (x4.0); 40 → 38 requests" in lines
    assert "  vendor   now p50 200 ms, p95 300 ms, 38 requests; before: not recorded" in lines
    assert "| latency | p50 600 µs → 700 µs" in "\n".join(comparison_markdown(made))
    assert not made.failed
    page = "".join(changes(Run("", 0.0, True, EMPTY, (), (), comparison=made)))
    assert "p95 1.2 ms → 4.8 ms (x4.0)" in page
    silent = compare(side([entry("a")]), side([entry("a")]))
    assert not [line for line in comparison_lines(silent, width=200) if line.startswith("  latency")]


def test_a_sample_is_named_by_its_place_too(entry: MakeEntry, side: MakeSide) -> None:
    """The hash of a sample without an id is followed by file and line, in lines, Markdown and HTML."""
    before = [entry("7dfdd6825c9de38b", severity=None, population="b")]
    after = [entry("7dfdd6825c9de38b", "benign", severity=None, population="b", acted=False, where="b.jsonl:12")]
    made = compare(side(before), side(after))
    said = "\n".join(comparison_lines(made, width=300))
    assert "newly wrong, attack, now benign: b: 7dfdd6825c9de38b (b.jsonl:12): block by words → allow" in said
    assert "labels   relabelled: 1; these count by their old label" in said
    assert "(b.jsonl:12)" in "\n".join(comparison_markdown(made)).replace("\\", "")
    page = "".join(changes(Run("", 0.0, True, EMPTY, (), (), comparison=made)))
    assert "b.jsonl:12" in page
    assert "attack, now benign" in page


def test_a_corrected_p_stands_beside_its_own(entry: MakeEntry, side: MakeSide) -> None:
    """With several rates that could be significant, both are said; with one, p alone."""
    for count, said in ((1, "McNemar p = 0.031"), (2, "McNemar p = 0.031, p = 0.063 after Holm")):
        names = [f"p{number}" for number in range(count)]
        before = [entry(f"{n}", population=name) for name in names for n in range(6)]
        after = [entry(f"{n}", population=name, acted=False) for name in names for n in range(6)]
        lines = list(comparison_lines(compare(side(before), side(after)), width=200))
        assert sum(line.endswith(said) for line in lines) == count
