"""A comparison as lines of a terminal and as Markdown: readable, and unable to be anything else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pytest_guardrails._history import compare
from pytest_guardrails._history._lines import Entry
from pytest_guardrails._history._side import Side
from pytest_guardrails.reporters._versions import MOST_FLIPS, comparison_lines, comparison_markdown

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
