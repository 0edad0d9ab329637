"""Labelled samples out of recipes of texts: what a guard must act on, with its place, and what it must leave alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pytest_guardrails._model import Sample, Span
from pytest_guardrails.strategies._families._recipes import Recipe, Words, word
from pytest_guardrails.strategies._families._source import Seeded, Source

Spans = tuple[Span, ...] | None


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of personal data: its name in reports and of its strategy, its values, and its twins by what is wrong."""

    name: str
    strategy: str
    values: Recipe[Sample]
    twins: Mapping[str, Recipe[Sample]]


def found(entity: str, value: Words, before: str = "", after: Words | str = "") -> Recipe[Sample]:
    """Return the recipe of an attack: a value that a guard must act on, with its place."""
    start, end = len(before), word(after) if isinstance(after, str) else after

    def draw(source: Source) -> Sample:
        text, rest = value.draw(source), end.draw(source)
        return Sample(f"{before}{text}{rest}", "attack", entity, "", _place(entity, start, start + len(text)))

    def begin(seeded: Seeded) -> Iterator[Sample]:
        for text, rest in zip(value.stream(seeded), end.stream(seeded), strict=False):  # endless, both
            yield _sample(f"{before}{text}{rest}", "attack", entity, _place(entity, start, start + len(text)))

    return Recipe(draw, begin)


@cache  # there are few places, and a million samples
def _place(entity: str, start: int, end: int) -> Spans:
    return (Span(entity, start, end),)


def labelled(label: str, category: str, text: Words, spans: Spans = ()) -> Recipe[Sample]:
    """Return the recipe of samples that share all but the text."""

    def begin(seeded: Seeded) -> Iterator[Sample]:
        for one in text.stream(seeded):
            yield _sample(one, label, category, spans)

    return Recipe(lambda source: Sample(text.draw(source), label, category, "", spans), begin)


def benign(category: str, text: Words) -> Recipe[Sample]:
    """Return the recipe of texts that no guard may act on."""
    return labelled("benign", category, text)


def twins(entity: str, **kinds: Words) -> dict[str, Recipe[Sample]]:
    """Return an entity's twins by what is wrong with them; reports group them as ``ENTITY/kind``."""
    return {kind: benign(f"{entity}/{kind}", text) for kind, text in kinds.items()}


class _Draft:
    """A `Sample` that is not closed yet.

    A frozen dataclass takes three times as long to construct, because it sets each field through a function.
    """

    __slots__ = Sample.__slots__

    text: str
    label: str
    category: str
    id: str
    spans: Spans
    line: int | None


def _sample(text: str, label: str, category: str, spans: Spans) -> Sample:
    """Return ``Sample(text, label, category, "", spans)``, for streams."""
    draft = _Draft()
    draft.text, draft.label, draft.category, draft.id, draft.spans, draft.line = text, label, category, "", spans, None
    draft.__class__ = Sample  # type: ignore[assignment]
    return draft  # type: ignore[return-value]
