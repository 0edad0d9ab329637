"""What the engine promises: order, denial, rewriting, errors, statuses, warnings (design, section 4)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails import (
    Action,
    ConfigError,
    Engine,
    Finding,
    Guardrail,
    GuardVersion,
    Message,
    OnError,
    Phase,
    Request,
    Response,
    Scope,
    Text,
    Trace,
    Verdict,
)

BEFORE, AFTER = Phase.BEFORE_REQUEST, Phase.AFTER_REQUEST


@dataclass(frozen=True)
class Word:
    """Finds every occurrence of a word; rewrites it where a replacement is given."""

    word: str
    replacement: str | None = None
    action: Action | None = None
    vendor_action: str | None = None
    name: str = "WORD"
    id: str = "word"

    def __call__(self, texts: Sequence[Text]) -> Iterator[Finding]:
        """Return a finding per occurrence."""
        for text in texts:
            for match in re.finditer(re.escape(self.word), text.text):
                yield Finding(
                    self.name,
                    "test",
                    message_index=text.message_index,
                    field=text.field,
                    start=match.start(),
                    end=match.end(),
                    replacement=self.replacement,
                    action=self.action,
                    vendor_action=self.vendor_action,
                )


@dataclass(frozen=True)
class Whole:
    """Rewrites every text as a whole, and says so to nobody before it does."""

    replacement: str
    id: str = "whole"

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return one finding per text, without a span."""
        return [
            Finding("ALL", "test", message_index=t.message_index, field=t.field, replacement=self.replacement)
            for t in texts
        ]


@dataclass(frozen=True)
class Declared(Whole):
    """Rewrites every text as a whole, and declares it, so that a guardrail can refuse a second one."""

    rewrites: str = "message"


@dataclass(frozen=True)
class Answers:
    """Gives a fixed answer, or raises it."""

    answer: Any
    id: str = "answers"

    def __call__(self, _texts: Sequence[Text]) -> Any:
        """Return or raise the answer."""
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@dataclass(frozen=True)
class Spy:
    """Finds nothing and keeps every text it was shown."""

    seen: list[str] = field(default_factory=list)
    id: str = "spy"

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Keep the texts."""
        self.seen.extend(text.text for text in texts)
        return []


def guard(name: str, *checks: Any, phase: Phase = BEFORE, **settings: Any) -> Guardrail:
    """Return a guardrail of the checks."""
    return Guardrail(name, phase, checks, **settings)


def run(*guardrails: Guardrail, request: Any = "hello", upstream: Any = None) -> Trace:
    """Send a request through an engine of the guardrails."""
    return Engine(guardrails).run(request, upstream)


def states(trace: Trace) -> dict[str, str]:
    """Return what became of each guardrail, in order."""
    return {result.guardrail: str(result.status) for result in trace.results}


def received(trace: Trace) -> str:
    """Return the text of the last message that the model received."""
    return trace.upstream_requests[-1].text


def span(start: Any, end: Any, **changes: Any) -> Finding:
    """Return a finding of the span."""
    return Finding(**{"name": "SPAN", "category": "test", "start": start, "end": end, **changes})


# 1: order and short-circuit


def test_a_payload_that_fails_only_the_second_guardrail_reaches_it() -> None:
    """The first guardrail runs and passes it, the second denies it, and the caller gets the second one's denial."""
    trace = run(guard("first", Word("one")), guard("second", Word("two")), request="has two")
    assert trace.verdict is Verdict.BLOCK
    assert trace.decided_by == "second"
    assert states(trace) == {"first": "ran", "second": "ran"}
    assert [result.action for result in trace.results] == [Action.NONE, Action.DENY]
    assert trace.upstream_requests == ()


def test_the_first_guardrail_that_denies_skips_the_rest() -> None:
    """What fails both is denied by the first; the second, and every guardrail after the request, never run."""
    spies = [Spy(), Spy()]
    trace = run(
        guard("first", Word("bad")),
        guard("second", Word("bad"), spies[0]),
        guard("out", spies[1], phase=AFTER),
        request="bad",
    )
    assert states(trace) == {"first": "ran", "second": "skipped", "out": "skipped"}
    assert trace.decided_by == "first"
    assert [spy.seen for spy in spies] == [[], []]
    assert trace.results[1].checks == ()


@pytest.mark.parametrize("phase", [BEFORE, AFTER])
def test_guardrails_run_in_declared_order(phase: Phase) -> None:
    """Each guardrail of a phase sees what those declared before it made of the text."""
    chain = [guard(f"g{i}", Word(f"<{i}>", f"<{i + 1}>"), phase=phase, action="sanitize") for i in range(5)]
    assert run(*chain, request="<0>").response == Response.of("<5>")
    assert run(*reversed(chain), request="<0>").response == Response.of("<1>")


def test_results_are_in_the_order_of_the_phases() -> None:
    """Guardrails before the request come first in a trace, wherever they were declared."""
    trace = run(guard("out", Spy(), phase=AFTER), guard("in", Spy()))
    assert list(states(trace)) == ["in", "out"]


