"""Frozen JSON, and dataclasses to JSON and back."""

from __future__ import annotations

import copy
import enum
import json
import pickle
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._codec import FrozenDict, decode, encode, freeze

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


class Kind(enum.StrEnum):
    """A word of two."""

    ONE = "one"
    TWO = "two"


@dataclass(frozen=True, slots=True)
class Inner:
    """A value inside another."""

    number: int = 0
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    """Every shape of field that the nouns have."""

    name: str
    inner: Inner = Inner()
    maybe: Inner | None = None
    many: tuple[Inner, ...] = ()
    content: str | tuple[FrozenDict, ...] | None = None
    said: bool | tuple[str, ...] | None = None
    data: FrozenDict = FrozenDict()  # noqa: RUF009
    score: float | None = None


INNERS = st.builds(Inner, st.integers(), st.none() | st.sampled_from(Kind))
OBJECTS = st.dictionaries(st.text(max_size=3), JSON, max_size=3).map(freeze)
OUTERS = st.builds(
    Outer,
    name=st.text(),
    inner=INNERS,
    maybe=st.none() | INNERS,
    many=st.lists(INNERS, max_size=2).map(tuple),
    content=st.none() | st.text() | st.lists(OBJECTS, max_size=2).map(tuple),
    said=st.none() | st.booleans() | st.lists(st.text(), max_size=2).map(tuple),
    data=OBJECTS,
    score=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)


@given(OUTERS, st.booleans())
@settings(deadline=None)
def test_a_value_survives_json(value: Outer, sparse: bool) -> None:
    """What `encode` made, through JSON text and `decode`, is the same value, also where defaults are left out."""
    assert decode(Outer, json.loads(json.dumps(encode(value, sparse=sparse)))) == value


@given(OUTERS)
@settings(deadline=None)
def test_what_came_back_is_immutable_and_hashable(value: Outer) -> None:
    """Objects come back frozen and lists as tuples."""
    back = decode(Outer, json.loads(json.dumps(encode(value))))
    assert hash(back) == hash(value)
    assert type(back.data) is FrozenDict


def test_defaults_are_left_out_where_asked() -> None:
    """A sparse description has what differs from the defaults, and a plain one has everything."""
    assert encode(Outer("x"), sparse=True) == {"name": "x"}
    assert encode(Outer("x", many=(Inner(1),)), sparse=True) == {"name": "x", "many": [{"number": 1}]}
    assert set(encode(Outer("x"))) == set(Outer.__slots__)


def test_a_field_without_a_default_is_never_left_out() -> None:
    """Sparse or not, a required field is there."""
    assert encode(Outer(""), sparse=True) == {"name": ""}


class Word(str):
    """A kind of text, as template libraries have them."""

    __slots__ = ()


class Half(float):
    """A kind of number, as numpy has them."""

    __slots__ = ()


@pytest.mark.parametrize("value", [Word("x"), Half(0.5), True, 5, "x", None, Kind.ONE])
def test_plain_values_stay_what_they_are(value: Any) -> None:
    """Texts, numbers and their subclasses are JSON already, and an enum is its value."""
    assert encode(value) == value
    assert json.loads(json.dumps(encode([value]))) == [value]


@given(JSON)
@settings(deadline=None)
def test_frozen_json_is_equal_json(value: Any) -> None:
    """Freezing changes no content: as JSON it reads the same, and freezing twice is freezing once."""
    frozen = freeze(value)
    assert json.loads(json.dumps(encode(frozen))) == json.loads(json.dumps(value))
    assert freeze(frozen) == frozen
    hash(frozen)


@pytest.mark.parametrize("value", [b"x", {1, 2}, object(), [{"a": b"x"}], len], ids=lambda value: type(value).__name__)
def test_what_json_has_no_word_for_is_refused(value: Any) -> None:
    """Bytes, sets and objects are no JSON, wherever they stand."""
    with pytest.raises(TypeError, match="not a JSON value"):
        freeze(value)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.__setitem__("a", 2),
        lambda d: d.__delitem__("a"),
        lambda d: d.__ior__({"b": 1}),
        lambda d: d.clear(),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.setdefault("b", 1),
        lambda d: d.update(b=1),
        lambda d: setattr(d, "extra", 1),
    ],
    ids=["set", "delete", "ior", "clear", "pop", "popitem", "setdefault", "update", "attribute"],
)
def test_a_frozen_dict_cannot_be_changed(change: Any) -> None:
    """Every way of changing a dict is refused, and the content stays."""
    frozen = FrozenDict({"a": 1})
    with pytest.raises((TypeError, AttributeError)):
        change(frozen)
    assert frozen == {"a": 1}


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))])  # noqa: S301
def test_a_frozen_dict_is_copied_and_sent_as_one(copied: Any) -> None:
    """A copy, also through pickle (as xdist and multiprocessing do), is equal, frozen and hashes alike."""
    frozen = freeze({"a": {"b": [1, 2]}})
    again = copied(frozen)
    assert (again, type(again), hash(again)) == (frozen, FrozenDict, hash(frozen))


def test_the_order_of_keys_does_not_matter_to_equality_or_hash() -> None:
    """Objects with equal content are equal."""
    one, other = FrozenDict({"a": 1, "b": 2}), FrozenDict({"b": 2, "a": 1})
    assert (one, hash(one)) == (other, hash(other))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (None, TypeError),
        ("text", TypeError),
        ([], TypeError),
        ({}, TypeError),
        ({"name": "x", "inner": 5}, TypeError),
        ({"name": "x", "inner": {"kind": "three"}}, ValueError),
        ({"name": "x", "many": {"number": 1}}, TypeError),
        ({"name": "x", "many": "ab"}, TypeError),
        ({"name": "x", "many": 5}, TypeError),
    ],
    ids=repr,
)
def test_what_is_not_of_the_shape_is_refused(data: Any, error: type[Exception]) -> None:
    """A missing field, an object in another's place and an unknown word are errors, never a half-read value."""
    with pytest.raises(error):
        decode(Outer, data)


def test_keys_that_are_no_field_are_ignored() -> None:
    """A description of a newer version, with more in it, can be read."""
    assert decode(Inner, {"number": 1, "newer": True}) == Inner(1)
