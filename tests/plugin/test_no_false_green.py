"""Ways in which a suite could stay green although the guard is off, broken, or another one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

HEAD = """
import pytest
from pytest_guardrails import Engine, expect_verdict

@pytest.fixture(scope="session")
def guardrails_config():
    return "%s"
"""
OFF = "input_guardrails:\n  - {id: off, default.contains: {words: [zzzz], operator: none}, deny: true}\n"


def test_an_engine_asked_for_at_run_time_is_the_one_of_its_module(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """``getfixturevalue`` and fixtures that run the engine get their own module's guard, not the first module's."""
    guard()
    (pytester.path / "off.yaml").write_text(OFF)
    (pytester.path / "test_a.py").write_text(
        HEAD % "guard.yaml" + "\ndef test_first(guardrail_engine):\n    guardrail_engine.run('x')\n"
    )
    (pytester.path / "test_b.py").write_text(
        HEAD % "off.yaml"
        + """
@expect_verdict("block")
def test_dynamic(request):
    request.getfixturevalue("guardrail_engine").run("forbidden")

@pytest.fixture
def trace(guardrail_engine):
    return guardrail_engine.run("forbidden")

def test_setup(trace):
    assert trace.decided_by is None
"""
    )
    result = pytester.runpytest("--guardrails-report=json:r.json")
    result.assert_outcomes(passed=2, failed=1)
    (case,) = json.loads((pytester.path / "r.json").read_text())["cases"]
    assert "off.yaml@" in case["guard"]


def test_an_engine_without_guardrails_is_refused(pytester: pytest.Pytester) -> None:
    """A fixture that returns an empty engine is an error, not a pass."""
    pytester.makepyfile(
        HEAD.replace('"%s"', "Engine()")
        + '\n@expect_verdict("allow")\ndef test_it(guardrail_engine):\n    guardrail_engine.run("x")\n'
    )
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the engine under test has no guardrail*"])


def test_a_mismatch_cannot_be_turned_into_a_skip(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A test that catches the mismatch and skips fails all the same."""
    guard()
    pytester.makepyfile(
        HEAD % "guard.yaml"
        + """
@expect_verdict("block")
def test_it(guardrail_engine):
    try:
        guardrail_engine.run("fine")
    except AssertionError:
        pytest.skip("not today")
"""
    )
    pytester.runpytest().assert_outcomes(failed=1)


