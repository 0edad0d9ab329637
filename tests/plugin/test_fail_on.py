"""``--guardrails-fail-on``: a run fails unless its figures are as demanded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

CASES = """\
  - {id: mail, input: write to jane@example.org, tags: [pii], expect: {verdict: allow, action: sanitize}}
  - {id: hello, input: hello there, expect: allow}
  - {id: bad word, input: this is forbidden, expect: block}
"""
BROKEN = """\
guardrails:
  input_guardrails:
    - {id: form, default.jsonSchema: {schema: {$ref: "https://schemas.invalid/x.json"}}, deny: true}
cases:
  - {id: a, input: '{}', label: benign, expect: block}
"""


def gates(pytester: pytest.Pytester, name: str = "r.json") -> list[dict[str, Any]]:
    """Return the gates of a report."""
    data: list[dict[str, Any]] = json.loads((pytester.path / name).read_text())["gates"]
    return data


def test_a_gate_that_holds_leaves_the_run_as_it_is(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """It is said on the terminal and in the report, and the exit status is 0."""
    guard(CASES)
    result = pytester.runpytest("--guardrails-fail-on", "point:recall>=0.9", "--guardrails-report=json:r.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["gate       point:recall>=0.9  holds", "  cases: 2 of 2 (100 %)"])
    assert gates(pytester) == [
        {"expr": "point:recall>=0.9", "passed": True, "said": ["cases: 2 of 2 (100 %)"], "file": None}
    ]


def test_a_gate_that_fails_fails_the_run(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """All tests passed, and the exit status is 1, since one benign case does not show an FPR of 1 %."""
    guard(CASES)
    result = pytester.runpytest("--guardrails-fail-on=fpr<=0.01", "--guardrails-fail-on=error_rate==0",
                                "--guardrails-report=json:r.json", "--guardrails-report=md:r.md",
                                "--guardrails-report=html:r.html")  # fmt: skip
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "FAILED     gate fpr<=0.01",
            "  cases: 0 of 1, so at most 95 % (95 % bound); for ≤ 1 % you need 299 clean*",
            "gate       error_rate==0  holds",
        ]
    )
    assert [gate["passed"] for gate in gates(pytester)] == [False, True]
    head = json.loads((pytester.path / "r.json").read_text())["run"]
    assert (head["exit_status"], head["gates_alone"]) == (1, True)
    assert "1 of 2 gates FAILED" in (pytester.path / "r.md").read_text().splitlines()[0]
    assert "**FAILED**" in (pytester.path / "r.md").read_text()
    assert "1 of 2 gates FAILED" in (pytester.path / "r.html").read_text()


@pytest.mark.parametrize("where", ["option", "ini"])
def test_a_gate_that_cannot_be_meant_is_a_usage_error(pytester: pytest.Pytester, where: str) -> None:
    """Exit status 4 before any test runs, with the place marked."""
    pytester.makepyfile("def test_it(): raise AssertionError('ran')")
    if where == "ini":
        pytester.makeini("[pytest]\nguardrails_fail_on =\n    fpr<=0.01\n    fpr[benign<=0.01\n")
        result = pytester.runpytest()
        name = "guardrails_fail_on"
    else:
        result = pytester.runpytest("--guardrails-fail-on", "fpr[benign<=0.01")
        name = "--guardrails-fail-on"
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: {name}: gate: this [[] is never closed", "  fpr[[]benign<=0.01", "     ^"], consecutive=True
    )


def test_gates_of_the_ini_file_count_too(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Those of the ini file come first; the same gate twice is one."""
    guard(CASES)
    pytester.makeini("[pytest]\nguardrails_fail_on =\n    fpr==0\n    recall==1\n")
    result = pytester.runpytest("--guardrails-fail-on=p95<=60s", "--guardrails-fail-on=p95<=60s",
                                "--guardrails-report=json:r.json")  # fmt: skip
    assert result.ret == 0
    assert [gate["expr"] for gate in gates(pytester)] == ["fpr==0", "recall==1", "p95<=60s"]


