"""The cases: a table that can be read as it is, and that the script makes anew from the island."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from pytest_guardrails.reporters._html_causes import SEVERITIES, severity_rank
from pytest_guardrails.reporters._html_parts import bdi, case_id
from pytest_guardrails.reporters._island import OUTCOMES, STATES, Row, acted, got, state, took
from pytest_guardrails.reporters._markup import shown, slug

MOST_STATIC = 200  # failing cases that can be read without JavaScript
MOST_CHOICES = 200
# heads of the columns, and by what the script sorts each
COLUMNS = (
    ("status", "status"), ("severity", "severity"), ("case", "name"), ("expected", "expected"), ("got", "got"),
    ("tags", "tags"), ("took", "took"),
)  # fmt: skip


def worst_first(case: Row) -> tuple[int, int, str]:
    """Return where a case stands in the order in which the page lists them."""
    return STATES.index(state(case)), severity_rank(case.get("severity", "medium")), case["nodeid"]


def cases_section(cases: Sequence[Row], *, hidden: bool = False) -> Iterator[str]:
    """Yield the section of the cases, which are sorted: those that are not as expected stand in the page itself."""
    bad = [case for case in cases if state(case) in STATES[:2]]
    yield f'<section {"hidden " if hidden else ""}id="cases" aria-labelledby="cases-title">'
    yield '<h2 id="cases-title">Cases</h2>'
    yield from _controls(cases)
    yield '<p id="showing" class="quiet" role="status">'
    if bad:
        yield f"The {min(len(bad), MOST_STATIC):,} worst of {len(bad):,} cases not as expected; report.json has all."
    else:
        yield f"None of {len(cases):,} cases is listed without JavaScript, as none failed; report.json has all."
    yield '</p>\n<table class="cases" role="table" aria-label="Cases"><thead role="rowgroup"><tr role="row">'
    yield "".join(
        f'<th role="columnheader" scope="col" class="{name}" data-key="{key}">{name}</th>' for name, key in COLUMNS
    )
    yield '</tr></thead>\n<tbody id="rows" role="rowgroup">'
    yield from map(_static_row, bad[:MOST_STATIC])
    yield '</tbody></table>\n<p><button type="button" id="more" hidden>Show more</button></p></section>'


def _controls(cases: Sequence[Row]) -> Iterator[str]:
    yield '<form id="controls" role="search" aria-label="Cases" hidden>'
    yield '<label class="search">Search <input type="search" id="search" autocomplete="off" '
    yield 'placeholder="case, file, tag, guardrail" aria-keyshortcuts="/"></label>'
    yield _buttons("status", "Status", ((name, name) for name in STATES), map(state, cases))
    severities = [case.get("severity", "medium") for case in cases]
    yield _buttons("severity", "Severity", ((name, name) for name in SEVERITIES), severities)
    names = ((name, name.replace("_", " ")) for name in OUTCOMES[1:])
    yield _buttons("outcome", "Outcome", names, (case.get("outcome", "") for case in cases))
    yield '<div class="choices">'
    yield _select("guardrail", "Guardrail that acted", (name for case in cases for name in acted(case)))
    yield _select("tag", "Tag", (tag for case in cases for tag in dict.fromkeys(case.get("tags", ()))))
    yield '<button type="button" id="clear">Clear</button></div>'
    yield (
        '<p class="quiet keys">Keys: <kbd>/</kbd> search, <kbd>j</kbd> <kbd>k</kbd> next and previous, '
        "<kbd>Enter</kbd> open, <kbd>Esc</kbd> close or clear.</p></form>"
    )


def _buttons(group: str, name: str, choices: Iterable[tuple[str, str]], values: Iterable[str]) -> str:
    found = Counter(values)
    buttons = "".join(
        f'<button type="button" aria-pressed="false" data-group="{group}" data-value="{label}">'
        f"{label} <b>{found[value]:,}</b></button>"
        for value, label in choices
        if found[value]
    )
    return f'<div role="group" aria-label="{name}"><span>{name}</span>{buttons}</div>' if buttons else ""


def _select(group: str, name: str, values: Iterable[str]) -> str:
    found = Counter(values)
    if not found:
        return ""
    options = "".join(
        f'<option value="{shown(value)}">{shown(value)} ({number:,})</option>'
        for value, number in sorted(found.most_common(MOST_CHOICES))
    )
    return f'<label>{name} <select data-group="{group}"><option value="">any</option>{options}</select></label>'


def _static_row(case: Row) -> str:
    cells = (state(case), case.get("severity", "medium"), None, case.get("expected", ""), got(case))
    texts = [
        _name(case) if text is None else bdi(text) for text in (*cells, ", ".join(case.get("tags", ())), took(case))
    ]
    made = "".join(
        f'<td role="cell" class="{name}">{text}</td>' for (name, _), text in zip(COLUMNS, texts, strict=True)
    )
    reasons = "".join(f"<li>{bdi(reason, 1_000)}</li>" for reason in case.get("reasons", ())[:10])
    span = len(COLUMNS)
    told = (
        f'<tr class="detail" role="row"><td role="cell" colspan="{span}"><ul>{reasons}</ul></td></tr>'
        if reasons
        else ""
    )
    return f'<tr role="row" id="case={escape(case_id(case["nodeid"]))}" class="{slug(state(case))}">{made}</tr>{told}'


def _name(case: Row) -> str:
    where = f"{case['file']}:{case.get('line', '')}".rstrip(":") if case.get("file") else ""
    return f"{bdi(case['case'])}<small>{bdi(where)}</small>"
