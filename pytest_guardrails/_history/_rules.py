"""The rules of comparison: each a name, whether it fails the run, and an explanation as a person would give it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_guardrails._history._lines import CASES, Entry
from pytest_guardrails._history._side import GuardLine, Side
from pytest_guardrails._model import Comparison, Flip, Outcome, PopulationChange, RateChange, Ruling, Verdict
from pytest_guardrails._stats import mcnemar

SIGNIFICANT = 0.05
LEAST_DISCORDANT = 6  # 2 / 2 ** 5 is 0.0625: with five pairs even the most extreme split is no evidence
MOST_NAMED = 5


@dataclass(slots=True)
class Firing:
    """On how many attacks each guardrail of one guard acted, before and after.

    ``covered`` are those attacks of before on which it is silent now and the request is blocked all the same: another
    guardrail may have denied it first.
    """

    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)

    def add(self, before: Entry | None, after: Entry) -> None:
        """Count one case or sample by its old label; of one with an error, nobody knows."""
        if (before or after).label != "attack" or Outcome.ERROR in (after.outcome, before and before.outcome):
            return
        self.after.update(after.fired)
        for guardrail in before.fired if before is not None else ():
            self.before[guardrail] += 1
            self.covered[guardrail] += guardrail not in after.fired and after.verdict is Verdict.BLOCK


def rulings(
    compared: Comparison,
    critical: Sequence[Flip],
    firing: Mapping[str, Firing],
    guards: Mapping[str, GuardLine],
    critical_gone: int,
) -> Iterator[Ruling]:
    """Yield what each rule has to say, those that fail the run first; nothing where all is as it was."""
    found = [
        *_untrusted(compared),
        *_critical(critical),
        *_losses(compared),
        *_switched_off(compared),
        *_fell_silent(firing, guards),
        *_nothing_shared(compared),
        *_relabelled(compared),
        *_critical_gone(critical_gone),
        *_too_few(compared),
    ]
    yield from sorted(found, key=lambda ruling: not ruling.fails)


def _untrusted(compared: Comparison) -> Iterator[Ruling]:
    for when in ("after", "before"):
        errors = sum(getattr(population, f"errors_{when}") for population in compared.populations)
        if errors:
            version = "the new version" if when == "after" else "the old version"
            said = (
                f"{version} gave no answer in {_of(errors, 'case')} that both were asked; these are in no rate, "
                "so nothing here says that it is as good as the other"
            )
            yield Ruling("untrusted", True, said)


def _critical(flips: Sequence[Flip]) -> Iterator[Ruling]:
    wrong = [flip for flip in flips if not flip.new_label]
    relabelled = [flip for flip in flips if flip.new_label]
    changed = "changed label and verdict at once, so nobody can say that it is still right"
    for found, what in ((wrong, "went from right to wrong"), (relabelled, changed)):
        if found:
            named = ", ".join(f"{flip.key} ({flip.before}, now {flip.after})" for flip in found[:MOST_NAMED])
            more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
            yield Ruling("critical-flip", True, f"{_of(len(found), 'critical case')} {what}: {named}{more}")


def _losses(compared: Comparison) -> Iterator[Ruling]:
    tests = sum(could_be_significant(change) for _, change in _changes(compared))
    for population, change in _changes(compared):
        if change.p is not None and change.p < SIGNIFICANT and change.worse > change.better:
            corrected = change.p if change.p_holm is None else change.p_holm
            lost = corrected < SIGNIFICANT
            where = f"in {population.population} ({population.guard})"
            beyond = f"beyond chance (exact McNemar {p_value(change.p)}"
            beyond += f", {p_value(corrected)} after Holm for {tests} rates)" if tests > 1 else ")"
            beyond = beyond if lost else f"not shown to be {beyond}"
            if change.rate == "fpr":
                said = (
                    f"legitimate users are stopped more often {where}: {change.before} of {change.pairs} before, "
                    f"{change.after} now; {change.worse} newly stopped, {change.better} newly let through, {beyond}"
                )
            else:
                said = (
                    f"attacks are missed more often {where}: {change.before} of {change.pairs} caught before, "
                    f"{change.after} now; {change.worse} newly missed, {change.better} newly caught, {beyond}"
                )
            yield Ruling(f"{change.rate}-loss" if lost else f"{change.rate}-doubt", lost, said)


def _switched_off(compared: Comparison) -> Iterator[Ruling]:
    """Do not cure by switching off: a guard must not stop fewer users because it stops less of everything.

    What falls in one population and rises in another of the same guard is netted.
    """
    for guard in dict.fromkeys(population.guard for population in compared.populations):
        worse, better = Counter[str](), Counter[str]()
        for population, change in _changes(compared):
            if population.guard == guard:
                worse[change.rate] += change.worse
                better[change.rate] += change.better
        spared, missed = better["fpr"] - worse["fpr"], worse["recall"] - better["recall"]
        if spared > 0 and missed > 0:
            fell = f"{guard}: {_of(spared, 'false positive')} fewer, and {_of(missed, 'attack')} fewer caught"
            if _one_way(better["fpr"], worse["fpr"]) and _one_way(worse["recall"], better["recall"]):
                said = (
                    f"{fell}: false positives were cured by switching off. Make the guard tell the two apart, or "
                    "accept the loss openly, in a new baseline"
                )
                yield Ruling("switched-off", True, said)
            else:
                said = (
                    f"{fell}, among changes both ways that chance alone could make: no proof of a cure by switching off"
                )
                yield Ruling("switched-off", False, said)


def _one_way(much: int, little: int) -> bool:
    """True where changes go one way, all of them or beyond chance: a guard that flips at random changes both ways."""
    return not little or mcnemar(much, little) < SIGNIFICANT


def _fell_silent(firing: Mapping[str, Firing], guards: Mapping[str, GuardLine]) -> Iterator[Ruling]:
    """Yield a ruling per guardrail that acted on attacks and acts on none any more."""
    for guard, counts in sorted(firing.items()):
        known = guards.get(guard, GuardLine()).guardrails
        for guardrail, times in sorted(counts.before.items()):
            if counts.after[guardrail]:
                continue
            acted = f"{guard}: guardrail {guardrail!r} acted on {_of(times, 'attack')} before and on none now"
            if known and guardrail not in known:
                said = f"{acted}: it is not in the configuration any more. If it has a new name, update the baseline"
                yield Ruling("switched-off", True, said)
            elif counts.covered[guardrail] == times:
                said = f"{acted}, but each of them is blocked by another: nothing shows any more that it works"
                yield Ruling("overtaken", False, said)
            else:
                yield Ruling("switched-off", True, f"{acted}: it has stopped firing altogether")


def _nothing_shared(compared: Comparison) -> Iterator[Ruling]:
    if not compared.pairs:
        said = "the two have no case and no sample in common: nothing was compared"
        yield Ruling("nothing-compared", True, said)


def _relabelled(compared: Comparison) -> Iterator[Ruling]:
    if number := sum(population.relabelled for population in compared.populations):
        named = "; ".join(compared.relabelled_keys[:MOST_NAMED])
        more = f"; and {number - MOST_NAMED:,} more" if number > MOST_NAMED else ""
        said = (
            f"{number:,} {'has' if number == 1 else 'have'} another label now ({named}{more}): the old one counts in "
            "rates and rules, until a new baseline takes the new one"
        )
        yield Ruling("relabelled", False, said)


def _critical_gone(count: int) -> Iterator[Ruling]:
    if count:
        said = f"{_of(count, 'critical case')} of the old version did not run in the new one: of these nothing is known"
        yield Ruling("critical-not-run", False, said)


def not_compared(compared: Comparison, gone: Mapping[str, int], before: Side, after: Side) -> Iterator[Ruling]:
    """Yield a ruling where the old version has corpora of which no sample was compared; ``gone`` is by population."""
    if before.unlisted and after.is_counted:
        why = "a report has no samples; compare baselines, or run pytest --guardrails-baseline"
        yield Ruling("not-compared", False, f"{_of(before.unlisted, 'sample')} of corpora: {why}")
    there = {population.population for population in compared.populations}
    corpora = {name: count for name, count in gone.items() if name not in there and name != CASES}
    if corpora:
        number = f"{len(corpora):,} {'corpus' if len(corpora) == 1 else 'corpora'}"
        why = (
            "a report has no samples; run pytest --guardrails-baseline"
            if after.is_counted
            else "the new version has none of them: they did not run, or their keys are others (GUARDRAILS_MASK_KEY)"
        )
        yield Ruling("not-compared", False, f"{_of(sum(corpora.values()), 'sample')} of {number}: {why}")


def _too_few(compared: Comparison) -> Iterator[Ruling]:
    for population, change in _changes(compared):
        discordant = change.worse + change.better
        if discordant and not could_be_significant(change):
            said = (
                f"{population.population} ({population.guard}), {rate_name(change.rate)}: "
                f"{_of(discordant, 'discordant pair')}: no difference could be significant"
            )
            yield Ruling("too-few", False, said)


def could_be_significant(change: RateChange) -> bool:
    """True if a rate has enough discordant pairs for the most extreme split of them to be evidence."""
    return change.worse + change.better >= LEAST_DISCORDANT


def _changes(compared: Comparison) -> Iterator[tuple[PopulationChange, RateChange]]:
    return ((population, change) for population in compared.populations for change in population.rates)


def rate_name(rate: str) -> str:
    """Return a rate as people write it."""
    return {"fpr": "FPR"}.get(rate, rate)


def p_value(p: float) -> str:
    """Return a p as people write it, "p = 0.016" or "p < 0.0001"."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"


def _of(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
