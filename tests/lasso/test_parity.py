"""What the integrators test of their own Lasso guards, here: each test names the one it comes from.

``litellm_N`` counts the tests of LiteLLM's ``test_lasso.py``, ``litellm_legacy_N`` those of its
``test_lasso_guardrails.py``; ``portkey``, ``truefoundry`` and ``kong`` are the suites of those plugins. Not here,
because there is nothing of the kind to test:

- litellm 1, legacy 1 (``init_guardrails_v2``): registration in its proxy; ours is an entry point.
- litellm 4 (second half), 16 (second half): its cache of conversation ids and its headers; ours are in the body.
- litellm 10, 11, 12, 13: the second field ``input`` of its requests; a request here has messages alone.
- litellm 9, 31 say what its hooks return; here: no call, and an unchanged response.
- litellm 37: two masked texts for one choice keep the text unmasked there; here spans apply, see test_masking.
- legacy 6 to 10: its intent mode (headers of agents, traces, events), which no other integrator of the plain API has.
- portkey: two live tests, complete and embed requests, unknown request types, a missing body: shapes of its gateway.
  Its tool role becomes ``user``, here ``developer`` as in LiteLLM and Kong.
- truefoundry health; kong's agent identity, event ids and intent messages: of their servers and of intent mode.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pytest_guardrails import ConfigError, Engine, Response, Trace
from pytest_guardrails.lasso import (
    LassoClient,
    LassoConnectionError,
    LassoTimeout,
    classify,
    masked,
    normalised_base_url,
    read_answer,
    sent,
    ulid,
)
from pytest_guardrails.lasso._request import body_of

Api = Callable[..., Any]
Payload = Callable[[str], Any]
INPUT, OUTPUT = "input_guardrails", "output_guardrails"
CALL = {"id": "call_abc", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "NY"}'}}


def run(transport: Any, request: Any = "hi", phase: str = INPUT, reply: Any = None, **parameters: Any) -> Trace:
    """Return what becomes of a request behind Lasso."""
    entry = {"lasso.classify": parameters, **({} if parameters.get("mask") else {"deny": True})}
    engine = Engine.from_config({phase: [entry]}).connected(transport)
    return engine.run(request, None if reply is None else lambda _request: reply)


def wires(*messages: Any) -> list[Any]:
    """Return what is sent for messages."""
    return json.loads(json.dumps([entry.wire for entry in sent(messages)]))  # type: ignore[no-any-return]


def tool_use(value: Any) -> dict[str, Any]:
    """Return a tool call as Lasso gets it."""
    return {"role": "model", "content": {"type": "tool_use", "id": "call_abc", "name": "get_weather", "input": value}}


def calling(arguments: str, **more: Any) -> dict[str, Any]:
    """Return an assistant's message with a tool call."""
    function = {"name": "get_weather", "arguments": arguments}
    return {"role": "assistant", "content": None, "tool_calls": [CALL | {"function": function}], **more}


def masking(messages: list[Any], copy: list[Any]) -> list[Any]:
    """Return messages after an answer with a masked copy."""
    body = {"violations_detected": True, "deputies": {}, "findings": {"d": [{"action": "AUTO_MASKING"}]}}

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=body | {"messages": copy})

    client = LassoClient(transport=httpx.MockTransport(answer))
    return list(masked(client.classifix(messages), messages))


# LiteLLM


def test_litellm_2_no_key_is_said() -> None:
    """Also legacy 2: the missing secret is named."""
    with pytest.raises(ConfigError, match="no Lasso API key"):
        LassoClient()


def test_litellm_3_the_default_base() -> None:
    """Without settings it is Lasso's own host."""
    client = LassoClient("key")
    assert repr(client) == "LassoClient('https://server.lasso.security/gateway/v3')"
    client.close()


def test_litellm_4_a_clean_request_is_unchanged(payload: Payload, api: Api) -> None:
    """Upstream gets what the caller sent."""
    trace = run(api(payload("clean")))
    assert (trace.verdict, trace.action, trace.upstream_requests[0]) == ("allow", "none", trace.request)


def test_litellm_5_a_jailbreak_is_blocked(payload: Payload, api: Api) -> None:
    """The denial says who blocked, not what was found in which text."""
    trace = run(api(payload("jailbreak_block")))
    assert (trace.verdict, [finding.name for finding in trace.findings]) == ("block", ["Jailbreak"])


def test_litellm_6_auto_masking_without_mask_changes_nothing(payload: Payload, api: Api) -> None:
    """No error, and the text as it was."""
    trace = run(api(payload("masking_no_spans")), "mail bob")
    assert (trace.verdict, trace.errors, trace.upstream_requests[0].text) == ("allow", (), "mail bob")


