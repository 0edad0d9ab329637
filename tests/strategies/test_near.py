"""What samples of strategies nearly are: every benign category is a near miss of something that is found."""

from __future__ import annotations

import pytest

from pytest_guardrails.checks import PiiRedact
from pytest_guardrails.strategies import sample
from pytest_guardrails.strategies._families import ENTITIES, FAMILIES
from pytest_guardrails.strategies._near import near_miss_of

KNOWN = {*ENTITIES, *PiiRedact().finds, "prompt_injection"}


@pytest.mark.parametrize("name", ["near_misses", "look_alikes", "injection_look_alikes"])
def test_every_benign_sample_knows_what_it_nearly_is(name: str) -> None:
    """No category is forgotten, and each names what somebody may find."""
    for one in sample(name, 2000, 1):
        assert near_miss_of(one.category), one.category
        assert set(near_miss_of(one.category)) <= KNOWN


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_a_near_miss(family: str) -> None:
    """A family that somebody adds cannot be forgotten here."""
    assert near_miss_of(family)


@pytest.mark.parametrize(
    ("category", "names"),
    [
        ("CREDIT_CARD/checksum", ("CREDIT_CARD",)),
        ("UK_NHS/glued", ("UK_NHS",)),
        ("injection-look-alike/told", ("prompt_injection",)),
        ("CREDIT_CARD", ()),
        ("finance", ()),
        ("", ()),
    ],
)
def test_a_twin_is_a_near_miss_of_its_entity(category: str, names: tuple[str, ...]) -> None:
    """A value itself is none, and nobody knows what a category of somebody else means."""
    assert near_miss_of(category) == names
