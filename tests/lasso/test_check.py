"""``lasso.classify`` in the engine: what becomes of a request, and that no parameter gives a credential away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from pytest_guardrails import Action, ConfigError, Engine, Guardrail, MissingRecording, Phase, Trace, Verdict
from pytest_guardrails._texts import is_label
from pytest_guardrails.lasso import LassoClassify, LassoClient, LassoProtocolError, classify

SECRET = "-".join(("made", "up", "key"))
TEXT = "My email is john.doe@example.com and phone is 555-1234"
MASKED = "My email is <EMAIL_ADDRESS> and phone is <PHONE_NUMBER>"


def engine(transport: Any, phase: str = "input_guardrails", **guardrail: Any) -> Engine:
    """Return an engine with one guardrail, which is denying Lasso unless something else is said."""
    entry = guardrail or {"lasso.classify": {}, "deny": True}
    return Engine.from_config({phase: [{"id": "lasso", **entry}]}).connected(transport)


def answer(*found: dict[str, Any], violations: Any = True, **more: Any) -> dict[str, Any]:
    """Return an answer with findings of one deputy."""
    return {"violations_detected": violations, "deputies": {}, "findings": {"d": list(found)}, **more}


def vendor(trace: Trace) -> list[tuple[str, str | None, Action | None]]:
    """Return name, vendor's word and action of each finding."""
    return [(finding.name, finding.vendor_action, finding.action) for finding in trace.findings]


# The documented table, in both phases


@pytest.mark.parametrize("phase", ["input_guardrails", "output_guardrails"])
@pytest.mark.parametrize(
    ("name", "verdict", "action"),
    [
        ("clean", "allow", "none"),
        ("jailbreak_block", "block", "deny"),
        ("warn_only", "allow", "warn"),
        ("masking_no_spans", "allow", "warn"),
        ("mixed_block", "block", "deny"),
        ("alert_only_span", "allow", "warn"),
        ("two_blocks_completion", "block", "deny"),
        ("deputy_without_findings", "block", "deny"),
        ("v2_v3_hybrid", "block", "deny"),
    ],
)
def test_the_documented_table(
    phase: str, name: str, verdict: str, action: str, payload: Callable[[str], Any], api: Callable[..., Any]
) -> None:
    """BLOCK blocks; no finding, warnings and advice to mask pass, with their findings kept."""
    transport = api(payload(name))
    trace = engine(transport, phase).run("Sure, contact me at bob@example.com")
    assert (trace.verdict, trace.action, trace.errors) == (verdict, action, ())
    assert len(trace.findings) == sum(map(len, payload(name)["findings"].values()))
    assert transport.bodies[0]["messageType"] == ("PROMPT" if phase == "input_guardrails" else "COMPLETION")
    assert len(trace.upstream_requests) == (0 if verdict == "block" and phase == "input_guardrails" else 1)


@pytest.mark.parametrize("failure", [b"{}", b"", httpx.ReadTimeout("slow"), httpx.ConnectError("refused")])
def test_an_error_of_the_api_blocks_unless_somebody_chose_otherwise(failure: Any, api: Callable[..., Any]) -> None:
    """The last row of the table; with Portkey's ``failOnError: false`` the trace says that it failed open."""
    trace = engine(api(failure)).run("hi")
    assert (trace.verdict, trace.upstream_requests, len(trace.errors)) == ("block", (), 1)
    open_ = engine(api(failure), **{"lasso.classify": {"failOnError": False}, "deny": True}).run("hi")
    assert (open_.verdict, open_.failed_open_by_choice) == ("allow", True)


def test_bare_use_denies(api: Callable[..., Any]) -> None:
    """Named alone, the check does what Lasso says."""
    found = answer({"name": "Jailbreak", "action": "BLOCK"})
    bare = Engine.from_config({"input_guardrails": ["lasso.classify"]}).connected(api(found))
    assert bare.run("hi").status == 446


