"""Rubrics: what is scored, by whom, and when a case passes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import Engine, Request, Trace
from pytest_guardrails._model import BUILT_IN_CRITERIA, Case, CaseResult, CaseStatus, Criterion, Expectation, Grade
from pytest_guardrails._rubric import BUILT_IN, grade, graded

CONFIG: dict[str, Any] = {
    "input_guardrails": [
        {"id": "pii", "pii_redact": {"entities": ["EMAIL"]}},
        {"id": "words", "default.contains": {"words": ["forbidden"], "operator": "none"}, "deny": True},
        {"id": "length", "default.characterCount": {"maxCharacters": 500}, "deny": True},
    ]
}
POLITE = Criterion("polite", "is it polite?")


def case(*rubric: Criterion) -> Case:
    """Return a case with a rubric."""
    return Case("c", Request.of("x"), Expectation("allow"), rubric=rubric)  # type: ignore[arg-type]


def run(text: str) -> tuple[Trace, Engine]:
    """Return the trace of a text, and the engine."""
    engine = Engine.from_config(CONFIG)
    return engine.run(text), engine


def scores(text: str) -> dict[str, float]:
    """Return what the built-in criteria score for a text."""
    trace, engine = run(text)
    rubric = [Criterion(name) for name in BUILT_IN_CRITERIA]
    return {one.criterion: one.scores[0] for one in grade(case(*rubric), trace, engine.guardrails, None)}


def status(*grades: Grade) -> tuple[CaseStatus, tuple[str, ...]]:
    """Return what grades make of a case that was as expected."""
    result = graded(CaseResult("c", CaseStatus.AS_EXPECTED), grades)
    return result.status, result.reasons


def test_every_built_in_criterion_has_its_rule() -> None:
    """Those that a case file may name are those that are there."""
    assert tuple(sorted(BUILT_IN)) == BUILT_IN_CRITERIA


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am jane@example.com", {"operator_warned": 5, "order_seen": 5, "upstream_sanitised": 5}),
        ("hello", {"operator_warned": 1, "order_seen": 5, "upstream_sanitised": 1}),
        ("forbidden jane@example.com", {"operator_warned": 5, "order_seen": 5, "upstream_sanitised": 1}),
    ],
)
def test_a_trace_shows_what_needs_no_grader(text: str, expected: dict[str, float]) -> None:
    """Sanitised, untouched, and blocked after it was sanitised: 5 where the criterion is met, else 1."""
    assert scores(text) == expected


def test_an_order_that_was_not_kept_scores_1() -> None:
    """Against the same guardrails declared the other way round, and with one more."""
    trace, engine = run("hello")
    for guardrails in (engine.guardrails[::-1], engine.guardrails[:2]):
        score, reason = BUILT_IN["order_seen"](trace, guardrails)
        assert score == 1
        assert "declared order" in reason


def test_a_value_that_reaches_the_model_in_another_place_scores_1() -> None:
    """A later message that holds it was not in the scope of the sanitizing guardrail."""
    config = {"input_guardrails": [{"id": "pii", "pii_redact": {"entities": ["EMAIL"]}, "scope": "last"}]}
    engine = Engine.from_config(config)
    messages = [{"role": "user", "content": "I am jane@example.com"}, {"role": "user", "content": "jane@example.com!"}]
    score, reason = BUILT_IN["upstream_sanitised"](engine.run(messages), engine.guardrails)
    assert (score, "EMAIL reached the model" in reason) == (1, True)
    assert "jane" not in reason


@pytest.mark.parametrize(
    ("given", "passes"),
    [
        ((5,), True),
        ((4,), True),
        ((3.9,), False),
        ((5, 5, 3), True),
        ((5, 5, 2), False),
        ((4, 4, 3), False),
        ((), False),
    ],
)
def test_the_mean_is_at_least_4_and_no_score_is_below_3(given: tuple[float, ...], passes: bool) -> None:
    """Known answers of the rule."""
    assert (status(Grade("polite", given))[0] is CaseStatus.AS_EXPECTED) is passes


@pytest.mark.parametrize("answer", [(4, "fine"), 4, 4.5, (5.0, "")])
def test_a_grader_returns_a_score_or_a_score_and_a_reason(answer: Any) -> None:
    """Both are taken."""
    trace, engine = run("hello")
    (one,) = grade(case(POLITE), trace, engine.guardrails, lambda *_: answer)
    assert one.error is None
    assert one.scores[0] >= 4


@pytest.mark.parametrize("answer", [None, "5", True, 0, 6, float("nan"), float("inf"), (5,), (5, "a", "b"), [5, "a"]])
def test_what_is_no_score_is_an_error_and_never_a_grade(answer: Any) -> None:
    """The case has no verdict then, and its reason says whose fault it is."""
    trace, engine = run("hello")
    (one,) = grade(case(POLITE), trace, engine.guardrails, lambda *_: answer)
    assert (one.scores, one.error is not None) == ((), True)
    assert status(one)[0] is CaseStatus.ERROR


def test_a_grader_that_raises_is_an_error_without_its_text() -> None:
    """What it says could hold a text of the case."""
    trace, engine = run("hello")

    def fail(*_: Any) -> Any:
        raise ValueError("jane@example.com")

    (one,) = grade(case(POLITE), trace, engine.guardrails, fail)
    assert one.error == "the grader raised ValueError"


def test_each_sample_is_asked_for() -> None:
    """As often as the criterion says, and all of them count."""
    trace, engine = run("hello")
    answers = iter([5, 5, 2])
    (one,) = grade(case(Criterion("polite", "?", samples=3)), trace, engine.guardrails, lambda *_: next(answers))
    assert one.scores == (5, 5, 2)
    assert status(one) == (
        CaseStatus.NOT_AS_EXPECTED,
        ("rubric polite: a score of 2 in 5, 5, 2, none may be below 3",),
    )


def test_a_failure_of_the_case_stays_one() -> None:
    """Good grades do not mend a wrong verdict, and its reasons come first."""
    result = CaseResult("c", CaseStatus.NOT_AS_EXPECTED, reasons=("verdict",))
    assert graded(result, [Grade("polite", (5,))]) is result
    assert graded(result, [Grade("polite", (1,))]).reasons[0] == "verdict"


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=5), min_size=1, max_size=4))
def test_a_case_passes_where_every_criterion_does(drawn: list[list[int]]) -> None:
    """One below the bar is enough to fail, whatever the others say."""
    grades = [Grade(f"c{n}", tuple(map(float, one))) for n, one in enumerate(drawn)]
    good = all(sum(one) >= 4 * len(one) and min(one) >= 3 for one in drawn)
    assert (status(*grades)[0] is CaseStatus.AS_EXPECTED) is good
