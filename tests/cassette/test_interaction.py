"""The key of a request, and what of an exchange may be written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_guardrails._cassette._interaction import VOLATILE, VOLATILE_IN_MESSAGES, is_secret_name, key_of, scrubbed

URL = "https://lasso.example/gateway/v3/classify"
JSON = "application/json"
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
lasting = st.dictionaries(st.text(max_size=6).filter(lambda name: name not in VOLATILE), values, max_size=4)


def key(body: Any, url: str = URL) -> str:
    """Return the key of a question."""
    return key_of("POST", url, json.dumps(body).encode(), JSON)


@given(lasting, st.dictionaries(st.sampled_from(VOLATILE), values))
def test_volatile_fields_do_not_count(body: dict[str, Any], volatile: dict[str, Any]) -> None:
    """Session, user, source, agent: whatever they say, the key is the same."""
    assert key({**volatile, **body}) == key(body)


@given(st.dictionaries(st.sampled_from(VOLATILE_IN_MESSAGES), values), st.text(max_size=20))
def test_volatile_fields_of_a_message_do_not_count(volatile: dict[str, Any], text: str) -> None:
    """The ids of a trace in a message do not count."""
    message = {"role": "user", "content": text}
    assert key({"messages": [{**volatile, **message}]}) == key({"messages": [message]})


@given(lasting, lasting)
def test_everything_else_counts(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two bodies with different lasting fields have different keys."""
    assume(json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    assert key(one) != key(other)


@pytest.mark.parametrize("name", [*VOLATILE, *VOLATILE_IN_MESSAGES])
def test_volatile_names_count_elsewhere(name: str) -> None:
    """A volatile name inside a tool's input is data, and counts."""

    def body(value: str) -> dict[str, Any]:
        return {"messages": [{"role": "model", "content": {"type": "tool_use", "input": {name: value}}}]}

    assert key(body("a")) != key(body("b"))


@given(lasting)
def test_spelling_does_not_count(body: dict[str, Any]) -> None:
    """Order of keys, white space and escapes do not count."""
    turned = json.dumps(dict(reversed(body.items())), indent=2, ensure_ascii=False)
    try:
        spelled = turned.encode()
    except UnicodeEncodeError:
        return
    assert key_of("post", URL, spelled, f"{JSON}; charset=utf-8") == key(body)


def test_a_body_that_is_no_json_counts_byte_by_byte() -> None:
    """Forms, truncated JSON, UTF-16 and endless nesting are bytes, and never an error."""
    bodies = [b"", b"a=1", b"a=2", b'{"a": 1', b'{"a":1', "{}".encode("utf-16"), b"[" * 50_000, b"\xff", b"9" * 5000]
    assert len({key_of("POST", URL, body, JSON) for body in bodies}) == len(bodies)


def test_the_content_type_says_what_json_is() -> None:
    """A body that its type calls something else is no JSON, however it looks."""
    assert key_of("POST", URL, b'{"a":1}', "text/plain") != key_of("POST", URL, b'{"a": 1}', "text/plain")
    assert key_of("POST", URL, b'{"a":1}', "") == key_of("POST", URL, b'{"a": 1}', JSON)


@pytest.mark.parametrize(
    "url",
    [
        "HTTPS://LASSO.example:443/gateway/v3/classify",
        "https://me:pass@lasso.example/gateway/v3/classify#top",
    ],
)
def test_one_place_has_one_key(url: str) -> None:
    """Case of the host, the default port, user and fragment do not make another place."""
    assert key({}, url) == key({})


@pytest.mark.parametrize(
    "url",
    [
        "http://lasso.example/gateway/v3/classify",
        "https://lasso.example:444/gateway/v3/classify",
        "https://lasso.example/gateway/v3/classifix",
        "https://lasso.example/gateway/v3/classify?a=1",
        "https://[::1]/gateway/v3/classify",
    ],
)
def test_another_place_has_another_key(url: str) -> None:
    """Scheme, port, path and query make another place."""
    assert key({}, url) != key({})


def test_the_order_of_a_query_does_not_count() -> None:
    """Parameters are compared as a set of pairs, and those named like a key by their name alone."""
    assert key({}, f"{URL}?a=1&b=2") == key({}, f"{URL}?b=2&a=1")
    assert key({}, f"{URL}?api_key=one") == key({}, f"{URL}?api_key=two") != key({}, f"{URL}?monkey=two")


def test_no_credential_stays_in_a_url() -> None:
    """User, password, fragment and the values of key-like parameters are not written; everything else is as it was."""
    assert scrubbed("https://u:p@h.example:8080/a%20b?x=1&apiKey=s3&access_token=t#f") == (
        "https://h.example:8080/a%20b?x=1&apiKey=REDACTED&access_token=REDACTED"
    )
    assert scrubbed("https://h.example/a?b=%20&c") == "https://h.example/a?b=%20&c"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lasso-api-key", True),
        ("Authorization", True),
        ("Set-Cookie", True),
        ("apiKey", True),
        ("X-Amz-Signature", True),
        ("APIKEY", True),
        ("accessToken", True),
        ("content-type", False),
        ("monkey", False),
        ("key_id", False),
        ("max_tokens", False),
        ("", False),
    ],
)
def test_names_of_credentials(name: str, expected: bool) -> None:
    """The last word of a name says whether its value is a credential."""
    assert is_secret_name(name) is expected
