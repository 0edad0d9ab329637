"""Entries: what a run judged, and as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history._lines import KEYS, Entry, entries, entry_of, line_of, shadow_corpora
from pytest_guardrails._model import Action, CaseRecord, CaseStatus, CorpusRecord, Group, Outcome, Run, Shadow, Verdict

MakeRun = Callable[..., Run]
MakeCase = Callable[..., CaseRecord]

names = st.text(max_size=8)
any_entry = st.builds(
    Entry,
    population=names,
    key=names,
    guard=names,
    label=st.sampled_from(["attack", "benign"]),
    severity=st.sampled_from([None, "critical", "low"]),
    verdict=st.sampled_from(Verdict),
    action=st.sampled_from(Action),
    by=st.none() | names,
    fired=st.lists(names, max_size=2).map(tuple),
    outcome=st.sampled_from(Outcome),
    status=st.sampled_from(CaseStatus),
    copy=st.integers(1, 3),
)


@hypothesis.given(any_entry)
@hypothesis.settings(max_examples=100)
def test_an_entry_survives_its_line(entry: Entry) -> None:
    """A line is one line, can be written as UTF-8, and reads as the entry that it was made of."""
    line = line_of(entry)
    assert "\n" not in line.encode().decode()
    assert entry_of(json.loads(line)) == entry


def test_a_line_says_only_what_does_not_follow(entry: Callable[..., Entry]) -> None:
    """No time, no version, nothing that is none, and of who acted only what the decider does not say."""
    assert json.loads(line_of(entry("a", acted=False))) == {
        "population": "cases", "key": "a", "guard": "guard.yaml", "label": "attack", "severity": "medium",
        "verdict": "allow", "action": "none", "outcome": "false_negative",
    }  # fmt: skip
    assert "fired" not in json.loads(line_of(entry("a")))
    assert json.loads(line_of(entry("a", fired=("pii", "words"))))["fired"] == ["pii", "words"]
    assert json.loads(line_of(entry("a", fired=())))["fired"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"verdict": "maybe"}, "unknown verdict 'maybe'"),
        ({"action": "DENY"}, "unknown action 'DENY'"),
        ({"outcome": None}, "outcome is a text, and is not there"),
        ({"label": "spam"}, "unknown label 'spam'"),
        ({"severity": "urgent"}, "unknown severity 'urgent'"),
        ({"status": "fine"}, "unknown status 'fine'"),
        ({"key": 7}, "key is a text, not 7"),
        ({"fired": "words"}, "fired is a list"),
        ({"fired": [1]}, "fired is a list"),
        ({"copy": 0}, "copy counts from 1"),
        ({"copy": True}, "copy counts from 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(entry: Callable[..., Entry], change: dict[str, Any], said: str) -> None:
    """Unknown keys and values, missing ones and wrong kinds name themselves and the choices."""
    with pytest.raises(ConfigError, match=said):
        entry_of({**json.loads(line_of(entry())), **change})


def test_every_missing_key_is_noticed(entry: Callable[..., Entry]) -> None:
    """No key but those that may be left out is optional."""
    whole = json.loads(line_of(entry()))
    for key in set(KEYS) - {"severity", "by", "fired", "status", "copy"}:
        with pytest.raises(ConfigError, match=f"{key} is a text, and is not there"):
            entry_of({name: value for name, value in whole.items() if name != key})


def test_a_run_gives_its_cases_and_samples(run: MakeRun, case: MakeCase, corpus: Any, sample: Any) -> None:
    """Each case that ran and each sample is an entry: what it is called, who acted, what came of it."""
    made = run(
        case("bad", status=CaseStatus.NOT_AS_EXPECTED, severity="critical"),
        case("fine", "benign", False),
        corpora=(corpus([sample("k1"), sample("k2", acted=True), sample("k3", outcome="error")]),),
    )
    found = list(entries(made))
    assert [(one.population, one.key, one.outcome.value) for one in found] == [
        ("cases", "a.guardrails.yaml::bad", "true_positive"),
        ("cases", "a.guardrails.yaml::fine", "true_negative"),
        ("benign", "k1", "true_negative"),
        ("benign", "k2", "false_positive"),
        ("benign", "k3", "error"),
    ]
    assert {one.guard for one in found} == {"guard.yaml"}
    assert (found[0].wrong, found[0].severity, found[1].wrong) == (True, "critical", False)
    assert (found[3].fired, found[3].wrong, found[3].severity) == (("words",), True, None)
    assert (found[4].errored, found[4].wrong) == (True, False)


@pytest.mark.parametrize(
    "left",
    [b"", b"{whole}", b"{whole}" * 3, b"{whole}{", b"{whole}\xff\n", b"{whole}[]\n", b'{whole}{"key": "k"}\n'],
)
def test_a_ledger_that_another_run_changed_is_refused(run: MakeRun, corpus: Any, sample: Any, left: bytes) -> None:
    """Fewer lines than were counted, more, and lines that cannot be read are an error, of a candidate's ledger too."""
    whole = corpus([sample("k1"), sample("k2")])
    other = corpus([sample("k1"), sample("k2")], name="candidate", shadow=True, nodeid=whole.nodeid)
    line = json.dumps(sample("k1")).encode() + b"\n"
    assert len(list(entries(run(corpora=(whole,))))) == 2
    Path(other.ledger).write_bytes(left.replace(b"{whole}", line))
    said = "corpus '{}': its ledger was changed by another run"
    ((_, candidate),) = shadow_corpora(run(corpora=(whole, other)))
    with pytest.raises(ConfigError, match=said.format("candidate")):
        list(candidate)
    Path(whole.ledger).write_bytes(left.replace(b"{whole}", line))
    with pytest.raises(ConfigError, match=said.format("benign")):
        list(entries(run(corpora=(whole,))))


