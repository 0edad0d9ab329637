"""What generated tests find: as cases that can be pasted, and appended to a case file where that is asked."""

from __future__ import annotations

from pytest_guardrails._found._case import as_labelled, heard
from pytest_guardrails._found._run import FoundCases, Judged

__all__ = ["FoundCases", "Judged", "as_labelled", "heard"]
