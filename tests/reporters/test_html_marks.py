"""What is found in a text is shown where it stands, and what became of the text is told exactly, masked or not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails import Engine, Finding
from pytest_guardrails._codec import encode
from pytest_guardrails._mask import mask_trace, masker, placeholders_of
from pytest_guardrails._model import Action, Check, Guardrail, Phase, Request, Text, Trace
from pytest_guardrails._texts import replaced
from pytest_guardrails.reporters._html_marks import (
    FOUND,
    GONE,
    MOST_TEXT,
    NEW,
    SAME,
    coarse,
    marked,
    read,
    rewritten,
    surface,
)
from pytest_guardrails.reporters._html_trace import detail

TEXT = "my email is alice@example.com, please"


class Words:
    """A check that finds words and rewrites each."""

    rewrites = "spans"

    def __init__(self, name: str, **words: str) -> None:
        self.id = name
        self._words = words

    def __call__(self, texts: tuple[Text, ...]) -> list[Finding]:
        """Return a finding per word."""
        return [
            Finding(
                "word", "c", message_index=text.message_index, field=text.field, start=text.text.index(word),
                end=text.text.index(word) + len(word), replacement=new,
            )
            for text in texts for word, new in self._words.items() if word in text.text
        ]  # fmt: skip


def rail(name: str, *checks: Check, phase: Phase = Phase.BEFORE_REQUEST, **fields: Any) -> Guardrail:
    """Return a guardrail that sanitizes."""
    return Guardrail(name, phase, checks, **{"action": Action.SANITIZE, **fields})


def run(*rails: Guardrail, text: str = TEXT, answer: str = "fine", masked: bool = True) -> dict[str, Any]:
    """Return a trace as a report has it."""
    trace: Trace = Engine(rails).run(Request.of(text), lambda _request: answer)
    if masked:
        trace = mask_trace(trace, masker(b"k" * 16, placeholders_of(trace)))
    made: dict[str, Any] = encode(trace, sparse=True)
    return made


def texts(parts: list[tuple[int, str]], kind: int) -> list[str]:
    """Return the parts of one kind."""
    return [text for made, text in parts if made == kind]


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.sampled_from(["", "<X>", "longer than it was"])))


@given(st.text(max_size=30), SPANS, SPANS)
@settings(max_examples=60, deadline=None)
def test_rewriting_parts_is_rewriting_the_text(text: str, first: list[Any], second: list[Any]) -> None:
    """After two rewrites the parts hold the text as it was and the text as the engine would have made it."""
    parts, now = [(SAME, text)], text
    for spans in (first, second):
        inside = [(start, start + size, new) for start, size, new in spans if start + size <= len(now)]
        parts = rewritten(parts, inside)
        now = replaced(now, [Finding("n", "c", start=s, end=e, replacement=new) for s, e, new in inside])
    assert "".join(made for kind, made in parts if kind != GONE) == now
    assert "".join(made for kind, made in parts if kind != NEW) == text


@given(st.text(max_size=30), SPANS)
@settings(max_examples=40, deadline=None)
def test_marks_change_no_letter(text: str, spans: list[Any]) -> None:
    """Whatever is marked, the parts are the text; also where a span reaches over its end."""
    parts = marked(text, [{"start": start, "end": start + size} for start, size, _ in spans])
    assert "".join(made for _, made in parts) == text


@given(st.text(max_size=40), st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_a_coarse_difference_holds_both_texts(before: str, after: str) -> None:
    """What the two have in common at the ends is the same, and nothing is lost."""
    gone, new = coarse(before, after)
    assert "".join(text for _, text in gone) == before
    assert "".join(text for _, text in new) == after
    assert [text for kind, text in gone if kind == SAME] == [text for kind, text in new if kind == SAME]


@pytest.mark.parametrize("masked", [True, False])
def test_what_was_found_is_marked_and_what_arrived_is_a_difference(masked: bool) -> None:
    """On a masked text as on the text itself: the same places, as many letters."""
    trace = run(rail("pii", Words("w", **{"alice@example.com": "<EMAIL>"})), masked=masked)
    reading = read(trace, not masked)
    assert [len(text) for text in texts(reading.found[0, 0], FOUND)] == [17]
    assert texts(reading.found[0, 0], FOUND) == ["aaaaa@aaaaaaa.aaa" if masked else "alice@example.com"]
    assert texts(reading.sent[0], GONE) == texts(reading.found[0, 0], FOUND)
    assert texts(reading.received[0], NEW) == ["<EMAIL>"]
    assert "".join(text for _, text in reading.received[0]) == trace["upstream_requests"][0]["messages"][0]["content"]


@pytest.mark.parametrize("masked", [True, False])
def test_the_second_guardrail_is_marked_on_what_it_saw(masked: bool) -> None:
    """What the first one rewrote moved the rest; the marks of the second are where it found them."""
    first = rail("one", Words("w", **{"my email": "<EM>"}))
    second = rail("two", Words("w", please="<PLEASE_THEN>"))
    reading = read(run(first, second, masked=masked), not masked)
    assert texts(reading.found[1, 0], FOUND) == ["aaaaaa" if masked else "please"]
    assert texts(reading.received[0], NEW) == ["<EM>", "<PLEASE_THEN>"]
    assert texts(reading.sent[0], GONE) == (["aa aaaaa", "aaaaaa"] if masked else ["my email", "please"])


def test_what_cannot_be_followed_is_marked_only_before_it() -> None:
    """Where checks rewrite one after the other, offsets of the second are of a text nobody has: it is only listed."""
    rails = rail("both", Words("one", my="<MINE_ALL_OF_IT>"), Words("two", please="<P>"), sequential=True)
    trace = run(rails, masked=False)
    reading = read(trace, True)
    assert texts(reading.found[0, 0], FOUND) == ["my"]
    assert "".join(text for kind, text in reading.received[0] if kind != GONE) == (
        "<MINE_ALL_OF_IT> email is alice@example.com, <P>"
    )
    step = detail({"case": "c", "nodeid": "c", "status": "as expected", "trace": trace}, True)["steps"][1]
    assert [label for label, *_ in step[4]] == ["user", "found", "found"]


def test_an_answer_that_was_rewritten_shows_where() -> None:
    """The answer before it is not kept; what stands in its stead in the text that the caller got is told apart."""
    guard = rail("out", Words("w", secret="<KEY>", code="<CODE>"), phase=Phase.AFTER_REQUEST)
    trace = run(guard, answer="the code is secret ok")
    answered = read(trace, False).answered[0]
    assert texts(answered, NEW) == ["<CODE>", "<KEY>"]
    assert "".join(text for _, text in answered) == trace["response"]["choices"][0]["content"]


def test_an_answer_that_was_only_looked_at_is_marked() -> None:
    """What a guardrail found in the answer and did not rewrite is marked in it."""
    guard = rail("out", Words("w", code="<CODE>"), phase=Phase.AFTER_REQUEST, action=Action.WARN)
    assert texts(read(run(guard, answer="the code"), False).found[0, 0], FOUND) == ["aaaa"]


def test_a_long_text_is_marked_as_far_as_it_is_shown() -> None:
    """An outline that is cut, and a revealed text that is, show what was found up to there."""
    long = f"{TEXT} {'and so on ' * 2_000}alice@example.com"
    for masked in (True, False):
        reading = read(
            run(rail("pii", Words("w", **{"alice@example.com": "<EM>"})), text=long, masked=masked), not masked
        )
        assert len(texts(reading.found[0, 0], FOUND)) == 1
        shown = "".join(text for _, text in reading.sent[0])
        assert len(shown) < MOST_TEXT + 100
        assert f"{len(long):,}" in shown or str(len(long)) in shown


@pytest.mark.parametrize("text", ["not masked", "«aa · 3 chars · #0123abcd»", None, "«aa · 2 chars · #xyz»"])
def test_a_text_whose_letters_do_not_count_is_left_alone(text: str | None) -> None:
    """In a masked report, a text that is no outline of so many letters has no place for an offset."""
    assert surface(text, False) is None
