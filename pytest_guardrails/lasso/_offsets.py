"""Offsets in a unit that Lasso does not document, to characters.

Kong reads bytes, TrueFoundry characters, and a JavaScript server would count UTF-16 units. ``"cover"`` takes all that
any of the three could mean, so that no part of a value stays, whichever it is.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from pytest_guardrails._errors import ConfigError, unknown

OffsetUnit = Literal["cover", "characters", "utf8", "utf16"]

_WIDTHS: Mapping[str, Callable[[str], int]] = {
    "characters": lambda _char: 1,
    "utf8": lambda char: len(char.encode("utf-8", "surrogatepass")),
    "utf16": lambda char: 2 if char > "\uffff" else 1,
}
UNITS = ("cover", *_WIDTHS)
_JOINER = "\u200d"
_MOST_EXTENDERS = 128  # on each side of a span: many spans in a text of nothing else must not cost its square


@dataclass(frozen=True, slots=True)
class Ruler:
    """A text, and where each of its characters starts in each unit that its offsets may be of."""

    text: str
    edges: tuple[Sequence[int], ...]

    @classmethod
    def of(cls, text: str, unit: str = "cover") -> Ruler:
        """Measure a text once, for any number of spans.

        Raises:
            ConfigError: for an unknown unit.
        """
        if unit not in UNITS:
            raise ConfigError(unknown("unit of offsets", unit, UNITS))
        if text.isascii():
            return cls(text, (range(len(text) + 1),))
        names = _WIDTHS if unit == "cover" else (unit,)
        return cls(text, tuple([0, *accumulate(map(_WIDTHS[name], text))] for name in names))

    def holds(self, end: int) -> bool:
        """True if an end lies in the text, in one of the units at least."""
        return any(end <= edges[-1] for edges in self.edges)

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the characters that ``start:end`` could mean, half-open; None where it lies beyond the text.

        An offset inside a character, or between one and the marks and joiners that belong to it, widens outward; an
        end beyond the text is cut.
        """
        first, last = len(self.text), 0
        for edges in self.edges:
            if start < edges[-1]:
                first = min(first, bisect_right(edges, start) - 1)
                last = max(last, bisect_left(edges, min(end, edges[-1])))
        return self._widened(first, last) if first < last else None

    def _widened(self, first: int, last: int) -> tuple[int, int]:
        text = self.text
        if not text.isascii():
            least, most = max(first - _MOST_EXTENDERS, 0), min(last + _MOST_EXTENDERS, len(text))
            while first > least and _belong_together(text[first - 1], text[first]):
                first -= 1
            while last < most and _belong_together(text[last - 1], text[last]):
                last += 1
        return first, last


def _belong_together(one: str, other: str) -> bool:
    """True if the second character extends the first on screen: marks, variations, skin tones, joined emoji."""
    if one == _JOINER or other == _JOINER:
        return True
    return unicodedata.category(other) in ("Mn", "Mc", "Me") or "\U0001f3fb" <= other <= "\U0001f3ff"
