"""A text as the chunks of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from pytest_guardrails._errors import ConfigError

_MOST_CUTS = 40


def split(text: str) -> SearchStrategy[list[str]]:
    """Draw lists of chunks whose join is ``text``, from one chunk (the simplest) to one per character.

    Every offset is reached, also between a letter and its accent or the two halves of a surrogate pair; a chunk may be
    empty, as in real streams. Where the text is drawn as well: ``texts.flatmap(split)``.

    Raises:
        ConfigError: for anything but a text.
    """
    if not isinstance(text, str):
        raise ConfigError(f"split(...) takes a text, not {type(text).__name__}; of a drawn sample, sample.text")
    return _chunks(text)


@st.composite
def _chunks(draw: DrawFn, text: str) -> list[str]:
    most = min(len(text) + 2, _MOST_CUTS)
    cuts = draw(st.integers(0, most))
    offsets = [draw(st.integers(0, len(text))) for _ in range(cuts)]  # drawn for all, too: there is a way down from it
    return _cut(text, range(1, len(text)) if cuts == most else sorted(offsets))


def _cut(text: str, offsets: Sequence[int]) -> list[str]:
    return [text[start:end] for start, end in pairwise([0, *offsets, len(text)])]
