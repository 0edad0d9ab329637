"""Masking: which text it changes, by the masked copy or by spans, and that nothing of a value remains."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_guardrails import ConfigError, Message
from pytest_guardrails.lasso import LassoAnswer, LassoFinding, masked, read_answer, sent
from pytest_guardrails.lasso._masking import compared, placeholder

LENGTHS: dict[str, Callable[[str], int]] = {
    "characters": len,
    "utf8": lambda text: len(text.encode()),
    "utf16": lambda text: len(text.encode("utf-16-le")) // 2,
}


def span(start: int, end: int, index: int | None = None, **more: Any) -> dict[str, Any]:
    """Return a finding that asks for masking; without an index it speaks of the first message."""
    place = {} if index is None else {"message_index": index}
    return {"name": "Email Address", "action": "AUTO_MASKING", "start": start, "end": end, **place, **more}


def answer_for(messages: list[Any], found: list[Any], copy: Any = None) -> LassoAnswer:
    """Return the answer with these findings and this masked copy, as it is after messages were sent."""
    body: dict[str, Any] = {"violations_detected": True, "deputies": {}, "findings": {"pattern-detection": found}}
    if copy is not None:
        body["messages"] = copy
    return compared(read_answer(json.dumps(body).encode()), sent(messages), "cover")


def texts(messages: list[Any], found: list[Any], copy: Any = None) -> list[Any]:
    """Return the contents after masking."""
    answer = answer_for(messages, found, copy)
    return [message.content for message in masked(answer, messages)]


def user(text: str) -> dict[str, str]:
    """Return a user's message on the wire."""
    return {"role": "user", "content": text}


def test_spans_are_half_open_and_replaced_by_their_masks() -> None:
    """The published offsets: 12:32 is the address, 46:54 the number."""
    text = "My email is john.doe@example.com and phone is 555-1234"
    found = [span(12, 32, mask="<EMAIL_ADDRESS>"), span(46, 54, mask="<PHONE_NUMBER>")]
    assert texts([text], found) == ["My email is <EMAIL_ADDRESS> and phone is <PHONE_NUMBER>"]


@pytest.mark.parametrize("action", ["WARN", "USER_ALERT", "ADMIN_ALERT", "BLOCK", "OFF", "REDACT"])
def test_only_auto_masking_masks(action: str) -> None:
    """Alerts carry spans too, and change nothing."""
    assert texts(["bob is here"], [span(0, 3, mask="<X>") | {"action": action}]) == ["bob is here"]


def test_overlapping_spans_merge() -> None:
    """The widest one's mask stands for all of them."""
    assert texts(["a bob c"], [span(0, 5, mask="<WIDE>"), span(2, 7, mask="<OTHER>")]) == ["<WIDE>"]
    assert texts(["a bob c"], [span(2, 5, mask="<X>"), span(2, 5, mask="<X>")]) == ["a <X> c"]


@pytest.mark.parametrize(
    ("name", "mask", "replacement"),
    [
        ("Email Address", None, "<EMAIL_ADDRESS>"),
        ("Email Address", "***", "***"),
        ("Email Address", "", ""),
        (None, None, "<REDACTED>"),
        ("\u05e9\u05dd", None, "<REDACTED>"),
        ("x" * 65, None, "<REDACTED>"),
    ],
    ids=["name", "mask", "empty-mask", "nothing", "no-letters", "long"],
)
def test_a_missing_mask_is_made_of_the_name(name: str | None, mask: str | None, replacement: str) -> None:
    """Lasso's mask comes first, then the name, then a word for neither."""
    assert placeholder(LassoFinding("d", name, mask=mask)) == replacement


def test_an_index_counts_the_messages_as_they_were_sent() -> None:
    """What was left out shifts nothing: the second text is the third message."""
    messages = ["hi", {"role": "assistant"}, "bob"]
    assert texts(messages, [span(0, 3, 1, mask="<X>")]) == ["hi", None, "<X>"]


def test_a_span_over_joined_parts_masks_each_of_them() -> None:
    """A value that is split in two is masked in both halves; the line between them is nobody's."""
    parts = [{"type": "text", "text": "call 555"}, {"type": "text", "text": "1234 now"}]
    [content] = texts([{"role": "user", "content": parts}], [span(5, 13, mask="<P>")])
    assert [part["text"] for part in content] == ["call <P>", "<P> now"]


