"""Faults of the guard's API: the marker, the fixture and the key of a case; a fault that nothing meets is found."""

from __future__ import annotations

import json

import pytest

from pytest_guardrails._faults import FAULTS

HEAD = """
import pytest
from pytest_guardrails import expect_verdict, inject_fault

@pytest.fixture(scope="session")
def guardrails_config():
    return {"input_guardrails": [{"id": "lasso", "lasso.classify": {%s}, "deny": True}]}
"""
CLOSED = HEAD % ""
OPEN = HEAD % '"failOnError": False'

CASES = """\
guardrails:
  input_guardrails: [{id: lasso, lasso.classify: {}, deny: true}]
cases:
"""


def run(pytester: pytest.Pytester, body: str, *arguments: str) -> pytest.RunResult:
    """Run a module of tests."""
    pytester.makepyfile(test_it=body)
    return pytester.runpytest(*arguments)


def test_the_marker_makes_the_api_fail(pytester: pytest.Pytester) -> None:
    """A guard that fails closed passes the test; the error is expected, so that the run is trusted."""
    body = """
@inject_fault("read_timeout")
@expect_verdict("block", upstream_calls=0, errors="LassoTimeout")
def test_x(guardrail_engine):
    guardrail_engine.run("hello")
"""
    result = run(pytester, CLOSED + body)
    result.assert_outcomes(passed=1)
    assert result.ret == 0


def test_a_guard_that_passes_fails_the_test(pytester: pytest.Pytester) -> None:
    """With failOnError false the request passes, and a test that wants a block says so."""
    body = """
@inject_fault("http_503")
@expect_verdict("block")
def test_x(guardrail_engine):
    guardrail_engine.run("hello")
"""
    result = run(pytester, OPEN + body)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*expected block*got allow*"])


def test_by_default_a_fault_expects_the_error(pytester: pytest.Pytester) -> None:
    """A case with a fault whose guard reports no error is not as expected."""
    body = """
@inject_fault("flaky")
@expect_verdict("allow")
def test_x(guardrail_engine):
    pass
"""
    result = run(pytester, CLOSED + body)
    result.assert_outcomes(failed=1)


def test_the_fixture_goes_through_the_whole_catalogue(pytester: pytest.Pytester) -> None:
    """lasso_fault runs a test once per fault, each of them met; a selection is possible."""
    body = """
@expect_verdict("block", upstream_calls=0)
def test_all(guardrail_engine, lasso_fault):
    guardrail_engine.run("hello")

@pytest.mark.parametrize("lasso_fault", ["http_500", "bad_gzip"], indirect=True)
def test_some(lasso_client, lasso_fault):
    from pytest_guardrails import GuardrailsError
    with pytest.raises(GuardrailsError):
        lasso_client.classify(["hello"])
    assert lasso_fault.name in ("http_500", "bad_gzip")
"""
    run(pytester, CLOSED + body).assert_outcomes(passed=len(FAULTS) + 2)


def test_a_fault_that_nothing_meets_fails_the_test(pytester: pytest.Pytester) -> None:
    """A test whose guard never asks the API has shown nothing about its failure."""
    result = run(pytester, CLOSED + '@inject_fault("http_500")\ndef test_x(): pass\n')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*http_500*never met*"])


def test_on_call_spoils_one_call(pytester: pytest.Pytester) -> None:
    """With on_call the other calls are answered as usual, here by nothing that is recorded."""
    body = """
from pytest_guardrails import GuardrailsError, MissingRecording

@inject_fault("http_500", on_call=1)
def test_x(lasso_client):
    with pytest.raises(GuardrailsError):
        lasso_client.classify(["hello"])
    with pytest.raises(MissingRecording):
        lasso_client.classify(["hello"])
"""
    result = run(pytester, CLOSED + body)
    result.assert_outcomes(passed=1, errors=1)  # the miss fails the test at its teardown all the same


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('"read_timout"', "*did you mean 'read_timeout'*"),
        ("", "*takes one fault*"),
        ('"http_500", "http_503"', "*takes one fault*"),
        ('"http_500", on_call=0', "*from 1*"),
        ('"http_500", call=1', "*unknown argument*on_call*"),
    ],
    ids=["typo", "none", "two", "call 0", "unknown"],
)
def test_a_wrong_marker_is_a_collection_error(pytester: pytest.Pytester, arguments: str, said: str) -> None:
    """It names file and line, what came, and the choices; nothing runs."""
    result = run(pytester, CLOSED + f"@pytest.mark.inject_fault({arguments})\ndef test_x(): pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"test_it.py:*{said}"])


def test_two_faults_are_refused(pytester: pytest.Pytester) -> None:
    """A marker and the fixture together cannot be meant."""
    body = '@inject_fault("http_500")\ndef test_x(lasso_client, lasso_fault): lasso_client.classify(["x"])\n'
    result = run(pytester, CLOSED + body, "-x")
    result.stdout.fnmatch_lines(["*two faults*"])
    assert result.ret == 1


def test_a_case_names_its_fault(pytester: pytest.Pytester) -> None:
    """The key fault takes a name, also from a matrix, or a name with the call that it spoils."""
    (pytester.path / "down.guardrails.yaml").write_text(
        CASES
        + "  - {id: down, matrix: {fault: [refused, http_429, json_null]}, input: hello, fault: '${fault}',\n"
        + "     expect: {verdict: block, upstream_calls: 0}}\n"
        + "  - {id: one, input: hello, fault: {name: http_500, on_call: 1}, expect: {verdict: block, errors: http}}\n"
    )
    result = pytester.runpytest("--guardrails-report=json")
    result.assert_outcomes(passed=3, failed=1)
    records = json.loads((pytester.path / "guardrails-report/report.json").read_text())
    assert "refused" in json.dumps(records)


def test_an_expected_fault_keeps_the_run_trusted_and_an_unexpected_one_does_not(pytester: pytest.Pytester) -> None:
    """A case with a fault that says errors: false is not as expected, and its run has status 10."""
    case = "  - {id: down, input: hello, fault: refused, expect: {verdict: block%s}}\n"
    path = pytester.path / "down.guardrails.yaml"
    path.write_text(CASES + case % "")
    assert pytester.runpytest().ret == 0
    path.write_text(CASES + case % ", errors: false")
    assert pytester.runpytest().ret == 10


def test_an_unknown_fault_in_a_case_names_file_and_line(pytester: pytest.Pytester) -> None:
    """It is a collection error with the nearest choice."""
    (pytester.path / "down.guardrails.yaml").write_text(
        CASES + "  - {id: down, input: hello, fault: refusd, expect: block}\n"
    )
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*down.guardrails.yaml:4*'refusd'*'refused'*"])


def test_a_choice_to_pass_is_said(pytester: pytest.Pytester) -> None:
    """With on_error allow the request passes, and trace, warning and report say FAILED OPEN by choice."""
    body = """
@inject_fault("http_503")
@expect_verdict("allow", warns="FAILED OPEN by choice", upstream_calls=1)
def test_x(guardrail_engine):
    assert guardrail_engine.run("hello").failed_open_by_choice
"""
    result = run(pytester, OPEN + body, "--guardrails-report=json")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*open by choice*"])
