"""The page on which any two versions of a guard are set side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_guardrails.dashboard._files import INDEX, guard_csv, guard_page
from pytest_guardrails.dashboard._page import head, link, name, page
from pytest_guardrails.dashboard._series import SOUND, GuardHistory, Point
from pytest_guardrails.reporters.json import dumps
from pytest_guardrails.reporters.terminal import plain

MOST_FIGURES = 8_000  # rows of a version and population, about 60 bytes each
MOST_NAME = 120
_NOTE = (
    "The newest sound run of each version. The two are not compared in pairs here: "
    "<code>pytest-guardrails compare</code> tells from two reports what flipped, and whether chance explains it."
)


def compare_html(guard: GuardHistory, *, live: bool) -> bytes:
    """Return the page: it has the newest versions in a block of JSON, and a script of our own chooses among them."""
    versions, left = _versions(guard)
    lines = [_NOTE]
    if left:
        lines.append(f"The {left:,} oldest versions are in {link(guard_csv(guard), 'the CSV')} alone.")
    body = head([(INDEX, "All guards"), (guard_page(guard), name(guard.name))], "Two versions, side by side", lines)
    body += [
        '<main id="main">',
        "<noscript><p>The choice needs JavaScript. Each population has its versions as a table.</p></noscript>",
        '<form id="choice" hidden>',
        *(f'<label>{side} <select id="{side}"></select></label>' for side in ("before", "after")),
        '<button type="button" id="swap">swap</button></form>',
        '<div id="said" role="status"></div>',
        '<div class="wide" tabindex="0" role="region" aria-label="Comparison"><table id="figures"></table></div>',
        "</main>",
    ]
    data = dumps({"sound": list(SOUND), "versions": versions}, separators=(",", ":"))
    return page(f"{guard.name}: versions compared", body, live=live, script="compare.js", data=data)


def _versions(guard: GuardHistory) -> tuple[list[dict[str, Any]], int]:
    """Return the newest versions, newest first, as many as a page can hold, and how many are left."""
    places: dict[str, list[int]] = {}
    for index, past in enumerate(guard.pasts):
        places.setdefault(past.version, []).append(index)
    points: dict[int, list[tuple[str, Point]]] = {}
    for series in guard.populations:
        for point in series.points:
            points.setdefault(point.index, []).append((series.population, point))
    found: list[dict[str, Any]] = []
    figures = 0
    newest_first = sorted(places.items(), key=lambda item: -item[1][-1])
    for version, own in newest_first:
        index = next((i for i in reversed(own) if guard.pasts[i].status in SOUND), own[-1])
        rows = points.get(index, [])
        figures += 1 + len(rows)
        if figures > MOST_FIGURES and found:
            break
        found.append(_version(guard, version, index, len(own), rows))
    return found, len(places) - len(found)


def _version(
    guard: GuardHistory, version: str, index: int, runs: int, rows: Sequence[tuple[str, Point]]
) -> dict[str, Any]:
    past = guard.pasts[index]
    return {
        "name": plain(version, MOST_NAME),
        "time": f"{past.when:%Y-%m-%d %H:%M}",
        "suite": plain(past.suite, 40),
        "status": plain(past.status, 40),
        "runs": runs,
        "populations": [[plain(population, MOST_NAME), *_figures(point)] for population, point in rows],
    }


def _figures(point: Point) -> list[int | float | None]:
    counts = point.counts
    found = [counts.true_positive, counts.false_positive, counts.true_negative, counts.false_negative, counts.error]
    return [*found, *point.times]
