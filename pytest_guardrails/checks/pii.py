"""Personal data and credentials, found by shape and then validated by checksum, range or neighbourhood.

Shape alone is the disease (facts: detectors.md): every numeric type needs a checksum or a range, and a boundary; bare
digits without a checksum need a word that says what they are. Patterns use bounded repeats, no lookaround and no
backreference, so that a hostile text costs linear time; what they cannot say is decided in Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Action, Finding, Text
from pytest_guardrails.checks._allowlist import Allowlist, Entry, counted, covering, kept, places_in
from pytest_guardrails.checks._contacts import emails, ips, phones
from pytest_guardrails.checks._keys import keys
from pytest_guardrails.checks._numbers import cards, ibans, ssns
from pytest_guardrails.checks._spans import Span

# Look-alikes that people and models type, each one character for one, so that spans stay true.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width forms
_PLAIN |= dict.fromkeys([*range(0x2010, 0x2016), 0x2212], ord("-"))
_PLAIN |= dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x3000], ord(" "))

_DETECTORS: dict[str, Callable[[str], Iterable[Span]]] = {
    "API_KEY": keys,
    "CREDIT_CARD": cards,
    "EMAIL": emails,
    "IBAN": ibans,
    "IP_ADDRESS": ips,
    "PHONE": phones,
    "US_SSN": ssns,
}
ENTITIES = tuple(_DETECTORS)
_SERIES = re.compile(r"[0-9](?:[ .()-]{0,2}[0-9]){6}")
_OF_A_SERIES = ("CREDIT_CARD", "PHONE", "US_SSN")  # none without seven digits in close order


def _spans(text: str, entities: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    if not any(map(text.__contains__, "@0123456789")):
        return  # every entity needs one of these: most messages stop here
    series = _SERIES.search(text) is not None
    for entity in entities:
        if series or entity not in _OF_A_SERIES:
            for start, end in _outermost(_DETECTORS[entity](text)):
                yield entity, start, end


def _outermost(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans in order, without those that lie inside another."""
    reached = 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end > reached:
            yield start, end
            reached = end


def _category(entity: str) -> str:
    return "credential" if entity == "API_KEY" else "pii"


@dataclass(frozen=True, slots=True)
class PiiRedact:
    """Finds personal data and credentials; what is found carries its placeholder, ``<EMAIL>`` by default.

    ``entities``: which kinds, all by default. ``action``: sanitize, deny or warn; without it the guardrail decides.
    ``allowlist``: known-good tokens; what lies wholly inside one is never a finding.
    ``placeholder``: the replacement, with ``{entity}`` for the kind.
    """

    entities: tuple[str, ...] = ENTITIES
    action: Literal["sanitize", "deny", "warn"] | None = None
    allowlist: tuple[Entry, ...] = ()
    placeholder: str = "<{entity}>"
    id: ClassVar[str] = "pii_redact"
    rewrites: ClassVar[str] = "spans"
    _allowed: Allowlist = field(init=False, repr=False, compare=False, default=Allowlist())

    def __post_init__(self) -> None:
        if not self.entities:
            raise ConfigError("entities is empty: nothing would be found")
        for entity in self.entities:
            if entity not in _DETECTORS:
                raise ConfigError(unknown("entity", entity, ENTITIES))
        object.__setattr__(self, "_allowed", Allowlist.of(self.allowlist))

    @property
    def finds(self) -> tuple[str, ...]:
        """The names and categories of its findings."""
        return tuple(dict.fromkeys((*self.entities, *map(_category, self.entities))))

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per value, with its span and placeholder."""
        return kept(found for text in texts for found in self._of(text))

    def suppressed(self, texts: Sequence[Text]) -> dict[int, int]:
        """Return how many findings each entry of the allowlist took away."""
        return counted(found for text in texts for found in self._of(text))

    def _of(self, text: Text) -> Iterator[tuple[Finding, int | None]]:
        plain = text.text if text.text.isascii() else text.text.translate(_PLAIN)
        allowed = places_in(self._allowed, text)
        action = Action(self.action) if self.action else None
        for entity, start, end in _spans(plain, self.entities):
            finding = Finding(
                entity,
                _category(entity),
                message_index=text.message_index,
                field=text.field,
                start=start,
                end=end,
                replacement=self.placeholder.replace("{entity}", entity),
                action=action,
            )
            yield finding, covering(allowed, start, end)
