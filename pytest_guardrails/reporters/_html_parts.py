"""What every section of the page is made of: isolated texts, tables, links to cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from urllib.parse import quote

from pytest_guardrails.reporters._markup import MOST_NAME, shown
from pytest_guardrails.reporters.terminal import plain

MOST_ROWS = 200  # of a table that the page holds; report.json has all
Cell = str | tuple[str, str]  # markup, or its class and markup


def bdi(text: object, most: int = MOST_NAME) -> str:
    """Return a foreign text as markup that shares its direction with nothing beside it."""
    return f"<bdi>{shown(text, most)}</bdi>"


def named(name: str, guard: str) -> str:
    """Return a name with the guard that it belongs to below it; no guard where there is only one."""
    return bdi(name) + (f"<small>{bdi(guard)}</small>" if guard else "")


def mark(good: bool) -> str:
    """Return the sign of what is good or bad; the word beside it says the same to those who do not see it."""
    return f'<span class="sign" aria-hidden="true">{"✓" if good else "✗"}</span>'


def section(name: str, title: str, *parts: Iterable[str]) -> Iterator[str]:
    """Yield a section that the navigation can name, nothing where no part says anything."""
    lines = [line for part in parts for line in part]
    if lines:
        yield f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>'
        yield from lines
        yield "</section>"


def table(label: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], kind: str = "plain") -> Iterator[str]:
    """Yield a table whose first column names its rows; a head that starts with ``#`` is of numbers. None without rows.

    It can be scrolled by itself, so that the page never has to be, and holds at most `MOST_ROWS`. Each cell has the
    name of its column, which stands before it on a phone, where a row is a card.
    """
    listed = list(rows)
    if not listed:
        return
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{escape(plain(label, MOST_NAME))}">'
    yield f'<table class="{kind}"><thead><tr>{"".join(map(_head, heads))}</tr></thead>\n<tbody>'
    columns = [(head.startswith("#"), head.removeprefix("#").partition(" <")[0]) for head in heads[1:]]
    for first, *cells in listed[:MOST_ROWS]:
        made = "".join(_cell(cell, *column) for cell, column in zip(cells, columns, strict=True))
        yield f'<tr><th scope="row">{first if isinstance(first, str) else first[1]}</th>{made}</tr>'
    yield "</tbody></table></div>"
    yield from more(len(listed) - MOST_ROWS)


def more(number: int) -> Iterator[str]:
    """Say how many are not shown, nothing where all are."""
    if number > 0:
        yield f'<p class="quiet">… and {number:,} more; report.json has all.</p>'


def _head(head: str) -> str:
    return f'<th scope="col" class="n">{head[1:]}</th>' if head.startswith("#") else f'<th scope="col">{head}</th>'


def _cell(cell: Cell, number: bool, head: str) -> str:
    kind, text = ("", cell) if isinstance(cell, str) else cell
    classes = " ".join(filter(None, ["n" if number else "", kind]))
    known = f' data-head="{head}"' if head and text else ""
    return f'<td class="{classes}"{known}>{text}</td>' if classes else f"<td{known}>{text}</td>"


def count(number: int, kind: str = "") -> Cell:
    """Return a number as a cell, quiet where it is 0."""
    return f"{kind} zero".strip() if not number else kind, f"{number:,}"


def case_id(nodeid: str) -> str:
    """Return a node id as the page writes it: the name of a case in links."""
    return plain(nodeid, 2 * MOST_NAME)


def case_link(nodeid: str, name: str = "") -> str:
    """Return a link to a case, which the script opens; without it, to its row where that is listed."""
    return f'<a href="#case={quote(case_id(nodeid), safe="")}">{bdi(name or nodeid)}</a>'


def some_links(pairs: Sequence[tuple[str, str]], most: int = 8) -> str:
    """Return links to the first of (node id, name), and how many more there are."""
    links = ", ".join(case_link(nodeid, name) for nodeid, name in pairs[:most])
    return links + (f" … and {len(pairs) - most:,} more" if len(pairs) > most else "")


def listed(items: Sequence[str], most: int = 10) -> Iterator[str]:
    """Yield foreign texts as a list, nothing without any, and how many are left out."""
    if items:
        yield "<ul>" + "".join(f"<li>{bdi(item, 1_000)}</li>" for item in items[:most])
        yield f"<li>… and {len(items) - most:,} more</li></ul>" if len(items) > most else "</ul>"
