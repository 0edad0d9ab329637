"""A guard's whole history as CSV: one row per run and population, and one per guardrail; nothing is left out."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Iterable, Iterator

from pytest_guardrails._history import Past
from pytest_guardrails._stats import Confusion, Rate
from pytest_guardrails.dashboard._series import COUNTS, TIMES, GuardHistory, Point, Series

_RATES = ("fpr", "recall", "error_rate")
HEAD = (
    "time", "commit", "suite", "guard", "version", "status", "population", "guardrail",
    *COUNTS,
    *(f"{rate}{end}" for rate in _RATES for end in ("", "_low_95", "_high_95")),
    *TIMES,
)  # fmt: skip
_END = "\r\n"
_NO_TIMES = (None,) * len(TIMES)
_UNTIMED = "," * (len(TIMES) - 1)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(guard: GuardHistory) -> str:
    """Return the rows by population and time; a text that a spreadsheet would run begins with an apostrophe.

    Runs, names and counts that come again are written once and joined: of thousands of runs most rows are made of them.
    """
    rows = [_cells(HEAD)]
    runs = [_run(past) for past in guard.pasts]
    for series in _all(guard):
        names = _cells((_text(series.population), _text(series.guardrail)))
        rows += [f"{runs[point.index]},{names},{_figures(point)}" for point in series.points]
    return _END.join([*rows, ""])


def _all(guard: GuardHistory) -> Iterator[Series]:
    for series in guard.populations:
        yield series
        yield from guard.guardrails.get(series.population, ())


def _run(past: Past) -> str:
    texts = (past.time, past.commit or "", past.suite, past.guard, past.version, past.status)
    return _cells(map(_text, texts))


def _figures(point: Point) -> str:
    figure = point.figures.get
    times = tuple(map(figure, TIMES))
    return f"{_counts(*map(figure, COUNTS))},{_UNTIMED if times == _NO_TIMES else _cells(times)}"


@functools.lru_cache(100_000)  # few counts are many rows
def _counts(*given: int | None) -> str:
    counts = [count or 0 for count in given]
    found = Confusion(*counts)
    return _cells((*counts, *_rate(found.fpr), *_rate(found.recall), *_rate(found.error_rate)))


def _rate(rate: Rate) -> tuple[object, ...]:
    if rate.value is None or rate.interval is None:
        return "", "", ""
    return round(rate.value, 6), round(rate.interval[0], 6), round(rate.interval[1], 6)


def _cells(values: Iterable[object]) -> str:
    """Return a row, or a part of one; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()


def _text(text: str) -> str:
    """Return a text as a cell: on one line, in UTF-8, and no formula."""
    clean = text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return f"'{clean}" if clean.startswith(_FORMULA) else clean
