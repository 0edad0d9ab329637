"""Cassettes on disk: what is written is read again, and what is damaged is refused with its place."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_guardrails._cassette import SUFFIXES, Cassette, Interaction, Metadata, load, save
from pytest_guardrails._cassette import _file as file_module
from pytest_guardrails._errors import ConfigError

texts = st.text(st.characters(codec="utf-8"), max_size=20)
interactions = st.builds(
    Interaction,
    method=st.just("POST"),
    url=st.sampled_from(["https://a.example/x", "https://a.example/y"]),
    request_headers=st.just((("content-type", "application/json"),)),
    request_body=st.sampled_from([b"{}", b'{"messages":[]}']) | st.binary(max_size=20) | texts.map(str.encode),
    status=st.sampled_from([200, 429, 599]),
    response_headers=st.just((("content-type", "application/json"),)),
    response_body=st.binary(max_size=20) | texts.map(str.encode),
    latency_ms=st.none() | st.floats(0, 1000),
    raises=st.none() | st.just("ReadTimeout"),
)
metadata = st.builds(
    Metadata,
    kind=st.sampled_from(["recorded", "synthetic"]),
    recorded_at=st.none() | texts,
    base_url=st.none() | st.just("https://a.example"),
    api=st.none() | st.just("v3"),
    note=st.none() | texts,
    key_id=st.none() | st.just("01234567"),
)
cassettes = st.builds(
    Cassette,
    interactions=st.lists(interactions, max_size=5).map(tuple),
    metadata=metadata,
    foreign=st.none() | st.just({"seed": 5, "more": {"a": ["b"]}}),
)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(cassette=cassettes)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_saved_is_loaded(tmp_path: Path, suffix: str, cassette: Cassette) -> None:
    """Each format gives back every interaction; JSON Lines sorted by key, answers to one key in their order."""
    path = tmp_path / f"x{suffix}"
    save(path, cassette)
    expected = cassette.interactions
    if suffix == ".jsonl":
        expected = tuple(sorted(expected, key=lambda interaction: interaction.key))
    assert load(path) == Cassette(expected, cassette.metadata, cassette.foreign)
    save(path, load(path))
    assert load(path) == Cassette(expected, cassette.metadata, cassette.foreign)


@given(st.permutations(list(range(6))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_lines_do_not_depend_on_the_order_of_recording(tmp_path: Path, made: Any, order: list[int]) -> None:
    """The same recordings, made in another order, are the same file."""
    path = tmp_path / "x.jsonl"
    save(path, Cassette(tuple(made(str(n)) for n in range(6))))
    before = path.read_bytes()
    save(path, Cassette(tuple(made(str(n)) for n in order)))
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_end_with_a_line_and_hold_no_credential(tmp_path: Path, made: Any, suffix: str) -> None:
    """What is written is UTF-8, ends with a newline, and has no header, user or parameter that is a credential."""
    path = tmp_path / "new" / f"x{suffix}"
    secret = "s3cr" + "et"
    interaction = made(
        url=f"https://u:{secret}@h.example/?api_key={secret}",
        request_headers=(("authorization", secret), ("lasso-api-key", secret)),
        response_headers=(("set-cookie", secret), ("location", f"https://h.example/?token={secret}")),
    )
    save(path, Cassette((interaction,), Metadata(base_url=f"https://u:{secret}@h.example")))
    content = path.read_bytes()
    assert secret not in content.decode()
    assert content.endswith(b"\n")
    assert list(path.parent.iterdir()) == [path]


def test_a_save_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cassette is replaced in one step or not at all, and nothing is left beside it."""
    path = tmp_path / "x.yaml"
    save(path, Cassette((made(),)))
    before = path.read_bytes()

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save(path, Cassette())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file_is_a_cassette_without_interactions(tmp_path: Path, suffix: str) -> None:
    """As for vcrpy."""
    path = tmp_path / f"x{suffix}"
    path.write_text("\n")
    assert load(path) == Cassette()


def test_a_cassette_without_our_metadata_is_recorded(tmp_path: Path) -> None:
    """Vcrpy's own is recorded, nobody knows where; its own metadata is kept."""
    path = tmp_path / "x.yaml"
    path.write_text("interactions: []\nmetadata: {seed: 5}\nversion: 1\n")
    assert load(path) == Cassette((), Metadata("recorded"), {"seed": 5})


DEEP_JSON = '{"interactions": ' + "[" * 100_000
REQUEST = '{"request": {"method": "GET", "uri": "https://a.example/"}, "response": {"status": {"code": 200}}}'


