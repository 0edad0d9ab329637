"""Payment cards, US social security numbers and IBANs: iterators of spans."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterator, Sequence

from stdnum import iban as _iban
from stdnum import luhn as _luhn

from pytest_guardrails.checks._spans import WORD, Span, follows, glued, in_path

# --- CREDIT_CARD: issuer range, length, Luhn, and one consistent grouping.

_DIGITS = re.compile(r"[0-9]+")
_FOUR_DIGITS = re.compile(r"[0-9]{4}")
_CARD_CONTEXT = re.compile(r"\b(?:cards?|visa|maestro|cc|pan)\b", re.IGNORECASE)
_CARD_GROUPS = ((4, 4, 4, 4, 3), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 3), (4, 4, 4, 2), (4, 4, 4, 1))
_MAESTRO = tuple(range(12, 20))
# (first, last, lengths) of the leading digits: ISO/IEC 7812 ranges as the card brands publish them.
_ISSUERS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),
    ("300", "305", (14,)),  # Diners Club
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("2200", "2204", (16,)),  # Mir
    ("5018", "5020", _MAESTRO),
    ("5038", "5038", _MAESTRO),
    ("5893", "5893", _MAESTRO),
    ("6304", "6304", _MAESTRO),
    ("6759", "6763", _MAESTRO),
)


def cards(text: str) -> Iterator[Span]:
    runs = [match.span() for match in _DIGITS.finditer(text)]
    for index, (start, end) in enumerate(runs):
        size = end - start
        layouts = _CARD_GROUPS if size == 4 else ((size,),) if 12 <= size <= 19 else ()
        for layout in layouts:
            group = runs[index : index + len(layout)]
            if _laid_out(text, group, layout) and _is_card(text, start, group[-1][1]):
                yield start, group[-1][1]
                break


def _laid_out(text: str, runs: Sequence[Span], layout: tuple[int, ...]) -> bool:
    """True if the runs of digits have these sizes and one and the same separator."""
    separators = {text[first[1] : second[0]] for first, second in itertools.pairwise(runs)}
    return tuple(end - start for start, end in runs) == layout and (not separators or separators in _SEPARATORS)


_SEPARATORS = ({" "}, {"-"}, {"."})


def _is_card(text: str, start: int, end: int) -> bool:
    digits = "".join(filter(str.isdigit, text[start:end]))
    issued = any(first <= digits[: len(first)] <= last and len(digits) in sizes for first, last, sizes in _ISSUERS)
    if not issued or len(set(digits)) == 1 or not _luhn.is_valid(digits):
        return False
    if end - start < 14 and not follows(_CARD_CONTEXT, text, start):
        return False  # 12 and 13 bare digits are more often an article number or milliseconds
    if end - start > len(digits) and _FOUR_DIGITS.fullmatch(text, max(0, start - 5), max(0, start - 1)):
        return False  # a longer series of groups
    return not glued(text, start, end) and text[start - 1 : start] != "+" and not in_path(text, start)


# --- US_SSN

_SSN = re.compile(r"[0-9]{3}(?:-[0-9]{2}-[0-9]{4}| [0-9]{2} [0-9]{4}|\.[0-9]{2}\.[0-9]{4}|[0-9]{6})")
_SSN_CONTEXT = re.compile(r"(?:\b|_)(?:ssns?|ss ?#|soc(?:ial)?[ ._-]?sec(?:urity)?|my social)(?:\b|_)", re.IGNORECASE)


def ssns(text: str) -> Iterator[Span]:
    for match in _SSN.finditer(text):
        digits = "".join(filter(str.isdigit, match[0]))
        area, group, serial = digits[:3], digits[3:5], digits[5:]
        if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
            continue
        if "-" not in match[0] and not _ssn_said(text, *match.span()):
            continue
        if not glued(text, *match.span()) and not in_path(text, match.start()):
            yield match.span()


def _ssn_said(text: str, start: int, end: int) -> bool:
    return follows(_SSN_CONTEXT, text, start) or _SSN_CONTEXT.search(text, end, end + 30) is not None


# --- IBAN: every start is tried on its own, and words that follow are cut off until the checksum holds.

_IBAN_START = re.compile(r"[A-Za-z]{2}[0-9]{2}")
_BASE_36 = {ord(letter): str(value) for value, letter in enumerate(string.ascii_uppercase, 10)}
_IBAN_REST = re.compile(r"(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,4})?")


def ibans(text: str) -> Iterator[Span]:
    for head in _IBAN_START.finditer(text):
        rest = _IBAN_REST.match(text, head.end())
        if rest and text[head.start() - 1 : head.start()] not in WORD:
            end = _iban_end(text, head.start(), rest.end())
            if end:
                yield head.start(), end


def _iban_end(text: str, start: int, end: int) -> int:
    """Return where a valid IBAN that starts here ends, at ``end`` or at a separator before it; 0 if there is none."""
    while end - start >= 15:
        compact = text[start:end].replace(" ", "").replace("-", "")
        if text[end : end + 1] not in WORD and _is_iban(compact.upper()):
            return end
        end = max(text.rfind(" ", start, end), text.rfind("-", start, end))
    return 0


def _is_iban(compact: str) -> bool:
    """True for an IBAN of a known country; the checksum comes first, because it refuses almost everything at once."""
    checked = int((compact[4:] + compact[:4]).translate(_BASE_36)) % 97 == 1
    return checked and bool(_iban.is_valid(compact, check_country=False))
