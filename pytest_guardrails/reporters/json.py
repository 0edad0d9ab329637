"""``report.json``: the one truth that every other view is drawn from."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pytest_guardrails._allowlists import entry_use
from pytest_guardrails._arming import Arming, summarise
from pytest_guardrails._codec import encode
from pytest_guardrails._coverage import Coverage, coverage
from pytest_guardrails._metrics import GuardrailTally, Metrics, groups_of, measure
from pytest_guardrails._model import Group, Run
from pytest_guardrails._stats import Rate, confusion_of, percentile

SCHEMA = "pytest-guardrails/report/1"
_UNSEEN = re.compile(  # control and format characters, other line ends, lone surrogates
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064"
    "\u2066-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)


def report_dict(run: Run) -> dict[str, Any]:
    """Return the report as JSON types, in its canonical order: keys as written here, cases by node id."""
    return {
        "schema": SCHEMA,
        "run": {
            "started": run.started,
            "duration_s": run.duration_s,
            "complete": run.complete,
            "lost": list(run.lost),
            "exit_status": run.exit_status,
            "gates_alone": run.gates_alone,
            "revealed": run.revealed,
            "environment": dict(run.environment),
        },
        "guards": [encode(guard) for guard in run.guards],
        "metrics": _metrics(measure(run.records), groups_of(run.records)),
        "gates": [encode(gate) for gate in run.gates],
        "allowlists": [encode(use) for use in entry_use(run)],
        "arming": _arming(summarise(run)),
        "coverage": _coverage(coverage(run)),
        **_versions(run),
        "notes": list(run.notes),
        "armed": [encode(test, sparse=True) for test in run.armed],
        "corpora": [encode(replace(record, ledger=None), sparse=True) for record in run.corpora],
        "cases": [encode(record, sparse=True) for record in run.records],
    }


def _versions(run: Run) -> dict[str, Any]:
    """Return what was compared in this run, if anything was."""
    compared = {"comparison": run.comparison, "shadow": run.shadow}
    return {
        key: {"failed": comparison.failed, **encode(comparison)} for key, comparison in compared.items() if comparison
    }


def _arming(arming: Arming | None) -> dict[str, Any] | None:
    if arming is None:
        return None
    untested = [{"guard": row.guard, "phase": row.phase, "guardrail": row.guardrail} for row in arming.untested]
    return {**encode(arming), "untested": untested}


def _coverage(shown: Coverage) -> dict[str, Any]:
    return {"covered": shown.covered, "total": len(shown.cells), "cells": [encode(cell) for cell in shown.cells]}


def json_report(run: Run) -> str:
    """Return the report as JSON, one line per corpus and case, so that two reports can be compared line by line."""
    data = report_dict(run)
    listed = {key: data.pop(key) for key in ("armed", "corpora", "cases")}
    head = dumps(data, indent=1)[:-2]
    for key, items in listed.items():
        lines = ",\n".join(f"  {dumps(item)}" for item in items)
        head += f',\n "{key}": [\n{lines}\n ]'
    return f"{head}\n}}\n"


def dumps(value: Any, indent: int | None = None, separators: tuple[str, str] | None = None) -> str:
    """Return ``value`` as JSON that every parser reads: numbers that JSON has no word for (NaN, infinity) are null.

    Characters that nobody sees stand as their escapes: they would act on a terminal, and no file holds a surrogate.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, indent=indent, separators=separators)
    return _UNSEEN.sub(lambda match: _escape(match[0]), text)


@functools.cache
def _escape(letter: str) -> str:
    return json.dumps(letter)[1:-1]


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _metrics(metrics: Metrics, groups: Mapping[str, tuple[Group, ...]]) -> dict[str, Any]:
    counts = metrics.confusion
    return {
        "cases": {status.value: number for status, number in metrics.statuses.items()},
        "known_failing": metrics.known_failing,
        "generated": metrics.generated,
        "expected_errors": metrics.expected_errors,
        "failed_open": metrics.failed_open,
        "failed_open_by_choice": metrics.failed_open_by_choice,
        "trusted": not metrics.unexpected_errors,
        "outcomes": encode(counts),
        "fpr": _rate(counts.fpr),
        "recall": _rate(counts.recall),
        "precision": _rate(counts.precision),
        "f1": counts.f1,
        "error_rate": _rate(counts.error_rate),
        "guards": [
            {
                "guard": guard,
                "outcomes": encode(own),
                "fpr": _rate(own.fpr),
                "recall": _rate(own.recall),
                "precision": _rate(own.precision),
                "f1": own.f1,
                "groups": [_group(group) for group in groups.get(guard, ()) if group.kind != "all"],
            }
            for guard, own in metrics.by_guard.items()
        ],
        "latency_p50_s": metrics.latency_p50_s,
        "latency_p95_s": metrics.latency_p95_s,
        "latency_p99_s": metrics.latency_p99_s,
        "vendor_p95_s": metrics.vendor_p95_s,
        "guardrails": [_tally(tally) for tally in metrics.guardrails],
        "fail_safe": [encode(row) for row in metrics.fail_safe],
    }


def _tally(tally: GuardrailTally) -> dict[str, Any]:
    return {
        "guard": tally.guard,
        "guardrail": tally.guardrail,
        "phase": tally.phase,
        "fired": tally.fired,
        "silent": tally.silent,
        "decided": tally.decided,
        "errors": tally.errors,
        "skipped": tally.skipped,
        "fpr": _rate(tally.fpr),
        "recall": _rate(tally.recall),
        "latency_p50_s": percentile(tally.durations_s, 0.5),
        "latency_p95_s": percentile(tally.durations_s, 0.95),
        "latency_p99_s": percentile(tally.durations_s, 0.99),
        "vendor_p50_s": percentile(tally.vendor_s, 0.5),
        "vendor_p95_s": percentile(tally.vendor_s, 0.95),
        "vendor_p99_s": percentile(tally.vendor_s, 0.99),
    }


def _group(group: Group) -> dict[str, Any]:
    counts = confusion_of(group)
    rates = {"fpr": _rate(counts.fpr), "recall": _rate(counts.recall)}
    return {"kind": group.kind, "name": group.name, "outcomes": encode(counts), **rates}


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "hits": rate.hits,
        "total": rate.total,
        "value": rate.value,
        "interval_95": rate.interval and list(rate.interval),
        "upper_95": rate.upper,
        "lower_95": rate.lower,
    }
