"""``pytest-guardrails compare A B``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from pytest_guardrails.cli import main

Guard = Callable[..., None]
ATTACKS = "".join(f"  - {{id: a{n}, severity: high, input: forbidden {n}, expect: block}}\n" for n in range(8))
BASELINE, WEAK = ".guardrails/baseline.jsonl", "weak.jsonl"


@pytest.fixture
def versions(pytester: pytest.Pytester, guard: Guard) -> pytest.Pytester:
    """Baselines and reports of a guard and of a weaker one."""
    guard(ATTACKS)
    text = (pytester.path / "guard.yaml").read_text()
    (pytester.path / "weaker.yaml").write_text(text.replace("[forbidden]", "[nowhere]").replace("1.2", "1.3"))
    pytester.runpytest("--guardrails-update-baseline", "--guardrails-report=json:good/report.json")
    weak = (f"--guardrails-baseline={WEAK}", "--guardrails-config=weaker.yaml", "--guardrails-report=json:weak.json")
    pytester.runpytest("--guardrails-update-baseline", *weak)
    return pytester


@pytest.mark.parametrize(
    ("before", "after"), [(BASELINE, WEAK), ("good", "weak.json"), (BASELINE, "weak.json"), ("good/report.json", WEAK)]
)
def test_a_worse_version_is_status_one(
    versions: pytest.Pytester, capsys: pytest.CaptureFixture[str], before: str, after: str
) -> None:
    """Baselines, reports and the folder of a report are compared in any combination, and the gate is the status."""
    capsys.readouterr()
    assert main(["compare", before, after]) == 1
    said = capsys.readouterr().out
    assert "recall   100 % → 0 % (8 → 0 of 8)" in said
    assert "FAILED     recall-loss: attacks are missed more often" in said
    assert "1.2 (" in said.splitlines()[0]
    assert "1.3 (" in said.splitlines()[1]


def test_a_better_version_is_status_zero(versions: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """The other way round the same change is an improvement; with itself there is none."""
    assert main(["compare", WEAK, BASELINE]) == 0
    capsys.readouterr()
    assert main(["compare", WEAK, WEAK]) == 0
    assert "flips    none" in capsys.readouterr().out


def test_json_and_markdown(versions: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """``--format json`` is the whole comparison, ``--format md`` a section for a pull request."""
    capsys.readouterr()
    assert main(["compare", BASELINE, WEAK, "--format", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["failed"], data["pairs"], len(data["flips"])) == (True, 8, 8)
    assert main(["compare", BASELINE, WEAK, "--format=md"]) == 1
    assert capsys.readouterr().out.startswith("## Versions compared\n")


def test_two_reports_compare_their_times(versions: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports and baselines have times; of a baseline that is older it says that it has none."""
    capsys.readouterr()
    for before in ("good", BASELINE):
        main(["compare", before, "weak.json"])
        said = " ".join(capsys.readouterr().out.split())
        assert re.search(r"latency p50 \S+ \S+ → \S+ \S+ \(x\S+\), p95 \S+ \S+ → \S+ \S+ \(x\S+\); 8 requests", said)
    path = versions.path / BASELINE
    head, _, lines = path.read_text().partition("\n")
    path.write_text(
        json.dumps({key: value for key, value in json.loads(head).items() if key != "latency"}) + "\n" + lines
    )
    main(["compare", BASELINE, "weak.json"])
    assert "8 requests; before: not recorded" in " ".join(capsys.readouterr().out.split())


