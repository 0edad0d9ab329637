"""Histories to draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._history import Past
from pytest_guardrails._history._log import line_of
from pytest_guardrails.dashboard import Sources

FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_counts(tp: int = 19, fp: int = 1, tn: int = 39, fn: int = 1, error: int = 0, **times: float) -> FrozenDict:
    """Return what a line says of a population."""
    names = ("true_positive", "false_positive", "true_negative", "false_negative", "error")
    timed = times or {"p50_s": 0.01, "p95_s": 0.02, "p99_s": 0.03}
    return FrozenDict({**dict(zip(names, (tp, fp, tn, fn, error), strict=True)), **timed})


def make_past(day: int = 0, version: str = "1 (aaaa)", **fields: Any) -> Past:
    """Return a line of guard.yaml, so many days after the first."""
    given: dict[str, Any] = {
        "time": (FIRST + timedelta(days=day)).isoformat(timespec="seconds"),
        "commit": "c0ffee0",
        "suite": "51",
        "guard": "guard.yaml",
        "status": "passed",
        "populations": FrozenDict({"cases": make_counts()}),
    }
    return Past(version=version, **{**given, **fields})


@pytest.fixture
def past() -> Callable[..., Past]:
    """See `make_past`."""
    return make_past


@pytest.fixture
def counts() -> Callable[..., FrozenDict]:
    """See `make_counts`."""
    return make_counts


@pytest.fixture
def sources(tmp_path: Path) -> Callable[..., Sources]:
    """Write a history, and return it as a source."""

    def write(pasts: Iterable[Past], runs: Path | None = None) -> Sources:
        path = tmp_path / "history.jsonl"
        path.write_text("".join(line_of(past) + "\n" for past in pasts), encoding="utf-8")
        return Sources(path, "history.jsonl", runs)

    return write
