"""``report.json`` read back: its schema, a run from its text, and the views drawn again from it."""

from __future__ import annotations

from pytest_guardrails._report._command import draw, said
from pytest_guardrails._report._read import read_report, report_file, run_of
from pytest_guardrails._report._schema import report_schema

__all__ = ["draw", "read_report", "report_file", "report_schema", "run_of", "said"]
