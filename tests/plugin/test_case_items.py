"""``*.guardrails.yaml`` files as pytest items."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

THREE = """\
  - {id: clean, severity: low, tags: [chat], input: hello, expect: allow}
  - {id: mail, severity: high, tags: [pii], input: a@example.com, expect: {verdict: allow, action: sanitize}}
  - {id: wrong, severity: critical, tags: [pii], input: hello, expect: block}
"""


@pytest.mark.parametrize(
    ("arguments", "outcomes"),
    [
        ([], {"passed": 2, "failed": 1}),
        (["-k", "mail"], {"passed": 1, "deselected": 2}),
        (["-m", "pii"], {"passed": 1, "failed": 1, "deselected": 1}),
        (["-m", "high"], {"passed": 1, "deselected": 2}),
        (["-m", "expect_verdict"], {"passed": 2, "failed": 1}),
        (["-m", "expect_verdict(severity='low')"], {"passed": 1, "deselected": 2}),
        (["cases.guardrails.yaml::mail"], {"passed": 1}),
        (["--strict-markers", "-m", "critical"], {"failed": 1, "deselected": 2}),
        (["-n", "2"], {"passed": 2, "failed": 1}),
    ],
    ids=" ".join,
)
def test_selection(
    pytester: pytest.Pytester, guard: Callable[..., None], arguments: list[str], outcomes: dict[str, int]
) -> None:
    """-k, -m by tag, severity and marker, node ids and -n select cases as they select tests."""
    guard(THREE)
    pytester.runpytest(*arguments).assert_outcomes(**outcomes)


def test_collect_only_lists_node_ids(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """--co lists the cases and runs none."""
    guard(THREE)
    pytester.runpytest("--co", "-q").stdout.fnmatch_lines(["cases.guardrails.yaml::clean", "*::mail", "*::wrong"])


def test_lf_runs_what_failed_last(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """--lf selects the failed case, and clears it once it passes."""
    guard(THREE)
    pytester.runpytest()
    pytester.runpytest("--lf").assert_outcomes(failed=1)
    guard(THREE.replace("expect: block", "expect: allow"))
    pytester.runpytest("--lf").assert_outcomes(passed=1)
    pytester.runpytest("--lf").assert_outcomes(passed=3)


def test_x_stops_after_the_first_failure(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """-x stops inside a case file."""
    wrong, clean = THREE.splitlines()[2], THREE.splitlines()[0]
    guard(f"{wrong}\n{clean}\n")
    pytester.runpytest("-x").assert_outcomes(failed=1)


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["one process", "xdist"])
def test_junit_has_one_testcase_per_case_with_properties(
    pytester: pytest.Pytester, guard: Callable[..., None], workers: list[str]
) -> None:
    """JUnit XML counts cases, carries the failure, and the verdict once as a property."""
    guard(THREE)
    pytester.runpytest("--junitxml=j.xml", "-p", "no:timeout", "-p", "no:html", *workers)
    root = ET.parse(pytester.path / "j.xml").getroot()  # noqa: S314 - our own file
    cases = list(root.iter("testcase"))
    assert [case.get("name") for case in cases] == ["clean", "mail", "wrong"]
    assert [len(case.findall("failure")) for case in cases] == [0, 0, 1]
    verdicts = [p.get("value") for p in root.iter("property") if p.get("name") == "guardrail.verdict"]
    assert verdicts == ["allow", "allow", "allow"]


def test_failures_point_at_the_line_of_the_case(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The place of a failure is file:line of its case, and no line of ours is shown."""
    guard(THREE)
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["*guardrails: wrong*", "*cases.guardrails.yaml:5  case 'wrong', severity critical*",
                                 "cases.guardrails.yaml:5: VerdictMismatch"])  # fmt: skip
    result.stdout.no_fnmatch_line("*_collect.py*")


