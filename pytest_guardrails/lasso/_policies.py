"""How those who integrate Lasso turn its answer into a decision: a table of policies, and one rule that reads it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails.lasso._answer import LassoAnswer


class Decision(enum.StrEnum):
    """What a policy makes of an answer; ``ERROR`` is no verdict, and the guardrail's ``on_error`` decides then."""

    ALLOW = "allow"
    BLOCK = "block"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Policy:
    """One row: what counts as BLOCK, where masking comes from, what a doubtful answer does.

    ``gated``: a BLOCK finding counts only beside ``violations_detected``. ``masks``: "messages" (the masked copy
    where it differs), "spans", both in this order, or neither.
    """

    name: str
    gated: bool = True
    masks: tuple[str, ...] = ("messages", "spans")
    on_oddity: Decision = Decision.ERROR
    on_conflict: Decision = Decision.ALLOW


POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        policy.name: policy
        for policy in (
            Policy("portkey", masks=()),
            Policy("litellm", masks=("messages",)),
            Policy("kong"),
            Policy("truefoundry", gated=False),
            Policy("strict", on_oddity=Decision.BLOCK, on_conflict=Decision.BLOCK),
        )
    }
)


def policy_named(name: str) -> Policy:
    """Return a policy.

    Raises:
        ConfigError: for a name that is none.
    """
    if name not in POLICIES:
        raise ConfigError(unknown("policy", name, POLICIES))
    return POLICIES[name]


def decide(answer: LassoAnswer, policy: Policy | str = "portkey") -> Decision:
    """Return what ``policy`` makes of ``answer``.

    A BLOCK that was delivered counts even in an odd answer. Any other oddity is an error under every policy, although
    some integrators let such answers pass: a guard that fails safe takes nothing malformed for a verdict.

    Raises:
        ConfigError: for a name that is no policy.
    """
    rule = policy_named(policy) if isinstance(policy, str) else policy
    if answer.delivers_block or (answer.blocks and not rule.gated):
        return Decision.BLOCK
    if answer.oddities:
        return rule.on_oddity
    return rule.on_conflict if answer.conflicts else Decision.ALLOW
