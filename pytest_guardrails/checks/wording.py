"""Checks of Portkey's ``default`` plugin about words: contains, counts, endings, emptiness.

A requirement (an ending, a count) is asked of each content in scope; narrow it with the guardrail's ``scope``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Finding, Text

_WORD = re.compile(r"\S+")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|\Z)")


def contents(texts: Sequence[Text]) -> Iterator[Text]:
    """Return the texts that are message content, leaving tool arguments out."""
    return (text for text in texts if text.field.startswith("content"))


def failure(check: str, text: Text, *, name: str | None = None) -> Finding:
    """Return the finding that a whole text fails a requirement."""
    return Finding(name or check, "format", message_index=text.message_index, field=text.field)


@dataclass(frozen=True, slots=True)
class Contains:
    """``operator`` any: some word must be there; all: every word; none: no word may be (case-sensitive substrings)."""

    words: tuple[str, ...]
    operator: Literal["any", "all", "none"]
    id: ClassVar[str] = "default.contains"

    def __post_init__(self) -> None:
        if not self.words or "" in self.words:
            raise ConfigError("words is a list of at least one text, none of them empty")

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per forbidden word, or one if the texts together lack a required one."""
        if self.operator == "none":
            return [_at(self.id, text, word) for text in texts for word in self.words if word in text.text]
        there = [any(word in text.text for text in texts) for word in self.words]
        passes = any(there) if self.operator == "any" else all(there)
        return [] if passes or not texts else [failure(self.id, texts[-1])]


def _at(check: str, text: Text, word: str) -> Finding:
    start, end = text.text.index(word), text.text.index(word) + len(word)
    return Finding(check, "content", message_index=text.message_index, field=text.field, start=start, end=end)


def _out_of_range(
    check: str, texts: Sequence[Text], count: Callable[[str], int], low: int | None, high: int | None, invert: bool
) -> list[Finding]:
    """Return a finding per content whose count is outside the limits, or inside them where ``invert``."""
    found = []
    for text in contents(texts):
        size = count(text.text)
        inside = (low is None or size >= low) and (high is None or size <= high)
        if inside is invert:
            found.append(failure(check, text))
    return found


def _limits(low: int | None, high: int | None) -> None:
    if low is None and high is None:
        raise ConfigError("neither a minimum nor a maximum is given")
    if low is not None and high is not None and low > high:
        raise ConfigError(f"the minimum {low} is above the maximum {high}")


@dataclass(frozen=True, slots=True)
class WordCount:
    """The words of a content, split at white space, are within limits; ``not`` inverts."""

    min_words: int | None = None
    max_words: int | None = None
    not_: bool = False
    id: ClassVar[str] = "default.wordCount"

    def __post_init__(self) -> None:
        _limits(self.min_words, self.max_words)

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per content that breaks the limits."""
        return _out_of_range(self.id, texts, _words, self.min_words, self.max_words, self.not_)


@dataclass(frozen=True, slots=True)
class CharacterCount:
    """The characters of a content are within limits; ``not`` inverts."""

    min_characters: int | None = None
    max_characters: int | None = None
    not_: bool = False
    id: ClassVar[str] = "default.characterCount"

    def __post_init__(self) -> None:
        _limits(self.min_characters, self.max_characters)

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per content that breaks the limits."""
        return _out_of_range(self.id, texts, len, self.min_characters, self.max_characters, self.not_)


@dataclass(frozen=True, slots=True)
class SentenceCount:
    """The sentences of a content (ends of ``.``, ``!``, ``?``, or of the text) are within limits; ``not`` inverts."""

    min_sentences: int | None = None
    max_sentences: int | None = None
    not_: bool = False
    id: ClassVar[str] = "default.sentenceCount"

    def __post_init__(self) -> None:
        _limits(self.min_sentences, self.max_sentences)

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per content that breaks the limits."""
        return _out_of_range(self.id, texts, _sentences, self.min_sentences, self.max_sentences, self.not_)


def _words(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))


def _sentences(text: str) -> int:
    stripped = text.strip()
    ends = sum(1 for _ in _SENTENCE_END.finditer(stripped))
    return ends + (1 if stripped and stripped[-1] not in ".!?" else 0)


@dataclass(frozen=True, slots=True)
class EndsWith:
    """Every content ends with ``suffix``, or with it and a full stop; ``not`` inverts."""

    suffix: str
    not_: bool = False
    id: ClassVar[str] = "default.endsWith"

    def __post_init__(self) -> None:
        if not self.suffix:
            raise ConfigError("suffix is empty: every text ends with it")

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per content with another ending."""
        endings = (self.suffix, f"{self.suffix}.")
        return [failure(self.id, text) for text in contents(texts) if text.text.endswith(endings) is self.not_]


@dataclass(frozen=True, slots=True)
class NotNull:
    """Every content says something other than white space; ``not`` inverts."""

    not_: bool = False
    id: ClassVar[str] = "default.notNull"

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per empty content."""
        return [failure(self.id, text) for text in contents(texts) if bool(text.text.strip()) is self.not_]