def test_one_id_may_stand_in_both_phases_and_not_twice_in_one() -> None:
    """An id is there once per phase, or the engine is refused."""
    assert len(Engine([guard("g", Spy()), guard("g", Spy(), phase=AFTER)]).guardrails) == 2
    with pytest.raises(ConfigError, match="'g' is there twice in before_request"):
        Engine([guard("g", Spy()), guard("g", Word("x"))])


def test_an_engine_takes_guardrails_only() -> None:
    """Anything else in the list is refused by its type."""
    with pytest.raises(ConfigError, match="not Word"):
        Engine([Word("x")])  # type: ignore[list-item]


# 2: rewriting


def test_a_rewrite_is_seen_by_later_guardrails_and_upstream_and_not_by_earlier_ones() -> None:
    """Only what runs before the rewriting guardrail sees the original."""
    early, late, out = Spy(), Spy(), Spy()
    trace = run(
        guard("early", early),
        guard("mask", Word("secret", "<S>"), action="sanitize"),
        guard("late", late, Word("secret")),
        guard("out", out, phase=AFTER),
        request="a secret",
    )
    assert (early.seen, late.seen, out.seen) == (["a secret"], ["a <S>"], ["a <S>"])
    assert received(trace) == "a <S>"
    assert trace.request.text == "a secret"
    assert (trace.verdict, trace.action, trace.decided_by) == (Verdict.ALLOW, Action.SANITIZE, "mask")


def test_a_rewrite_after_the_request_is_what_the_caller_gets() -> None:
    """The model said it, the caller never sees it."""
    mask = guard("mask", Word("secret", "<S>"), phase=AFTER, action="sanitize")
    trace = run(mask, upstream=lambda _request: "the secret, the secret")
    assert trace.response == Response.of("the <S>, the <S>")


def test_checks_of_one_guardrail_see_the_same_text_and_are_applied_together() -> None:
    """Spans of several checks refer to the text as it was, and none moves another."""
    trace = run(
        guard(
            "g", Word("alice", "<NAME>", id="a"), Word("bob", "<B>", id="b"), Word("bob ", id="c"), action="sanitize"
        ),
        request="bob met alice and bob too",
    )
    assert received(trace) == "<B> met <NAME> and <B> too"


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 3, "<A>"), (3, 6, "<B>")], "<A><B>ghij"),
        ([(0, 4, "<A>"), (2, 8, "<B>")], "<B>ij"),
        ([(0, 6, "<A>"), (4, 8, "<B>")], "<A>ij"),
        ([(2, 4, "<A>"), (0, 10, "<B>")], "<B>"),
        ([(2, 4, "<A>"), (3, 8, "<B>")], "ab<B>ij"),
        ([(0, 4, "<A>"), (3, 6, "<B>"), (5, 9, "<C>")], "<A>j"),
        ([(1, 3, "<A>"), (1, 3, "<A>")], "a<A>defghij"),
        ([(9, 10, "")], "abcdefghi"),
    ],
    ids=["adjacent", "second is wider", "first is wider", "inside", "wider, later", "chain", "same", "removed"],
)
def test_overlapping_spans_merge_under_the_widest(spans: list[tuple[int, int, str]], expected: str) -> None:
    """Every character of every span is gone, and one replacement stands for each merged stretch."""
    findings = [span(start, end, replacement=new) for start, end, new in spans]
    assert received(run(guard("g", Answers(findings), action="sanitize"), request="abcdefghij")) == expected


@given(
    text=st.text(alphabet="abcdefgh", min_size=1, max_size=12),
    spans=st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12)), min_size=1, max_size=6),
)
@settings(deadline=None)
def test_no_character_of_a_sanitized_span_survives(text: str, spans: list[tuple[int, int]]) -> None:
    """Whatever the spans, the rest of the text stays in order and nothing inside a span reaches the model."""
    kept = [(start, min(end, len(text))) for start, end in spans if start < min(end, len(text))]
    findings = [span(start, end, replacement="#") for start, end in kept]
    got = received(run(guard("g", Answers(findings), action="sanitize"), request=text))
    gone = {index for start, end in kept for index in range(start, end)}
    assert got.replace("#", "") == "".join(letter for index, letter in enumerate(text) if index not in gone)


def test_two_declared_rewrites_of_a_whole_message_are_refused_at_construction() -> None:
    """Two checks that both say ``rewrites = "message"`` never share a guardrail that runs them at once."""
    with pytest.raises(ConfigError, match="one and two rewrite the same message"):
        guard("g", Declared("1", id="one"), Declared("2", id="two"))
    chained = guard("g", Declared("1", id="one"), Declared("2", id="two"), sequential=True, action="sanitize")
    assert received(run(chained)) == "2"


