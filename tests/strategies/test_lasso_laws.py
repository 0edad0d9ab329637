"""Laws of the Lasso client and check, over whatever an API may answer and whatever a caller may send."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from pytest_guardrails import Engine, Guardrail, Message, Phase, Request, Trace
from pytest_guardrails._faults import FaultTransport
from pytest_guardrails._model import ROLES, OnError, Scope
from pytest_guardrails._texts import texts_in_scope
from pytest_guardrails.lasso import POLICIES, Decision, LassoClassify, decide, read_answer, sent
from pytest_guardrails.lasso._request import body_of
from pytest_guardrails.strategies import api_errors, lasso_requests, lasso_responses, malformed_lasso_responses

BOTH = tuple(Phase)
UNITS = {
    "characters": len,
    "utf8": lambda text: len(text.encode()),
    "utf16": lambda text: len(text.encode("utf-16-le")) // 2,
}
LETTERS = "abc \u0301\u05d0\u05d1\u00e9\U0001f600\U0001f680\u4f60"  # of one to four bytes; no placeholder has one


def answering(body: bytes) -> httpx.BaseTransport:
    """Return an API that always answers with ``body``."""
    return httpx.MockTransport(
        lambda _: httpx.Response(200, content=body, headers={"content-type": "application/json"})
    )


def traced(
    transport: httpx.BaseTransport, phase: Phase, text: str = "hi", on_error: OnError = OnError.BLOCK, **options: Any
) -> Trace:
    """Return what becomes of a request behind one guardrail that asks an API."""
    check = LassoClassify(phase=phase, **options).connected(transport, None)
    return Engine((Guardrail("lasso", phase, (check,), on_error=on_error),)).run(text)


def dumped(answer: Any) -> bytes:
    """Return an answer as it comes over the wire."""
    return json.dumps(answer, ensure_ascii=False).encode()


def is_closed(trace: Trace) -> bool:
    """True if the request was blocked, upstream not called (before) and nothing delivered (after)."""
    before = trace.results[0].phase is Phase.BEFORE_REQUEST
    went_on = bool(trace.upstream_requests) if before else trace.response is not None
    return trace.verdict == "block" and not went_on


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(malformed_lasso_responses())
def test_no_malformed_answer_passes_a_guard_that_fails_safe(body: bytes) -> None:
    """Whatever the policy and the phase, what is no answer blocks, and is an error unless the policy is strict."""
    transport = answering(body)
    for policy in POLICIES:
        assert decide(read_answer(body), POLICIES[policy]) is not Decision.ALLOW
        for phase in BOTH:
            trace = traced(transport, phase, policy=policy)
            assert is_closed(trace)
            assert bool(trace.errors) is (policy != "strict" or not read_answer(body).oddities)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(malformed_lasso_responses())
def test_open_by_choice_is_said(body: bytes) -> None:
    """With ``on_error: allow`` the same answers pass, and the trace says by whose choice."""
    for phase in BOTH:
        trace = traced(answering(body), phase, on_error=OnError.ALLOW)
        assert trace.verdict == "allow"
        assert trace.failed_open_by_choice
        assert not trace.failed_open
        assert any("FAILED OPEN by choice" in warning for warning in trace.warnings)


@given(api_errors())
def test_no_fault_passes_a_guard_that_fails_safe(name: str) -> None:
    """Every way in which the API fails blocks, in both phases, under the loosest and the strictest policy."""
    clean = answering(b'{"deputies": {}, "findings": {}, "violations_detected": false}')
    for phase in BOTH:
        for policy in ("portkey", "strict"):
            assert is_closed(traced(FaultTransport(name, clean, on_call=1), phase, policy=policy))


@given(lasso_responses(block=False))
def test_no_answer_without_a_block_blocks_under_portkey(answer: dict[str, Any]) -> None:
    """Warnings, alerts, maskings and words that nobody knows are findings, and the request passes."""
    body = dumped(answer)
    assert read_answer(body).oddities == ()
    assert decide(read_answer(body)) is Decision.ALLOW
    for phase in BOTH:
        trace = traced(answering(body), phase)
        assert (trace.verdict, trace.errors) == ("allow", ())
        assert len(trace.findings) >= sum(map(len, answer["findings"].values()))


@given(lasso_responses(block=True))
def test_a_block_blocks_under_every_policy(answer: dict[str, Any]) -> None:
    """An answer that says BLOCK denies, whatever else and whatever unknown it says."""
    for policy in POLICIES:
        for phase in BOTH:
            trace = traced(answering(dumped(answer)), phase, policy=policy)
            assert is_closed(trace)
            assert (trace.action, trace.errors) == ("deny", ())


@given(lasso_responses())
def test_an_answer_is_kept_whole(answer: dict[str, Any]) -> None:
    """Reading loses no field, known or not."""
    read = read_answer(dumped(answer))
    assert json.loads(json.dumps(read.raw)) == answer
    found = [finding for items in answer["findings"].values() for finding in items]
    assert json.loads(json.dumps([finding.raw for finding in read.findings])) == found


words = st.text(max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
odd_json = st.sampled_from(('{"x": NaN}', '{"k": "one", "k": "two"}', '["1e999"', "[" * 3_000 + "]" * 3_000))
arguments = words | values | values.map(json.dumps) | odd_json
parts = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": words}),
    st.fixed_dictionaries({"type": st.just("tool_use"), "input": values}, optional={"id": words, "name": words}),
    st.fixed_dictionaries({"type": st.just("tool_result"), "content": values}, optional={"tool_use_id": words}),
    st.dictionaries(words | st.sampled_from(("type", "text", "image_url", "input")), values, max_size=3),
)
calls = st.one_of(
    st.fixed_dictionaries({"id": words, "function": st.fixed_dictionaries({"name": words, "arguments": arguments})}),
    st.dictionaries(words | st.sampled_from(("id", "function", "custom", "input")), values, max_size=3),
)
messages = st.builds(
    Message,
    st.sampled_from(ROLES),
    st.none() | words | st.lists(parts, max_size=3),
    tool_calls=st.lists(calls, max_size=2),
    tool_call_id=st.none() | words,
)


def strings(value: Any) -> list[str]:
    """Return every string and number that stands somewhere in JSON, and what is JSON inside of it."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in strings(item)]
    return [str(value)]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(messages, max_size=3))
