"""``--guardrails-report``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PASSING = "  - {id: clean, input: hello, expect: {verdict: allow, action: none}}\n"
FAILING = "  - {id: wrong, input: my mail is alice@example.com, expect: block}\n"


def report(path: Path) -> dict[str, Any]:
    """Read a report."""
    return json.loads(path.read_text(encoding="utf-8"))


def without_times(data: Any) -> Any:
    """Leave out what no two runs share."""
    if isinstance(data, dict):
        return {k: without_times(v) for k, v in data.items() if k != "started" and not k.endswith("_s")}
    return [without_times(item) for item in data] if isinstance(data, list) else data


def test_alone_it_writes_three_files_in_its_folder(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The bare option writes report.json, index.html and summary.md, and the terminal says where."""
    guard(PASSING)
    result = pytester.runpytest("--guardrails-report")
    folder = pytester.path / "guardrails-report"
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "report.json", "summary.md"]
    result.stdout.fnmatch_lines(["report*guardrails-report/index.html", "report*report.json", "report*summary.md"])


@pytest.mark.parametrize("arguments", [("--guardrails-report", "sub"), ("sub", "--guardrails-report")])
def test_it_never_swallows_a_path(
    pytester: pytest.Pytester, guard: Callable[..., None], arguments: tuple[str, ...]
) -> None:
    """A path after the bare option is a path: only its tests run, and the whole report is written."""
    guard(PASSING)
    pytester.mkdir("sub").joinpath("test_one.py").write_text("def test_one(): pass\n")
    result = pytester.runpytest(*arguments)
    result.assert_outcomes(passed=1)
    assert (pytester.path / "guardrails-report" / "report.json").exists()


def test_a_conftest_in_the_path_after_it_is_an_initial_conftest(pytester: pytest.Pytester) -> None:
    """The path after the bare option still brings the options of its conftest."""
    sub = pytester.mkdir("sub")
    sub.joinpath("conftest.py").write_text("def pytest_addoption(parser): parser.addoption('--mine')\n")
    sub.joinpath("test_one.py").write_text("def test_one(pytestconfig): assert pytestconfig.getoption('mine') == '1'\n")
    pytester.runpytest("--guardrails-report", "sub", "--mine=1").assert_outcomes(passed=1)