@pytest.mark.parametrize("on_error", list(OnError))
@pytest.mark.parametrize("other", [Whole("two", id="b"), Word("hel", "<H>", id="b")], ids=["whole", "span"])
@pytest.mark.parametrize("turn", [1, -1])
def test_two_rewrites_of_which_one_is_whole_are_an_error_at_run_time(on_error: OnError, other: Any, turn: int) -> None:
    """An undeclared whole rewrite beside another one is an error of its check, and it is never applied."""
    trace = run(guard("g", *[Whole("one", id="a"), other][::turn], action="sanitize", on_error=on_error))
    assert {error.kind for error in trace.errors} == {"LostRewrite"}
    assert "a" in {error.check for error in trace.errors}
    if on_error is OnError.BLOCK:
        assert trace.verdict is Verdict.BLOCK
    else:
        assert received(trace) == ("hello" if isinstance(other, Whole) else "<H>lo")


def test_one_check_that_rewrites_a_whole_text_in_two_ways_is_an_error() -> None:
    """Two different whole rewrites from one check would silently lose one, and the same one twice would not."""
    twice = [span(None, None, replacement=new) for new in ("one", "two")]
    trace = run(guard("g", Answers(twice), action="sanitize"))
    assert [error.kind for error in trace.errors] == ["LostRewrite"]
    assert received(run(guard("g", Answers([twice[0], twice[0]]), action="sanitize"))) == "one"


def test_what_denies_is_no_rewrite() -> None:
    """A finding that denies loses nobody's rewrite, even where it brings a replacement."""
    denies = Answers([span(None, None, replacement="x", action=Action.DENY)])
    trace = run(guard("g", denies, Word("hello", "<H>"), action="sanitize"))
    assert (trace.action, trace.errors) == (Action.DENY, ())


def test_whole_rewrites_of_different_texts_do_not_clash() -> None:
    """A lost rewrite is lost on one text; rewrites of two messages stand beside each other."""
    one = Answers([span(None, None, replacement="1", message_index=0)], id="one")
    two = Answers([span(None, None, replacement="2", message_index=1)], id="two")
    trace = run(guard("g", one, two, action="sanitize"), request=["a", "b"])
    assert [message.text for message in trace.upstream_requests[0].messages] == ["1", "2"]


def test_a_sequential_guardrail_shows_each_check_what_the_one_before_rewrote() -> None:
    """With ``sequential`` a rewrite is seen by the next check of the same guardrail."""
    checks = (Word("a", "b", id="one"), Word("b", "c", id="two"))
    assert received(run(guard("g", *checks, action="sanitize", sequential=True), request="a")) == "c"
    assert received(run(guard("g", *checks, action="sanitize"), request="a")) == "b"


def test_a_denial_leaves_the_text_alone() -> None:
    """A guardrail that denies rewrites nothing for anybody: there is nobody left to see it."""
    trace = run(guard("g", Word("x", "<X>", Action.SANITIZE), Word("y", id="deny")), request="x y")
    assert (trace.verdict, trace.action, trace.upstream_requests) == (Verdict.BLOCK, Action.DENY, ())


# 3: never silent


@pytest.mark.parametrize("phase", [BEFORE, AFTER])
def test_sanitizing_warns_the_operator_without_the_value(phase: Phase, caplog: pytest.LogCaptureFixture) -> None:
    """The warning names guardrail, entity and count, is logged, and holds nothing of the text."""
    mask = guard("mask", Word("s3cr3t", "<S>", name="TOKEN"), phase=phase, action="sanitize")
    with caplog.at_level(logging.WARNING, "pytest_guardrails"):
        trace = run(mask, request="s3cr3t and s3cr3t")
    where = "request" if phase is BEFORE else "response"
    assert trace.warnings == (f"mask: sanitized 2 TOKEN in the {where}",)
    assert [(r.name, r.levelno, r.getMessage()) for r in caplog.records] == [
        ("pytest_guardrails", logging.WARNING, trace.warnings[0])
    ]
    assert "s3cr3t" not in caplog.text


def test_a_percent_sign_in_a_name_is_logged_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """A warning is a text and never a format."""
    run(guard("100%s", Word("x", "<X>"), action="sanitize"), request="x")
    assert caplog.messages == ["100%s: sanitized 1 WORD in the request"]


def test_errors_are_warned_of_and_their_texts_are_not(caplog: pytest.LogCaptureFixture) -> None:
    """What an exception says may hold the text of the caller, so that only its kind is logged."""
    trace = run(guard("g", Answers(ValueError("card 4111"))), request="x")
    assert trace.warnings == ("g/answers: no answer (ValueError); blocked to be safe",)
    assert "4111" not in caplog.text


def test_a_clean_request_warns_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """No finding, no warning, no log line, and the text as it was."""
    trace = run(guard("g", Word("x", "<X>"), action="sanitize"), guard("out", Word("x"), phase=AFTER))
    assert (trace.warnings, caplog.messages, trace.response) == ((), [], Response.of("hello"))
    assert (trace.action, trace.decided_by, trace.status) == (Action.NONE, None, 200)


# 4: everything is checked