def test_litellm_7_a_clean_completion_is_the_same_response(payload: Payload, api: Api) -> None:
    """Also 31: nothing is rewritten."""
    trace = run(api(payload("clean")), phase=OUTPUT, reply="sure")
    assert trace.response is not None
    assert trace.response.text == "sure"


def test_litellm_8_two_blocks_on_a_completion(payload: Payload, api: Api) -> None:
    """Both deputies are named, and the caller gets nothing."""
    trace = run(api(payload("two_blocks_completion")), phase=OUTPUT)
    assert (trace.verdict, trace.response) == ("block", None)
    assert [finding.name for finding in trace.findings] == ["Illegality", "Violence"]


def test_litellm_9_no_messages_are_no_call(api: Api) -> None:
    """Also legacy 4."""
    transport = api()
    assert not LassoClient(transport=transport).classify([]).called
    assert transport.asked == []


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(httpx.ConnectError("Connection error"), LassoConnectionError), (httpx.ReadTimeout("API timeout"), LassoTimeout)],
)
def test_litellm_14_a_transport_error_is_an_error_of_the_guard(failure: Any, kind: type, api: Api) -> None:
    """Also legacy 5: closed, with the kind of failure."""
    trace = run(api(failure))
    assert (trace.verdict, trace.errors[0].kind) == ("block", kind.__name__)


@pytest.mark.parametrize("message_type", ["PROMPT", "COMPLETION"])
def test_litellm_15_the_payload(message_type: str) -> None:
    """Messages, type, user and conversation, and no source unless the API asks for one."""
    session = ulid()
    body = body_of(sent(["hi"]), message_type=message_type, session_id=session, user_id="u")
    assert body == {
        "messages": [{"role": "user", "content": "hi"}],
        "messageType": message_type,
        "sessionId": session,
        "userId": "u",
    }


def test_litellm_16_the_headers(api: Api) -> None:
    """The key and the type; user and conversation stand in the body."""
    transport = api()
    LassoClient("key", transport=transport).classify(["hi"], user_id="u", session_id="s")
    headers = transport.asked[0].headers
    assert (headers["lasso-api-key"], headers["content-type"]) == ("key", "application/json")
    assert not {"lasso-user-id", "lasso-conversation-id", "lasso-x-api-key"} & set(headers)


@pytest.mark.parametrize(("number", "phase"), [(17, INPUT), (18, OUTPUT)])
def test_litellm_17_18_classifix_replaces_the_content(number: int, phase: str, payload: Payload, api: Api) -> None:
    """The text of the masked copy goes on, before and after the request."""
    text = "My email is john.doe@example.com and phone is 555-1234"
    trace = run(api(payload("masking_spans")), text, phase, policy="litellm", mask=True)
    went_on = trace.upstream_requests[0].text if number == 17 else trace.response and trace.response.text
    assert went_on == "My email is <EMAIL_ADDRESS> and phone is <PHONE_NUMBER>"


def test_litellm_19_only_block_blocks() -> None:
    """Of BLOCK beside AUTO_MASKING the first counts; AUTO_MASKING and WARN count for nothing, and neither does {}."""

    def blocking(*actions: str) -> list[str]:
        findings = {f"deputy {action}": [{"action": action}] for action in actions}
        body = {"violations_detected": True, "deputies": {}, "findings": findings}
        answer = read_answer(json.dumps(body).encode())
        return [finding.deputy for finding in answer.findings if finding.action == "BLOCK"]

    assert blocking("BLOCK", "AUTO_MASKING") == ["deputy BLOCK"]
    assert blocking("AUTO_MASKING", "WARN") == blocking() == []


def test_litellm_20_21_tools_are_flat_and_omitted_when_there_are_none() -> None:
    """OpenAI's wrapper goes."""
    function = {"name": "t", "description": "d", "parameters": {"type": "object"}, "strict": True}
    body = body_of(sent(["hi"]), tools=[{"type": "function", "function": function}])
    assert body["tools"] == [{"name": "t", "description": "d", "parameters": {"type": "object"}}]
    assert "tools" not in body_of(sent(["hi"]))
    assert "tools" not in body_of(sent(["hi"]), tools=[])


def test_litellm_22_tool_calls_become_tool_use() -> None:
    """Of role model, with parsed input."""
    assert wires(calling('{"city": "NY"}')) == [tool_use({"city": "NY"})]


def test_litellm_23_a_tools_message_becomes_a_tool_result() -> None:
    """Of role developer."""
    assert wires({"role": "tool", "tool_call_id": "call_abc", "content": "72F, sunny"}) == [
        {
            "role": "developer",
            "content": {"type": "tool_result", "tool_use_id": "call_abc", "content": "72F, sunny"},
        }
    ]


def test_litellm_24_the_parts_of_a_tools_message_are_joined() -> None:
    """By newlines."""
    parts = [{"type": "text", "text": "72F"}, {"type": "text", "text": "sunny"}]
    [wire] = wires({"role": "tool", "tool_call_id": "call_abc", "content": parts})
    assert wire["content"]["content"] == "72F\nsunny"


