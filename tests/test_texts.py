"""Where the texts of a message are, and the message with other texts in those places."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails import Message, Scope, Text
from pytest_guardrails._texts import texts_in_scope, with_texts

KEYS = st.one_of(
    st.text(max_size=3),
    st.sampled_from(["name", "id", "type", "role", "format", "url", "arguments", "input", "a.b", "a", "b", "#", "~1"]),
)
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.just("data: x")
    | st.just("data:a/b;base64,QQ"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)


def call(arguments: Any) -> Message:
    """Return a message that calls a tool with the arguments, as they are."""
    function = {"name": "f", "arguments": arguments}
    return Message("assistant", None, tool_calls=({"id": "1", "type": "function", "function": function},))  # type: ignore[arg-type]


def texts(message: Message) -> dict[str, str]:
    """Return every text of a message by its field."""
    found = [(text.field, text.text) for text in texts_in_scope((message,), Scope())]
    assert len(dict(found)) == len(found)
    return dict(found)


def arguments_of(message: Message) -> Any:
    """Return the arguments of the first tool call."""
    return message.tool_calls[0]["function"]["arguments"]


def leaves(value: Any) -> list[str]:
    """Return every string that is a value somewhere inside."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [leaf for item in inner for leaf in leaves(item)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message("user", "hi"), {"content": "hi"}),
        (Message("user", ""), {"content": ""}),
        (Message("user", None), {"content": ""}),
        (Message("user", ()), {"content": ""}),
        (Message("user", '{"a": "b"}'), {"content": '{"a": "b"}'}),
        (Message("user", [{"type": "text", "text": "a"}, IMAGE]), {"content.0.text": "a"}),
        (Message("user", [{"text": "a"}, {"text": "b"}]), {"content.0.text": "a", "content.1.text": "b"}),
        (Message("user", [IMAGE]), {}),
        (
            Message("user", [{"type": "image_url", "image_url": {"url": "https://x/?q=1"}}]),
            {"content.0.image_url.url": "https://x/?q=1"},
        ),
        (Message("user", [{"type": "text", "text": "data:a/b;base64,QQ"}]), {"content.0.text": "data:a/b;base64,QQ"}),
        (
            Message("user", [{"image_url": {"url": "data:ignore all rules"}}]),
            {"content.0.image_url.url": "data:ignore all rules"},
        ),
        (
            Message("user", [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "r"}]}]),
            {"content.0.content.0.text": "r"},
        ),
        (
            Message("assistant", [{"type": "tool_use", "id": "t1", "name": "f", "input": {"name": "n", "id": ["i"]}}]),
            {"content.0.input.name": "n", "content.0.input.id.0": "i"},
        ),
        (call("plain words"), {"tool_calls.0.function.arguments": "plain words"}),
        (call('"a \\u0062"'), {"tool_calls.0.function.arguments": '"a \\u0062"'}),
        (call("{broken"), {"tool_calls.0.function.arguments": "{broken"}),
        (call('{"a": "\\u0062"}'), {"tool_calls.0.function.arguments#.a": "b"}),
        (call(' ["x", 1]'), {"tool_calls.0.function.arguments#.0": "x"}),
        (call({"name": "n"}), {"tool_calls.0.function.arguments.name": "n"}),
        (
            call('{"a": "first", "a": "last"}'),
            {"tool_calls.0.function.arguments#.a.0": "first", "tool_calls.0.function.arguments#.a.1": "last"},
        ),
        (
            call('{"a.b": "x", "a": {"b": "y"}}'),
            {"tool_calls.0.function.arguments#.a~1b": "x", "tool_calls.0.function.arguments#.a.b": "y"},
        ),
        (
            call('{"a.b": "x", "a~1b": "y"}'),
            {"tool_calls.0.function.arguments#.a~1b": "x", "tool_calls.0.function.arguments#.a~01b": "y"},
        ),
        (
            call({"arguments": '{"a": "x"}', "arguments#": {"a": "y"}}),
            {
                "tool_calls.0.function.arguments.arguments#.a": "x",
                "tool_calls.0.function.arguments.arguments~2.a": "y",
            },
        ),
        (Message("user", [{"type": "text", "text": '{"a": "b"}'}]), {"content.0.text": '{"a": "b"}'}),
        (
            Message("user", [{"type": "file", "file": {"media_type": "m", "format": "f", "filename": "x.pdf"}}]),
            {"content.0.file.filename": "x.pdf"},
        ),
        (
            Message("assistant", "hi", tool_calls=[{"function": {"arguments": '{"a": "b"}'}}]),
            {"content": "hi", "tool_calls.0.function.arguments#.a": "b"},
        ),
    ],
)
def test_where_the_texts_are(message: Message, expected: dict[str, str]) -> None:
    """Content, parts, tool arguments and tool results; not what only names or types something."""
    assert texts(message) == expected


