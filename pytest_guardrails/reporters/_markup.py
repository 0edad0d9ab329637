"""Texts and class names as markup: the only way of a text into the page."""

from __future__ import annotations

import re
from html import escape

from pytest_guardrails.reporters.terminal import plain

MOST_LETTERS = 300
MOST_NAME = 300
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&@:$])")
_MENTION = re.compile(r"\\([@#])")


def shown(text: object, most: int = MOST_NAME) -> str:
    """Return a text for the page, readable as it is and unable to be markup."""
    return escape(plain(str(text), most))


def escaped(text: str, most: int = MOST_LETTERS) -> str:
    """Return ``text`` so that Markdown and its tables show it as it is, on one line, cut, without hidden characters.

    GitHub links ``@name`` and ``#1`` even where they are escaped, so a zero-width space parts them.
    """
    return _MENTION.sub(r"\1&#8203;", _SPECIAL.sub(r"\\\1", plain(text, most)))


def slug(name: str) -> str:
    """Return one of our own words as the name of a class."""
    return name.replace(" ", "-")