def test_the_short_summary_is_one_line_in_ci_too(
    pytester: pytest.Pytester, guard: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pytest prints whole messages (CI), a failed case still takes one line of the summary, under -n as well."""
    guard(THREE)
    monkeypatch.setenv("CI", "true")
    for arguments in ([], ["-n", "1"]):
        lines = pytester.runpytest(*arguments).stdout.lines
        summary = lines[next(i for i, line in enumerate(lines) if "short test summary" in line) + 1 :]
        assert summary[0] == "FAILED cases.guardrails.yaml::wrong - expected block, got allow"
        assert "1 failed, 2 passed" in summary[1]


def test_skip_and_xfail(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Skip and xfail do what pytest's marks do, with their reasons; an xfail that passes is an XPASS."""
    guard(
        "  - {id: a, input: x, skip: too slow, expect: allow}\n"
        "  - {id: b, input: x, xfail: known gap, expect: block}\n"
        "  - {id: c, input: x, xfail: true, expect: allow}\n"
    )
    result = pytester.runpytest("-rsxX")
    result.assert_outcomes(skipped=1, xfailed=1, xpassed=1)
    result.stdout.fnmatch_lines(["SKIPPED*too slow", "XFAIL*::b*known gap*", "XPASS*::c*xfail without a reason*"])
    pytester.runpytest("-o", "xfail_strict=true").assert_outcomes(skipped=1, xfailed=1, failed=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "  - {id: a, inptu: x, expect: allow}\n",
            "cases.guardrails.yaml:3:*unknown key*'inptu'; did you mean 'input'?*",
        ),
        ("  - {id: a, input: x, input: y, expect: allow}\n", "cases.guardrails.yaml:3:*key 'input' is there twice*"),
        ("  - {id: a, input: x, expect: {verdict: blok}}\n", "cases.guardrails.yaml:3:*did you mean 'block'?*"),
        (
            "  - {id: a, input: x, expect: {verdict: block, by: wrods}}\n",
            "*:3:*guardrail id 'wrods'; did you mean 'words'?*",
        ),
        (
            "  - {id: a, input: x, expect: allow}\n  - {id: a, input: y, expect: allow}\n",
            "*:4:*case 'a' is there twice*",
        ),
        ("  - [\n", "cases.guardrails.yaml:*not YAML*"),
    ],
)
def test_mistakes_are_collection_errors_with_their_place(
    pytester: pytest.Pytester, guard: Callable[..., None], text: str, said: str
) -> None:
    """A mistake in a case file is an error of that file, with line, column and the nearest choice, and no stack."""
    guard(text)
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])
    result.stdout.no_fnmatch_line("*_cases.py*")


def test_a_broken_configuration_names_its_own_file(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The error of a configuration names the configuration, not the case file."""
    guard(THREE)
    (pytester.path / "guard.yaml").write_text("input_guardrails: [pii_redcat]\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["guard.yaml:1:*'pii_redcat'; did you mean 'pii_redact'?*"])


def test_a_missing_configuration_names_the_line_that_asks_for_it(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """A path that is not there is an error where it is written."""
    guard(THREE, head="guardrails: nowhere.yaml\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["cases.guardrails.yaml:1:13: guardrails: there is no file 'nowhere.yaml'*"])


def test_an_inline_configuration(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A case file may hold its configuration."""
    guard("  - {id: a, input: a@example.com, expect: {verdict: allow, by: pii_redact}}\n",
          head="guardrails: {input_guardrails: [pii_redact]}\n")  # fmt: skip
    pytester.runpytest().assert_outcomes(passed=1)


def test_matrix_cases_are_items_of_their_own(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Each combination of a matrix has a node id."""
    guard("  - {id: m, matrix: {a: [x, y], b: ['1', '2']}, input: '${a} ${b}', expect: allow}\n")
    result = pytester.runpytest("-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*::m[[]x-1] PASSED*", "*::m[[]y-2] PASSED*"])


def test_values_reach_the_guard_as_written(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """What YAML 1.1 would turn into something else reaches the model as it was written."""
    written = ["no", "12:30", "010", "4111_1111", "2026-11-21", "1e3", "~", "true"]
    guard("".join(f"  - {{id: c{i}, input: {w}, expect: {{verdict: allow, upstream: {w}, response: {w}}}}}\n"
                  for i, w in enumerate(written)))  # fmt: skip
    pytester.runpytest().assert_outcomes(passed=len(written))


def test_cases_and_tests_mix_in_any_order(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Fixtures of modules around a case file are set up and torn down as they should be."""
    for folder in ("a", "b"):
        pytester.mkdir(folder)
        (pytester.path / folder / f"test_{folder}.py").write_text(
            "import pytest\n@pytest.fixture(scope='module', autouse=True)\ndef around():\n    yield\n"
            "def test_one(): pass\ndef test_two(): pass\n"
        )
        guard(THREE.replace("expect: block", "expect: allow"), name=f"{folder}/c", head="guardrails: ../guard.yaml\n")
    guard(THREE.replace("expect: block", "expect: allow"), name="z")
    pytester.runpytest("a", "z.guardrails.yaml", "b").assert_outcomes(passed=13)
    pytester.runpytest("b/c.guardrails.yaml", "a/test_a.py", "a/c.guardrails.yaml").assert_outcomes(passed=8)
