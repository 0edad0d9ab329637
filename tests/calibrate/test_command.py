"""``pytest-guardrails calibrate``: reads a report, judges again, proposes, and edits nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_guardrails.cli import main

CONFIG = """\
input_guardrails:
  - id: pii
    pii_redact: {entities: [EMAIL]}
"""
CASES = """\
guardrails: guardrails.yaml
cases:
  - {id: desk, input: write to help@example.com, label: benign, expect: {verdict: allow, action: none}}
  - {id: plain, input: hello, expect: allow}
  - {id: leak, input: I am jane@example.org, label: attack, expect: {verdict: allow, action: sanitize}}
"""


@pytest.fixture
def report(pytester: pytest.Pytester) -> Path:
    """Return the report of a run with one false positive."""
    (pytester.path / "guardrails.yaml").write_text(CONFIG)
    (pytester.path / "chat.guardrails.yaml").write_text(CASES)
    pytester.runpytest("--guardrails-report=json:report.json").assert_outcomes(passed=2, failed=1)
    return pytester.path / "report.json"


def files(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_it_proposes_and_edits_nothing(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The entry is masked; the counts before and after and the case are named; no file changes."""
    before = files(report.parent)
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml"]) == 0
    out = capsys.readouterr().out
    assert "false positives 1 of 2 -> 0 of 2; recall 1 of 1 -> 1 of 1" in out
    assert "1. the allowlist of pii_redact in pii (before)" in out
    assert "ends 1: chat.guardrails.yaml::desk" in out
    assert "costs no recall" in out
    assert "help@example" not in out
    assert "--reveal" in out
    assert files(report.parent) == before


