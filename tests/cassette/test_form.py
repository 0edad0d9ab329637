"""An interaction in vcrpy's form, and back; what a hostile file says is refused."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails._cassette import Interaction
from pytest_guardrails._cassette._form import from_dict, to_dict

texts = st.text(st.characters(codec="utf-8"), max_size=30)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
interactions = st.builds(
    Interaction,
    method=st.sampled_from(["GET", "POST"]),
    url=st.sampled_from(["https://a.example/x", "http://b.example:81/y?q=1"]),
    request_headers=st.just((("accept", "*/*"), ("content-type", "application/json"))),
    request_body=st.binary(max_size=40) | texts.map(str.encode),
    status=st.integers(100, 599),
    response_headers=st.lists(st.tuples(st.just("retry-after"), header_values), max_size=2).map(tuple),
    response_body=st.binary(max_size=40) | texts.map(str.encode),
    latency_ms=st.none() | st.floats(0, 3_600_000),
    raises=st.none() | st.sampled_from(["ReadTimeout", "ConnectError"]),
)


@given(interactions, st.booleans())
def test_it_comes_back_as_it_was(interaction: Interaction, binary: bool) -> None:
    """Every interaction survives vcrpy's form, with bytes as they are and with bytes as base64."""
    assert from_dict(to_dict(interaction, binary=binary)) == interaction


def test_headers_are_allow_listed(made: Any) -> None:
    """Only headers that are known to be harmless are written; a location loses its credentials."""
    headers = [("Authorization", "one"), ("lasso-api-key", "two"), ("Cookie", "three"), ("X-Anything", "four")]
    written = to_dict(
        made(
            request_headers=(*headers, ("Content-Type", "application/json")),
            response_headers=(
                ("Set-Cookie", "five"),
                ("Location", "https://u:p@h.example/?token=six"),
                ("Date", "now"),
            ),
            url="https://u:p@h.example/?api_key=seven",
        ),
        binary=True,
    )
    assert written["request"]["headers"] == {"content-type": ["application/json"]}
    assert written["response"]["headers"] == {"location": ["https://h.example/?token=REDACTED"], "date": ["now"]}
    assert written["request"]["uri"] == "https://h.example/?api_key=REDACTED"


def test_request_headers_of_others_are_not_kept_in_memory(made: Any) -> None:
    """A credential that vcrpy recorded does not come back from reading its file."""
    data = to_dict(made(), binary=True)
    data["request"]["headers"]["lasso-api-key"] = ["one"]
    assert "lasso-api-key" not in dict(from_dict(data).request_headers)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("identity", bytes),
        ("gzip", bytes),  # decoded by vcrpy, the header left as it was
    ],
)
def test_compressed_bodies_of_vcrpy_are_unpacked(made: Any, encoding: str, pack: Any) -> None:
    """Vcrpy stores what came over the wire; here a body is what it says."""
    data = to_dict(made(), binary=True)
    data["response"]["headers"]["Content-Encoding"] = [encoding]
    data["response"]["body"]["string"] = pack(b'{"violations_detected": true}')
    read = from_dict(data)
    assert read.response_body == b'{"violations_detected": true}'
    assert "content-encoding" not in dict(read.response_headers)


def test_the_form_of_older_vcrpy_is_read(made: Any) -> None:
    """Before version 8.2, vcrpy wrote httpx answers with status_code and content."""
    data = to_dict(made(), binary=True)
    data["response"] = {"status_code": 201, "http_version": "HTTP/1.1", "headers": {"a": ["b"]}, "content": "hé"}
    read = from_dict(data)
    assert (read.status, read.response_body, read.response_headers) == (201, "hé".encode(), (("a", "b"),))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("request", None, "mapping 'request'"),
        ("response", [], "mapping 'response'"),
        ("request.method", 1, "method and a uri"),
        ("request.uri", None, "method and a uri"),
        ("request.uri", "http://[", "URL"),
        ("request.uri", "http://h:99999/", "ort"),
        ("request.body", ["a"], "the body of a request is a text, not a list"),
        ("request.body", {"base64": "%"}, "no base64"),
        ("request.headers", ["a"], "headers are a mapping"),
        ("request.headers", {"a": [1]}, "a header is a text"),
        ("response.status", {"code": "200"}, "100 to 599"),
        ("response.status", {"code": True}, "100 to 599"),
        ("response.status", {"code": 99}, "100 to 599"),
        ("response.status", 200, "100 to 599"),
        ("response.body", {"string": 5}, "the body of a response is a text, not a int"),
        ("response.guardrails", [], "mapping"),
        ("response.guardrails", {"latency": 1}, "did you mean 'latency_ms'"),
        ("response.guardrails", {"latency_ms": -1}, "latency_ms"),
        ("response.guardrails", {"latency_ms": float("nan")}, "latency_ms"),
        ("response.guardrails", {"latency_ms": 10**10}, "latency_ms"),
        ("response.guardrails", {"latency_ms": "1"}, "latency_ms"),
        ("response.guardrails", {"raises": "os.system('x')"}, "name of an exception"),
        ("response.headers", {"content-encoding": ["br"]}, "other than gzip"),
        ("response.headers", {"content-encoding": ["deflate"]}, "not the deflate"),
    ],
)
def test_what_is_no_interaction_is_refused(made: Any, path: str, value: Any, problem: str) -> None:
    """Each damaged part is named, and nothing but ValueError comes of it."""
    data = to_dict(made(), binary=True)
    *above, last = path.split(".")
    place = data
    for name in above:
        place = place[name]
    place[last] = value
    if problem == "URL":
        problem = "."
    with pytest.raises(ValueError, match=problem):
        from_dict(data)


@pytest.mark.parametrize("data", [None, [], "text", {}, {"request": {}}])
def test_what_is_no_mapping_is_refused(data: Any) -> None:
    """An interaction is a mapping with a request and a response."""
    with pytest.raises(ValueError, match="an interaction has a mapping"):
        from_dict(data)


def test_a_decompression_bomb_is_refused(made: Any) -> None:
    """A small body cannot unpack to an endless one."""
    data = to_dict(made(), binary=True)
    data["response"]["headers"]["content-encoding"] = ["gzip"]
    data["response"]["body"]["string"] = gzip.compress(bytes(70 * 2**20), 1)
    with pytest.raises(ValueError, match="unpacks to more"):
        from_dict(data)


def test_bytes_in_json_are_base64(made: Any) -> None:
    """What is no UTF-8 has a form in JSON; vcrpy finds no text there, and says so instead of replaying another one."""
    written = to_dict(made(response_body=b"\xff\x00"), binary=False)
    assert written["response"]["body"] == {"base64": base64.b64encode(b"\xff\x00").decode()}
    assert json.loads(json.dumps(written)) == written