def test_a_span_in_a_tool_call_masks_its_texts_whole() -> None:
    """Nobody says what it counts in, so nothing of the call's texts stays."""
    arguments = json.dumps({"to": "bob", "cc": {"who": "eve"}})
    call = {"id": "c", "function": {"name": "send", "arguments": arguments}}
    answer = answer_for([{"role": "assistant", "tool_calls": [call]}], [span(1, 2, mask="<X>")])
    [message] = masked(answer, [{"role": "assistant", "tool_calls": [call]}])
    assert json.loads(message.tool_calls[0]["function"]["arguments"]) == {"to": "<X>", "cc": {"who": "<X>"}}


@pytest.mark.parametrize(
    "finding",
    [span(0, 3, 7), span(9, 12), span(3, 3), {"action": "AUTO_MASKING", "start": 0}, {"action": "AUTO_MASKING"}],
)
def test_what_cannot_be_placed_changes_nothing(finding: dict[str, Any]) -> None:
    """A message that was not sent, a start beyond the text, half a span and none mask no text."""
    assert texts(["bob"], [finding]) == ["bob"]


@pytest.mark.parametrize(
    ("finding", "detail"),
    [
        (span(0, 3, 1), "a finding points at a message that was not sent"),
        (span(0, 4), "a finding ends beyond its message"),
    ],
)
def test_what_points_outside_is_a_conflict(finding: dict[str, Any], detail: str) -> None:
    """It takes the messages that were sent to see it."""
    assert detail in [conflict.detail for conflict in answer_for(["bob"], [finding]).conflicts]


def test_what_points_inside_is_no_conflict() -> None:
    """An end that fits in one of the units may be right."""
    assert [conflict.kind for conflict in answer_for(["שלום"], [span(0, 8, 0)]).conflicts] == []


# The masked copy


def test_a_copy_that_differs_is_used_and_one_that_does_not_is_not() -> None:
    """Masked means that the text changed: a copy of the original leaves it to the spans."""
    found = [span(6, 9, mask="<SPAN>")]
    assert texts(["hello bob"], found, [user("hello <COPY>")]) == ["hello <COPY>"]
    assert texts(["hello bob"], found, [user("hello bob")]) == ["hello <SPAN>"]


@pytest.mark.parametrize(
    "copy",
    [[], [user("<X>"), user("<Y>")], ["<X>"], [{"role": "user"}], [user("x") | {"content": ["<X>"]}], [None]],
    ids=["empty", "longer", "text", "no-content", "list", "null"],
)
def test_a_copy_that_says_nothing_leaves_it_to_the_spans(copy: Any) -> None:
    """Another count and another shape are no masked copy."""
    assert texts(["hello bob"], [span(6, 9, mask="<SPAN>")], copy) == ["hello <SPAN>"]


def test_a_copy_masks_without_any_span() -> None:
    """Findings that say neither where nor in which message go with what changed."""
    found = [{"action": "AUTO_MASKING"}]
    assert texts(["mail bob", "stay", "call eve"], found, [user("mail <A>"), user("stay"), user("call <B>")]) == [
        "mail <A>",
        "stay",
        "call <B>",
    ]


def test_a_copy_is_split_back_into_parts_line_by_line() -> None:
    """Each part gets its own lines, also where it has several."""
    parts = [{"type": "text", "text": "a\nbob"}, {"type": "text", "text": "eve"}]
    [content] = texts([{"role": "user", "content": parts}], [], [user("a\n<B>\n<E>")])
    assert [part["text"] for part in content] == ["a\n<B>", "<E>"]


def test_a_copy_that_lost_a_line_masks_all_that_changed() -> None:
    """Where the lines no longer match up, the change is there once and nothing of the old is left."""
    parts = [{"type": "text", "text": "x bob"}, {"type": "text", "text": "eve y"}]
    [content] = texts([{"role": "user", "content": parts}], [], [user("x <M> y")])
    assert [part["text"] for part in content] == ["x <M>", " y"]


