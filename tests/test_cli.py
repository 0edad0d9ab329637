"""The command line."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import pytest_guardrails
from pytest_guardrails import _cases
from pytest_guardrails._document import parse_yaml
from pytest_guardrails._starter import STARTER
from pytest_guardrails.cli import main

PACKS = sorted((Path(pytest_guardrails.__file__).parent / "packs").rglob("*.guardrails.yaml"))


def test_init_writes_a_suite_that_passes(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """In an empty folder, init and then pytest is all it takes: cases, a Python test and a report."""
    assert main(["init", str(pytester.path)]) == 0
    assert "now run: pytest --guardrails-report" in capsys.readouterr().out
    files = {str(p.relative_to(pytester.path)) for p in pytester.path.rglob("*") if p.is_file()}
    assert files == {*STARTER, ".gitignore"}
    result = pytester.runpytest("--guardrails-report")
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines(["cases * 9 as expected, 0 not as expected, 0 errored"])


def test_init_writes_into_a_new_folder(tmp_path: Path) -> None:
    """The folder is made where it is not there."""
    assert main(["init", str(tmp_path / "a" / "b")]) == 0
    assert (tmp_path / "a" / "b" / "tests" / "guardrails.yaml").exists()


def test_init_ignores_what_runs_leave_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A ``.gitignore`` is written where there is none; one that is there stays, and what it may lack is said."""
    assert main(["init", str(tmp_path / "new")]) == 0
    assert "guardrails-report/\n" in (tmp_path / "new" / ".gitignore").read_text()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / ".gitignore").write_text("mine")
    capsys.readouterr()
    assert main(["init", str(tmp_path / "old")]) == 0
    said = capsys.readouterr().out
    assert ".gitignore is yours and stays as it is; what runs leave behind is guardrails-report/" in said
    assert (tmp_path / "old" / ".gitignore").read_text() == "mine"


def test_the_workflow_of_init_leaves_the_summary_to_the_plugin() -> None:
    """The plugin appends it to the job's summary: once is enough."""
    assert "GITHUB_STEP_SUMMARY" not in STARTER[".github/workflows/guardrails.yml"]


@pytest.mark.parametrize("name", sorted(STARTER))
def test_init_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Where one of its files is there already, init names it and writes nothing at all."""
    mine = tmp_path / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    assert name in capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


def test_init_on_a_file_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that is a file is refused."""
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file")]) == 1
    assert "is not a folder" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["inti"], ["init", "--forc"], ["schema", "x"]])
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command or option is refused with the usage."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: pytest-guardrails" in capsys.readouterr().err


@pytest.fixture
def schema(capsys: pytest.CaptureFixture[str]) -> jsonschema.Draft202012Validator:
    """What ``pytest-guardrails schema`` prints, as a validator."""
    assert main(["schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(printed)
    return jsonschema.Draft202012Validator(printed)


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.name)
def test_the_schema_accepts_the_packs(schema: jsonschema.Draft202012Validator, path: Path) -> None:
    """Every shipped case file is valid under the schema that editors use."""
    data = parse_yaml(path.read_text(encoding="utf-8"), path.name).data()
    assert [error.message for error in schema.iter_errors(data)] == []


def test_the_schema_knows_the_keys_of_the_reader(schema: jsonschema.Draft202012Validator) -> None:
    """Schema and reader accept the same keys in files, cases, defaults and expectations."""
    top = schema.schema["properties"]
    case = top["cases"]["items"]["properties"]
    expect = case["expect"]["anyOf"][0]["anyOf"][1]["properties"]
    assert set(top) == set(_cases.FILE_KEYS)
    assert set(case) == set(_cases.CASE_KEYS)
    assert set(top["defaults"]["properties"]) == set(_cases.DEFAULT_KEYS)
    assert set(expect) == set(_cases.EXPECT_KEYS)


@pytest.mark.parametrize(
    "case",
    [
        {"id": "a", "inptu": "x", "expect": "allow"},
        {"id": "a", "input": "x", "messages": [{"role": "user", "content": "x"}], "expect": "allow"},
        {"id": "a", "input": "x", "expect": {"verdict": "allow", "acton": "none"}},
        {"id": "a", "input": "x", "severity": "urgent", "expect": "allow"},
    ],
)
def test_the_schema_refuses_mistakes(schema: jsonschema.Draft202012Validator, case: dict[str, object]) -> None:
    """A typo that the reader refuses is refused by the editor too."""
    assert not schema.is_valid({"cases": [case]})
