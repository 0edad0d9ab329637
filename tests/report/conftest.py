"""Runs of every kind: whatever the nouns allow, drawn by Hypothesis from their type hints."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import strategies as st

from pytest_guardrails._arming import Arming
from pytest_guardrails._codec import FrozenDict, freeze
from pytest_guardrails._model import (
    ENDPOINTS,
    ROLES,
    Armed,
    CheckResult,
    CorpusRecord,
    Guard,
    Message,
    RateChange,
    Request,
    Run,
    ScoreCurve,
)

TEXTS = st.text(st.characters(), max_size=4) | st.sampled_from(["a", "</script>", "\ud800", "\u202e\x1b[31m"])
COUNTS = st.integers(0, 2**53)
NUMBERS = st.floats(-1e300, 1e300).map(lambda number: number + 0.0)  # -0.0 is 0.0: no time is less than none
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=2).map(freeze)


def tuples(items: st.SearchStrategy[Any], least: int = 0, most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return tuples of items, short ones."""
    return st.lists(items, min_size=least, max_size=most).map(tuple)


def maps(keys: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[FrozenDict]:
    """Return immutable mappings."""
    return st.dictionaries(keys, values, max_size=2).map(FrozenDict)


HISTOGRAMS = maps(st.integers(-1000, 1000).map(str), st.integers(0, 99))
PLACES = st.builds("before_request/{}/{}/{}".format, TEXTS, TEXTS, st.integers(0, 9))
CLOSER: Mapping[tuple[type, str], st.SearchStrategy[Any]] = {
    (Armed, "backups"): tuples(tuples(TEXTS, 2, 2)),
    (Armed, "unjudged"): tuples(tuples(TEXTS, 2, 2)),
    (Arming, "unjudged"): tuples(tuples(TEXTS, 3, 3)),
    (CheckResult, "allowed"): tuples(tuples(st.integers(0, 9), 2, 2)),
    (CorpusRecord, "latency"): HISTOGRAMS,
    (CorpusRecord, "vendor_latency"): HISTOGRAMS,
    (CorpusRecord, "allowed"): maps(PLACES, tuples(COUNTS, 2, 2)),
    (CorpusRecord, "acted"): maps(TEXTS, maps(TEXTS, COUNTS)),
    (CorpusRecord, "silent"): maps(TEXTS, COUNTS),
    (CorpusRecord, "worst"): tuples(tuples(TEXTS, 5, 5)),
    (CorpusRecord, "spans"): st.none() | tuples(COUNTS, 5, 5),
    (CorpusRecord, "ledger"): st.none(),
    (Guard, "guardrails"): tuples(tuples(TEXTS, 4, 5)),
    (Guard, "allowlists"): maps(TEXTS, tuples(TEXTS)),
    (Message, "role"): st.sampled_from(ROLES),
    (Message, "content"): st.none() | TEXTS | tuples(OBJECTS),
    (RateChange, "rate"): st.sampled_from(["fpr", "recall"]),
    (RateChange, "interval"): st.none() | tuples(NUMBERS, 2, 2),
    (Request, "endpoint"): st.sampled_from(ENDPOINTS),
    (Run, "environment"): maps(TEXTS, TEXTS),
    (ScoreCurve, "points"): tuples(tuples(NUMBERS, 3, 3)),
}
PLAIN: Mapping[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(0, 999),
    float: NUMBERS,
    bool: st.booleans(),
    FrozenDict: OBJECTS,
}


def drawn(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for a type hint of the nouns."""
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        closer = {name: strategy for (noun, name), strategy in CLOSER.items() if noun is kind}
        given = closer | {name: drawn(hint) for name, hint in hints.items() if name not in closer}
        if kind is Request:
            given["messages"] = tuples(drawn(Message), 1)
        return st.builds(kind, **given)  # type: ignore[arg-type]  # a dataclass can be called
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([st.none() if part is type(None) else drawn(part) for part in arguments])
    if origin is tuple:
        return tuples(drawn(arguments[0]))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return st.sampled_from(list(kind))
    return PLAIN[kind]


RUNS: st.SearchStrategy[Run] = drawn(Run)


@st.composite
def any_run(draw: st.DrawFn) -> Run:
    """Return a run; what this strategy is called is short, and the other's name would be pages long."""
    return draw(RUNS)


@pytest.fixture(scope="session")
def runs() -> st.SearchStrategy[Run]:
    """A strategy for runs."""
    return any_run()
