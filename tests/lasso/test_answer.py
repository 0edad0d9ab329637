"""Bodies of answers: read whole, whatever their bytes, with every oddity and conflict named and no text quoted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails.lasso import LassoAnswer, read_answer

FINDING = {"name": "Jailbreak", "category": "SAFETY", "action": "BLOCK", "severity": "HIGH"}


def read(**changes: Any) -> LassoAnswer:
    """Return the reading of a sound answer with a BLOCK, changed at the top."""
    body = {"violations_detected": True, "deputies": {"jailbreak": True}, "findings": {"jailbreak": [FINDING]}}
    return read_answer(json.dumps(body | changes).encode())


def with_finding(**changes: Any) -> LassoAnswer:
    """Return the reading of an answer with one finding, changed."""
    return read(findings={"jailbreak": [FINDING | changes]})


def kinds(answer: LassoAnswer) -> list[str]:
    """Return the kinds of the conflicts, in order."""
    return [conflict.kind for conflict in answer.conflicts]


def test_a_sound_answer_is_typed_and_whole(payload: Callable[[str], Any]) -> None:
    """Findings carry their deputy and every field; the rest is kept as it came."""
    body = payload("mixed_block") | {"trace": {"id": "x"}}
    answer = read_answer(json.dumps(body).encode())
    assert (answer.oddities, answer.conflicts, answer.violations_detected) == ((), (), True)
    assert [(f.deputy, f.name, f.action, f.score) for f in answer.findings] == [
        ("pattern-detection", "Email Address", "AUTO_MASKING", None),
        ("illegality", "Illegality", "BLOCK", 0.9908),
    ]
    assert json.loads(json.dumps(answer.raw)) == body
    assert answer.findings[1].raw == body["findings"]["illegality"][0]


@pytest.mark.parametrize(
    "name",
    [
        "clean", "clean_minimal", "clean_classifix", "jailbreak_block", "masking_spans", "masking_no_spans",
        "masking_spans_unmasked_messages", "masking_two_fields", "warn_only", "mixed_block", "alert_only_span",
        "two_blocks_completion", "v2_v3_hybrid",
    ],
)  # fmt: skip
def test_published_payloads_are_sound(name: str, payload: Callable[[str], Any]) -> None:
    """No shape that some integrator publishes is odd or in conflict with itself."""
    answer = read_answer(json.dumps(payload(name)).encode())
    assert (answer.oddities, answer.conflicts) == ((), ())


def test_a_deputy_without_finding_is_a_conflict_alone(payload: Callable[[str], Any]) -> None:
    """Portkey's own test has one: it is flagged, and the BLOCK of the other counts."""
    answer = read_answer(json.dumps(payload("deputy_without_findings")).encode())
    assert (answer.oddities, kinds(answer), answer.delivers_block) == ((), ["deputy_without_finding"], True)


def test_an_answer_of_v2_is_said_to_look_like_one(payload: Callable[[str], Any]) -> None:
    """Scores without findings are v2's shape."""
    assert read_answer(json.dumps(payload("v2")).encode()).oddities == ("findings is missing; it looks like v2",)


@pytest.mark.parametrize(
    ("body", "oddity"),
    [
        (b"", "the body is empty"),
        (b" \n", "the body is empty"),
        (b"<html>", "the body is not JSON"),
        (b'{"violations_detected": true', "the body is not JSON"),
        (b"\xff\xfe{}", "the body is not UTF-8"),
        (b"\xef\xbb\xbf{}", "the body is not JSON"),
        (b"null", "the body is null, not an object"),
        (b"true", "the body is a boolean, not an object"),
        (b'"BLOCK"', "the body is a string, not an object"),
        (b"7", "the body is a number, not an object"),
        (b"[{}]", "the body is a list, not an object"),
        (b'{"a": NaN}', "the body has a number that JSON or Python has no word for"),
        (b'{"a": 1e999}', "the body has a number that JSON or Python has no word for"),
        (b'{"a": ' + b"9" * 5000 + b"}", "the body has a number that JSON or Python has no word for"),
        (b'{"a": ' * 200 + b"1" + b"}" * 200, "the body is nested too deeply"),
        (b"[" * 100_000, "the body is nested too deeply"),
    ],
    ids=[
        "empty", "blank", "html", "cut", "utf16", "bom", "null", "true", "string", "number", "list", "nan", "infinite",
        "endless", "deep", "very-deep",
    ],
)  # fmt: skip
def test_what_is_no_object_is_an_oddity(body: bytes, oddity: str) -> None:
    """Bytes that are no JSON object are named for what they are, and nothing is read from them."""
    answer = read_answer(body)
    assert answer.oddities == (oddity,)
    assert (answer.violations_detected, answer.findings, answer.raw) == (None, (), {})


