"""Spans of text, and what stands around one: shared by the detectors of personal data."""

from __future__ import annotations

import re
import string

Span = tuple[int, int]

WORD = frozenset(string.ascii_letters + string.digits + "_")  # ASCII: Chinese beside a number is no part of it


def glued(text: str, start: int, end: int, joiners: str = "-") -> bool:
    """True if the span is part of a longer token: beside a word character, a joiner and one, or a point and a digit."""
    before, after = text[max(0, start - 2) : start][::-1], text[end : end + 2]
    return _joined(before, joiners) or _joined(after, joiners)


def _joined(beside: str, joiners: str) -> bool:
    first, second = beside[:1], beside[1:]
    if first == ".":
        return second.isdigit()
    return first in WORD or (first in joiners and second in WORD)


def follows(pattern: re.Pattern[str], text: str, start: int, width: int = 40) -> bool:
    """True if the pattern is found in the ``width`` characters before ``start``."""
    return pattern.search(text, max(0, start - width), start) is not None


def in_path(text: str, start: int) -> bool:
    """True after a slash that follows a word, as in a URL's path."""
    return start > 1 and text[start - 1] == "/" and text[start - 2] in WORD
