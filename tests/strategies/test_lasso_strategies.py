"""What the strategies of the Lasso API draw: valid where they say so, malformed where they say so, and small."""

from __future__ import annotations

import json
import re
from typing import Any

import hypothesis.strategies as st
import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from pytest_guardrails import strategies
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._faults import FAULTS
from pytest_guardrails.strategies import api_errors, lasso_requests, lasso_responses, malformed_lasso_responses

ULID = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
STRING = {"type": "string"}


def block_of(kind: str, **fields: Any) -> dict[str, Any]:
    """Return the schema of a content block, of which nothing may be missing or more."""
    keys = {"type": {"const": kind}, **fields}
    return {"type": "object", "properties": keys, "required": list(keys), "additionalProperties": False}


def message(roles: list[str], *contents: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a message."""
    keys = {"role": {"enum": roles}, "content": {"anyOf": list(contents)}}
    return {"type": "object", "properties": keys, "required": ["role", "content"], "additionalProperties": False}


REQUEST = {
    "type": "object",
    "required": ["messages", "messageType"],
    "additionalProperties": False,
    "properties": {
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    message(["user", "assistant", "system", "developer"], STRING),
                    message(
                        ["model"],
                        block_of("tool_use", id=STRING, name=STRING, input={"type": "object"}),
                        block_of("reasoning", content=STRING),
                    ),
                    message(["developer"], block_of("tool_result", tool_use_id=STRING, content=STRING)),
                ]
            },
        },
        "messageType": {"enum": ["PROMPT", "COMPLETION"]},
        "sessionId": {"type": "string", "pattern": ULID},
        "userId": {"type": "string", "minLength": 1, "maxLength": 128},
        "tools": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {"name": STRING, "description": STRING, "parameters": {"type": "object"}},
            },
        },
    },
}
FINDING = {
    "type": "object",
    "dependentRequired": {"start": ["end"], "end": ["start"]},
    "properties": {
        **dict.fromkeys(("name", "category", "action", "severity", "mask"), STRING),
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        **{key: {"type": "integer", "minimum": 0} for key in ("message_index", "start", "end")},
    },
}
RESPONSE = {
    "type": "object",
    "required": ["violations_detected", "deputies", "findings"],
    "properties": {
        "violations_detected": {"type": "boolean"},
        "deputies": {"type": "object", "additionalProperties": {"type": "boolean"}},
        "findings": {"type": "object", "additionalProperties": {"type": "array", "minItems": 1, "items": FINDING}},
        "messages": {"type": "array", "items": message(["user"], STRING)},
    },
}


def is_sound(body: bytes) -> bool:
    """True if a body is an answer: the reference, which shares no line with the client."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key comes twice")
        return dict(pairs)

    def no_number(word: str) -> None:
        raise ValueError(word)

    try:
        answer = json.loads(body.decode("utf-8"), object_pairs_hook=once, parse_constant=no_number)
        jsonschema.validate(answer, RESPONSE)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return False
    return True


