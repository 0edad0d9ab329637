"""The nouns: frozen values that every other module speaks of, and the protocols `Check` and `Target`."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from pytest_guardrails._codec import EMPTY, FrozenDict, decode, encode, freeze
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


@dataclass(frozen=True, slots=True)
class Message:
    """One message: ``content`` is text, content parts (JSON objects), or None beside tool calls."""

    role: str
    content: str | tuple[FrozenDict, ...] | None = None
    name: str | None = None
    tool_calls: tuple[FrozenDict, ...] = ()
    tool_call_id: str | None = None

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ConfigError(unknown("role", self.role, ROLES))
        if not isinstance(self.content, str | None):
            object.__setattr__(self, "content", _objects(self.content, "content"))
        if self.tool_calls != ():
            object.__setattr__(self, "tool_calls", _objects(self.tool_calls, "tool_calls"))

    @classmethod
    def of(cls, value: Message | Mapping[str, Any] | str) -> Message:
        """Read a message from a mapping (``role``, ``content``, …) or from the text of a user.

        Raises:
            ConfigError: for an unknown key or role, or a value of the wrong kind.
        """
        if isinstance(value, Message):
            return value
        if isinstance(value, str):
            return cls("user", value)
        if not isinstance(value, Mapping):
            raise ConfigError(f"a message is a text or a mapping with role and content, not {type(value).__name__}")
        for key in value:
            if key not in cls.__slots__:
                raise ConfigError(unknown("message key", key, cls.__slots__))
        if "role" not in value:
            raise ConfigError("a message has no role")
        return cls(**{str(key): item for key, item in value.items() if item is not None})

    @property
    def text(self) -> str:
        """The text of the content: its text parts joined by newlines, empty where there is none."""
        if isinstance(self.content, str):
            return self.content
        parts = (part.get("text") for part in self.content or ())
        return "\n".join(part for part in parts if isinstance(part, str))


def _objects(value: object, what: str) -> tuple[FrozenDict, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(item, Mapping) for item in value):
        return tuple(freeze(item) for item in value)
    raise ConfigError(f"{what} of a message is a list of mappings, not {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller sent: at least one message, and where to."""

    messages: tuple[Message, ...]
    endpoint: str = "chat/completions"
    stream: bool = False
    model: str | None = None
    metadata: FrozenDict = EMPTY

    def __post_init__(self) -> None:
        if isinstance(self.messages, str | Message | Mapping) or not isinstance(self.messages, Iterable):
            raise ConfigError("Request(messages=...) takes a sequence of messages")
        object.__setattr__(self, "messages", tuple(Message.of(message) for message in self.messages))
        if self.metadata is not EMPTY:
            object.__setattr__(self, "metadata", freeze(self.metadata))
        if not self.messages:
            raise ConfigError("a request has at least one message: an empty one would be checked by nothing")
        if self.endpoint not in ENDPOINTS:
            raise ConfigError(unknown("endpoint", self.endpoint, ENDPOINTS))

    @classmethod
    def of(cls, value: Request | Message | Mapping[str, Any] | str | Sample | Iterable[Any]) -> Request:
        """Read a request from a request, a plain text, a sample, one message, or a list of messages.

        Raises:
            ConfigError: where a message cannot be read or there is none.
        """
        if isinstance(value, Request):
            return value
        if isinstance(value, Sample):
            value = value.text
        if isinstance(value, str | Message | Mapping):
            return cls((Message.of(value),))
        if not isinstance(value, Iterable):
            raise ConfigError(f"a request is a text, a message or a list of messages, not {type(value).__name__}")
        return cls(tuple(Message.of(message) for message in value))

    @property
    def text(self) -> str:
        """The text of the last message."""
        return self.messages[-1].text


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: one assistant message per choice, its HTTP status, and the chunks if it was streamed."""

    choices: tuple[Message, ...]
    status: int = STATUS_OK
    chunks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(_choice(choice) for choice in self.choices))
        object.__setattr__(self, "chunks", tuple(self.chunks))

    @classmethod
    def of(cls, text: str, *, chunks: Iterable[str] = ()) -> Response:
        """Build a response of one choice that says ``text``."""
        return cls((Message("assistant", text),), chunks=tuple(chunks))

    @property
    def text(self) -> str:
        """The text of the first choice, empty where there is none."""
        return self.choices[0].text if self.choices else ""


def _choice(value: Message | Mapping[str, Any] | str) -> Message:
    return Message("assistant", value) if isinstance(value, str) else Message.of(value)


@dataclass(frozen=True, slots=True)
class Text:
    """One text that a check looks at: which message it is in, where (`field`), who said it."""

    text: str
    message_index: int = 0
    field: str = "content"
    role: str = "user"


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
    with an ``allowlist`` may say with ``suppressed(texts)`` how many findings each of its entries took away.
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
            object.__setattr__(self, name, _member(kind, getattr(self, name), f"{name} of guardrail {self.id!r}"))
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


def _member(kind: type[enum.StrEnum], value: object, what: str) -> enum.StrEnum:
    try:
        return kind(str(value))
    except ValueError:
        raise ConfigError(unknown(what, value, [member.value for member in kind])) from None


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


@dataclass(frozen=True, slots=True)
class GuardVersion:
    """What decided: the declared version, a hash of the effective configuration, the packages that decide."""

    declared: str | None
    config_hash: str
    packages: FrozenDict = EMPTY

    def __str__(self) -> str:
        return f"{self.declared or 'undeclared'} ({self.config_hash})"


class Target(Protocol):
    """Anything that turns a request into a trace."""

    @property
    def version(self) -> GuardVersion:
        """What decides in this target."""

    def run(self, request: Any, upstream: Any = None) -> Trace:
        """Send one request through the guardrails, with ``upstream`` as the model behind them."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a trace must show; None leaves a thing unasked.

    ``findings`` are names or categories that must be there. ``upstream`` is the exact text of the last message
    that the model received, or all of its messages. ``absent_upstream`` must not arrive in any encoding.
    ``warns`` and ``errors``: True (some), False (none), or texts that must appear in them.
    """

    verdict: Verdict
    action: Action | None = None
    by: str | None = None
    findings: tuple[str, ...] = ()
    upstream: str | tuple[Message, ...] | None = None
    absent_upstream: tuple[str, ...] = ()
    upstream_calls: int | None = None
    response: str | tuple[str, ...] | None = None
    warns: bool | tuple[str, ...] | None = None
    errors: bool | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a case is graded for, 1 to 5; ``ask`` is None for one of `BUILT_IN_CRITERIA`."""

    id: str
    ask: str | None = None
    samples: int = 1


