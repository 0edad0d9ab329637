"""Which file of the site holds what."""

from __future__ import annotations

from pytest_guardrails.dashboard._series import GuardHistory, slug

INDEX = "index.html"
BADGE = "badge.svg"


def guard_page(guard: GuardHistory) -> str:
    """Return the file of a guard."""
    return f"{guard.slug}.html"


def guard_badge(guard: GuardHistory) -> str:
    """Return the file of a guard's badge."""
    return f"{guard.slug}.svg"


def guard_csv(guard: GuardHistory) -> str:
    """Return the file of a guard's whole history."""
    return f"{guard.slug}.csv"


def compare_page(guard: GuardHistory) -> str:
    """Return the file that compares any two versions of a guard."""
    return f"{guard.slug}.compare.html"


def population_page(guard: GuardHistory, population: str) -> str:
    """Return the file of one population."""
    return f"{guard.slug}.{slug(population)}.html"
