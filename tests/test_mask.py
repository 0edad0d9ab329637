"""Masking: shape, length and keyed hash, and nothing of the text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails import Engine, Finding, Guardrail, Message, Phase, Request, Response, Text, Trace
from pytest_guardrails._mask import mask_trace, masker, placeholders_of, shape

MASK = masker(b"key")


@dataclass(frozen=True)
class Word:
    """Finds a word and rewrites it where a replacement is given; fails where the word is ``!``."""

    word: str
    replacement: str | None = None
    id: str = "word"

    def __call__(self, texts: Sequence[Text]) -> Iterator[Finding]:
        """Return a finding per text with the word in it."""
        for text in texts:
            if self.word == "!":
                raise ValueError(f"cannot read {text.text}")
            if (start := text.text.find(self.word)) >= 0:
                place = {"message_index": text.message_index, "start": start, "end": start + len(self.word)}
                yield Finding("WORD", "test", field=text.field, replacement=self.replacement, **place)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("my mail is alice@example.com", "aa aaaa aa aaaaa@aaaaaaa.aaa"),
        ("+1 (555) 010-9999", "+9 (999) 999-9999"),
        ("Köln\n京都\t٣", "aaaa aa 9"),
        ("a\x1b[31m\u202e", "a·[99a·"),
        ("<EMAIL>", "<aaaaa>"),
        ("x" * 72, "a" * 72),
        ("x" * 73, "a" * 71 + "…"),
        ("x" * 1000, "a" * 71 + "…"),
    ],
)
def test_the_shape_of_a_text(text: str, expected: str) -> None:
    """Letters become ``a``, digits ``9``, plain punctuation stays, and all else is a blank or a dot."""
    assert shape(text) == expected


def test_placeholders_that_guardrails_wrote_stay_readable() -> None:
    """A placeholder stays where it was written by a guardrail, and is letters like any other where it was not."""
    assert shape("mail <EMAIL> [SSN] <X1>", frozenset({"<EMAIL>", "[SSN]"})) == "aaaa <EMAIL> [SSN] <a9>"


def test_a_mask_is_shape_length_and_hash() -> None:
    """The three parts stand in one pair of quotes."""
    assert re.fullmatch(r"«aaaaa 99 · 8 chars · #[0-9a-f]{8}»", MASK("alice 42"))


@given(st.text(max_size=200))
@settings(deadline=None)
def test_no_run_of_four_letters_or_digits_survives(text: str) -> None:
    """Of letters and digits only ``a`` and ``9`` are left, so that no part of the text can be read back."""
    outline = shape(text)
    assert set(re.findall(r"\w", outline)) <= {"a", "9", "_"}
    for run in re.findall(r"[^\W_]{4,}", text):
        for start in range(len(run) - 3):
            part = run[start : start + 4]
            assert set(part) <= {"a", "9"} or part not in outline
    assert len(outline) <= 72


@given(st.text(max_size=50), st.text(max_size=50))
@settings(deadline=None)
def test_equal_texts_look_equal_under_one_key(one: str, other: str) -> None:
    """Under one key two texts look alike exactly where they are equal; under another key nothing can be compared."""
    assert (MASK(one) == MASK(other)) == (one == other)
    assert masker(b"key")(one) == MASK(one)
    assert masker(b"other")(one) != MASK(one)


def test_a_lone_surrogate_can_be_masked() -> None:
    """Text that is no valid Unicode is masked like any other."""
    assert MASK("\ud800x").startswith("«·a · 2 chars")


# whole traces

SECRET = st.text(alphabet="QXZJKVWYGH", min_size=5, max_size=12)
GUARDS = (
    Guardrail("mask", Phase.BEFORE_REQUEST, (Word("Q", "<EMAIL>"),), action="sanitize"),  # type: ignore[arg-type]
    Guardrail("sick", Phase.BEFORE_REQUEST, (Word("!"),), on_error="allow"),  # type: ignore[arg-type]
    Guardrail("copy", Phase.AFTER_REQUEST, (Word("X", "WRITTEN BY A MODEL"),), action="sanitize"),  # type: ignore[arg-type]
    Guardrail("warn", Phase.AFTER_REQUEST, (Word("Z"),), action="warn"),  # type: ignore[arg-type]
)
ENGINES = {"allow": Engine(GUARDS), "block": Engine((*GUARDS, Guardrail("deny", Phase.AFTER_REQUEST, (Word("K"),))))}


def masked(trace: Trace) -> str:
    """Return the JSON of a masked trace."""
    return json.dumps(mask_trace(trace, masker(b"key", placeholders_of(trace))).to_dict(), ensure_ascii=False)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
@given(secret=SECRET, answer=SECRET, stream=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_masked_trace_holds_no_text(engine: Engine, secret: str, answer: str, stream: bool) -> None:
    """Nothing of messages, parts, names, tool arguments and their keys, metadata, answers, chunks or error texts."""
    call = {"id": secret, "function": {"name": secret, "arguments": json.dumps({secret: {secret: f"Q{secret}"}})}}
    messages = [
        Message("system", secret),
        Message("user", [{"type": "text", "text": secret}, {"image_url": {"url": secret}}], name=secret),  # type: ignore[arg-type]
        Message("assistant", secret, tool_calls=[call]),  # type: ignore[arg-type]
        Message("tool", secret, tool_call_id=secret),
    ]
    request = Request(tuple(messages), stream=stream, metadata={"user": secret})  # type: ignore[arg-type]
    replies: Any = (list(answer) if stream else Response((Message("assistant", answer, tool_calls=[call]),)),)  # type: ignore[arg-type]
    trace = engine.run(request, lambda _request: replies[0])
    assert secret in json.dumps(trace.to_dict())
    text = masked(trace)
    for hidden in (secret, answer):
        assert not any(hidden[start : start + 4] in text for start in range(len(hidden) - 3))
    assert Trace.from_dict(json.loads(text)).verdict is trace.verdict


def test_a_masked_trace_keeps_what_is_no_text() -> None:
    """Verdict, guardrails, findings, statuses, warnings, denial and known placeholders can still be read."""
    trace = ENGINES["block"].run("Q X K")
    seen = mask_trace(trace, masker(b"key", placeholders_of(trace)))
    for name in ("verdict", "action", "decided_by", "denial", "status", "warnings"):
        assert getattr(seen, name) == getattr(trace, name)
    assert [finding.name for finding in seen.findings] == [finding.name for finding in trace.findings]
    assert [result.action for result in seen.results] == [result.action for result in trace.results]
    assert seen.findings[0].replacement == "<EMAIL>"
    assert seen.upstream_requests[0].text.startswith("«<EMAIL> a a ·")


def test_a_replacement_that_is_no_placeholder_is_masked() -> None:
    """What a guardrail wrote may be a text of the case, unless it has the form of a placeholder."""
    trace = ENGINES["allow"].run("X")
    assert placeholders_of(trace) == frozenset()
    assert "WRITTEN" not in masked(trace)
    assert placeholders_of(ENGINES["allow"].run("Q")) == {"<EMAIL>"}


def test_the_field_of_a_finding_keeps_its_known_steps() -> None:
    """Where a finding is can be read, but for the keys that the caller wrote."""
    call = {"function": {"name": "f", "arguments": '{"alice": ["Q"], "1234": "Q", "bob.eve": "Q"}'}}
    trace = ENGINES["allow"].run([Message("assistant", tool_calls=[call])])  # type: ignore[arg-type]
    fields = [finding.field for finding in mask_trace(trace, MASK).findings]
    assert fields == [
        "tool_calls.0.function.arguments#.aaaaa.0",
        "tool_calls.0.function.arguments#.9999",
        "tool_calls.0.function.arguments#.aaa~9aaa",
    ]


def test_a_masked_message_tells_other_tool_calls_apart() -> None:
    """Tool calls are in the mask of their message, so that two messages look equal only where all of them is."""
    calls = [{"function": {"arguments": text}} for text in ("one", "two")]
    first, second = (ENGINES["allow"].run([Message("assistant", "hi", tool_calls=[call])]) for call in calls)  # type: ignore[arg-type]
    assert mask_trace(first, MASK).request != mask_trace(second, MASK).request


def test_masking_changes_no_trace() -> None:
    """A masked trace is another one; the trace itself stays as it was."""
    trace = ENGINES["block"].run("Q secret")
    before = json.dumps(trace.to_dict())
    mask_trace(trace, MASK)
    assert json.dumps(trace.to_dict()) == before
