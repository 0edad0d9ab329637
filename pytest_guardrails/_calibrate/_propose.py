"""False positives to the smallest change that would end them, and what recall it would cost: proposed, never made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._engine import evaluate
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Action, CheckResult, Finding, Guardrail, Request, Scope, Text, Trace
from pytest_guardrails._stats import Confusion
from pytest_guardrails._texts import texts_in_scope
from pytest_guardrails.targets.embedded import scripted

ALIKE = 3  # so many literals of one shape are proposed as one pattern
MOST_THRESHOLDS = 10  # of the highest scores: a lower one would end fewer
_MOST_CANDIDATES = 400
_RUN = re.compile(r"[0-9]+|[a-z]+|[A-Z]+|[^0-9a-zA-Z]")


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled input that is judged again: a case or a sample; ``response`` is what its model says."""

    name: str
    request: Request
    label: str
    response: tuple[str, ...] | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text that a guardrail could see: of the request, and what the model says, which may be in chunks."""
        sent = texts_in_scope(self.request.messages, Scope())
        return (*(text.text for text in sent), *(self.response or ()), "".join(self.response or ()))


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one check: ``entries`` join its allowlist, or ``threshold`` becomes its threshold."""

    phase: str
    guardrail: str
    check: str
    entries: tuple[str, ...] = ()
    is_pattern: bool = False
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change, the false positives that it ends, and the attacks that would then be missed, by name."""

    change: Change
    ends: tuple[str, ...]
    misses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was proposed: counts before and after all of it, and the false positives that nothing here would end."""

    before: Confusion
    after: Confusion
    proposals: tuple[Proposal, ...]
    left: tuple[str, ...]


def calibrate(guardrails: Sequence[Guardrail], items: Sequence[Item]) -> Calibration:
    """Propose the smallest set of changes: first what costs no recall, then what ends the most false positives.

    Every figure comes from running the changed guardrails over all of ``items``; none of it is estimated.
    """
    traces = {item.name: _run(guardrails, item) for item in items}
    wrong = {item.name: item for item in items if item.label == "benign" and _acted(traces[item.name])}
    caught = {item.name: item for item in items if item.label == "attack" and _acted(traces[item.name])}
    before = _confusion(items, traces)
    proposals: list[Proposal] = []
    current = tuple(guardrails)
    while wrong:
        candidates = list(_candidates(current, [_run(current, item) for item in wrong.values()]))[:_MOST_CANDIDATES]
        tried = [_tried(current, change, wrong, caught) for change in candidates]
        useful = [proposal for proposal in tried if proposal.ends]
        if not useful:
            break
        best = min(useful, key=_order)
        proposals.append(best)
        current = changed(current, best.change)
        wrong = {name: item for name, item in wrong.items() if name not in best.ends}
        caught = {name: item for name, item in caught.items() if name not in best.misses}
    after = _confusion(items, {item.name: _run(current, item) for item in items}) if proposals else before
    return Calibration(before, after, tuple(proposals), tuple(wrong))


def changed(guardrails: Sequence[Guardrail], change: Change) -> tuple[Guardrail, ...]:
    """Return the guardrails with one change made.

    Raises:
        ConfigError: where the check refuses it.
    """
    return tuple(
        replace(guardrail, checks=tuple(_changed(check, change) for check in guardrail.checks))
        if (guardrail.phase.value, guardrail.id) == (change.phase, change.guardrail)
        else guardrail
        for guardrail in guardrails
    )


def _changed(check: Any, change: Change) -> Any:
    if check.id != change.check:
        return check
    if change.threshold is not None:
        return replace(check, threshold=change.threshold)
    entries: tuple[Any, ...] = change.entries
    if change.is_pattern:
        entries = tuple(FrozenDict({"pattern": entry}) for entry in entries)
    return replace(check, allowlist=(*check.allowlist, *entries))


def _order(proposal: Proposal) -> tuple[Any, ...]:
    """Cheapest first: attacks lost, then false positives ended, then the narrower kind of change."""
    change = proposal.change
    kind = 2 if change.threshold is not None else 1 if change.is_pattern else 0
    size = len(change.entries)
    return len(proposal.misses), -len(proposal.ends), kind, size, change.phase, change.guardrail, change.entries


def _tried(
    guardrails: Sequence[Guardrail], change: Change, wrong: dict[str, Item], caught: dict[str, Item]
) -> Proposal:
    new, touches = changed(guardrails, change), _toucher(change)
    ends = tuple(name for name, item in wrong.items() if touches(item) and not _acted(_run(new, item)))
    if not ends:
        return Proposal(change, (), ())
    misses = tuple(name for name, item in caught.items() if touches(item) and not _acted(_run(new, item)))
    return Proposal(change, ends, misses)


