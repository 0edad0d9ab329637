"""The rules of comparison, each with a case that it catches and the nearest one that it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from pytest_guardrails._history import compare
from pytest_guardrails._history._lines import Entry
from pytest_guardrails._history._side import GuardLine, Side
from pytest_guardrails._model import Action, CaseStatus, Comparison, Outcome, Ruling, Verdict

MakeEntry = Callable[..., Entry]
MakeSide = Callable[..., Side]


def ruled(made: Comparison, rule: str) -> list[Ruling]:
    """Return what one rule said."""
    return [ruling for ruling in made.rulings if ruling.rule == rule]


def acts(entry: MakeEntry, label: str, count: int, acted: Iterable[int], **fields: object) -> list[Entry]:
    """Return entries of one label; a guardrail acts on those whose numbers are in ``acted``."""
    chosen = set(acted)
    return [entry(f"{label}{number}", label, number in chosen, **fields) for number in range(count)]


def test_more_false_positives_beyond_chance_fail(entry: MakeEntry, side: MakeSide) -> None:
    """Six newly stopped of a hundred are a loss; five are too few to say so."""
    before = side(acts(entry, "benign", 100, ()))
    lost = compare(before, side(acts(entry, "benign", 100, range(6))))
    (ruling,) = ruled(lost, "fpr-loss")
    assert ruling.fails
    assert "legitimate users are stopped more often in cases (guard.yaml): 0 of 100 before, 6 now" in ruling.said
    assert "p = 0.031" in ruling.said
    few = compare(before, side(acts(entry, "benign", 100, range(5))))
    assert not few.failed
    assert [ruling.said for ruling in ruled(few, "too-few")] == [
        "cases (guard.yaml), FPR: 5 discordant pairs: no difference could be significant"
    ]


def test_fewer_false_positives_are_no_loss(entry: MakeEntry, side: MakeSide) -> None:
    """The same change the other way round is an improvement, and nothing fails."""
    made = compare(side(acts(entry, "benign", 100, range(6))), side(acts(entry, "benign", 100, ())))
    assert not made.failed


def test_fewer_caught_attacks_beyond_chance_fail(entry: MakeEntry, side: MakeSide) -> None:
    """Six newly missed are a loss of recall, also where one is newly caught elsewhere only if p still says so."""
    before = side(acts(entry, "attack", 20, range(10)))
    lost = compare(before, side(acts(entry, "attack", 20, range(6, 10))))
    assert [ruling.fails for ruling in ruled(lost, "recall-loss")] == [True]
    assert "10 of 20 caught before, 4 now" in ruled(lost, "recall-loss")[0].said
    even = compare(before, side(acts(entry, "attack", 20, [*range(6, 10), 10])))
    assert ruled(even, "recall-loss") == []


def test_a_critical_case_that_goes_wrong_always_fails(entry: MakeEntry, side: MakeSide) -> None:
    """One flip of a critical case fails, whatever p is; of another severity, and back to right, it does not."""
    others = acts(entry, "attack", 9, range(9))
    right, wrong = entry("x", severity="critical"), entry("x", severity="critical", acted=False)
    made = compare(side([*others, right]), side([*others, wrong]))
    assert [ruling.rule for ruling in made.rulings if ruling.fails] == ["critical-flip"]
    assert "x (block by words, now allow)" in ruled(made, "critical-flip")[0].said
    assert not compare(side([*others, wrong]), side([*others, right])).failed
    low = [replace(one, severity="high") for one in (right, wrong)]
    assert not compare(side([*others, low[0]]), side([*others, low[1]])).failed


def test_what_was_critical_cannot_be_made_harmless(entry: MakeEntry, side: MakeSide) -> None:
    """A case that is critical on either side counts as critical, and its flips are shown so."""
    right, wrong = entry("x", severity="critical"), entry("x", severity="low", acted=False)
    made = compare(side([right]), side([wrong]))
    assert [ruling.fails for ruling in ruled(made, "critical-flip")] == [True]
    assert [flip.severity for flip in made.flips] == ["critical"]
    raised = compare(side([replace(right, severity="low")]), side([replace(wrong, severity="critical")]))
    assert raised.failed


def test_a_critical_case_cannot_be_relabelled_away(entry: MakeEntry, side: MakeSide) -> None:
    """Another label and another verdict at once fail; another label alone does not, nor both of a lesser severity."""
    before = entry("x", severity="critical")
    after = entry("x", "benign", acted=False, severity="low")
    for one, other in ((before, after), (after, before)):
        (ruling,) = ruled(compare(side([one]), side([other])), "critical-flip")
        assert ruling.fails
        assert ruling.said.startswith("1 critical case changed label and verdict at once")
    masked = entry("x", severity="critical", verdict=Verdict.ALLOW, action=Action.SANITIZE)
    assert len(ruled(compare(side([masked]), side([after])), "critical-flip")) == 1
    assert ruled(compare(side([before]), side([entry("x", "benign", severity="critical")])), "critical-flip") == []
    assert ruled(compare(side([entry("x")]), side([after])), "critical-flip") == []


def test_false_positives_cured_by_switching_off_fail(entry: MakeEntry, side: MakeSide) -> None:
    """Fewer false positives and one attack less fail, with an explanation, though no rate changed beyond chance."""
    before = side([*acts(entry, "benign", 20, [0]), *acts(entry, "attack", 20, range(20))])
    cured = compare(before, side([*acts(entry, "benign", 20, ()), *acts(entry, "attack", 20, range(19))]))
    (ruling,) = ruled(cured, "switched-off")
    assert ruling.fails
    assert (
        "1 false positive fewer, and 1 attack fewer caught: false positives were cured by switching off" in ruling.said
    )
    honest = compare(before, side([*acts(entry, "benign", 20, ()), *acts(entry, "attack", 20, range(20))]))
    assert not honest.failed
    nineteen = side([*acts(entry, "benign", 20, [0]), *acts(entry, "attack", 20, range(19))])
    other = side([*acts(entry, "benign", 20, ()), *acts(entry, "attack", 20, range(1, 20))])
    assert not compare(nineteen, other).failed


def test_switching_off_is_seen_across_populations_of_one_guard(entry: MakeEntry, side: MakeSide) -> None:
    """A corpus of benign texts and one of attacks show it together; two guards do not."""

    def made(guard: str) -> Comparison:
        benign = acts(entry, "benign", 20, [0], population="benign", guard=guard)
        attacks = acts(entry, "attack", 20, range(20), population="attacks")
        after = acts(entry, "benign", 20, (), population="benign", guard=guard)
        return compare(
            side([*benign, *attacks]), side([*after, *acts(entry, "attack", 20, range(19), population="attacks")])
        )

    assert [ruling.fails for ruling in ruled(made("guard.yaml"), "switched-off")] == [True]
    assert ruled(made("other.yaml"), "switched-off") == []


def test_a_gain_in_recall_elsewhere_is_netted(entry: MakeEntry, side: MakeSide) -> None:
    """One attack lost in a corpus and ten caught in another are no cure by switching off."""
    before = [*acts(entry, "attack", 20, range(20), population="a"), *acts(entry, "attack", 20, [0], population="b")]
    after = [
        *acts(entry, "attack", 20, range(19), population="a"),
        *acts(entry, "attack", 20, range(11), population="b"),
    ]
    benign = (acts(entry, "benign", 20, [0], population="c"), acts(entry, "benign", 20, (), population="c"))
    assert ruled(compare(side([*before, *benign[0]]), side([*after, *benign[1]])), "switched-off") == []


def test_changes_both_ways_are_no_proof_of_switching_off(entry: MakeEntry, side: MakeSide) -> None:
    """A guard that answers at random falls in both rates now and then: that is told, and fails nothing."""
    before = [*acts(entry, "benign", 40, range(3)), *acts(entry, "attack", 40, range(36))]
    after = [*acts(entry, "benign", 40, [0, 5]), *acts(entry, "attack", 40, range(3, 38))]
    (ruling,) = ruled(compare(side(before), side(after)), "switched-off")
    assert not ruling.fails
    assert "chance alone could make" in ruling.said
    weak = [*acts(entry, "benign", 40, [5]), *acts(entry, "attack", 40, range(20, 38))]
    before = [*acts(entry, "benign", 40, range(12)), *acts(entry, "attack", 40, range(36))]
    assert [ruling.fails for ruling in ruled(compare(side(before), side(weak)), "switched-off")] == [True]


def test_a_guardrail_that_stops_firing_fails(entry: MakeEntry, side: MakeSide) -> None:
    """One that acted on attacks and acts on none any more fails, though one flip is no loss beyond chance."""
    before = [entry("a", by="pii", fired=("pii",)), entry("b"), entry("c")]
    after = [replace(entry("a", acted=False), guard="guard.yaml"), entry("b"), entry("c")]
    guards = {"guard.yaml": GuardLine(("2",), ("words", "pii"))}
    made = compare(side(before), side(after, guards=guards))
    (ruling,) = ruled(made, "switched-off")
    assert ruling.fails
    assert ruling.said == (
        "guard.yaml: guardrail 'pii' acted on 1 attack before and on none now: it has stopped firing altogether"
    )
    alive = [*after, entry("new", by="pii", fired=("pii",))]
    assert ruled(compare(side(before), side(alive, guards=guards)), "switched-off") == []


def test_a_guardrail_that_is_gone_fails_even_where_another_does_its_work(entry: MakeEntry, side: MakeSide) -> None:
    """It is not in the configuration any more: that is said, and how to accept it."""
    before = [entry("a", by="pii", fired=("pii",))]
    made = compare(side(before), side([entry("a")]))
    assert [ruling.fails for ruling in ruled(made, "switched-off")] == [True]
    assert "it is not in the configuration any more" in ruled(made, "switched-off")[0].said


def test_a_guardrail_that_another_overtakes_is_told_and_fails_nothing(entry: MakeEntry, side: MakeSide) -> None:
    """Where each of its attacks is blocked before it can look, nobody can say that it is off."""
    before = [entry("a", by="pii", fired=("pii",)), entry("b", by="pii", fired=("pii",))]
    guards = {"guard.yaml": GuardLine(("2",), ("words", "pii"))}
    made = compare(side(before), side([entry("a"), entry("b")], guards=guards))
    assert not made.failed
    assert "each of them is blocked by another" in ruled(made, "overtaken")[0].said
    missed = compare(side(before), side([entry("a"), entry("b", acted=False)], guards=guards))
    assert [ruling.fails for ruling in ruled(missed, "switched-off")] == [True]


def test_an_attack_cannot_be_relabelled_away(entry: MakeEntry, side: MakeSide) -> None:
    """Missed attacks that are called benign now are a loss of recall, a guardrail that is off, and no cure."""
    before = [entry(f"a{n}", severity=None) for n in range(8)]
    after = [entry(f"a{n}", "benign", acted=False, severity=None) for n in range(8)]
    made = compare(side(before), side(after))
    assert {ruling.rule for ruling in made.rulings if ruling.fails} == {"recall-loss", "switched-off"}
    (ruling,) = ruled(made, "relabelled")
    assert not ruling.fails
    assert ruling.said.startswith(
        "8 have another label now (cases: a0: attack, now benign; cases: a1: attack, now benign; "
        "cases: a2: attack, now benign; cases: a3: attack, now benign; cases: a4: attack, now benign; and 3 more): the "
    )
    right = [entry("k", "benign", severity=None)]
    wrong = [entry("k", "benign", acted=False, severity=None)]
    cured = compare(side([*before, *right]), side([*before[1:], after[0], *wrong]))
    assert [ruling.fails for ruling in ruled(cured, "switched-off")] == [True]


def test_users_who_are_stopped_cannot_be_relabelled_away(entry: MakeEntry, side: MakeSide) -> None:
    """Newly stopped texts that are called attacks now are a loss of FPR; a label alone fails nothing."""
    before = [entry(f"a{n}", "benign", acted=False, severity=None) for n in range(6)]
    made = compare(side(before), side([entry(f"a{n}", "attack", severity=None) for n in range(6)]))
    assert [ruling.fails for ruling in ruled(made, "fpr-loss")] == [True]
    alone = compare(side(before), side([entry(f"a{n}", "attack", acted=False, severity=None) for n in range(6)]))
    assert [(ruling.rule, ruling.fails) for ruling in alone.rulings] == [("relabelled", False)]


def test_several_populations_are_corrected_for(entry: MakeEntry, side: MakeSide) -> None:
    """What would be a loss alone is doubt among others that could be one, and says what p is left of it."""

    def sides(*lost: int) -> tuple[Side, Side]:
        before = [entry(f"{n}", "benign", acted=False, population=f"p{k}") for k in range(len(lost)) for n in range(9)]
        after = [
            entry(f"{n}", "benign", acted=n < count, population=f"p{k}")
            for k, count in enumerate(lost)
            for n in range(9)
        ]
        return side(before), side(after)

    assert [ruling.fails for ruling in ruled(compare(*sides(6, 5, 0)), "fpr-loss")] == [True]
    made = compare(*sides(6, 6))
    assert not made.failed
    assert ruled(made, "fpr-doubt")[0].said.endswith(
        "not shown to be beyond chance (exact McNemar p = 0.031, p = 0.063 after Holm for 2 rates)"
    )
    strong = compare(*sides(9, 6))
    assert [ruling.rule for ruling in strong.rulings] == ["fpr-loss", "fpr-loss"]


def test_errors_make_it_untrusted(entry: MakeEntry, side: MakeSide) -> None:
    """An error in either version fails, and says which gave no answer."""
    broken = entry("a", acted=False, outcome=Outcome.ERROR, status=CaseStatus.ERROR)
    after = compare(side([entry("a")]), side([broken]))
    assert [ruling.fails for ruling in ruled(after, "untrusted")] == [True]
    assert after.rulings[0].said.startswith("the new version gave no answer in 1 case")
    before = compare(side([broken]), side([entry("a")]))
    assert ruled(before, "untrusted")[0].said.startswith("the old version")
    expected = replace(broken, status=CaseStatus.AS_EXPECTED)
    assert not compare(side([expected]), side([expected])).failed


def test_an_error_does_not_hide_that_a_guardrail_is_off(entry: MakeEntry, side: MakeSide) -> None:
    """Attacks with an error say nothing of who fires: neither that it stopped, nor that it goes on."""
    broken = entry("a", outcome=Outcome.ERROR, status=CaseStatus.ERROR)
    made = compare(side([entry("a")]), side([broken]))
    assert ruled(made, "switched-off") == []


def test_two_suites_without_anything_in_common_are_not_the_same(entry: MakeEntry, side: MakeSide) -> None:
    """Where nothing could be compared, the comparison fails and says so."""
    made = compare(side([entry("a")]), side([entry("b")]))
    assert [(ruling.rule, ruling.fails) for ruling in made.rulings] == [("nothing-compared", True)]


def test_critical_cases_that_did_not_run_are_told(entry: MakeEntry, side: MakeSide) -> None:
    """A critical case of the old version alone fails nothing, and does not go unsaid."""
    gone = entry("gone", severity="critical")
    made = compare(side([gone, entry("a")]), side([entry("a")]))
    assert not made.failed
    assert ruled(made, "critical-not-run")[0].said.startswith("1 critical case of the old version did not run")