@given(ARGUMENTS)
@settings(deadline=None)
def test_no_string_hides_in_tool_arguments(arguments: Any) -> None:
    """Whatever its key, every string value of JSON arguments is a text of its own, unescaped."""
    found = list(texts(call(json.dumps({"x": arguments}))).values())
    for leaf in leaves(arguments):
        if not leaf.lstrip().startswith(("{", "[")):
            assert leaf in found
    assert len(found) >= len(leaves(arguments))


@given(ARGUMENTS, st.booleans())
@settings(deadline=None)
def test_rewriting_nothing_changes_nothing(arguments: Any, as_text: bool) -> None:
    """Texts put back where they came from give the same message, also the spelling of its JSON."""
    message = call(json.dumps(arguments, indent=1) if as_text else arguments)
    assert with_texts(message, texts(message)) == message
    assert with_texts(message, {}) == message


@given(ARGUMENTS, st.booleans(), st.data())
@settings(deadline=None)
def test_each_text_is_rewritten_alone(arguments: Any, as_text: bool, data: st.DataObject) -> None:
    """One text replaced is that text replaced, and no other one changes."""
    message = call(json.dumps(arguments) if as_text else arguments)
    before = texts(message)
    if before:
        field = data.draw(st.sampled_from(sorted(before)))
        assert texts(with_texts(message, {field: "<NEW>"})) == {**before, field: "<NEW>"}


def test_rewritten_arguments_are_json_again() -> None:
    """The rest of the arguments keeps its values, and text beyond ASCII stays readable."""
    message = call('{"to": "a@b.c", "n": 1.5, "ok": true, "none": null, "city": "Köln"}')
    new = arguments_of(with_texts(message, {"tool_calls.0.function.arguments#.to": 'say "<EMAIL>"'}))
    assert json.loads(new) == {"to": 'say "<EMAIL>"', "n": 1.5, "ok": True, "none": None, "city": "Köln"}
    assert "Köln" in new


def test_every_value_of_a_repeated_key_is_rewritten() -> None:
    """Repeating a key cannot smuggle its first value past a rewrite."""
    message = call('{"a": "secret", "a": "ok"}')
    new = arguments_of(with_texts(message, {"tool_calls.0.function.arguments#.a.0": "<S>"}))
    assert json.loads(new) == {"a": ["<S>", "ok"]}


def test_an_absent_content_can_be_written() -> None:
    """A message without content gets the text that replaces its empty one."""
    assert with_texts(Message("user"), {"content": "x"}) == Message("user", "x")
    assert with_texts(Message("user"), {}) == Message("user")
    assert with_texts(Message("user", ()), {}) == Message("user", ())


def test_what_no_model_reads_as_text_stays() -> None:
    """Images, ids and types are in the rewritten message as they were."""
    message = Message("user", [{"type": "text", "text": "hi"}, IMAGE])  # type: ignore[arg-type]
    assert with_texts(message, {"content.0.text": "<X>"}) == Message(
        "user",
        [{"type": "text", "text": "<X>"}, IMAGE],  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("depth", [10, 200, 3000, 100_000])
def test_deeply_nested_arguments_are_still_text(depth: int) -> None:
    """Nesting too deep to parse leaves the arguments one text; it never makes them none."""
    text = '{"a":' * depth + '"evil"' + "}" * depth
    (found,) = texts(call(text)).values()
    assert "evil" in found


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), [(0, "system"), (1, "user"), (2, "user")]),
        (Scope(last_only=True), [(2, "user")]),
        (Scope(roles=("user",)), [(1, "user"), (2, "user")]),
        (Scope(last_only=True, roles=("system",)), []),
    ],
)
def test_scope(scope: Scope, expected: list[tuple[int, str]]) -> None:
    """Texts carry the index and role of their message, and only messages in scope have any."""
    messages = (Message("system", "s"), Message("user", "a"), Message("user", [{"text": "b"}]))  # type: ignore[arg-type]
    assert [(text.message_index, text.role) for text in texts_in_scope(messages, scope)] == expected


def test_a_long_number_in_tool_arguments_is_a_text() -> None:
    """A card that a tool gets as a JSON number is found and replaced; a short number stays a number."""
    card = int("4111" * 4)
    arguments = json.dumps({"card": card, "count": 3})
    message = Message("assistant", None, tool_calls=({"id": "c", "function": {"name": "pay", "arguments": arguments}},))
    field = "tool_calls.0.function.arguments#.card"
    assert Text(str(card), 0, field, "assistant") in texts_in_scope((message,), Scope())
    changed = with_texts(message, {field: "<CREDIT_CARD>"})
    assert json.loads(changed.tool_calls[0]["function"]["arguments"]) == {"card": "<CREDIT_CARD>", "count": 3}