def test_corpora_that_a_report_only_counts_are_not_passed_over(
    pytester: pytest.Pytester, guard: Guard, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a report has corpora, the comparison says that it speaks of the cases alone."""
    (pytester.path / "benign.jsonl").write_text('{"text": "tea"}\n')
    guard(ATTACKS, head="guardrails: guard.yaml\ncorpora:\n  - {file: benign.jsonl, label: benign}\n")
    pytester.runpytest("--guardrails-report=json:r.json")
    capsys.readouterr()
    assert main(["compare", "r.json", "r.json"]) == 0
    assert "cases alone: a report counts its corpora and does not list them" in " ".join(
        capsys.readouterr().out.split()
    )


@pytest.fixture
def with_corpora(pytester: pytest.Pytester, guard: Guard) -> pytest.Pytester:
    """A baseline and a report of a suite with two case files and a corpus in each."""
    for name in ("a", "b"):
        rows = "".join(f'{{"text": "forbidden {name} {number}"}}\n' for number in range(7))
        (pytester.path / f"{name}.jsonl").write_text(rows)
        corpus = f"guardrails: guard.yaml\ncorpora:\n  - {{file: {name}.jsonl, label: attack}}\n"
        case = f"cases:\n  - {{id: one, input: forbidden {name}, expect: block}}\n"
        (pytester.path / f"{name}.guardrails.yaml").write_text(corpus + case)
    guard(ATTACKS)
    pytester.runpytest("--guardrails-update-baseline", "--guardrails-report=json:r.json")
    return pytester


def test_corpora_that_were_not_compared_are_named(
    with_corpora: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    """A report has no samples of the baseline's corpora: that is said in capitals, in Markdown and in JSON too."""
    capsys.readouterr()
    assert main(["compare", BASELINE, "r.json"]) == 0
    said = "14 samples of 2 corpora: a report has no samples; run pytest --guardrails-baseline"
    assert f"NOT COMPARED {said}" in " ".join(capsys.readouterr().out.split())
    main(["compare", BASELINE, "r.json", "--format=md"])
    assert "- **Not compared**: 14 samples of 2 corpora" in capsys.readouterr().out
    main(["compare", "r.json", "r.json"])
    assert "NOT COMPARED 14 samples of corpora: a report has no samples;" in " ".join(capsys.readouterr().out.split())
    main(["compare", BASELINE, BASELINE])
    assert "NOT COMPARED" not in capsys.readouterr().out


def test_shards_make_up_one_side(with_corpora: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """Baselines of shards are compared as one suite, with samples; what no shard has is said, what two have refused."""
    for name in ("a", "b"):
        new = f"--guardrails-baseline=now-{name}.jsonl"
        with_corpora.runpytest(f"{name}.guardrails.yaml", "--guardrails-update-baseline", new)
    capsys.readouterr()
    assert main(["compare", BASELINE, "now-a.jsonl", "now-b.jsonl"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "after now-a.jsonl, now-b.jsonl: " in said
    assert "compared 16 in both" in said
    assert "NOT COMPARED" not in said
    assert main(["compare", BASELINE, "now-a.jsonl"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "NOT COMPARED 7 samples of 1 corpus: the new version has none of them" in said
    assert main(["compare", BASELINE, "now-a.jsonl", "now-a.jsonl"]) == 2
    assert "is in two of them: that is no one suite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("gone", None, "gone: cannot read it: No such file"),
        ("x", "", "x: it is neither a baseline"),
        ("x", "[]", "x: it is neither a baseline"),
        ("x", '{"schema": "pytest-guardrails/report/9"}', "x: it is neither a baseline"),
        ("x", '{"schema": "pytest-guardrails/baseline/9"}\n', "x:1: unknown schema 'pytest-guardrails/baseline/9'"),
        ("x", '{"schema": "pytest-guardrails/report/1"}', "x: the report is damaged"),
        ("x", '{"schema": "pytest-guardrails/baseline/1"}\n<<<<<<< ours\n', "x:2: a merge left a conflict"),
        ("folder", None, "folder/report.json: cannot read it"),
    ],
)
def test_what_cannot_be_compared_is_status_two(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], name: str, text: str | None, said: str
) -> None:
    """A file that is not there, is something else, or is damaged names itself; nothing is printed as a result."""
    (pytester.path / "folder").mkdir()
    (pytester.path / "good").write_text('{"schema": "pytest-guardrails/baseline/1"}\n')
    if text is not None:
        (pytester.path / name).write_text(text)
    assert main(["compare", "good", name]) == 2
    caught = capsys.readouterr()
    assert caught.err.startswith(said)
    assert caught.out == ""


def test_wrong_usage_is_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    """One file alone, or an unknown format, is refused by the parser."""
    for arguments in (["compare", "a"], ["compare", "a", "b", "--format", "xml"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
