"""Known-good tokens: what lies wholly inside one is never a finding, and none can swallow more than itself."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The parser of `re` has no public name; what it says of widths and operators is stable since Python 3.11.
from re import _constants as sre  # type: ignore[attr-defined]  # isort: skip
from re import _parser as sre_parser  # type: ignore[attr-defined]  # isort: skip

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Finding, Text

KEYS = ("literal", "pattern", "ignore_case")
LONGEST = 200
MOST_WAYS = 2_000
Entry = str | Mapping[str, Any]
Places = Sequence[tuple[int, int, int]]

_PROBES = ("jane.doe@example.org", "4111 1111 1111 1111", "219-09-9999", "hello there", "Zq7pL0xW2mB4kR9t")
_REFUSED = {
    sre.ASSERT: "lookaround", sre.ASSERT_NOT: "lookaround", sre.GROUPREF: "a backreference",
    sre.GROUPREF_EXISTS: "a condition",
}  # fmt: skip
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)


@dataclass(frozen=True, slots=True)
class Allowlist:
    """Entries of one check, ready to search with: each is a literal text, or a pattern of bounded length.

    A literal is found anywhere, with ``ignore_case`` in any case. A pattern must match a whole token: no letter, digit
    or underscore may touch it.
    """

    patterns: tuple[re.Pattern[str], ...] = ()
    whole: tuple[bool, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Allowlist:
        """Read entries: a text, or a mapping with ``literal`` or ``pattern`` and perhaps ``ignore_case``.

        Raises:
            ConfigError: for an entry that is empty, could match everything, or could take more than linear time.
        """
        if isinstance(entries, str):
            raise ConfigError("allowlist is a list of entries")
        read = [_read(entry) for entry in entries]
        return cls(tuple(pattern for pattern, _ in read), tuple(whole for _, whole in read))

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def places(self, text: str) -> Places:
        """Return (start, reach, entry) wherever an entry stands in ``text``, by start.

        ``reach`` is the furthest end of any place so far, and ``entry`` the index of the entry that has it.
        """
        found = sorted(
            (*match.span(), index)
            for index, pattern in enumerate(self.patterns)
            for match in _overlapping(pattern, text)
            if not (self.whole[index] and _touched(text, *match.span()))
        )
        furthest = itertools.accumulate(found, _further)
        return [(place[0], best[1], best[2]) for place, best in zip(found, furthest, strict=True)]


def _further(best: tuple[int, int, int], place: tuple[int, int, int]) -> tuple[int, int, int]:
    return place if place[1] > best[1] else best


def covering(places: Places, start: int, end: int) -> int | None:
    """Return the index of an entry inside one of whose places ``start:end`` lies wholly, or None."""
    before = bisect.bisect_right(places, start, key=lambda place: place[0])
    if before == 0 or places[before - 1][1] < end:
        return None
    return places[before - 1][2]


def kept(found: Iterable[tuple[Finding, int | None]]) -> list[Finding]:
    """Return the findings that no entry took away."""
    return [finding for finding, entry in found if entry is None]


def counted(found: Iterable[tuple[Finding, int | None]]) -> dict[int, int]:
    """Return how many findings each entry took away."""
    counts: dict[int, int] = {}
    for _, entry in found:
        if entry is not None:
            counts[entry] = counts.get(entry, 0) + 1
    return counts


def shown_entries(allowlist: Sequence[Entry]) -> tuple[str, ...]:
    """Return entries as the user wrote them, a pattern between slashes."""
    return tuple(
        entry if isinstance(entry, str) else str(entry.get("literal") or f"/{entry.get('pattern')}/")
        for entry in allowlist
    )


def places_in(allowlist: Allowlist, text: Text) -> Places:
    """Return where entries stand in a text; none where there is no entry."""
    return allowlist.places(text.text) if allowlist else []


def _read(entry: Entry) -> tuple[re.Pattern[str], bool]:
    given: Mapping[str, Any] = {"literal": entry} if isinstance(entry, str) else entry
    if not isinstance(given, Mapping):
        raise ConfigError(f"an allowlist entry is a text or a mapping, not {type(entry).__name__}")
    for key in given:
        if key not in KEYS:
            raise ConfigError(unknown("key in an allowlist entry", key, KEYS))
    if ("literal" in given) is ("pattern" in given):
        raise ConfigError("an allowlist entry has literal or pattern, one of the two")
    ignore_case = given.get("ignore_case", False)
    if not isinstance(ignore_case, bool):
        raise ConfigError(f"ignore_case is true or false, not {ignore_case!r}")
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    key = "literal" if "literal" in given else "pattern"
    text = given[key]
    if not isinstance(text, str):
        raise ConfigError(f"{key} of an allowlist entry is a text; in YAML, quote it")
    if not text.strip():
        raise ConfigError("allowlist has an empty entry")
    return (re.compile(re.escape(text), flags), False) if key == "literal" else (_safe(text, flags), True)


def _safe(pattern: str, flags: re.RegexFlag) -> re.Pattern[str]:
    """Compile a pattern that matches bounded tokens in linear time, and not just anything."""
    try:
        parsed = sre_parser.parse(pattern, flags)
        compiled = re.compile(pattern, flags)
    except (re.error, OverflowError, RecursionError) as exc:
        raise ConfigError(f"allowlist pattern {pattern!r} is no regular expression: {exc}") from None
    if (ways := _ways(parsed, pattern)) > MOST_WAYS:
        raise ConfigError(
            f"allowlist pattern {pattern!r} could be tried in {ways:,} ways at each letter of a text, more than "
            f"{MOST_WAYS:,}: a text made for that would take for ever. Give its repeats fewer choices"
        )
    shortest, longest = parsed.getwidth()
    if longest > LONGEST:
        raise ConfigError(
            f"allowlist pattern {pattern!r} can match more than {LONGEST} characters: bound its repeats, as in {{1,16}}"
        )
    if shortest == 0 or sum(compiled.fullmatch(probe) is not None for probe in _PROBES) > 1:
        raise ConfigError(f"allowlist pattern {pattern!r} matches nearly anything: say what the good token looks like")
    return compiled


def _ways(parsed: Any, pattern: str) -> int:
    """Return in how many ways a pattern could be tried from one place, at most: what backtracking can cost there.

    Raises:
        ConfigError: for what has no such bound.
    """
    ways = 1
    for operator, argument in parsed:
        if operator in _REFUSED:
            raise ConfigError(f"allowlist pattern {pattern!r} has {_REFUSED[operator]}: such a search has no bound")
        if operator in _REPEATS:
            low, high, inner = argument
            if high > LONGEST:
                raise ConfigError(
                    f"allowlist pattern {pattern!r} can match more than {LONGEST} characters: bound its repeats, as in "
                    "{1,16}"
                )
            ways *= (high - low + 1) * _ways(inner, pattern) ** high
        elif operator is sre.SUBPATTERN:
            ways *= _ways(argument[-1], pattern)
        elif operator is sre.ATOMIC_GROUP:
            ways *= _ways(argument, pattern)
        elif operator is sre.BRANCH:
            ways *= sum(_ways(branch, pattern) for branch in argument[1])
    return ways


def _overlapping(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    position = 0
    while match := pattern.search(text, position):
        yield match
        position = match.start() + 1


def _touched(text: str, start: int, end: int) -> bool:
    """True if a letter, digit or underscore stands directly before or after."""
    return any(letter.isalnum() or letter == "_" for letter in (text[max(0, start - 1) : start], text[end : end + 1]))
