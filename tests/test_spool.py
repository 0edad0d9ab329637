"""The ledger of a population: written line by line, continued after an interruption, refused where it does not fit."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_guardrails._codec import FrozenDict, encode
from pytest_guardrails._model import Action, Outcome, SampleResult, Verdict
from pytest_guardrails._spool import Spool, close, read, release

IDENTITY = {"the corpus": "abc", "the guard": ["g", {"hash": "1"}]}
PLAIN = SampleResult("k", "benign", "", Outcome.TRUE_NEGATIVE, Verdict.ALLOW, Action.NONE)
FULL = SampleResult(
    "é-2", "attack", "c\ud800\n", Outcome.ERROR, Verdict.BLOCK, Action.DENY, "g", ("a/b/c",), ("a/d",), ("a/b/e",),
    FrozenDict({"a/b/c": 0.5}), spans=(1, 2, 3, 4, 5), line=7, duration_s=0.25, vendor_s=0.125,
)  # fmt: skip


def results(number: int, start: int = 0) -> list[SampleResult]:
    """Return some results, each of its own key."""
    return [dataclasses.replace(PLAIN, key=f"k{n}", line=n) for n in range(start, start + number)]


def spooled(path: Path, *batches: list[SampleResult], resume: bool = False, identity: Any = None) -> Spool:
    """Write batches as a run does, and leave it without an end."""
    with Spool(path, identity or IDENTITY, resume=resume) as spool:
        list(spool.kept())
        for batch in batches:
            spool.append(batch)
    return spool


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Every field comes back, and a line says what the codec says of a result, without its defaults."""
    path = tmp_path / "l.jsonl"
    spooled(path, [PLAIN, FULL], [PLAIN])
    assert list(read(path)) == [PLAIN, FULL, PLAIN]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[1] == encode(FULL, sparse=True)
    assert lines[0] == {**encode(PLAIN, sparse=True), "duration_s": 0.0}
    back = next(iter(list(read(path))[1:]))
    assert (back.duration_s, back.vendor_s) == (0.25, 0.125)  # equality leaves times out


def test_every_field_of_a_result_is_in_the_ledger(tmp_path: Path) -> None:
    """A field that somebody adds to the noun cannot be forgotten here."""
    path = tmp_path / "l.jsonl"
    odd: dict[str, Any] = {f.name: FrozenDict({"x": 1}) for f in dataclasses.fields(SampleResult)}
    odd |= {"duration_s": 1.5}
    spooled(path, [SampleResult(**odd)])
    assert set(json.loads(path.read_text())) == set(odd)


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_torn_line_is_dropped(tmp_path: Path, cut: int) -> None:
    """Of a run that was killed in the middle of a line, the whole lines are kept, and it is continued behind them."""
    path = tmp_path / "l.jsonl"
    spooled(path, results(3))
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:2]) + whole[2][:cut])
    with Spool(path, IDENTITY, resume=True) as spool:
        assert spool.refused is None
        assert list(spool.kept()) == results(2)
        spool.append(results(2, start=2))
    assert list(read(path)) == results(4)


@pytest.mark.parametrize("junk", [b"\xff\n", b"{}\n", b"[]\n", b"null\n", b'{"key": 1, "outcome": "maybe"}\n', b"\n"])
def test_what_follows_a_line_that_cannot_be_meant_is_dropped(tmp_path: Path, junk: bytes) -> None:
    """A ledger is used up to its first line that is none."""
    path = tmp_path / "l.jsonl"
    spooled(path, results(2))
    path.write_bytes(path.read_bytes() + junk + path.read_bytes())
    spooled(path, results(1, start=2), resume=True)
    assert list(read(path)) == results(3)


def test_without_resume_it_starts_afresh(tmp_path: Path) -> None:
    """A run that does not continue replaces what an earlier one left."""
    path = tmp_path / "l.jsonl"
    spooled(path, results(3))
    assert spooled(path, results(1)).refused is None
    assert list(read(path)) == results(1)


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        ({**IDENTITY, "the corpus": "abd"}, "the corpus changed since"),
        ({**IDENTITY, "the corpus": 1, "the guard": 2}, "the corpus and the guard changed since"),
        ({**IDENTITY, "more": 1}, "more changed since"),
    ],
)
def test_what_has_changed_is_said_and_nothing_is_continued(tmp_path: Path, identity: dict[str, Any], said: str) -> None:
    """Results of another corpus or guard are never mixed in."""
    path = tmp_path / "l.jsonl"
    spooled(path, results(3))
    spool = spooled(path, results(1), resume=True, identity=identity)
    assert spool.refused == said
    assert list(read(path)) == results(1)
    assert spooled(path, resume=True, identity=identity).refused is None


def test_a_run_that_ended_whole_is_not_continued(tmp_path: Path) -> None:
    """Its ledger stays for those who compare, but a later run starts afresh."""
    path = tmp_path / "l.jsonl"
    spooled(path, results(3))
    close(path)
    assert list(read(path)) == results(3)
    assert spooled(path, resume=True).refused == "there is no interrupted run of it"
    assert list(read(path)) == []


