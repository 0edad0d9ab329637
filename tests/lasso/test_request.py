"""Messages to Lasso's messages: every role and shape, and that no text is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_guardrails import ConfigError, Message
from pytest_guardrails._model import ROLES, Scope
from pytest_guardrails._texts import texts_in_scope
from pytest_guardrails.lasso import sent
from pytest_guardrails.lasso._request import body_of


def wires(*messages: Any) -> list[Any]:
    """Return what is sent for messages, as plain JSON."""
    return json.loads(json.dumps([entry.wire for entry in sent(messages)]))  # type: ignore[no-any-return]


def call(arguments: Any, **more: Any) -> dict[str, Any]:
    """Return an assistant's message with one call of a tool."""
    function = {"name": "send", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}], **more}


def tool_use(value: Any) -> dict[str, Any]:
    """Return the message of a tool call as Lasso gets it."""
    return {"role": "model", "content": {"type": "tool_use", "id": "c1", "name": "send", "input": value}}


@pytest.mark.parametrize("role", ["user", "assistant", "system", "developer", "model"])
def test_text_keeps_its_role(role: str) -> None:
    """Roles that the server takes are sent as they are."""
    assert wires({"role": role, "content": "hi"}) == [{"role": role, "content": "hi"}]


@pytest.mark.parametrize("role", ["tool", "function"])
def test_a_tools_message_without_an_id_is_sent_as_plain_text(role: str) -> None:
    """The server refuses role ``tool``, and what is left out would be scanned by nobody."""
    assert wires({"role": role, "content": "72F"}) == [{"role": "developer", "content": "72F"}]


def test_empty_content_is_not_sent_and_whitespace_is() -> None:
    """Nothing is nothing; a blank is text."""
    assert wires({"role": "user", "content": ""}, {"role": "assistant"}, {"role": "user", "content": []}) == []
    assert wires(" ") == [{"role": "user", "content": " "}]


def test_parts_are_joined_and_pictures_left_out() -> None:
    """Text parts make one text, a line each; the data of a picture is no text."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    parts = [{"type": "text", "text": "one"}, picture, {"type": "text", "text": "two"}]
    assert wires({"role": "user", "content": parts}) == [{"role": "user", "content": "one\ntwo"}]


def test_what_fits_no_shape_is_sent_as_plain_text() -> None:
    """A part of an unknown kind, and the link of a picture, follow in a message of their own."""
    parts = [{"type": "refusal", "refusal": "no"}, {"type": "text", "text": "hi"}]
    assert wires({"role": "assistant", "content": parts}) == [
        {"role": "assistant", "content": "hi"},
        {"role": "assistant", "content": "no"},
    ]
    link = [{"type": "image_url", "image_url": {"url": "https://host/alice"}}]
    assert wires({"role": "user", "content": link}) == [{"role": "user", "content": "https://host/alice"}]


def test_anthropic_blocks_are_blocks() -> None:
    """``tool_use`` and ``tool_result`` among the parts become the blocks that Lasso knows."""
    used = {"type": "tool_use", "id": "t1", "name": "find", "input": {"q": "x"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "found"}]}
    assert wires(
        {"role": "assistant", "content": [{"type": "text", "text": "wait"}, used]},
        {"role": "user", "content": [result]},
    ) == [
        {"role": "assistant", "content": "wait"},
        {"role": "model", "content": used},
        {"role": "developer", "content": {"type": "tool_result", "tool_use_id": "t1", "content": "found"}},
    ]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ('{"to": "bob"}', {"to": "bob"}),
        ({"to": "bob"}, {"to": "bob"}),
        ("{to bob", {"arguments": "{to bob"}),
        ('"bob"', {"arguments": '"bob"'}),
        ('["bob"]', {"arguments": ["bob"]}),
        ("", {}),
        (None, {}),
        ('{"to": "a", "to": "b"}', {"to": ["a", "b"]}),
    ],
    ids=["json", "object", "broken", "string", "list", "empty", "null", "twice"],
)
def test_arguments_become_an_object(arguments: Any, value: Any) -> None:
    """The input of a tool call is always an object; every value of a repeated key is in it."""
    assert wires(call(arguments)) == [tool_use(value)]


def test_numbers_that_json_has_no_word_for_are_sent_as_written() -> None:
    """NaN would make the body invalid: the arguments go as text, and the texts in them in plain."""
    assert wires(call('{"n": NaN, "to": "bob"}')) == [
        tool_use({"arguments": '{"n": NaN, "to": "bob"}'}),
        {"role": "assistant", "content": "bob"},
    ]


def test_json_inside_json_is_sent_in_plain_too() -> None:
    """Escapes hide nothing from the classifier."""
    inner = '{"to": "\\u0062ob"}'
    assert wires(call(json.dumps({"arguments": inner}))) == [
        tool_use({"arguments": inner}),
        {"role": "assistant", "content": "bob"},
    ]


def test_custom_and_flat_calls_are_calls() -> None:
    """OpenAI's custom tools and calls without ``function`` are read as well."""
    custom = {"id": "c1", "type": "custom", "custom": {"name": "send", "input": "to bob"}}
    flat = {"id": "c1", "name": "send", "input": {"to": "bob"}}
    assert wires({"role": "assistant", "tool_calls": [custom]}) == [tool_use({"arguments": "to bob"})]
    assert wires({"role": "assistant", "tool_calls": [flat]}) == [tool_use({"to": "bob"})]