EVIL = "evil"
MESSAGES = {
    "system": Message("system", EVIL),
    "developer": Message("developer", EVIL),
    "earlier user turn": Message("user", EVIL),
    "assistant": Message("assistant", EVIL),
    "tool result": Message("tool", EVIL, tool_call_id="1"),
    "part": Message("user", ({"type": "text", "text": EVIL},)),
    "second part": Message("user", ({"type": "text", "text": "ok"}, {"type": "text", "text": EVIL})),
    "part like a data URL": Message("user", ({"type": "text", "text": f"data: {EVIL}"},)),
    "tool result part": Message("user", ({"type": "tool_result", "content": [{"type": "text", "text": EVIL}]},)),
    "tool input": Message("assistant", ({"type": "tool_use", "name": "f", "input": {"name": EVIL}},)),
    "arguments": Message("assistant", None, tool_calls=({"function": {"name": "f", "arguments": '{"a": "evil"}'}},)),
    "arguments, escaped": Message(
        "assistant", None, tool_calls=({"function": {"name": "f", "arguments": '{"a": "\\u0065vil"}'}},)
    ),
    "arguments, no JSON": Message("assistant", None, tool_calls=({"function": {"arguments": EVIL}},)),
    "beside content": Message("assistant", "ok", tool_calls=({"function": {"arguments": '["evil"]'}},)),
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_message_is_checked_and_rewritten(message: Message, place: int) -> None:
    """A word is denied, and can be rewritten, in whatever text of whichever message it stands."""
    messages = [Message("user", "hi"), Message("user", "there")]
    messages.insert(place, message)
    assert run(guard("g", Word(EVIL)), request=messages).verdict is Verdict.BLOCK
    trace = run(guard("g", Word(EVIL, "<E>"), action="sanitize"), request=messages)
    sent = json.dumps([(m.content, m.tool_calls) for m in trace.upstream_requests[0].messages])
    assert "<E>" in sent
    assert EVIL not in json.loads(json.dumps(sent))
    assert "0065" not in sent


@pytest.mark.parametrize("choice", [0, 1, 2])
def test_every_choice_is_checked(choice: int) -> None:
    """With ``n > 1`` the second and third answers of the model are checked as the first is."""
    texts = ["ok", "fine", "good"]
    texts[choice] = EVIL
    answer = Response(tuple(Message("assistant", text) for text in texts))
    assert run(guard("g", Word(EVIL), phase=AFTER), upstream=lambda _request: answer).response is None
    mask = guard("g", Word(EVIL, "<E>"), phase=AFTER, action="sanitize")
    response = run(mask, upstream=lambda _request: answer).response
    assert response is not None
    texts[choice] = "<E>"
    assert [message.text for message in response.choices] == texts


def test_tool_calls_of_the_model_are_checked() -> None:
    """What the model asks a tool to do is part of the response."""
    call = Message("assistant", None, tool_calls=({"function": {"name": "f", "arguments": '{"to": "evil"}'}},))
    trace = run(guard("g", Word(EVIL), phase=AFTER), upstream=lambda _request: Response((call,)))
    assert trace.verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), ["s", "u1", "a", "u2"]),
        (Scope(last_only=True), ["u2"]),
        (Scope(roles=("user",)), ["u1", "u2"]),
        (Scope(roles=("system", "assistant")), ["s", "a"]),
        (Scope(last_only=True, roles=("system",)), []),
    ],
)
def test_scope_is_everything_unless_narrowed(scope: Scope, expected: list[str]) -> None:
    """A check is shown the texts in its guardrail's scope, in order, and the default is all of them."""
    spy = Spy()
    roles = ("system", "user", "assistant", "user")
    messages = [Message(role, text) for role, text in zip(roles, ("s", "u1", "a", "u2"), strict=True)]
    run(guard("g", spy, scope=scope), request=messages)
    assert spy.seen == expected


def test_a_finding_outside_the_scope_is_an_error() -> None:
    """A check cannot point at a message that it was not shown."""
    check = Answers([span(0, 1, message_index=0)])
    assert run(guard("g", check, scope=Scope(last_only=True)), request=["a", "b"]).errors[0].kind == "ValueError"


# 5: errors

NONSENSE = {
    "raises": ValueError("no"),
    "times out": TimeoutError("10 s"),
    "stops": StopIteration(),
    "recursion": RecursionError(),
    "None": None,
    "True": True,
    "False": False,
    "number": 5,
    "text": "block",
    "empty text": "",
    "bytes": b"",
    "mapping": {"verdict": True},
    "empty mapping": {},
    "one finding": span(0, 1),
    "texts": ["block"],
    "other objects": [object()],
    "span past the end": [span(0, 6)],
    "negative start": [span(-1, 2)],
    "empty span": [span(2, 2)],
    "backward span": [span(3, 2)],
    "half a span": [span(2, None)],
    "other half": [span(None, 2)],
    "fraction": [span(0.5, 2)],
    "text as start": [span("0", 2)],
    "no such message": [span(0, 1, message_index=1)],
    "no such field": [span(0, 1, field="contents")],
    "action as text": [span(0, 1, action="deny")],
    "replacement": [span(0, 1, replacement=5)],
    "score as text": [span(0, 1, score="high")],
    "score as truth": [span(0, 1, score=True)],
    "severity as number": [span(0, 1, severity=3)],
    "vendor action as mapping": [span(0, 1, vendor_action={})],
    "name": [span(0, 1, name=None)],
    "category": [span(0, 1, category=["pii"])],
    "one bad of two": [span(0, 1), span(0, 99)],
}


