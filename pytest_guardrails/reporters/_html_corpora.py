"""The corpora of a run, each a population of its own: what became of it, its parts, its worst samples."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_guardrails._model import CaseStatus, CorpusRecord, Run, ScoreCurve
from pytest_guardrails._stats import confusion_of, counted, per_cent
from pytest_guardrails.reporters._corpora import cause_of, current, figures
from pytest_guardrails.reporters._facts import number_wrong, wrong_samples
from pytest_guardrails.reporters._html_parts import MOST_ROWS, Cell, bdi, count, listed, mark, more, section, table
from pytest_guardrails.reporters._html_rates import Row, rates_table
from pytest_guardrails.reporters._svg import curve

MOST_CORPORA, MOST_CURVES = 50, 12


def corpora(run: Run) -> Iterator[str]:
    """Yield the section of the corpora, nothing without one."""
    records = current(run)
    parts = [_corpus(record) for record in records[:MOST_CORPORA]]
    yield from section("corpora", "Corpora", *parts, more(len(records) - MOST_CORPORA))


def _corpus(record: CorpusRecord) -> Iterator[str]:
    bad = record.xfail is None and record.status is not CaseStatus.AS_EXPECTED
    status = record.status.value if record.xfail is None else "known failing"
    kind = ", generated" if record.generated else ""
    yield f'<article class="corpus"><h3>{bdi(record.name)}</h3>'
    said = f"{status}: {counted(record.rows, 'sample')}{kind}"
    yield f'<p class="{"failed" if bad else "quiet"}">{mark(not bad)} {said}</p>'
    where = f"{record.file}:{record.line or ''}".rstrip(":") if record.file else ""
    facts = [("guard", record.guard), ("where", where), ("known failing", record.xfail or ""), *figures(record)]
    facts.append(("note", record.note or ""))
    yield '<dl class="facts">'
    yield "".join(f"<div><dt>{name}</dt><dd>{bdi(said, 1_000)}</dd></div>" for name, said in facts if said)
    yield "</dl>"
    yield from listed(record.reasons)
    yield from _worst(record)
    yield from _groups(record)
    yield from _curves(record)
    yield "</article>"


def _worst(record: CorpusRecord) -> Iterator[str]:
    if record.worst:
        kept = sorted(wrong_samples(record), key=cause_of)
        number = max(len(kept), number_wrong(record))
        rows: list[list[Cell]] = [
            [
                bdi(one.kind),
                bdi(", ".join(one.by) or "–"),
                bdi(one.category or "–"),
                bdi(one.place),
                bdi(one.text, 1_000),
            ]
            for one in kept
        ]
        yield f"<details{' open' if record.reasons else ''}><summary>Samples that went wrong: {number:,}</summary>"
        yield from table(f"Samples of {record.name}", ["what", "by", "category", "where", "text"], rows)
        if number > len(kept):
            yield f'<p class="quiet">… and {number - len(kept):,} more; a report keeps the worst {len(kept):,}.</p>'
        yield "</details>"


def _groups(record: CorpusRecord) -> Iterator[str]:
    groups = [group for group in record.groups if group.kind != "all"]
    if groups:
        rows: list[Row] = []
        for group in groups[:MOST_ROWS]:
            counts = confusion_of(group)
            rows.append(
                ([bdi(group.name), bdi(group.kind)], counts.fpr, counts.recall, [count(counts.error, "errors")])
            )
        yield f"<details><summary>Parts: {len(groups):,}</summary>"
        yield from rates_table(f"Parts of {record.name}", ["part", "kind"], ["#errors"], rows)
        yield from more(len(groups) - MOST_ROWS)
        yield "</details>"


def _curves(record: CorpusRecord) -> Iterator[str]:
    if record.curves:
        yield f"<details><summary>Scores: {len(record.curves):,}</summary>"
        yield '<div class="figures">'
        yield from map(_curve, record.curves[:MOST_CURVES])
        yield "</div>"
        yield from more(len(record.curves) - MOST_CURVES)
        yield "</details>"


def _curve(one: ScoreCurve) -> str:
    area = "unknown" if one.auc is None else f"{one.auc:.3f}"
    suggested = "" if one.suggested is None else f", threshold suggested {one.suggested:g}"
    said = f"area under the curve {area}{suggested}"
    drawn = curve(one.points, f"Recall over false-positive rate of {one.check}: {said}") if one.points else ""
    heads = ["threshold", "#FPR", "#recall"]
    rows: list[list[Cell]] = [
        [f"{threshold:g}", per_cent(fpr), per_cent(recall)] for threshold, fpr, recall in one.points
    ]
    told = "".join(table(f"Scores of {one.check}", heads, rows))
    caption = f"<figcaption><b>{bdi(one.check)}</b> <small>{said}</small></figcaption>"
    return f'<figure class="card">{caption}{drawn}<details><summary>As a table</summary>{told}</details></figure>'
