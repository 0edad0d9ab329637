"""A configuration, in our words or Portkey's, to guardrails; what would silently pass is refused with its place."""

from __future__ import annotations

from pytest_guardrails._config._file import PHASES, TOP_KEYS, Configuration, configure, load, read
from pytest_guardrails._config._guardrail import SCOPE_KEYS
from pytest_guardrails._config._uses import CHECK_KEYS, GUARDRAIL_KEYS
from pytest_guardrails._config._version import version_of

__all__ = [
    "CHECK_KEYS",
    "GUARDRAIL_KEYS",
    "PHASES",
    "SCOPE_KEYS",
    "TOP_KEYS",
    "Configuration",
    "configure",
    "load",
    "read",
    "version_of",
]
