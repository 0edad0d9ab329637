"""``prompts_with``: samples set in sentences."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from pytest_guardrails import ConfigError
from pytest_guardrails.strategies import Sample, Span, prompts_with
from pytest_guardrails.strategies._prompts import SENTENCES

CARD = Sample("card 4000", "attack", "CREDIT_CARD", "c1", (Span("CREDIT_CARD", 5, 9),))
NEAR = Sample("4001", "benign", "order-number", spans=())

simplest = partial(find, settings=settings(database=None, max_examples=2000))
quick = settings(max_examples=40, database=None)


@quick
@given(prompts_with(st.just(CARD)))
def test_the_spans_move_with_the_value(sample: Sample) -> None:
    """In each sentence the spans stand where the value is, and what it is stays."""
    assert sample.spans is not None
    assert [sample.text[span.start : span.end] for span in sample.spans] == ["4000"]
    assert (sample.label, sample.category, sample.id) == (CARD.label, CARD.category, CARD.id)
    assert CARD.text in sample.text


@quick
@given(prompts_with(st.sampled_from([NEAR, Sample("x", "benign")])))
def test_a_sample_without_spans_stays_without(sample: Sample) -> None:
    """Nothing is annotated that was not, and what was known to have none still has none."""
    assert sample.spans == (() if sample.category else None)


def test_it_shrinks_to_the_bare_value() -> None:
    """Where any sentence will do, there is none."""
    assert simplest(prompts_with(st.just(NEAR)), lambda _: True) == NEAR


def test_it_shrinks_to_the_shortest_sentence() -> None:
    """Where the bare value will not do, the shortest sentence that does is found."""
    found = simplest(prompts_with(st.just(NEAR)), lambda sample: len(sample.text) > 25)
    assert found.text == next(text for text in (s.replace("{}", "4001") for s in SENTENCES) if len(text) > 25)


def test_every_sentence_has_one_place() -> None:
    """Each sentence holds one value, none is there twice, and a shorter one is simpler."""
    assert all(sentence.count("{}") == 1 for sentence in SENTENCES)
    assert len(set(SENTENCES)) == len(SENTENCES) >= 60
    assert list(SENTENCES) == sorted(SENTENCES, key=len)
    assert SENTENCES[0] == "{}"


def test_it_takes_a_strategy() -> None:
    """What is no strategy is refused at once."""
    wrong: Any = "4000"
    with pytest.raises(ConfigError, match=r"prompts_with\(\.\.\.\) takes a strategy, such as emails\(\), not '4000'"):
        prompts_with(wrong)


def test_it_takes_samples() -> None:
    """A strategy that draws something else is refused where it is drawn from."""
    wrong: Any = st.just("4000")
    with pytest.raises(ConfigError, match="a strategy that draws samples, not str"):
        simplest(prompts_with(wrong), lambda _: True)