def test_mapping_is_total_and_loses_no_text(given_messages: list[Message]) -> None:
    """Any messages map to a body that is JSON, and every text in them is in what is sent."""
    entries = sent(given_messages)
    body = json.loads(json.dumps(body_of(entries), allow_nan=False))
    assert all(entry["role"] not in ("tool", "function") for entry in body["messages"])
    told = strings(body["messages"])
    for text in texts_in_scope(tuple(given_messages), Scope()):
        assert not text.text or any(text.text in said for said in told), text


@given(lasso_requests())
def test_a_request_of_the_api_maps_to_itself(body: dict[str, Any]) -> None:
    """Texts of roles that the API knows are sent as they are, blocks as blocks of their kind; nothing is invented."""
    read = [
        Message(message["role"], content if isinstance(content, str) else [content])
        for message in body["messages"]
        for content in [message["content"]]
    ]
    wire = json.loads(json.dumps(body_of(sent(read), user_id=body.get("userId"), tools=body.get("tools"))))
    plain = [message for message in body["messages"] if isinstance(message["content"], str) and message["content"]]
    assert [message for message in wire["messages"] if message in plain] == plain
    assert wire.get("userId") == body.get("userId")
    assert wire.get("tools") == body.get("tools")
    kinds = {message["content"]["type"] for message in wire["messages"] if isinstance(message["content"], dict)}
    assert kinds <= {message["content"]["type"] for message in body["messages"] if isinstance(message["content"], dict)}


def in_units(finding: dict[str, Any], texts: list[str], width: Callable[[str], int]) -> dict[str, Any]:
    """Return a finding whose span counts in another unit than characters."""
    text = texts[finding.get("message_index", 0)]
    return {**finding, **{key: width(text[: finding[key]]) for key in ("start", "end")}}


@pytest.mark.parametrize("unit", UNITS)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=2))
def test_masking_leaves_no_character_of_a_masked_value(unit: str, data: st.DataObject, texts: list[str]) -> None:
    """In whatever unit the server counts, nothing of a span reaches the model, with and without a masked copy."""
    answer = data.draw(lasso_responses(actions=["AUTO_MASKING"], violations=True, spans=True, texts=texts))
    found = [finding for items in answer["findings"].values() for finding in items]
    marked = [[False] * len(text) for text in texts]
    for finding in found:
        for place in range(finding["start"], finding["end"]):
            marked[finding.get("message_index", 0)][place] = True
    masks = "".join(finding.get("mask", "") for finding in found)
    counted = {name: [in_units(f, texts, UNITS[unit]) for f in fs] for name, fs in answer["findings"].items()}
    body = dumped({**answer, "findings": counted})
    for policy in ("kong", "truefoundry"):
        check = LassoClassify(policy=policy, mask=True).connected(answering(body), None)
        trace = Engine((Guardrail("lasso", Phase.BEFORE_REQUEST, (check,)),)).run(Request.of(texts))
        assert (trace.verdict, trace.errors) == ("allow", ())
        for index, message in enumerate(trace.upstream_requests[0].messages):
            for letter in set(texts[index]) - set(masks):
                kept = sum(
                    there == letter and not gone for there, gone in zip(texts[index], marked[index], strict=True)
                )
                assert message.text.count(letter) <= kept
