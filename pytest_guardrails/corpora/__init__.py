"""Two labelled sets of messages, written for this project: legitimate inputs, and attacks."""

from __future__ import annotations

from pathlib import Path

from pytest_guardrails._errors import ConfigError, unknown

__all__ = ["SHIPPED", "shipped"]

SHIPPED = ("attacks", "benign")


def shipped(name: str) -> Path:
    """Return the JSONL file of a shipped set, one of `SHIPPED`.

    Raises:
        ConfigError: for any other name, with the choices.
    """
    if name not in SHIPPED:
        raise ConfigError(unknown("shipped corpus", name, SHIPPED))
    return Path(__file__).parent / f"{name}.jsonl"
