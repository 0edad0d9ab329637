"""The fail-safe matrix of the page: which fault met which guardrail, and what became of the request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_guardrails._metrics import FailSafeRow, worst_first
from pytest_guardrails.reporters._html_parts import bdi
from pytest_guardrails.reporters._markup import shown, slug
from pytest_guardrails.reporters.terminal import fail_safe_sentence

MOST_FAULTS, MOST_COLUMNS = 200, 24

Column = tuple[str, str, str, str]  # guard, guardrail, phase, on_error


def matrix(rows: Sequence[FailSafeRow]) -> Iterator[str]:
    """Yield the section: a row per fault, a column per guardrail, the worst of both first; nothing without faults."""
    if not rows:
        return
    cells = {(row.fault, _column(row)): row for row in rows}
    columns = worst_first((_column(row), row) for row in rows)
    faults = worst_first((row.fault, row) for row in sorted(rows, key=lambda row: row.fault))
    yield '<section id="fail-safe" aria-labelledby="fail-safe-title"><h2 id="fail-safe-title">Fail-safe matrix</h2>'
    yield f"<p>{shown(fail_safe_sentence(rows))}</p>"
    yield '<div class="wide" tabindex="0" role="region" aria-label="Fail-safe matrix">'
    yield '<table class="faults"><thead><tr><th scope="col">fault</th>'
    yield "".join(_heads(columns[:MOST_COLUMNS])) + "</tr></thead>\n<tbody>"
    for fault in faults[:MOST_FAULTS]:
        made = "".join(_cell(cells.get((fault, column))) for column in columns[:MOST_COLUMNS])
        yield f'<tr><th scope="row">{bdi(fault)}</th>{made}</tr>'
    yield "</tbody></table></div>"
    for kind, number in (("faults", len(faults) - MOST_FAULTS), ("guardrails", len(columns) - MOST_COLUMNS)):
        if number > 0:
            yield f"<p>… and {number:,} more {kind}; report.json has all.</p>"
    yield (
        '<p class="quiet">Closed: the guardrail errored and the request was blocked; the model was not called, or its '
        "response not delivered. Open by choice: it went on, as on_error: allow says. OPEN: it went on, and nobody "
        "chose that. Not felt: no check errored, so nothing was shown.</p></section>"
    )


def _column(row: FailSafeRow) -> Column:
    return row.guard, row.guardrail, row.phase, row.on_error


def _heads(columns: Sequence[Column]) -> Iterator[str]:
    """Yield the heads; the guard is named where two columns would otherwise read alike."""
    alike = Counter(column[1:] for column in columns)
    for guard, guardrail, phase, on_error in columns:
        name = bdi(guardrail) if guardrail else "no guardrail"
        said = [f"{phase.partition('_')[0]}, on error {on_error}"] if phase else []
        said += [bdi(guard)] if alike[guardrail, phase, on_error] > 1 else []
        yield f'<th scope="col">{name}' + "".join(f" <small>{text}</small>" for text in said) + "</th>"


def _cell(row: FailSafeRow | None) -> str:
    if row is None:
        return '<td class="zero">–</td>'
    several = f" <small>worst of {row.cases:,}</small>" if row.cases > 1 else ""
    return f'<td class="{slug(row.outcome.value)}">{row.outcome}{several}</td>'
