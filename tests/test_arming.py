"""Which case would notice: every guardrail disarmed in turn, all of them, and one that denies everything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._arming import (
    ALWAYS_DENY,
    DENYING,
    NO_ANSWER,
    NO_TEXT,
    OFF,
    Attempt,
    Attempting,
    acted,
    arm,
    attempting,
    is_vacuous,
    place_of,
    summarise,
    unjudged,
)
from pytest_guardrails._codec import FrozenDict, decode, encode
from pytest_guardrails._engine import echo, evaluate
from pytest_guardrails._model import (
    Action,
    Armed,
    ArmedTest,
    Case,
    CaseRecord,
    CaseStatus,
    Expectation,
    Finding,
    Guard,
    Guardrail,
    GuardVersion,
    Message,
    OnError,
    Phase,
    Request,
    Run,
    Text,
    Trace,
    Verdict,
)

PICTURE = FrozenDict({"type": "image_url", "image_url": FrozenDict({"url": "data:image/png;base64,AAAA"})})
BEFORE, AFTER = Phase.BEFORE_REQUEST, Phase.AFTER_REQUEST


@dataclass(frozen=True)
class Letter:
    """Finds a letter, or raises where it finds it; rewrites it where a replacement is given."""

    letter: str
    replacement: str | None = None
    raises: bool = False
    id: str = "letter"

    def __call__(self, texts: Sequence[Text]) -> Iterator[Finding]:
        """Yield a finding per occurrence."""
        for text in texts:
            for match in re.finditer(self.letter, text.text):
                if self.raises:
                    raise TimeoutError
                yield Finding(
                    self.letter,
                    "letters",
                    message_index=text.message_index,
                    field=text.field,
                    start=match.start(),
                    end=match.end(),
                    replacement=self.replacement,
                )


def rail(name: str, letter: str, *, phase: Phase = BEFORE, raises: bool = False, **given: Any) -> Guardrail:
    """Return a guardrail that looks for a letter."""
    return Guardrail(name, phase, (Letter(letter, given.pop("replacement", None), raises),), **given)


def case(text: str, verdict: str = "block", *, label: str | None = None, **asked: Any) -> Case:
    """Return a case."""
    return Case("c", Request.of(text), Expectation(Verdict(verdict), **asked), label=label)


def armed(guardrails: Sequence[Guardrail], one: Case) -> Armed:
    """Arm a case whose model echoes."""
    return arm(guardrails, (evaluate(guardrails, one.request),), attempting(one, echo))


def test_a_guardrail_that_decides_alone_is_noticed() -> None:
    """Of two guardrails only the one that blocks is missed, and the case is missed by no switch as a whole."""
    said = armed([rail("a", "a"), rail("b", "b")], case("b"))
    assert said == Armed(noticed=("before_request/b",), alone=("before_request/b",), off=True, always_deny=False)


def test_two_that_block_alike_hide_each_other() -> None:
    """No single switch is noticed, both together are; the one that would stand in is named."""
    said = armed([rail("a", "x"), rail("b", "x")], case("x"))
    assert said == Armed(
        unnoticed=("before_request/a",),
        backups=(("before_request/a", "before_request/b"),),
        off=True,
        always_deny=False,
    )


def test_by_makes_the_first_of_two_noticed() -> None:
    """A case that names who blocks fails when another does."""
    assert armed([rail("a", "x"), rail("b", "x")], case("x", by="a")).noticed == ("before_request/a",)


def test_a_benign_case_notices_denial_alone() -> None:
    """It passes with everything off, and fails where everything is denied: it guards against false positives."""
    assert armed([rail("a", "a")], case("z", "allow")) == Armed(off=False, always_deny=True)


@pytest.mark.parametrize(
    ("asked", "noticed"), [({}, False), ({"action": Action.SANITIZE}, True), ({"upstream": "z-"}, True)]
)
def test_a_sanitizer_is_noticed_by_who_looks(asked: dict[str, Any], noticed: bool) -> None:
    """It decides alone what the model receives; a case that asks for the verdict only does not miss it."""
    said = armed([rail("a", "x", replacement="-", action=Action.SANITIZE)], case("zx", "allow", **asked))
    assert (bool(said.noticed), bool(said.unnoticed), said.off) == (noticed, not noticed, noticed)
    assert said.alone == ("before_request/a",)


def test_who_alone_changes_what_the_model_receives() -> None:
    """Of two sanitizers each decides alone what becomes of its own letter, though verdict, action and answer stay."""
    rails = [rail(letter, letter, replacement="-", action=Action.SANITIZE) for letter in "xy"]
    one = case("xy", "allow")
    said = arm(rails, (evaluate(rails, one.request, lambda _: "z"),), attempting(one, lambda _: "z"))
    assert said.alone == said.unnoticed == ("before_request/x", "before_request/y")


def test_what_a_sanitizer_hides_from_a_later_one_counts() -> None:
    """Without the sanitizer the later guardrail sees the text and blocks."""
    rails = [rail("a", "x", replacement="-", action=Action.SANITIZE), rail("b", "x")]
    said = armed(rails, case("x", "allow"))
    assert said.noticed == said.alone == ("before_request/a",)
    assert said.off is False


def test_one_id_in_both_phases_is_two_places() -> None:
    """The guardrail of a phase is disarmed, not its namesake."""
    rails = [rail("a", "x"), rail("a", "y", phase=AFTER)]
    assert armed(rails, case("y")).noticed == ("after_request/a",)


def test_an_expected_error_is_noticed() -> None:
    """A case that expects its guard to fail closed fails where nothing fails."""
    said = armed([rail("a", "x", raises=True)], case("x", errors=True))
    assert said == Armed(noticed=("before_request/a",), alone=("before_request/a",), off=True, always_deny=True)


def test_an_error_is_never_a_verdict() -> None:
    """Where a check that was never reached gives no answer, nobody can say; it is not noticed."""
    said = armed([rail("a", "x"), rail("b", "x", raises=True)], case("x"))
    assert (said.noticed, said.unnoticed, said.alone) == ((), (), ())
    assert said.unjudged == (("before_request/a", NO_ANSWER),)
    assert said.off is True


def test_a_request_without_a_text_cannot_be_denied() -> None:
    """The guard that denies everything has nothing to point at, so that nobody can say."""
    rails = [rail("a", "x")]
    one = replace(case("x", "allow"), request=Request((Message("user", (PICTURE,)),)))
    said = arm(rails, (evaluate(rails, one.request, lambda _: "z"),), attempting(one, lambda _: "z"))
    assert (said.off, said.always_deny, said.unjudged) == (False, None, ((DENYING, NO_TEXT),))


def test_always_deny_denies_every_text() -> None:
    """Content, parts and tool calls; nothing behind it runs."""
    messages = (
        {"role": "user", "content": "x"},
        {"role": "user", "content": [{"type": "text", "text": "x"}]},
        {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "x"}}]},
    )
    for message in messages:
        trace = evaluate((ALWAYS_DENY, rail("a", "x")), Request.of([message]))
        assert (trace.verdict, trace.decided_by, trace.upstream_requests) == ("block", ALWAYS_DENY.id, ())


def test_what_nobody_can_say_of_all_off() -> None:
    """An attempt without an answer is unjudged under its name, and neither fails nor passes."""
    said = arm([], (), lambda guardrails: Attempt(None, reason="why") if not guardrails else Attempt(True))
    assert (said.off, said.always_deny, said.unjudged) == (None, False, ((OFF, "why"),))
    assert not is_vacuous(said)


# Laws, over random small engines

LETTERS = "abc"
TEXTS = st.text(f"{LETTERS}z", max_size=4)


@st.composite
def engines(draw: st.DrawFn) -> list[Guardrail]:
    """Draw guardrails of both phases that deny, rewrite, warn or raise on a letter."""
    rails = []
    for number in range(draw(st.integers(1, 4))):
        action = draw(st.sampled_from([Action.DENY, Action.SANITIZE, Action.WARN]))
        rails.append(
            rail(
                f"r{number}",
                draw(st.sampled_from(LETTERS)),
                phase=draw(st.sampled_from([BEFORE, BEFORE, AFTER])),
                raises=draw(st.sampled_from([False, False, False, True])),
                on_error=draw(st.sampled_from(OnError)),
                replacement=draw(st.sampled_from([*LETTERS, "", None])),
                action=action,
            )
        )
    return rails


@st.composite
def as_expected(draw: st.DrawFn) -> tuple[list[Guardrail], Case, Callable[..., Any]]:
    """Draw an engine and a case that is as expected under it: it asks for some of what its trace shows."""
    rails, text, answer = draw(engines()), draw(TEXTS), draw(TEXTS)

    def upstream(_request: Request) -> str:
        return answer

    trace = evaluate(rails, Request.of(text), upstream)
    asked: dict[str, Any] = {
        "action": trace.action,
        "by": trace.decided_by,
        "upstream": trace.upstream_requests[-1].text if trace.upstream_requests else None,
        "findings": tuple(sorted({finding.name for finding in trace.findings})),
        "warns": bool(trace.warnings),
    }
    kept = {key: value for key, value in asked.items() if draw(st.booleans())}
    return rails, case(text, trace.verdict.value, errors=bool(trace.errors), **kept), upstream


def became(trace: Trace) -> tuple[Any, ...]:
    """Return what became of a request."""
    return trace.verdict, trace.action, trace.upstream_requests, trace.response


@settings(max_examples=80)
@given(as_expected())
def test_what_is_not_tried_cannot_matter(drawn: tuple[list[Guardrail], Case, Callable[..., Any]]) -> None:
    """Without a guardrail that found nothing, or was skipped, all is as it was: the short way is the long one."""
    rails, one, upstream = drawn
    trace = evaluate(rails, one.request, upstream)
    attempt = attempting(one, upstream)
    said = arm(rails, (trace,), attempt)
    tried = {*said.noticed, *said.unnoticed, *(what for what, _ in said.unjudged)}
    for index, guardrail in enumerate(rails):
        without = attempt([*rails[:index], *rails[index + 1 :]])
        place = place_of(guardrail)
        if guardrail not in acted(rails, (trace,)):
            assert place not in tried
            assert without.passed is True
            assert became(without.traces[0]) == became(trace)
        else:
            assert (place in said.noticed) is (without.passed is False)
            assert (place in said.unnoticed) is (without.passed is True)
            changed = became(without.traces[0]) != became(trace)
            assert (place in said.alone) is (changed and without.passed is not None)


@settings(max_examples=80)
@given(as_expected())
def test_who_decides_a_verdict_alone_is_always_found(
    drawn: tuple[list[Guardrail], Case, Callable[..., Any]],
) -> None:
    """Where one guardrail's absence changes the verdict, the case notices, or says that it cannot be judged."""
    rails, one, upstream = drawn
    trace = evaluate(rails, one.request, upstream)
    said = arm(rails, (trace,), attempting(one, upstream))
    for index, guardrail in enumerate(rails):
        without = evaluate([*rails[:index], *rails[index + 1 :]], one.request, upstream)
        if without.verdict is not trace.verdict:
            place = place_of(guardrail)
            assert place in said.noticed or (place, NO_ANSWER) in said.unjudged
            assert place in said.alone or place not in said.noticed


