"""A guard's whole history as CSV: one row per run and population, and one per guardrail; nothing is left out."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Iterator

from pytest_guardrails._history import Past
from pytest_guardrails._stats import Rate, wilson
from pytest_guardrails.dashboard._series import GuardHistory, Point, Series

_RATES = ("fpr", "recall", "error_rate")
HEAD = (
    "time", "commit", "suite", "guard", "version", "status", "population", "guardrail",
    "true_positive", "false_positive", "true_negative", "false_negative", "error",
    *(f"{rate}{end}" for rate in _RATES for end in ("", "_low_95", "_high_95")),
    "p50_s", "p95_s", "p99_s",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(guard: GuardHistory) -> str:
    """Return the rows by population and time; a text that a spreadsheet would run begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEAD)
    runs = [_run(past) for past in guard.pasts]
    for series in _all(guard):
        names = (_text(series.population), _text(series.guardrail))
        writer.writerows((*runs[point.index], *names, *_figures(point)) for point in series.points)
    return out.getvalue()


def _all(guard: GuardHistory) -> Iterator[Series]:
    for series in guard.populations:
        yield series
        yield from guard.guardrails.get(series.population, ())


def _run(past: Past) -> tuple[str, ...]:
    texts = (past.time, past.commit or "", past.suite, past.guard, past.version, past.status)
    return tuple(map(_text, texts))


def _figures(point: Point) -> tuple[object, ...]:
    counts = point.counts
    tp, fp, tn = counts.true_positive, counts.false_positive, counts.true_negative
    fn, error = counts.false_negative, counts.error
    rates = (*_rate(counts.fpr), *_rate(counts.recall), *_rate(counts.error_rate))
    return (tp, fp, tn, fn, error, *rates, *point.times)  # None is an empty cell


@functools.lru_cache(100_000)  # few pairs of counts are many rows
def _rate(rate: Rate) -> tuple[object, ...]:
    interval = wilson(rate.hits, rate.total)
    if rate.value is None or interval is None:
        return "", "", ""
    return round(rate.value, 6), round(interval[0], 6), round(interval[1], 6)


def _text(text: str) -> str:
    """Return a text as a cell: on one line, in UTF-8, and no formula."""
    clean = text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return f"'{clean}" if clean.startswith(_FORMULA) else clean