def test_litellm_25_a_tools_message_without_id_is_sent_all_the_same() -> None:
    """LiteLLM leaves it out, unscanned; ours must not."""
    assert wires({"role": "tool", "content": "72F"}) == [{"role": "developer", "content": "72F"}]


def test_litellm_26_text_stands_before_the_tool_call() -> None:
    """Two messages of one."""
    assert wires(calling('{"city": "NY"}', content="wait")) == [
        {"role": "assistant", "content": "wait"},
        tool_use({"city": "NY"}),
    ]


@pytest.mark.parametrize(("number", "arguments"), [(27, "{city: NY"), (28, '"NY"')])
def test_litellm_27_28_arguments_that_are_no_object_are_wrapped(number: int, arguments: str) -> None:
    """Broken JSON, and JSON that is a string: the raw text."""
    assert wires(calling(arguments)) == [tool_use({"arguments": arguments})], number


def test_litellm_29_plain_messages_pass_through() -> None:
    """Roles and texts as they are."""
    plain = [{"role": role, "content": f"says {role}"} for role in ("system", "user", "assistant")]
    assert wires(*plain) == plain


def test_litellm_30_the_tool_call_of_a_completion_is_sent(payload: Payload, api: Api) -> None:
    """And the response stays as it was."""
    transport = api(payload("clean"))
    reply = Response((calling('{"city": "NY"}'),))
    trace = run(transport, phase=OUTPUT, reply=reply)
    assert transport.bodies[0]["messages"] == [tool_use({"city": "NY"})]
    assert trace.response == reply


def test_litellm_32_38_masked_text_goes_back_and_the_rest_stays() -> None:
    """Each to its own message."""
    copy = [{"role": "user", "content": "mail <E>"}, {"role": "user", "content": "stay"}]
    assert [message.content for message in masking(["mail bob", "stay"], copy)] == ["mail <E>", "stay"]


def test_litellm_33_a_masked_tool_result_goes_back() -> None:
    """By its id."""
    message = {"role": "tool", "tool_call_id": "call_abc", "content": "bob"}
    block = {"type": "tool_result", "tool_use_id": "call_abc", "content": "<N>"}
    assert masking([message], [{"role": "developer", "content": block}])[0].content == "<N>"


def test_litellm_34_masked_arguments_go_back() -> None:
    """As JSON, in their place."""
    [message] = masking([calling('{"city": "NY"}')], [tool_use({"city": "<C>"})])
    assert json.loads(message.tool_calls[0]["function"]["arguments"]) == {"city": "<C>"}


def test_litellm_35_masked_parts_go_back_and_what_follows_keeps_its_place() -> None:
    """There the parts become one string; here each part keeps its own."""
    parts = [{"type": "text", "text": "bob"}, {"type": "text", "text": "eve"}]
    copy = [{"role": "user", "content": "<B>\n<E>"}, {"role": "user", "content": "next <N>"}]
    first, second = masking([{"role": "user", "content": parts}, "next one"], copy)
    assert [part["text"] for part in first.content] == ["<B>", "<E>"]
    assert second.content == "next <N>"


def test_litellm_36_each_choice_gets_its_own_text(api: Api) -> None:
    """All choices are sent, and all are masked."""
    copy = [{"role": "assistant", "content": f"<{name}>"} for name in "AB"]
    body = {"violations_detected": True, "deputies": {}, "findings": {"d": [{"action": "AUTO_MASKING"}]}}
    trace = run(api(body | {"messages": copy}), "hi", OUTPUT, Response(("bob", "eve")), policy="litellm", mask=True)
    assert trace.response is not None
    assert [choice.text for choice in trace.response.choices] == ["<A>", "<B>"]


def test_litellm_legacy_3_block_and_clean(payload: Payload, api: Api) -> None:
    """The hybrid of v2 and v3 blocks; what is clean goes on."""
    assert run(api(payload("v2_v3_hybrid"))).verdict == "block"
    assert run(api(payload("clean"))).verdict == "allow"


# Portkey


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("clean_minimal", "allow"),
        ("jailbreak_block", "block"),
        ("warn_only", "allow"),
        ("masking_no_spans", "allow"),
        ("mixed_block", "block"),
    ],
)
def test_portkey_the_verdict_table(name: str, verdict: str, payload: Payload, api: Api) -> None:
    """Clean, BLOCK, WARN only, AUTO_MASKING only, mixed."""
    assert classify(["hi"], client=LassoClient(transport=api(payload(name)))).verdict == verdict


def test_portkey_an_api_error_is_no_pass(api: Api) -> None:
    """The plugin says false; here that blocks, as its documentation promises."""
    assert run(api(httpx.ConnectError("down"))).verdict == "block"


