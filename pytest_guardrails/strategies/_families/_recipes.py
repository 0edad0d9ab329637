"""What the recipes of values are put together from: each part has both faces, so that a family is written down once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, repeat
from operator import itemgetter
from string import Formatter
from typing import Any, Generic, TypeAlias, TypeVar

from pytest_guardrails.strategies._families._source import DIGITS, UPPER, Seeded, Source, ahead

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Recipe(Generic[T]):
    """How a value is made: ``draw`` makes one from choices that can shrink, ``begin`` an endless stream from a seed."""

    draw: Callable[[Source], T]
    begin: Callable[[Seeded], Iterator[T]]

    def stream(self, source: Seeded) -> Iterator[T]:
        """Return the stream of this recipe: one for a seed, wherever the recipe is a part."""
        return source.once(self, partial(self.begin, source))


Words: TypeAlias = Recipe[str]


# --- Choices


def choice(options: Sequence[T]) -> Recipe[T]:
    """Return the recipe of one of these; one that stands twice is drawn twice as often."""
    if len(options) == 1:
        return Recipe(lambda _: options[0], lambda _: repeat(options[0]))
    return Recipe(lambda source: source.choice(options), lambda seeded: seeded.choices(options))


def word(*options: str) -> Words:
    """Return the recipe of one of these words."""
    return choice(options)


def integer(low: int, high: int) -> Recipe[int]:
    """Return the recipe of an integer, both ends included."""
    return Recipe(lambda source: source.integer(low, high), lambda seeded: seeded.integers(low, high))


def letters(alphabet: str, length: int) -> Words:
    """Return the recipe of so many letters of an alphabet."""
    return Recipe(lambda source: source.string(alphabet, length), lambda seeded: seeded.strings(alphabet, length))


def digits(length: int) -> Words:
    """Return the recipe of so many digits."""
    if not length:
        return word("")
    return Recipe(lambda source: source.digits(length), lambda seeded: seeded.strings(DIGITS, length))


def any_of(*parts: Recipe[T]) -> Recipe[T]:
    """Return the recipe that follows one of these; one that stands twice is followed twice as often."""
    if len(parts) == 1:
        return parts[0]

    def begin(seeded: Seeded) -> Iterator[T]:
        return map(next, seeded.choices([part.stream(seeded) for part in parts]))

    return Recipe(lambda source: source.choice(parts).draw(source), begin)


def mixture(*parts: Recipe[T]) -> Recipe[T]:
    """Return what `any_of` does, for parts that are large; in a stream each of them is drawn a little ahead."""

    def begin(seeded: Seeded) -> Iterator[T]:
        return map(next, seeded.choices([ahead(part.stream(seeded)) for part in parts]))

    return Recipe(any_of(*parts).draw, begin)


# --- What is made of them


def made(function: Callable[..., T], *parts: Recipe[Any]) -> Recipe[T]:
    """Return the recipe of what a pure function makes of the parts, which are drawn in order."""
    return Recipe(
        lambda source: function(*[part.draw(source) for part in parts]),
        lambda seeded: map(function, *[part.stream(seeded) for part in parts]),
    )


def joined(*parts: Words | str) -> Words:
    """Return the recipe of a text in parts, which are drawn in order."""
    recipes = [word(part) if isinstance(part, str) else part for part in parts if part != ""]
    if len(recipes) == 1:
        return recipes[0]
    return Recipe(
        lambda source: "".join([part.draw(source) for part in recipes]),
        lambda seeded: map("".join, zip(*[part.stream(seeded) for part in recipes], strict=False)),  # endless, all
    )


def phrase(template: str, **slots: Words) -> Words:
    """Return the recipe of a template whose ``{slots}`` are drawn in order."""
    parts: list[Words | str] = []
    for literal, name, _, _ in Formatter().parse(template):
        parts += [literal, slots[name]] if name else [literal]
    return joined(*parts)


def phrases(*templates: str, **slots: Words) -> Words:
    """Return the recipe of one of the templates; one that stands twice is drawn twice as often."""
    return any_of(*(phrase(template, **slots) for template in templates))


def pattern(text: str) -> Words:
    """Return the recipe of a text in which every ``#`` is a digit."""
    return joined(*[digits(len(part)) if part.startswith("#") else part for part in re.findall("#+|[^#]+", text)])


def number(low: int, high: int, form: str = "d") -> Words:
    """Return the recipe of an integer, both ends included, in a form of the operator ``%``."""
    write = f"%{form}".__mod__
    if high - low < 256:
        return word(*map(write, range(low, high + 1)))
    return made(str if form == "d" else write, integer(low, high))


def figures(length: int) -> Words:
    """Return the recipe of so many digits, the first of them not 0."""
    return joined(number(1, 9), digits(length - 1))


# --- Forms


@dataclass(frozen=True, slots=True)
class Layout:
    """How a number is written: ``form`` has a ``#`` for each of its signs, or is empty where it stands bare.

    ``said`` stands before a number that nobody could tell from an ordinary one.
    """

    form: str = ""
    said: str = ""

    def write(self, body: Words) -> Words:
        """Return the recipe of a number in this form."""
        return formed(self.form, body) if self.form else body


def written(layouts: Sequence[Layout], body: Words) -> Words:
    """Return the recipe of a number in one of these layouts, without the words before it."""
    return any_of(*(layout.write(body) for layout in layouts))


def formed(form: str, body: Words) -> Words:
    """Return the recipe of a text in two or more groups, ``###-##-####``."""
    sizes = [len(signs) for signs in re.findall("#+", form)]
    places = [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]
    groups = made(itemgetter(*places), body)
    between = re.findall("[^#]+", form)
    if len(between) == len(sizes) - 1 and len(set(between)) == 1 and form.startswith("#"):
        return made(between[0].join, groups)
    return made(re.sub("#+", "%s", form.replace("%", "%%")).__mod__, groups)


def first(length: int, body: Words) -> Words:
    """Return the recipe of the first so many letters of a text."""
    return made(itemgetter(slice(length)), body)


def last_off(body: Words) -> Words:
    """Return the recipe of a number whose last digit is another."""
    return made(lambda text, step: f"{text[:-1]}{(int(text[-1]) + step) % 10}", body, integer(1, 9))


def one_off(body: Words) -> Words:
    """Return the recipe of a number with one of its digits changed."""
    return made(_changed, body, PLACE, integer(1, 9))


PLACE = integer(0, 2**30 - 1)  # modulo the length of a text


def _changed(text: str, place: int, step: int) -> str:
    if text.isdigit():
        at = place % len(text)
    else:
        places = [at for at, letter in enumerate(text) if letter in DIGITS]
        at = places[place % len(places)]
    return f"{text[:at]}{(int(text[at]) + step) % 10}{text[at + 1 :]}"


def glued(body: Words) -> Words:
    """Return the recipe of a value as a part of a longer token."""
    more = any_of(*(letters(UPPER, length) for length in (1, 2, 3)))
    return any_of(joined(more, body), joined(body, more), joined(body, "_", more))