@pytest.mark.parametrize("said", [{"deny": False}, {"action": "warn"}, {}])
def test_a_guardrail_that_does_not_deny_fails_softly(said: dict[str, Any], api: Callable[..., Any]) -> None:
    """Portkey's 246: the finding is there, and the request passes."""
    found = answer({"name": "Jailbreak", "action": "BLOCK"})
    trace = engine(api(found), **{"lasso.classify": {}, **said}).run("hi")
    assert (trace.verdict, trace.action, trace.status) == ("allow", "warn", 246)
    assert vendor(trace) == [("Jailbreak", "BLOCK", Action.WARN)]


@pytest.mark.parametrize(
    ("action", "done"),
    [
        ("WARN", "warn"),
        ("USER_ALERT", "warn"),
        ("ADMIN_ALERT", "warn"),
        ("NEW", "warn"),
        (None, "warn"),
        ("OFF", "none"),
    ],
)
def test_what_does_not_block_passes_with_its_word(action: str | None, done: str, api: Callable[..., Any]) -> None:
    """The vendor's word is kept, also one that nobody knows."""
    trace = engine(api(answer({"name": "Policy", "action": action}))).run("hi")
    assert (trace.verdict, trace.action, trace.status) == ("allow", done, 200)
    assert vendor(trace) == [("Policy", action, Action(done))]


def test_advice_that_nobody_applied_is_said(payload: Callable[[str], Any], api: Callable[..., Any]) -> None:
    """Without ``mask`` the text passes as it was, and the operator is told."""
    trace = engine(api(payload("masking_spans"))).run(TEXT)
    assert trace.upstream_requests[0].text == TEXT
    assert any("was advised and not applied" in warning for warning in trace.warnings)


def test_a_finding_shows_where_and_how_much(payload: Callable[[str], Any], api: Callable[..., Any]) -> None:
    """Span, score and severity are the engine's; names are Lasso's."""
    first, second = engine(api(payload("masking_spans"))).run(TEXT).findings
    assert (first.name, first.category, first.severity) == (
        "Email Address",
        "PERSONAL_IDENTIFIABLE_INFORMATION",
        "high",
    )
    assert [(finding.start, finding.end) for finding in (first, second)] == [(12, 32), (46, 54)]
    [finding] = engine(api(payload("jailbreak_block"))).run("hi").findings
    assert (finding.score, finding.start, finding.field) == (0.95, None, "content")


# Masking


@pytest.mark.parametrize("policy", ["kong", "truefoundry", "strict", "litellm"])
def test_masking_rewrites_what_goes_on(policy: str, payload: Callable[[str], Any], api: Callable[..., Any]) -> None:
    """With ``mask`` the other endpoint is asked, and upstream gets the masked text, with a warning."""
    transport = api(payload("masking_spans"))
    trace = engine(transport, **{"lasso.classify": {"policy": policy, "mask": True}}).run(TEXT)
    assert (trace.verdict, trace.action, trace.errors) == ("allow", "sanitize", ())
    assert trace.upstream_requests[0].text == MASKED
    assert transport.paths == ["classifix"]
    assert any("sanitized" in warning for warning in trace.warnings)
    assert [(finding.start, finding.end) for finding in trace.findings] == [(12, 32), (46, 54)]


def test_a_response_is_masked_too(payload: Callable[[str], Any], api: Callable[..., Any]) -> None:
    """After the request it is the caller who gets the masked text."""
    config = {"lasso.classify": {"policy": "kong", "mask": True}}
    trace = engine(api(payload("masking_spans")), "output_guardrails", **config).run(TEXT)
    assert trace.response is not None
    assert trace.response.text == MASKED


@pytest.mark.parametrize(("policy", "text"), [("kong", MASKED), ("truefoundry", MASKED), ("litellm", TEXT)])
def test_a_copy_that_is_not_masked_leaves_it_to_spans(
    policy: str, text: str, payload: Callable[[str], Any], api: Callable[..., Any]
) -> None:
    """And LiteLLM's rule, which knows no spans, lets the text pass and says so."""
    config = {"lasso.classify": {"policy": policy, "mask": True}}
    trace = engine(api(payload("masking_spans_unmasked_messages")), **config).run(TEXT)
    assert trace.upstream_requests[0].text == text
    assert (trace.action == "sanitize") is (text == MASKED)


