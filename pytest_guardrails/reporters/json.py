"""``report.json``: the one truth that every other view is drawn from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from pytest_guardrails._codec import encode
from pytest_guardrails._metrics import GuardrailTally, Metrics, measure
from pytest_guardrails._model import Run
from pytest_guardrails._stats import Rate, percentile

SCHEMA = "pytest-guardrails/report/1"
_SURROGATE = re.compile("[\ud800-\udfff]")


def report_dict(run: Run) -> dict[str, Any]:
    """Return the report as JSON types, in its canonical order: keys as written here, cases by node id."""
    return {
        "schema": SCHEMA,
        "run": {
            "started": run.started,
            "duration_s": run.duration_s,
            "complete": run.complete,
            "exit_status": run.exit_status,
            "revealed": run.revealed,
            "environment": dict(run.environment),
        },
        "guards": [encode(guard) for guard in run.guards],
        "metrics": _metrics(measure(run.records)),
        "cases": [encode(record, sparse=True) for record in run.records],
    }


def json_report(run: Run) -> str:
    """Return the report as JSON, one line per case, so that two reports can be compared line by line."""
    data = report_dict(run)
    cases = data.pop("cases")
    head = dumps(data, indent=1)[:-2]
    lines = ",\n".join(f"  {dumps(case)}" for case in cases)
    return f'{head},\n "cases": [\n{lines}\n ]\n}}\n'


def dumps(value: Any, indent: int | None = None, separators: tuple[str, str] | None = None) -> str:
    """Return ``value`` as JSON that every parser reads: numbers that JSON has no word for (NaN, infinity) are null.

    A lone surrogate, which no file can hold, stands as its escape.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, indent=indent, separators=separators)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _metrics(metrics: Metrics) -> dict[str, Any]:
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
        "error_rate": _rate(counts.error_rate),
        "guards": [
            {"guard": guard, "outcomes": encode(c), "fpr": _rate(c.fpr), "recall": _rate(c.recall)}
            for guard, c in metrics.by_guard.items()
        ],
        "latency_p50_s": metrics.latency_p50_s,
        "latency_p95_s": metrics.latency_p95_s,
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
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "hits": rate.hits,
        "total": rate.total,
        "value": rate.value,
        "interval_95": rate.interval and list(rate.interval),
        "upper_95": rate.upper,
        "lower_95": rate.lower,
    }
