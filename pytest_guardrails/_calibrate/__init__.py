"""Calibration: the smallest change that ends false positives, and what it costs."""

from __future__ import annotations

from pytest_guardrails._calibrate._propose import Calibration, Change, Item, Proposal, calibrate, changed

__all__ = ["Calibration", "Change", "Item", "Proposal", "calibrate", "changed"]
