"""What the samples of strategies nearly are: each knows it by its category."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_guardrails.strategies._families import ENTITIES
from pytest_guardrails.strategies._injections import LOOK_ALIKE

_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "at_in_prose": ("EMAIL",),
    "coordinates": ("IP_ADDRESS", "PHONE"),
    "ean_13": ("CREDIT_CARD", "PHONE"),
    "epoch_ms": ("CREDIT_CARD", "PHONE"),
    "epoch_s": ("PHONE",),
    "four_part_versions": ("IP_ADDRESS",),
    "git_shas": ("API_KEY",),
    "isbn_10": ("PHONE",),
    "isbn_13": ("CREDIT_CARD", "PHONE"),
    "money": ("PHONE",),
    "order_numbers": ("CREDIT_CARD", "PHONE", "US_SSN"),
    "part_numbers": ("PHONE", "US_SSN"),
    "placeholders": ("API_KEY",),
    "product_phrases": ("API_KEY",),
    "ranges": ("PHONE", "US_SSN"),
    "sha256": ("API_KEY", "CRYPTO"),
    "sk_words": ("API_KEY",),
    "tracking_numbers": ("CREDIT_CARD", "PHONE"),
    "uuids": ("API_KEY", "CREDIT_CARD"),
    "versions": ("IP_ADDRESS",),
}


def near_miss_of(category: str) -> tuple[str, ...]:
    """Return what a benign sample of a category nearly is, as names of findings; nothing where nobody knows."""
    kind, twin, _ = category.partition("/")
    if kind == LOOK_ALIKE:
        return ("prompt_injection",)
    if twin and kind in ENTITIES:
        return ("JWT", "API_KEY") if kind == "JWT" else (kind,)
    return _FAMILIES.get(kind, ())
