"""Session ids: their form, their order, and that a seed repeats them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails.lasso import ulid

FORM = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


@given(st.text())
def test_a_seed_gives_one_ulid(seed: str) -> None:
    """Equal seeds give equal ids, in the strict form, and another seed another id."""
    assert ulid(seed) == ulid(seed)
    assert FORM.fullmatch(ulid(seed))
    assert ulid(seed) != ulid(f"{seed}+")


def test_without_a_seed_each_is_new() -> None:
    """A thousand ids differ, and all have the strict form."""
    made = {ulid() for _ in range(1000)}
    assert len(made) == 1000
    assert all(FORM.fullmatch(text) for text in made)


def test_later_ids_sort_later() -> None:
    """The time stands in front: the first ten characters never go back."""
    stamps = [ulid()[:10] for _ in range(1000)]
    assert stamps == sorted(stamps)
