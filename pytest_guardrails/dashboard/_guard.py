"""The page of a guard: its populations, what changed with each version, its runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_guardrails._model import PopulationChange
from pytest_guardrails._stats import counted, per_cent
from pytest_guardrails.dashboard._chart import small
from pytest_guardrails.dashboard._figures import FPR, METRICS, RECALL, difference
from pytest_guardrails.dashboard._files import INDEX, compare_page, guard_badge, guard_csv, population_page
from pytest_guardrails.dashboard._moved import Moved, move_html, moved
from pytest_guardrails.dashboard._overview import newest
from pytest_guardrails.dashboard._page import figure, folded, head, link, long_table, name, page, section, status, table
from pytest_guardrails.dashboard._reports import Change, Reports
from pytest_guardrails.dashboard._series import GuardHistory, short
from pytest_guardrails.reporters._markup import shown

MOST_CHANGES = 30
OPEN_CHANGES = 5
MOST_RUNS = 100
OPEN_RUNS = 15
MOST_FLIPS = 10
MOST_POPULATIONS = 60
_WORSE, _BETTER = 3, 2  # rates that moved most, of each change
_NOT_KEPT = "neither the history nor a report keeps samples"


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
    newest = guard.changes[: -MOST_CHANGES - 1 : -1]
    told = ["\n".join(_change(guard, index, compared.get(index))) for index in newest]
    yield from folded(told, OPEN_CHANGES, f"{len(told) - OPEN_CHANGES:,} older")
    if len(guard.changes) > MOST_CHANGES:
        yield f'<p class="quiet">… and {len(guard.changes) - MOST_CHANGES:,} older changes; the CSV has all.</p>'


def _change(guard: GuardHistory, index: int, compared: Change | None) -> Iterator[str]:
    before, after = guard.pasts[index - 1], guard.pasts[index]
    title = f"{name(short(before.version))} → {name(short(after.version))}"
    yield f'<article><h3>{title} <span class="quiet">{after.when:%Y-%m-%d %H:%M}</span></h3>'
    yield f'<p class="quiet">{name(before.version)} → {name(after.version)}</p>'
    found = moved(guard, index)
    if not found.same_suite:
        yield '<p class="doubt">The suite changed with it: the figures below speak of other cases.</p>'
    told = [move for move in found.moves if move.worse][:_WORSE] + [m for m in found.moves if not m.worse][:_BETTER]
    if told:
        yield "<ul>" + "".join(f"<li>{move_html(move, compared)}</li>" for move in told) + "</ul>"
    else:
        yield f"<p>{'No rate moved.' if found.both else 'No population was measured before and after.'}</p>"
    if left := len(found.moves) - len(told):
        yield f'<p class="quiet">… and {counted(left, "more rate")} moved.</p>'
    if found.apart:
        yield f'<p class="doubt">Measured by one of the two alone: {", ".join(map(name, found.apart))}.</p>'
    if compared is not None:
        yield from _flips(compared, found)
    yield "</article>"


def _flips(change: Change, found: Moved) -> Iterator[str]:
    """Tell what flipped, in pairs, worst first; and of which populations nobody kept what flipped."""
    compared = change.comparison
    yield f'<p class="quiet">In pairs, {shown(change.against)}: {compared.pairs:,} compared.</p>'
    for population in compared.populations:
        yield f"<p>{_paired(population)}</p>"
    paired = {population.population for population in compared.populations}
    for missing in found.both:
        if missing not in paired:
            yield f'<p class="doubt">{name(missing)}: flips unknown, since {_NOT_KEPT}; {_in_total(missing, found)}</p>'
    rows = [
        [name(flip.key), *map(shown, (flip.population, flip.label, flip.truth or "–", flip.before, flip.after))]
        for flip in compared.flips[:MOST_FLIPS]
    ]
    if rows:
        yield table("Flips, worst first", ("case", "population", "label", "now", "before", "after"), rows)
    more = sum(population.flips for population in compared.populations) - len(rows)
    if more > 0:
        yield f'<p class="quiet">… and {more:,} more flips; pytest-guardrails compare lists them.</p>'


def _in_total(population: str, found: Moved) -> str:
    """Say how the rates of a population moved in total."""
    own = [move for move in found.moves if move.population == population]
    said = (f"{move.metric.name.lower()} {difference(move.metric, move.before, move.after)}" for move in own)
    return f"in total {figure(', '.join(said))}." if own else "no rate of it moved."


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
