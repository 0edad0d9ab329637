"""Versions compared: the baseline file, the comparison and its rules, and the history file."""

from __future__ import annotations

from pytest_guardrails._history._baseline import check, read_side
from pytest_guardrails._history._compare import compare, compare_pairs
from pytest_guardrails._history._lines import entries, fired_in
from pytest_guardrails._history._log import Past, commit_of, pasts
from pytest_guardrails._history._side import Side, shadow_latency, shadow_pairs, side_of, twice
from pytest_guardrails._history._sql import Database
from pytest_guardrails._history._store import Store, keep, mark, recall, store_of
from pytest_guardrails._history._update import update

__all__ = [
    "Database",
    "Past",
    "Side",
    "Store",
    "check",
    "commit_of",
    "compare",
    "compare_pairs",
    "entries",
    "fired_in",
    "keep",
    "mark",
    "pasts",
    "read_side",
    "recall",
    "shadow_latency",
    "shadow_pairs",
    "side_of",
    "store_of",
    "twice",
    "update",
]