def _toucher(change: Change) -> Callable[[Item], bool]:
    """Return what tells items on which a change could have an effect: those that hold a token of it."""
    if change.threshold is not None:
        return lambda _item: True
    tokens = [re.compile(entry if change.is_pattern else re.escape(entry)) for entry in change.entries]
    return lambda item: any(token.search(text) for token in tokens for text in item.texts)


def _candidates(guardrails: Sequence[Guardrail], traces: Iterable[Trace]) -> Iterator[Change]:
    """Yield each change once that could end some false positive: literals, patterns that many share, thresholds.

    The literals of one false positive are also proposed together, since it takes all of them to end it.
    """
    literals: dict[tuple[str, str, str], dict[tuple[str, ...], None]] = {}
    scores: dict[tuple[str, str, str], set[float]] = {}
    checks = {(g.phase.value, g.id, check.id): check for g in guardrails for check in g.checks}
    for trace in traces:
        for place, result, text_of in _acting(guardrails, trace):
            tokens = dict.fromkeys(filter(None, map(text_of, result.findings)))
            if tokens and hasattr(checks[place], "allowlist"):
                bundles = [(token,) for token in tokens] + [tuple(tokens)]
                literals.setdefault(place, {}).update(dict.fromkeys(bundles))
            if hasattr(checks[place], "threshold"):
                scores.setdefault(place, set()).update(f.score for f in result.findings if f.score is not None)
    for place, bundles_of_place in literals.items():
        for bundle in bundles_of_place:
            yield from _accepted(guardrails, Change(*place, entries=bundle))
        for pattern in _shared(bundle[0] for bundle in bundles_of_place if len(bundle) == 1):
            yield from _accepted(guardrails, Change(*place, entries=(pattern,), is_pattern=True))
    for place, found in scores.items():
        for score in sorted(found)[-MOST_THRESHOLDS:]:
            yield from _accepted(guardrails, Change(*place, threshold=round(score + 0.01, 2)))


def _accepted(guardrails: Sequence[Guardrail], change: Change) -> Iterator[Change]:
    """Yield the change if its check takes it: an allowlist refuses entries that would be too broad."""
    try:
        changed(guardrails, change)
    except ConfigError:
        return
    yield change


def _acting(guardrails: Sequence[Guardrail], trace: Trace) -> Iterator[tuple[tuple[str, str, str], CheckResult, Any]]:
    """Yield place, result and a reader of found texts for each check that acted.

    A text is read from the request or response as it came: what an earlier guardrail rewrote has another span, and
    such a finding gives none.
    """
    scopes = {(guardrail.phase, guardrail.id): guardrail.scope for guardrail in guardrails}
    rewritten = False
    for result in trace.results:
        before = result.phase.value == "before_request"
        messages = trace.request.messages if before else ()
        texts = texts_in_scope(messages, scopes[result.phase, result.guardrail])
        for check in result.checks:
            if check.action > Action.NONE:
                reader = _reader(() if rewritten else texts)
                yield (result.phase.value, result.guardrail, check.check), check, reader
        rewritten = rewritten or result.action is Action.SANITIZE


def _reader(texts: Sequence[Text]) -> Any:
    places = {(text.message_index, text.field): text.text for text in texts}

    def read(finding: Finding) -> str:
        if finding.start is None:
            return ""
        return places.get((finding.message_index, finding.field), "")[finding.start : finding.end]

    return read


def _shared(tokens: Iterable[str]) -> Iterator[str]:
    """Yield a pattern for each shape that at least `ALIKE` of the tokens have."""
    shapes: dict[str, int] = {}
    for token in tokens:
        shape = "".join(map(_of_run, _RUN.findall(token)))
        shapes[shape] = shapes.get(shape, 0) + 1
    yield from (shape for shape, count in shapes.items() if count >= ALIKE)


def _of_run(letters: str) -> str:
    """Return what stands for a run of letters or digits, or for one other character."""
    first = letters[0]
    kind = "[0-9]" if first.isdigit() else "[a-z]" if first.islower() else "[A-Z]"
    return f"{kind}{{{len(letters)}}}" if first.isascii() and first.isalnum() else re.escape(letters)


def _run(guardrails: Sequence[Guardrail], item: Item) -> Trace:
    return evaluate(guardrails, item.request, scripted(item.response, stream=item.request.stream))


def _acted(trace: Trace) -> bool:
    """True if some guardrail acted; one that gave no answer did not, and nothing here could change that."""
    return trace.action > Action.NONE and not trace.errors


def _confusion(items: Iterable[Item], traces: dict[str, Trace]) -> Confusion:
    counts = {"true_positive": 0, "false_positive": 0, "true_negative": 0, "false_negative": 0, "error": 0}
    for item in items:
        trace = traces[item.name]
        sign = "positive" if trace.action > Action.NONE else "negative"
        right = (item.label == "attack") is (sign == "positive")
        counts["error" if trace.errors else f"{'true' if right else 'false'}_{sign}"] += 1
    return Confusion(**counts)