@pytest.mark.parametrize(
    ("name", "content", "line", "problem"),
    [
        ("x.txt", b"", None, "unknown suffix of a cassette '.txt'"),
        ("x.yaml", b"\xff\xfe", None, "not UTF-8"),
        ("x.yaml", b"[1, 2]", None, "no cassette"),
        ("x.yaml", b"a: 1", None, "no cassette"),
        ("x.yaml", b"interactions: 1", None, "no cassette"),
        ("x.yaml", b"interactions:\n- 1\n", None, "mapping 'request'"),
        ("x.yaml", b"interactions:\n- request: {}\n  response: {}\n", 2, "method and a uri"),
        ("x.yaml", b"interactions:\n- a: {}\n  a: {}\n", 3, "key 'a' is there twice"),
        ("x.yaml", b"interactions: []\nmetadata: [a]\n", None, "metadata is a mapping"),
        ("x.yaml", b"guardrails: []\ninteractions: []\n", None, "guardrails of a cassette is a mapping"),
        ("x.yaml", b"guardrails: {kind: made}\ninteractions: []\n", None, "unknown kind of cassette 'made'"),
        ("x.yaml", b"guardrails: {}\ninteractions: []\n", None, "has a kind"),
        ("x.yaml", b"guardrails: {kind: recorded, apy: v3}\ninteractions: []\n", None, "did you mean 'api'"),
        ("x.yaml", b"guardrails: {kind: recorded, key_id: a}\ninteractions: []\n", None, "unknown key"),
        ("x.yaml", b"guardrails: {kind: recorded, api: 3}\ninteractions: []\n", None, "api .* is a text"),
        ("x.yaml", b"guardrails: {kind: recorded, masked: yes}\ninteractions: []\n", None, "masked"),
        ("x.yaml", b"guardrails: {kind: recorded, base_url: 'http://['}\ninteractions: []\n", None, "base_url"),
        ("x.json", b'{"interactions": [', 1, "not JSON"),
        ("x.json", b'{"interactions": [],\n"interactions": []}', None, "key 'interactions' is there twice"),
        ("x.json", DEEP_JSON.encode(), None, "nested too deeply"),
        ("x.json", b'{"interactions": ' + b"9" * 5000 + b"}", None, "endless number"),
        ("x.jsonl", b'{"metadata": {}}\n{"request": 1', 2, "not JSON"),
        ("x.jsonl", b'{"metadata": []}\n', 1, "metadata is a mapping"),
        ("x.jsonl", f'{REQUEST}\n{{"metadata": {{}}}}\n'.encode(), 2, "first line alone"),
        ("x.jsonl", b'\n\n{"a": 1, "a": 2}\n', 3, "key 'a' is there twice"),
        ("x.jsonl", b"[]\n", 1, "mapping 'request'"),
    ],
)
def test_a_damaged_file_is_refused_with_its_place(
    tmp_path: Path, name: str, content: bytes, line: int | None, problem: str
) -> None:
    """A ConfigError names the file and, where it is known, the line."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=problem) as caught:
        load(path)
    assert (caught.value.file, caught.value.line) == (str(path), line)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is looked at first."""
    path = tmp_path / "x.yaml"
    path.write_text("interactions: []\n")
    monkeypatch.setattr(file_module, "_LARGEST", 3)
    with pytest.raises(ConfigError, match="larger than"):
        load(path)


@given(cut=st.integers(0, 100), suffix=st.sampled_from(SUFFIXES))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_truncated_file_is_never_a_crash(tmp_path: Path, made: Any, cut: int, suffix: str) -> None:
    """A file that ends anywhere is read in part (JSON Lines, at a line's end) or is a ConfigError."""
    path = tmp_path / f"x{suffix}"
    save(path, Cassette((made("one"), made("two"))))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * cut // 100])
    with contextlib.suppress(ConfigError):
        assert len(load(path).interactions) <= 2


def test_json_lines_have_one_interaction_a_line(tmp_path: Path, made: Any) -> None:
    """The first line is the metadata; no text can break a line."""
    path = tmp_path / "x.jsonl"
    save(path, Cassette((made("a\nb\u2028c\x85d\re"),), Metadata("synthetic")))
    first, second = path.read_text(encoding="utf-8").split("\n")[:-1]
    assert json.loads(first) == {"metadata": {"guardrails": {"kind": "synthetic"}}}
    assert json.loads(second)["request"]["method"] == "POST"
