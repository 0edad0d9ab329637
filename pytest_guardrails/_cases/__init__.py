"""Case files: YAML to cases, with the place of whatever cannot be meant."""

from __future__ import annotations

from pytest_guardrails._cases._case import CASE_KEYS, CRITERION_KEYS, DEFAULT_KEYS, FAULT_KEYS, MOST_SAMPLES, with_fault
from pytest_guardrails._cases._expectation import EXPECT_KEYS, expectation, expectation_of
from pytest_guardrails._cases._file import FILE_KEYS, SUFFIXES, Suite, load, read

__all__ = [
    "CASE_KEYS",
    "CRITERION_KEYS",
    "DEFAULT_KEYS",
    "EXPECT_KEYS",
    "FAULT_KEYS",
    "FILE_KEYS",
    "MOST_SAMPLES",
    "SUFFIXES",
    "Suite",
    "expectation",
    "expectation_of",
    "load",
    "read",
    "with_fault",
]
