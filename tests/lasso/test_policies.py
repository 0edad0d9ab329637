"""The verdict table, row by row, and what every policy has in common."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import ConfigError
from pytest_guardrails.lasso import (
    EDGE_CASES,
    POLICIES,
    Decision,
    EdgeCase,
    Policy,
    decide,
    read_answer,
    verdict_matrix,
)

CELLS = [(case, policy) for case in EDGE_CASES for policy in POLICIES]


@pytest.mark.parametrize(("case", "policy"), CELLS, ids=[f"{case.name}-{policy}" for case, policy in CELLS])
def test_every_cell_of_the_table_is_what_is_decided(case: EdgeCase, policy: str) -> None:
    """The decisions written down are those of the rule, for each answer and policy."""
    answer = read_answer(case.body.encode())
    assert decide(answer, policy) is case.decisions[policy]
    assert decide(answer, POLICIES[policy]) is case.decisions[policy]


def test_every_policy_is_in_every_row() -> None:
    """No row leaves a policy out, names one that is none, or is there twice."""
    assert all(set(case.decisions) == set(POLICIES) for case in EDGE_CASES)
    assert all(set(case.really) <= set(POLICIES) - {"strict"} for case in EDGE_CASES)
    assert len({case.name for case in EDGE_CASES}) == len({case.body for case in EDGE_CASES}) == len(EDGE_CASES)


def test_what_an_integrator_really_does_is_said_where_it_differs_alone() -> None:
    """A note that repeats the decision would say that there is a difference."""
    for case in EDGE_CASES:
        for policy, really in case.really.items():
            assert really != case.decisions[policy].value


def test_portkey_is_the_default() -> None:
    """Its table is the documented one."""
    answers = [read_answer(case.body.encode()) for case in EDGE_CASES]
    assert [decide(answer) for answer in answers] == [decide(answer, "portkey") for answer in answers]


def test_an_unknown_policy_is_refused_with_the_choices() -> None:
    """A typo decides nothing."""
    with pytest.raises(ConfigError, match="did you mean 'portkey'"):
        decide(read_answer(b"{}"), "portkei")


def test_the_table_of_policies_cannot_be_changed() -> None:
    """No test changes the rule of another."""
    with pytest.raises(TypeError):
        POLICIES["portkey"] = Policy("portkey", gated=False)  # type: ignore[index]  # that is what is tested


def test_the_matrix_has_a_row_for_each_answer() -> None:
    """It is a Markdown table with as many cells in each row, and it shows where an integrator differs."""
    head, rule, *rows = verdict_matrix().splitlines()
    assert head == f"| answer | {' | '.join(POLICIES)} |"
    assert len(rows) == len(EDGE_CASES)
    assert {row.count("|") for row in (head, rule, *rows)} == {len(POLICIES) + 2}
    assert "| BLOCK | block | block | block | block | block |" in rows
    assert any("error (really: allow)" in row for row in rows)


actions = st.sampled_from(["BLOCK", "AUTO_MASKING", "WARN", "OFF", "block", None])
answers = st.fixed_dictionaries(
    {
        "violations_detected": st.booleans(),
        "deputies": st.dictionaries(st.sampled_from("abc"), st.booleans()),
        "findings": st.dictionaries(
            st.sampled_from("abc"), st.lists(actions.map(lambda action: {"action": action}), max_size=2)
        ),
    }
)


def blocks(body: dict[str, Any]) -> bool:
    """True if a finding says BLOCK."""
    return any(finding["action"] == "BLOCK" for found in body["findings"].values() for finding in found)


@given(answers)
def test_sound_answers_are_decided_by_their_findings(body: dict[str, Any]) -> None:
    """Nothing sound is an error, and only BLOCK blocks, but for the strict."""
    answer = read_answer(json.dumps(body).encode())
    for name, policy in POLICIES.items():
        decision = decide(answer, name)
        assert decision is not Decision.ERROR
        if name != "strict":
            counted = blocks(body) and (body["violations_detected"] or not policy.gated)
            assert (decision is Decision.BLOCK) is counted
    assert not answer.conflicts or decide(answer, "strict") is Decision.BLOCK


@given(st.binary(max_size=40))
def test_nothing_malformed_is_allowed(body: bytes) -> None:
    """Bytes that are no answer are an error under every policy, and a block under the strict one."""
    decisions = {name: decide(read_answer(body), name) for name in POLICIES}
    assert decisions.pop("strict") is Decision.BLOCK
    assert set(decisions.values()) == {Decision.ERROR}
