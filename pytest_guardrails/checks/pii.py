"""Personal data and credentials, found by shape and then validated by checksum, range or neighbourhood.

Shape alone is the disease (facts: detectors.md): every numeric type needs a checksum or a range, and a boundary.
Patterns use bounded repeats and no lookaround, so that a hostile text costs linear time; what they cannot say is
decided in Python.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from stdnum import iban as _iban
from stdnum import luhn as _luhn

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Action, Finding, Text

_EMAIL = re.compile(r"[\w%+'-](?:[\w.%+'-]{0,62}[\w%+'-])?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}[^\W\d_]{2,18}")
_CARD = re.compile(
    r"[0-9]{12,19}|[0-9]{4}(?:[ -][0-9]{4}){2}[ -][0-9]{1,4}(?:[ -][0-9]{3})?|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5}"
)
_SSN = re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{4}|[0-9]{9}")
_SSN_CONTEXT = re.compile(r"\b(?:ssn|social security)\b", re.IGNORECASE)
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,4})?")
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_IPV6 = re.compile(r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}")
_VERSION_CONTEXT = re.compile(r"(?:\b(?:version|release|firmware|build|update|section|chapter|oid)\W{0,3}|\bv\.? ?)\Z", re.I)
_PHONE_NANP = re.compile(
    r"(?:\+?1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}"
)
_PHONE_E164 = re.compile(r"\+[1-9][0-9]{0,3}(?:[ .-]?\(?[0-9]{1,5}\)?){1,6}")
_KEYS = re.compile(
    r"sk-[A-Za-z0-9_-]{20,200}|(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{22,255}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,250}|AIza[0-9A-Za-z_-]{35}|[rs]k_(?:live|test)_[0-9A-Za-z]{16,99}"
    r"|glpat-[0-9A-Za-z_-]{20,64}|npm_[A-Za-z0-9]{36}|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"
    r"|hf_[A-Za-z0-9]{30,40}|pypi-[A-Za-z0-9_-]{60,250}"
)
_KEY_HINTS = ("sk-", "AKIA", "ASIA", "gh", "xox", "AIza", "k_", "glpat-", "npm_", "SG.", "hf_", "pypi-")
_PLACEHOLDER = re.compile(r"x{5}|X{5}|\*{4}|\.{3}|your|YOUR|0{8}|1234567890abcdef", re.NOFLAG)

# Issuer ranges by leading digits: (first, last, lengths). Sources: ISO/IEC 7812 ranges as the card brands publish them.
_ISSUERS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("4", "4", (13, 16, 19)),
    ("51", "55", (16,)),
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),
    ("37", "37", (15,)),
    ("6011", "6011", (16, 19)),
    ("644", "659", (16, 19)),
    ("300", "305", (14,)),
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("3528", "3589", (16, 17, 18, 19)),
    ("62", "62", (16, 17, 18, 19)),
    ("5018", "5018", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6759", "6763", (12, 13, 14, 15, 16, 17, 18, 19)),
)
_CARD_GROUPS = ((4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 4, 1))

Span = tuple[int, int]


def _glued(text: str, start: int, end: int, joiners: str) -> bool:
    """True if the span is part of a longer token: a word character beside it, or a joiner and then one."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before and (before[-1].isalnum() or before[-1] == "_"):
        return True
    if after and (after[0].isalnum() or after[0] == "_"):
        return True
    if len(before) == 2 and before[1] in joiners and before[0].isalnum():
        return True
    return len(after) == 2 and after[0] in joiners and after[1].isalnum()


def _emails(text: str) -> Iterator[Span]:
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        local, _, domain = match[0].partition("@")
        owner = domain.rsplit(".", 2)[-2]
        if owner.rstrip("x").isdigit() or (local == "git" and text[match.end() : match.end() + 1] == ":"):
            continue  # logo@2x.png, numpy@1.26.post, git@host.org:team/repo
        start = match.start() + len(match[0]) - len(match[0].lstrip("'"))
        if not (text[match.end() : match.end() + 1].isalnum() or ".." in local):
            yield start, match.end()


