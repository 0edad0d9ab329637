"""The families of values: each is one recipe, from which the strategies and the seeded generator both draw.

A recipe asks a `Source` for its choices. Behind a source stands a seed, or Hypothesis, which records what was asked
and shrinks it. Recipes never reject what they drew: values are valid, and twins invalid, by construction.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_guardrails.strategies._families._look_alikes import FAMILIES
from pytest_guardrails.strategies._families._network import ENTITIES as _NETWORK
from pytest_guardrails.strategies._families._numbers import ENTITIES as _NUMBERS
from pytest_guardrails.strategies._families._payment import BRANDS, COUNTRIES, card_recipe, iban_recipe
from pytest_guardrails.strategies._families._payment import ENTITIES as _PAYMENT
from pytest_guardrails.strategies._families._phones import ENTITIES as _PHONES
from pytest_guardrails.strategies._families._phones import REGIONS, phone_recipe
from pytest_guardrails.strategies._families._secrets import ENTITIES as _SECRETS
from pytest_guardrails.strategies._families._secrets import PROVIDERS, key_recipe
from pytest_guardrails.strategies._families._source import Entity, Recipe, Seeded, Source, one_of

__all__ = [
    "BRANDS",
    "COUNTRIES",
    "ENTITIES",
    "FAMILIES",
    "PROVIDERS",
    "REGIONS",
    "Entity",
    "Recipe",
    "Seeded",
    "Source",
    "card_recipe",
    "iban_recipe",
    "key_recipe",
    "one_of",
    "phone_recipe",
]

ENTITIES: Mapping[str, Entity] = {
    entity.name: entity for entity in (*_NETWORK, *_PAYMENT, *_PHONES, *_NUMBERS, *_SECRETS)
}
