"""Corpora: labelled messages in JSONL, CSV, text or YAML files, read row by row, and what is asked of them."""

from __future__ import annotations

from pytest_guardrails._corpus._rows import LONGEST_ROW, SUFFIXES
from pytest_guardrails._corpus._samples import FIELDS, read, unique
from pytest_guardrails._corpus._spec import KEYS, Bound, CorpusSpec, matches, read_spec, read_specs

__all__ = [
    "FIELDS",
    "KEYS",
    "LONGEST_ROW",
    "SUFFIXES",
    "Bound",
    "CorpusSpec",
    "matches",
    "read",
    "read_spec",
    "read_specs",
    "unique",
]
