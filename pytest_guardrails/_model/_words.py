"""The words that every noun is made of: phases, actions, verdicts, statuses, and what a name may be."""

from __future__ import annotations

import enum
import unicodedata

from pytest_guardrails._errors import ConfigError, unknown

ROLES = ("system", "developer", "user", "assistant", "tool", "function", "model")
ENDPOINTS = ("chat/completions", "completions", "embeddings", "messages", "responses")
SEVERITIES = ("critical", "high", "medium", "low")
LABELS = ("attack", "benign")
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
BUILT_IN_CRITERIA = ("operator_warned", "order_seen", "upstream_sanitised")

STATUS_OK = 200
STATUS_SOFT_FAIL = 246  # Portkey: a guardrail failed and did not deny (facts: portkey-gateway.md, section 3)
STATUS_DENIED = 446  # Portkey: a guardrail denied


class Phase(enum.StrEnum):
    """When a guardrail looks: at the request, or at the response."""

    BEFORE_REQUEST = "before_request"
    AFTER_REQUEST = "after_request"


class Action(enum.StrEnum):
    """What a guardrail did, ordered: ``NONE < WARN < SANITIZE < DENY``."""

    NONE = "none"
    WARN = "warn"
    SANITIZE = "sanitize"
    DENY = "deny"

    @property
    def rank(self) -> int:
        """Strength, 0 to 3."""
        return _RANKS[self.value]

    def __lt__(self, other: object) -> bool:
        return self.rank < Action(other).rank if isinstance(other, str) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.rank <= Action(other).rank if isinstance(other, str) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.rank > Action(other).rank if isinstance(other, str) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.rank >= Action(other).rank if isinstance(other, str) else NotImplemented


_RANKS = {"none": 0, "warn": 1, "sanitize": 2, "deny": 3}


class Verdict(enum.StrEnum):
    """What became of the request; never a boolean, because vendors disagree on which one is good."""

    ALLOW = "allow"
    BLOCK = "block"

    def __bool__(self) -> bool:
        raise TypeError("a Verdict is not a boolean: compare it, as in trace.verdict == 'block'")


class OnError(enum.StrEnum):
    """What an errored check does to the request: ``BLOCK`` is fail-safe, ``ALLOW`` is fail-open by choice."""

    BLOCK = "block"
    ALLOW = "allow"


class GuardrailStatus(enum.StrEnum):
    """Whether a guardrail looked at the request at all."""

    RAN = "ran"
    SKIPPED = "skipped"
    ERRORED = "errored"


class Outcome(enum.StrEnum):
    """A trace against its label; positive means that some guardrail did more than nothing."""

    TRUE_POSITIVE = "true_positive"
    FALSE_POSITIVE = "false_positive"
    TRUE_NEGATIVE = "true_negative"
    FALSE_NEGATIVE = "false_negative"
    ERROR = "error"


class CaseStatus(enum.StrEnum):
    """The three classes of result, and the case that did not run."""

    AS_EXPECTED = "as expected"
    NOT_AS_EXPECTED = "not as expected"
    ERROR = "error"
    NOT_RUN = "not run"


def member_of(kind: type[enum.StrEnum], value: object, what: str) -> enum.StrEnum:
    """Return the member of a word.

    Raises:
        ConfigError: where there is none, with the choices.
    """
    try:
        return kind(str(value))
    except ValueError:
        raise ConfigError(unknown(what, value, [member.value for member in kind])) from None


def can_be_seen(name: str) -> bool:
    """True if no character of a name ends its line, acts on a terminal or hides there (bidirectional, zero-width)."""
    return name.isprintable() or not any(unicodedata.category(letter) in _UNSEEN for letter in name)