def findings_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every finding of an answer."""
    return [finding for found in answer["findings"].values() for finding in found]


def says_block(answer: dict[str, Any]) -> bool:
    """True if some finding says BLOCK."""
    return any(finding.get("action") == "BLOCK" for finding in findings_of(answer))


@given(lasso_requests())
def test_requests_have_the_shape_of_the_wire(body: dict[str, Any]) -> None:
    """A request satisfies its schema and is JSON in UTF-8."""
    jsonschema.validate(body, REQUEST)
    assert json.loads(json.dumps(body, ensure_ascii=False).encode()) == body


@given(lasso_responses())
def test_answers_are_valid_and_agree_with_themselves(answer: dict[str, Any]) -> None:
    """An answer satisfies its schema, violates exactly where it found something, and lists no deputy wrongly."""
    assert is_sound(json.dumps(answer, ensure_ascii=False).encode())
    assert answer["violations_detected"] is bool(findings_of(answer))
    assert all(fired is (name in answer["findings"]) for name, fired in answer["deputies"].items())
    for finding in findings_of(answer):
        assert finding.get("start", 0) < finding.get("end", 1)


@settings(max_examples=40)
@given(st.data(), st.sampled_from([True, False]))
def test_options_are_kept(data: st.DataObject, wanted: bool) -> None:
    """What an option asks for is there, and what it refuses is not."""
    assert says_block(data.draw(lasso_responses(block=wanted))) is wanted
    assert data.draw(lasso_responses(violations=wanted))["violations_detected"] is wanted
    assert ("messages" in data.draw(lasso_responses(messages=wanted))) is wanted
    spanned = data.draw(lasso_responses(violations=True, spans=wanted))
    assert all(("start" in finding) is wanted for finding in findings_of(spanned))
    acted = data.draw(lasso_responses(violations=True, actions=["WARN", "BLOCK"], block=wanted))
    assert {finding["action"] for finding in findings_of(acted)} <= ({"WARN", "BLOCK"} if wanted else {"WARN"})


@given(st.data(), st.lists(st.text(), min_size=1, max_size=3))
def test_spans_fit_the_texts_that_were_sent(data: st.DataObject, texts: list[str]) -> None:
    """Every index is that of a text, and every span lies inside its text."""
    answer = data.draw(lasso_responses(violations=True, texts=texts))
    for finding in findings_of(answer):
        text = texts[finding.get("message_index", 0)]
        assert 0 <= finding.get("start", 0) < finding.get("end", 1) <= max(1, len(text))
    assert len(answer.get("messages", texts)) == len(texts)


@given(st.data())
def test_masked_messages_hold_nothing_of_what_was_masked(data: st.DataObject) -> None:
    """The messages are the texts as sent, or the texts with every span of AUTO_MASKING replaced and nothing else."""
    answer = data.draw(lasso_responses(actions=["AUTO_MASKING"], violations=True, messages=True, texts=["abcdef"]))
    (said,) = (message["content"] for message in answer["messages"])
    spans = [range(finding["start"], finding["end"]) for finding in findings_of(answer) if "start" in finding]
    kept = [letter for index, letter in enumerate("abcdef") if not any(index in span for span in spans)]
    assert said == "abcdef" or len(kept) < 6
    masks = "".join(finding.get("mask", "<REDACTED>") for finding in findings_of(answer))
    gone = set("abcdef") - set(kept) - set(masks)
    assert said == "abcdef" or not gone & set(said)


def test_messages_come_masked_and_as_they_were() -> None:
    """Both forms of /classifix are drawn: the masked copy, and the texts as sent beside spans."""
    seen = set()

    @settings(derandomize=True, phases=[Phase.generate], database=None)
    @given(lasso_responses(actions=["AUTO_MASKING"], violations=True, spans=True, messages=True, texts=["abc"]))
    def draw(answer: dict[str, Any]) -> None:
        seen.add(answer["messages"][0]["content"] == "abc")

    draw()
    assert seen == {True, False}


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(malformed_lasso_responses())
def test_no_malformed_answer_is_an_answer(body: bytes) -> None:
    """The reference takes none of them for an answer, and none says BLOCK."""
    assert not is_sound(body)
    assert b'"BLOCK"' not in body


@given(lasso_responses(block=False))
def test_the_reference_knows_an_answer(answer: dict[str, Any]) -> None:
    """The reference is no constant: what malformed answers are made from is sound."""
    assert is_sound(json.dumps(answer).encode())


KINDS = {
    "empty": lambda body: body == b"",
    "page": lambda body: body.startswith(b"<!doctype html"),
    "NaN": lambda body: b"NaN" in body,
    "no UTF-8": lambda body: b"\xff" in body,
    "deep": lambda body: b"[" * 1000 in body,
    "verdict twice": lambda body: body.count(b'"violations_detected"') == 2,
    "verdict a string": lambda body: b'"violations_detected": "true"' in body,
    "verdict a number": lambda body: b'"violations_detected": 1' in body,
    "verdict null": lambda body: b'"violations_detected": null' in body,
    "no verdict": lambda body: is_whole(body) and b"violations_detected" not in body,
    "findings null": lambda body: b'"findings": null' in body,
    "findings a list": lambda body: b'"findings": []' in body,
    "findings a string": lambda body: b'"findings": "none"' in body,
    "no findings": lambda body: is_whole(body) and b'"findings"' not in body,
    "deputy null": lambda body: re.search(rb'"findings": {"[^"]*": null', body),
    "deputy an object": lambda body: re.search(rb'"findings": {"[^"]*": {}', body),
    "finding null": lambda body: re.search(rb'"findings": {"[^"]*": \[null', body),
    "deputies a list": lambda body: b'"deputies": []' in body,
    "messages an object": lambda body: b'"messages": {}' in body,
    "null": lambda body: body == b"null",
    "list": lambda body: body.startswith(b"["),
    "string": lambda body: body.startswith(b'"'),
    "cut off": lambda body: body.startswith(b"{") and not body.endswith((b"}", b"]", b"x", b"l")),
    "more": lambda body: body.endswith(b"}x"),
}


def is_whole(body: bytes) -> bool:
    """True if a body looks like an object that was not cut off."""
    return body.startswith(b"{") and body.endswith(b"}")


def test_every_kind_of_malformed_answer_is_drawn() -> None:
    """Each way in which an answer can be wrong turns up among a thousand draws."""
    missing = set(KINDS)

    @settings(derandomize=True, max_examples=1_000, phases=[Phase.generate], database=None)
    @given(malformed_lasso_responses())
    def draw(body: bytes) -> None:
        missing.difference_update([kind for kind in missing if KINDS[kind](body)])

    draw()
    assert missing == set()


@given(api_errors())
def test_api_errors_are_faults_of_the_catalogue(name: str) -> None:
    """What is drawn names a fault."""
    assert FAULTS[name].name == name


def test_they_shrink_to_the_smallest() -> None:
    """The simplest of each is as small as it can be; a block comes down to one finding of one deputy."""
    smallest = {"deputies": {}, "findings": {}, "violations_detected": False}
    assert find(lasso_requests(), lambda _: True) == {
        "messages": [{"role": "user", "content": ""}],
        "messageType": "PROMPT",
    }
    assert find(lasso_responses(), lambda _: True) == smallest
    assert find(malformed_lasso_responses(), lambda _: True) == b""
    blocked = find(lasso_responses(), says_block)
    assert {**blocked, "findings": {}} == {**smallest, "violations_detected": True}
    # Which of its optional fields remain differs from run to run: Hypothesis sometimes stops with two of them.
    assert [(deputy, [item["action"] for item in items]) for deputy, items in blocked["findings"].items()] == [
        ("jailbreak", ["BLOCK"])
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"block": True, "violations": False}, "a finding that says BLOCK is a violation"),
        ({"block": True, "actions": ["WARN"]}, "BLOCK is not among the actions"),
        ({"block": False, "actions": ["BLOCK"]}, "BLOCK is the only action"),
        ({"actions": []}, "one word or more"),
        ({"actions": "BLOCK"}, "one word or more, in a list"),
        ({"spans": True, "texts": ["", ""]}, "no text has a character"),
        ({"texts": "hello"}, "a list of texts"),
        ({"texts": []}, "a list of texts"),
    ],
)
def test_options_that_cannot_be_met_are_refused(options: dict[str, Any], said: str) -> None:
    """A contradiction is an error where it is written, not an endless search."""
    with pytest.raises(ConfigError, match=said):
        lasso_responses(**options)


def test_the_public_names_are_sorted_and_documented() -> None:
    """``__all__`` is sorted, and each name has a docstring."""
    assert strategies.__all__ == sorted(set(strategies.__all__))
    assert all(getattr(strategies, name).__doc__ for name in strategies.__all__)
