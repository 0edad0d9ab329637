"""Sorting in bounded memory, and two sorted lists side by side."""

from __future__ import annotations

import random
from collections.abc import Callable

from pytest_guardrails._history._lines import Entry
from pytest_guardrails._history._order import in_order, numbered, side_by_side

MakeEntry = Callable[..., Entry]


def test_what_does_not_fit_in_memory_is_sorted_all_the_same(entry: MakeEntry) -> None:
    """Parts that waited in files come back merged, whole and in order, whatever their keys hold."""
    keys = [f"k{number}" for number in range(50)] + ["a b", "a", "a!", 'a"', "ä\u2028", "\ud800", "a\n"]
    entries = [entry(key, population=population) for key in keys for population in ("cases", "benign")]
    random.Random(4).shuffle(entries)  # noqa: S311 - a test
    assert list(in_order(entries, most=7)) == sorted(entries, key=lambda one: one.place)


def test_what_waited_in_a_file_knows_its_place_still(entry: MakeEntry) -> None:
    """File and line of a sample come back with it, whatever the file is called."""
    entries = [entry(f"k{number}", where=f"a \ud800\n[1], b.jsonl:{number}") for number in range(9)]
    assert [one.where for one in in_order(reversed(entries), most=2)] == [one.where for one in entries]


def test_samples_of_one_key_are_counted_in_their_order(entry: MakeEntry) -> None:
    """A text that a corpus holds twice is two entries, numbered as they came, also across parts."""
    samples = [entry("k", severity=None, acted=acted) for acted in (True, False, True)] + [entry("j")]
    made = list(numbered(in_order(samples, most=2)))
    assert [(one.key, one.copy, one.verdict) for one in made[1:]] == [
        ("k", 1, "block"), ("k", 2, "allow"), ("k", 3, "block")
    ]  # fmt: skip


def test_side_by_side_pairs_what_is_at_one_place(entry: MakeEntry) -> None:
    """Each place comes once, with what either list has there."""
    first = [entry(key) for key in "abd"]
    second = [entry(key) for key in "bcde"]
    pairs = [(one and one.key, other and other.key) for one, other in side_by_side(first, second)]
    assert pairs == [("a", None), ("b", "b"), (None, "c"), ("d", "d"), (None, "e")]
    assert list(side_by_side([], [])) == []