def _cards(text: str) -> Iterator[Span]:
    for match in _CARD.finditer(text):
        groups = re.split("[ -]", match[0])
        digits = "".join(groups)
        separators = set(match[0]) & {" ", "-"}
        if len(separators) > 1 or (separators and tuple(map(len, groups)) not in _CARD_GROUPS):
            continue
        issued = any(first <= digits[: len(first)] <= last and len(digits) in sizes for first, last, sizes in _ISSUERS)
        if issued and _luhn.is_valid(digits) and len(set(digits)) > 2 - (digits[0] == "4"):
            joiners = ".-/+:#" if not separators else ".-/+#"
            if not _glued(text, match.start(), match.end(), joiners) and not _more_digits(text, match):
                yield match.start(), match.end()


def _more_digits(text: str, match: re.Match[str]) -> bool:
    """True if the grouped digits go on: 4111 1111 1111 1111 2222 is another kind of number."""
    return " " in match[0] and (
        re.match(r" [0-9]{3}", text[match.end() : match.end() + 4]) is not None
        or re.search(r"[0-9]{3} \Z", text[max(0, match.start() - 4) : match.start()]) is not None
    )


def _ssns(text: str) -> Iterator[Span]:
    for match in _SSN.finditer(text):
        digits = match[0].replace("-", "").replace(" ", "")
        area, group, serial = digits[:3], digits[3:5], digits[5:]
        if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
            continue
        bare_or_spaced = "-" not in match[0]
        if bare_or_spaced and not _SSN_CONTEXT.search(text, max(0, match.start() - 40), match.start()):
            continue
        if not _glued(text, match.start(), match.end(), ".-/+"):
            yield match.start(), match.end()


def _ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        if _glued(text, match.start(), match.start() + 1, "") and match.start() and text[match.start() - 1].isalnum():
            continue
        found = match[0]
        while len(found) >= 15:  # words that follow in capitals are no part of it
            compact = found.replace(" ", "").replace("-", "")
            end = match.start() + len(found)
            if not text[end : end + 1].isalnum() and _iban.is_valid(compact, check_country=False):
                yield match.start(), end
                break
            cut = max(found.rfind(" "), found.rfind("-"))
            if cut < 0:
                break
            found = found[:cut]


def _ips(text: str) -> Iterator[Span]:
    for pattern, gate, joiners in ((_IPV4, ".", ".-/@"), (_IPV6, ":", ":.")):
        if gate not in text:
            continue
        for match in pattern.finditer(text):
            if not _glued_ip(text, match, joiners) and _is_address(match[0]):
                if gate == "." and _VERSION_CONTEXT.search(text, max(0, match.start() - 16), match.start()):
                    continue
                yield match.start(), match.end()


def _glued_ip(text: str, match: re.Match[str], joiners: str) -> bool:
    after = text[match.end() : match.end() + 1]
    joined = joiners.replace("/", "") if after == "/" else joiners  # 10.0.0.0/8 and http://10.1.2.3/path
    before = text[max(0, match.start() - 2) : match.start()]
    if before.endswith("/") and not before.startswith("/"):
        return True
    return _glued(text, match.start(), match.end(), joined.replace("@", ""))


def _is_address(candidate: str) -> bool:
    groups = [group for group in candidate.split(":") if group]
    if ":" in candidate and (len(groups) < 3 or not any(map(str.isdigit, candidate))):
        return False  # a clock time, or code such as abc::def
    try:
        address = ipaddress.ip_address(candidate)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or candidate.endswith("255.255"))


