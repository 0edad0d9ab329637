"""Where the choices of a recipe come from: one by one from what can shrink them, or in streams from a seed alone."""

from __future__ import annotations

import string
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice, product, repeat
from random import Random
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

DIGITS = string.digits
UPPER = string.ascii_uppercase
HEX = "0123456789abcdef"
ALNUM = string.digits + string.ascii_uppercase + string.ascii_lowercase
URL_SAFE = f"{ALNUM}-_"

_FEW, _MANY = 16, 128  # values drawn at once: few at first, for a sample may be small
_AHEAD = (4, 32)


class Source(Protocol):
    """Random choices one by one; where something shrinks, it shrinks to the first, the lowest, zeros."""

    def choice(self, options: Sequence[T], /) -> T:
        """Return one of the options."""

    def integer(self, low: int, high: int, /) -> int:
        """Return an integer, both ends included; the range is below 2**53."""

    def digits(self, length: int, /) -> str:
        """Return so many decimal digits."""

    def string(self, alphabet: str, length: int, /) -> str:
        """Return so many letters of the alphabet; it shrinks to the alphabet in its order, which is no placeholder."""


class Seeded:
    """Endless streams of random choices from a seed alone.

    They are equal in every process and Python version, for nothing is asked but `random.random` and
    `random.getrandbits`. Who asks twice for the same gets the same stream, and draws on from where it is.
    """

    __slots__ = ("_bits", "_random", "_streams")

    def __init__(self, seed: str) -> None:
        random = Random(seed)  # noqa: S311 - a population, no secret
        self._bits, self._random = random.getrandbits, random.random
        self._streams: dict[Hashable, Iterator[Any]] = {}

    def once(self, key: Hashable, begin: Callable[[], Iterator[T]]) -> Iterator[T]:
        """Return the stream of this key, begun where it is new."""
        if key not in self._streams:
            self._streams[key] = begin()
        return self._streams[key]

    def choices(self, options: Sequence[T]) -> Iterator[T]:
        """Return a stream of one of the options each."""
        return map(options.__getitem__, self.places(len(options)))

    def places(self, size: int) -> Iterator[int]:
        """Return a stream of integers from 0, below ``size``."""
        if size == 1:
            return repeat(0)
        return self.integers(0, size - 1) if size > 256 else self.once(size, lambda: _flat(self._bytes(size)))

    def integers(self, low: int, high: int) -> Iterator[int]:
        """Return a stream of integers, both ends included; the range is below 2**53."""
        return self.once((low, high), lambda: _flat(self._numbers(low, high - low + 1)))

    def strings(self, alphabet: str, length: int) -> Iterator[str]:
        """Return a stream of so many letters of the alphabet each."""
        if len(alphabet) ** length <= 256:
            return self.choices(_all(alphabet, length))
        return self.once((alphabet, length), lambda: _flat(self._texts(alphabet, length)))

    def _bytes(self, size: int) -> Iterator[bytes]:
        return self._evenly(bytes(range(size)), 1)

    def _texts(self, alphabet: str, length: int) -> Iterator[list[str]]:
        rest = ""
        for batch in self._evenly(alphabet.encode(), length):
            text = rest + batch.decode()
            whole = len(text) // length * length
            rest = text[whole:]
            yield [text[start : start + length] for start in range(0, whole, length)]

    def _evenly(self, signs: bytes, length: int) -> Iterator[bytes]:
        """Yield batches of signs, each as likely as the others: bytes of the last, broken round are left out."""
        size = len(signs)
        table, left_out = bytes(signs[byte % size] for byte in range(256)), bytes(range(256 - 256 % size, 256))
        for count in _batches(_FEW, _MANY):
            yield self._bits(8 * length * count).to_bytes(length * count, "little").translate(table, left_out)

    def _numbers(self, low: int, width: int) -> Iterator[list[int]]:
        random = self._random
        for count in _batches(_FEW, _MANY):
            yield [low + int(random() * width) for _ in repeat(None, count)]


def _flat(batches: Iterator[Iterable[T]]) -> Iterator[T]:
    return chain.from_iterable(batches)


def _batches(few: int, many: int) -> Iterator[int]:
    while True:
        yield few
        few = min(2 * few, many)


def ahead(stream: Iterator[T]) -> Iterator[T]:
    """Return the same stream, drawn some values ahead: a long recipe is quicker while the processor is at it."""
    return _flat(list(islice(stream, count)) for count in _batches(*_AHEAD))


@cache
def _all(alphabet: str, length: int) -> tuple[str, ...]:
    """Return every text of so many letters of the alphabet, in order."""
    return tuple(map("".join, product(alphabet, repeat=length)))
