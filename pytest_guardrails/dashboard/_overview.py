"""The first page: each guard's newest state by its worst populations, its last change; what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_guardrails._stats import counted
from pytest_guardrails.dashboard._badge import badge
from pytest_guardrails.dashboard._chart import small
from pytest_guardrails.dashboard._figures import ERRORS, FPR, LATENCY, METRICS, RECALL, Metric
from pytest_guardrails.dashboard._files import compare_page, guard_page
from pytest_guardrails.dashboard._moved import move_html, moved
from pytest_guardrails.dashboard._page import figure, head, link, name, page, section, status, table
from pytest_guardrails.dashboard._reports import Change
from pytest_guardrails.dashboard._series import GuardHistory, Series, short
from pytest_guardrails.dashboard._worst import left_out, on_cases_alone, worst_first
from pytest_guardrails.reporters._markup import shown

MOST_PROBLEMS = 50
MOST_PICTURES = 50
MOST_NAMED = 3


def overview(
    guards: Sequence[GuardHistory], flips: Mapping[str, Sequence[Change]], problems: Sequence[str], *, live: bool
) -> bytes:
    """Return the page of all guards; ``flips`` has what reports tell of the changes of each."""
    runs = sum(len(guard.pasts) for guard in guards)
    lines = [f"{len(guards):,} guard{'' if len(guards) == 1 else 's'}, {runs:,} run{'' if runs == 1 else 's'}"]
    if guards:
        state = badge(guards) if len(guards) > 1 else status(guards[0].newest.status)  # its row says the rest
        lines.append(f"{state} newest {guards[0].newest.when:%Y-%m-%d %H:%M} UTC")
    body = head([], "Guardrails over time", lines)
    body.append('<main id="main">')
    body += section("Guards", [_guards(guards, flips)]) if guards else ["<p>No run yet.</p>"]
    body += section("What could not be read", _problems(problems))
    body += [*_note(), "</main>"]
    return page("Guardrails over time", body, live=live)


def _guards(guards: Sequence[GuardHistory], flips: Mapping[str, Sequence[Change]]) -> str:
    rates = [f"{title}, worst first" for title in ("FPR", "recall")]
    heads = ("guard", "state", *rates, "error rate", "latency", "last change", "runs")
    rows = [_row(guard, flips.get(guard.name, ()), place < MOST_PICTURES) for place, guard in enumerate(guards)]
    return table("Guards and their newest run", heads, rows)


def _row(guard: GuardHistory, flips: Sequence[Change], pictured: bool) -> list[str]:
    state = [status(guard.newest.status), f"version {name(guard.newest.version)}"]
    if on_cases_alone(guard):
        state.append('<span class="doubt">on cases alone</span>')
    missing = left_out(guard)
    if missing:
        more = f" and {len(missing) - MOST_NAMED:,} more" if len(missing) > MOST_NAMED else ""
        names = ", ".join(map(name, missing[:MOST_NAMED]))
        state.append(f'<span class="doubt">not in the newest run: {names}{more}</span>')
    cells = [link(guard_page(guard), name(guard.name)), _lines(state)]
    cells += [_figures(guard, metric, MOST_NAMED, pictured) for metric in (FPR, RECALL)]
    cells += [_figures(guard, metric, 1, pictured=False) for metric in (ERRORS, LATENCY)]
    runs = [f"{len(guard.pasts):,}", link(compare_page(guard), "compare versions")]
    return [*cells, _lines(_last_change(guard, flips)), _lines(runs)]


def _figures(guard: GuardHistory, metric: Metric, most: int, pictured: bool) -> str:
    """Say a figure of the populations of the newest run, the worst first and drawn; each with its name."""
    found = worst_first(guard, metric)
    if not found:
        return figure("unknown" if metric is LATENCY else "unknown (0 of 0)")
    picture = small(metric, found[0], guard) if pictured else ""
    said = [f"{name(series.population)}: {figure(metric.said(series.points[-1]))}" for series in found[:most]]
    if len(found) > most:
        said.append(f'<span class="quiet">{len(found) - most:,} better or equal</span>')
    return picture + _lines(said)


def _last_change(guard: GuardHistory, flips: Sequence[Change]) -> Iterator[str]:
    """Say what the last change of version did: what it made worse most and what better, and whether that is chance."""
    if not guard.changes:
        yield '<span class="none">one version so far</span>'
        return
    index = guard.changes[-1]
    found = moved(guard, index)
    old, new = (guard.pasts[place].version for place in (index - 1, index))
    both = (short(old), short(new)) if short(old) != short(new) else (old, new)
    yield f"{' → '.join(map(name, both))}, {guard.pasts[index].when:%Y-%m-%d %H:%M}"
    if not found.same_suite:
        yield '<span class="doubt">another suite: it speaks of other cases</span>'
    change = next((change for change in flips if change.index == index), None)
    worse = [move for move in found.moves if move.worse]
    better = [move for move in found.moves if not move.worse]
    yield from (move_html(move, change) for move in (*worse[:1], *better[:1]))
    more = len(worse[1:]) + len(better[1:])
    if more:
        yield link(guard_page(guard), f"{counted(more, 'more rate')} moved")
    if not found.moves:
        yield "no rate moved" if found.both else "no population is in both"
    if found.apart:
        yield f'<span class="quiet">in one of the two alone: {", ".join(map(name, found.apart[:MOST_NAMED]))}</span>'


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"<p>{line}</p>" for line in lines)


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