@pytest.mark.parametrize("phase", [BEFORE, AFTER])
@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
def test_a_check_that_gives_no_answer_is_an_error_and_blocks(answer: Any, phase: Phase) -> None:
    """It is recorded on the check, is no action and no pass, and the request is blocked by default."""
    trace = run(guard("g", Answers(answer), phase=phase, action="sanitize"), guard("later", Spy(), phase=phase))
    assert (trace.verdict, trace.status, trace.decided_by, trace.response) == (Verdict.BLOCK, 446, "g", None)
    assert (trace.action, trace.findings) == (Action.NONE, ())
    assert [(error.guardrail, error.check) for error in trace.errors] == [("g", "answers")]
    assert trace.results[0].checks[0].error is trace.errors[0]
    assert states(trace) == {"g": "errored", "later": "skipped"}
    assert len(trace.upstream_requests) == (phase is AFTER)
    assert (trace.failed_open, trace.failed_open_by_choice) == (False, False)


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
def test_on_error_allow_lets_it_through_and_says_so(answer: Any) -> None:
    """Failing open is a choice that the trace, the warnings and the flag show as such."""
    trace = run(guard("g", Answers(answer), on_error="allow"), guard("later", Spy()))
    assert (trace.verdict, trace.status, trace.decided_by) == (Verdict.ALLOW, 200, None)
    assert states(trace) == {"g": "errored", "later": "ran"}
    assert (trace.failed_open, trace.failed_open_by_choice) == (False, True)
    assert len(trace.errors) == 1
    assert "FAILED OPEN by choice" in trace.warnings[0]


@pytest.mark.filterwarnings("ignore:coroutine")
def test_an_async_check_is_an_error() -> None:
    """A coroutine is no answer: the engine is synchronous and does not let it pass unasked."""

    async def later(_texts: Sequence[Text]) -> list[Finding]:
        return []

    later.id = "later"  # type: ignore[attr-defined]
    assert run(guard("g", later)).errors[0].kind == "TypeError"


def test_an_error_does_not_stop_the_other_checks() -> None:
    """With ``allow`` the findings of the healthy checks still count."""
    sick = Answers(OSError())
    assert run(guard("g", sick, Word("hello"), on_error="allow")).decided_by == "g"
    masked = run(guard("g", sick, Word("hello", "<H>"), on_error="allow", action="sanitize"))
    assert received(masked) == "<H>"
    blocked = run(guard("g", sick, Word("hello", id="w")))
    assert (blocked.action, [check.check for check in blocked.results[0].checks]) == (Action.DENY, ["answers", "w"])


def test_a_request_that_is_blocked_elsewhere_did_not_fail_open() -> None:
    """An error that was let through is no open failure where a later guardrail blocked the request."""
    trace = run(guard("g", Answers(OSError()), on_error="allow"), guard("later", Word("hello")))
    assert (trace.verdict, trace.decided_by, trace.failed_open_by_choice) == (Verdict.BLOCK, "later", False)


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit, type("Missing", (BaseException,), {})])
@pytest.mark.parametrize("on_error", list(OnError))
def test_what_is_no_exception_passes_through(exception: type[BaseException], on_error: OnError) -> None:
    """A ``BaseException`` of a check, such as a missing recording, is nobody's verdict and ends the run."""
    with pytest.raises(exception):
        run(guard("g", Answers(exception()), on_error=on_error))


# 6: denial, before and after


def test_denied_before_the_request_upstream_is_not_called() -> None:
    """The model receives nothing, and the caller gets a denial instead of a response."""
    calls: list[Request] = []
    trace = run(guard("g", Word("hello")), upstream=calls.append)
    assert (calls, trace.upstream_requests, trace.response, trace.status) == ([], (), None, 446)
    assert trace.denial is not None


def test_denied_after_the_request_the_caller_never_sees_the_response() -> None:
    """The model was called once, and nothing of its answer is anywhere in what the trace keeps."""
    trace = run(guard("g", Word("bomb"), phase=AFTER), upstream=lambda _request: "a bomb zebra")
    assert (len(trace.upstream_requests), trace.response, trace.status) == (1, None, 446)
    assert "zebra" not in json.dumps(trace.to_dict())


