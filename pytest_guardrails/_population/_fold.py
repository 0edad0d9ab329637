"""Results to what a report says of a population; the memory that it takes does not grow with their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._model import Action, Group, Outcome, Sample, SampleResult, ScoreCurve
from pytest_guardrails._stats import Histogram, Rate, rounded_score, score_curve

MOST_CATEGORIES = 1_000
MOST_WORST = 50
OTHER_CATEGORIES = "(other categories)"
_WRONG = (Outcome.ERROR, Outcome.FALSE_POSITIVE, Outcome.FALSE_NEGATIVE)

T = TypeVar("T")
Tally = Counter[tuple[Outcome, str]]  # by outcome and label


@dataclass(frozen=True, slots=True)
class Wrong:
    """A sample that went wrong, with its text as it is: whoever shows it masks it first."""

    sample: Sample
    result: SampleResult

    @property
    def rank(self) -> tuple[int, int]:
        """How bad it is: the strongest action first, then the order of the corpus."""
        return -self.result.action.rank, self.sample.line or 0


class Fold:
    """A population while it is counted; ``places`` maps each ``phase/guardrail/check`` to its ``phase/guardrail``."""

    def __init__(self, places: Mapping[str, str] | None = None) -> None:
        self.rows = 0
        self.spans: tuple[int, ...] | None = None
        self.latency, self.vendor_latency = Histogram(), Histogram()
        self._places = dict(places or {})
        self._kinds: Counter[tuple[Any, ...]] = Counter()
        self._categories: set[str] = set()
        self._scores: dict[str, Counter[tuple[float, str]]] = {}
        self._wrong: dict[Outcome, list[Wrong]] = {}
        self._allowed: dict[str, list[int]] = {}
        self._acted: Counter[tuple[str, Action]] = Counter()

    def add(self, sample: Sample, result: SampleResult) -> None:
        """Count one result; ``sample`` is what it is of."""
        self.rows += 1
        category = self._category(result.category)
        self._kinds[result.label, category, result.outcome, result.fired, result.skipped, result.errors] += 1
        self.latency.add(result.duration_s)
        if result.vendor_s is not None:
            self.vendor_latency.add(result.vendor_s)
        if result.spans is not None:
            sums = self.spans or (0,) * len(result.spans)
            self.spans = tuple(map(sum, zip(sums, result.spans, strict=True)))
        for place, score in result.scores.items():
            if place not in result.errors:  # an error elsewhere takes nothing from what this place said
                self._scores.setdefault(place, Counter())[rounded_score(score), result.label] += 1
        for entry, findings in result.allowed.items():
            taken = self._allowed.setdefault(entry, [0, 0])
            taken[0] += findings
            taken[1] += result.outcome is Outcome.FALSE_NEGATIVE
        if result.outcome is Outcome.TRUE_POSITIVE and (acting := self._decider(result)) is not None:
            self._acted[acting, result.action] += 1
        if result.outcome in _WRONG:
            self._keep(Wrong(sample, result))

    def _decider(self, result: SampleResult) -> str | None:
        """Return the one check that fired in the guardrail that decided, so that the action is its own, else None."""
        of = [place for place in result.fired if self._places.get(place, "").partition("/")[2] == result.decided_by]
        return of[0] if len(of) == 1 else None

    def _category(self, name: str) -> str:
        if name in self._categories or len(self._categories) < MOST_CATEGORIES:
            self._categories.add(name)
            return name
        return OTHER_CATEGORIES

    def _keep(self, wrong: Wrong) -> None:
        kept = self._wrong.setdefault(wrong.result.outcome, [])
        kept.append(wrong)
        if len(kept) > 4 * MOST_WORST:
            self._wrong[wrong.result.outcome] = sorted(kept, key=lambda one: one.rank)[:MOST_WORST]

    def counts(self) -> Group:
        """Return the outcomes of all."""
        tally = Tally()
        for (label, _, outcome, *_places), number in self._kinds.items():
            tally[outcome, label] += number
        return _group("all", "", tally)

    def groups(self) -> tuple[Group, ...]:
        """Return the outcomes of all, of each category, and of each guardrail and check for what reached it."""
        categories: dict[str, Tally] = {}
        guardrails = {name: Tally() for name in self._places.values()}
        checks = {place: Tally() for place in self._places}
        for (label, category, outcome, fired, skipped, errors), number in self._kinds.items():
            categories.setdefault(category, Tally())[outcome, label] += number
            acted, errored = ({self._places[place] for place in places} for places in (fired, errors))
            for name in guardrails.keys() - set(skipped):
                guardrails[name][_seen(label, name in acted, name in errored), label] += number
            for name, guardrail in self._places.items():
                if guardrail not in skipped:
                    checks[name][_seen(label, name in fired, name in errors), label] += number
        return (
            self.counts(),
            *(_group("category", name, tally) for name, tally in sorted(categories.items()) if name),
            *(_group("guardrail", name, tally) for name, tally in guardrails.items()),
            *(_group("check", name, tally) for name, tally in checks.items()),
        )

    def allowed(self) -> FrozenDict:
        """Return what each entry of an allowlist did: findings that it took away, attacks that passed there."""
        return FrozenDict({entry: tuple(counts) for entry, counts in sorted(self._allowed.items())})

    def acted(self) -> FrozenDict:
        """Return by place how many attacks it decided with each action, those that several checks decided left out."""
        acted: dict[str, dict[str, int]] = {}
        for (place, action), number in sorted(self._acted.items()):
            acted.setdefault(place, {})[action.value] = number
        return FrozenDict({place: FrozenDict(counts) for place, counts in acted.items()})

    def silent(self, near: Callable[[str], Iterable[str]]) -> FrozenDict:
        """Return by place how many near misses of it came by without a finding there.

        ``near`` says of a category at which places its benign samples are near misses.
        """
        silent = Counter[str]()
        for (label, category, _outcome, fired, skipped, errors), number in self._kinds.items():
            for place in near(category) if label == "benign" else ():
                guardrail = self._places.get(place)
                if guardrail is not None and guardrail not in skipped and place not in (*fired, *errors):
                    silent[place] += number
        return FrozenDict(sorted(silent.items()))

    def curves(self) -> tuple[ScoreCurve, ...]:
        """Return the curve of each check that scored; where it ran and gave no score, it stands below every score."""
        checks = {group.name: group for group in self.groups() if group.kind == "check"}
        curves = []
        for place in (place for place in self._places if place in self._scores):
            scored = self._scores[place]
            group = checks[place]
            silent = Counter(
                benign=group.false_positive + group.true_negative, attack=group.true_positive + group.false_negative
            )
            for (_, label), number in scored.items():
                silent[label] -= number
            curves.append(score_curve(place, scored, silent))
        return tuple(curves)

    def worst(self) -> list[Wrong]:
        """Return at most `MOST_WORST` of what went wrong, of each kind in turn: errors, false positives, misses."""
        kinds = (sorted(self._wrong.get(outcome, []), key=lambda one: one.rank) for outcome in _WRONG)
        return in_turn([one for kind in kinds for one in kind], MOST_WORST, lambda one: one.result.outcome)


def in_turn(items: Iterable[T], most: int, kind: Callable[[T], Hashable]) -> list[T]:
    """Return at most ``most`` of the items, of each kind in turn, in the order in which they came."""
    turns = Counter[Hashable]()
    ranked: list[tuple[int, int, T]] = []
    for place, item in enumerate(items):
        turns[kind(item)] += 1
        ranked.append((turns[kind(item)], place, item))
    first = sorted(ranked, key=lambda one: one[:2])[:most]
    return [item for _, _, item in sorted(first, key=lambda one: one[1])]


def _seen(label: str, fired: bool, errored: bool) -> Outcome:
    if errored:
        return Outcome.ERROR
    if label == "attack":
        return Outcome.TRUE_POSITIVE if fired else Outcome.FALSE_NEGATIVE
    return Outcome.FALSE_POSITIVE if fired else Outcome.TRUE_NEGATIVE


def _group(kind: str, name: str, tally: Tally) -> Group:
    counts = Counter[Outcome]()
    for (outcome, _), number in tally.items():
        counts[outcome] += number
    group = Group(kind, name, *(counts[outcome] for outcome in Outcome))
    return replace(group, error_attack=tally[Outcome.ERROR, "attack"])


def fpr_of(counts: Group) -> Rate:
    """Return the false-positive rate of a group: benign samples on which some guardrail acted."""
    return Rate(counts.false_positive, counts.false_positive + counts.true_negative)


def recall_of(counts: Group) -> Rate:
    """Return the recall of a group: attacks on which some guardrail acted."""
    return Rate(counts.true_positive, counts.true_positive + counts.false_negative)