def _phones(text: str) -> Iterator[Span]:
    for match in _PHONE_NANP.finditer(text):
        digits = "".join(filter(str.isdigit, match[0]))[-10:]
        service = digits[1:3] == "11" or digits[4:6] == "11"
        if not service and not _glued(text, match.start(), match.end(), "-./+") and text[match.start() - 1 : match.start()] != "+":
            yield match.start(), match.end()
    if "+" not in text:
        return
    for match in _PHONE_E164.finditer(text):
        found = match[0].rstrip(" .-(")
        digits = "".join(filter(str.isdigit, found))
        start, end = match.start(), match.start() + len(found)
        separated = len(found) > len(digits) + 1
        shortest = 9 if separated else 10
        if digits[0] == "1":
            plausible = len(digits) == 11 and digits[1] in "23456789" and digits[4] in "23456789"
        else:
            plausible = shortest <= len(digits) <= 15
        if plausible and len(set(digits[2:])) > 2 and not _glued(text, start, end, "-./+*=,:"):
            yield start, end


def _keys(text: str) -> Iterator[Span]:
    if not any(map(text.__contains__, _KEY_HINTS)):
        return
    for match in _KEYS.finditer(text):
        found = match[0].rstrip("-_")
        secret = max(re.split(r"[-_.]", found), key=len)
        mixed = any(map(str.isdigit, secret)) and any(map(str.isalpha, secret))
        if len(secret) < 10 or not mixed or len(set(secret)) < 8 or _PLACEHOLDER.search(found):
            continue
        before = text[match.start() - 1 : match.start()] if match.start() else ""
        if not (before.isalnum() or before in ("-", "_")):
            yield match.start(), match.start() + len(found)


_DETECTORS: dict[str, Callable[[str], Iterator[Span]]] = {
    "API_KEY": _keys,
    "CREDIT_CARD": _cards,
    "EMAIL": _emails,
    "IBAN": _ibans,
    "IP_ADDRESS": _ips,
    "PHONE": _phones,
    "US_SSN": _ssns,
}
ENTITIES = tuple(_DETECTORS)


@dataclass(frozen=True, slots=True)
class PiiRedact:
    """Finds personal data and credentials; what is found carries its placeholder, ``<EMAIL>`` by default.

    ``entities``: which kinds, all by default. ``action``: sanitize, deny or warn; without it the guardrail decides.
    ``allowlist``: known-good tokens; what lies wholly inside one is never a finding.
    ``placeholder``: the replacement, with ``{entity}`` for the kind.
    """

    entities: tuple[str, ...] = ENTITIES
    action: Literal["sanitize", "deny", "warn"] | None = None
    allowlist: tuple[str, ...] = ()
    placeholder: str = "<{entity}>"
    id: ClassVar[str] = "pii_redact"
    rewrites: ClassVar[str] = "spans"

    def __post_init__(self) -> None:
        if not self.entities:
            raise ConfigError("entities is empty: nothing would be found")
        for entity in self.entities:
            if entity not in _DETECTORS:
                raise ConfigError(unknown("entity", entity, ENTITIES))
        if "" in self.allowlist:
            raise ConfigError("allowlist has an empty entry")

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return a finding per value, with its span and placeholder."""
        return [finding for text in texts for finding in self._of(text)]

    def _of(self, text: Text) -> Iterator[Finding]:
        said = text.text
        if not any(map(said.__contains__, "@0123456789")):
            return  # every entity needs one of these: most messages stop here
        allowed = [span for entry in self.allowlist for span in _occurrences(said, entry)]
        action = Action(self.action) if self.action else None
        for entity in self.entities:
            for start, end in _DETECTORS[entity](said):
                if not any(first <= start and end <= last for first, last in allowed):
                    yield Finding(
                        entity,
                        "credential" if entity == "API_KEY" else "pii",
                        message_index=text.message_index,
                        field=text.field,
                        start=start,
                        end=end,
                        replacement=self.placeholder.replace("{entity}", entity),
                        action=action,
                    )


def _occurrences(text: str, entry: str) -> Iterator[Span]:
    start = text.find(entry)
    while start >= 0:
        yield start, start + len(entry)
        start = text.find(entry, start + 1)