def test_the_body_of_a_denial_has_the_shape_of_portkey() -> None:
    """Error and hook results stand where a Portkey client looks for them; skipped guardrails are left out."""
    trace = run(
        guard("mask", Word("hello", "<H>"), action="sanitize"),
        guard("sick", Answers(OSError("hello")), on_error="allow"),
        guard("deny", Word("<H>", name="MARK"), Spy()),
        guard("never", Spy()),
        guard("out", Spy(), phase=AFTER),
    )
    assert trace.denial is not None
    body = json.loads(json.dumps(trace.denial.body))
    assert body["error"] == {
        "message": "The guardrail checks defined in the config failed. "
        "You can find more information in the `hook_results` object.",
        "type": "hooks_failed",
        "param": None,
        "code": None,
    }
    hooks = body["hook_results"]
    assert hooks["after_request_hooks"] == []
    mask, sick, deny = hooks["before_request_hooks"]
    assert deny == {
        "id": "deny",
        "type": "guardrail",
        "verdict": False,
        "deny": True,
        "transformed": False,
        "async": False,
        "checks": [
            {"id": "word", "verdict": False, "transformed": False, "data": {"findings": {"MARK": 1}},
             "fail_on_error": True},
            {"id": "spy", "verdict": True, "transformed": False, "data": None, "fail_on_error": True},
        ],
        "feedback": None,
    }  # fmt: skip
    assert (mask["verdict"], mask["transformed"], mask["checks"][0]["transformed"]) == (True, True, True)
    assert (sick["verdict"], sick["deny"], sick["checks"][0]["verdict"]) == (True, False, False)
    assert sick["checks"][0]["error"] == {"name": "OSError", "message": "the check gave no answer"}
    assert sick["checks"][0]["fail_on_error"] is False
    assert "hello" not in json.dumps(body)


def test_the_denial_of_an_error_says_which_check_gave_no_answer() -> None:
    """A guardrail that blocks because its check failed is shown as the one that denied."""
    trace = run(guard("g", Answers(OSError()), phase=AFTER))
    assert trace.denial is not None
    (hook,) = trace.denial.body["hook_results"]["after_request_hooks"]
    assert (hook["deny"], hook["verdict"], hook["checks"][0]["error"]["name"]) == (True, False, "OSError")


def test_a_soft_failure_before_a_denial_is_a_failure_in_its_body() -> None:
    """A guardrail that failed without denying has verdict false and deny false."""
    trace = run(guard("soft", Word("hello"), action="warn"), guard("deny", Word("hello")))
    assert trace.denial is not None
    soft, deny = trace.denial.body["hook_results"]["before_request_hooks"]
    assert [(hook["verdict"], hook["deny"]) for hook in (soft, deny)] == [(False, False), (False, True)]


# 8: immutable, in threads, repeatable


@pytest.mark.parametrize("name", ["guardrails", "version", "source", "anything"])
def test_an_engine_cannot_be_changed(name: str) -> None:
    """Setting any public attribute of an engine is refused."""
    with pytest.raises(AttributeError):
        setattr(Engine([guard("g", Spy())]), name, ())


def test_an_engine_keeps_its_own_list() -> None:
    """Changing the list that the guardrails came in changes no engine."""
    guardrails = [guard("g", Word("hello"))]
    engine = Engine(guardrails)
    guardrails.clear()
    assert engine.run("hello").verdict is Verdict.BLOCK


def test_one_engine_serves_many_threads() -> None:
    """Every thread gets the trace that its request gets alone."""
    engine = Engine(
        [
            guard("mask", Word("a", "<A>"), Word("b", "<B>", id="b"), action="sanitize"),
            guard("deny", Word("c")),
            guard("out", Word("d", "<D>"), phase=AFTER, action="sanitize"),
        ]
    )
    requests = ["".join("abcdefg"[(i >> shift) % 7] for shift in range(8)) for i in range(300)]
    alone = [engine.run(request) for request in requests]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(engine.run, requests)) == alone


def test_times_are_measured_and_are_not_part_of_equality() -> None:
    """Every duration is a number of seconds, and two runs of one request are equal all the same."""
    first, second = (run(guard("g", Word("hello", "<H>"), action="sanitize")) for _ in range(2))
    assert first == second
    assert 0 <= first.results[0].checks[0].duration_s <= first.results[0].duration_s <= first.duration_s < 5


# 10: advice is not an act


@pytest.mark.parametrize("action", ["sanitize", "warn"])
def test_masking_that_was_advised_and_not_applied_is_a_warning(action: str) -> None:
    """A vendor's AUTO_MASKING without a replacement leaves the text as it was, is WARN, and the trace says so."""
    check = Word("hello", vendor_action="AUTO_MASKING", action=Action.SANITIZE, name="PII")
    trace = run(guard("lasso", check, action=action))
    assert (trace.verdict, trace.action, received(trace)) == (Verdict.ALLOW, Action.WARN, "hello")
    assert trace.warnings == (
        "lasso: masking of 1 PII was advised and not applied: the request passed as it was",
    )  # fmt: skip