def test_a_block_beats_masking(api: Callable[..., Any]) -> None:
    """Whatever else could be masked, upstream is not called."""
    found = [
        {"name": "Email", "action": "AUTO_MASKING", "start": 0, "end": 2, "mask": "<E>"},
        {"name": "Jailbreak", "action": "BLOCK", "start": 0, "end": 2},
    ]
    config = {"lasso.classify": {"policy": "kong", "mask": True}, "action": "sanitize"}
    trace = engine(api(answer(*found)), **config).run("hi")
    assert (trace.verdict, trace.action, trace.upstream_requests) == ("block", "deny", ())


def test_a_change_that_no_finding_explains_is_a_finding(api: Callable[..., Any]) -> None:
    """A masked copy is applied also where nothing says why."""
    copy = [{"role": "user", "content": "mail <A>"}]
    trace = engine(api(answer(messages=copy)), **{"lasso.classify": {"policy": "kong", "mask": True}}).run("mail bob")
    assert trace.upstream_requests[0].text == "mail <A>"
    assert vendor(trace) == [("Masked", "AUTO_MASKING", Action.SANITIZE)]


def test_masking_goes_with_another_check_of_the_guardrail(api: Callable[..., Any]) -> None:
    """Spans of both are applied together, also where Lasso sent a whole copy."""
    copy = [{"role": "user", "content": "hi <NAME>, mail a@b.example"}]
    config = {"lasso.classify": {"policy": "kong", "mask": True}, "pii_redact": {"entities": ["EMAIL"]}}
    trace = engine(api(answer(messages=copy)), **config, action="sanitize").run("hi bob, mail a@b.example")
    assert (trace.errors, trace.upstream_requests[0].text) == ((), "hi <NAME>, mail <EMAIL>")


def test_tool_calls_are_masked_where_they_are(api: Callable[..., Any]) -> None:
    """A masked input goes back into the arguments that it came from."""
    function = {"name": "send", "arguments": '{"to": "bob"}'}
    request = [{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": function}]}]
    block = {"type": "tool_use", "id": "c", "name": "send", "input": {"to": "<B>"}}
    copy = [{"role": "model", "content": block}]
    trace = engine(api(answer(messages=copy)), **{"lasso.classify": {"policy": "kong", "mask": True}}).run(request)
    [call] = trace.upstream_requests[0].messages[0].tool_calls
    assert json.loads(call["function"]["arguments"]) == {"to": "<B>"}


@pytest.mark.parametrize("unit", ["cover", "utf8"])
def test_offsets_are_a_setting(unit: str, api: Callable[..., Any]) -> None:
    """With the unit known no more than the value is masked; without, at least the value."""
    text, value = "שלום bob!", "bob"
    start = len("שלום ".encode())
    found = {"name": "N", "action": "AUTO_MASKING", "start": start, "end": start + 3, "mask": "<N>"}
    config = {"lasso.classify": {"policy": "kong", "mask": True, "offsets": unit}}
    upstream = engine(api(answer(found)), **config).run(text).upstream_requests[0].text
    assert value not in upstream
    assert unit == "cover" or upstream == "שלום <N>!"


# Policies


def test_a_block_without_violations_counts_under_some_policies(api: Callable[..., Any]) -> None:
    """The gate is the policy's."""
    found = answer({"name": "Jailbreak", "action": "BLOCK"}, violations=False)
    verdicts = {
        policy: engine(api(found), **{"lasso.classify": {"policy": policy}, "deny": True}).run("hi").verdict
        for policy in ("portkey", "litellm", "kong", "truefoundry", "strict")
    }
    assert [policy for policy, verdict in verdicts.items() if verdict == "block"] == ["truefoundry", "strict"]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (answer(), "Conflict"),
        (answer({"name": "N", "action": "NEW"}), "Conflict"),
        (answer({"name": "N", "action": "WARN", "message_index": 3}), "Conflict"),
        ({"violations_detected": False}, "Protocol oddity"),
    ],
    ids=["no-finding", "unknown-action", "no-message", "no-findings"],
)
def test_the_strict_policy_says_why_it_blocks(body: dict[str, Any], name: str, api: Callable[..., Any]) -> None:
    """Where no finding of Lasso's denies, one of ours does."""
    trace = engine(api(body), **{"lasso.classify": {"policy": "strict"}, "deny": True}).run("hi")
    assert (trace.verdict, trace.errors) == ("block", ())
    assert vendor(trace)[-1] == (name, None, Action.DENY)


