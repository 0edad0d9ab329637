"""The page of one population of a guard: its figures over runs, its guardrails, its versions; tables too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_guardrails.dashboard._chart import MOST_DRAWN, chart, small
from pytest_guardrails.dashboard._figures import ERRORS, FPR, METRICS, RECALL, Metric, difference
from pytest_guardrails.dashboard._files import INDEX, guard_csv, guard_page
from pytest_guardrails.dashboard._page import figure, head, link, long_table, name, page, section, status, table
from pytest_guardrails.dashboard._reports import Reports
from pytest_guardrails.dashboard._series import GuardHistory, Point, Series, VersionPoint, by_version

MOST_GUARDRAILS = 24
MOST_VERSIONS = 100
OPEN_VERSIONS = 12
MOST_RUNS = 60


def population_html(guard: GuardHistory, series: Series, reports: Reports, *, live: bool) -> bytes:
    """Return the page of a population."""
    last = series.points[-1]
    lines = [f"newest {last.past.when:%Y-%m-%d %H:%M}, {status(last.past.status)}, version {name(last.past.version)}"]
    if last.index != len(guard.pasts) - 1:
        lines.append('<span class="doubt">The newest run of the guard did not measure it.</span>')
    body = head([(INDEX, "All guards"), (guard_page(guard), name(guard.name))], name(series.population), lines)
    body.append('<main id="main">')
    body += section("Over the runs", _charts(guard, series))
    body += section("Guardrails", _guardrails(guard, series.population))
    body += section("Versions", _versions(series))
    body += section("Runs", _runs(guard, series, reports))
    body.append("</main>")
    return page(f"{series.population}, {guard.name}: guardrails over time", body, live=live)


def _charts(guard: GuardHistory, series: Series) -> Iterator[str]:
    yield '<div class="charts">'
    for metric in METRICS:
        yield f'<figure><figcaption><b>{metric.name}</b> <span class="quiet">{metric.meaning}</span></figcaption>'
        said = figure(metric.said(series.points[-1]))
        yield f'{chart(metric, series, guard)}<p class="quiet">Newest: {said}</p></figure>'
    yield "</div>"
    drawn = f"One step is one run, oldest left; times are UTC. {_thinning(len(series.points))}"
    yield (
        f'<p class="quiet">{drawn}A thin upright line is a change of version. The tables below and '
        f"{link(guard_csv(guard), 'the CSV')} say the same in figures.</p>"
    )


def _thinning(number: int) -> str:
    size = -(-number // MOST_DRAWN)
    return f"Of each {size:,} neighbours the worst is drawn; {number:,} runs are in the CSV. " if size > 1 else ""


def _guardrails(guard: GuardHistory, population: str) -> Iterator[str]:
    found = sorted(
        guard.guardrails.get(population, ()), key=lambda series: (-series.points[-1].index, series.guardrail)
    )
    if not found:
        return
    heads = ("guardrail", "FPR", "recall", "error rate", "newest run")
    yield table("Guardrails", heads, [_guardrail(guard, s, i < MOST_GUARDRAILS) for i, s in enumerate(found)])
    yield (
        '<p class="quiet">Of what reached it: a guardrail behind one that denied sees less, and attacks that another '
        "should stop count against its recall.</p>"
    )


def _guardrail(guard: GuardHistory, series: Series, pictured: bool) -> list[str]:
    last = series.points[-1]
    cells = [name(series.guardrail)]
    for metric in (FPR, RECALL, ERRORS):
        picture = small(metric, series, guard) if pictured and metric is not ERRORS else ""
        cells.append(f"{picture}{figure(metric.said(last))}")
    return [*cells, f"{last.past.when:%Y-%m-%d %H:%M}"]


def _versions(series: Series) -> Iterator[str]:
    found = by_version(series)
    rows = [_version(one, before) for one, before in zip(found, [None, *found], strict=False)]
    heads = ("version", "newest run", "FPR", "change", "recall", "change", "error rate", "latency", "runs")
    yield from long_table("Versions, newest first", heads, rows[: -MOST_VERSIONS - 1 : -1], OPEN_VERSIONS)
    if len(rows) > MOST_VERSIONS:
        yield f'<p class="quiet">… and {len(rows) - MOST_VERSIONS:,} older versions; the CSV has all.</p>'
    yield (
        '<p class="quiet">Each version by its newest sound run, beside the change from the version before; runs are '
        "not pooled, since they judge the same cases. pytest-guardrails compare tells in pairs what flipped.</p>"
    )


def _version(one: VersionPoint, before: VersionPoint | None) -> list[str]:
    point = one.point
    cells = [name(one.version), f"{point.past.when:%Y-%m-%d %H:%M} {status(point.past.status)}"]
    for metric in (FPR, RECALL):
        cells += [figure(metric.said(point)), _change(metric, before, point)]
    return [*cells, *(figure(metric.said(point)) for metric in METRICS[2:]), f"{one.runs:,}"]


def _change(metric: Metric, before: VersionPoint | None, after: Point) -> str:
    if before is None:
        return "–"
    if before.point.past.suite != after.past.suite:
        return '<span class="none">another suite</span>'
    return figure(difference(metric, before.point, after))


def _runs(guard: GuardHistory, series: Series, reports: Reports) -> Iterator[str]:
    heads = ("time", "state", "version", *(metric.name for metric in METRICS), "report")
    newest: Sequence[Point] = series.points[: -MOST_RUNS - 1 : -1]
    yield f"<details><summary>The newest {len(newest):,} of {len(series.points):,} runs as a table</summary>"
    yield table("The newest runs", heads, [_run(point, reports) for point in newest])
    yield f"<p>{link(guard_csv(guard), 'All of them as CSV')}</p></details>"


def _run(point: Point, reports: Reports) -> list[str]:
    past = point.past
    target = reports.link(past)
    figures = [figure(metric.said(point)) for metric in METRICS]
    report = link(target, "report") if target else "–"
    return [f"{past.when:%Y-%m-%d %H:%M}", status(past.status), name(past.version), *figures, report]
