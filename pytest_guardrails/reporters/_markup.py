"""Texts and class names as markup: the only way of a text into the page."""

from __future__ import annotations

from html import escape

from pytest_guardrails.reporters._island import MOST_NAME
from pytest_guardrails.reporters.terminal import plain


def shown(text: object, most: int = MOST_NAME) -> str:
    """Return a text for the page, readable as it is and unable to be markup."""
    return escape(plain(str(text), most))


def slug(name: str) -> str:
    """Return one of our own words as the name of a class."""
    return name.replace(" ", "-")
