"""Two files for github-action-benchmark: figures of which less is better, and figures of which more is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_guardrails._metrics import measure
from pytest_guardrails._model import Run
from pytest_guardrails._stats import Confusion, Histogram, Rate, confusion_of, percentile
from pytest_guardrails.reporters._corpora import current
from pytest_guardrails.reporters._facts import Guards, all_of, missing
from pytest_guardrails.reporters.json import dumps
from pytest_guardrails.reporters.terminal import plain

MOST_NAME = 300
Figures = tuple[str, str, Confusion, float | None]  # name, what stands beside it, counts, p95 in seconds


def smaller_is_better(run: Run) -> str:
    """Return false-positive rates, error rates and latencies as the input of the tool ``customSmallerIsBetter``."""
    entries: list[dict[str, Any]] = []
    for name, extra, counts, p95 in _populations(run):
        entries += _rate(f"{name}: FPR", counts.fpr, extra, "benign")
        entries += _rate(f"{name}: error rate", counts.error_rate, extra, "requests")
        if p95 is not None:
            entries.append({"name": f"{name}: latency p95", "unit": "ms", "value": _short(p95 * 1000), "extra": extra})
    return _written(entries)


def bigger_is_better(run: Run) -> str:
    """Return recall and F1 as the input of the tool ``customBiggerIsBetter``."""
    entries: list[dict[str, Any]] = []
    for name, extra, counts, _ in _populations(run):
        entries += _rate(f"{name}: recall", counts.recall, extra, "attacks")
        if counts.f1 is not None:
            hits, missed, wrong = counts.true_positive, counts.false_negative, counts.false_positive
            said = f"{extra}; {hits} attacks caught, {missed} missed, {wrong} benign stopped"
            entries.append({"name": f"{name}: F1", "unit": "%", "value": _short(100 * counts.f1), "extra": said})
    return _written(entries)


def _written(entries: list[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(f" {dumps(entry)}" for entry in entries) + "\n]\n"


def _populations(run: Run) -> Iterator[Figures]:
    """Yield the cases of each guard and each corpus, under names that stay from version to version."""
    guards = Guards(run)
    for key, counts in measure(run.records).by_guard.items():
        times = [record.trace.duration_s for record in run.records if record.guard == key and record.trace is not None]
        yield _name(guards.lasting_name(key), "cases"), _extra(run, guards, key), counts, percentile(times, 0.95)
    taken: dict[str, int] = {}
    for record in current(run):
        name = _name(guards.lasting_name(record.guard), record.name)
        taken[name] = taken.get(name, 0) + 1
        name = name if taken[name] == 1 else f"{name} ({taken[name]})"
        p95 = Histogram.of(record.latency).percentile(0.95)
        yield name, _extra(run, guards, record.guard), confusion_of(all_of(record)), p95


def _name(guard: str, population: str) -> str:
    return plain(f"{guard}, {population}", MOST_NAME)


def _extra(run: Run, guards: Guards, key: str) -> str:
    doubt = "; the run is INCOMPLETE" if missing(run) else ""
    return plain(f"version {guards.version(key)}", MOST_NAME) + doubt


def _rate(name: str, rate: Rate, extra: str, population: str) -> Iterator[dict[str, Any]]:
    """Yield a rate in per cent with its 95 % interval; nothing where it is unknown."""
    if rate.value is not None and rate.interval is not None:
        low, high = (_short(100 * bound) for bound in rate.interval)
        said = f"{extra}; {rate.hits} of {rate.total} {population}"
        yield {"name": name, "unit": "%", "value": _short(100 * rate.value), "range": f"{low} to {high}", "extra": said}


def _short(value: float) -> float:
    return float(f"{value:.6g}")