@settings(max_examples=80)
@given(engines(), TEXTS, st.sampled_from(["all", "verdict", "action", "model", "length", "nothing"]))
def test_what_is_vacuous_passes_under_every_variant(rails: list[Guardrail], text: str, looks_at: str) -> None:
    """A test, whatever it looks at, is only vacuous if no disarming and no denying makes it fail."""
    request = Request.of(text)
    trace = evaluate(rails, request)
    looks: dict[str, Callable[[Trace], Any]] = {
        "all": became,
        "verdict": lambda trace: trace.verdict,
        "action": lambda trace: trace.action,
        "model": lambda trace: trace.upstream_requests,
        "length": lambda trace: len(trace.findings) < 2,
        "nothing": lambda trace: True,
    }
    look = looks[looks_at]

    def attempt(guardrails: Sequence[Guardrail]) -> Attempt:
        came = evaluate(guardrails, request)
        return Attempt(look(came) == look(trace), (came,))

    variants = [[*rails[:n], *rails[n + 1 :]] for n in range(len(rails))]
    every = [attempt(variant).passed for variant in (*variants, [], [ALWAYS_DENY, *rails])]
    assert is_vacuous(arm(rails, (trace,), attempt)) is all(every)
    if looks_at == "nothing":
        assert all(every)


