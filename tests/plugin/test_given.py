"""``@given`` and ``@given_cases``: what Hypothesis finds is shown as a case, ready to paste."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_guardrails._cases import read
from pytest_guardrails._model import Case

HEAD = """\
import pytest
from hypothesis import example, given, settings, strategies as st
from pytest_guardrails import expect_verdict
from pytest_guardrails.strategies import Sample, Span, given_cases

settings.register_profile("t", database=None, derandomize=True, deadline=None, max_examples=30)
settings.load_profile("t")

@pytest.fixture(scope="session")
def guardrails_config():
    return "guard.yaml"

def samples(label, *texts):
    return st.sampled_from(texts).map(lambda text: Sample(text, label, "c"))

"""


def run(pytester: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    """Run a test file with the usual beginning."""
    pytester.makepyfile(test_it=HEAD + body)
    return pytester.runpytest("-p", "no:randomly", *options)


def shown(result: pytest.RunResult) -> list[Case]:
    """Return the cases that a run printed, read back as they stand there."""
    blocks = re.findall(r"^cases:\n(?:  .*\n?)+", result.stdout.str(), re.MULTILINE)
    return [case for block in blocks for case in read(block, "shown").cases]


def test_a_false_positive_is_shown_as_a_case(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """In a marked test the shortest failing text is printed once, as a case that expects what the marker does."""
    guard()
    result = run(
        pytester,
        """
@expect_verdict("allow", action="none", severity="high")
@given(st.integers(0, 10_000))
def test_x(guardrail_engine, n):
    guardrail_engine.run("x" * n if n < 37 else f"forbidden \\x1b[31m {n}\\n\\u202e")
""",
    )
    result.assert_outcomes(failed=1)
    (case,) = shown(result)
    assert case.request.text == "forbidden \x1b[31m 37\n\u202e"
    assert (case.expectation.verdict, case.expectation.action) == ("allow", "none")
    assert (case.label, case.severity, case.tags) == ("benign", "high", ("generated",))
    assert case.note == "found by test_it.py::test_x"
    assert re.fullmatch(r"x-[0-9a-f]{8}", case.id)
    assert "\x1b" not in result.stdout.str()


def test_given_cases_goes_by_the_label(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Benign samples on which nothing acts and attacks on which something acts pass; each test ran its samples."""
    guard()
    result = run(
        pytester,
        """
@given_cases(samples("benign", "a", "b") | samples("attack", "forbidden", "me@example.com"))
def test_right(): pass

@given_cases(samples("benign", "a", "forbidden fruit"))
def test_false_positive(): pass

@given_cases(samples("attack", "forbidden", "a"))
def test_missed(): pass

@given_cases(samples("attack", "a").map(lambda s: Sample(s.text, s.label, s.category, spans=(Span("X", 0, 1),))))
def test_missed_value(): pass
""",
    )
    result.assert_outcomes(passed=1, failed=3)
    false_positive, missed, value = shown(result)
    assert false_positive.request.text == "forbidden fruit"
    assert (false_positive.label, false_positive.expectation.action) == ("benign", "none")
    assert (missed.request.text, missed.label, missed.expectation.verdict) == ("a", "attack", "block")
    assert (value.expectation.verdict, value.expectation.action) == ("allow", "sanitize")
    result.stdout.fnmatch_lines(
        ["expected allow (none), got block (deny) by 'words'", "  test_it.py:*  case 'test_false_positive'*benign"]
    )
    result.stdout.fnmatch_lines(["*4 tests with generated inputs are in no rate*"])
    result.stdout.no_fnmatch_line("*_given.py:*")


