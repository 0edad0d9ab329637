"""The model behind the guardrails: what it may return, what it may raise, and the upstream that records."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pytest_guardrails import ConfigError, Engine, Message, Request, Response
from pytest_guardrails.targets.embedded import RecordingUpstream, scripted

ENGINE = Engine()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("text", Response.of("text")),
        ("", Response.of("")),
        (Response.of("whole"), Response.of("whole")),
        (["a", "b"], Response.of("ab", chunks=("a", "b"))),
        (("a",), Response.of("a", chunks=("a",))),
        ((text for text in ("x", "y")), Response.of("xy", chunks=("x", "y"))),
        ([], Response.of("")),
    ],
    ids=["text", "empty", "response", "list", "tuple", "generator", "no chunk"],
)
def test_what_an_upstream_may_return(answer: Any, expected: Response) -> None:
    """A response, a text, or the chunks of a stream."""
    assert ENGINE.run("hi", lambda _request: answer).response == expected


@pytest.mark.parametrize(
    "answer", [None, 5, b"bytes", {"choices": []}, {}, [1], ["a", None], Message("assistant", "x"), True], ids=repr
)
def test_what_an_upstream_may_not_return(answer: Any) -> None:
    """Anything else is refused by its type, and never read as an answer."""
    with pytest.raises(TypeError, match=f"not {type(answer).__name__}"):
        ENGINE.run("hi", lambda _request: answer)


@pytest.mark.parametrize("exception", [ValueError("mine"), TimeoutError(), KeyboardInterrupt()], ids=repr)
def test_what_an_upstream_raises_passes_through(exception: BaseException) -> None:
    """The exception of the model is the caller's, and the very same object."""

    def failing(_request: Request) -> str:
        raise exception

    with pytest.raises(type(exception)) as caught:
        ENGINE.run("hi", failing)
    assert caught.value is exception


@pytest.mark.parametrize(
    "request_",
    [
        "hi",
        Message("user", "hi"),
        {"role": "user", "content": "hi"},
        ["hi"],
        [{"role": "user", "content": "hi"}],
        (Message("user", "hi"),),
        Request((Message("user", "hi"),)),
    ],
    ids=["text", "message", "mapping", "texts", "mappings", "messages", "request"],
)
def test_what_an_engine_takes_as_a_request(request_: Any) -> None:
    """A request, a message, a mapping, a text, or a list of them: the model receives one and the same request."""
    assert ENGINE.run(request_).upstream_requests == (Request((Message("user", "hi"),)),)


@pytest.mark.parametrize("request_", [None, 5, [], [5], [None], {"text": "hi"}, {}, b"hi", [["hi"]]], ids=repr)
def test_what_an_engine_refuses_as_a_request(request_: Any) -> None:
    """Anything else is a mistake of the caller, with a text that says so."""
    with pytest.raises(ConfigError, match=r"message|request"):
        ENGINE.run(request_)


def test_by_default_the_last_message_comes_back() -> None:
    """Without an upstream the engine answers with an echo of the last message."""
    assert ENGINE.run(["first", "last"]).response == Response.of("last")


def test_a_request_reaches_upstream_as_it_is_where_nothing_is_rewritten() -> None:
    """Endpoint, model, stream and metadata are those of the caller."""
    request = Request(("hi",), "messages", stream=True, model="m", metadata={"a": [1]})  # type: ignore[arg-type]
    upstream = RecordingUpstream()
    trace = ENGINE.run(request, upstream)
    assert upstream.requests == (request,) == trace.upstream_requests


def test_a_recording_upstream_echoes_without_a_script() -> None:
    """It keeps every request in order, and answers with the text of its last message."""
    upstream = RecordingUpstream()
    assert [ENGINE.run(text, upstream).response for text in ("a", "b")] == [Response.of("a"), Response.of("b")]
    assert upstream.texts == ("a", "b")


def test_scripted_replies_are_used_once_and_the_last_one_repeats() -> None:
    """Texts, responses and lists of chunks are replies; more can be added later."""
    upstream = RecordingUpstream("one", ["t", "wo"]).reply(Response.of("three"))
    texts = [ENGINE.run("hi", upstream).response.text for _ in range(4)]  # type: ignore[union-attr]
    assert texts == ["one", "two", "three", "three"]


def test_a_reply_that_is_a_generator_can_be_sent_twice() -> None:
    """Chunks are drawn when they are scripted."""
    upstream = RecordingUpstream(chunk for chunk in "ab")
    assert [ENGINE.run("hi", upstream).response.text for _ in range(2)] == ["ab", "ab"]  # type: ignore[union-attr]


def test_reset_forgets_requests_and_replies() -> None:
    """After a reset it is as new."""
    upstream = RecordingUpstream("one")
    ENGINE.run("hi", upstream)
    upstream.reset()
    assert upstream.requests == ()
    assert ENGINE.run("ho", upstream).response == Response.of("ho")


def test_every_reply_is_used_once_from_many_threads() -> None:
    """No reply is lost or given twice where threads share one recording upstream."""
    replies = [str(number) for number in range(400)]
    upstream = RecordingUpstream(*replies)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(16) as pool:
            got = list(pool.map(lambda text: upstream(Request.of(text)), replies))
    finally:
        sys.setswitchinterval(interval)
    assert sorted(got) == sorted(replies)
    assert len(upstream.requests) == len(replies)


@pytest.mark.parametrize(
    ("response", "stream", "expected"),
    [
        (None, False, Response.of("hi")),
        (("one",), False, Response.of("one")),
        (("one", "two"), False, Response(("one", "two"))),  # type: ignore[arg-type]
        (("o", "ne"), True, Response.of("one", chunks=("o", "ne"))),
    ],
    ids=["echo", "one choice", "two choices", "stream"],
)
def test_the_response_of_a_case_is_what_its_model_says(response: Any, stream: bool, expected: Response) -> None:
    """One choice per text, the chunks of a stream, or an echo where the case has no response."""
    assert ENGINE.run("hi", scripted(response, stream=stream)).response == expected
