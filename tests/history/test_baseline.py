"""The baseline file: written whole, read strictly, updated by what ran."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history import check, read_side, update
from pytest_guardrails._history._baseline import SCHEMA, read_entries, read_head
from pytest_guardrails._history._lines import Entry, line_of
from pytest_guardrails._history._update import Update
from pytest_guardrails._model import CaseRecord, CaseStatus, Latency, Run
from pytest_guardrails._stats import Histogram

MakeRun = Callable[..., Run]
MakeCase = Callable[..., CaseRecord]
MakeEntry = Callable[..., Entry]

HEAD = json.dumps({"schema": SCHEMA, "guards": {}, "corpora": {}})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the baseline is."""
    return tmp_path / "deep" / "baseline.jsonl"


def keys(path: Path) -> list[str]:
    """Return the keys of a baseline, in the order of its lines."""
    return [json.loads(line)["key"] for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def put(path: Path, *lines: str, end: str = "\n") -> None:
    """Write a baseline with a good head."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join([HEAD, *lines]) + end).encode("utf-8", "surrogateescape"))


def done(path: Path, run: Run, gone: bool = False) -> Update:
    """Update a baseline."""
    return update(path, "b.jsonl", run, lambda _file: gone)


def test_a_run_becomes_a_sorted_file(path: Path, run: MakeRun, case: MakeCase, corpus: Any, sample: Any) -> None:
    """One head with the guards, then one line per sample and case, sorted; no time, and nothing is left beside it."""
    made = run(case("b"), case("a", "benign", False), corpora=(corpus([sample("z"), sample("k"), sample("k")]),))
    assert str(done(path, made)) == "5 added"
    assert read_head(path, "b").guards["guard.yaml"].versions == ("1 (abc)",)
    assert read_head(path, "b").guards["guard.yaml"].guardrails == ("words",)
    assert read_head(path, "b").corpora == {"benign": "a.guardrails.yaml"}
    assert keys(path) == ["k", "k", "z", "a.guardrails.yaml::a", "a.guardrails.yaml::b"]
    assert [json.loads(line).get("copy", 1) for line in path.read_text().splitlines()[1:3]] == [1, 2]
    assert list(path.parent.iterdir()) == [path]
    assert check(path, "b") == 5


def test_the_same_run_again_changes_no_byte(path: Path, run: MakeRun, case: MakeCase) -> None:
    """A baseline is a function of what was judged: neither times nor the order of tests are in it."""
    done(path, run(case("b"), case("a")))
    first = path.read_bytes()
    assert str(done(path, run(case("a"), case("b"), started="2027-01-01T00:00:00+00:00"))) == "2 unchanged"
    assert path.read_bytes() == first


def test_what_did_not_run_stays(path: Path, run: MakeRun, case: MakeCase, corpus: Any, sample: Any) -> None:
    """An update from a part of the suite replaces what ran and keeps the rest, and says so."""
    done(path, run(case("a"), case("b"), corpora=(corpus([sample("k")]),)))
    said = done(path, run(case("b", acted=False), case("c"), version="new"))
    assert str(said) == "1 added, 1 changed, 2 kept, which did not run"
    assert keys(path) == ["k", "a.guardrails.yaml::a", "a.guardrails.yaml::b", "a.guardrails.yaml::c"]
    assert read_head(path, "b").guards["guard.yaml"].versions == ("1 (abc)", "1 (new)")
    assert read_head(path, "b").corpora == {"benign": "a.guardrails.yaml"}


def test_what_is_gone_is_removed(path: Path, run: MakeRun, case: MakeCase, corpus: Any, sample: Any) -> None:
    """Where each case of a file would have run, lines of others go, and the head forgets what no line names."""
    done(path, run(case("a"), case("b"), corpora=(corpus([sample("k")]),)))
    assert str(done(path, run(case("b"), version="new"), gone=True)) == "1 unchanged, 2 removed"
    assert keys(path) == ["a.guardrails.yaml::b"]
    assert read_head(path, "b").corpora == {}
    assert read_head(path, "b").guards["guard.yaml"].versions == ("1 (new)",)


def test_a_case_that_was_skipped_is_not_gone(path: Path, run: MakeRun, case: MakeCase) -> None:
    """A test that was collected and did not run keeps its line, also in a whole run."""
    done(path, run(case("a"), case("b")))
    idle = case("a", trace=None, outcome=None, status=CaseStatus.NOT_RUN)
    assert str(done(path, run(idle, case("b")), gone=True)) == "1 unchanged, 1 kept, which did not run"


def test_a_corpus_that_ran_is_replaced_as_a_whole(path: Path, run: MakeRun, corpus: Any, sample: Any) -> None:
    """Rows that its file has no more are removed, also in a run of a part of the suite."""
    done(path, run(corpora=(corpus([sample("k"), sample("l")]),)))
    assert str(done(path, run(corpora=(corpus([sample("l", acted=True)]),)))) == "1 changed, 1 removed"
    assert keys(path) == ["l"]


def test_lines_in_any_order_are_read(path: Path, entry: MakeEntry) -> None:
    """What git or a person put in another order is read as if it were sorted."""
    put(path, line_of(entry("b")), line_of(entry("a")))
    assert [one.key for one in read_entries(path, "b")] == ["a", "b"]


def slow(case: MakeCase, name: str, seconds: float, **fields: Any) -> CaseRecord:
    """Return a case that took ``seconds``."""
    made = case(name)
    assert made.trace is not None
    return replace(made, trace=replace(made.trace, duration_s=seconds, **fields))


def times(path: Path) -> Any:
    """Return the times in the head of a baseline."""
    return json.loads(path.read_text().splitlines()[0])["latency"]


def test_times_stand_in_the_head_alone(path: Path, run: MakeRun, case: MakeCase, corpus: Any, sample: Any) -> None:
    """Two significant digits of p50 and p95 for each population, and how many they are of; no line has a time."""
    timed = Histogram()
    timed.add(0.0123)
    one = corpus([sample("k")], latency=timed.to_dict(), vendor_latency=timed.to_dict())
    done(path, run(slow(case, "a", 0.001234), slow(case, "b", 0.56789), corpora=(one,)))
    assert times(path)["cases"] == {"guard.yaml": {"count": 2, "p50_s": 0.0012, "p95_s": 0.57}}
    assert times(path)["benign"]["guard.yaml"] == {
        "count": 1, "p50_s": 0.012, "p95_s": 0.012, "vendor_count": 1, "vendor_p50_s": 0.012, "vendor_p95_s": 0.012,
    }  # fmt: skip
    assert "_s" not in "".join(path.read_text().splitlines()[1:]).replace("_status", "")
    side = read_side(path, "b")
    assert side.latency["cases", "guard.yaml"] == Latency(2, 0.0012, 0.57)


def test_noise_changes_no_byte(path: Path, run: MakeRun, case: MakeCase) -> None:
    """Times up to twice as long leave the head; longer ones are written, and drift is measured from what stands."""
    done(path, run(slow(case, "a", 0.010)))
    first = path.read_bytes()
    for seconds in (0.019, 0.006):
        done(path, run(slow(case, "a", seconds)))
        assert path.read_bytes() == first
    done(path, run(slow(case, "a", 0.021)))
    assert times(path)["cases"]["guard.yaml"]["p95_s"] == 0.021


def test_a_small_part_leaves_the_times_of_the_whole(path: Path, run: MakeRun, case: MakeCase) -> None:
    """An update from one case of four keeps the times of all; one from three replaces them."""
    names = "abcd"
    done(path, run(*(slow(case, name, 0.01) for name in names)))
    done(path, run(slow(case, "a", 5.0)))
    assert times(path)["cases"]["guard.yaml"]["count"] == 4
    done(path, run(*(slow(case, name, 5.0) for name in names[:3])))
    assert times(path)["cases"]["guard.yaml"] == {"count": 3, "p50_s": 5.0, "p95_s": 5.0}


def test_a_baseline_without_times_is_read(path: Path, run: MakeRun, case: MakeCase) -> None:
    """One of before times were kept has none, and gets them with its next update; gone populations lose theirs."""
    put(path)
    assert read_side(path, "b").latency == {}
    done(path, run(case("a")))
    assert list(times(path)) == ["cases"]
    done(path, run(case("b", guard="other@1", nodeid="o.guardrails.yaml::b")), gone=True)
    assert list(times(path)["cases"]) == ["other@1"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<<<<<<< ours", "b.jsonl:2: a merge left a conflict here"),
        ("=======", "b.jsonl:2: a merge left a conflict here"),
        (">>>>>>> theirs", "b.jsonl:2: a merge left a conflict here"),
        ("", "b.jsonl:2: this line is empty"),
        ("{]", "b.jsonl:2: this line is not JSON"),
        ("[" * 100_000, "b.jsonl:2: this line is not JSON"),
        ("[]", "b.jsonl:2: a line is a JSON object, not list"),
        ('{"colour": 1}', "b.jsonl:2: unknown key 'colour'"),
        ("\udcff", "b.jsonl:2: this line is not UTF-8"),
    ],
)
def test_a_line_that_cannot_be_meant_names_its_place(path: Path, line: str, said: str) -> None:
    """A conflict, a torn or empty line, something else than a result: file, line and what is wrong."""
    put(path, line)
    with pytest.raises(ConfigError) as caught:
        check(path, "b.jsonl")
    assert str(caught.value).startswith(said)


def test_a_torn_end_is_an_error(path: Path, entry: MakeEntry) -> None:
    """A last line without its end was cut off."""
    put(path, line_of(entry("a")), line_of(entry("b"))[:40], end="")
    with pytest.raises(ConfigError, match="b:3: this line is cut off"):
        check(path, "b")


def test_two_lines_of_one_place_are_an_error(path: Path, entry: MakeEntry) -> None:
    """What a bad merge doubled is refused, with both lines, however far they are apart."""
    put(path, line_of(entry("a")), line_of(entry("b")), line_of(entry("a", acted=False)))
    with pytest.raises(ConfigError, match="b:4: cases, 'a' is there twice, first in line 2: keep one of them"):
        check(path, "b")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("", "b:1: the file is empty"),
        ("{}", "b:1: unknown schema 'None'"),
        ('{"schema": "pytest-guardrails/baseline/9"}', "unknown schema 'pytest-guardrails/baseline/9'"),
        (json.dumps({"schema": SCHEMA, "guard": 1}), "b:1: unknown key 'guard'; did you mean 'guards'"),
        (json.dumps({"schema": SCHEMA, "guards": 1}), "b:1: guards, corpora and latency are mappings"),
        (json.dumps({"schema": SCHEMA, "guards": {"g": 1}}), "b:1: guards, corpora and latency are mappings"),
        (json.dumps({"schema": SCHEMA, "corpora": 1}), "b:1: guards, corpora and latency are mappings"),
        (json.dumps({"schema": SCHEMA, "latency": 1}), "b:1: guards, corpora and latency are mappings"),
        (json.dumps({"schema": SCHEMA, "latency": {"cases": {"g": {}}}}), "b:1: guards, corpora and latency are"),
        (
            json.dumps({"schema": SCHEMA, "latency": {"cases": {"g": {"count": 1, "p50_s": "x", "p95_s": 1}}}}),
            "a time is",
        ),
        (
            json.dumps({"schema": SCHEMA, "latency": {"cases": {"g": {"count": 1, "p50_s": -1, "p95_s": 1}}}}),
            "a time is",
        ),
        (
            json.dumps({"schema": SCHEMA, "latency": {"cases": {"g": {"count": -1, "p50_s": 1, "p95_s": 1}}}}),
            "a count of",
        ),
    ],
)
def test_a_head_that_cannot_be_meant_is_refused(tmp_path: Path, head: str, said: str) -> None:
    """An empty file, another schema, another shape."""
    path = tmp_path / "b"
    path.write_text(head)
    with pytest.raises(ConfigError, match=said.replace("?", ".")):
        check(path, "b")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A baseline that cannot be read names itself."""
    with pytest.raises(ConfigError, match="b: cannot read the baseline: No such file"):
        read_side(tmp_path / "b", "b")


def test_a_failed_update_leaves_the_old_file(path: Path, run: MakeRun, case: MakeCase) -> None:
    """Where the old lines cannot be read, nothing is written, and nothing is left beside the file."""
    put(path, "{]")
    before = path.read_bytes()
    with pytest.raises(ConfigError):
        done(path, run(case("a")))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
