"""The names of corpora: in a baseline each is a population, and its samples stand there under its name alone."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pytest_guardrails import _marker
from pytest_guardrails._corpus import CorpusSpec
from pytest_guardrails._corpus_items._items import CorpusItem
from pytest_guardrails._errors import ConfigError


def twins(items: Iterable[pytest.Item]) -> str | None:
    """Say which two of the corpora that are collected have one name, and where; None where all have their own."""
    found: dict[str, pytest.Item] = {}
    for item in items:
        spec = _spec(item)
        if spec is None or spec.sample is not None:  # what a strategy draws is in no baseline
            continue
        first = found.setdefault(spec.name, item)
        if first is not item:
            named = f"{first.nodeid.partition('[')[0]} and {item.nodeid.partition('[')[0]}"
            return (
                f"two corpora are called {spec.name!r}: {named}; a baseline tells them apart by name: give one another"
            )
    return None


def _spec(item: pytest.Item) -> CorpusSpec | None:
    if isinstance(item, CorpusItem):
        return item.spec
    mark = item.get_closest_marker(_marker.CORPUS)
    try:
        return None if mark is None else _marker.read_corpus(mark, item.path.parent)
    except ConfigError:  # its test says so
        return None
