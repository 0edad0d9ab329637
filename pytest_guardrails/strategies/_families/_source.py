"""What a recipe draws from, and what it makes: one recipe serves a seeded generator and a Hypothesis strategy."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, product
from operator import itemgetter
from random import Random
from string import Formatter
from typing import Protocol, TypeVar

from pytest_guardrails._model import Sample, Span

T = TypeVar("T")

DIGITS = string.digits
UPPER = string.ascii_uppercase
HEX = "0123456789abcdef"
ALNUM = string.digits + string.ascii_uppercase + string.ascii_lowercase
URL_SAFE = f"{ALNUM}-_"

_MOST = 15  # digits that one float of 53 bits holds
_TENS = tuple(10**length for length in range(_MOST + 1))
_FORMS = tuple(f"%0{length}d" for length in range(_MOST + 1))


class Source(Protocol):
    """The random choices of a recipe; where something shrinks, it shrinks to the first, the lowest, zeros."""

    def choice(self, options: Sequence[T], /) -> T:
        """Return one of the options."""

    def integer(self, low: int, high: int, /) -> int:
        """Return an integer, both ends included; the range is below 2**53."""

    def digits(self, length: int, /) -> str:
        """Return so many decimal digits."""

    def string(self, alphabet: str, length: int, /) -> str:
        """Return so many letters of the alphabet; it shrinks to the alphabet in its order, which is no placeholder."""


Recipe = Callable[[Source], Sample]
Words = Callable[[Source], str]  # a recipe of a text alone


class Seeded:
    """Draws from a seed alone: equal in every process and Python version, for it asks `random.random` only."""

    __slots__ = ("_random",)

    def __init__(self, seed: str) -> None:
        self._random = Random(seed).random  # noqa: S311 - a population, no secret

    def choice(self, options: Sequence[T], /) -> T:
        """Return one of the options."""
        return options[int(self._random() * len(options))]

    def integer(self, low: int, high: int, /) -> int:
        """Return an integer, both ends included."""
        return low + int(self._random() * (high - low + 1))

    def digits(self, length: int, /) -> str:
        """Return so many decimal digits."""
        if length > _MOST:
            return self.digits(_MOST) + self.digits(length - _MOST)
        return _FORMS[length] % int(self._random() * _TENS[length]) if length else ""

    def string(self, alphabet: str, length: int, /) -> str:
        """Return so many letters of the alphabet."""
        random, blocks = self._random, _blocks(alphabet)
        count, size = len(blocks), len(blocks[0])
        return "".join([blocks[int(random() * count)] for _ in range(-(-length // size))])[:length]


@cache
def _blocks(alphabet: str) -> tuple[str, ...]:
    """Return every text of two or three letters of the alphabet: one random choice for several letters."""
    return tuple(map("".join, product(alphabet, repeat=3 if len(alphabet) <= 16 else 2)))


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of personal data: its name in reports and of its strategy, its values, and its twins by what is wrong."""

    name: str
    strategy: str
    values: Recipe
    twins: Mapping[str, Recipe]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a number is written: ``form`` has a ``#`` for each of its signs, or is empty where it stands bare.

    ``said`` stands before a number that nobody could tell from an ordinary one.
    """

    form: str = ""
    said: str = ""

    def write(self, number: str) -> str:
        """Return the number in this form."""
        if not self.form:
            return number
        form, groups = _compiled(self.form)
        return form % groups(number)


@cache
def _compiled(form: str) -> tuple[str, Callable[[str], tuple[str, ...]]]:
    """Return a form of two or more groups as a %-format, and what cuts a number into its groups."""
    sizes = [len(signs) for signs in re.findall("#+", form)]
    groups = itemgetter(*(slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)))
    return re.sub("#+", "%s", form), groups


def found(entity: str, value: str, before: str = "", after: str = "") -> Sample:
    """Return an attack: a value that a guard must act on, with its place."""
    start = len(before)
    return Sample(f"{before}{value}{after}", "attack", entity, "", _place(entity, start, start + len(value)))


@cache  # there are few places, and a million samples
def _place(entity: str, start: int, end: int) -> tuple[Span, ...]:
    return (Span(entity, start, end),)


def benign(category: str, text: str) -> Sample:
    """Return a text that no guard may act on."""
    return Sample(text, "benign", category, "", ())


def twins(entity: str, **kinds: Words) -> dict[str, Recipe]:
    """Return an entity's twins by what is wrong with them; reports group them as ``ENTITY/kind``."""
    return {kind: recipe_of(f"{entity}/{kind}", words) for kind, words in kinds.items()}


def recipe_of(category: str, words: Words) -> Recipe:
    """Return the recipe of benign texts of a category."""
    return lambda source: benign(category, words(source))


def one_of(recipes: Sequence[Recipe]) -> Recipe:
    """Return the recipe that follows one of these."""
    recipes = tuple(recipes)
    return lambda source: source.choice(recipes)(source)


def one_off(source: Source, number: str) -> str:
    """Return the number with one of its digits changed."""
    at = source.choice([place for place, letter in enumerate(number) if letter in DIGITS])
    return f"{number[:at]}{(int(number[at]) + source.integer(1, 9)) % 10}{number[at + 1 :]}"


def glued(source: Source, value: str) -> str:
    """Return the value as a part of a longer token."""
    letters = source.string(UPPER, source.integer(1, 3))
    return source.choice((f"{letters}{value}", f"{value}{letters}", f"{value}_{letters}"))


# --- Words: what a phrase is put together from


def word(*options: str) -> Words:
    """Return the recipe of one of these words."""
    return lambda source: source.choice(options)


def any_of(*parts: Words) -> Words:
    """Return the recipe that follows one of these."""
    return lambda source: source.choice(parts)(source)


def digits(length: int) -> Words:
    """Return the recipe of so many digits, the first of them not 0."""
    return number(10 ** (length - 1), 10**length - 1)


def letters(alphabet: str, length: int) -> Words:
    """Return the recipe of so many letters of an alphabet."""
    return lambda source: source.string(alphabet, length)


def number(low: int, high: int, form: str = "d") -> Words:
    """Return the recipe of an integer, both ends included, in a form of `format`."""
    if form == "d":
        return lambda source: str(source.integer(low, high))
    return lambda source: format(source.integer(low, high), form)


def pattern(text: str) -> Words:
    """Return the recipe of a text in which every ``#`` is a digit."""
    parts = [(literal, len(signs)) for literal, signs in re.findall(r"([^#]*)(#*)", text)]
    return lambda source: "".join([f"{literal}{source.digits(length)}" for literal, length in parts])


def phrase(template: str, **slots: Words) -> Words:
    """Return the recipe of a template whose ``{slots}`` are drawn in order."""
    parts = list(Formatter().parse(template))
    form = "".join(literal.replace("%", "%%") + ("%s" if name else "") for literal, name, _, _ in parts)
    drawn = [slots[name] for _, name, _, _ in parts if name]
    return lambda source: form % tuple([slot(source) for slot in drawn])


def phrases(*templates: str, **slots: Words) -> Words:
    """Return the recipe of one of the templates; one that stands twice is drawn twice as often."""
    return any_of(*(phrase(template, **slots) for template in templates))