@pytest.mark.parametrize(
    ("changes", "oddity"),
    [
        ({"violations_detected": None}, "violations_detected is null, not a boolean"),
        ({"violations_detected": "true"}, "violations_detected is a string, not a boolean"),
        ({"violations_detected": 1}, "violations_detected is a number, not a boolean"),
        ({"findings": None}, "findings is null, not an object"),
        ({"findings": []}, "findings is a list, not an object"),
        ({"findings": {"jailbreak": None}}, "the findings of 'jailbreak' are null, not a list"),
        ({"findings": {"jailbreak": FINDING}}, "the findings of 'jailbreak' are an object, not a list"),
        ({"findings": {"jailbreak": [None]}}, "a finding of 'jailbreak' is null, not an object"),
        ({"deputies": None}, "deputies is null, not an object"),
        ({"deputies": ["jailbreak"]}, "deputies is a list, not an object"),
        ({"messages": {}}, "messages is an object, not a list"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_part_of_the_wrong_type_is_an_oddity(changes: dict[str, Any], oddity: str) -> None:
    """Each part has one type; another makes the answer no verdict."""
    assert read(**changes).oddities == (oddity,)


@pytest.mark.parametrize("key", ["violations_detected", "findings"])
def test_a_missing_part_is_an_oddity(key: str) -> None:
    """Without one of the two parts of every answer there is no verdict."""
    body = {"violations_detected": False, "deputies": {}, "findings": {}}
    del body[key]
    assert read_answer(json.dumps(body).encode()).oddities == (f"{key} is missing",)


def test_an_action_that_is_no_string_is_an_oddity() -> None:
    """What is to be done cannot be guessed from another type."""
    assert with_finding(action=["BLOCK"]).oddities == (
        "the action of a finding of 'jailbreak' is a list, not a string",
    )


def test_a_repeated_key_is_an_oddity() -> None:
    """Of two values of one key, readers take different ones: neither is a verdict."""
    body = b'{"violations_detected": true, "violations_detected": false, "deputies": {}, "findings": {}}'
    assert read_answer(body).oddities == ("the body has an object with the same key twice",)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"findings": {}, "deputies": {}}, "violations_without_findings"),
        ({"violations_detected": False}, "block_without_violations"),
        ({"deputies": {"jailbreak": True, "hate": True}}, "deputy_without_finding"),
        ({"deputies": {"jailbreak": False}}, "finding_without_deputy"),
        ({"deputies": {"jailbreak": None}}, "unusable_field"),
    ],
    ids=["no-findings", "no-violations", "no-finding", "no-deputy", "null-deputy"],
)
def test_parts_that_contradict_each_other_are_a_conflict(changes: dict[str, Any], kind: str) -> None:
    """A contradiction is flagged and makes no oddity."""
    answer = read(**changes)
    assert (answer.oddities, kinds(answer)) == ((), [kind])


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"action": None}, "missing_action"),
        ({"action": "block"}, "unknown_action"),
        ({"start": 1}, "unusable_span"),
        ({"end": 1}, "unusable_span"),
        ({"start": 1.0, "end": 2.0}, "unusable_span"),
        ({"start": "1", "end": "2"}, "unusable_span"),
        ({"start": True, "end": 2}, "unusable_span"),
        ({"start": -1, "end": 2}, "unusable_span"),
        ({"start": 2, "end": 2}, "unusable_span"),
        ({"message_index": -1, "start": 0, "end": 2}, "unusable_span"),
        ({"message_index": "0"}, "unusable_span"),
        ({"name": 7}, "unusable_field"),
        ({"mask": {}}, "unusable_field"),
        ({"score": "high"}, "unusable_field"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(f"{key}={value[key]}" for key in value),
)
def test_a_field_that_cannot_be_used_is_a_conflict(changes: dict[str, Any], kind: str) -> None:
    """The finding stays, without the field, and a half-usable span is no span."""
    answer = with_finding(**changes)
    assert kind in kinds(answer)
    assert answer.oddities == ()
    assert (answer.findings[0].start, answer.findings[0].end) == (None, None)
    assert answer.findings[0].raw == FINDING | changes


@pytest.mark.parametrize("action", ["AUTO_MASKING", "WARN", "USER_ALERT", "ADMIN_ALERT", "OFF"])
def test_known_actions_are_no_conflict(action: str) -> None:
    """Every action that some source shows is known."""
    assert kinds(with_finding(action=action)) == []


@pytest.mark.parametrize(
    ("violations", "delivers"), [(True, True), ("yes", True), (1, True), (False, False), (None, False)]
)
def test_a_block_is_delivered_beside_violations_alone(violations: Any, delivers: bool) -> None:
    """Anything true will do: who says BLOCK and 1 does not mean that all is well."""
    answer = read(violations_detected=violations)
    assert (answer.blocks, answer.delivers_block) == (True, delivers)


def test_oddities_and_conflicts_quote_no_text_of_the_body() -> None:
    """Names that are no short label, and values, are never repeated."""
    personal = "alice" + "@" + "example.com"
    finding = FINDING | {"action": personal, "name": [personal], "start": personal}
    for findings in ({personal: None}, {personal: [finding]}, personal):
        answer = read(findings=findings, deputies={personal: True}, violations_detected=personal)
        assert personal not in " ".join([*answer.oddities, *(conflict.detail for conflict in answer.conflicts)])


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_reading_is_total(body: bytes) -> None:
    """No bytes crash it, and what is no object is odd."""
    assert read_answer(body).oddities


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
findings = st.dictionaries(
    st.sampled_from(["name", "category", "action", "severity", "score", "message_index", "start", "end", "mask"]),
    values,
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "violations_detected": st.booleans() | values,
        "deputies": st.dictionaries(st.text(max_size=4), values, max_size=2) | values,
        "findings": st.dictionaries(st.text(max_size=4), st.lists(findings | values, max_size=2) | values, max_size=2),
        "messages": values,
    },
)


@given(bodies)
def test_any_object_is_read_and_kept(body: dict[str, Any]) -> None:
    """Whatever stands in its places, an object is read without a crash, kept whole, and is hashable."""
    answer = read_answer(json.dumps(body).encode())
    if not any("no word for" in oddity for oddity in answer.oddities):  # 1e999 and the like
        assert json.loads(json.dumps(answer.raw)) == body
    hash(answer)