@pytest.mark.parametrize("check", ["pii_redact", "acme/check", "a/b/c"])
def test_ids_may_have_slashes(run: MakeRun, corpus: Any, sample: Any, check: str) -> None:
    """What acted is the guardrail of the longest known id, whatever its check is called."""
    ids = ("acme", "acme/pii", "acme/words", "plain")
    fired = [f"before_request/{guardrail}/{check}" for guardrail in ids]
    groups = tuple(Group("guardrail", f"before_request/{guardrail}") for guardrail in ids)
    made = run(corpora=(corpus([sample("k", "attack", True, fired=fired)], groups=groups),))
    assert [entry.fired for entry in entries(made)] == [ids]


def test_what_speaks_of_no_population_is_left_out(run: MakeRun, case: MakeCase, corpus: Any, sample: Any) -> None:
    """Cases that did not run, generated inputs, strategies, and corpora of a candidate are no entries."""
    made = run(
        case("idle", trace=None, outcome=None, status=CaseStatus.NOT_RUN),
        case("drawn", generated=True),
        corpora=(
            corpus([sample("k")], name="near_misses", generated=True),
            corpus([sample("k")], name="shadowed", shadow=True),
            CorpusRecord("a::corpus gone", "gone", CaseStatus.NOT_RUN),
        ),
    )
    assert list(entries(made)) == []


def test_a_case_keeps_its_masked_name(run: MakeRun, case: MakeCase) -> None:
    """Where the run reveals texts, the key of an entry is still the masked one."""
    assert next(entries(run(case("alice@example.com", key="a::«aaaaa»")))).key == "a::«aaaaa»"


def test_a_candidate_without_a_verdict_is_an_error(run: MakeRun, case: MakeCase) -> None:
    """What the candidate could not judge is no verdict of it."""
    from pytest_guardrails._history import shadow_pairs

    shadow = Shadow("b@1", CaseStatus.ERROR, None, None, Action.NONE, None, error="MissingRecording")
    ((current, candidate),) = shadow_pairs(run(case("a", shadow=shadow), case("b")))
    assert current is not None
    assert candidate is not None
    assert (current.errored, candidate.errored, candidate.outcome) == (False, True, Outcome.ERROR)
