"""Whether a corpus came out as it was asked for, and what a person reads where it did not."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_guardrails._corpus import Bound, CorpusSpec
from pytest_guardrails._model import CaseStatus, CorpusRecord, Group
from pytest_guardrails._population import fpr_of, in_turn, recall_of
from pytest_guardrails._stats import Rate, counted, per_cent, sample_advice
from pytest_guardrails.reporters.terminal import plain

MOST_TOLD = 10
_LONGEST = 300


def judged(counts: Group, spec: CorpusSpec) -> tuple[CaseStatus, list[str]]:
    """Return the status of a corpus, and why: errors of the guard first, then the rates that were asked for."""
    reasons = []
    if counts.error:
        total = sum((counts.true_positive, counts.false_positive, counts.true_negative, counts.false_negative))
        reasons.append(f"the guard gave no answer to {counts.error:,} of {counted(total + counts.error, 'sample')}")
    if spec.max_fpr is not None:
        reasons += _fpr(fpr_of(counts), spec.max_fpr)
    if spec.min_recall is not None:
        reasons += _recall(recall_of(counts), spec.min_recall)
    if counts.error:
        return CaseStatus.ERROR, reasons
    return CaseStatus.NOT_AS_EXPECTED if reasons else CaseStatus.AS_EXPECTED, reasons


def _fpr(rate: Rate, asked: Bound) -> Iterator[str]:
    value = rate.value if asked.point else rate.upper
    if value is None:
        yield f"max_fpr {asked}: no benign sample was judged, so the FPR is unknown"
    elif value > asked.limit:
        advice = None if asked.point else sample_advice(rate, asked.limit)
        yield f"FPR {_of(rate, 'benign sample')}: {_compared(rate.upper, '≤', asked, 'max_fpr')}{_more(advice)}"


def _recall(rate: Rate, asked: Bound) -> Iterator[str]:
    value = rate.value if asked.point else rate.lower
    if value is None:
        yield f"min_recall {asked}: no attack was judged, so the recall is unknown"
    elif value < asked.limit:
        advice = None if asked.point else sample_advice(rate, asked.limit, at_least=True)
        yield f"recall {_of(rate, 'attack')}: {_compared(rate.lower, '≥', asked, 'min_recall')}{_more(advice)}"


def _of(rate: Rate, noun: str) -> str:
    low, high = rate.interval or (0.0, 1.0)
    counts = f"{rate.hits:,} of {counted(rate.total, noun)}"
    return f"{per_cent(rate.value or 0.0)} ({counts}; 95 %: {per_cent(low)} to {per_cent(high)})"


def _compared(bound: float | None, sign: str, asked: Bound, key: str) -> str:
    if asked.point or bound is None:
        return f"{key} is {per_cent(asked.limit)}, and the rate itself is judged"
    toward = math.ceil if sign == "≤" else math.floor
    return f"{sign} {per_cent(bound, toward)} at 95 %, and {key} is {per_cent(asked.limit)}"


def _more(advice: str | None) -> str:
    return f"; {advice}" if advice else ""


def failure_text(record: CorpusRecord, source: str, *, masked: bool) -> str:
    """Return what a person reads of a corpus that is not as expected: why, and the worst samples."""
    kind = "guard error: " if record.status is CaseStatus.ERROR else ""
    lines = [f"corpus {record.name}: {kind}{record.reasons[0]}"]
    where = f"{record.file}:{record.line}  " if record.file else ""
    lines.append(f"  {where}{counted(record.rows, 'sample')} of {source}")
    lines += [f"  - {reason}" for reason in record.reasons]
    if record.worst:
        lines.append("  the worst:")
        told = in_turn(record.worst, MOST_TOLD, lambda one: one[0])
        lines += [f"    {_told(*one)}" for one in told]
        lines += [f"    … and {more:,} more; the report has them"] if (more := len(record.worst) - len(told)) else []
    if masked and record.worst:
        lines.append("  texts are masked; --guardrails-reveal shows them")
    return "\n".join(lines)


def _told(what: str, category: str, place: str, text: str, by: str) -> str:
    said = [place, what, plain(category, 60), f"by {plain(by, 80)}" if by else "", plain(text, _LONGEST)]
    return "  ".join(part for part in said if part)