# Summing up

GUARD = Guard(
    "g@1",
    "embedded engine",
    "g",
    GuardVersion(None, "1"),
    (("a", "before_request", "deny", "block"), ("b", "before_request", "deny", "block")),
    (("letter",), ("letter",)),
)


def record(name: str, said: Armed | None, **given: Any) -> CaseRecord:
    """Return the record of a case that is as expected."""
    fields: dict[str, Any] = {"guard": "g@1", "label": "attack", "status": CaseStatus.AS_EXPECTED, **given}
    return CaseRecord(f"f::{name}", name, armed=said, **fields)


def run(*records: CaseRecord, tests: Sequence[ArmedTest] = ()) -> Run:
    """Return a run."""
    return Run("", 0, True, FrozenDict(), (GUARD,), records, armed=tuple(tests))


def test_a_run_that_arms_nothing_has_no_arming() -> None:
    """Without the option there is nothing to sum up."""
    assert summarise(run(record("x", None))) is None


def test_the_sum_of_a_run() -> None:
    """Guardrails are counted over cases and tests; vacuous, asleep, untested, backed and unjudged ones are named."""
    blocked = Armed(("before_request/a",), (), ("before_request/a",), (), True, False)
    hidden = Armed((), ("before_request/a",), (), (("before_request/a", "before_request/b"),), True, False)
    asleep = Armed(off=False, always_deny=True)
    benign = Armed(off=False, always_deny=True)
    said = summarise(
        run(
            record("asleep", asleep),
            record("benign", benign, label="benign"),
            record("blocked", blocked),
            record("hidden", hidden),
            record("hidden too", hidden),
            tests=[
                ArmedTest("t::vacuous", "g@1", Armed(off=False, always_deny=False)),
                ArmedTest("t::generated", "g@1", unjudged("why")),
                ArmedTest("t::part", "g@1", Armed(off=False, always_deny=False, unjudged=(("before_request/b", "x"),))),
            ],
        )
    )
    assert said is not None
    assert (said.judged, said.vacuous, said.asleep) == (7, ("t::vacuous",), ("f::asleep",))
    assert [(one.guardrail, one.noticed, one.alone, one.unnoticed, one.unjudged) for one in said.guardrails] == [
        ("a", 1, 1, 2, 0),
        ("b", 0, 0, 0, 1),
    ]
    assert [one.guardrail for one in said.untested] == ["b"]
    assert [(one.guardrail, one.backup, one.cases) for one in said.backups] == [
        ("before_request/a", "before_request/b", 2)
    ]
    assert said.unjudged == (("t::generated", "", "why"), ("t::part", "before_request/b", "x"))