def test_an_odd_answer_that_blocks_under_its_policy_is_no_error(api: Callable[..., Any]) -> None:
    """TrueFoundry's rule does not look at ``violations_detected``: a BLOCK without it denies."""
    body = {"findings": {"d": [{"name": "Jailbreak", "action": "BLOCK"}]}}
    trace = engine(api(body), **{"lasso.classify": {"policy": "truefoundry"}, "deny": True}).run("hi")
    assert (trace.verdict, trace.errors, trace.action) == ("block", (), "deny")


# Hostile answers


def test_names_that_may_not_be_published_are_replaced(api: Callable[..., Any]) -> None:
    """A vendor's name that holds a text is no reason to lose the verdict, and is not shown."""
    personal = "alice" + "@" + "example.com"
    found = {"name": personal, "category": "1" * 16, "severity": personal, "action": "BLOCK"}
    transport = api({"violations_detected": True, "deputies": {}, "findings": {personal: [found]}})
    trace = engine(transport).run("hi")
    assert (trace.verdict, trace.errors) == ("block", ())
    assert [(f.name, f.category, f.severity) for f in trace.findings] == [("finding", "LASSO", None)]
    assert all(is_label(finding.name) for finding in trace.findings)
    assert personal not in json.dumps(trace.to_dict())


def test_masking_and_deny_false_say_two_things() -> None:
    """Where it masks, a BLOCK still denies; whoever wants neither says warn."""
    entry = {"id": "lasso", "lasso.classify": {"mask": True, "policy": "litellm"}, "deny": False}
    with pytest.raises(ConfigError, match=r"denies by itself .* write action: warn"):
        Engine.from_config({"input_guardrails": [entry]})
    engine = Engine.from_config({"input_guardrails": [{**entry, "action": "warn"}]})
    assert engine.guardrails[0].action is Action.WARN


@pytest.mark.parametrize(
    "place",
    [{"message_index": 9}, {"start": 90, "end": 99}, {"start": 1}, {"message_index": -1, "start": 0, "end": 1}],
    ids=["no-message", "beyond", "half", "negative"],
)
def test_a_finding_that_points_nowhere_still_blocks(place: dict[str, Any], api: Callable[..., Any]) -> None:
    """It is shown at the first text."""
    trace = engine(api(answer({"name": "Jailbreak", "action": "BLOCK", **place}))).run("hi")
    assert (trace.verdict, trace.errors) == ("block", ())
    assert [(f.message_index, f.field, f.start) for f in trace.findings] == [(0, "content", None)]


# What is sent


def test_only_messages_in_scope_are_sent(api: Callable[..., Any]) -> None:
    """A finding's place is that of the request, not that of what was sent."""
    found = answer({"name": "N", "action": "WARN", "message_index": 0, "start": 0, "end": 1})
    transport = api(found)
    config = {"lasso.classify": {}, "deny": True, "scope": {"roles": ["user"]}}
    trace = engine(transport, **config).run([{"role": "system", "content": "be kind"}, "hi"])
    assert transport.bodies[0]["messages"] == [{"role": "user", "content": "hi"}]
    assert [finding.message_index for finding in trace.findings] == [1]


def test_nothing_to_say_asks_nobody(api: Callable[..., Any]) -> None:
    """An empty message passes without a call."""
    transport = api()
    assert engine(transport).run("").verdict == "allow"
    assert transport.asked == []


def test_portkeys_parameters_are_understood(api: Callable[..., Any]) -> None:
    """In camel case, with the credentials where Portkey has them."""
    transport = api()
    parameters = {
        "conversationId": "c-1",
        "userId": "u-1",
        "timeout": 1234,
        "failOnError": True,
        "credentials": {"apiKey": SECRET, "apiEndpoint": "https://own.host"},
    }
    engine(transport, **{"lasso.classify": parameters, "deny": True}).run("hi")
    [request] = transport.asked
    assert (request.url.host, request.headers["lasso-api-key"]) == ("own.host", SECRET)
    assert (transport.bodies[0]["sessionId"], transport.bodies[0]["userId"]) == ("c-1", "u-1")
    assert request.extensions["timeout"].get("read") <= 1.234


