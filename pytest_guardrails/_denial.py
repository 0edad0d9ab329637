"""What a blocked caller gets: Portkey's 446 body (facts: portkey-gateway.md, section 3), free of any request text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pytest_guardrails._codec import FrozenDict, freeze
from pytest_guardrails._model import (
    STATUS_DENIED,
    Action,
    CheckResult,
    Denial,
    GuardrailResult,
    GuardrailStatus,
    OnError,
)


def denial(results: Sequence[GuardrailResult]) -> Denial:
    """Build the body that a denied caller gets, in Portkey's shape, without any text of the request."""
    hooks: dict[str, list[Any]] = {"before_request_hooks": [], "after_request_hooks": []}
    for result in results:
        if result.status is not GuardrailStatus.SKIPPED:
            hooks[f"{result.phase.value}_hooks"].append(_hook_result(result))
    error = {
        "message": "The guardrail checks defined in the config failed. "
        "You can find more information in the `hook_results` object.",
        "type": "hooks_failed",
        "param": None,
        "code": None,
    }
    return Denial(STATUS_DENIED, FrozenDict({"error": freeze(error), "hook_results": freeze(hooks)}))


def _hook_result(result: GuardrailResult) -> dict[str, Any]:
    failed_closed = bool(result.errors) and result.on_error is OnError.BLOCK
    deny = result.action is Action.DENY or failed_closed
    return {
        "id": result.guardrail,
        "type": "guardrail",
        "verdict": not (deny or result.soft_failed),
        "deny": deny,
        "transformed": result.action is Action.SANITIZE,
        "async": False,
        "checks": [_check_result(check, result) for check in result.checks],
        "feedback": None,
    }


def _check_result(check: CheckResult, result: GuardrailResult) -> dict[str, Any]:
    failed_softly = result.soft_failed and check.action is Action.WARN
    names = Counter(finding.name for finding in check.findings)
    out: dict[str, Any] = {
        "id": check.check,
        "verdict": check.error is None and check.action is not Action.DENY and not failed_softly,
        "transformed": check.action is Action.SANITIZE,
        "data": {"findings": dict(sorted(names.items()))} if names else None,
        "fail_on_error": result.on_error is OnError.BLOCK,
    }
    if check.error is not None:
        out["error"] = {"name": check.error.kind, "message": "the check gave no answer"}
    return out