@pytest.mark.parametrize("given", [{"status": CaseStatus.NOT_AS_EXPECTED}, {"xfail": "known"}], ids=str)
def test_a_case_that_fails_tells_nothing(given: dict[str, Any]) -> None:
    """Neither a case that is not as expected nor one that is known to fail counts."""
    noticing = Armed(("before_request/a",), (), ("before_request/a",), (), True, False)
    said = summarise(run(record("x", noticing, **given)))
    assert said is not None
    assert (said.judged, [one.noticed for one in said.guardrails]) == (0, [])


def test_an_attack_that_something_stops_is_not_asleep() -> None:
    """Only an attack that passes with all off is; a backup counts only where both off are noticed."""
    unmissed = Armed((), ("before_request/a",), (), (("before_request/a", "before_request/b"),), False, True)
    said = summarise(run(record("x", unmissed, label="benign")))
    assert said is not None
    assert (said.asleep, said.backups) == ((), ())


def test_it_rides_as_json() -> None:
    """What is known of a case survives the way from a worker, also where nobody can say."""
    for said in (
        Armed(("a",), ("b",), ("a",), (("b", "c"),), True, False, (("x", "why"),)),
        Armed(),
        Armed(off=False),
    ):
        assert decode(Armed, encode(said, sparse=True)) == said


def test_attempting_is_the_type_of_attempts() -> None:
    """What judges a case under other guardrails says how it ended, with its trace."""
    attempt: Attempting = attempting(case("x"), echo)
    assert attempt([rail("a", "x")]).passed is True
    assert attempt([]).passed is False
    assert attempt([]).traces[0].verdict == "allow"
