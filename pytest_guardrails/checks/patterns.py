"""Checks of Portkey's ``default`` plugin about regular expressions: match, and replace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Action, Finding, Text

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "g": re.NOFLAG, "u": re.NOFLAG}
_JS_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_$])")


@lru_cache(maxsize=256)
def compiled(rule: str) -> re.Pattern[str]:
    """Compile a rule, written bare or as ``/pattern/flags`` as in Portkey's configurations.

    Raises:
        ConfigError: for an empty or invalid pattern, or an unknown flag.
    """
    pattern, flags = rule, re.NOFLAG
    delimited = re.fullmatch(r"/(.*)/([A-Za-z]*)", rule, re.DOTALL)
    if delimited:
        pattern = delimited[1]
        for letter in delimited[2]:
            if letter not in _FLAGS:
                raise ConfigError(f"rule {rule!r} has an unknown flag {letter!r}. Choices: {', '.join(_FLAGS)}")
            flags |= _FLAGS[letter]
    if not pattern:
        raise ConfigError("rule is empty: it matches everything")
    try:
        return re.compile(_JS_NAMED_GROUP.sub("(?P<", pattern), flags)
    except (re.error, OverflowError, RecursionError) as exc:
        raise ConfigError(f"rule {rule!r} is no regular expression: {exc}") from None


@dataclass(frozen=True, slots=True)
class RegexMatch:
    """Some text in scope must match ``rule``; with ``not``, none may."""

    rule: str
    not_: bool = False
    id: ClassVar[str] = "default.regexMatch"

    def __post_init__(self) -> None:
        compiled(self.rule)

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per forbidden match, or one if the required match is nowhere."""
        pattern = compiled(self.rule)
        if self.not_:
            return [_match(self.id, text, match) for text in texts for match in pattern.finditer(text.text)]
        if any(pattern.search(text.text) for text in texts) or not texts:
            return []
        return [Finding(self.id, "format", message_index=texts[-1].message_index, field=texts[-1].field)]


@dataclass(frozen=True, slots=True)
class RegexReplace:
    """Every match of ``rule`` is replaced by ``redact_text``.

    Portkey replaces only the first match of a rule without the ``g`` flag, and the rest goes upstream
    (facts: portkey-gateway.md, section 4). Here every match is replaced, whatever the flags. ``action`` is ours, as
    in `PiiRedact`.
    """

    rule: str
    redact_text: str = "[REDACTED]"
    fail_on_detection: bool = False
    action: Literal["sanitize", "deny", "warn"] | None = None
    id: ClassVar[str] = "default.regexReplace"
    rewrites: ClassVar[str] = "spans"
    passes_under_deny: ClassVar[bool] = True  # Portkey: a redactor that redacted has passed (section 4)

    def __post_init__(self) -> None:
        if re.search(r"\$[0-9&<]", self.redact_text):
            raise ConfigError(f"redactText {self.redact_text!r}: groups such as $1 are not filled in; write plain text")
        if compiled(self.rule).search(""):
            raise ConfigError(f"rule {self.rule!r} matches the empty text: it would replace nothing everywhere")

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per match, with its replacement."""
        pattern = compiled(self.rule)
        own = Action(self.action) if self.action else None
        action = Action.DENY if self.fail_on_detection else own
        return [
            _match(self.id, text, match, self.redact_text, action)
            for text in texts
            for match in pattern.finditer(text.text)
            if match.end() > match.start()
        ]


def _match(
    check: str, text: Text, match: re.Match[str], replacement: str | None = None, action: Action | None = None
) -> Finding:
    return Finding(
        check,
        "content",
        message_index=text.message_index,
        field=text.field,
        start=match.start() if match.end() > match.start() else None,
        end=match.end() if match.end() > match.start() else None,
        replacement=replacement,
        action=action,
    )
