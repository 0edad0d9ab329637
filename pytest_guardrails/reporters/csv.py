"""``cases.csv``: a row per case, per group of each corpus and per sample that went wrong; none of it runs anywhere.

What a run that is not whole lacks is a row of kind ``run``.
"""

from __future__ import annotations

import csv as _csv
import io
from collections.abc import Iterator

from pytest_guardrails._model import CaseRecord, CorpusRecord, Group, Run
from pytest_guardrails._stats import Rate, confusion_of
from pytest_guardrails.reporters._corpora import current
from pytest_guardrails.reporters._facts import Guards, category, latency_ms, missing, wrong_samples
from pytest_guardrails.reporters.terminal import plain

COLUMNS = (
    "kind", "nodeid", "name", "file", "line", "guard", "guard_version", "status", "outcome", "expected", "verdict",
    "action", "decided_by", "severity", "label", "category", "tags", "fault", "xfail", "generated", "runs",
    "latency_ms", "reasons", "note", "group_kind", "group", "true_positive", "false_positive", "true_negative",
    "false_negative", "error", "fpr", "fpr_lower95", "fpr_upper95", "recall", "recall_lower95", "recall_upper95",
    "error_rate", "text",
)  # fmt: skip
MOST_CELL = 4_000
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # full-width ones are formulas to some spreadsheets too

Row = dict[str, object]


def csv(run: Run) -> str:
    """Return the table with a heading; cells that a spreadsheet would take for a formula begin with an apostrophe."""
    guards, file = Guards(run), io.StringIO()
    writer = _csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n", strict=True)
    writer.writeheader()
    for record in run.records:
        writer.writerow({name: _cell(value) for name, value in _case(record, guards).items()})
    for corpus in current(run):
        for row in (*_corpus(corpus, guards), *_samples(corpus, guards)):
            writer.writerow({name: _cell(value) for name, value in row.items()})
    for said in missing(run):
        writer.writerow({"kind": "run", "name": _cell(said), "status": "no result"})
    return file.getvalue()


def _cell(value: object) -> object:
    """Return what stands in a cell: numbers as they are, texts on one line and unable to be a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    text = str(value)
    shown = plain(text, MOST_CELL)
    is_formula = text.lstrip().startswith(FORMULA) or text.startswith(("\t", "\r", "\n"))
    return f"'{shown}" if is_formula else shown


def _shared(record: CaseRecord | CorpusRecord, guards: Guards) -> Row:
    return {
        "nodeid": record.nodeid,
        "file": record.file,
        "line": record.line,
        "guard": record.guard,
        "guard_version": guards.version(record.guard),
        "status": record.status.value,
        "xfail": record.xfail,
        "generated": record.generated,
        "reasons": "; ".join(record.reasons),
        "note": record.note,
    }


def _case(record: CaseRecord, guards: Guards) -> Row:
    trace = record.trace
    return {
        **_shared(record, guards),
        "kind": "case",
        "name": record.case,
        "outcome": record.outcome and record.outcome.value,
        "expected": record.expected,
        "verdict": trace and trace.verdict.value,
        "action": trace and trace.action.value,
        "decided_by": trace and trace.decided_by,
        "severity": record.severity,
        "label": record.label,
        "category": category(record),
        "tags": " ".join(record.tags),
        "fault": record.fault,
        "runs": record.runs,
        "latency_ms": latency_ms(record),
    }


def _corpus(record: CorpusRecord, guards: Guards) -> Iterator[Row]:
    for group in record.groups or (Group("all", ""),):
        counts = confusion_of(group)
        yield {
            **_shared(record, guards),
            "kind": "corpus",
            "name": record.name,
            "group_kind": group.kind,
            "group": group.name,
            **{name: getattr(group, name) for name in COLUMNS[26:31]},
            **_rate("fpr", counts.fpr),
            **_rate("recall", counts.recall),
            "error_rate": counts.error_rate.value,
        }


def _samples(record: CorpusRecord, guards: Guards) -> Iterator[Row]:
    """Yield the samples that went wrong, as many as the run keeps; their texts are masked unless it reveals."""
    for sample in wrong_samples(record):
        yield {
            **{
                name: _shared(record, guards)[name]
                for name in ("nodeid", "guard", "guard_version", "xfail", "generated")
            },
            "kind": "sample",
            "name": record.name,
            "file": sample.file,
            "line": sample.line,
            "outcome": sample.what.replace(" ", "_"),
            "decided_by": ", ".join(sample.by),
            "category": sample.category,
            "text": sample.text,
        }


def _rate(name: str, rate: Rate) -> Row:
    return {name: rate.value, f"{name}_lower95": rate.lower, f"{name}_upper95": rate.upper}
