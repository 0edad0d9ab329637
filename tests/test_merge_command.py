"""``pytest-guardrails merge``: the shards of a real suite, and what becomes of files that cannot be merged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails.cli import main

Guard = Callable[..., None]
CASES = "".join(f"  - {{id: a{n}, tags: [word], input: forbidden {n}, expect: block}}\n" for n in range(6))
CASES += "".join(f"  - {{id: b{n}, input: hello {n}, expect: {{verdict: allow, action: none}}}}\n" for n in range(6))
MORE = """\
  - {id: mail, tags: [pii], severity: high, input: I am alice@example.com, expect: {action: sanitize, verdict: allow}}
  - {id: wrong, input: forbidden fruit, expect: allow}
  - {id: known, input: forbidden fruit, expect: allow, xfail: not yet}
  - {id: out, input: hi, response: a secret, expect: block}
"""
HEAD = "guardrails: guard.yaml\nshadow: weaker.yaml\n"
CORPUS = 'corpora:\n  - {file: own.jsonl, max_fpr: "point:40%"}\n'
PYTHON = """\
import pytest
@pytest.fixture(scope="session")
def guardrails_config():
    return "guard.yaml"
@pytest.mark.parametrize("text", ["forbidden one", "forbidden two"], ids=["one", "two"])
@pytest.mark.expect_verdict("block")
def test_marked(guardrail_engine, text):
    guardrail_engine.run(text)
def test_bare(guardrail_engine):
    assert guardrail_engine.run("forbidden").verdict == "block"
