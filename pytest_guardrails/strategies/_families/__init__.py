"""The families of values: each is one recipe, from which the strategies and the seeded generator both draw.

A recipe has two faces: it asks a `Source` for its choices one by one, behind which Hypothesis stands and shrinks them,
or it makes an endless stream out of the streams of a seed. Recipes never reject what they drew: values are valid, and
twins invalid, by construction.
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
from pytest_guardrails.strategies._families._recipes import Recipe, any_of, mixture
from pytest_guardrails.strategies._families._samples import Entity
from pytest_guardrails.strategies._families._secrets import ENTITIES as _SECRETS
from pytest_guardrails.strategies._families._secrets import PROVIDERS, key_recipe
from pytest_guardrails.strategies._families._source import Seeded, Source

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
    "any_of",
    "card_recipe",
    "iban_recipe",
    "key_recipe",
    "mixture",
    "phone_recipe",
]

ENTITIES: Mapping[str, Entity] = {
    entity.name: entity for entity in (*_NETWORK, *_PAYMENT, *_PHONES, *_NUMBERS, *_SECRETS)
}
