"""``split``: a text as the chunks of a stream."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from pytest_guardrails import ConfigError
from pytest_guardrails.strategies import split

simplest = partial(find, settings=settings(database=None, max_examples=2000))
quick = settings(max_examples=60, database=None)
TRICKY = "e\u0301👩\u200d💻\ud83d\udc4b"  # an accent, a joined emoji, the two halves of a surrogate pair


@quick
@given(st.text(max_size=20), st.data())
def test_the_chunks_join_to_the_text(text: str, data: st.DataObject) -> None:
    """Whatever the text is, nothing is lost, added or moved."""
    chunks = data.draw(split(text))
    assert "".join(chunks) == text
    assert chunks


@pytest.mark.parametrize("text", ["", "a", "some text", TRICKY])
def test_it_shrinks_to_one_chunk(text: str) -> None:
    """The simplest stream is the whole text."""
    assert simplest(split(text), lambda _: True) == [text]


@pytest.mark.parametrize("offset", range(len(TRICKY) + 1))
def test_every_offset_is_reached(offset: int) -> None:
    """The text is cut at each offset, and shrinks to that cut alone; at the ends the other chunk is empty."""
    chunks = simplest(
        split(TRICKY), lambda chunks: offset in [len("".join(chunks[:end])) for end in range(1, len(chunks))]
    )
    assert chunks == [TRICKY[:offset], TRICKY[offset:]]


def test_one_chunk_per_character_is_reached() -> None:
    """A long text, too, is cut everywhere at once."""
    text = "abcdefgh" * 10
    unshrunk = settings(phases=[Phase.generate], database=None, max_examples=2000)
    assert simplest(split(text), lambda chunks: len(chunks) == len(text), settings=unshrunk) == list(text)


def test_it_takes_a_text() -> None:
    """What is no text is refused at once."""
    wrong: Any = ["a"]
    with pytest.raises(ConfigError, match=r"split\(\.\.\.\) takes a text, not list"):
        split(wrong)
