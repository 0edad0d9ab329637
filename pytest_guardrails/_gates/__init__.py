"""Gates: what ``--guardrails-fail-on`` and ``gates:`` demand of the figures of a run, and how that is judged."""

from __future__ import annotations

from pytest_guardrails._gates._judge import judge_gates
from pytest_guardrails._gates._parse import METRICS, Gate, parse

__all__ = ["METRICS", "Gate", "judge_gates", "parse"]
