"""Seeded samples for rates: Hypothesis' draws lean to the odd and are no population, these are one.

The same recipes stand behind both, see `_families`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families import ENTITIES, FAMILIES, Recipe, Seeded, any_of, mixture
from pytest_guardrails.strategies._injections import INJECTION, INJECTION_LOOK_ALIKE

T = TypeVar("T")


def sample(name: str, n: int, seed: int) -> Iterator[Sample]:
    """Return ``n`` samples of a strategy or family: see `sample_names`.

    The samples depend on ``name`` and ``seed`` alone, in every process and on every version of Python, and fewer of
    them are the first ones of more.

    Raises:
        ConfigError: for a name that is unknown, or an ``n`` or ``seed`` that is no whole number from 0.
    """
    if name not in RECIPES:
        raise ConfigError(unknown("strategy to sample", name, RECIPES))
    for what, value in (("n", n), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ConfigError(f"sample({name!r}): {what} is a whole number from 0, not {value!r}")
    return islice(RECIPES[name].stream(Seeded(f"{name}/{seed}")), n)


def sample_names() -> list[str]:
    """Return what `sample` draws from: the strategies of entities, the families of look-alikes, and all of a kind."""
    return sorted(RECIPES)


def pii_recipe(entities: Collection[str] | None = None) -> Recipe[Sample]:
    """Return the recipe of values of these entities, of all by default."""
    return mixture(*(entity.values for entity in chosen("entity", "entities", entities, ENTITIES)))


def near_miss_recipe(entities: Collection[str] | None = None) -> Recipe[Sample]:
    """Return the recipe of twins of these entities; without any, of all, and of the look-alikes."""
    twins = [any_of(*entity.twins.values()) for entity in chosen("entity", "entities", entities, ENTITIES)]
    return mixture(*twins, *(FAMILIES.values() if entities is None else ()))


def look_alike_recipe(families: Collection[str] | None = None) -> Recipe[Sample]:
    """Return the recipe of look-alikes of these families, of all by default."""
    return mixture(*chosen("family", "families", families, FAMILIES))


def chosen(one: str, many: str, names: Collection[str] | None, known: Mapping[str, T]) -> list[T]:
    """Return the known values of these names, of all for None.

    Raises:
        ConfigError: for a name that is unknown, for no names at all, or a text in the place of a list.
    """
    if names is None:
        return list(known.values())
    if isinstance(names, str) or not names:
        raise ConfigError(f"{many} takes a list of one or more, not {names!r}. Choices: {', '.join(known)}")
    for name in names:
        if name not in known:
            raise ConfigError(unknown(one, name, known))
    return [known[name] for name in names]


RECIPES: Mapping[str, Recipe[Sample]] = {
    **{entity.strategy: entity.values for entity in ENTITIES.values()},
    **FAMILIES,
    "pii": pii_recipe(),
    "near_misses": near_miss_recipe(),
    "look_alikes": look_alike_recipe(),
    "injections": INJECTION,
    "injection_look_alikes": INJECTION_LOOK_ALIKE,
}
