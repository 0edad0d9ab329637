"""Part files: what is appended survives, and folding parts into a cassette loses nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_guardrails._cassette import Cassette, Metadata, load, merge_parts, save
from pytest_guardrails._cassette._parts import append, part_file, parts_of
from pytest_guardrails._errors import ConfigError

RECORDED = Metadata(recorded_at="2026-01-01T00:00:00+00:00", base_url="https://a.example")


def record(path: Path, part: str, *interactions: Any, replaces: bool = False, metadata: Metadata = RECORDED) -> None:
    """Append interactions to a part, as one run."""
    for index, interaction in enumerate(interactions):
        append(part_file(path, part), interaction, metadata, replaces=replaces, begin=index == 0)


def answers(path: Path) -> dict[str, list[bytes]]:
    """Return the answers to each question, in order."""
    out: dict[str, list[bytes]] = {}
    for interaction in load(path).interactions:
        out.setdefault(interaction.request_body.decode(), []).append(interaction.response_body)
    return out


names = st.sampled_from(["gw0", "gw1", "main"])
takes = st.lists(st.tuples(names, st.integers(0, 3), st.integers(0, 3)), max_size=12)


@given(before=takes, recorded=takes, again=takes)
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_is_lost(tmp_path_factory: Any, made: Any, before: Any, recorded: Any, again: Any) -> None:
    """Whatever parts are folded in, in one go or in two, every answer to every question is in the cassette."""
    path = tmp_path_factory.mktemp("parts") / "x.jsonl"
    expected: dict[bytes, set[bytes]] = {}

    def take(question: int, answer: int) -> Any:
        interaction = made(str(question), {"n": answer})
        expected.setdefault(interaction.request_body, set()).add(interaction.response_body)
        return interaction

    save(path, Cassette(tuple(take(q, a) for _, q, a in before)))
    for batch in (recorded, again):
        for name in ("gw0", "gw1", "main"):
            record(path, name, *(take(q, a) for part, q, a in batch if part == name))
        assert merge_parts(path) == len(batch)
        assert parts_of(path) == []
    found: dict[bytes, set[bytes]] = {}
    for interaction in load(path).interactions:
        found.setdefault(interaction.request_body, set()).add(interaction.response_body)
    assert found == expected


def test_without_parts_nothing_is_touched(tmp_path: Path) -> None:
    """No part, no file, not even a folder."""
    assert merge_parts(tmp_path / "none" / "x.yaml") == 0
    assert list(tmp_path.iterdir()) == []


def test_answers_to_one_question_stay_in_order(tmp_path: Path, made: Any) -> None:
    """A sequence that one process recorded is played in that order, repeats included."""
    path = tmp_path / "x.yaml"
    record(path, "gw0", *(made("q", {"n": n}) for n in (1, 1, 2)))
    merge_parts(path)
    assert [interaction.response_body for interaction in load(path).interactions] == [
        b'{"n": 1}',
        b'{"n": 1}',
        b'{"n": 2}',
    ]


def test_two_workers_that_recorded_the_same_count_once(tmp_path: Path, made: Any) -> None:
    """The same answer from two workers, and a second fold of what is there, add nothing."""
    path = tmp_path / "x.yaml"
    for _ in range(2):
        record(path, "gw0", made("q", {"n": 1}))
        record(path, "gw1", made("q", {"n": 1}), made("q", {"n": 2}))
        merge_parts(path)
    assert [interaction.response_body for interaction in load(path).interactions] == [b'{"n": 1}', b'{"n": 2}']


def test_what_replaces_takes_the_place_of_the_same_question_alone(tmp_path: Path, made: Any) -> None:
    """Mode all: re-recorded answers go in for those of the cassette, the others stay, and two workers add up."""
    path = tmp_path / "x.yaml"
    save(path, Cassette((made("q", {"n": 1}), made("q", {"n": 2}), made("other", {"n": 3}))))
    record(path, "gw0", made("q", {"n": 7}), replaces=True)
    record(path, "gw1", made("q", {"n": 8}), replaces=True)
    merge_parts(path)
    assert list(answers(path).values()) == [[b'{"n": 7}', b'{"n": 8}'], [b'{"n": 3}']]


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_killed_process_loses_at_most_the_line_it_was_writing(tmp_path: Path, made: Any, cut: int) -> None:
    """The line that ends in the middle goes, those before it stay, and a later run goes on in the same part."""
    path = tmp_path / "x.yaml"
    record(path, "gw0", made("one"), made("two"))
    part = part_file(path, "gw0")
    part.write_bytes(part.read_bytes()[:-cut])
    record(path, "gw0", made("three"))
    assert merge_parts(path) == 2 + (cut == 1)
    assert len(load(path).interactions) == 2 + (cut == 1)


def test_metadata_come_from_the_parts(tmp_path: Path, made: Any) -> None:
    """A new cassette says what its parts say; later ones move the date alone."""
    path = tmp_path / "x.yaml"
    record(path, "gw0", made("one"))
    merge_parts(path)
    assert load(path).metadata == RECORDED
    record(
        path,
        "gw0",
        made("two"),
        metadata=Metadata(recorded_at="2027-01-01T00:00:00+00:00", base_url="https://b.example"),
    )
    merge_parts(path)
    assert load(path).metadata == Metadata(recorded_at="2027-01-01T00:00:00+00:00", base_url="https://a.example")


@pytest.mark.parametrize(
    ("present", "new", "problem"),
    [
        (Metadata("synthetic"), RECORDED, "a synthetic cassette"),
        (Metadata(key_id="01234567"), RECORDED, "GUARDRAILS_MASK_KEY"),
        (Metadata(), Metadata(key_id="01234567"), "GUARDRAILS_MASK_KEY"),
    ],
)
def test_a_mixture_is_refused_and_parts_stay(
    tmp_path: Path, made: Any, present: Metadata, new: Metadata, problem: str
) -> None:
    """What is recorded does not go into a cassette that says another thing of itself, and is not lost."""
    path = tmp_path / "x.yaml"
    save(path, Cassette((made("one"),), present))
    record(path, "gw0", made("two"), metadata=new)
    with pytest.raises(ConfigError, match=problem):
        merge_parts(path)
    assert len(parts_of(path)) == 1
    assert len(load(path).interactions) == 1


@pytest.mark.parametrize("line", [b'{"request": {}}', b"[]", b'{"metadata": {"guardrails": {"kind": "odd"}}}'])
def test_a_damaged_part_is_refused_and_stays(tmp_path: Path, made: Any, line: bytes) -> None:
    """A whole line that is no interaction is an error that names the part."""
    path = tmp_path / "x.yaml"
    record(path, "gw0", made("one"))
    part = part_file(path, "gw0")
    part.write_bytes(part.read_bytes() + line + b"\n")
    with pytest.raises(ConfigError):
        merge_parts(path)
    assert part.exists()


def test_a_part_without_its_metadata_is_refused(tmp_path: Path, made: Any) -> None:
    """Nobody knows what such a part would be."""
    path = tmp_path / "x.jsonl"
    record(path, "gw0", made("one"))
    part = part_file(path, "gw0")
    part.write_bytes(part.read_bytes().split(b"\n")[2] + b"\n")
    with pytest.raises(ConfigError, match="begins with its metadata"):
        merge_parts(path)


@pytest.mark.parametrize("name", ["", "a.b", "../x", "a/b", "x" * 65, "é"])
def test_names_of_parts_are_plain(tmp_path: Path, name: str) -> None:
    """A name cannot lead out of the folder, or into another cassette's parts."""
    with pytest.raises(ConfigError, match="name of a part"):
        part_file(tmp_path / "x.yaml", name)


def test_parts_belong_to_one_cassette(tmp_path: Path, made: Any) -> None:
    """A cassette whose name begins with that of another one keeps its parts."""
    record(tmp_path / "x.yaml.gw0.yaml", "gw1", made())
    assert parts_of(tmp_path / "x.yaml") == []
