"""What counts as drift between a recording and a live answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails._cassette import Interaction
from pytest_guardrails._cassette._drift import drifts

BLOCK = {"name": "Jailbreak", "action": "BLOCK", "severity": "HIGH", "score": 0.9}
CLEAN = {"violations_detected": False, "deputies": {"jailbreak": False}, "findings": {}}
BLOCKED = {"violations_detected": True, "deputies": {"jailbreak": True}, "findings": {"jailbreak": [BLOCK]}}


def answer(body: Any, **changes: Any) -> Interaction:
    """Return an exchange that was answered with this body."""
    return Interaction("POST", "https://a.example/", response_body=json.dumps(body).encode(), **changes)


def said(before: Any, after: Any) -> list[tuple[str, str]]:
    """Return kind and text of each drift between two bodies."""
    return [(drift.kind, drift.what) for drift in drifts(answer(before), answer(after))]


bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "findings", "messages"]), inner),
    max_leaves=10,
)


@given(bodies)
def test_an_answer_does_not_drift_from_itself(body: Any) -> None:
    """The same answer is no drift, whatever it is."""
    assert said(body, body) == []


@given(bodies, bodies)
def test_drift_never_fails(before: Any, after: Any) -> None:
    """Any two answers can be compared."""
    assert all(kind in ("verdict", "schema") for kind, _ in said(before, after))


def test_the_verdict() -> None:
    """Violations and the pairs of deputy and action are the verdict, their number and order are not."""
    assert said(CLEAN, BLOCKED) == [("verdict", "violations_detected false, now true; jailbreak now says BLOCK")]
    warned = {**BLOCKED, "findings": {"jailbreak": [{**BLOCK, "action": "WARN"}]}}
    assert said(BLOCKED, warned) == [("verdict", "jailbreak no longer says BLOCK; jailbreak now says WARN")]
    assert said(BLOCKED, {**BLOCKED, "findings": {"jailbreak": [{**BLOCK, "score": 0.1}, BLOCK]}}) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"deputies": {"jailbreak": False, "codetect": False}}, "deputies.codetect appeared"),
        ({"deputies": {}}, "deputies.jailbreak vanished"),
        ({"deputies": {"jailbreak": "no"}}, "deputies.jailbreak was boolean, now text"),
        ({"messages": [{"role": "user"}]}, "messages appeared; messages.[] appeared; messages.[].role appeared"),
    ],
)
def test_the_schema(change: dict[str, Any], what: str) -> None:
    """Keys that appeared, vanished or are of another type are named."""
    assert said(CLEAN, {**CLEAN, **change}) == [("schema", what)]


def test_what_an_empty_list_would_hold_is_not_known() -> None:
    """Items that are there only once are no change of the schema, and neither are the deputies that fired."""
    assert said({**CLEAN, "messages": []}, {**CLEAN, "messages": [{"role": "user"}]}) == []
    other = {**BLOCKED, "findings": {"violence": [BLOCK]}}
    assert [kind for kind, _ in said(BLOCKED, other)] == ["verdict"]


def test_status_and_errors() -> None:
    """A status, or an error, that was another one is all that is said."""
    plain = answer(CLEAN)
    (status,) = drifts(plain, answer({}, status=503))
    assert (status.kind, status.what) == ("status", "200 was recorded, now 503")
    (error,) = drifts(plain, answer({}, status=599, raises="ReadTimeout"))
    assert (error.kind, error.what) == ("error", "an answer was recorded, now ReadTimeout")
    (back,) = drifts(answer({}, status=599, raises="ReadTimeout"), plain)
    assert (back.kind, back.what) == ("error", "ReadTimeout was recorded, now an answer")


def test_texts_are_not_quoted() -> None:
    """A key or action that could be a text of somebody is not repeated."""
    mail = "john.doe@example.com"
    body = {"violations_detected": True, mail: 1, "findings": {mail: [{"action": "call 0123456789 now"}]}}
    assert all(mail not in what and "0123456789" not in what for _, what in said(CLEAN, body))


def test_a_huge_answer_is_compared_in_part() -> None:
    """The number of values looked at, and of changes named, is bounded."""
    ((kind, what),) = said({}, {f"k{n}": n for n in range(100_000)})
    assert kind == "schema"
    assert what.count("appeared") == 12