def test_blocks_are_mapped_by_their_ids() -> None:
    """Masked inputs and results go back where they came from, leaf by leaf; another id is another block."""
    call = {"id": "c", "function": {"name": "send", "arguments": '{"to": "bob", "n": 1, "cc": ["eve"]}'}}
    messages = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "sent to bob"},
    ]

    def copy(name: str) -> list[Any]:
        value = {"to": "<B>", "n": 1, "cc": ["<E>"]}
        return [
            {"role": "model", "content": {"type": "tool_use", "id": name, "name": "send", "input": value}},
            {"role": "developer", "content": {"type": "tool_result", "tool_use_id": name, "content": "sent to <B>"}},
        ]

    first, second = masked(answer_for(messages, [], copy("c")), messages)
    assert json.loads(first.tool_calls[0]["function"]["arguments"]) == {"to": "<B>", "n": 1, "cc": ["<E>"]}
    assert second.content == "sent to <B>"
    untouched = masked(answer_for(messages, [], copy("other")), messages)
    assert untouched == tuple(map(Message.of, messages))


def test_a_text_that_a_copy_left_out_is_redacted() -> None:
    """A leaf that is gone from a masked input was masked away."""
    call = {"id": "c", "function": {"name": "send", "arguments": '{"to": "bob", "cc": "eve"}'}}
    messages = [{"role": "assistant", "tool_calls": [call]}]
    block = {"type": "tool_use", "id": "c", "name": "send", "input": {"to": "bob"}}
    [message] = masked(answer_for(messages, [], [{"role": "model", "content": block}]), messages)
    assert json.loads(message.tool_calls[0]["function"]["arguments"]) == {"to": "bob", "cc": "<REDACTED>"}


def test_messages_of_another_answer_are_refused() -> None:
    """Edits that fit nowhere are not forgotten."""
    answer = answer_for(["hello bob"], [span(6, 9)])
    with pytest.raises(ConfigError, match="not the messages"):
        masked(answer, [])


def test_an_unknown_unit_is_refused() -> None:
    """The choices are in the error."""
    with pytest.raises(ConfigError, match="unit of offsets"):
        masked(answer_for(["שלום"], [span(0, 2)]), ["שלום"], offsets="bytes")  # type: ignore[arg-type]  # a typo


WORDS = ["a", " ", "é", "e\u0301", "שׁ", "ם", "€", "😀", "👋🏽", "👨\u200d👩"]
# Letters that stand in no word above and in no mask, so that one that remains is seen.
VALUES = ["z", "Ω", "ü", "u\u0308", "ת", "🚀", "👍🏿", "💂\u200d♀\ufe0f"]
words = st.lists(st.sampled_from(WORDS), max_size=4).map("".join)
values = st.lists(st.sampled_from(VALUES), min_size=1, max_size=4).map("".join)


@pytest.mark.parametrize("unit", LENGTHS)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(before=words, value=values, after=words)
def test_no_character_of_a_value_remains(unit: str, before: str, value: str, after: str) -> None:
    """Whatever the server counts in, the value is gone, with the unit unknown and with it given."""
    text = f"{before}{value}{after}"
    length = LENGTHS[unit]
    answer = answer_for([text], [span(length(before), length(before + value), mask="<X>")])
    for offsets in ("cover", unit):
        [message] = masked(answer, [text], offsets=offsets)  # type: ignore[arg-type]  # a unit, as a plain text
        assert isinstance(message.content, str)
        left = set(message.content) & (set(value) - set("\u200d\ufe0f\u2640"))
        assert not left
        assert "<X>" in message.content


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(words, min_size=1, max_size=3), st.data())
def test_a_masked_copy_is_what_comes_out(originals: list[str], data: st.DataObject) -> None:
    """Whatever a server makes of texts, the masked messages say exactly that."""
    originals = [text for text in originals if text]
    copies = [data.draw(words, label="copy") for _ in originals]
    answer = answer_for(list(originals), [{"action": "AUTO_MASKING"}], [user(text) for text in copies])
    assert [message.content for message in masked(answer, list(originals))] == copies


@pytest.mark.parametrize("unit", LENGTHS)
@given(before=words, value=values, after=words)
def test_a_copy_that_its_spans_explain_masks_no_more_than_it(unit: str, before: str, value: str, after: str) -> None:
    """Spans beside a masked copy tell the unit, and what comes out is the copy."""
    text, copy = f"{before}{value}{after}", f"{before}<X>{after}"
    length = LENGTHS[unit]
    found = [span(length(before), length(before + value), 0, mask="<X>")]
    [message] = masked(answer_for([text], found, [user(copy)]), [text])
    assert message.content == copy