def test_where_nothing_was_left_it_starts_afresh(tmp_path: Path) -> None:
    """Asked to continue what is not there, or what is broken, it says so."""
    path = tmp_path / "deep" / "l.jsonl"
    assert spooled(path, results(1), resume=True).refused == "there is no interrupted run of it"
    for broken in ("[]", "{", ""):
        path.with_suffix(".json").write_text(broken)
        assert spooled(path, results(1), resume=True).refused == "there is no interrupted run of it"


def test_two_runs_at_once_do_not_share_a_ledger(tmp_path: Path) -> None:
    """While one run writes a ledger, another one of the same project writes its own beside it."""
    pytest.importorskip("fcntl", reason="no locks here")
    path = tmp_path / "l.jsonl"
    with Spool(path, IDENTITY) as first:
        first.append(results(2))
        other = spooled(path, results(1), resume=True)
        assert other.refused == "there is no interrupted run of it"
        first.append(results(1, start=2))
    assert (first.path, list(read(path))) == (path, results(3))
    assert (other.path.parent, list(read(other.path))) == (tmp_path, results(1))
    assert spooled(path, resume=True).path == path


def test_a_ledger_is_its_runs_until_it_was_read(tmp_path: Path) -> None:
    """Between its last line and the end of the run no other run can take it; the same run can, and then all can."""
    fcntl = pytest.importorskip("fcntl", reason="no locks here")
    path = tmp_path / "l.jsonl"
    for _ in range(2):
        assert spooled(path, results(2)).path == path
        with path.open("rb") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    release()
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_torn_ledger_is_an_error_for_its_readers(tmp_path: Path) -> None:
    """Who reads a ledger to its end is told where that is not its end."""
    path = tmp_path / "l.jsonl"
    spooled(path, results(2))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="torn"):
        list(read(path))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 400), st.integers(0, 8))
def test_wherever_it_is_cut_a_continued_run_ends_the_same(tmp_path: Path, cut: int, before: int) -> None:
    """Killed after any byte and continued, a ledger is the one of a run that was never interrupted."""
    path, wanted = tmp_path / "l.jsonl", results(8)
    spooled(path, wanted[:before])
    path.write_bytes(path.read_bytes()[:cut])
    with Spool(path, IDENTITY, resume=True) as spool:
        kept = len(list(spool.kept()))
        spool.append(wanted[kept:])
    assert list(read(path)) == wanted


def errored(path: Path) -> list[SampleResult]:
    """Leave six results of an interrupted run of which every other is an error, and return them."""
    left = [dataclasses.replace(one, outcome=Outcome.ERROR) if n % 2 else one for n, one in enumerate(results(6))]
    spooled(path, left)
    return left


def test_errors_are_replaced_in_their_places(tmp_path: Path) -> None:
    """What was asked again stands where the error stood, and the run goes on behind the last line."""
    path = tmp_path / "l.jsonl"
    left = errored(path)
    with Spool(path, IDENTITY, resume=True) as spool:
        assert spool.has_errors
        errors = [one for one in spool.kept() if one.outcome is Outcome.ERROR]
        assert [one.key for one in errors] == ["k1", "k3", "k5"]
        spool.replace_errors([[PLAIN], [dataclasses.replace(PLAIN, key=one.key) for one in errors[1:]]])
        assert [one.outcome for one in spool.kept()] == [Outcome.TRUE_NEGATIVE] * 6
        assert not spool.has_errors
        spool.append(results(1, start=6))
    assert [one.key for one in read(path)] == ["k0", "k", "k2", "k3", "k4", "k5", "k6"]
    assert [one.key for one in left[::2]] == ["k0", "k2", "k4"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["l.json", "l.jsonl"]


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_errors_that_could_not_be_asked_again_stay(tmp_path: Path, answers: int) -> None:
    """Interrupted once more, the answers that came are kept, and so is everything else."""
    path = tmp_path / "l.jsonl"
    errored(path)

    def batches() -> Iterator[list[SampleResult]]:
        yield from ([one] for one in results(6)[1::2][:answers])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Spool(path, IDENTITY, resume=True) as spool:
        spool.replace_errors(batches())
    found = list(read(path))
    assert [one.key for one in found] == [f"k{n}" for n in range(6)]
    assert sum(one.outcome is Outcome.ERROR for one in found) == 3 - answers


def test_a_run_that_is_not_continued_has_no_errors(tmp_path: Path) -> None:
    """Nor has one in which a text merely says so."""
    path = tmp_path / "l.jsonl"
    errored(path)
    with Spool(path, IDENTITY) as spool:
        assert not spool.has_errors
        spool.append([dataclasses.replace(PLAIN, category='"outcome":"error"')])
    with Spool(path, IDENTITY, resume=True) as spool:
        assert not spool.has_errors
