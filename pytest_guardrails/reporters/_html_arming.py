"""Would the cases notice? What arming and coverage say, on the page."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_guardrails._arming import Arming, summarise
from pytest_guardrails._coverage import Coverage, Shown, coverage
from pytest_guardrails._model import Run
from pytest_guardrails.reporters._html_parts import Cell, bdi, case_link, count, more, named, section, table

MOST_NAMED = 50
_LISTS = (
    ("vacuous", "Vacuous: they pass whatever the guard does"),
    ("asleep", "Asleep: attacks that pass with every guardrail off"),
)


def arming(run: Run) -> Iterator[str]:
    """Yield the section of arming and coverage, nothing where there is nothing to say."""
    summed = summarise(run)
    shown = coverage(run)
    parts = [_arming(summed) if summed is not None else [], _coverage(shown) if shown.cells else []]
    yield from section("arming", "Would your tests notice?", *parts)


def _arming(arming: Arming) -> Iterator[str]:
    tested = len(arming.guardrails) - len(arming.untested)
    yield f"<p>{arming.judged:,} judged again with guardrails off: {tested} of {len(arming.guardrails)} are missed.</p>"
    for name, title in _LISTS:
        yield from _cases(title, getattr(arming, name))
    if arming.unjudged:
        yield f"<details><summary>Nobody can say: {len(arming.unjudged):,}</summary>"
        rows: list[list[Cell]] = [
            [case_link(nodeid), bdi(what or "all"), bdi(why)] for nodeid, what, why in arming.unjudged
        ]
        yield from table("Unjudged", ["case", "what was off", "why"], rows[:MOST_NAMED])
        yield from more(len(rows) - MOST_NAMED)
        yield "</details>"
    several = len({row.guard for row in arming.guardrails}) > 1
    heads = ["guardrail that was off", "phase", "", "#noticed", "#alone", "#unnoticed", "#unjudged"]
    made = []
    for row in arming.guardrails:
        verdict: Cell = "missed" if row.tested else ("untested", "no case notices")
        names: list[Cell] = [named(row.guardrail, row.guard if several else ""), bdi(row.phase.partition("_")[0])]
        numbers = (row.noticed, row.alone, row.unnoticed, row.unjudged)
        made.append([*names, verdict, *map(count, numbers)])
    yield from table("Arming", heads, made)
    backups: list[list[Cell]] = [[bdi(one.guardrail), bdi(one.backup), count(one.cases)] for one in arming.backups]
    yield from table("Backups", ["no case notices without", "while there is", "#cases"], backups)


def _cases(title: str, nodeids: tuple[str, ...]) -> Iterator[str]:
    if nodeids:
        yield f"<details open><summary>{title}: {len(nodeids):,}</summary><ul>"
        yield "".join(f"<li>{case_link(nodeid)}</li>" for nodeid in nodeids[:MOST_NAMED])
        yield "</ul>"
        yield from more(len(nodeids) - MOST_NAMED)
        yield "</details>"


def _coverage(shown: Coverage) -> Iterator[str]:
    per_cent = int(1000 * shown.covered / len(shown.cells)) / 10  # only all of them are 100 %
    yield f"<h3>Coverage: {shown.covered:,} of {len(shown.cells):,} cells ({per_cent} %)</h3>"
    several = len({cell.guard for cell in shown.cells}) > 1
    found: dict[tuple[str, ...], dict[Shown, list[Cell]]] = {}
    for cell in shown.cells:
        place = (cell.check, cell.guard if several else "", cell.guardrail, cell.phase.partition("_")[0])
        action = f" <small>{bdi(cell.action)}</small>" if cell.action else ""
        drawn = f" + {cell.generated:,} generated" if cell.generated else ""
        said: Cell = f"✓ {cell.times:,}{drawn}{action}" if cell.covered else ("untested", f"never{action}")
        found.setdefault(place, {}).setdefault(cell.shown, []).append(said)
    kinds = [kind for kind in Shown if any(kind in cells for cells in found.values())]
    rows = [
        [named(*place[:2]), *map(bdi, place[2:]), *(_joined(cells.get(kind, [])) for kind in kinds)]
        for place, cells in found.items()
    ]
    yield from table("Coverage", ["check", "guardrail", "phase", *(kind.value for kind in kinds)], rows)


def _joined(cells: list[Cell]) -> Cell:
    """Return the cells of one place as one, marked where one of them is empty."""
    if not cells:
        return ("zero", "–")
    texts = [cell if isinstance(cell, str) else cell[1] for cell in cells]
    return ("untested" if any(isinstance(cell, tuple) for cell in cells) else "", "<br>".join(texts))
