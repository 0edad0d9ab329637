"""Reports of the parts of one suite, joined: as if one run had had all of it."""

from __future__ import annotations

from pytest_guardrails._merge._union import Part, merge, named

__all__ = ["Part", "merge", "named"]
