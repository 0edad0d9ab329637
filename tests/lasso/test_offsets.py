"""Offsets of an unknown unit: what is covered, what widens, what lies outside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import ConfigError
from pytest_guardrails.lasso._offsets import UNITS, Ruler

LENGTHS: dict[str, Callable[[str], int]] = {
    "characters": len,
    "utf8": lambda text: len(text.encode()),
    "utf16": lambda text: len(text.encode("utf-16-le")) // 2,
}
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
WAVE = "\U0001f44b\U0001f3fd"
HEBREW = "\u05e9\u05c1\u05dc\u05d5\u05dd"  # with a combining dot
words = st.lists(st.sampled_from(["a", " ", "é", "e\u0301", HEBREW, "€", "😀", WAVE, FAMILY]), max_size=5).map("".join)


@pytest.mark.parametrize("unit", LENGTHS)
@given(before=words, value=words.filter(bool), after=words)
def test_cover_covers_the_value_in_each_unit(unit: str, before: str, value: str, after: str) -> None:
    """Whichever unit the server counts in, all of the value is in the span, and so it is with the unit given."""
    length = LENGTHS[unit]
    start, end = length(before), length(before + value)
    for ruler in (Ruler.of(before + value + after), Ruler.of(before + value + after, unit)):
        span = ruler.span(start, end)
        assert span is not None
        assert span[0] <= len(before)
        assert span[1] >= len(before + value)


@given(st.text(st.characters(max_codepoint=127), min_size=1), st.data())
def test_ascii_is_the_same_in_every_unit(text: str, data: st.DataObject) -> None:
    """Where the units agree nothing is widened."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert {Ruler.of(text, unit).span(start, end) for unit in UNITS} == {(start, end)}


@pytest.mark.parametrize(("unit", "start", "end"), [("utf8", 2, 4), ("utf8", 1, 3), ("utf16", 2, 3), ("utf16", 1, 2)])
def test_offsets_inside_a_character_widen(unit: str, start: int, end: int) -> None:
    """Half a character is the whole one."""
    span = Ruler.of("a😀b", unit).span(start, end)
    assert span == (1, 2)


@pytest.mark.parametrize(
    ("text", "start", "end", "span"),
    [
        ("xe\u0301y", 1, 2, (1, 3)),
        ("xe\u0301y", 2, 3, (1, 3)),
        (f"x{WAVE}y", 1, 2, (1, 3)),
        (f"x{FAMILY}y", 1, 2, (1, 6)),
        (f"x{FAMILY}y", 5, 6, (1, 6)),
        ("x❤\ufe0fy", 1, 2, (1, 3)),
        (f"x{HEBREW}y", 1, 2, (1, 3)),
    ],
    ids=["mark-after", "mark-alone", "skin", "family-first", "family-last", "variation", "point"],
)
def test_spans_widen_to_what_is_one_on_screen(text: str, start: int, end: int, span: tuple[int, int]) -> None:
    """No mark, tone or joined emoji of a value stays behind."""
    assert Ruler.of(text, "characters").span(start, end) == span


def test_an_end_beyond_the_text_is_cut_and_a_start_beyond_is_nothing() -> None:
    """What lies outside cannot be masked."""
    ruler = Ruler.of("abc")
    assert (ruler.span(1, 99), ruler.span(3, 4)) == ((1, 3), None)
    assert (ruler.holds(3), ruler.holds(4)) == (True, False)
    assert (Ruler.of("שלום", "characters").holds(8), Ruler.of("שלום").holds(8)) == (False, True)


def test_half_a_surrogate_pair_is_a_character() -> None:
    """Text that no encoding takes is measured all the same."""
    assert Ruler.of("a\ud800b").span(0, 9) == (0, 3)


def test_an_unknown_unit_is_refused() -> None:
    """The choices are in the error."""
    with pytest.raises(ConfigError, match="characters, cover, utf16, utf8"):
        Ruler.of("abc", "bytes")
