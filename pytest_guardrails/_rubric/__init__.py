"""Graded cases: criteria scored 1 to 5, by rules of our own, a Python callable, or a model behind an API."""

from __future__ import annotations

from pytest_guardrails._rubric._criteria import BUILT_IN
from pytest_guardrails._rubric._grade import LOWEST, MEAN, grade, graded
from pytest_guardrails._rubric._grader import Judge, grader_of

__all__ = ["BUILT_IN", "LOWEST", "MEAN", "Judge", "grade", "graded", "grader_of"]
