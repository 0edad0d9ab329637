"""The first page: each guard's newest state; and what of the history could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_guardrails.dashboard._badge import badge
from pytest_guardrails.dashboard._chart import small
from pytest_guardrails.dashboard._figures import ERRORS, FPR, LATENCY, METRICS, RECALL
from pytest_guardrails.dashboard._files import compare_page, guard_page
from pytest_guardrails.dashboard._page import figure, head, link, name, page, section, status, table
from pytest_guardrails.dashboard._series import GuardHistory, Series
from pytest_guardrails.reporters._markup import shown

MOST_PROBLEMS = 50
MOST_PICTURES = 50


def overview(guards: Sequence[GuardHistory], problems: Sequence[str], *, live: bool) -> bytes:
    """Return the page of all guards."""
    runs = sum(len(guard.pasts) for guard in guards)
    lines = [f"{len(guards):,} guard{'' if len(guards) == 1 else 's'}, {runs:,} run{'' if runs == 1 else 's'}"]
    if guards:
        lines.append(f"{badge(guards)} newest {guards[0].newest.when:%Y-%m-%d %H:%M} UTC")
    body = head([], "Guardrails over time", lines)
    body.append('<main id="main">')
    body += section("Guards", [_guards(guards)]) if guards else ["<p>No run yet.</p>"]
    body += section("What could not be read", _problems(problems))
    body += [*_note(), "</main>"]
    return page("Guardrails over time", body, live=live)


def _guards(guards: Sequence[GuardHistory]) -> str:
    heads = (
        "guard",
        "state",
        "version",
        "FPR of its cases",
        "recall of its cases",
        "error rate",
        "latency",
        "runs",
        "",
    )
    rows = [_row(guard, pictured=place < MOST_PICTURES) for place, guard in enumerate(guards)]
    return table("Guards and their newest run", heads, rows)


def _row(guard: GuardHistory, *, pictured: bool) -> list[str]:
    series = guard.populations[0] if guard.populations else None
    cells = [link(guard_page(guard), name(guard.name)), status(guard.newest.status), name(guard.newest.version)]
    for metric in (FPR, RECALL):
        picture = small(metric, series, guard) if series is not None and pictured else ""
        cells.append(f"{picture}{newest(guard, series, METRICS.index(metric))}")
    cells += [newest(guard, series, METRICS.index(metric)) for metric in (ERRORS, LATENCY)]
    return [*cells, f"{len(guard.pasts):,}", link(compare_page(guard), "compare versions")]


def newest(guard: GuardHistory, series: Series | None, metric: int) -> str:
    """Say a figure of the newest run; one that did not measure the population says nothing of it."""
    if series is None or series.points[-1].index != len(guard.pasts) - 1:
        return '<span class="none">not in the newest run</span>'
    return figure(METRICS[metric].said(series.points[-1]))


def _problems(problems: Sequence[str]) -> Iterator[str]:
    if not problems:
        return
    yield "<ul>"
    yield from (f"<li>{shown(problem)}</li>" for problem in problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        yield f"<li>… and {len(problems) - MOST_PROBLEMS:,} more</li>"
    yield "</ul>"


def _note() -> Iterator[str]:
    yield (
        '<p class="quiet">Rates speak of the cases and samples of a run, not of traffic; the band is Wilson’s 95 % '
        "interval. Populations are never pooled. A run that gave no answers or was cut short stands apart, as a hollow "
        "dot. Where the suite has changed the line is dashed: before and after it speaks of other cases.</p>"
    )
