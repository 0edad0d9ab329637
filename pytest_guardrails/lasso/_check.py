"""Lasso as a check of the engine, under Portkey's parameters, and as a plain callable."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from pytest_guardrails._errors import ConfigError, LassoError, unknown
from pytest_guardrails._model import Finding, Findings, Message, Phase, Scope, Text, Verdict
from pytest_guardrails._texts import texts_in_scope
from pytest_guardrails.lasso._address import normalised_base_url
from pytest_guardrails.lasso._answer import LassoAnswer
from pytest_guardrails.lasso._client import LassoClient, protocol_error
from pytest_guardrails.lasso._findings import findings_of
from pytest_guardrails.lasso._offsets import OffsetUnit, Ruler
from pytest_guardrails.lasso._policies import Decision, decide, policy_named

CREDENTIALS = ("apiKey", "apiEndpoint")


_SECRET = {"secret": True}  # in no repr and no version


@dataclass(frozen=True)
class LassoClassify:
    """Asks Lasso's classifier about every text in scope, in one call.

    ``policy``: whose verdict rule counts. ``mask``: ask ``/classifix`` and apply AUTO_MASKING. ``offsets``: the unit in
    which spans count. ``conversation_id``, ``user_id``: sent along. ``timeout``: milliseconds. ``credentials``:
    Portkey's ``apiKey`` and ``apiEndpoint``, also ``api_key`` and ``api_endpoint``; without them ``LASSO_API_KEY`` and
    ``LASSO_API_BASE`` count, when it is first called. ``transport``: httpx's or httpx2's, for Python.

    Raises:
        ConfigError: for a parameter that cannot be meant; its text holds no credential.
    """

    phase: Phase = field(default=Phase.BEFORE_REQUEST, compare=False)
    policy: Literal["portkey", "litellm", "kong", "truefoundry", "strict"] = "portkey"
    mask: bool = False
    offsets: OffsetUnit = "cover"
    conversation_id: str | None = None
    user_id: str | None = None
    timeout: int = 5000
    # Any, since a reader of types would quote what is wrong, and it may be the key.
    credentials: Any = field(default=None, repr=False, hash=False, metadata=_SECRET)
    api_key: Any = field(default=None, repr=False, hash=False, metadata=_SECRET)
    api_endpoint: Any = field(default=None, repr=False, hash=False, metadata=_SECRET)
    transport: Any = field(default=None, repr=False, compare=False, metadata=_SECRET)
    session_id: Callable[[], str] | None = field(default=None, repr=False, compare=False, metadata=_SECRET)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)
    _made: list[LassoClient] = field(default_factory=list, init=False, repr=False, compare=False)
    id: ClassVar[str] = "lasso.classify"
    reads_messages: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.mask and not policy_named(self.policy).masks:
            raise ConfigError(f"policy {self.policy} never masks: mask: true needs another policy")
        Ruler.of("", self.offsets)
        if not isinstance(self.timeout, int) or isinstance(self.timeout, bool) or self.timeout <= 0:
            raise ConfigError("timeout is a whole number of milliseconds above 0")
        if self.transport is not None and not callable(getattr(self.transport, "handle_request", None)):
            raise ConfigError("transport is an httpx transport: only Python code can give one")
        if self.session_id is not None and not callable(self.session_id):
            raise ConfigError("session_id is a function: only Python code can give one; write conversation_id")
        self._credential("api_key", "apiKey")  # refused here, used at the first call
        if endpoint := self._credential("api_endpoint", "apiEndpoint"):
            normalised_base_url(endpoint)

    @property
    def rewrites(self) -> str | None:
        """What it can rewrite: spans where it masks, else nothing."""
        return "spans" if self.mask else None

    @property
    def denies(self) -> bool:
        """True where its BLOCK findings deny whatever its guardrail does: they are never merely masked."""
        return self.mask

    def connected(self, transport: Any, session_id: Callable[[], str] | None = None) -> LassoClassify:
        """Return this check with ``transport``, unless it has its own; ``session_id`` names each conversation."""
        if self.transport is not None:
            return self
        return replace(self, transport=transport, session_id=self.session_id or session_id)

    def __call__(self, texts: Sequence[Text], messages: Sequence[Message]) -> list[Finding]:
        """Return what Lasso found in ``texts``; messages of which none is there are not sent.

        Raises:
            LassoError: where no verdict came.
            ConfigError: without a key.
        """
        rule = policy_named(self.policy)
        answer = self._client().ask(
            "classifix" if self.mask else "classify",
            messages,
            only={text.message_index for text in texts},
            message_type="PROMPT" if self.phase is Phase.BEFORE_REQUEST else "COMPLETION",
            session_id=self.conversation_id,
            user_id=self.user_id,
        )
        if not answer.called:
            return []
        if decide(answer, rule) is Decision.ERROR:
            raise protocol_error(answer)
        return Findings(findings_of(answer, rule, texts, mask=self.mask, offsets=self.offsets), answer.vendor_s)

    def _client(self) -> LassoClient:
        """Return the client of all calls, made for the first: until then a missing key is no mistake."""
        with self._lock:
            if not self._made:
                client = LassoClient(
                    self._credential("api_key", "apiKey"),
                    self._credential("api_endpoint", "apiEndpoint"),
                    self.timeout / 1000,
                    self.transport,
                    offsets=self.offsets,
                    session_id=self.session_id,
                )
                if self.transport is None:  # else its connections are another's, who may still need them
                    weakref.finalize(self, client.close)
                self._made.append(client)
            return self._made[0]

    def _credential(self, name: str, portkeys: str) -> str | None:
        """Return a credential, from its parameter or from Portkey's mapping."""
        mapping = {} if self.credentials is None else self.credentials
        if not isinstance(mapping, Mapping):
            raise ConfigError(f"credentials is a mapping with {' and '.join(CREDENTIALS)}")
        for key in mapping:
            if key not in CREDENTIALS:
                raise ConfigError(unknown("key in credentials", key, CREDENTIALS))
        own, theirs = getattr(self, name), mapping.get(portkeys)
        if own is not None and theirs is not None and own != theirs:
            raise ConfigError(f"{name} and {portkeys} of the credentials say two things")
        value = theirs if own is None else own
        if not isinstance(value, str | None):
            raise ConfigError(f"{name} is a text; in YAML, quote it")
        return value or None