def test_masking_that_was_advised_and_applied_is_sanitizing() -> None:
    """The same advice with a replacement changes the text, and only sanitizing is reported."""
    check = Word("hello", "<H>", vendor_action="AUTO_MASKING", action=Action.SANITIZE)
    trace = run(guard("lasso", check))
    assert (trace.action, received(trace)) == (Action.SANITIZE, "<H>")
    assert trace.warnings == ("lasso: sanitized 1 WORD in the request",)


@pytest.mark.parametrize("replacement", [None, "hello"])
def test_sanitizing_that_changes_nothing_is_a_warning(replacement: str | None) -> None:
    """``SANITIZE`` means that the text really changed."""
    trace = run(guard("g", Word("hello", replacement), action="sanitize"))
    assert (trace.action, trace.findings[0].action) == (Action.WARN, Action.WARN)


def test_rewriting_an_absent_content_is_real() -> None:
    """A message without content that is rewritten as a whole has that content, so that SANITIZE is true of it."""
    trace = run(guard("g", Whole("<EMPTY>"), action="sanitize"), request=[Message("assistant")])
    assert (trace.action, received(trace)) == (Action.SANITIZE, "<EMPTY>")


def test_a_guardrail_that_warns_is_never_made_to_do_more() -> None:
    """``action: warn`` caps what its checks ask for."""
    asks = [Word("hello", "<H>", action, id=action) for action in (Action.SANITIZE, Action.DENY)]
    trace = run(guard("g", *asks, action="warn"))
    assert (trace.verdict, trace.action, received(trace)) == (Verdict.ALLOW, Action.WARN, "hello")


@pytest.mark.parametrize("asked", list(Action))
def test_a_check_may_ask_for_its_own_action(asked: Action) -> None:
    """What a finding asks for goes before what its guardrail does by default."""
    trace = run(guard("g", Word("hello", "<H>", asked)))
    assert trace.action is asked
    assert trace.findings[0].action is asked


# statuses and who decided


@pytest.mark.parametrize(
    ("guardrail", "status"),
    [
        (guard("g", Word("absent")), 200),
        (guard("g", Word("hello"), action="warn"), 246),
        (guard("g", Word("hello", action=Action.DENY), action="warn"), 246),
        (guard("g", Word("hello", action=Action.WARN), action="warn"), 200),
        (guard("g", Word("hello", action=Action.WARN)), 200),
        (guard("g", Word("hello", "<H>"), action="sanitize"), 200),
        (guard("g", Word("hello")), 446),
        (guard("g", Answers(OSError())), 446),
        (guard("g", Answers(OSError()), on_error="allow"), 200),
    ],
    ids=["clean", "deny: false", "capped", "advice", "advice, deny", "sanitized", "denied", "error", "error, allow"],
)
@pytest.mark.parametrize("phase", [BEFORE, AFTER])
def test_the_status_is_that_of_portkey(guardrail: Guardrail, status: int, phase: Phase) -> None:
    """446 is denied, 246 failed without denying, 200 is the rest, in either phase."""
    assert run(Guardrail("g", phase, guardrail.checks, guardrail.action, guardrail.on_error)).status == status


def test_the_status_of_a_failing_upstream_is_kept() -> None:
    """What the model's server answered is what the caller gets, unless a guardrail denied."""
    answer = Response((Message("assistant", "overloaded"),), status=503)
    assert run(guard("g", Word("hello"), action="warn"), upstream=lambda _request: answer).status == 503
    assert run(guard("g", Word("over"), phase=AFTER), upstream=lambda _request: answer).status == 446


@pytest.mark.parametrize(
    ("guardrails", "decided_by"),
    [
        ([guard("a", Word("x")), guard("b", Word("y"))], None),
        ([guard("a", Word("hello"), action="warn"), guard("b", Word("hello"), action="warn")], "a"),
        ([guard("a", Word("hello"), action="warn"), guard("b", Word("h", "H"), action="sanitize")], "b"),
        ([guard("a", Word("h", "H"), action="sanitize"), guard("b", Word("e", "E"), action="sanitize")], "a"),
        ([guard("a", Word("h", "H"), action="sanitize"), guard("b", Word("ello"))], "b"),
        ([guard("a", Word("h", "H"), action="sanitize"), guard("b", Answers(OSError()))], "b"),
        ([guard("a", Word("e"), action="warn"), guard("b", Word("h", "H"), phase=AFTER, action="sanitize")], "b"),
        ([guard("a", Answers(OSError()), on_error="allow"), guard("b", Word("e"), action="warn")], "b"),
    ],
)
def test_who_decided(guardrails: list[Guardrail], decided_by: str | None) -> None:
    """The one that blocked decided, else the first that did the strongest thing, else nobody."""
    assert run(*guardrails).decided_by == decided_by


def test_the_version_tells_configurations_apart() -> None:
    """Equal guardrails hash alike, other ones do not, and a whole version is taken as it is."""
    one, same, other = (Engine([guard("g", Word(word))], version="7").version for word in "aab")
    assert one == same
    assert one.config_hash != other.config_hash
    assert str(one) == f"7 ({one.config_hash})"
    whole = GuardVersion("mine", "abc")
    assert Engine(version=whole).version is whole
    assert Engine().source == "python"


