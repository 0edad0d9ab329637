"""What happened to one request: each guardrail's result, the denial, and the trace; the protocol `Target`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_guardrails._codec import FrozenDict, decode, encode
from pytest_guardrails._model._guardrail import CheckError, CheckResult, Finding, GuardVersion
from pytest_guardrails._model._request import Request, Response
from pytest_guardrails._model._words import STATUS_OK, Action, GuardrailStatus, OnError, Phase, Verdict


@dataclass(frozen=True, slots=True)
class GuardrailResult:
    """What one guardrail did to one request; a skipped one has no checks.

    ``advised`` names findings that ask for masking which nobody applied.
    """

    guardrail: str
    phase: Phase
    status: GuardrailStatus
    action: Action = Action.NONE
    checks: tuple[CheckResult, ...] = ()
    on_error: OnError = OnError.BLOCK
    soft_failed: bool = False
    advised: tuple[str, ...] = ()
    duration_s: float = field(default=0.0, compare=False)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all its checks, in the order of the checks."""
        return tuple([finding for check in self.checks for finding in check.findings])

    @property
    def errors(self) -> tuple[CheckError, ...]:
        """The errors of its checks."""
        return tuple([check.error for check in self.checks if check.error is not None])

    @property
    def vendor_s(self) -> float | None:
        """What the vendors of its checks took together, in seconds; None where none is known."""
        return _sum_known(check.vendor_s for check in self.checks)


def _sum_known(seconds: Iterable[float | None]) -> float | None:
    known = [value for value in seconds if value is not None]
    return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Denial:
    """What a blocked caller gets instead of a response: Portkey's status and the shape of its body."""

    status: int
    body: FrozenDict


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that happened to one request.

    ``decided_by`` is the guardrail that blocked it, else the first that did the strongest thing, else None.
    ``upstream_requests`` is exactly what the model received, one per call. Equality leaves times out.
    """

    request: Request
    verdict: Verdict
    action: Action
    decided_by: str | None
    results: tuple[GuardrailResult, ...]
    upstream_requests: tuple[Request, ...] = ()
    response: Response | None = None
    denial: Denial | None = None
    status: int = STATUS_OK
    warnings: tuple[str, ...] = ()
    duration_s: float = field(default=0.0, compare=False)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding of every guardrail, in order."""
        return tuple([finding for result in self.results for finding in result.findings])

    @property
    def errors(self) -> tuple[CheckError, ...]:
        """Every check that gave no answer."""
        return tuple([error for result in self.results for error in result.errors])

    @property
    def vendor_s(self) -> float | None:
        """What the vendors of all checks took together, in seconds; None where none is known."""
        return _sum_known(result.vendor_s for result in self.results)

    @property
    def failed_open(self) -> bool:
        """True if a check errored, nobody chose ``on_error: allow``, and the request passed all the same."""
        return self.verdict is Verdict.ALLOW and any(
            result.errors and result.on_error is OnError.BLOCK for result in self.results
        )

    @property
    def failed_open_by_choice(self) -> bool:
        """True if a check errored and the request passed because its guardrail says ``on_error: allow``."""
        return self.verdict is Verdict.ALLOW and any(
            result.errors and result.on_error is OnError.ALLOW for result in self.results
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as JSON types, with ``errors`` and ``failed_open`` spelled out."""
        derived = {
            "errors": encode(self.errors),
            "failed_open": self.failed_open,
            "failed_open_by_choice": self.failed_open_by_choice,
        }
        return {**encode(self), **derived}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trace:
        """Build the trace that `to_dict` described.

        Raises:
            TypeError, ValueError, KeyError: where ``data`` is not of that shape.
        """
        return decode(cls, data)


class Target(Protocol):
    """Anything that turns a request into a trace."""

    @property
    def version(self) -> GuardVersion:
        """What decides in this target."""

    def run(self, request: Any, upstream: Any = None) -> Trace:
        """Send one request through the guardrails, with ``upstream`` as the model behind them."""
