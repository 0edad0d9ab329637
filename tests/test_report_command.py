"""``pytest-guardrails report`` and ``schema report``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from pytest_guardrails.cli import main
from pytest_guardrails.reporters import REPORTERS

Guard = Callable[..., None]
CASES = """\
  - {id: mail, tags: [pii], input: I am alice@example.com, expect: {verdict: allow, action: sanitize}}
  - {id: wrong, severity: critical, input: forbidden, expect: allow}
  - {id: clean, input: hello, expect: {verdict: allow, action: none}}
"""
HEAD = (
    "guardrails: guard.yaml\nshadow: guard.yaml\ngates: [recall>=50%]\ncorpora:\n  - {file: own.jsonl, label: benign}\n"
)


@pytest.fixture
def folder(pytester: pytest.Pytester, guard: Guard) -> Path:
    """A folder with every report that a run with cases, a corpus, gates, a shadow and arming writes."""
    guard(CASES, head=HEAD)
    (pytester.path / "own.jsonl").write_text('{"text": "tea"}\n{"text": "forbidden tea"}\n')
    pytester.makeini("[pytest]\nmarkers = pii")
    pytester.runpytest("--guardrails-update-baseline")
    asked = [f"--guardrails-report={kind}:out/{kind}" for kind in REPORTERS]
    pytester.runpytest(
        *asked,
        "--guardrails-baseline",
        "--guardrails-arming",
        "--guardrails-fail-on=fpr<=1%",
        "--guardrails-min-coverage=90",
    )
    return pytester.path / "out"


def test_each_view_drawn_again_is_the_view_that_the_run_wrote(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Nothing that a reporter needs is missing from report.json: all of them draw the same, byte for byte."""
    report = json.loads((folder / "json").read_text())
    for key in ("comparison", "shadow", "gates", "notes", "arming", "corpora", "cases"):
        assert report[key], key
    for kind in REPORTERS:
        capfdbinary.readouterr()
        assert main(["report", str(folder / "json"), "--to", kind]) == 0
        assert capfdbinary.readouterr().out == (folder / kind).read_bytes(), kind
        assert main(["report", str(folder / "json"), "--to", kind, "-o", f"again/{kind}"]) == 0
        assert Path("again", kind).read_bytes() == (folder / kind).read_bytes()
    assert capfdbinary.readouterr() == (b"", b"")


def test_a_folder_is_its_report_and_an_output_folder_gets_a_name(pytester: pytest.Pytester, guard: Guard) -> None:
    """The folder of a run is named instead of its report.json; in a folder, the file has the name it always has."""
    guard(CASES)
    pytester.runpytest("--guardrails-report")
    assert main(["report", "guardrails-report", "--to", "csv", "-o", "views/"]) == 0
    assert [path.name for path in Path("views").iterdir()] == ["cases.csv"]
    assert main(["report", "guardrails-report", "--to", "gha-benchmark", "-o", "bench"]) == 0
    assert len(list(Path("bench").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["r.json", "--to", "htlm"], "unknown report type 'htlm'; did you mean 'html'?"),
        (["gone.json", "--to", "md"], "gone.json: cannot read it: No such file"),
        (["r.json", "--to", "md"], "r.json: it is no whole JSON"),
        (["old.json", "--to", "md"], "old.json: its schema is 'pytest-guardrails/report/0'"),
        (["evil.json", "--to", "md"], "evil.json: the report is damaged: unknown key '\\x1b[31m"),
        (["good.json", "--to", "gha-benchmark"], "gha-benchmark is two files: -o says in which folder"),
        (["good.json", "--to", "md", "-o", "r.json/x"], "r.json/x: cannot write it: "),
    ],
)
def test_what_cannot_be_drawn_is_status_two(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """An unknown type, a file that is no report, and a place that cannot be written: said, and nothing is written."""
    pytester.runpytest("--guardrails-report=json:good.json")
    Path("r.json").write_text("{")
    Path("old.json").write_text('{"schema": "pytest-guardrails/report/0"}')
    good = json.loads(Path("good.json").read_text())
    Path("evil.json").write_text(json.dumps({**good, "\x1b[31m": 1}))
    there = sorted(path.name for path in pytester.path.iterdir())
    capsys.readouterr()
    assert main(["report", *arguments]) == 2
    caught = capsys.readouterr()
    assert said in caught.err
    assert "\x1b" not in caught.err
    assert caught.out == ""
    assert sorted(path.name for path in pytester.path.iterdir()) == there


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """``schema report`` prints what the report of a real run is valid by; ``schema`` is that of case files."""
    capsys.readouterr()
    assert main(["schema", "report"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["title"] == "pytest-guardrails report"
    jsonschema.Draft202012Validator(schema).validate(json.loads((folder / "json").read_text()))
    for arguments in (["schema"], ["schema", "cases"]):
        assert main(arguments) == 0
        assert json.loads(capsys.readouterr().out)["title"] == "pytest-guardrails case file"
    with pytest.raises(SystemExit) as caught:
        main(["schema", "baseline"])
    assert caught.value.code == 2
