"""The two files for github-action-benchmark."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import (
    CaseRecord,
    CaseStatus,
    CorpusRecord,
    Group,
    Guard,
    GuardVersion,
    Outcome,
    Run,
)
from pytest_guardrails.reporters import bigger_is_better, parse_target, smaller_is_better

KEYS = {"name": str, "unit": str, "value": float, "range": str, "extra": str}


def read(text: str) -> dict[str, dict[str, Any]]:
    """Return the entries by name, each as the action takes it: name, unit and value, and nothing that it ignores."""
    entries = json.loads(text)
    for entry in entries:
        assert {"name", "unit", "value"} <= set(entry) <= set(KEYS)
        assert all(isinstance(entry[key], KEYS[key]) for key in entry)
        assert all(entry[key].isprintable() for key in entry if KEYS[key] is str)
    found = {entry["name"]: entry for entry in entries}
    assert len(found) == len(entries)
    return found


def test_rates_are_in_the_file_where_they_are_better(
    run: Callable[..., Run], record: Callable[..., CaseRecord]
) -> None:
    """FPR, error rate and latency are better smaller, recall and F1 bigger, in per cent and ms, with intervals."""
    outcomes = (Outcome.FALSE_POSITIVE, Outcome.TRUE_NEGATIVE, Outcome.TRUE_POSITIVE, Outcome.FALSE_NEGATIVE)
    made = run(*(record(outcome.value, outcome=outcome) for outcome in outcomes))
    smaller, bigger = read(smaller_is_better(made)), read(bigger_is_better(made))
    assert set(smaller) == {f"guard.yaml, cases: {name}" for name in ("FPR", "error rate", "latency p95")}
    assert set(bigger) == {f"guard.yaml, cases: {name}" for name in ("recall", "F1")}
    assert smaller["guard.yaml, cases: FPR"] == {
        "name": "guard.yaml, cases: FPR",
        "unit": "%",
        "value": 50.0,
        "range": "9.45312 to 90.5469",
        "extra": "version 7 (abc); 1 of 2 benign",
    }
    assert smaller["guard.yaml, cases: latency p95"]["value"] == 0.4
    assert bigger["guard.yaml, cases: F1"]["value"] == 50.0


def test_what_is_unknown_is_left_out(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """Of 0 benign cases no rate is drawn, and a run without a case is an empty list."""
    assert not any("FPR" in name for name in read(smaller_is_better(run(record()))))
    assert (read(smaller_is_better(run())), read(bigger_is_better(run()))) == ({}, {})


def test_names_last_from_version_to_version(run: Callable[..., Run], record: Callable[..., CaseRecord]) -> None:
    """The hash of a version is in no name, unless two guards of a run share the name."""
    first, second = (record(h, guard=f"guard.yaml@{h}") for h in ("aa", "bb"))
    guards = tuple(Guard(f"guard.yaml@{h}", "e", "guard.yaml", GuardVersion(None, h)) for h in ("aa", "bb"))
    alone = read(bigger_is_better(run(first, guards=guards[:1])))
    assert "guard.yaml, cases: recall" in alone
    both = read(bigger_is_better(run(first, second, guards=guards)))
    assert {"guard.yaml@aa, cases: recall", "guard.yaml@bb, cases: recall"} <= set(both)


def test_two_corpora_of_one_name_are_told_apart(run: Callable[..., Run]) -> None:
    """A second corpus of one name gets a number, so that no chart mixes them."""
    groups = (Group("all", "", 1, 1, 1, 1),)
    corpora = [CorpusRecord(f"{n}::c", "mails", CaseStatus.AS_EXPECTED, "g@1", groups=groups) for n in "ab"]
    assert "g, mails (2): FPR" in read(smaller_is_better(run(corpora=tuple(corpora))))


def test_hostile_texts_are_names(hostile_figures: Run) -> None:
    """Whatever a guard or a corpus is called, both files can be read and printed."""
    assert read(smaller_is_better(hostile_figures))
    assert read(bigger_is_better(hostile_figures))


def test_the_destination_is_a_folder(tmp_path: Path) -> None:
    """The type writes both files into DEST, and refuses one that is a file."""
    named = [(kind, path.relative_to(tmp_path).as_posix()) for kind, path in parse_target("gha-benchmark:b", tmp_path)]
    assert named == [
        ("gha-benchmark-smaller", "b/smaller-is-better.json"),
        ("gha-benchmark-bigger", "b/bigger-is-better.json"),
    ]
    (tmp_path / "file.json").write_text("")
    with pytest.raises(ConfigError, match="two files into a folder"):
        parse_target("gha-benchmark:file.json", tmp_path)
