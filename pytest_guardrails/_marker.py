"""``@expect_verdict`` and ``@inject_fault``: the markers, typed and checked where they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from pytest_guardrails._cases import EXPECT_KEYS, expectation_of
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import LABELS, SEVERITIES, Action, Case, Message, Request, Verdict

NAME = "expect_verdict"
FAULT = "inject_fault"
FAULT_FIXTURE = "lasso_fault"
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


def inject_fault(name: str, /, *, on_call: int | None = None) -> pytest.MarkDecorator:
    """Mark a test whose guard's API fails in the way ``name``: on each call, or on the ``on_call``-th alone, from 1.

    Raises:
        ConfigError: for a fault that the catalogue does not have, or a call that cannot be.
    """
    given = {} if on_call is None else {"on_call": on_call}
    read_fault(pytest.Mark(FAULT, (name,), given, _ispytest=True))
    return pytest.mark.inject_fault(name, **given)


def read_fault(mark: pytest.Mark) -> tuple[str, int | None]:
    """Return the fault that a marker names, and the call that it spoils.

    Raises:
        ConfigError: for wrong arguments.
    """
    from pytest_guardrails._faults import FAULTS

    if len(mark.args) != 1:
        raise ConfigError(f'@{FAULT} takes one fault, as in @{FAULT}("read_timeout"); it got {len(mark.args)}')
    for key in mark.kwargs:
        if key != "on_call":
            raise ConfigError(unknown(f"argument of @{FAULT}", key, ["on_call"]))
    on_call = mark.kwargs.get("on_call")
    if on_call is not None and (not isinstance(on_call, int) or isinstance(on_call, bool) or on_call < 1):
        raise ConfigError(f"on_call is a whole number from 1, not {on_call!r}")
    if mark.args[0] not in FAULTS:
        raise ConfigError(unknown("fault", mark.args[0], FAULTS))
    return mark.args[0], on_call


def fault_of(item: pytest.Item) -> tuple[str, int | None] | None:
    """Return the fault that a test injects, and the call that it spoils (None: each); None where it injects none.

    Raises:
        ConfigError: where it injects two.
    """
    found: list[tuple[str, int | None]] = []
    case = getattr(item, "case", None)
    if case is not None and case.fault is not None:
        found.append((case.fault, case.fault_on_call))
    mark = item.get_closest_marker(FAULT)
    if mark is not None:
        found.append((mark.args[0], mark.kwargs.get("on_call")))
    parameter = getattr(getattr(item, "callspec", None), "params", {}).get(FAULT_FIXTURE)
    if parameter is not None:
        name = str(getattr(parameter, "name", parameter))
        found.append((name, 1 if name == "flaky" else None))  # a test that asks once meets it too
    if len(found) > 1:
        raise ConfigError(f"{item.name} injects two faults: {found[0][0]} and {found[1][0]}")
    return found[0] if found else None
