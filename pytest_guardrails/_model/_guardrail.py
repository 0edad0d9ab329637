"""What decides: a check and its findings, a guardrail, and the version that a configuration makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from pytest_guardrails._codec import EMPTY, FrozenDict
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model._request import Text
from pytest_guardrails._model._words import ROLES, Action, OnError, Phase, can_be_seen, member_of


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check saw; ``start`` and ``end`` are characters of the field, half-open, both or neither.

    ``action`` is what the check asks for (None leaves it to the guardrail) and, in a trace, what was done.
    ``replacement`` without a span rewrites the whole field. ``vendor_action`` is a vendor's word, as it came.
    """

    name: str
    category: str
    severity: str | None = None
    score: float | None = None
    message_index: int = 0
    field: str = "content"
    start: int | None = None
    end: int | None = None
    replacement: str | None = None
    action: Action | None = None
    vendor_action: str | None = None


class Findings(list[Finding]):
    """What a check that asks a vendor may return: its findings, and what the vendor took, in seconds."""

    __slots__ = ("vendor_s",)

    def __init__(self, findings: Iterable[Finding] = (), vendor_s: float | None = None) -> None:
        super().__init__(findings)
        self.vendor_s = vendor_s


@runtime_checkable
class Check(Protocol):
    """One detector: a callable with an ``id`` that turns the texts in scope into findings.

    It may have ``rewrites`` ("spans" or "message") if it can sanitize, ``reads_messages = True`` to be called with
    ``(texts, messages)``, and ``connected(transport, session_id)``, which returns it with that httpx transport. One
    with an ``allowlist`` may say with ``suppressed(texts)`` how many findings each of its entries took away, and any
    in ``finds`` the names and categories of its findings, so that near misses of them count as its own.
    """

    @property
    def id(self) -> str:
        """The name of the check in configurations and reports."""

    def __call__(self, texts: Sequence[Text], /) -> Iterable[Finding]:
        """Return what was found (`Findings` says what a vendor took), nothing for a clean text; raise for no answer."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which messages a guardrail looks at: all of them by default; ``roles`` empty means every role."""

    last_only: bool = False
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", tuple(self.roles))
        for role in self.roles:
            if role not in ROLES:
                raise ConfigError(unknown("role", role, ROLES))


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A named, ordered group of checks in one phase.

    ``action`` is what its findings do where a check does not say; ``WARN`` also caps what checks ask for.
    ``sequential`` lets each check see what the one before rewrote.
    ``disabled`` names checks that the configuration switched off.

    Raises:
        ConfigError: without an id or a check, or where two checks of it would both rewrite a whole message.
    """

    id: str
    phase: Phase
    checks: tuple[Check, ...]
    action: Action = Action.DENY
    on_error: OnError = OnError.BLOCK
    scope: Scope = Scope()
    sequential: bool = False
    disabled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, kind in (("phase", Phase), ("action", Action), ("on_error", OnError)):
            object.__setattr__(self, name, member_of(kind, getattr(self, name), f"{name} of guardrail {self.id!r}"))
        object.__setattr__(self, "checks", tuple(self.checks))
        if not self.id or not isinstance(self.id, str):
            raise ConfigError("a guardrail has no id")
        if not self.checks:
            raise ConfigError(f"guardrail {self.id!r} has no checks: it would pass everything")
        if not can_be_seen(self.id):  # it is logged and printed as it is
            raise ConfigError(f"guardrail {self.id!r}: an id is a text without control characters")
        for check in self.checks:
            if not callable(check) or not isinstance(getattr(check, "id", None), str):
                raise ConfigError(f"guardrail {self.id!r}: a check is a callable with an id, not {check!r}")
            if not can_be_seen(check.id):
                raise ConfigError(f"check {check.id!r}: an id is a text without control characters")
        if self.action is Action.NONE:
            raise ConfigError(f"guardrail {self.id!r}: action none would make it do nothing; use warn")
        if self.phase is Phase.AFTER_REQUEST and self.scope.roles and "assistant" not in self.scope.roles:
            raise ConfigError(f"guardrail {self.id!r}: only an assistant speaks in a response: its scope is empty")
        self._refuse_lost_rewrites()

    def _refuse_lost_rewrites(self) -> None:
        rewriters = [check.id for check in self.checks if getattr(check, "rewrites", None)]
        whole = [check.id for check in self.checks if getattr(check, "rewrites", None) == "message"]
        if whole and len(rewriters) > 1 and not self.sequential:
            raise ConfigError(
                f"guardrail {self.id!r}: {' and '.join(rewriters)} rewrite the same message at once, and one would "
                "undo the other; give each its own guardrail, or set sequential: true"
            )


@dataclass(frozen=True, slots=True)
class CheckError:
    """A check that gave no answer: it raised, timed out, or answered nonsense."""

    guardrail: str
    check: str
    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.guardrail}/{self.check}: {self.kind}: {self.message}"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check said of one request; an errored one has no findings.

    ``allowed`` are (entry, findings): what each entry of the check's allowlist took away, entries counted from 0.
    ``vendor_s`` is what the vendor took when its answer was recorded, in seconds; None where nobody measured it.
    """

    check: str
    findings: tuple[Finding, ...] = ()
    error: CheckError | None = None
    duration_s: float = field(default=0.0, compare=False)
    allowed: tuple[tuple[int, ...], ...] = ()
    vendor_s: float | None = field(default=None, compare=False)

    @property
    def action(self) -> Action:
        """The strongest thing done because of this check."""
        return max((finding.action or Action.NONE for finding in self.findings), default=Action.NONE)


@dataclass(frozen=True, slots=True)
class GuardVersion:
    """What decided: the declared version, a hash of the effective configuration, the packages that decide."""

    declared: str | None
    config_hash: str
    packages: FrozenDict = EMPTY

    def __str__(self) -> str:
        return f"{self.declared or 'undeclared'} ({self.config_hash})"


def with_action(finding: Finding, action: Action) -> Finding:
    """Return ``finding`` with ``action`` as what was done about it."""
    return replace(finding, action=action)
