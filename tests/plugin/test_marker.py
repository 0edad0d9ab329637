"""``@expect_verdict`` on tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

HEAD = """
import pytest
from pytest_guardrails import expect_verdict

@pytest.fixture(scope="session")
def guardrails_config():
    return "guard.yaml"
"""


def run(pytester: pytest.Pytester, body: str, *arguments: str) -> pytest.RunResult:
    """Run a module of tests on the small guard."""
    (pytester.path / "test_it.py").write_text(HEAD + body)
    return pytester.runpytest("-p", "no:cacheprovider", *arguments)


def test_the_import_and_the_mark_are_the_same(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Both spellings judge alike."""
    guard()
    run(
        pytester,
        """
@expect_verdict("block", by="words")
def test_one(guardrail_engine): guardrail_engine.run("forbidden")

@pytest.mark.expect_verdict("block", by="words")
def test_two(guardrail_engine): guardrail_engine.run("forbidden")

@pytest.mark.expect_verdict("block")
def test_three(guardrail_engine): guardrail_engine.run("fine")
""",
    ).assert_outcomes(passed=2, failed=1)


def test_on_classes_and_params_the_closest_counts(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A mark on a class holds for its tests; one on a function or a param goes before it."""
    guard()
    run(
        pytester,
        """
@expect_verdict("block")
class TestIt:
    def test_class(self, guardrail_engine): guardrail_engine.run("forbidden")

    @expect_verdict("allow")
    def test_own(self, guardrail_engine): guardrail_engine.run("fine")

    @pytest.mark.parametrize("text", ["forbidden", pytest.param("fine", marks=expect_verdict("allow"), id="fine")])
    def test_param(self, guardrail_engine, text): guardrail_engine.run(text)
""",
    ).assert_outcomes(passed=4)


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ('pytest.mark.expect_verdict("blok")', "*test_it.py:9: @expect_verdict of test_x: *did you mean 'block'?*"),
        ('pytest.mark.expect_verdict("block", acton="deny")', "*unknown argument*'acton'; did you mean 'action'?*"),
        ('pytest.mark.expect_verdict("block", severity="urgent")', "*unknown severity 'urgent'. Choices: critical*"),
        ("pytest.mark.expect_verdict()", "*takes one verdict*it got 0*"),
        ('expect_verdict("blok")', "*did you mean 'block'?*"),
    ],
)
def test_wrong_arguments_fail_at_collection(
    pytester: pytest.Pytester, guard: Callable[..., None], mark: str, said: str
) -> None:
    """A wrong argument is a collection error that names the choices, in either spelling."""
    guard()
    result = run(pytester, f"\n@{mark}\ndef test_x(guardrail_engine): guardrail_engine.run('x')\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])


def test_wrong_arguments_of_a_param_fail_at_collection(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Marks of single parameters are checked too."""
    guard()
    result = run(
        pytester,
        """
@pytest.mark.parametrize("x", ["a", pytest.param("b", marks=pytest.mark.expect_verdict("blok"))])
def test_x(guardrail_engine, x): pass
""",
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*@expect_verdict of test_x[[]b]*'blok'*"])


def test_a_marked_test_that_never_ran_the_guard_fails(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A test that would pass with the guard switched off says so."""
    guard()
    result = run(pytester, '\n@expect_verdict("allow")\ndef test_x(guardrail_engine): pass\n')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["never ran the guard: a test marked expect_verdict has to call guardrail_engine.run*"])


def test_a_swallowed_mismatch_still_fails(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A test that catches the mismatch does not pass by it."""
    guard()
    result = run(
        pytester,
        """
@expect_verdict("block")
def test_x(guardrail_engine):
    try:
        guardrail_engine.run("fine")
    except Exception:
        pass
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["expected block, got allow"])


def test_a_test_without_the_mark_just_gets_traces(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Without the mark nothing is judged, and nothing is in the report."""
    guard()
    result = run(
        pytester,
        """
def test_x(guardrail_engine):
    assert guardrail_engine.run("forbidden").verdict == "block"
    assert guardrail_engine.run("fine").verdict == "allow"
""",
    )
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*guardrails ====*")


def test_a_failing_hypothesis_example_shrinks(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Each run is judged at once, so that Hypothesis finds the shortest text that fails."""
    guard()
    result = run(
        pytester,
        """
from hypothesis import given, settings, strategies as st

@expect_verdict("allow")
@settings(database=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_x(guardrail_engine, n):
    guardrail_engine.run("x" * n if n < 37 else "forbidden")
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*n=37*"])
    result.stdout.fnmatch_lines(["*1 test with generated inputs is in no rate*"])


def test_the_diagnosis_reads_without_our_stack(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A failure says what was expected, what came, who decided on which finding, the steps, and the place."""
    guard()
    result = run(
        pytester,
        """
@expect_verdict("block", by="words", severity="critical")
def test_x(guardrail_engine): guardrail_engine.run("my mail is alice@example.com")
""",
    )
    result.stdout.fnmatch_lines(
        [
            "expected block by 'words', got allow (sanitize) by 'redact'",
            "  test_it.py:9  case 'test_x', severity critical, attack",
            "  - verdict: expected block, got allow",
            "  - by: expected 'words', got 'redact'",
            "  trace:",
            "    before  redact * sanitize  1 EMAIL",
            "    before  words * none",
            "    model   called 1 time",
            "    after   answers * none",
            "    caller  200 allow by 'redact'",
            "    warning redact: sanitized 1 EMAIL in the request",
            "test_it.py:9: VerdictMismatch",
            "FAILED test_it.py::test_x - expected block by 'words', got allow*",
        ],
        consecutive=False,
    )
    result.stdout.no_fnmatch_line("*pytest_guardrails/*")


def test_it_selects_with_m(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """``-m expect_verdict`` selects marked tests, also by their keywords."""
    guard()
    body = """
@expect_verdict("allow", severity="low")
def test_marked(guardrail_engine): guardrail_engine.run("fine")

@expect_verdict("allow", severity="high")
def test_high(guardrail_engine): guardrail_engine.run("fine")

def test_plain(): pass
"""
    run(pytester, body, "-m", "expect_verdict").assert_outcomes(passed=2, deselected=1)
    run(pytester, body, "-m", "expect_verdict(severity='high')").assert_outcomes(passed=1, deselected=2)


def test_xfail_and_skip_are_counted_apart(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A known failure and a skipped test are neither as expected nor not."""
    guard()
    result = run(
        pytester,
        """
@pytest.mark.xfail(reason="known")
@expect_verdict("block")
def test_known(guardrail_engine): guardrail_engine.run("fine")

@expect_verdict("block")
def test_skipped(guardrail_engine): pytest.skip("not today")

@expect_verdict("block")
def test_own(guardrail_engine):
    guardrail_engine.run("forbidden")
    assert 1 == 2
""",
    )
    result.assert_outcomes(xfailed=1, skipped=1, failed=1)
    result.stdout.fnmatch_lines(["cases * 0 as expected, 1 not as expected, 0 errored, 1 not run, 1 xfail"])