def test_the_bare_option_in_addopts_leaves_the_command_line_alone(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """Also from the ini file the bare option takes nothing after it."""
    guard(PASSING)
    pytester.makeini("[pytest]\naddopts = --guardrails-report")
    pytester.runpytest("cases.guardrails.yaml").assert_outcomes(passed=1)
    assert (pytester.path / "guardrails-report").is_dir()


@pytest.mark.parametrize(
    ("value", "file"),
    [
        ("json", "guardrails-report/report.json"),
        ("html", "guardrails-report/index.html"),
        ("md", "guardrails-report/summary.md"),
        ("json:out.json", "out.json"),
        ("md:a/b/c.md", "a/b/c.md"),
        ("html:folder/", "folder/index.html"),
    ],
)
def test_a_type_and_a_destination(pytester: pytest.Pytester, guard: Callable[..., None], value: str, file: str) -> None:
    """TYPE[:DEST] writes that report alone, to its destination."""
    guard(PASSING)
    before = {path for path in pytester.path.rglob("*") if path.is_file()}
    pytester.runpytest(f"--guardrails-report={value}", "-p", "no:cacheprovider").assert_outcomes(passed=1)
    written = {path for path in pytester.path.rglob("*") if path.is_file()} - before
    assert {str(path.relative_to(pytester.path)) for path in written} == {file}


def test_it_is_repeatable(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Each occurrence adds a report."""
    guard(PASSING)
    pytester.runpytest("--guardrails-report=json:a.json", "--guardrails-report=md:b.md").assert_outcomes(passed=1)
    assert (pytester.path / "a.json").exists()
    assert (pytester.path / "b.md").exists()


def test_an_unknown_type_is_a_usage_error(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A typo ends the run with status 4 before any test, and names the nearest type."""
    guard(PASSING)
    result = pytester.runpytest("--guardrails-report=htlm")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown report type 'htlm'; did you mean 'html'?*"])


def test_the_content_says_what_happened(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The report holds the guard and its version, the counts, and a record per case in the order of node ids."""
    guard(FAILING + PASSING)
    pytester.runpytest("--guardrails-report=json:r.json").assert_outcomes(passed=1, failed=1)
    data = report(pytester.path / "r.json")
    assert data["schema"] == "pytest-guardrails/report/1"
    assert data["guards"][0]["version"]["declared"] == "1.2"
    assert data["metrics"]["cases"] == {"as expected": 1, "not as expected": 1, "error": 0, "not run": 0}
    assert [case["case"] for case in data["cases"]] == ["clean", "wrong"]
    assert data["cases"][1]["reasons"] == ["verdict: expected block, got allow"]
    assert (data["cases"][1]["file"], data["cases"][1]["line"]) == ("cases.guardrails.yaml", 3)
    assert data["run"]["complete"] is True
    assert data["run"]["exit_status"] == 1


def test_case_texts_are_masked(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """No text of a case is in any report or in JUnit's, in the request, the model's input or the answer."""
    guard(
        "  - {id: a, input: mail alice@example.com, response: wonderland answer, "
        "expect: {verdict: block, upstream: looking glass, absent_upstream: [tweedledee]}}\n"
    )
    result = pytester.runpytest("--guardrails-report", "--junitxml=junit.xml")
    artifacts = [*(pytester.path / "guardrails-report").iterdir(), pytester.path / "junit.xml"]
    said = "\n".join([*(path.read_text(encoding="utf-8") for path in artifacts), result.stdout.str()])
    for secret in ("alice", "example.com", "wonderland", "looking", "tweedle"):
        assert secret not in said


def test_an_interrupted_run_writes_a_report_marked_incomplete(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """Ctrl-C keeps what ran so far, and the report says that it is not all."""
    guard(PASSING, name="a")
    pytester.makepyfile(test_stop="def test_stop(): raise KeyboardInterrupt\n")
    pytester.runpytest_subprocess("--guardrails-report", "a.guardrails.yaml", "test_stop.py")
    data = report(pytester.path / "guardrails-report" / "report.json")
    assert data["run"]["complete"] is False
    assert [case["case"] for case in data["cases"]] == ["clean"]


def test_a_run_ended_by_x_is_marked_incomplete(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """After -x the report holds the cases that ran, and says that it is not all."""
    guard(FAILING + PASSING)
    result = pytester.runpytest("-x", "--guardrails-report")
    data = report(pytester.path / "guardrails-report" / "report.json")
    assert (data["run"]["complete"], len(data["cases"])) == (False, 1)
    result.stdout.fnmatch_lines(["INCOMPLETE*"])


def test_reports_are_equal_under_xdist(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """But for times, two workers write the report of one process, masks included."""
    many = "".join(f"  - {{id: c{i}, input: text {i} bob{i}@example.org, expect: allow}}\n" for i in range(20))
    guard(FAILING + PASSING + many)
    pytester.makepyfile(
        """
        import pytest
        from pytest_guardrails import expect_verdict

        @pytest.fixture(scope="session")
        def guardrails_config():
            return "guard.yaml"

        @expect_verdict("block", by="words")
        @pytest.mark.parametrize("n", range(5))
        def test_words(guardrail_engine, n):
            guardrail_engine.run(f"{n} is forbidden")
        """
    )
    pytester.runpytest("--guardrails-report=json:one.json")
    pytester.runpytest("--guardrails-report=json:two.json", "-n", "2")
    one, two = (report(pytester.path / name) for name in ("one.json", "two.json"))
    assert len(one["cases"]) == 27
    assert without_times(one) == without_times(two)


def test_a_dead_worker_loses_nothing_that_was_reported(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Records ride on test reports, so a worker that dies later takes none of them along."""
    guard(PASSING, name="a")
    pytester.makepyfile(test_z="import os, time\ndef test_z():\n    time.sleep(1)\n    os._exit(3)\n")
    pytester.runpytest("-n", "1", "--guardrails-report=json:r.json", "--max-worker-restart=0")
    data = report(pytester.path / "r.json")
    assert [case["case"] for case in data["cases"]] == ["clean"]
    assert (data["run"]["complete"], data["run"]["lost"]) == (False, ["test_z.py::test_z: its worker died"])


def test_an_old_report_is_replaced_whole(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Reports are written aside and renamed: nothing of an older one and no scrap is left."""
    guard(PASSING)
    folder = pytester.mkdir("guardrails-report")
    (folder / "report.json").write_text("x" * 100_000)
    pytester.runpytest("--guardrails-report=json")
    assert [path.name for path in folder.iterdir()] == ["report.json"]
    assert report(folder / "report.json")["run"]["complete"] is True


def test_without_guardrail_tests_the_report_says_so(pytester: pytest.Pytester) -> None:
    """A suite without a case still gets the report that was asked for, with nothing claimed."""
    pytester.makepyfile("def test_one(): pass\n")
    pytester.runpytest("--guardrails-report=json:r.json").assert_outcomes(passed=1)
    data = report(pytester.path / "r.json")
    assert data["cases"] == []
    assert data["metrics"]["fpr"]["value"] is None


def test_no_path_of_the_machine_is_in_a_report(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A report names files from the root of the suite."""
    guard(PASSING)
    pytester.runpytest("--guardrails-report", f"--guardrails-config={pytester.path / 'guard.yaml'}")
    for path in (pytester.path / "guardrails-report").iterdir():
        assert not re.search(re.escape(str(pytester.path)), path.read_text(encoding="utf-8"))


def test_two_reports_for_one_file_are_a_usage_error(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """One would overwrite the other; the same report asked for twice is written once."""
    guard(PASSING)
    result = pytester.runpytest("--guardrails-report=json:same", "--guardrails-report=md:same")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*--guardrails-report: json and md would both write same*")
    assert pytester.runpytest("--guardrails-report", "--guardrails-report").ret == pytest.ExitCode.OK


def test_a_report_for_standard_output_is_a_usage_error(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """No file is called "-"."""
    guard(PASSING)
    result = pytester.runpytest("--guardrails-report=json:-")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*--guardrails-report=json:-: a report is a file, and '-' names none*")


def test_what_could_not_be_collected_is_lost(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """With --continue-on-collection-errors the rest runs; the report names the file, and is not that of a whole run."""
    guard(PASSING)
    pytester.makepyfile(test_broken="import nowhere_at_all")
    result = pytester.runpytest("--continue-on-collection-errors", "--guardrails-report")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["LOST*test_broken.py: could not be collected"])
    head = json.loads((pytester.path / "guardrails-report" / "report.json").read_text())["run"]
    assert (head["complete"], head["lost"]) == (False, ["test_broken.py: could not be collected"])
