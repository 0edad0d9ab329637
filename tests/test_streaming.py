"""A stream is checked whole: no way of splitting it lets anything through (design, section 4, promise 7)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails import Engine, Finding, Guardrail, Message, Phase, Request, Response, Text, Trace, Verdict
from pytest_guardrails._model import STATUS_DENIED, STATUS_OK


@dataclass(frozen=True)
class Digits:
    """Finds runs of three digits and rewrites them where a replacement is given."""

    replacement: str | None = None
    id: str = "digits"

    def __call__(self, texts: Sequence[Text]) -> Iterator[Finding]:
        """Return a finding per run."""
        for text in texts:
            for match in re.finditer("[0-9]{3}", text.text):
                place = {"message_index": text.message_index, "start": match.start(), "end": match.end()}
                yield Finding("DIGITS", "test", replacement=self.replacement, **place)  # type: ignore[arg-type]


DENY = Engine([Guardrail("deny", Phase.AFTER_REQUEST, (Digits(),))])
MASK = Engine([Guardrail("mask", Phase.AFTER_REQUEST, (Digits("#"),), action="sanitize")])  # type: ignore[arg-type]
REQUEST = Request.of("hi")
STREAM = Request((Message("user", "hi"),), stream=True)


def streamed(engine: Engine, chunks: Sequence[str]) -> Trace:
    """Run a streamed request against a model that yields the chunks."""
    return engine.run(STREAM, lambda _request: iter(chunks))


def split(text: str, cuts: Sequence[int]) -> list[str]:
    """Return the pieces of a text between the cuts."""
    edges = [0, *sorted(cuts), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@st.composite
def splits(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw a text and one way of splitting it, empty chunks included."""
    text = draw(st.text(alphabet="0123 aé😀", max_size=16))
    return text, split(text, draw(st.lists(st.integers(0, len(text)), max_size=8)))


@given(splits())
@settings(deadline=None)
@pytest.mark.parametrize("engine", [DENY, MASK], ids=["deny", "mask"])
def test_any_split_gives_the_result_of_the_whole_text(engine: Engine, drawn: tuple[str, list[str]]) -> None:
    """Verdict, results, status, denial, warnings and delivered text are those of the unsplit answer."""
    text, chunks = drawn
    whole, trace = engine.run(REQUEST, lambda _request: text), streamed(engine, chunks)
    for name in ("verdict", "action", "decided_by", "results", "denial", "status", "warnings"):
        assert getattr(trace, name) == getattr(whole, name)
    assert (trace.response and trace.response.choices) == (whole.response and whole.response.choices)
    if trace.response is not None:
        assert "".join(trace.response.chunks) == trace.response.text or not chunks


@given(splits())
@settings(deadline=None)
def test_nothing_denied_or_redacted_is_in_any_chunk(drawn: tuple[str, list[str]]) -> None:
    """A denied stream delivers no chunk, and the chunks of a redacted one add up to the redacted text."""
    text, chunks = drawn
    forbidden = re.findall("[0-9]{3}", text)
    assert (streamed(DENY, chunks).response is None) == bool(forbidden)
    response = streamed(MASK, chunks).response
    assert response is not None
    assert "".join(response.chunks) == re.sub("[0-9]{3}", "#", text)
    assert not any(run in chunk for chunk in response.chunks for run in forbidden)


def test_every_split_of_one_secret_is_caught() -> None:
    """All 128 ways of cutting a text of eight characters are denied, and none delivers a piece of the secret."""
    text = "a 123 bc"
    ways = [split(text, cuts) for count in range(len(text)) for cuts in combinations(range(1, len(text)), count)]
    assert len(ways) == 128
    assert {streamed(DENY, chunks).verdict.value for chunks in ways} == {"block"}
    assert {streamed(MASK, chunks).response for chunks in ways} == {Response.of("a # bc", chunks=("a # bc",))}


def test_a_clean_stream_is_delivered_chunk_by_chunk() -> None:
    """Where no guardrail changed anything, the caller gets the chunks as they came."""
    trace = streamed(DENY, ["a", "", "bc"])
    assert trace.response == Response.of("abc", chunks=("a", "", "bc"))
    assert (trace.verdict, trace.status) == (Verdict.ALLOW, STATUS_OK)


def test_a_denied_stream_leaves_no_trace_of_its_text() -> None:
    """Neither the denial nor anything else in the trace holds what the model streamed."""
    trace = streamed(DENY, ["the pin is 9", "8", "7"])
    assert (trace.status, trace.response) == (STATUS_DENIED, None)
    assert "pin" not in json.dumps(trace.to_dict())


def test_a_streamed_request_is_denied_before_the_model_streams() -> None:
    """Nothing is drawn from the model where a guardrail before the request denies."""
    drawn: list[Request] = []
    engine = Engine([Guardrail("in", Phase.BEFORE_REQUEST, (Digits(),))])
    assert engine.run(Request(("123",), stream=True), drawn.append).verdict is Verdict.BLOCK  # type: ignore[arg-type]
    assert drawn == []


def test_a_stream_that_breaks_off_is_the_callers_exception() -> None:
    """What a model raises while it streams passes through, and no half of the stream is delivered."""

    def broken(_request: Request) -> Iterator[str]:
        yield "half"
        raise ConnectionError("reset")

    with pytest.raises(ConnectionError, match="reset"):
        MASK.run(STREAM, broken)


def test_chunks_that_are_not_the_text_are_refused() -> None:
    """A response whose chunks say something else than its text would deliver what no guardrail saw."""
    with pytest.raises(ValueError, match="do not add up"):
        DENY.run(STREAM, lambda _request: Response.of("clean", chunks=("1", "23")))
    assert DENY.run(STREAM, lambda _request: Response.of("1 23", chunks=("1", " 23"))).response is not None
    assert DENY.run(STREAM, lambda _request: Response.of("123", chunks=("1", "23"))).response is None


def test_a_second_choice_is_checked_when_the_first_is_streamed() -> None:
    """Redacting another choice replaces the chunks by the first choice's whole text."""
    answer = Response((Message("assistant", "ok"), Message("assistant", "123")), chunks=("o", "k"))
    response = MASK.run(STREAM, lambda _request: answer).response
    assert response is not None
    assert [choice.text for choice in response.choices] == ["ok", "#"]
    assert response.chunks == ("ok",)
