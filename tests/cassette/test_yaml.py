"""The YAML reader: what vcrpy's loader reads, with places, and without what ends or fools a process."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from vcr.serializers import yamlserializer

from pytest_guardrails._cassette._yaml import load_yaml
from pytest_guardrails._errors import ConfigError

texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["yes", "null", "~", "1", "1.5", "010", "12:30", "<<", "=", "2026-01-01", "true", "&a", "*a", "!t", "a: b", "\r\n"]
)
numbers = st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
data = st.recursive(
    st.none() | st.booleans() | numbers | texts | st.binary(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(data)
def test_it_reads_what_vcrpy_writes(value: Any) -> None:
    """What vcrpy's serialiser writes is read as vcrpy reads it."""
    text = yamlserializer.serialize(value)
    assert load_yaml(text, "x.yaml")[0] == yamlserializer.deserialize(text)


def test_a_mapping_knows_its_line() -> None:
    """Lines count from 1, and are those in which mappings start."""
    data, lines = load_yaml("interactions:\n- request: {}\n\n- request: {}\n", "x.yaml")
    assert [lines[id(item)] for item in data["interactions"]] == [2, 4]


def test_aliases_stand_for_what_they_name() -> None:
    """Anchors on texts, lists and mappings are read."""
    assert load_yaml("a: &x [1, &y z]\nb: *x\nc: *y\n", "x.yaml")[0] == {"a": [1, "z"], "b": [1, "z"], "c": "z"}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "key 'a' is there twice"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "tags such as .*os.system are not read"),
        ("a: !!python/object/new:_io.BytesIO {state: [a]}\n", 1, "tags such as"),
        ("a: !!python/name:os.system x\n", 1, "tags such as"),
        ("a:\n  !!timestamp 2026-01-01\n", 2, "tags such as"),
        ("a: !!binary '%%%'\n", 1, "no base64"),
        ("a: *nothing\n", 1, "alias"),
        ("a: &a [*a]\n", 1, "alias"),
        ("? [a]\n: b\n", 1, "a key is a text"),
        ("1: b\n", 1, "a key is a text"),
        ("x: &x {a: b}\ny:\n  <<: *x\n", 3, "merge"),
        ("a: b\n---\nc: d\n", 2, "second document"),
        ("a: [b\n", 2, "not YAML"),
        ("a: \x07\n", None, "not YAML"),
        ("[" * 100_000, 1, "nested more than"),
        ("- " * 10_000, 1, "nested more than"),
        ("{a: " * 100_000, 1, "nested more than"),
    ],
)
def test_hostile_text_is_refused_with_its_place(text: str, line: int | None, problem: str) -> None:
    """Nothing hostile is read, and the error says where it is."""
    with pytest.raises(ConfigError, match=problem) as caught:
        load_yaml(text, "x.yaml")
    assert (caught.value.file, caught.value.line) == ("x.yaml", line)


def test_aliases_cannot_stand_for_endless_data() -> None:
    """A file of a few lines whose aliases would expand to millions of values is refused."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="aliases stand for more"):
        load_yaml("\n".join(lines), "x.yaml")


def test_without_libyaml_it_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's own parser does where the C library is missing."""
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert load_yaml("a: [1, 'x', 1.5, null, true]\n", "x.yaml")[0] == {"a": [1, "x", 1.5, None, True]}