@pytest.mark.parametrize("demand", ["errors: []", "errors: ''", "warns: []", "findings: []", "absent_upstream: []"])
def test_a_demand_for_nothing_is_refused(pytester: pytest.Pytester, guard: Callable[..., None], demand: str) -> None:
    """An empty list or text would switch a judgement off, so it is an error with its place."""
    guard(f"  - {{id: a, input: x, expect: {{verdict: allow, {demand}}}}}\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["cases.guardrails.yaml:3:*demands nothing*"])


def test_marks_added_at_collection_hold_for_cases(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Marks such as xfail and skipif that a conftest adds to cases work, whichever plugins are installed."""
    guard("".join(f"  - {{id: {name}, input: x, expect: block}}\n" for name in ("a", "b", "c")))
    pytester.makeconftest(
        """
import pytest

def pytest_collection_modifyitems(items):
    items[0].add_marker(pytest.mark.xfail(reason="known"))
    items[1].add_marker(pytest.mark.skipif(True, reason="not here"))
"""
    )
    pytester.runpytest("-p", "no:timeout", "-p", "no:html").assert_outcomes(xfailed=1, skipped=1, failed=1)


def test_xfail_is_counted_by_what_happened(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """An xfail that passes is no known failure; a strict one is not as expected."""
    guard("  - {id: loose, input: x, xfail: gone, expect: allow}\n")
    pytester.makepyfile(
        HEAD % "guard.yaml"
        + """
@pytest.mark.xfail(strict=True)
@expect_verdict("allow")
def test_strict(guardrail_engine):
    guardrail_engine.run("x")
"""
    )
    result = pytester.runpytest()
    result.assert_outcomes(xpassed=1, failed=1)
    result.stdout.fnmatch_lines(["cases * 1 as expected, 1 not as expected, 0 errored"])


def test_a_crashed_worker_makes_the_run_incomplete(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A test that took its worker down is in no record, and the report says that it is not all."""
    guard("  - {id: a, input: x, expect: allow}\n")
    pytester.makepyfile("import os, time\ndef test_z():\n    time.sleep(1)\n    os._exit(3)\n")
    pytester.runpytest("-n", "1", "--guardrails-report=json:r.json")
    assert json.loads((pytester.path / "r.json").read_text())["run"]["complete"] is False


def test_collect_only_leaves_an_old_report_alone(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """--co runs nothing, and so reports nothing."""
    guard("  - {id: a, input: x, expect: allow}\n")
    pytester.runpytest("--guardrails-report=json:r.json")
    before = (pytester.path / "r.json").read_text()
    pytester.runpytest("--co", "--guardrails-report=json:r.json")
    assert (pytester.path / "r.json").read_text() == before


def test_a_report_that_cannot_be_written_is_said_and_fails(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """A destination that is impossible ends with status 4 and one line, and the summary is still printed."""
    guard("  - {id: a, input: x, expect: allow}\n")
    (pytester.path / "file").write_text("")
    result = pytester.runpytest("--guardrails-report=json:file/r.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["cases * 1 as expected*", "NO REPORT *file/r.json: *"])


@pytest.mark.parametrize("value", ["alice@example.com", "4111_1111"])
def test_values_of_a_matrix_are_in_no_id_and_no_note(
    pytester: pytest.Pytester, guard: Callable[..., None], value: str
) -> None:
    """An id shows plain words alone, and a note is published as it was written."""
    guard(f'  - {{id: m, matrix: {{v: ["{value}", word]}}, note: "is ${{v}}", input: "${{v}}", expect: allow}}\n')
    result = pytester.runpytest("-v", "--guardrails-report")
    said = result.stdout.str() + "".join(
        path.read_text(encoding="utf-8") for path in (pytester.path / "guardrails-report").iterdir()
    )
    assert value not in said
    assert "m[word]" in said


@pytest.mark.parametrize(
    "case", ["skip: no", "skip: ''", "xfail: off", "xfail: False", "tags: [skip]", "tags: [xfail]"]
)
def test_a_case_is_not_switched_off_by_accident(
    pytester: pytest.Pytester, guard: Callable[..., None], case: str
) -> None:
    """What YAML 1.1 took for false is no reason to skip, and a tag is no mark of pytest's."""
    guard(f"  - {{id: a, {case}, input: x, expect: block}}\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["cases.guardrails.yaml:3:*"])


def test_warns_no_is_refused(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """``warns: no`` is not the text "no", which many a warning holds."""
    guard("  - {id: a, input: x, expect: {verdict: allow, warns: no}}\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*warns: no could mean two things; write true, false, or a quoted text*"])


def test_an_empty_configuration_option_is_refused(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """``--guardrails-config=$UNSET`` does not silently test another guard."""
    guard("  - {id: a, input: x, expect: allow}\n")
    result = pytester.runpytest("--guardrails-config=")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--guardrails-config is empty*"])


def test_one_id_in_both_phases_decides_once(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The guardrail that acted is the one that decided, not its namesake of the other phase."""
    head = "guardrails: {guardrails: {p: pii_redact}, input_guardrails: [p], output_guardrails: [p]}\n"
    guard("  - {id: a, input: a@example.com, response: fine, expect: {verdict: allow, by: p}}\n", head=head)
    pytester.runpytest("--guardrails-report=json:r.json").assert_outcomes(passed=1)
    tallies = json.loads((pytester.path / "r.json").read_text())["metrics"]["guardrails"]
    assert [(tally["phase"], tally["decided"]) for tally in tallies] == [("before_request", 1), ("after_request", 0)]
