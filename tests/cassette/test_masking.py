"""Masked storage: no text is written, and replay behaves as if it were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails._cassette import RecordedTransport, lint, load
from pytest_guardrails._cassette._masking import MASKED, masked_request, masked_response, text_mask, unmasked_response
from pytest_guardrails._errors import ConfigError, MissingRecording

KEY = b"a key for tests"
MASK = text_mask(KEY)
JSON = "application/json"
MAIL = "john.doe@example.com"


def dumped(value: Any) -> bytes:
    """Return JSON as it is sent."""
    return json.dumps(value).encode()


def asked(*contents: Any) -> bytes:
    """Return the body of a question with these contents."""
    return dumped({"messages": [{"role": "user", "content": content} for content in contents], "messageType": "PROMPT"})


def fixed(request: bytes, messages: Any, **others: Any) -> Any:
    """Return what is stored of a classifix answer, and what is rebuilt from it."""
    response = dumped({"violations_detected": True, "messages": messages, **others})
    stored = masked_response(response, JSON, request, MASK)
    return stored, json.loads(unmasked_response(stored, request))


words = st.text(st.characters(codec="utf-8", exclude_characters="<>[]"), max_size=12)


@given(st.lists(words, min_size=1, max_size=5), st.sampled_from(["<EMAIL>", "<PHONE_NUMBER>", "[SSN]"]))
def test_a_masked_copy_is_rebuilt_exactly(pieces: list[str], placeholder: str) -> None:
    """Whatever was replaced by placeholders, the copy comes back, and the stored form has none of its texts."""
    request = asked(f"{MAIL}".join(pieces))
    copy = placeholder.join(pieces)
    stored, rebuilt = fixed(request, [{"role": "user", "content": copy}])
    assert rebuilt["messages"] == [{"role": "user", "content": copy}]
    assert MAIL not in stored.decode()
    assert json.loads(stored)["messages"][0]["content"].keys() == {"$splices"}


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_copy_is_rebuilt_or_masked(sent: str, got: str) -> None:
    """A copy that is no masked form of what was sent is stored masked; it is never rebuilt as another text."""
    stored, rebuilt = fixed(asked(sent), [{"role": "user", "content": got}])
    content = json.loads(stored)["messages"][0]["content"]
    assert content == MASK(got) or content.keys() == {"$splices"}
    assert rebuilt["messages"][0]["content"] == (got if isinstance(content, dict) else content)


def test_placeholders_of_findings_count_whatever_their_form() -> None:
    """A finding's own mask is a placeholder; it stays readable in the stored form."""
    findings = {"pattern-detection": [{"name": "Email Address", "action": "AUTO_MASKING", "mask": "***"}]}
    stored, rebuilt = fixed(asked(f"to {MAIL}!"), [{"role": "user", "content": "to ***!"}], findings=findings)
    assert rebuilt["messages"][0]["content"] == "to ***!"
    assert json.loads(stored)["findings"] == findings
    assert b'"***"' in stored


def test_blocks_are_rebuilt_string_by_string() -> None:
    """Inputs and results of tools come back as they were, ids and types stay."""
    block = {"type": "tool_use", "id": "call_1", "name": "send", "input": {"to": MAIL, "type": MAIL, "n": [1, MAIL]}}
    masked = {**block, "input": {"to": "<EMAIL>", "type": "<EMAIL>", "n": [1, "<EMAIL>"]}}
    stored, rebuilt = fixed(
        asked("hi", block), [{"role": "user", "content": "hi"}, {"role": "model", "content": masked}]
    )
    assert rebuilt["messages"][1]["content"] == masked
    assert MAIL.encode() not in stored


def test_requests_hold_no_text() -> None:
    """Contents, inputs of tools (whatever their keys), the user and long numbers are masked; labels are not."""
    body = {
        "messages": [
            {"role": "user", "content": MAIL},
            {"role": "model", "content": {"type": "tool_use", "input": {"id": MAIL, "n": 4111111111111111, "k": 12}}},
        ],
        "messageType": "PROMPT",
        "userId": MAIL,
    }
    masked = masked_request(dumped(body), JSON, MASK)
    assert MAIL.encode() not in masked
    assert b"4111111111111111" not in masked
    read = json.loads(masked)
    assert (read["messageType"], read["messages"][1]["content"]["input"]["k"]) == ("PROMPT", 12)
    assert MASKED.fullmatch(read["messages"][0]["content"])