def test_the_engine_names_the_conversation(api: Callable[..., Any]) -> None:
    """What `connected` is given is used, unless the configuration names one."""
    transport = api()
    for parameters in ({}, {"conversationId": "own"}):
        config = {"input_guardrails": [{"lasso.classify": parameters}]}
        Engine.from_config(config).connected(transport, lambda: "of-the-test").run("hi")
    assert [body["sessionId"] for body in transport.bodies] == ["of-the-test", "own"]


def test_one_definition_serves_both_phases(api: Callable[..., Any]) -> None:
    """The same guardrail before and after asks about a prompt and a completion."""
    transport = api()
    config = {"guardrails": {"g": "lasso.classify"}, "input_guardrails": ["g"], "output_guardrails": ["g"]}
    Engine.from_config(config).connected(transport).run("hi")
    assert [body["messageType"] for body in transport.bodies] == ["PROMPT", "COMPLETION"]


# Parameters and secrets


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"policy": "lasso"}, "policy"),
        ({"mask": True}, "portkey never masks"),
        ({"offsets": "bytes"}, "offsets"),
        ({"timeout": 0}, "timeout"),
        ({"credentials": {"key": "x"}}, "key in credentials"),
        ({"credentials": "x"}, "credentials is a mapping"),
        ({"apiEndpoint": "host"}, "base URL"),
        ({"transport": "x"}, "only Python code"),
        ({"sessionId": "x"}, "only Python code"),
        ({"model": "x"}, "unknown parameter"),
        ({"apiKey": "a", "credentials": {"apiKey": "b"}}, "two things"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(parameters: dict[str, Any], match: str) -> None:
    """When the configuration is read, with what is wrong."""
    with pytest.raises(ConfigError, match=match):
        Engine.from_config({"input_guardrails": [{"lasso.classify": parameters}]})


@pytest.mark.parametrize(
    "written",
    [
        "credentials: {secret}",
        "credentials: {{apiKey: [{secret}]}}",
        "api_key: [{secret}]",
        "api_endpoint: https://{secret}@host",
        "credentials: {{apiEndpoint: 'https://host?key={secret}'}}",
    ],
)
def test_no_error_of_a_configuration_quotes_a_credential(written: str, tmp_path: Path) -> None:
    """A key in the wrong place is refused without being repeated, since logs are public."""
    path = tmp_path / "guard.yaml"
    path.write_text(f"input_guardrails:\n  - lasso.classify: {{ {written.format(secret=SECRET)} }}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Engine.from_file(path)
    assert SECRET not in str(caught.value)


def test_a_credential_is_in_no_repr_no_version_and_no_trace(api: Callable[..., Any]) -> None:
    """And another key is the same guard."""

    def guard(key: str | None) -> Engine:
        return Engine.from_config({"input_guardrails": [{"lasso.classify": {"credentials": {"apiKey": key}}}]})

    first, second = guard(SECRET), guard(f"{SECRET}-2")
    assert first.version == second.version
    shown = repr(first.guardrails) + repr(first.version)
    trace = first.connected(api(b"{}")).run("hi")
    assert SECRET not in shown + json.dumps(trace.to_dict()) + str(trace.errors)


def test_other_parameters_make_another_version() -> None:
    """What decides is part of the version."""
    versions = {
        Engine.from_config({"input_guardrails": [{"lasso.classify": parameters}]}).version.config_hash
        for parameters in ({}, {"policy": "kong"}, {"policy": "kong", "mask": True}, {"timeout": 1})
    }
    assert len(versions) == 4


def test_a_missing_key_is_an_error_of_the_first_call_alone(api: Callable[..., Any]) -> None:
    """A configuration is read without one, and a recording needs none."""
    read = Engine.from_config({"input_guardrails": ["lasso.classify"]})
    trace = read.run("hi")
    assert trace.verdict == "block"
    assert "LASSO_API_KEY" in trace.errors[0].message
    assert read.connected(api()).run("hi").verdict == "allow"


def test_a_transport_of_its_own_is_kept(api: Callable[..., Any]) -> None:
    """Who gives one in Python means it."""
    own, other = api(), api()
    check = LassoClassify(transport=own)
    assert check.connected(other) is check
    Engine([Guardrail("g", Phase.BEFORE_REQUEST, (check,))]).connected(other).run("hi")
    assert (len(own.asked), len(other.asked)) == (1, 0)


def test_threads_share_one_client_made_once(monkeypatch: pytest.MonkeyPatch, api: Callable[..., Any]) -> None:
    """Making one is dear, and each has its own connections."""
    made: list[Any] = []
    start = threading.Barrier(8)

    class Counted(LassoClient):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append(self)
            threading.Event().wait(0.05)  # long enough for the others to come by while one is being made
            super().__init__(*args, **kwargs)

    monkeypatch.setattr("pytest_guardrails.lasso._check.LassoClient", Counted)
    guarded = engine(api())

    def ask(number: int) -> Verdict:
        start.wait()
        return guarded.run(f"hi {number}").verdict

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {Verdict.ALLOW}
    assert len(made) == 1


def test_it_rewrites_where_it_masks_alone() -> None:
    """So that the configuration refuses ``action: sanitize`` without ``mask``."""
    assert (LassoClassify().rewrites, LassoClassify(policy="kong", mask=True).rewrites) == (None, "spans")
    with pytest.raises(ConfigError, match="only detects"):
        Engine.from_config({"input_guardrails": [{"lasso.classify": {}, "action": "sanitize"}]})


# The plain callable


@pytest.mark.parametrize(
    ("name", "verdict"), [("clean", Verdict.ALLOW), ("jailbreak_block", Verdict.BLOCK), ("warn_only", Verdict.ALLOW)]
)
def test_a_plain_call_gives_a_verdict(
    name: str, verdict: Verdict, payload: Callable[[str], Any], api: Callable[..., Any]
) -> None:
    """With its findings and the whole answer."""
    transport = api(payload(name))
    result = classify(["hi"], client=LassoClient(transport=transport), message_type="COMPLETION")
    assert (result.verdict, result.error) == (verdict, None)
    assert result.answer is not None
    assert len(result.findings) == len(result.answer.findings)
    assert transport.bodies[0]["messageType"] == "COMPLETION"


@pytest.mark.parametrize("failure", [b"{}", b"", httpx.ReadTimeout("slow")])
def test_a_plain_call_never_raises_for_the_api(failure: Any, api: Callable[..., Any]) -> None:
    """No verdict is BLOCK, with the error."""
    result = classify(["hi"], client=LassoClient(transport=api(failure)))
    assert result.verdict is Verdict.BLOCK
    assert result.error is not None


def test_a_plain_call_knows_every_policy(api: Callable[..., Any]) -> None:
    """An odd answer is a block with a reason under the strict one, and an unknown policy is refused."""
    client = LassoClient(transport=api(b"{}"))
    assert isinstance(classify(["hi"], client=client).error, LassoProtocolError)
    strict = classify(["hi"], client=client, policy="strict")
    assert (strict.error, [finding.name for finding in strict.findings]) == (None, ["Protocol oddity"])
    with pytest.raises(ConfigError, match="policy"):
        classify(["hi"], client=client, policy="kongg")


def test_a_plain_call_about_nothing_allows(api: Callable[..., Any]) -> None:
    """There is nothing to ask, and nothing to find."""
    result = classify([], client=LassoClient(transport=api()), policy="strict")
    assert (result.verdict, result.findings) == (Verdict.ALLOW, ())


def test_a_missing_recording_passes_through_everything() -> None:
    """Through the plain call and through the engine: it is never a verdict."""

    def miss(_request: httpx.Request) -> httpx.Response:
        raise MissingRecording("nothing recorded")

    transport = httpx.MockTransport(miss)
    with pytest.raises(MissingRecording):
        classify(["hi"], client=LassoClient(transport=transport))
    with pytest.raises(MissingRecording):
        engine(transport, **{"lasso.classify": {"failOnError": False}}).run("hi")


def test_a_plain_call_without_a_key_is_the_callers_mistake() -> None:
    """It says what to set."""
    with pytest.raises(ConfigError, match="LASSO_API_KEY"):
        classify(["hi"])