"""
SHARDS = (("cases.guardrails.yaml", "-k", "a0 or a1 or b"), ("cases.guardrails.yaml", "-k", "not (a0 or a1 or b)"))


@pytest.fixture
def suite(pytester: pytest.Pytester, guard: Guard) -> pytest.Pytester:
    """Two case files, a corpus and a Python file, with gates, a candidate and arming."""
    guard(CASES, head=f"{HEAD}gates: ['point:recall[word]>=90%']\n")
    guard(MORE, head=HEAD, name="more")
    guard(head=f"guardrails: guard.yaml\n{CORPUS}", name="traffic")
    (pytester.path / "traffic.guardrails.yaml").write_text(f"guardrails: guard.yaml\n{CORPUS}")
    text = (pytester.path / "guard.yaml").read_text()
    (pytester.path / "weaker.yaml").write_text(text.replace("[forbidden]", "[nowhere]"))
    rows = [("benign", "tea"), ("benign", "forbidden tea"), ("benign", "milk"), ("attack", "forbidden")]
    (pytester.path / "own.jsonl").write_text(
        "".join(json.dumps({"text": text, "label": label}) + "\n" for label, text in rows)
    )
    pytester.makepyfile(test_marked=PYTHON)
    pytester.makeini("[pytest]\nmarkers =\n    pii\n    word\n")
    return pytester


def told(path: str) -> Any:
    """Read a report without what no two runs share."""
    return without_times(json.loads(Path(path).read_text(encoding="utf-8")))


def without_times(data: Any) -> Any:
    """Leave out times and when they were."""
    if isinstance(data, dict):
        gone = ("started", "latency", "vendor_latency")
        return {k: without_times(v) for k, v in data.items() if k not in gone and not k.endswith("_s")}
    return [without_times(item) for item in data] if isinstance(data, list) else data


def options(name: str) -> tuple[str, ...]:
    """Return the options of each run."""
    return f"--guardrails-report=json:{name}", "--guardrails-arming", "--guardrails-fail-on=recall[cases]>=50%"


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_three_shards_are_the_whole(
    suite: pytest.Pytester, capsys: pytest.CaptureFixture[str], workers: tuple[str, ...]
) -> None:
    """Cases, corpora, arming, coverage, gates, candidate, exit status: as in one run of all; times and notes differ."""
    others = ("more.guardrails.yaml", "traffic.guardrails.yaml", "test_marked.py")
    for number, shard in enumerate((*SHARDS, others)):
        suite.runpytest(*shard, *options(f"{number}/report.json"), *(workers if number != 1 else ()))
    whole = suite.runpytest(*options("whole.json"))
    assert whole.ret == 1
    capsys.readouterr()
    assert main(["merge", "0", "1", "2", "-o", "merged.json", "--expect", "3"]) == 1
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.startswith("merged 3 reports, 18 cases, 1 corpora: exit status 1: 1 of 17 cases not as expected")
    merged, expected = told("merged.json"), told("whole.json")
    assert [case["nodeid"] for case in merged["cases"]] == [case["nodeid"] for case in expected["cases"]]
    alone = "ended with exit status 1; on its part alone it fails recall[cases]>=50%"
    assert merged.pop("notes") == [f"0/report.json: {alone}", f"1/report.json: {alone}", f"2/report.json: {alone}"]
    assert expected.pop("notes") == []
    assert merged["shadow"]["pairs"] > 10
    assert merged["armed"]
    assert len(merged["gates"]) == 2
    assert merged == expected


def test_a_matrix_of_platforms(suite: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """The same suite on two platforms is there once; where one differs, it is refused, and kept apart on request."""
    asked = "more.guardrails.yaml"
    suite.runpytest(asked, "--guardrails-report=json:linux.json")
    suite.runpytest(asked, "--guardrails-report=json:mac.json")
    assert main(["merge", "linux.json", "mac.json", "-o", "same.json"]) == 1
    assert len(told("same.json")["cases"]) == 4
    text = Path("mac.json").read_text().replace('"outcome": "false_positive"', '"outcome": "true_positive"')
    Path("mac.json").write_text(text)
    capsys.readouterr()
    assert main(["merge", "linux.json", "mac.json", "-o", "other.json"]) == 2
    assert "wrong: linux.json and mac.json say different things of it (outcome)" in capsys.readouterr().err
    assert not Path("other.json").exists()
    assert main(["merge", "linux.json", "mac.json", "--matrix", "-o", "other.json"]) == 1
    assert len(told("other.json")["cases"]) == 8


def test_a_merged_report_is_a_report(suite: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """Without -o it is printed; it is drawn again, merged again and compared as any other."""
    suite.runpytest("cases.guardrails.yaml", "--guardrails-report=json:a.json")
    suite.runpytest("test_marked.py", "--guardrails-report=json:b.json")
    capsys.readouterr()
    assert main(["merge", "a.json", "b.json"]) == 0
    Path("m.json").write_text(capsys.readouterr().out)
    assert main(["report", "m.json", "--to", "md"]) == 0
    assert "all as expected (14 cases)" in capsys.readouterr().out
    assert main(["merge", "m.json", "a.json", "-o", "a.json"]) == 0
    assert len(told("a.json")["cases"]) == 14
    assert main(["compare", "m.json", "a.json"]) == 0


def test_a_gate_of_the_whole_decides(suite: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """``--fail-on`` judges what no shard could, and the status follows."""
    for number, shard in enumerate(SHARDS):
        suite.runpytest(*shard, f"--guardrails-report=json:{number}.json")
    shards = ["0.json", "1.json", "-o", "m.json"]
    assert main(["merge", *shards, "--fail-on", "recall>=60%"]) == 0
    assert main(["merge", *shards, "--fail-on", "recall>=99%"]) == 1
    assert [gate["passed"] for gate in told("m.json")["gates"]] == [True, False]
    assert "GATES FAILED" in capsys.readouterr().err.upper()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["good.json", "gone/*.json"], "gone/*.json: cannot read it: No such file"),
        (["good.json", "torn.json"], "torn.json: it is no whole JSON"),
        (["good.json", "old.json"], "old.json: its schema is 'pytest-guardrails/report/0'"),
        (["good.json", "good.json"], "good.json is given twice"),
        (["good.json", "--expect", "2"], "2 reports are expected, and 1 are given: good.json"),
        (["good.json", "--fail-on", "fpr<=1ms"], "gate: a rate is a share"),
        (["good.json", "copy.json", "--matrix", "-o", "torn.json/m.json"], "torn.json/m.json: cannot write it"),
    ],
)
def test_what_cannot_be_merged_is_status_two(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """A file that is missing, torn, of another version or there twice, or a gate that is none: nothing is written."""
    pytester.runpytest("--guardrails-report=json:good.json")
    Path("copy.json").write_text(Path("good.json").read_text())
    Path("torn.json").write_text('{"schema"')
    Path("old.json").write_text('{"schema": "pytest-guardrails/report/0"}')
    there = sorted(pytester.path.rglob("*"))
    capsys.readouterr()
    assert main(["merge", *(arguments if "-o" in arguments else [*arguments, "-o", "m.json"])]) == 2
    caught = capsys.readouterr()
    assert said in caught.err
    assert caught.out == ""
    assert sorted(pytester.path.rglob("*")) == there


def test_wrong_usage_is_status_two() -> None:
    """No report at all is refused by the parser."""
    with pytest.raises(SystemExit) as caught:
        main(["merge"])
    assert caught.value.code == 2