@pytest.mark.parametrize("body", [b"name=" + MAIL.encode(), b"\xff" + MAIL.encode(), b'"' + MAIL.encode() + b'"'])
def test_a_body_that_is_no_object_is_one_text(body: bytes) -> None:
    """Forms, bytes and JSON strings are masked whole."""
    assert MAIL.encode() not in masked_request(body, JSON, MASK)
    assert MAIL.encode() not in masked_response(body, "text/html", b"", MASK)


def test_deep_nesting_is_one_text() -> None:
    """A body too deep to walk is masked whole, and never an error."""
    body = b'{"a":' * 900 + b'"%s"' % MAIL.encode() + b"}" * 900
    assert MAIL.encode() not in masked_request(body, JSON, MASK)


@pytest.mark.parametrize(
    "splices",
    [None, 5, "x", [[0]], [[0, 99, "x"]], [[3, 1, "x"]], [[-1, 2, "x"]], [[2, 3, "x"], [0, 1, "y"]], [[0, 1, 2]]],
)
def test_damaged_splices_stay_as_they_are(splices: Any) -> None:
    """A hostile file makes no text and no error of splices that do not fit."""
    stored = dumped({"messages": [{"role": "user", "content": {"$splices": splices}}]})
    assert json.loads(unmasked_response(stored, asked("hello"))) == json.loads(stored)


def answer(_: int, body: Any) -> Any:
    """Answer as /classifix does: with the masked copy of the first message."""
    text = body["messages"][0]["content"]
    return {"violations_detected": False, "messages": [{"role": "user", "content": text.replace(MAIL, "<EMAIL>")}]}


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".jsonl"])
def test_replay_of_a_masked_cassette_is_that_of_a_plain_one(
    tmp_path: Path, send: Any, service: Any, suffix: str
) -> None:
    """Recorded under a key, found and answered under that key; the file has no text, and says that it is masked."""
    path = tmp_path / f"x{suffix}"
    bodies = [json.loads(asked(f"mail {MAIL} number {n}")) for n in range(3)]
    recording = RecordedTransport(path, "once", inner=service(answer), mask_key=KEY)
    live = [send(recording, body).json() for body in bodies]
    assert recording.save() == 3
    assert MAIL not in path.read_text()
    assert load(path).metadata.key_id
    replay = RecordedTransport(path, mask_key=KEY)
    assert [send(replay, body).json() for body in bodies] == live
    assert live[1]["messages"][0]["content"] == "mail <EMAIL> number 1"
    assert [problem.what for problem in lint(path)] == []


@pytest.mark.parametrize("key", [None, b"another"])
def test_another_key_is_told_apart(tmp_path: Path, send: Any, service: Any, key: bytes | None) -> None:
    """A wrong key, or none, is an error that names the variable, and not a suite full of misses."""
    path = tmp_path / "x.yaml"
    recording = RecordedTransport(path, "once", inner=service(answer), mask_key=KEY)
    send(recording, json.loads(asked("one")))
    recording.save()
    with pytest.raises(ConfigError, match="GUARDRAILS_MASK_KEY") as caught:
        RecordedTransport(path, mask_key=key)
    assert KEY.decode() not in str(caught.value)


def test_a_key_does_not_mask_a_plain_cassette(tmp_path: Path, send: Any, service: Any) -> None:
    """A cassette with plain texts replays whatever key there is, and is not recorded into under one."""
    path = tmp_path / "x.yaml"
    recording = RecordedTransport(path, "once", inner=service(answer))
    body = json.loads(asked("one"))
    send(recording, body)
    recording.save()
    assert send(RecordedTransport(path, mask_key=KEY), body).json()["messages"][0]["content"] == "one"
    with pytest.raises(ConfigError, match="all masked under one key or not at all"):
        RecordedTransport(path, "new", mask_key=KEY)


def test_a_miss_in_a_masked_cassette_shows_no_text(tmp_path: Path, send: Any, service: Any) -> None:
    """The difference is between masked texts."""
    path = tmp_path / "x.yaml"
    recording = RecordedTransport(path, "once", inner=service(answer), mask_key=KEY)
    send(recording, json.loads(asked(MAIL)))
    recording.save()
    with pytest.raises(MissingRecording) as caught:
        send(RecordedTransport(path, mask_key=KEY), json.loads(asked("jane@example.com")))
    assert "@example.com" not in str(caught.value)
    assert "a@a" in str(caught.value)


@pytest.mark.parametrize("key", [b"", b"x" * 65])
def test_a_key_has_a_size(tmp_path: Path, key: bytes) -> None:
    """An empty key would hide nothing, and one that is too long cannot be used."""
    with pytest.raises(ConfigError, match="1 to 64 bytes"):
        RecordedTransport(tmp_path / "x.yaml", mask_key=key)