def test_portkey_custom_and_default_endpoint() -> None:
    """``apiEndpoint`` is the root of a host."""
    assert normalised_base_url("https://own.host") == "https://own.host/gateway/v3"


def test_portkey_output_sends_the_answer_alone(payload: Payload, api: Api) -> None:
    """Not the conversation before it."""
    transport = api(payload("clean"))
    run(transport, "question", OUTPUT, "answer")
    assert transport.bodies[0]["messages"] == [{"role": "assistant", "content": "answer"}]
    assert transport.bodies[0]["messageType"] == "COMPLETION"


def test_portkey_an_empty_output_is_no_call(api: Api) -> None:
    """An output of a tool call alone, which is skipped there, is sent: see litellm 30."""
    transport = api()
    assert run(transport, "question", OUTPUT, "").verdict == "allow"
    assert transport.asked == []


def test_portkey_session_and_user_are_sent_when_given(api: Api) -> None:
    """As ``sessionId`` and ``userId``; without one there is no user, and a conversation of its own."""
    transport = api()
    run(transport, conversationId="s", userId="u")
    run(transport)
    given, without = transport.bodies
    assert (given["sessionId"], given["userId"]) == ("s", "u")
    assert ("userId" in without, len(without["sessionId"])) == (False, 26)


# TrueFoundry and Kong


@pytest.mark.parametrize("phase", [INPUT, OUTPUT])
def test_truefoundry_spans_mask(phase: str, payload: Payload, api: Api) -> None:
    """A copy that is not masked leaves it to the spans, on both sides."""
    text = "My email is john.doe@example.com and phone is 555-1234"
    body = payload("masking_spans_unmasked_messages")
    trace = run(api(body), text, phase, policy="truefoundry", mask=True)
    went_on = trace.upstream_requests[0].text if phase == INPUT else trace.response and trace.response.text
    assert went_on == "My email is <EMAIL_ADDRESS> and phone is <PHONE_NUMBER>"


def test_truefoundry_an_alert_is_not_masked(payload: Payload, api: Api) -> None:
    """ADMIN_ALERT has a span, and the text stays."""
    text = "Sure, contact me at bob@example.com"
    trace = run(api(payload("alert_only_span")), text, policy="truefoundry", mask=True)
    assert (trace.action, trace.upstream_requests[0].text) == ("warn", text)


def test_truefoundry_clean_is_not_transformed(payload: Payload, api: Api) -> None:
    """An empty copy changes nothing."""
    trace = run(api(payload("clean_classifix")), "hi", policy="truefoundry", mask=True)
    assert (trace.action, trace.upstream_requests[0].text) == ("none", "hi")


def test_truefoundry_a_block_with_a_span_denies(api: Api) -> None:
    """It is not masked instead."""
    found = {"name": "Card", "action": "BLOCK", "message_index": 0, "start": 0, "end": 2, "mask": "<C>"}
    body = {"violations_detected": True, "deputies": {}, "findings": {"d": [found]}}
    assert run(api(body), "hi", policy="truefoundry", mask=True).verdict == "block"


def test_kong_ulids() -> None:
    """26 characters, in order of time, and random."""
    first, second = ulid(), ulid()
    assert (len(first), first[:10] <= second[:10], first != second) == (26, True, True)


def test_kong_masks() -> None:
    """Spans count from 0, end exclusive, and are applied from the right."""
    found = [
        {"action": "AUTO_MASKING", "start": s, "end": e, "mask": m} for s, e, m in ((0, 3, "<LONG>"), (8, 11, "<Y>"))
    ]
    body = {"violations_detected": True, "deputies": {}, "findings": {"d": found}}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    [message] = masked(LassoClient(transport=transport).classifix(["bob and eve"]), ["bob and eve"])
    assert message.content == "<LONG> and <Y>"


@pytest.mark.parametrize(
    ("actions", "mask", "verdict", "action"),
    [
        (["WARN"], True, "allow", "warn"),
        (["USER_ALERT", "ADMIN_ALERT"], True, "allow", "warn"),
        (["AUTO_MASKING"], True, "allow", "sanitize"),
        (["AUTO_MASKING"], False, "allow", "warn"),
        (["AUTO_MASKING", "BLOCK"], True, "block", "deny"),
    ],
)
def test_kong_decisions(actions: list[str], mask: bool, verdict: str, action: str, api: Api) -> None:
    """Allow, mask, masking off, and block before mask."""
    found = [{"name": "N", "action": name, "start": 0, "end": 2, "mask": "<N>"} for name in actions]
    body = {"violations_detected": True, "deputies": {}, "findings": {"d": found}}
    trace = run(api(body), "hi", policy="kong", mask=mask)
    assert (trace.verdict, trace.action) == (verdict, action)
