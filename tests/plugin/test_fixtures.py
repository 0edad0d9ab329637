"""The fixtures ``guardrail_engine`` and ``guardrail_upstream``, and what assertions say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

HEAD = """
import pytest
from pytest_guardrails import Response, Verdict, expect_verdict

@pytest.fixture(scope="session")
def guardrails_config():
    return "guard.yaml"
"""


def run(pytester: pytest.Pytester, body: str, *arguments: str) -> pytest.RunResult:
    """Run a module of tests on the small guard."""
    (pytester.path / "test_it.py").write_text(HEAD + body)
    return pytester.runpytest(*arguments)


def test_the_upstream_records_and_answers_from_its_script(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """What the model received is kept in order; replies are used in order, the last one repeats, then an echo."""
    guard()
    run(
        pytester,
        """
def test_x(guardrail_engine, guardrail_upstream):
    guardrail_upstream.reply("one", Response.of("two"))
    said = [guardrail_engine.run(text, guardrail_upstream).response.text for text in ("a@b.cd", "x", "y")]
    assert said == ["one", "two", "two"]
    assert guardrail_upstream.texts == ("<EMAIL>", "x", "y")

def test_y(guardrail_engine, guardrail_upstream):
    assert guardrail_upstream.texts == ()
    assert guardrail_engine.run("echo me", guardrail_upstream).response.text == "echo me"
    assert guardrail_engine.run("forbidden", guardrail_upstream).response is None
    assert len(guardrail_upstream.requests) == 1
""",
    ).assert_outcomes(passed=2)


def test_both_fixtures_work_under_given(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Hypothesis's health check has nothing against either fixture."""
    guard()
    run(
        pytester,
        """
from hypothesis import given, strategies as st

@expect_verdict("allow")
@given(st.sampled_from(["a", "b"]))
def test_x(guardrail_engine, guardrail_upstream, text):
    guardrail_engine.run(text, guardrail_upstream)
""",
    ).assert_outcomes(passed=1)


def test_the_engine_says_what_it_is(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The fixture has the guardrails and version of the configuration, and can be used in a wider fixture."""
    guard()
    run(
        pytester,
        """
@pytest.fixture(scope="session")
def warm(guardrail_engine):
    return guardrail_engine.run("warm").verdict

def test_x(guardrail_engine, warm):
    assert warm == "allow"
    assert [g.id for g in guardrail_engine.guardrails] == ["redact", "words", "answers"]
    assert guardrail_engine.version.declared == "1.2"
""",
    ).assert_outcomes(passed=1)


def test_assertions_on_verdicts_show_the_trace(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A failed ``==`` of a verdict says what came, and the steps of the last trace."""
    guard()
    result = run(
        pytester, "\ndef test_x(guardrail_engine):\n    assert guardrail_engine.run('fine').verdict == 'block'\n"
    )
    result.stdout.fnmatch_lines(["E *verdict 'allow' == 'block'", "E *the last trace:", "E *caller  200 allow"])


def test_assertions_on_traces_name_the_difference(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A failed ``==`` of two traces names the fields that differ."""
    guard()
    body = (
        "\ndef test_x(guardrail_engine):\n    run = guardrail_engine.run\n    assert run('fine') == run('forbidden')\n"
    )
    result = run(pytester, body)
    result.stdout.fnmatch_lines(["E *traces differ in request, verdict, action*"])


def test_a_verdict_is_no_boolean(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """``assert trace.verdict`` is refused: vendors disagree on which boolean is good."""
    guard()
    result = run(pytester, "\ndef test_x(guardrail_engine):\n    assert guardrail_engine.run('fine').verdict\n")
    result.stdout.fnmatch_lines(["*a Verdict is not a boolean: compare it*"])
