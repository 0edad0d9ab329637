"""Two versions compared: pairs, flips, rates, errors; laws that hold for any two of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from pytest_guardrails._history import compare
from pytest_guardrails._history._compare import MOST_FLIPS, flip_of
from pytest_guardrails._history._lines import Entry
from pytest_guardrails._history._side import GuardLine, Side
from pytest_guardrails._model import Action, CaseStatus, Comparison, Flip, Latency, Outcome, Verdict

MakeEntry = Callable[..., Entry]
MakeSide = Callable[..., Side]

OUTCOMES = {
    "attack": (Outcome.TRUE_POSITIVE, Outcome.FALSE_NEGATIVE),
    "benign": (Outcome.FALSE_POSITIVE, Outcome.TRUE_NEGATIVE),
}
OPPOSITE = {
    "newly wrong": "newly right",
    "newly right": "newly wrong",
    "became blocked": "became allowed",
    "became allowed": "became blocked",
    "": "",
}


@st.composite
def versions(draw: st.DrawFn) -> tuple[list[Entry], list[Entry]]:
    """Draw what two versions judged: cases and samples, errors, some only in one of them."""

    def judged(key: int, population: str, label: str) -> Entry:
        acted = draw(st.booleans())
        errored = draw(st.integers(0, 9)) == 0
        deny = draw(st.booleans())
        return Entry(
            population=population,
            key=f"k{key}",
            guard="guard.yaml",
            label=label,
            severity=draw(st.sampled_from(["critical", "low"])) if population == "cases" else None,
            verdict=Verdict.BLOCK if acted and deny else Verdict.ALLOW,
            action=Action.NONE if not acted else Action.DENY if deny else Action.SANITIZE,
            by="words" if acted else None,
            fired=("words",) if acted else (),
            outcome=Outcome.ERROR if errored else OUTCOMES[label][not acted],
            status=CaseStatus.ERROR if errored else CaseStatus.AS_EXPECTED,
        )

    sides: tuple[list[Entry], list[Entry]] = [], []
    for key in range(draw(st.integers(0, 12))):
        population, label = draw(st.sampled_from(["cases", "benign"])), draw(st.sampled_from(["attack", "benign"]))
        only = draw(st.integers(0, 5))
        if only != 0:
            sides[0].append(judged(key, population, label))
        if only != 1:
            sides[1].append(judged(key, population, label))
    return sides


def side_of(entries: list[Entry]) -> Side:
    """Return a side of one guard."""
    return Side("side", {"guard.yaml": GuardLine(("1",), ("words",))}, entries)


@hypothesis.given(versions())
@hypothesis.settings(max_examples=60)
def test_a_version_against_itself_finds_nothing(drawn: tuple[list[Entry], list[Entry]]) -> None:
    """No flip, no change, p is 1, and no rule but those about errors and about having nothing to compare."""
    made = compare(side_of(drawn[0]), side_of(drawn[0]))
    assert (made.pairs, made.new, made.gone, made.flips) == (len(drawn[0]), 0, 0, ())
    for population in made.populations:
        assert (population.flips, population.relabelled) == (0, 0)
        for change in population.rates:
            assert (change.worse, change.better) == (0, 0)
            assert (change.difference, change.p) == ((0, 1) if change.pairs else (None, None))
    assert {ruling.rule for ruling in made.rulings} <= {"untrusted", "nothing-compared"}


@hypothesis.given(versions())
@hypothesis.settings(max_examples=60)
def test_swapping_the_versions_mirrors_everything(drawn: tuple[list[Entry], list[Entry]]) -> None:
    """What became worse became better the other way round: counts, flips, differences and intervals; p stays."""
    one = compare(side_of(drawn[0]), side_of(drawn[1]))
    other = compare(side_of(drawn[1]), side_of(drawn[0]))
    assert (one.new, one.gone, one.new_keys) == (other.gone, other.new, other.gone_keys)
    assert {mirrored(flip) for flip in one.flips} == {replace(flip, severity=None) for flip in other.flips}
    for here, there in zip(one.populations, other.populations, strict=True):
        assert (here.newly_wrong, here.newly_right, here.otherwise) == (
            there.newly_right, there.newly_wrong, there.otherwise
        )  # fmt: skip
        assert (here.became_blocked, here.errors_before) == (there.became_allowed, there.errors_after)
        for change, back in zip(here.rates, there.rates, strict=True):
            assert (change.before, change.after, change.worse) == (back.after, back.before, back.better)
            assert change.p == back.p
            if change.interval is not None and change.difference is not None:
                assert back.interval is not None
                assert change.difference == -(back.difference or 0)
                assert change.interval == pytest.approx((-back.interval[1], -back.interval[0]), abs=1e-9)
                assert change.interval[0] <= change.difference <= change.interval[1]


def mirrored(flip: Flip) -> Flip:
    """Return a flip as the other version sees it; its severity is that of the newer one."""
    return replace(
        flip, truth=OPPOSITE[flip.truth], verdict=OPPOSITE[flip.verdict],
        before=flip.after, after=flip.before, severity=None,
    )  # fmt: skip


@hypothesis.given(versions(), st.randoms(use_true_random=False))
@hypothesis.settings(max_examples=40)
def test_the_order_of_entries_is_irrelevant(drawn: tuple[list[Entry], list[Entry]], by: random.Random) -> None:
    """Shuffled entries give the same comparison."""
    made = compare(side_of(drawn[0]), side_of(drawn[1]))
    shuffled = [by.sample(entries, len(entries)) for entries in drawn]
    assert compare(side_of(shuffled[0]), side_of(shuffled[1])) == made


def versus(
    entry: MakeEntry, side: MakeSide, before: dict[str, bool], after: dict[str, bool], **fields: Any
) -> Comparison:
    """Compare two versions, each given as key to whether a guardrail acted."""
    sides = [side([entry(key, acted=acted, **fields) for key, acted in given.items()]) for given in (before, after)]
    return compare(*sides)


def test_rates_are_counted_on_pairs(entry: MakeEntry, side: MakeSide) -> None:
    """Only what both have judged is in a rate, and the counts, the difference and p are those of the pairs."""
    before = {f"k{number}": number < 9 for number in range(10)} | {"gone": True}
    after = {f"k{number}": number < 2 for number in range(10)} | {"new": False}
    made = versus(entry, side, before, after)
    assert (made.pairs, made.new, made.gone, made.new_keys, made.gone_keys) == (10, 1, 1, ("new",), ("gone",))
    (population,) = made.populations
    fpr, recall = population.rates
    assert (fpr.pairs, fpr.difference, fpr.interval, fpr.p) == (0, None, None, None)
    assert (recall.pairs, recall.before, recall.after, recall.worse, recall.better) == (10, 9, 2, 7, 0)
    assert recall.difference == pytest.approx(-0.7)
    assert recall.p == pytest.approx(2 / 2**7)
    assert (population.flips, population.newly_wrong, population.became_allowed) == (7, 7, 7)


def test_a_pair_with_an_error_is_in_no_rate(entry: MakeEntry, side: MakeSide) -> None:
    """An error on either side takes the pair out of rates and flips, and is counted apart."""
    broken = entry("a", acted=False, outcome=Outcome.ERROR, status=CaseStatus.ERROR)
    for before, after, errors in ((entry("a"), broken, (0, 1)), (broken, entry("a"), (1, 0))):
        (population,) = compare(side([before]), side([after])).populations
        assert [change.pairs for change in population.rates] == [0, 0]
        assert (population.flips, population.errors_before, population.errors_after) == (0, *errors)


def test_an_expected_error_flips_but_is_in_no_rate(entry: MakeEntry, side: MakeSide) -> None:
    """A case with a fault that blocked and now passes is a flip, though it is in no rate."""
    closed = entry("a", label="benign", outcome=Outcome.ERROR)
    opened = replace(closed, verdict=Verdict.ALLOW, action=Action.NONE, status=CaseStatus.NOT_AS_EXPECTED)
    made = compare(side([closed]), side([opened]))
    assert [change.pairs for change in made.populations[0].rates] == [0, 0]
    assert [(flip.truth, flip.verdict) for flip in made.flips] == [("newly wrong", "became allowed")]


def test_a_relabelled_sample_counts_by_its_old_label(entry: MakeEntry, side: MakeSide) -> None:
    """Whoever calls a missed attack benign has lost it all the same: in the rate of its old label, and as a flip."""
    lost = entry("a", "benign", acted=False, severity=None, where="b.jsonl:7")
    made = compare(side([entry("a", severity=None)]), side([lost]))
    assert (made.populations[0].relabelled, made.relabelled_keys) == (1, ("cases: a (b.jsonl:7): attack, now benign",))
    fpr, recall = made.populations[0].rates
    assert (fpr.pairs, recall.pairs, recall.worse) == (0, 1, 1)
    (flip,) = made.flips
    assert (flip.truth, flip.label, flip.new_label) == ("newly wrong", "attack", "benign")
    stopped = compare(side([entry("a", "benign", acted=False)]), side([entry("a", "attack")]))
    assert (stopped.populations[0].rates[0].worse, stopped.flips[0].truth) == (1, "newly wrong")


def test_another_label_alone_is_no_flip(entry: MakeEntry, side: MakeSide) -> None:
    """Where the guard does as it did, nothing flips, whatever the author has called wrong before or after."""
    odd = entry("a", "attack", status=CaseStatus.NOT_AS_EXPECTED)
    for before in (entry("a", "attack"), odd):
        made = compare(side([before]), side([entry("a", "benign")]))
        assert (made.populations[0].relabelled, made.flips) == (1, ())
        assert [change.worse for change in made.populations[0].rates] == [0, 0]


def test_a_relabelled_pair_with_an_error_is_in_no_rate(entry: MakeEntry, side: MakeSide) -> None:
    """It is counted as relabelled, and its error stays one."""
    broken = entry("a", "benign", acted=False, outcome=Outcome.ERROR, status=CaseStatus.ERROR)
    (population,) = compare(side([entry("a")]), side([broken])).populations
    assert (population.relabelled, population.errors_after, population.flips) == (1, 1, 0)
    expected = replace(broken, status=CaseStatus.AS_EXPECTED)
    (population,) = compare(side([entry("a")]), side([expected])).populations
    assert [change.pairs for change in population.rates] == [0, 0]


def test_a_case_can_be_wrong_with_the_right_outcome(entry: MakeEntry) -> None:
    """An attack that was blocked and is only warned of now is a true positive still, and newly wrong to its author."""
    warned = entry("a", verdict=Verdict.ALLOW, action=Action.WARN, status=CaseStatus.NOT_AS_EXPECTED)
    flip = flip_of(entry("a"), warned)
    assert flip is not None
    assert (flip.truth, flip.verdict) == ("newly wrong", "became allowed")
    assert (flip.before, flip.after) == ("block by words", "allow (warn) by words")


def test_another_action_alone_is_a_flip_of_its_own(entry: MakeEntry, side: MakeSide) -> None:
    """A sample that was sanitized and is only warned of now is no other verdict and not wrong, and still shown."""
    before = entry("a", severity=None, verdict=Verdict.ALLOW, action=Action.SANITIZE)
    made = compare(side([before]), side([replace(before, action=Action.WARN)]))
    assert (made.populations[0].flips, made.populations[0].otherwise, made.flips[0].truth) == (1, 1, "")


def test_populations_and_guards_are_never_pooled(entry: MakeEntry, side: MakeSide) -> None:
    """Each population has its own rates under each guard, cases first."""
    entries = [
        entry("a", population=population, guard=guard)
        for population in ("benign", "cases")
        for guard in ("one.yaml", "two.yaml")
    ]
    entries = [replace(one, key=f"{number}") for number, one in enumerate(entries)]
    made = compare(side(entries), side(entries))
    assert [(one.population, one.guard, one.pairs) for one in made.populations] == [
        ("cases", "one.yaml", 1), ("cases", "two.yaml", 1), ("benign", "one.yaml", 1), ("benign", "two.yaml", 1)
    ]  # fmt: skip


def test_a_case_is_the_same_under_another_guard(entry: MakeEntry, side: MakeSide) -> None:
    """A configuration of another name judges the same cases: they are pairs, and not new and gone."""
    made = compare(side([entry("a", guard="old.yaml")]), side([entry("a", guard="new.yaml")]))
    assert (made.pairs, made.new, made.gone, made.populations[0].guard) == (1, 0, 0, "new.yaml")


def test_many_flips_are_all_counted_and_the_worst_are_kept(entry: MakeEntry, side: MakeSide) -> None:
    """The list of flips does not grow with the corpus; its first are the worst, whenever they came."""
    severities = ["low"] * (3 * MOST_FLIPS) + ["critical"]
    before = [entry(f"{number:04}", severity=severity) for number, severity in enumerate(severities)]
    after = [entry(one.key, acted=False, severity=one.severity) for one in before]
    made = compare(side(before), side(after))
    assert (made.populations[0].newly_wrong, len(made.flips)) == (len(before), MOST_FLIPS)
    assert (made.flips[0].severity, made.flips[1].key) == ("critical", "0000")


def test_latency_stands_beside_its_population(entry: MakeEntry, side: MakeSide) -> None:
    """Times of a guard under another name are compared where each side has one guard; else only under its name."""
    then, now = Latency(9, 0.1, 0.2), Latency(8, 0.3, 0.4)
    before = side([entry("a")], latency={("cases", "guard.yaml"): then})

    def times(*sides: Side) -> tuple[Latency | None, Latency | None]:
        (population,) = compare(*sides).populations
        return population.latency_before, population.latency_after

    after = side([entry("a")], latency={("cases", "guard.yaml"): now})
    assert times(before, after) == (then, now)
    assert times(side([entry("a")]), after) == (None, now)
    assert times(before, side([entry("a")])) == (then, None)
    renamed = side([entry("a", guard="b")], latency={("cases", "b"): now}, guards={"b": GuardLine()})
    assert times(before, renamed) == (then, now)
    several = side([entry("a", guard="b")], latency={("cases", "b"): now}, guards={"b": GuardLine(), "c": GuardLine()})
    assert times(before, several) == (None, now)


def test_p_is_corrected_for_what_could_be_significant(entry: MakeEntry, side: MakeSide) -> None:
    """Holm's family are the rates with six discordant pairs or more: those with fewer ask nothing of chance."""
    lost = {"a": 6, "b": 7, "c": 5, "d": 0}
    before = [entry(f"{name}{n}", population=name, severity=None) for name in lost for n in range(10)]
    after = [
        entry(f"{name}{n}", population=name, severity=None, acted=n >= count)
        for name, count in lost.items()
        for n in range(10)
    ]
    made = compare(side(before), side(after))
    found = {one.population: one.rates[1] for one in made.populations}
    p = {name: 2 / 2**count for name, count in lost.items()}
    assert [found[name].p_holm for name in "abc"] == pytest.approx([p["a"], 2 * p["b"], p["c"]])
    assert (found["d"].p, found["d"].p_holm) == (1.0, 1.0)
    assert [one.rates[0].p_holm for one in made.populations] == [None] * 4


def test_places_of_the_newer_side_are_told(entry: MakeEntry, side: MakeSide) -> None:
    """A sample without an id is named by a hash; where it stands now is said, though a baseline does not know."""
    before = [entry("h", severity=None, where=""), entry("gone", severity=None)]
    after = [entry("h", severity=None, acted=False, where="b.jsonl:3"), entry("new", severity=None, where="b.jsonl:9")]
    made = compare(side(before), side(after))
    assert made.flips[0].where == "b.jsonl:3"
    assert (made.new_keys, made.gone_keys) == (("cases: new (b.jsonl:9)",), ("cases: gone",))