def test_each_text_knows_where_it_came_from() -> None:
    """Segments are the fields of the engine, with their offsets in what is sent; indexes count all messages."""
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "three"}]
    first, second = sent(["", {"role": "user", "content": parts}, call('{"to": "bob"}')])
    assert (first.message_index, first.text) == (1, "one\nthree")
    assert [(part.field, part.start, part.end) for part in first.segments] == [
        ("content.0.text", 0, 3),
        ("content.1.text", 4, 9),
    ]
    assert (second.message_index, second.text) == (2, None)
    assert [(part.field, part.end) for part in second.segments] == [("tool_calls.0.function.arguments#.to", 3)]


def test_only_the_asked_for_messages_are_sent() -> None:
    """``only`` chooses by index, and the indexes stay."""
    assert [entry.message_index for entry in sent(["a", "b", "c"], only={0, 2})] == [0, 2]


def test_the_body_has_what_was_given_and_nothing_else() -> None:
    """Empty fields are left out, the user is cut at 128 characters, and there is no source."""
    entries = sent(["hi"])
    assert body_of(entries) == {"messages": [{"role": "user", "content": "hi"}], "messageType": "PROMPT"}
    body = body_of(entries, message_type="COMPLETION", session_id="s", user_id="u" * 200, tools=[{"name": "t"}])
    assert (body["messageType"], body["sessionId"], len(body["userId"])) == ("COMPLETION", "s", 128)
    assert body["tools"] == [{"name": "t"}]


@pytest.mark.parametrize("tool", [{"type": "function"}, {"function": {"description": "x"}}, "t", {"name": 1}])
def test_a_tool_without_a_name_is_refused(tool: Any) -> None:
    """What cannot be a tool is named as such."""
    with pytest.raises(ConfigError, match="tool"):
        body_of(sent(["hi"]), tools=[tool])


def test_an_unknown_message_type_is_refused() -> None:
    """The choices are in the error."""
    with pytest.raises(ConfigError, match="COMPLETION, PROMPT"):
        body_of(sent(["hi"]), message_type="prompt")


keys = st.text(max_size=4) | st.just("arguments")
values = st.recursive(
    st.text(max_size=6) | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4) | st.just("arguments"), inner, max_size=2)
    ),
    max_leaves=5,
)
arguments = st.text(max_size=8) | values | values.map(json.dumps) | st.just('{"a": "x", "a": "\\u0041", "n": NaN}')
parts = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, st.text(max_size=6)),
    st.builds(lambda value: {"type": "tool_use", "id": "t", "name": "n", "input": value}, values),
    st.builds(lambda value: {"type": "tool_result", "tool_use_id": "t", "content": value}, values),
    st.dictionaries(st.sampled_from(["type", "text", "url", "x"]), values, max_size=3),
)
calls = st.one_of(
    st.builds(lambda value: {"id": "c", "function": {"name": "n", "arguments": value}}, arguments),
    st.builds(lambda value: {"id": "c", "custom": {"name": "n", "input": value}}, arguments),
    st.dictionaries(st.sampled_from(["id", "function", "custom", "input", "x"]), values, max_size=3),
)
messages = st.builds(
    Message,
    st.sampled_from(ROLES),
    st.none() | st.text(max_size=8) | st.lists(parts, max_size=3),
    tool_calls=st.lists(calls, max_size=2),
    tool_call_id=st.none() | st.just("c"),
)


def told(value: Any) -> list[str]:
    """Return every string and number of what is sent."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in told(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in told(item)]
    return [value if isinstance(value, str) else str(value)]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(messages)
def test_every_text_of_a_message_is_sent(message: Message) -> None:
    """Whatever the shape, each text that the engine sees is in some message, which is JSON of a role that is taken."""
    entries = sent([message])
    wire = json.loads(json.dumps([entry.wire for entry in entries], allow_nan=False))
    assert {entry["role"] for entry in wire} <= {"user", "assistant", "system", "developer", "model"}
    said = told([entry["content"] for entry in wire])
    for text in texts_in_scope((message,), Scope()):
        assert text.text == "" or any(text.text in one for one in said)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(messages)
def test_every_segment_is_a_text_of_its_message(message: Message) -> None:
    """Each segment names a text that the engine sees, and stands where it says."""
    texts = {text.field: text.text for text in texts_in_scope((message,), Scope())}
    for entry in sent([message]):
        for part in entry.segments:
            text = texts[part.field]
            assert part.end - part.start == len(text)
            assert entry.text is None or entry.text[part.start : part.end] == text