def test_given_cases_takes_what_the_marker_takes(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """An expectation goes before the label."""
    guard()
    result = run(
        pytester,
        """
@given_cases(samples("attack", "me@example.com"), "allow", by="redact", upstream="<EMAIL>")
def test_right(): pass

@given_cases(samples("attack", "me@example.com"), expect="block")
def test_wrong(): pass
""",
    )
    result.assert_outcomes(passed=1, failed=1)
    (case,) = shown(result)
    assert (case.request.text, case.label, case.expectation.verdict) == ("me@example.com", "attack", "block")


def test_the_test_may_look_too(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A test may ask for the sample, the trace, the engine and fixtures, in a class, with marks and settings."""
    guard()
    result = run(
        pytester,
        """
seen = []

class TestIt:
    @pytest.mark.parametrize("number", [1, 2])
    @settings(max_examples=5)
    @given_cases(samples("benign", "a"))
    @example(sample=Sample("given", "benign"))
    def test_all(self, number, trace, guardrail_engine, sample, tmp_path_factory):
        assert trace.request.text == sample.text
        assert guardrail_engine.run(sample) == trace
        seen.append((number, sample.text))

@pytest.mark.high
@given_cases(samples("benign", "a"))
@settings(max_examples=1)
def test_marks(sample):
    assert {(1, "given"), (2, "given"), (1, "a"), (2, "a")} <= set(seen)
""",
    )
    result.assert_outcomes(passed=3)
    pytester.runpytest("-m", "high").assert_outcomes(failed=1, deselected=2)
    pytester.runpytest("-k", "TestIt").assert_outcomes(passed=2, deselected=1)
    pytester.runpytest("-m", "expect_verdict").assert_outcomes(passed=3)


def test_an_explicit_example_is_found_too(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """An example that fails is shown as a case."""
    guard()
    result = run(
        pytester,
        """
@example(sample=Sample("forbidden", "benign"))
@given_cases(samples("benign", "a"))
def test_x(): pass
""",
    )
    assert [case.request.text for case in shown(result)] == ["forbidden"]


def test_several_failures_are_shown_together(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Where Hypothesis reports a group, each mismatch in it is a case."""
    guard()
    result = run(
        pytester,
        """
@given_cases(samples("benign", "a", "forbidden"))
def test_x(sample):
    assert sample.text != "a"
""",
    )
    result.assert_outcomes(failed=1)
    assert [case.request.text for case in shown(result)] == ["forbidden"]


def test_a_test_of_its_own_says_what_it_guessed(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """In an unmarked test the expectation is a guess: the opposite of what came, and the case says so."""
    guard()
    result = run(
        pytester,
        """
@given(st.sampled_from(["a", "forbidden"]))
def test_x(guardrail_engine, text):
    assert guardrail_engine.run(text).action == "none"

@given(st.sampled_from(["a", "forbidden"]))
def test_y(guardrail_engine, text):
    if guardrail_engine.run(text).verdict != "block":
        pytest.fail("missed")
""",
    )
    result.assert_outcomes(failed=2)
    false_positive, missed = shown(result)
    assert (false_positive.request.text, false_positive.expectation.action) == ("forbidden", "none")
    assert (missed.request.text, missed.expectation.verdict) == ("a", "block")
    result.stdout.fnmatch_lines(["# This test does not say what it expects (@expect_verdict)*a guess*not saved:"])


def test_a_sample_in_a_test_of_its_own_is_no_guess(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Where what ran was a sample, its label says what was expected; where the guard was right, there is no case."""
    guard()
    result = run(
        pytester,
        """
@given(samples("benign", "forbidden"))
def test_wrong(guardrail_engine, sample):
    assert guardrail_engine.run(sample).action == "none"

@given(samples("benign", "a"))
def test_right(guardrail_engine, sample):
    assert guardrail_engine.run(sample).status == 446
""",
    )
    assert [case.request.text for case in shown(result)] == ["forbidden"]
    result.stdout.no_fnmatch_line("*a guess*")


def test_a_mistake_in_the_test_is_no_case(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A test that breaks by itself, and one whose inputs are its own, show no case."""
    guard()
    result = run(
        pytester,
        """
@given(st.just("forbidden"))
def test_x(guardrail_engine, text):
    guardrail_engine.run(text)
    raise KeyError(text)

@expect_verdict("allow")
def test_y(guardrail_engine):
    guardrail_engine.run("forbidden")
""",
    )
    result.assert_outcomes(failed=2)
    assert shown(result) == []


@pytest.mark.parametrize(
    ("reply", "response"),
    [
        ('"a secret"', ("a secret",)),
        ('["a sec", "ret"]', ("a secret",)),
        ("Response(('one', 'a secret'))", ("one", "a secret")),
    ],
)
def test_the_answer_of_the_model_is_part_of_the_case(
    pytester: pytest.Pytester, guard: Callable[..., None], reply: str, response: tuple[str, ...]
) -> None:
    """What the model answered is written down, so that an output guardrail says the same again."""
    guard()
    result = run(
        pytester,
        f"""
from pytest_guardrails import Response

@expect_verdict("allow")
@given(st.just("hello"))
def test_x(guardrail_engine, guardrail_upstream, text):
    guardrail_upstream.reset()
    guardrail_engine.run(text, guardrail_upstream.reply({reply}))
""",
    )
    (case,) = shown(result)
    assert (case.request.text, case.response) == ("hello", response)


def test_a_stream_stays_a_stream(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A streamed answer is written down in its chunks, a conversation in its messages."""
    guard()
    result = run(
        pytester,
        """
from pytest_guardrails import Request

@expect_verdict("allow")
@given(st.just("hello"))
def test_x(guardrail_engine, text):
    request = Request([{"role": "system", "content": "be kind"}, {"role": "user", "content": text}], stream=True)
    guardrail_engine.run(request, lambda request: iter(["a sec", "ret"]))
""",
    )
    (case,) = shown(result)
    assert (case.request.stream, case.response) == (True, ("a sec", "ret"))
    assert [message.role for message in case.request.messages] == ["system", "user"]


@pytest.mark.parametrize(
    ("send", "said"),
    [
        ("guardrail_engine.run('forbidden \\ud83d')", "# no case: a lone surrogate (U+D83D)*"),
        (
            "guardrail_engine.run('x', lambda _: Response([{'role': 'assistant', 'content': [PART]}]))",
            "# no case: a case file cannot hold what the model answered*",
        ),
    ],
)
def test_what_no_case_can_hold_is_said(
    pytester: pytest.Pytester, guard: Callable[..., None], send: str, said: str
) -> None:
    """A text or an answer that a case file cannot hold is named instead of a case that means something else."""
    guard()
    body = f"""
from pytest_guardrails import Response
PART = {{'type': 'text', 'text': 'secret'}}

@expect_verdict('allow')
@given(st.just(1))
def test_x(guardrail_engine, n):
    {send}
"""
    result = run(pytester, body)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([said])
    assert shown(result) == []


@pytest.mark.parametrize(
    ("decorators", "said"),
    [
        ("@given_cases('emails')", "given_cases(...) takes a strategy, such as near_misses(), not 'emails'"),
        ("@given_cases(samples('benign', 'a'), expect=None)", "takes labelled, allow or block, not None"),
        ("@given_cases(samples('benign', 'a'), expect='alow')", "unknown verdict 'alow'; did you mean 'allow'?"),
        ("@given_cases(samples('benign', 'a'), acton='none')", "argument of @given_cases 'acton'; did you mean"),
        ("@given_cases(samples('benign', 'a'), by='redact')", '"labelled") takes nothing but a severity, not by'),
        ("@given_cases(samples('benign', 'a'))\n@given(st.just(1))", "on a test function without another @given"),
        ("@given_cases(samples('benign', 'a'))\n@(lambda test: lambda *args: None)", "that names its arguments"),
        ("@given_cases(samples('hostile', 'a'))", "unknown label of a sample 'hostile'"),
        ("@given_cases(st.just('a'))", '"labelled") needs samples, as in guardrail_engine.run(sample)'),
    ],
)
def test_bad_arguments_are_named(
    pytester: pytest.Pytester, guard: Callable[..., None], decorators: str, said: str
) -> None:
    """What cannot be meant is refused with the choices, and no test passes."""
    guard()
    result = run(pytester, f"{decorators}\ndef test_x(): pass\n")
    assert result.parseoutcomes().keys() <= {"errors", "error", "failed"}
    assert said in result.stdout.str()


def test_labelled_is_for_plain_given_too(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The marker alone does it, without the decorator."""
    guard()
    result = run(
        pytester,
        """
@expect_verdict("labelled", severity="critical")
@given(samples("benign", "a", "forbidden"))
def test_x(guardrail_engine, sample):
    guardrail_engine.run(sample)
""",
    )
    (case,) = shown(result)
    assert (case.request.text, case.severity) == ("forbidden", "critical")


def test_a_guard_without_an_answer_makes_the_run_untrusted(pytester: pytest.Pytester) -> None:
    """A sample on which a check breaks is shown as a case, and is an error, not a verdict."""
    result = run(
        pytester,
        """
from pytest_guardrails import Engine, Guardrail

class Broken:
    id = "broken"
    def __call__(self, texts):
        raise RuntimeError

@pytest.fixture(scope="session")
def guardrails_config():
    return Engine([Guardrail("g", "before_request", [Broken()])])

@given_cases(samples("attack", "a"))
def test_x(): pass
""",
    )
    assert result.ret == 10
    assert [case.request.text for case in shown(result)] == ["a"]


def test_it_is_found_by_last_failed_and_stops_at_the_first(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """``--lf`` and ``-x`` do with drawn cases what they do with tests."""
    guard()
    body = """
@given_cases(samples("benign", "forbidden"))
def test_x(): pass

@given_cases(samples("benign", "a"))
def test_y(): pass
"""
    run(pytester, body, "-x").assert_outcomes(failed=1)
    pytester.runpytest("--lf").assert_outcomes(failed=1)


def test_the_file_of_the_suite_says_where_it_is(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The test's own line is where pytest says the test is."""
    guard()
    run(pytester, '@given_cases(samples("benign", "a"))\ndef test_x(): pass\n', "-q", "--collect-only")
    items, _ = pytester.inline_genitems(Path("test_it.py"))
    assert items[0].location[:2] == ("test_it.py", HEAD.count("\n"))
