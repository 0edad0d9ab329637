"""What changed since the baseline, and what a candidate beside the guards would change: flips both ways, rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_guardrails._model import Comparison, Flip, PopulationChange, RateChange, Run
from pytest_guardrails._stats import per_cent
from pytest_guardrails.reporters._html_parts import (
    Cell,
    bdi,
    case_link,
    count,
    listed,
    mark,
    more,
    section,
    table,
)
from pytest_guardrails.reporters._svg import difference_bar
from pytest_guardrails.reporters._versions import (
    change_sentence,
    flip_label,
    guardrail_sentences,
    latency_sentences,
    p_sentence,
    what_changed,
)

MOST_FLIPS = 50
_NAMES = {"fpr": "FPR", "recall": "recall"}
_GROUPS = (("newly wrong", "Newly wrong"), ("newly right", "Newly right"), ("", "Otherwise"))


def changes(run: Run) -> Iterator[str]:
    """Yield the section of the comparison with the baseline, nothing where there was none."""
    if run.comparison is not None:
        yield from section("changes", "Changed since the baseline", _comparison(run, run.comparison, gate=True))


def candidate(run: Run) -> Iterator[str]:
    """Yield the section of the candidate that judged beside the guards, nothing where there was none."""
    if run.shadow is not None:
        told = ['<p class="quiet">A candidate judged the same cases. It fails nothing.</p>']
        yield from section("candidate", "The candidate beside it", told, _comparison(run, run.shadow, gate=False))


def _comparison(run: Run, compared: Comparison, *, gate: bool) -> Iterator[str]:
    yield f"<p>{bdi(compared.before)} → {bdi(compared.after)}</p>"
    yield f"<p>{_said(compared)}</p>"
    if blamed := list(guardrail_sentences(compared)):
        yield f"<p>By the guardrail that decided: {bdi('; '.join(blamed), 1_000)}.</p>"
    yield from _rulings(compared, gate)
    yield from _populations(compared)
    named = {record.key: record.nodeid for record in run.records if record.key is not None}
    known = {record.nodeid for record in run.records}
    for truth, title in _GROUPS:
        flips = [flip for flip in compared.flips if flip.truth == truth]
        yield from _flips(title, flips, named, known)
    total = sum(population.flips for population in compared.populations)
    if total > len(compared.flips):
        yield f'<p class="quiet">{total:,} flips; report.json has the first {len(compared.flips):,}.</p>'
    for name, keys, number in (("now", compared.new_keys, compared.new), ("before", compared.gone_keys, compared.gone)):
        if number:
            yield f"<details><summary>Only {name}: {number:,}</summary>"
            yield from listed(keys, MOST_FLIPS)
            yield from more(number - min(len(keys), MOST_FLIPS))
            yield "</details>"


def _said(compared: Comparison) -> str:
    flips = sum(population.flips for population in compared.populations)
    wrong = sum(population.newly_wrong for population in compared.populations)
    right = sum(population.newly_right for population in compared.populations)
    same = "the same suite" if not (compared.new or compared.gone) else "the suites differ"
    if not flips:
        return f"Nothing flipped among {compared.pairs:,} compared ({same})."
    said = f"<b>{wrong:,} newly wrong</b>, <b>{right:,} newly right</b>"
    return f"{said}, {flips:,} flips among {compared.pairs:,} ({same})."


def _rulings(compared: Comparison, gate: bool) -> Iterator[str]:
    if not compared.rulings:
        yield f'<p class="passed">{mark(True)} No rule fails.</p>'
        return
    yield '<ul class="rulings">'
    for ruling in sorted(compared.rulings, key=lambda ruling: not ruling.fails)[:MOST_FLIPS]:
        word = ("failed" if gate else "would fail") if ruling.fails else "note"
        kind = ("failed" if gate else "would-fail") if ruling.fails else "note"
        sign = mark(False) if ruling.fails else ""
        yield f'<li class="{kind}">{sign} <b>{word}: {bdi(ruling.rule)}</b> {bdi(ruling.said, 1_000)}</li>'
    yield "</ul>"


def _populations(compared: Comparison) -> Iterator[str]:
    known = [change for one in compared.populations for change in one.rates if change.interval is not None]
    span = max([0.05, *(abs(end) for change in known for end in change.interval or ())])
    heads = ["population", "guard", "change of rate", "", "#newly wrong", "#newly right", "#blocked now"]
    heads += ["#allowed now", "#otherwise", "#errors", "#relabelled", "latency"]
    rows = (row for one in compared.populations for row in _rows(one, span))
    yield from table("Populations compared", heads, rows, "changes")


def _rows(one: PopulationChange, span: float) -> Iterator[list[Cell]]:
    """Yield a row per rate of a population; its counts stand in the first."""
    errors = f"{one.errors_before:,} → {one.errors_after:,}" if one.errors_before or one.errors_after else "0"
    latency = "<br>".join(f"<small>{name}: {said}</small>" for name, said in latency_sentences(one))
    counts: list[Cell] = [
        count(one.newly_wrong, "wrong"), count(one.newly_right), count(one.became_blocked), count(one.became_allowed),
        count(one.otherwise), errors, count(one.relabelled), latency,
    ]  # fmt: skip
    rates: list[RateChange | None] = [change for change in one.rates if change.pairs]
    rates = rates or [None]
    for place, change in enumerate(rates):
        said = ["no rate", ""] if change is None else [_change(change), _drawn(change, span)]
        yield [bdi(one.population), bdi(one.guard), *said, *(counts if place == 0 else [""] * len(counts))]


def _change(change: RateChange) -> str:
    before, after = change.before / change.pairs, change.after / change.pairs
    counts = f"{change.before:,} → {change.after:,} of {change.pairs:,}"
    p = "" if change.p is None else f", {p_sentence(change)}"
    name = _NAMES.get(change.rate, "rate")
    return f"{name} {per_cent(before)} → {per_cent(after)}<br><small>{counts}{p}</small>"


def _drawn(change: RateChange, span: float) -> str:
    if change.difference is None or change.interval is None:
        return ""
    return difference_bar(change.difference, change.interval, change_sentence(change), span)


def _flips(title: str, flips: Sequence[Flip], named: Mapping[str, str], known: set[str]) -> Iterator[str]:
    if not flips:
        return
    opened = " open" if title == "Newly wrong" else ""
    yield f"<details{opened}><summary>{title}: {len(flips):,}</summary>"
    rows = [_flip(flip, named, known) for flip in flips[:MOST_FLIPS]]
    yield from table(title, ["what", "population", "severity", "label", "change", "before", "after"], rows, "flips")
    yield from more(len(flips) - MOST_FLIPS)
    yield "</details>"


def _flip(flip: Flip, named: Mapping[str, str], known: set[str]) -> list[Cell]:
    nodeid = named.get(flip.key, flip.key)
    name = case_link(nodeid, flip.key) if nodeid in known else bdi(flip.key)
    name += f"<br><small>{bdi(flip.where)}</small>" if flip.where else ""
    said = (flip.population, flip.severity or "", flip_label(flip), what_changed(flip), flip.before, flip.after)
    return [name, *map(bdi, said)]
