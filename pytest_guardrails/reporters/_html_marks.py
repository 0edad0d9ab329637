"""Where in a text something was found, and what became of the text: parts that the page shows in their own way.

Offsets count characters of the original text. The outline of a masked text has as many, letter for letter, up to where
it is cut; so that what was found can be shown on it. A text in which the offsets cannot be right is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_guardrails._texts import merged

SAME, FOUND, GONE, NEW = 0, 1, 2, 3
MOST_TEXT = 4_000
_MASKED = re.compile(r"«(.*) · (\d+) chars · #[0-9a-f]{8}»", re.DOTALL)

Row = dict[str, Any]
Part = tuple[int, str]
Place = tuple[int, int]  # number of a guardrail's result, number of a message


@dataclass(frozen=True, slots=True)
class Surface:
    """The part of a shown text whose characters are those that offsets count; ``cut`` where there were more."""

    before: str
    body: str
    after: str
    cut: bool = False

    def around(self, parts: Iterable[Part]) -> list[Part]:
        """Return the parts with what stands before and after them."""
        return [part for part in ((SAME, self.before), *parts, (SAME, self.after)) if part[1]]


def surface(text: object, revealed: bool) -> Surface | None:
    """Return where offsets count in a text as the report has it; None where nobody can say."""
    if not isinstance(text, str):
        return None
    if revealed:
        return Surface("", text[:MOST_TEXT], _length(text), cut=len(text) > MOST_TEXT)
    found = _MASKED.fullmatch(text)
    if found is None:
        return None
    body, length = found[1], int(found[2])
    if body.endswith("…") and len(body) <= length:
        return Surface("«", body[:-1], text[len(body) :], cut=True)
    return Surface("«", body, text[len(body) + 1 :]) if len(body) == length else None


@dataclass(slots=True)
class Reading:
    """What can be shown of a trace: per result and message what was found, per message what it became."""

    found: dict[Place, list[Part]] = field(default_factory=dict)
    sent: dict[int, list[Part]] = field(default_factory=dict)
    received: dict[int, list[Part]] = field(default_factory=dict)
    answered: dict[int, list[Part]] = field(default_factory=dict)


def read(trace: Row, revealed: bool) -> Reading:
    """Return what the findings of a trace say of its texts."""
    reading = Reading()
    calls = trace.get("upstream_requests") or ()
    results = list(enumerate(trace["results"]))
    before = [(number, result) for number, result in results if result["phase"] == "before_request"]
    received = calls[-1]["messages"] if calls else None
    for index, message in enumerate(trace["request"]["messages"]):
        got = received[index].get("content") if received is not None and index < len(received) else None
        _read_message(reading, index, message.get("content"), got, before, revealed)
    after = [(number, result) for number, result in results if result["phase"] != "before_request"]
    response = trace.get("response") or {"choices": ()}
    for index, choice in enumerate(response["choices"]):
        _read_choice(reading, index, choice.get("content"), after, revealed)
    return reading


def _spans(result: Row, index: int) -> list[tuple[int, Row]]:
    """Return the findings with a span in the content of a message, each with the number of its check."""
    return [
        (number, finding)
        for number, check in enumerate(result.get("checks", ()))
        for finding in check.get("findings", ())
        if finding.get("message_index", 0) == index and finding.get("field", "content") == "content"
        and isinstance(finding.get("start"), int) and isinstance(finding.get("end"), int)
    ]  # fmt: skip


def _rewrites(result: Row, index: int, revealed: bool) -> list[tuple[int, int, int, str]] | None:
    """Return (check, start, end, replacement) of what was rewritten; None where that cannot be followed."""
    made = []
    for number, check in enumerate(result.get("checks", ())):
        for finding in check.get("findings", ()):
            here = finding.get("message_index", 0) == index and finding.get("action") == "sanitize"
            if not here:
                continue
            if finding.get("field", "content") != "content" or finding.get("start") is None:
                return None
            replacement = str(finding.get("replacement") or "")
            shape = None if revealed else surface(replacement, revealed)
            made.append((number, finding["start"], finding["end"], shape.body if shape else replacement))
    return made


def _read_message(
    reading: Reading, index: int, content: object, got: object, results: Sequence[tuple[int, Row]], revealed: bool
) -> None:
    """Follow one message of the request through its guardrails."""
    base = surface(content, revealed)
    if base is None:
        reading.sent[index], reading.received[index] = coarse(content, got)
        return
    parts: list[Part] | None = [(SAME, base.body)]
    sure: dict[Place, list[Part]] = {}  # on the text as it was sent, whatever became of it
    found: dict[Place, list[Part]] = {}
    first = True
    for number, result in results:
        spans = _spans(result, index)
        rewrites = _rewrites(result, index, revealed)
        rewriter = min((check for check, *_ in rewrites or ()), default=None)
        if spans and parts is not None:
            found[number, index] = base.around(marked(_text(parts), (finding for _, finding in spans)))
        if spans and first:
            seen = [finding for check, finding in spans if rewriter is None or check <= rewriter]
            sure[number, index] = base.around(marked(base.body, seen))
        first = first and rewrites == []
        if rewrites != []:
            follow = parts is not None and rewrites is not None
            parts = rewritten(parts or [], [tuple(rest) for _, *rest in rewrites or ()]) if follow else None
    end = surface(got, revealed)
    agrees = parts is not None and end is not None and _same(_text(parts), base, end)
    if agrees and parts is not None and end is not None:
        reading.sent[index] = base.around(part for part in parts if part[0] != NEW)
        reading.received[index] = end.around(part for part in parts if part[0] != GONE)
    else:
        reading.sent[index], reading.received[index] = coarse(content, got)
    reading.found.update(found if agrees or first else sure)


def _same(text: str, base: Surface, end: Surface) -> bool:
    """True if a text that was followed is what arrived, as far as both can be seen."""
    if not (base.cut or end.cut):
        return text == end.body
    shorter = min(len(text), len(end.body))
    return text[:shorter] == end.body[:shorter]


def _read_choice(
    reading: Reading, index: int, content: object, results: Sequence[tuple[int, Row]], revealed: bool
) -> None:
    """Say where an answer was rewritten, or what was found in one that was not; the answer before that is not kept."""
    base = surface(content, revealed)
    rewrites = [_rewrites(result, index, revealed) for _, result in results]
    made = [rewrite for one in rewrites for rewrite in one or ()]
    if base is None or None in rewrites:
        return
    if not made:
        for number, result in results:
            if spans := _spans(result, index):
                reading.found[number, index] = base.around(marked(base.body, (finding for _, finding in spans)))
        return
    by_one = len({check for check, *_ in made}) == 1 and sum(bool(one) for one in rewrites) == 1
    parts = _inserted(base.body, merged([(start, end, new) for _, start, end, new in made])) if by_one else None
    if parts is not None:
        reading.answered[index] = base.around(parts)


def _inserted(body: str, spans: Iterable[tuple[int, int, str]]) -> list[Part] | None:
    """Return a rewritten text with its replacements told apart; None where they are not there."""
    parts: list[Part] = []
    position = shift = 0
    for start, end, replacement in spans:
        at = start + shift
        if not position <= at or body[at : at + len(replacement)] != replacement:
            return None
        parts += [(SAME, body[position:at]), (NEW, replacement)]
        position = at + len(replacement)
        shift += len(replacement) - (end - start)
    return [*parts, (SAME, body[position:])]


def marked(text: str, findings: Iterable[Row]) -> list[Part]:
    """Return a text with what was found told apart; findings that overlap become one."""
    parts: list[Part] = []
    position = 0
    for start, end, _ in merged((finding["start"], finding["end"], "") for finding in findings):
        parts += [(SAME, text[position:start]), (FOUND, text[start:end])]
        position = max(position, min(end, len(text)))
    return [*parts, (SAME, text[position:])]


def rewritten(parts: Iterable[Part], spans: Iterable[tuple[Any, ...]]) -> list[Part]:
    """Rewrite spans of the text that the parts make (without what is gone); what was there before stays, as gone."""
    waiting = merged(spans)
    out: list[Part] = []
    at = place = 0
    for kind, text in parts:
        rest = "" if kind == GONE else text
        if kind == GONE:
            out.append((kind, text))
        while rest:
            start, end, replacement = waiting[place] if place < len(waiting) else (at + len(rest), 0, "")
            if at < start:
                size = min(len(rest), start - at)
                out.append((kind, rest[:size]))
            else:
                size = min(len(rest), end - at)
                out += [(GONE, rest[:size])] if kind == SAME else []
                if at + size == end:
                    out.append((NEW, replacement))
                    place += 1
            at, rest = at + size, rest[size:]
    if place < len(waiting) and waiting[place][0] < at:  # the text was cut inside it
        out.append((NEW, waiting[place][2]))
    return out


def _text(parts: Iterable[Part]) -> str:
    return "".join(text for kind, text in parts if kind != GONE)


def coarse(before: object, after: object) -> tuple[list[Part], list[Part]]:
    """Return two texts as what they have in common at both ends and what is between; nothing for what is no text."""
    if not (isinstance(before, str) and isinstance(after, str)):
        return [], []
    before, after = clipped(before), clipped(after)
    if before == after:
        return [(SAME, before)], [(SAME, after)]
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    return (
        _three(before, start, len(before) - end, GONE),
        _three(after, start, len(after) - end, NEW),
    )


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike, by bisection."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one.startswith(other[:middle]) else (low, middle - 1)
    return low


def _three(text: str, start: int, end: int, kind: int) -> list[Part]:
    return [part for part in ((SAME, text[:start]), (kind, text[start:end]), (SAME, text[end:])) if part[1]]


def clipped(text: str) -> str:
    """Return the beginning of a long text, and how long it is."""
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}{_length(text)}"


def _length(text: str) -> str:
    return f"… ({len(text):,} characters)" if len(text) > MOST_TEXT else ""
