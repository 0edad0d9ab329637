"""``@expect_verdict``: the marker, typed and checked where it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from pytest_guardrails._cases import EXPECT_KEYS, expectation_of
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import LABELS, SEVERITIES, Action, Case, Message, Request, Verdict

NAME = "expect_verdict"
_CASE_KEYS = {"severity": SEVERITIES, "label": LABELS}


def expect_verdict(
    verdict: Verdict | Literal["allow", "block"],
    /,
    *,
    action: Action | Literal["none", "warn", "sanitize", "deny"] | None = None,
    by: str | None = None,
    findings: str | Sequence[str] | None = None,
    upstream: str | Sequence[str | Message | Mapping[str, Any]] | None = None,
    absent_upstream: str | Sequence[str] | None = None,
    upstream_calls: int | None = None,
    response: str | Sequence[str] | None = None,
    warns: bool | str | Sequence[str] | None = None,
    errors: bool | str | Sequence[str] | None = None,
    severity: Literal["critical", "high", "medium", "low"] | None = None,
    label: Literal["attack", "benign"] | None = None,
) -> pytest.MarkDecorator:
    """Mark a test whose every ``guardrail_engine.run(...)`` must end in ``verdict``, and show the rest asked here.

    Raises:
        ConfigError: for a value that none of the choices matches; it names them.
    """
    given = {key: value for key, value in locals().items() if value is not None and key != "verdict"}
    read_marker(pytest.Mark(NAME, (verdict,), given, _ispytest=True))
    return pytest.mark.expect_verdict(verdict, **given)


def read_marker(mark: pytest.Mark) -> Case:
    """Return what a marker says, as a case without an input.

    Raises:
        ConfigError: for wrong arguments.
    """
    if len(mark.args) != 1:
        raise ConfigError(f'@{NAME} takes one verdict, as in @{NAME}("block"); it got {len(mark.args)}')
    for key in mark.kwargs:
        if key not in (*EXPECT_KEYS, *_CASE_KEYS):
            raise ConfigError(unknown(f"argument of @{NAME}", key, [*EXPECT_KEYS[1:], *_CASE_KEYS]))
    for key, choices in _CASE_KEYS.items():
        if mark.kwargs.get(key) not in (None, *choices):
            raise ConfigError(unknown(key, mark.kwargs[key], choices))
    asked = {key: value for key, value in mark.kwargs.items() if key not in _CASE_KEYS}
    if "verdict" in asked:
        raise ConfigError(f"@{NAME} takes its verdict as the first argument")
    return Case(
        id="",
        request=Request.of("-"),
        expectation=expectation_of({"verdict": mark.args[0], **asked}),
        severity=mark.kwargs.get("severity") or "medium",
        label=mark.kwargs.get("label"),
    )