@dataclass(frozen=True, slots=True)
class Grade:
    """What a criterion was scored, once per sample, and why; ``error`` says why there is no score."""

    criterion: str
    scores: tuple[float, ...] = ()
    reasons: tuple[str, ...] = ()
    error: str | None = None

    @property
    def mean(self) -> float | None:
        """The mean of its scores; None without one."""
        return sum(self.scores) / len(self.scores) if self.scores else None


@dataclass(frozen=True, slots=True)
class Case:
    """One input with its expectation; ``line`` counts from 1; ``response`` is what the model answers.

    ``fault`` is how the guard's API fails, on each call or on the ``fault_on_call``-th alone, counted from 1.
    """

    id: str
    request: Request
    expectation: Expectation
    severity: str = "medium"
    label: str | None = None
    tags: tuple[str, ...] = ()
    response: tuple[str, ...] | None = None
    note: str | None = None
    xfail: str | None = None
    skip: str | None = None
    file: str | None = None
    line: int | None = None
    fault: str | None = None
    fault_on_call: int | None = None
    rubric: tuple[Criterion, ...] = ()

    @property
    def truth(self) -> str:
        """The label, or what follows from the expectation: an attack is what some guardrail must act on."""
        asked = self.expectation
        acts = asked.verdict is Verdict.BLOCK or asked.action not in (None, Action.NONE)
        shows = asked.findings or asked.absent_upstream or asked.warns
        return self.label or ("attack" if acts or shows else "benign")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case, judged: its status and the reasons a person can read, none where all is as expected."""

    case: str
    status: CaseStatus
    outcome: Outcome | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """What a run keeps of one test: masked unless the run reveals, and small enough to ride on a test report.

    ``key`` is its name in a baseline, where that is not ``nodeid``: a baseline is masked also where the run reveals.
    """

    nodeid: str
    case: str
    status: CaseStatus
    guard: str = ""
    outcome: Outcome | None = None
    expected: str = ""
    severity: str = "medium"
    label: str = "benign"
    tags: tuple[str, ...] = ()
    file: str | None = None
    line: int | None = None
    reasons: tuple[str, ...] = ()
    note: str | None = None
    xfail: str | None = None
    runs: int = 0
    generated: bool = False
    fault: str | None = None
    trace: Trace | None = None
    shadow: Shadow | None = None
    armed: Armed | None = None
    grades: tuple[Grade, ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a candidate configuration did with a case: it is shown beside the current one and fails nothing.

    ``fired`` are the guardrails that acted. ``verdict`` is None where there is none, and ``error`` says why.
    """

    guard: str
    status: CaseStatus
    outcome: Outcome | None
    verdict: Verdict | None
    action: Action
    decided_by: str | None
    duration_s: float = field(default=0.0, compare=False)
    fired: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Armed:
    """Which guardrails a case would miss: judged again with each of them disarmed, with none, and with a denying one.

    Places are ``phase/guardrail``; one that did nothing is in none of them. ``noticed``: without it the case fails.
    ``unnoticed``: it acted, and without it the case passes all the same. ``alone``: without it something else becomes
    of the request (verdict, action, what the model receives, what the caller gets). ``backups``: (place, who decides in
    its stead). ``off`` and ``always_deny``: the case fails where no guardrail is armed, and where everything is denied;
    None where nobody can say. ``unjudged``: (what was disarmed, why nobody can say).
    """

    noticed: tuple[str, ...] = ()
    unnoticed: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    backups: tuple[tuple[str, ...], ...] = ()
    off: bool | None = None
    always_deny: bool | None = None
    unjudged: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ArmedTest:
    """A test that uses the engine and says no verdict, armed as a case is; it is in no rate."""

    nodeid: str
    guard: str
    armed: Armed


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text, characters, half-open; ``entity`` names what stands there."""

    entity: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled message: a row of a corpus, or drawn by a strategy.

    ``label`` is one of `LABELS`; ``category`` is what reports group by; ``spans`` is None where nobody annotated any.
    ``line`` counts from 1.
    """

    text: str
    label: str
    category: str = ""
    id: str = ""
    spans: tuple[Span, ...] | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class SampleResult:
    """What a guard did with one sample, small enough for a million of them; ``key`` is its id or a hash of its text.

    ``fired`` and ``errors`` are places ``phase/guardrail/check``, ``skipped`` are ``phase/guardrail``. ``scores`` holds
    the highest score of each place that gave one. ``spans`` counts, where the sample is annotated: gold, found, hit
    (found ones that overlap a gold one), caught (gold ones that overlap a found one), and changed characters outside
    every gold span (over-redaction). ``allowed`` maps ``phase/guardrail/check/entry`` to the findings that this entry
    of an allowlist took away. Times in seconds; ``vendor_s`` is what a recorded vendor took.
    """

    key: str
    label: str
    category: str
    outcome: Outcome
    verdict: Verdict
    action: Action
    decided_by: str | None = None
    fired: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    scores: FrozenDict = EMPTY
    spans: tuple[int, ...] | None = None
    allowed: FrozenDict = EMPTY
    line: int | None = None
    duration_s: float = field(default=0.0, compare=False)
    vendor_s: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Outcomes of one part of a population; ``kind`` is ``all``, ``tag``, ``category``, ``guardrail`` or ``check``.

    A guardrail's name is ``phase/guardrail``, a check's ``phase/guardrail/check``. ``error_attack`` says how many of
    the errors are on attacks; None where nobody knows, and then each of them counts against every rate.
    """

    kind: str
    name: str
    true_positive: int = 0
    false_positive: int = 0
    true_negative: int = 0
    false_negative: int = 0
    error: int = 0
    error_attack: int | None = None


@dataclass(frozen=True, slots=True)
class ScoreCurve:
    """How well the scores of one check tell attacks from benign: area under the ROC curve, and points of it.

    ``points`` are (threshold, false-positive rate, recall), by falling threshold.
    """

    check: str
    auc: float | None
    points: tuple[tuple[float, ...], ...] = ()
    suggested: float | None = None


@dataclass(frozen=True, slots=True)
class CorpusRecord:
    """What a run keeps of one population: a corpus file, or samples of a strategy (``generated``).

    ``groups`` has one of kind ``all``. ``spans`` sums those of `SampleResult`. ``latency`` and ``vendor_latency`` map a
    histogram's buckets to counts. ``worst`` are samples that went wrong, masked: (what, category, line, text, by).
    ``allowed`` maps ``phase/guardrail/check/entry`` to (findings that this entry of an allowlist took away, attacks
    that passed there), ``acted`` each ``phase/guardrail/check`` to {action: attacks that it decided
    alone in its guardrail}. ``ledger`` is a file of this machine with a `SampleResult` per line, in no report. ``note``
    says what a reader should know of how it was measured. A ``shadow`` record belongs to a candidate configuration and
    is in no metric or gate.
    """

    nodeid: str
    name: str
    status: CaseStatus
    guard: str = ""
    file: str | None = None
    line: int | None = None
    generated: bool = False
    shadow: bool = False
    rows: int = 0
    groups: tuple[Group, ...] = ()
    spans: tuple[int, ...] | None = None
    latency: FrozenDict = EMPTY
    vendor_latency: FrozenDict = EMPTY
    curves: tuple[ScoreCurve, ...] = ()
    allowed: FrozenDict = EMPTY
    acted: FrozenDict = EMPTY
    worst: tuple[tuple[str, ...], ...] = ()
    reasons: tuple[str, ...] = ()
    duration_s: float = field(default=0.0, compare=False)
    ledger: str | None = None
    xfail: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A target of a run: what it is, where its configuration came from, its version, its guardrails in order.

    ``checks`` has, for each guardrail, the ids of its checks. ``allowlists`` maps ``phase/guardrail/check`` to its
    entries, masked unless the run reveals.
    """

    key: str
    target: str
    config: str
    version: GuardVersion
    guardrails: tuple[tuple[str, ...], ...] = ()
    checks: tuple[tuple[str, ...], ...] = ()
    allowlists: FrozenDict = EMPTY


