"""Strategies of labelled values: personal data and credentials, their near misses, and legitimate look-alikes.

Every value drawn is a `Sample`: its text, the label ``attack`` for what a guard must act on or ``benign`` for what it
must not, the entity or family as its category, and the place of the value. They shrink to the simplest value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families import (
    ENTITIES,
    Recipe,
    Source,
    card_recipe,
    iban_recipe,
    key_recipe,
    phone_recipe,
)
from pytest_guardrails.strategies._sampling import look_alike_recipe, near_miss_recipe, pii_recipe

T = TypeVar("T")


class _Drawn:
    """A source behind which Hypothesis stands: each choice is one that it can shrink."""

    __slots__ = ("_draw",)

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw

    def choice(self, options: Sequence[T], /) -> T:
        return options[self._draw(st.integers(0, len(options) - 1))]

    def integer(self, low: int, high: int, /) -> int:
        return self._draw(st.integers(low, high))

    def digits(self, length: int, /) -> str:
        return "".join([str(byte % 10) for byte in self._bytes(length)])

    def string(self, alphabet: str, length: int, /) -> str:
        size = len(alphabet)
        return "".join([alphabet[(byte + place) % size] for place, byte in enumerate(self._bytes(length))])

    def _bytes(self, length: int) -> bytes:
        return self._draw(st.binary(min_size=length, max_size=length))


@st.composite
def chosen_by(draw: DrawFn, make: Callable[[Source], T]) -> T:
    """Draw what is made of choices."""
    return make(_Drawn(draw))


def drawn(recipe: Recipe[T]) -> SearchStrategy[T]:
    """Draw what a recipe makes."""
    return chosen_by(recipe.draw)


def pii(entities: Collection[str] | None = None) -> SearchStrategy[Sample]:
    """Draw values of these entities (``["EMAIL", "IBAN"]``), of every entity by default.

    Raises:
        ConfigError: for an entity that is unknown.
    """
    return drawn(pii_recipe(entities))


def near_misses(entities: Collection[str] | None = None) -> SearchStrategy[Sample]:
    """Draw what is nearly a value of these entities and is none; every one is benign.

    Its category says what is wrong: ``CREDIT_CARD/checksum``, ``/grouping``, ``/range``, ``/length``, ``/syntax``,
    ``/glued`` (a part of a longer token). Without ``entities``, the twins of all and `look_alikes` too.

    Raises:
        ConfigError: for an entity that is unknown.
    """
    return drawn(near_miss_recipe(entities))


def look_alikes(families: Collection[str] | None = None) -> SearchStrategy[Sample]:
    """Draw legitimate texts that look like something else, of these families (``["epoch_ms"]``) or of all.

    Raises:
        ConfigError: for a family that is unknown.
    """
    return drawn(look_alike_recipe(families))


def emails() -> SearchStrategy[Sample]:
    """Draw e-mail addresses in domains that belong to nobody (RFC 2606)."""
    return _of("EMAIL")


def credit_cards(brand: str | None = None) -> SearchStrategy[Sample]:
    """Draw card numbers of a brand (``"visa"``), with Luhn's digit, in the groups that are printed on the card.

    Raises:
        ConfigError: for a brand that is unknown.
    """
    return drawn(card_recipe(brand))


def ibans(country: str | None = None) -> SearchStrategy[Sample]:
    """Draw account numbers of a country (``"DE"``) with its length and structure, bare or in groups of four.

    Raises:
        ConfigError: for a country that has none.
    """
    return drawn(iban_recipe(country))


def phone_numbers(region: str | None = None) -> SearchStrategy[Sample]:
    """Draw numbers of a region (``"GB"``), from ranges kept for fiction where there are any.

    Raises:
        ConfigError: for a region that is unknown.
    """
    return drawn(phone_recipe(region))


def api_keys(provider: str | None = None) -> SearchStrategy[Sample]:
    """Draw keys in the form of a provider (``"openai"``); none of them opens anything.

    Raises:
        ConfigError: for a provider that is unknown.
    """
    return drawn(key_recipe(provider))


def ip_addresses() -> SearchStrategy[Sample]:
    """Draw IPv4 and IPv6 addresses of documentation and private networks, with or without a port."""
    return _of("IP_ADDRESS")


def mac_addresses() -> SearchStrategy[Sample]:
    """Draw hardware addresses: of the block for documentation, or administered locally."""
    return _of("MAC_ADDRESS")


def crypto_addresses() -> SearchStrategy[Sample]:
    """Draw addresses of Bitcoin (base58, Bech32, Bech32m) and Ethereum (lower case)."""
    return _of("CRYPTO")


def jwts() -> SearchStrategy[Sample]:
    """Draw signed tokens whose header names an algorithm."""
    return _of("JWT")


def us_ssns() -> SearchStrategy[Sample]:
    """Draw US social security numbers in the ranges that are given out."""
    return _of("US_SSN")


def us_itins() -> SearchStrategy[Sample]:
    """Draw US individual taxpayer identification numbers."""
    return _of("US_ITIN")


def us_npis() -> SearchStrategy[Sample]:
    """Draw US national provider identifiers, with Luhn's digit."""
    return _of("US_NPI")


def nhs_numbers() -> SearchStrategy[Sample]:
    """Draw NHS numbers of the United Kingdom, with their digit modulo 11."""
    return _of("UK_NHS")


def uk_ninos() -> SearchStrategy[Sample]:
    """Draw national insurance numbers of the United Kingdom with prefixes that are given out."""
    return _of("UK_NINO")


def aadhaar_numbers() -> SearchStrategy[Sample]:
    """Draw Indian Aadhaar numbers, with Verhoeff's digit."""
    return _of("IN_AADHAAR")


def ca_sins() -> SearchStrategy[Sample]:
    """Draw Canadian social insurance numbers, with Luhn's digit."""
    return _of("CA_SIN")


def au_tfns() -> SearchStrategy[Sample]:
    """Draw Australian tax file numbers, with their digit modulo 11."""
    return _of("AU_TFN")


def br_cpfs() -> SearchStrategy[Sample]:
    """Draw Brazilian CPF numbers, with both digits modulo 11."""
    return _of("BR_CPF")


def es_nifs() -> SearchStrategy[Sample]:
    """Draw Spanish DNI numbers with their letter modulo 23."""
    return _of("ES_NIF")


def nl_bsns() -> SearchStrategy[Sample]:
    """Draw Dutch citizen service numbers, which pass the eleven test."""
    return _of("NL_BSN")


def pl_pesels() -> SearchStrategy[Sample]:
    """Draw Polish PESEL numbers: a date of birth, a serial number, a check digit."""
    return _of("PL_PESEL")


def _of(entity: str) -> SearchStrategy[Sample]:
    return drawn(ENTITIES[entity].values)
