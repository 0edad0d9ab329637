"""The page of a guard: its populations, what changed with each version, its runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_guardrails._model import Comparison, PopulationChange
from pytest_guardrails._stats import per_cent
from pytest_guardrails.dashboard._chart import small
from pytest_guardrails.dashboard._figures import FPR, METRICS, RECALL, difference
from pytest_guardrails.dashboard._files import INDEX, compare_page, guard_badge, guard_csv, population_page
from pytest_guardrails.dashboard._overview import newest
from pytest_guardrails.dashboard._page import figure, folded, head, link, long_table, name, page, section, status, table
from pytest_guardrails.dashboard._reports import Change, Reports
from pytest_guardrails.dashboard._series import GuardHistory, Point, short
from pytest_guardrails.reporters._markup import shown

MOST_CHANGES = 30
OPEN_CHANGES = 5
MOST_RUNS = 100
OPEN_RUNS = 15
MOST_FLIPS = 10
MOST_POPULATIONS = 60
_MOVED = 3  # the populations that moved most, of each change


def guard_html(guard: GuardHistory, reports: Reports, changes: Sequence[Change], *, live: bool) -> bytes:
    """Return the page of a guard."""
    past = guard.newest
    versions = len({past.version for past in guard.pasts})
    numbers = f"{len(guard.pasts):,} runs, {versions:,} versions"
    links = [
        (compare_page, "Compare any two versions"),
        (guard_csv, "the whole history as CSV"),
        (guard_badge, "badge"),
    ]
    lines = [
        f"{status(past.status)} version {name(past.version)}, {past.when:%Y-%m-%d %H:%M}, {numbers}",
        " · ".join(link(file(guard), said) for file, said in links),
    ]
    body = head([(INDEX, "All guards")], name(guard.name), lines)
    body.append('<main id="main">')
    body += section("Populations", [_populations(guard)])
    body += section("Changes of version", _changes(guard, {change.index: change for change in changes}))
    body += section("Runs", _runs(guard, reports))
    body.append("</main>")
    return page(f"{guard.name}: guardrails over time", body, live=live)


def _populations(guard: GuardHistory) -> str:
    heads = ("population", "FPR", "recall", "error rate", "latency")
    rows = []
    for place, series in enumerate(guard.populations):
        linked = place < MOST_POPULATIONS
        shown_name = name(series.population)
        cells = [link(population_page(guard, series.population), shown_name) if linked else shown_name]
        for number, metric in enumerate(METRICS):
            picture = small(metric, series, guard) if linked and metric in (FPR, RECALL) else ""
            cells.append(f"{picture}{newest(guard, series, number)}")
        rows.append(cells)
    return table("Populations in the newest run", heads, rows)


def _changes(guard: GuardHistory, compared: dict[int, Change]) -> Iterator[str]:
    points = {s.population: {point.index: point for point in s.points} for s in guard.populations}
    newest = guard.changes[: -MOST_CHANGES - 1 : -1]
    told = ["\n".join(_change(guard, index, points, compared.get(index))) for index in newest]
    yield from folded(told, OPEN_CHANGES, f"{len(told) - OPEN_CHANGES:,} older")
    if len(guard.changes) > MOST_CHANGES:
        yield f'<p class="quiet">… and {len(guard.changes) - MOST_CHANGES:,} older changes; the CSV has all.</p>'


def _change(
    guard: GuardHistory, index: int, points: dict[str, dict[int, Point]], compared: Change | None
) -> Iterator[str]:
    before, after = guard.pasts[index - 1], guard.pasts[index]
    title = f"{name(short(before.version))} → {name(short(after.version))}"
    yield f'<article><h3>{title} <span class="quiet">{after.when:%Y-%m-%d %H:%M}</span></h3>'
    yield f'<p class="quiet">{name(before.version)} → {name(after.version)}</p>'
    if before.suite != after.suite:
        yield '<p class="doubt">The suite changed with it: the figures below speak of other cases.</p>'
    moved = _moved(index, points)
    yield "<ul>" + "".join(f"<li>{line}</li>" for line in moved) + "</ul>" if moved else "<p>No rate moved.</p>"
    if compared is not None:
        yield from _flips(compared.against, compared.comparison)
    yield "</article>"


def _moved(index: int, points: dict[str, dict[int, Point]]) -> list[str]:
    """Say which rates moved most between the two runs at a change."""
    found: list[tuple[float, str]] = []
    for population, by_index in points.items():
        before, after = by_index.get(index - 1), by_index.get(index)
        if before is None or after is None:
            continue
        for metric in METRICS[:3]:
            old, new = metric.estimate(before), metric.estimate(after)
            if old is not None and new is not None and old[0] != new[0]:
                said = (
                    f"{figure(metric.said(before))} → {figure(metric.said(after))}, {difference(metric, before, after)}"
                )
                found.append((-abs(new[0] - old[0]), f"{name(population)}: {metric.name.lower()} {said}"))
    return [said for _, said in sorted(found)[:_MOVED]]


def _flips(against: str, compared: Comparison) -> Iterator[str]:
    """Tell what flipped, in pairs, worst first."""
    yield f'<p class="quiet">In pairs, {shown(against)}: {compared.pairs:,} compared.</p>'
    for population in compared.populations:
        yield f"<p>{_paired(population)}</p>"
    rows = [
        [name(flip.key), *map(shown, (flip.population, flip.label, flip.truth or "–", flip.before, flip.after))]
        for flip in compared.flips[:MOST_FLIPS]
    ]
    if rows:
        yield table("Flips, worst first", ("case", "population", "label", "now", "before", "after"), rows)
    more = sum(population.flips for population in compared.populations) - len(rows)
    if more > 0:
        yield f'<p class="quiet">… and {more:,} more flips; pytest-guardrails compare lists them.</p>'


def _paired(population: PopulationChange) -> str:
    said = [
        f"{population.flips:,} of {population.pairs:,} flipped",
        f"{population.newly_wrong:,} newly wrong, {population.newly_right:,} newly right",
    ]
    for rate in population.rates:
        if rate.pairs and rate.p is not None:
            old, new = (per_cent(hits / rate.pairs) for hits in (rate.before, rate.after))
            title = "FPR" if rate.rate == "fpr" else rate.rate
            said.append(f"{title} {old} → {new} of {rate.pairs:,} (McNemar p = {rate.p:.2g})")
    return f"{name(population.population)}: {shown('; '.join(said))}"


def _runs(guard: GuardHistory, reports: Reports) -> Iterator[str]:
    rows = []
    for past in guard.pasts[: -MOST_RUNS - 1 : -1]:
        target = reports.link(past)
        cells = [
            f"{past.when:%Y-%m-%d %H:%M}",
            status(past.status),
            name(past.version),
            shown((past.commit or "–")[:10]),
        ]
        rows.append([*cells, shown(past.suite), link(target, "report") if target else "–"])
    heads = ("time", "state", "version", "commit", "suite", "report")
    yield from long_table("The newest runs", heads, rows, OPEN_RUNS)
    if len(guard.pasts) > MOST_RUNS:
        rest = len(guard.pasts) - MOST_RUNS
        yield f'<p class="quiet">… and {rest:,} older runs: {link(guard_csv(guard), "the CSV")} has all.</p>'