# properties over generated guardrails and requests

VERSION = GuardVersion(None, "given, so that no example pays for hashing its configuration")
ACTIONS = st.sampled_from([None, Action.NONE, Action.WARN, Action.SANITIZE, Action.DENY])
CHECKS = st.one_of(
    st.builds(
        Word,
        word=st.sampled_from(["a", "b", "ab", "é😀"]),
        replacement=st.sampled_from([None, "", "<A>", "bb", "a"]),
        action=ACTIONS,
        vendor_action=st.sampled_from([None, "AUTO_MASKING", "WARN"]),
        name=st.sampled_from(["ONE", "TWO"]),
    ),
    st.builds(Whole, replacement=st.sampled_from(["", "a", "zz"])),
    st.builds(Answers, answer=st.sampled_from([[], None, OSError("disk"), [span(0, 99)]])),
)
GUARDRAILS = st.lists(
    st.tuples(
        st.sampled_from(Phase),
        st.lists(CHECKS, min_size=1, max_size=3),
        st.sampled_from([Action.WARN, Action.SANITIZE, Action.SANITIZE, Action.DENY]),
        st.sampled_from(OnError),
        st.sampled_from([Scope(), Scope(last_only=True), Scope(roles=("user", "assistant"))]),
        st.booleans(),
    ),
    max_size=4,
).map(lambda rows: [Guardrail(f"g{index}", *row) for index, row in enumerate(rows)])
TEXTS = st.text(alphabet='abcé😀 \n"\\', max_size=8)
CONTENTS = st.one_of(
    TEXTS,
    st.none(),
    st.lists(st.builds(lambda text: {"type": "text", "text": text}, TEXTS), max_size=2),
)
CALLS = st.lists(
    st.builds(
        lambda value: {"id": "1", "function": {"name": "f", "arguments": json.dumps(value)}},
        st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(), st.lists(TEXTS, max_size=2)), max_size=2),
    ),
    max_size=2,
)
MESSAGE = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), CONTENTS, tool_calls=CALLS)
REQUESTS = st.builds(Request, st.lists(MESSAGE, min_size=1, max_size=3), stream=st.booleans())
UPSTREAMS = st.one_of(
    st.none(),
    TEXTS.map(lambda text: lambda _request: text),
    st.lists(TEXTS).map(lambda chunks: lambda _request: iter(chunks)),
    st.lists(MESSAGE, max_size=2).map(lambda choices: lambda _request: Response(choices)),
)


@given(guardrails=GUARDRAILS, request=REQUESTS, upstream=UPSTREAMS)
@settings(max_examples=120, deadline=None)
def test_every_trace_keeps_its_promises_and_its_json(guardrails: Any, request: Any, upstream: Any) -> None:
    """Whatever runs over whatever: JSON and back is the same trace, a second run is equal, and the parts agree."""
    engine = Engine(guardrails, version=VERSION)
    trace = engine.run(request, upstream)
    described = trace.to_dict()
    assert Trace.from_dict(json.loads(json.dumps(described))) == trace
    assert described["errors"] == [
        {"guardrail": e.guardrail, "check": e.check, "kind": e.kind, "message": e.message} for e in trace.errors
    ]
    assert engine.run(request, upstream) == trace
    blocked = trace.verdict is Verdict.BLOCK
    assert (trace.response is None) == (trace.denial is not None) == (trace.status == 446) == blocked
    ordered = [g.id for phase in Phase for g in guardrails if g.phase is phase]
    assert [result.guardrail for result in trace.results] == ordered
    assert trace.action == max((result.action for result in trace.results), default=Action.NONE)
    assert not trace.failed_open
    stops = [r for r in trace.results if r.action is Action.DENY or (r.errors and r.on_error is OnError.BLOCK)]
    assert len(stops) == blocked
    if blocked:
        position = trace.results.index(stops[0])
        assert all(r.status == "skipped" for r in trace.results[position + 1 :])
        assert trace.decided_by == stops[0].guardrail
        assert bool(trace.upstream_requests) == (stops[0].phase is AFTER)
    else:
        assert all(r.status != "skipped" for r in trace.results)


@given(
    checks=st.lists(CHECKS, min_size=2, max_size=3),
    action=st.sampled_from([Action.WARN, Action.SANITIZE, Action.DENY]),
    request=REQUESTS,
)
@settings(max_examples=80, deadline=None)
def test_the_order_of_checks_inside_a_guardrail_does_not_matter(checks: Any, action: Action, request: Any) -> None:
    """In a guardrail that is not sequential, its action and the rewritten text are the same in any order."""
    seen = set()
    for order in permutations(checks):
        trace = Engine([guard("g", *order, action=action, on_error="allow")], version=VERSION).run(request)
        seen.add((trace.action, trace.verdict, trace.status, trace.upstream_requests, trace.warnings[:1] != ()))
    assert len(seen) == 1