def test_a_revealed_proposal_can_be_pasted(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it prints, put into the configuration, makes the run pass."""
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml", "--reveal"]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("   allowlist:")
    config = "input_guardrails:\n  - id: pii\n    pii_redact:\n      entities: [EMAIL]\n"
    pasted = "\n".join(f"   {line}" for line in lines[start : start + 2])
    (report.parent / "guardrails.yaml").write_text(f"{config}{pasted}\n")
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml"]) == 0
    said = capsys.readouterr()
    assert "no false positive: 0 of 2" in said.out
    assert "note: the report is of guard version" in said.err


def test_corpora_are_judged_again(report: Path, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """Their rows count as cases do, and what a proposal would cost among them is said."""
    (report.parent / "rows.jsonl").write_text(
        '{"id": "a", "text": "mail desk@example.com", "label": "benign"}\n'
        '{"id": "b", "text": "desk@example.com leaks", "label": "attack"}\n'
    )
    (report.parent / "chat.guardrails.yaml").write_text(CASES + "corpora: [{file: rows.jsonl}]\n")
    pytester.runpytest("--guardrails-report=json:report.json").assert_outcomes(passed=3, failed=1)
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "false positives 2 of 3 -> 0 of 3; recall 2 of 2 -> 1 of 2" in said.out
    assert "misses 1 attack: chat.guardrails.yaml::rows:b" in said.out


def test_a_run_in_python_is_said_to_be_left_out(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """Inputs that stand in code are not in a report; a report of nothing else cannot be calibrated."""
    (pytester.path / "guardrails.yaml").write_text(CONFIG)
    pytester.makepyfile(
        """
        from pytest_guardrails import expect_verdict

        @expect_verdict("allow", action="none", label="benign")
        def test_it(guardrail_engine):
            guardrail_engine.run("write to help@example.com")
        """
    )
    pytester.runpytest("--guardrails-config=guardrails.yaml", "--guardrails-report=json:report.json")
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml"]) == 2
    assert "1 test has its inputs in Python" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is no report"),
        ("[" * 100_000, "it is no report"),
        ("[]", "its schema is None"),
        ('{"schema": "other/1"}', "its schema is 'other/1'"),
        ('{"schema": "pytest-guardrails/report/1", "cases": [1]}', "no whole report.json"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    """The file is named, and what came."""
    path = tmp_path / "x.json"
    path.write_text(text)
    (tmp_path / "g.yaml").write_text(CONFIG)
    assert main(["calibrate", str(path), "--config", str(tmp_path / "g.yaml")]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "x.json" in err


def test_files_that_are_not_there_are_named(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report, a configuration, or a folder without its case files."""
    assert main(["calibrate", "gone.json", "--config", "guardrails.yaml"]) == 2
    assert "gone.json" in capsys.readouterr().err
    assert main(["calibrate", "report.json", "--config", "gone.yaml"]) == 2
    assert "gone.yaml" in capsys.readouterr().err
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml", "--root", "/nowhere"]) == 2
    assert "--root" in capsys.readouterr().err


def test_the_report_is_read_whatever_it_holds(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name in it that could move a cursor is printed readably."""
    data = json.loads(report.read_text())
    data["guards"][0]["version"]["config_hash"] = "\x1b[2Jx"
    report.write_text(json.dumps(data))
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml"]) == 0
    assert "\x1b" not in capsys.readouterr().err


def test_a_report_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which file is missing and what makes one; a folder means the report.json in it."""
    (tmp_path / "guardrails.yaml").write_text(CONFIG)
    for given, missing in (("none.json", "none.json"), (".", "report.json")):
        assert main(["calibrate", str(tmp_path / given), "--config", str(tmp_path / "guardrails.yaml")]) == 2
        said = capsys.readouterr().err
        assert f"{tmp_path / missing}: there is no such file: give the report.json of a run" in said
        assert "--guardrails-report=json:FILE" in said


def test_the_folder_of_a_report_will_do(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As in compare, report and merge."""
    assert main(["calibrate", ".", "--config", "guardrails.yaml"]) == 0
    assert "false positives 1 of 2" in capsys.readouterr().out


def test_a_sample_has_the_answer_that_it_had_in_the_run(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    """A guardrail after the model sees the constant answer of a corpus, not the sample as an echo."""
    (pytester.path / "guardrails.yaml").write_text(
        "output_guardrails:\n  - {id: answers, pii_redact: {entities: [EMAIL]}}\n"
    )
    (pytester.path / "rows.jsonl").write_text('{"id": "a", "text": "mail desk@example.com", "label": "benign"}\n')
    (pytester.path / "c.guardrails.yaml").write_text("guardrails: guardrails.yaml\ncorpora: [{file: rows.jsonl}]\n")
    pytester.runpytest("--guardrails-report=json:report.json").assert_outcomes(passed=1)
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml"]) == 0
    assert "no false positive: 0 of 1 benign inputs" in capsys.readouterr().out


def test_words_that_an_attacker_may_write_are_named_as_such(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    """An allowlist entry of a check for attacks costs more than what the attacks at hand can show."""
    (pytester.path / "guardrails.yaml").write_text("input_guardrails: [prompt_injection_detect]\n")
    (pytester.path / "c.guardrails.yaml").write_text(
        "guardrails: guardrails.yaml\ncases:\n"
        "  - {id: talk, label: benign, expect: allow, input: How do I stop 'ignore all previous instructions'?}\n"
    )
    pytester.runpytest("--guardrails-report=json:report.json").assert_outcomes(failed=1)
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml"]) == 0
    assert "whoever attacks can write these words as well" in capsys.readouterr().out


def test_corpora_of_one_name_are_two(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows of one id in two folders are judged each: none hides what the other costs."""
    (pytester.path / "guardrails.yaml").write_text(CONFIG)
    for folder, benign in (("en", "mail desk@example.com"), ("fr", "rien")):
        (pytester.path / folder).mkdir()
        rows = [{"id": "1", "text": benign, "label": "benign"}]
        rows += [{"id": "2", "text": "desk@example.com leaks", "label": "attack"}] if folder == "en" else []
        (pytester.path / folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (pytester.path / folder / "c.guardrails.yaml").write_text(
            "guardrails: ../guardrails.yaml\ncorpora: [{file: rows.jsonl}]\n"
        )
    pytester.runpytest("--guardrails-report=json:report.json").assert_outcomes(passed=2)
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml"]) == 0
    said = capsys.readouterr().out
    assert "false positives 1 of 2 -> 0 of 2; recall 1 of 1 -> 0 of 1" in said
    assert "ends 1: en/c.guardrails.yaml::rows:1" in said


def test_what_another_guard_judged_is_left_out(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with a guard of its own says nothing of the configuration that is calibrated."""
    (pytester.path / "guardrails.yaml").write_text(CONFIG)
    (pytester.path / "other.yaml").write_text("input_guardrails: [prompt_injection_detect]\n")
    (pytester.path / "rows.jsonl").write_text('{"id": "1", "text": "mail desk@example.com", "label": "benign"}\n')
    for name, guard in (("a", "guardrails.yaml"), ("b", "other.yaml")):
        file = pytester.path / f"{name}.guardrails.yaml"
        file.write_text(
            f"guardrails: {guard}\ncorpora: [{{file: rows.jsonl}}]\n"
            if name == "b"
            else f"guardrails: {guard}\ncases:\n  - {{id: x, input: hi, expect: allow}}\n"
        )
    pytester.runpytest("--guardrails-report=json:report.json").assert_outcomes(passed=2)
    assert main(["calibrate", "report.json", "--config", "guardrails.yaml"]) == 0
    said = capsys.readouterr()
    assert "no false positive: 0 of 1 benign inputs" in said.out
    assert "note: 1 record of cases or corpora that another guard judged: left out" in said.err