@dataclass(frozen=True, slots=True)
class Run:
    """One pytest session: environment, guards, results; ``complete`` is False where it was cut short.

    ``notes`` are what else was said at its end, a line each.
    """

    started: str
    duration_s: float
    complete: bool
    environment: FrozenDict
    guards: tuple[Guard, ...]
    records: tuple[CaseRecord, ...]
    revealed: bool = False
    exit_status: int = 0
    corpora: tuple[CorpusRecord, ...] = ()
    gates: tuple[GateResult, ...] = ()
    comparison: Comparison | None = None
    shadow: Comparison | None = None
    armed: tuple[ArmedTest, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flip:
    """One case or sample that two versions judge differently; its key, never its text.

    ``truth`` is "newly wrong", "newly right" or empty, ``verdict`` is "became blocked", "became allowed" or empty.
    ``before`` and ``after`` say verdict, action and decider. A sample has no ``severity``.
    """

    population: str
    key: str
    label: str
    severity: str | None
    truth: str
    verdict: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RateChange:
    """A rate under two versions on the same ``pairs``: its hits ``before`` and ``after``.

    ``rate`` is ``fpr`` or ``recall``. ``worse`` and ``better`` count the pairs that changed. ``difference`` is after
    minus before with its paired 95 % ``interval``, ``p`` is McNemar's, exact; all None without a pair.
    """

    rate: str
    pairs: int
    before: int
    after: int
    worse: int
    better: int
    difference: float | None = None
    interval: tuple[float, ...] | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class PopulationChange:
    """One population (``cases`` or a corpus) under two versions of one guard, on what both have judged.

    ``flips`` are all pairs that changed; ``otherwise`` those in which neither the verdict nor right and wrong did.
    Errors are those that nobody expected; a pair with one is in no rate. ``relabelled`` pairs are in none either.
    ``latency`` is p50 and p95 before, p50 and p95 after, in seconds, where both are known.
    """

    population: str
    guard: str
    pairs: int
    flips: int = 0
    newly_wrong: int = 0
    newly_right: int = 0
    became_blocked: int = 0
    became_allowed: int = 0
    otherwise: int = 0
    errors_before: int = 0
    errors_after: int = 0
    relabelled: int = 0
    rates: tuple[RateChange, ...] = ()
    latency: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule of comparison says of two versions; one that ``fails`` makes the run fail."""

    rule: str
    fails: bool
    said: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same cases and samples; ``new`` and ``gone`` count what only one of them has judged.

    ``flips``, ``new_keys`` and ``gone_keys`` are the first ones, worst first; the counts are of all.
    """

    before: str
    after: str
    pairs: int
    new: int = 0
    gone: int = 0
    populations: tuple[PopulationChange, ...] = ()
    flips: tuple[Flip, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    new_keys: tuple[str, ...] = ()
    gone_keys: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """True if some rule fails the run."""
        return any(ruling.fails for ruling in self.rulings)


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate, judged: what was demanded, whether it holds, and why: a sentence per population, failed ones first.

    ``file`` is the case file that states it, and of which alone it speaks; ``expr`` then ends with it, in brackets.
    """

    expr: str
    passed: bool
    said: tuple[str, ...] = ()
    file: str | None = None


def can_be_seen(name: str) -> bool:
    """True if no character of a name ends its line, acts on a terminal or hides there (bidirectional, zero-width)."""
    return name.isprintable() or not any(unicodedata.category(letter) in _UNSEEN for letter in name)


def with_action(finding: Finding, action: Action) -> Finding:
    """Return ``finding`` with ``action`` as what was done about it."""
    return replace(finding, action=action)