def test_gates_of_a_case_file_speak_of_its_cases(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Each file is judged alone, and the gate names its file."""
    guard(CASES, head="guardrails: guard.yaml\ngates: ['recall[tag:pii]==1', fpr==0]\n")
    guard("  - {id: wrong, input: forbidden fruit, label: benign, expect: block}\n", name="other")
    result = pytester.runpytest()
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["gate       recall[[]tag:pii[]]==1 (cases.guardrails.yaml)  holds", "  tag pii: 1 of 1",
         "gate       fpr==0 (cases.guardrails.yaml)  holds", "  cases: 0 of 1"]
    )  # fmt: skip
    assert pytester.runpytest("--guardrails-fail-on=fpr==0").ret == 1


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("gates: [fbr<=1%]\n", "cases.guardrails.yaml:1:9: gate: unknown metric 'fbr'; did you mean 'fpr'?*"),
        ("gates: fpr==0\n", "cases.guardrails.yaml:1:8: gates is a list, not *"),
        ("gates: [{fpr: 0}]\n", "cases.guardrails.yaml:1:9: a gate is a text, not a mapping"),
    ],
)
def test_a_wrong_gate_in_a_case_file_is_a_collection_error(
    pytester: pytest.Pytester, guard: Callable[..., None], head: str, said: str
) -> None:
    """It names file, line and column."""
    guard(CASES, head=head)
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([said])


def test_a_run_without_guardrail_tests_fails_its_gates(pytester: pytest.Pytester) -> None:
    """No data satisfies no demand, although every test passed."""
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest("--guardrails-fail-on=failed_open==0")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED     gate failed_open==0", "  cannot be judged: no data for failed_open*"])


def test_an_incomplete_run_fails_its_gates(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """What -x cut short cannot be judged, whatever was seen until then."""
    guard("  - {id: wrong, input: hello, expect: block}\n" + CASES)
    result = pytester.runpytest("-x", "--guardrails-fail-on=error_rate==0")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED     gate error_rate==0", "  cannot be judged: the run was cut short"])


def test_collecting_judges_nothing(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """--collect-only ends as ever."""
    guard(CASES)
    result = pytester.runpytest("--collect-only", "--guardrails-fail-on=fpr<=0.01")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("gate *")


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_deselection_is_said(pytester: pytest.Pytester, guard: Callable[..., None], workers: tuple[str, ...]) -> None:
    """The gate is judged on what ran, and says how many tests did not."""
    guard(CASES)
    result = pytester.runpytest(*workers, "-k", "mail", "--guardrails-fail-on=recall==1")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  cases: 1 of 1", "  2 tests deselected: judged on those that ran"])


def test_last_failed_is_said(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A run of the last failures alone says that it is one."""
    guard(CASES)
    result = pytester.runpytest("--lf", "--guardrails-fail-on=recall==1")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  cases: 2 of 2", "  --lf: judged on what failed in the last run"])


def test_an_error_fails_a_rate_gate_and_leaves_the_run_untrusted(pytester: pytest.Pytester) -> None:
    """A guard that gave no answer counts against the rate, and exit status 10 stays."""
    (pytester.path / "c.guardrails.yaml").write_text(BROKEN)
    result = pytester.runpytest("--guardrails-fail-on=fpr==0", "--guardrails-fail-on=error_rate==0")
    assert result.ret == 10
    result.stdout.fnmatch_lines(
        ["FAILED     gate fpr==0", "  cases: 0 of 0, and 1 without an answer that counts against it",
         "FAILED     gate error_rate==0", "  cases: 1 of 1"]
    )  # fmt: skip


def test_two_workers_judge_as_one_process(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Gates of the option and of case files are judged once, by the controller, on all that ran."""
    guard(CASES, head="guardrails: guard.yaml\ngates: [recall==1, 'fpr<=0.01']\n")
    alone = pytester.runpytest("--guardrails-fail-on=fpr[words]==0", "--guardrails-report=json:one.json")
    two = pytester.runpytest("-n2", "--guardrails-fail-on=fpr[words]==0", "--guardrails-report=json:two.json")
    assert (alone.ret, two.ret) == (1, 1)
    assert gates(pytester, "one.json") == gates(pytester, "two.json")
    assert [gate["passed"] for gate in gates(pytester, "one.json")] == [True, True, False]


def test_a_gate_is_no_terminal_escape(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """What a gate is called is only shown."""
    guard(CASES, head='guardrails: guard.yaml\ngates: ["recall[\\e\\\\[31m|<b>]==1"]\n')
    result = pytester.runpytest("--guardrails-report=md:r.md")
    assert result.ret == 1
    assert "\x1b[31m|" not in result.stdout.str()
    row = next(
        line for line in (pytester.path / "r.md").read_text().splitlines() if "FAILED" in line and line[0] == "|"
    )
    assert "<b>" not in row
    assert row.replace("\\|", "").count("|") == 4


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_a_corpus_that_was_not_run_is_said(
    pytester: pytest.Pytester, guard: Callable[..., None], workers: tuple[str, ...]
) -> None:
    """A skipped corpus leaves the gate to the cases, and the gate says so."""
    guard(CASES, head="guardrails: guard.yaml\ncorpora: [{file: own.jsonl}]\n")
    (pytester.path / "own.jsonl").write_text('{"text": "hello", "label": "benign"}\n')
    pytester.makeconftest(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        if 'corpus' in item.name: item.add_marker(pytest.mark.skip)\n"
    )
    result = pytester.runpytest(*workers, "--guardrails-fail-on=recall==1")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  cases: 2 of 2", "  1 corpus was not run: own"])


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (("cases.guardrails.yaml::hello",), "1 node id chosen on the command line: judged on what these name"),
        (("-k", "hello"), "3 tests deselected: judged on those that ran"),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_gate_on_a_corpus_that_was_not_chosen_says_so(
    pytester: pytest.Pytester,
    guard: Callable[..., None],
    chosen: tuple[str, ...],
    said: str,
    workers: tuple[str, ...],
) -> None:
    """A part of the suite cannot show what is demanded of its corpus: the gate is red, and says that it was a part."""
    (pytester.path / "benign.jsonl").write_text('{"text": "tea"}\n')
    guard(CASES, head="guardrails: guard.yaml\ncorpora:\n  - {file: benign.jsonl, label: benign}\n")
    result = pytester.runpytest("--guardrails-fail-on=point:fpr[corpus:benign]==0", *chosen, *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED     gate *", "  cannot be judged: *", f"  {said}"])


def test_the_last_line_of_the_section_says_why_a_green_run_fails(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """Where every test has passed, pytest's own last line is green: what fails the run stands right before it."""
    guard(CASES)
    result = pytester.runpytest("--guardrails-fail-on=fpr<=1%", "--guardrails-report")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = [line for line in result.stdout.lines if line]
    assert lines[-2] == "FAILED     exit status 1: gate fpr<=1%"
    assert "passed" in lines[-1]
    assert pytester.runpytest("--guardrails-fail-on=point:fpr<=1%").stdout.str().count("exit status") == 0