@dataclass(frozen=True, slots=True)
class LassoVerdict:
    """What became of messages: ``verdict``, why (``findings``), and the whole ``answer``, or the ``error`` instead."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    answer: LassoAnswer | None = None
    error: LassoError | None = None


def classify(
    messages: Iterable[Message | Mapping[str, Any] | str],
    *,
    client: LassoClient | None = None,
    message_type: str = "PROMPT",
    policy: str = "portkey",
) -> LassoVerdict:
    """Ask Lasso about messages and return a verdict, BLOCK where none came: an error of the API is never a pass.

    ``client`` is used and stays open; without one, one is made from the environment for this call.

    Raises:
        ConfigError: for messages, a message type or a policy that cannot be meant, or without a key.
        MissingRecording: where a recording should have answered and none did.
    """
    rule = policy_named(policy)
    read = tuple(Message.of(message) for message in messages)
    if client is None:
        with LassoClient() as own:
            return classify(read, client=own, message_type=message_type, policy=policy)
    try:
        answer = client.ask("classify", read, message_type=message_type)
    except LassoError as exc:
        return LassoVerdict(Verdict.BLOCK, error=exc)
    decision = decide(answer, rule)
    if decision is Decision.ERROR:
        return LassoVerdict(Verdict.BLOCK, answer=answer, error=protocol_error(answer))
    texts = texts_in_scope(read, Scope())
    findings = tuple(findings_of(answer, rule, texts)) if texts else ()
    return LassoVerdict(Verdict.BLOCK if decision is Decision.BLOCK else Verdict.ALLOW, findings, answer)
