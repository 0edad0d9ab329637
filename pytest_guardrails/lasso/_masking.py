"""Which masking changes which text: by the masked copy of ``/classifix`` where it differs, else by spans."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from operator import eq
from typing import Any, TypeGuard

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Finding, Message, Scope
from pytest_guardrails._texts import replaced, texts_in_scope, with_texts
from pytest_guardrails.lasso._answer import AUTO_MASKING, Conflict, LassoAnswer, LassoFinding
from pytest_guardrails.lasso._offsets import OffsetUnit, Ruler
from pytest_guardrails.lasso._request import Sent

_ALL = Scope()
_EDIT = Finding("Masked", "LASSO", vendor_action=AUTO_MASKING)
_SINGLE_UNITS = ("characters", "utf16", "utf8")


def masked(
    answer: LassoAnswer, messages: Iterable[Message | Mapping[str, Any] | str], *, offsets: OffsetUnit = "cover"
) -> tuple[Message, ...]:
    """Return ``messages``, which were sent for ``answer``, with every AUTO_MASKING applied.

    Raises:
        ConfigError: for an unknown unit of ``offsets``, or messages that were not sent for this answer.
    """
    out = [Message.of(message) for message in messages]
    edits: dict[int, dict[str, list[Finding]]] = {}
    for _, found in maskings(answer, ("messages", "spans"), offsets):
        for edit in found:
            edits.setdefault(edit.message_index, {}).setdefault(edit.field, []).append(edit)
    for index, by_field in edits.items():
        texts = {text.field: text.text for text in texts_in_scope(tuple(out[index : index + 1]), _ALL)}
        if not by_field.keys() <= texts.keys():
            raise ConfigError("these are not the messages that were sent for this answer")
        out[index] = with_texts(out[index], {name: replaced(texts[name], by_field[name]) for name in by_field})
    return tuple(out)


def maskings(
    answer: LassoAnswer, masks: Collection[str], unit: str
) -> Iterator[tuple[LassoFinding | None, list[Finding]]]:
    """Yield each AUTO_MASKING finding with the edits that apply it, none where it cannot be placed.

    ``masks`` are the sources: "messages", "spans". What the masked copy changes and no finding claims comes with None.
    """
    copies = _copies(answer) if "messages" in masks else {}
    rulers = {index: ruler for index in copies if (ruler := _explaining(answer, index))}
    claimed: set[int] = set()
    for finding in answer.findings:
        if finding.action != AUTO_MASKING:
            continue
        anywhere = finding.message_index is None and finding.start is None
        edits: list[Finding] = []
        for index in list(copies) if anywhere else [finding.message_index or 0]:
            spans = index in rulers if index in copies else "spans" in masks
            if finding.start is not None and spans and index < len(answer.sent):
                edits += placed(replace(_EDIT, replacement=placeholder(finding)), finding, answer.sent, unit, rulers)
            elif index in copies:
                edits += copies[index]
            if index in copies:
                claimed.add(index)
        yield finding, edits
    for index in copies.keys() - claimed:
        yield None, copies[index]


def placed(
    base: Finding, finding: LassoFinding, sent: tuple[Sent, ...], unit: str, rulers: dict[int, Ruler]
) -> Iterator[Finding]:
    """Yield ``base`` at each text that the finding points at: by its span, or at the first text of its message.

    A span of a tool call covers each of its texts whole. ``rulers`` are kept for the next finding.
    """
    index = finding.message_index or 0
    if index >= len(sent):
        return
    entry = sent[index]
    start, end = finding.start, finding.end
    if start is None or end is None:
        yield from (replace(base, message_index=entry.message_index, field=part.field) for part in entry.segments[:1])
    elif entry.text is None:
        for part in entry.segments:
            yield _at(base, entry, part.field, 0, part.end)
    else:
        ruler = rulers.get(index) or rulers.setdefault(index, Ruler.of(entry.text, unit))
        if span := ruler.span(start, end):
            for part in entry.segments:
                first, last = max(span[0], part.start), min(span[1], part.end)
                if first < last:
                    yield _at(base, entry, part.field, first - part.start, last - part.start)


def placeholder(finding: LassoFinding) -> str:
    """Return what replaces a value: Lasso's mask, else ``<NAME>`` from the finding's name, else ``<REDACTED>``."""
    if finding.mask is not None:
        return finding.mask
    name = re.sub(r"[^A-Z0-9]+", "_", (finding.name or "").upper()).strip("_")
    return f"<{name}>" if 0 < len(name) <= 64 else "<REDACTED>"


def compared(answer: LassoAnswer, sent: tuple[Sent, ...], unit: str) -> LassoAnswer:
    """Return the answer with what was sent for it, and a conflict for each finding that points outside of it."""
    conflicts = list(answer.conflicts)
    rulers: dict[int, Ruler] = {}
    for finding in answer.findings:
        index = finding.message_index or 0
        if finding.message_index is not None and index >= len(sent):
            conflicts.append(Conflict("unusable_span", "a finding points at a message that was not sent"))
        elif finding.end is not None and index < len(sent) and (text := sent[index].text) is not None:
            ruler = rulers.get(index) or rulers.setdefault(index, Ruler.of(text, unit))
            if not ruler.holds(finding.end):
                conflicts.append(Conflict("unusable_span", "a finding ends beyond its message"))
    return replace(answer, sent=sent, conflicts=tuple(conflicts))


def _copies(answer: LassoAnswer) -> dict[int, list[Finding]]:
    """Return, by the index of the message as sent, what the masked copy changes; a copy of another length says nothing.

    TrueFoundry shows copies that are not masked: masked means that the text differs.
    """
    messages = answer.messages or ()
    if len(messages) != len(answer.sent):
        return {}
    pairs = zip(answer.sent, messages, strict=True)
    edits = {index: list(_differences(entry, message)) for index, (entry, message) in enumerate(pairs)}
    return {index: found for index, found in edits.items() if found}


def _differences(entry: Sent, message: Any) -> Iterator[Finding]:
    came = message.get("content") if isinstance(message, Mapping) else None
    content = entry.wire["content"]
    if entry.text is None:
        if _is_same_block(came, content) and isinstance(came.get("input"), Mapping):
            old, new = entry.inputs(content["input"]), entry.inputs(came["input"])
            for part in entry.segments:
                if new.get(part.field) != old[part.field]:
                    edit = replace(_EDIT, replacement=new.get(part.field, "<REDACTED>"))
                    yield _at(edit, entry, part.field, 0, part.end)
    elif (text := _text_of(content, came)) is not None and text != entry.text:
        yield from _spliced(entry, entry.text, text)


def _text_of(content: Any, came: Any) -> str | None:
    """Return the text that came back for what was sent, None where the two are not of one shape."""
    if not isinstance(content, str):
        came = came.get("content") if _is_same_block(came, content) else None
    return came if isinstance(came, str) else None


def _is_same_block(came: Any, content: Mapping[str, Any]) -> TypeGuard[Mapping[str, Any]]:
    keys = ("type", "tool_use_id" if content["type"] == "tool_result" else "id")
    return isinstance(came, Mapping) and all(came.get(key) == content[key] for key in keys)


def _spliced(entry: Sent, old: str, new: str) -> Iterator[Finding]:
    """Yield the edits that make ``new`` of ``old``, one per segment: line by line where the lines still match up."""
    if len(entry.segments) > 1 and old.count("\n") == new.count("\n"):
        lines, position = new.split("\n"), 0
        for part in entry.segments:
            was = old[part.start : part.end]
            height = was.count("\n") + 1
            now = "\n".join(lines[position : position + height])
            position += height
            if was != now:
                start, end, inserted = _splice(was, now)
                yield _at(replace(_EDIT, replacement=inserted), entry, part.field, start, end)
        return
    start, end, inserted = _splice(old, new)
    for part in entry.segments:
        first, last = max(start, part.start), min(end, part.end)
        if first < last:
            yield _at(replace(_EDIT, replacement=inserted), entry, part.field, first - part.start, last - part.start)
            inserted = ""  # the rest of the splice goes, and its text is there once


def _splice(old: str, new: str) -> tuple[int, int, str]:
    """Return the least ``start:end`` of ``old``, at least a character, and the text that makes it ``new``."""
    start = _alike(old, new)
    tail = min(_alike(reversed(old), reversed(new)), min(len(old), len(new)) - start)
    if start == len(old) - tail:  # something was only put in: a span has a character
        start, tail = (start, tail - 1) if tail else (start - 1, tail)
    return start, len(old) - tail, new[start : len(new) - tail]


def _alike(one: Iterable[str], other: Iterable[str]) -> int:
    """Return how many characters two texts start with in common."""
    return sum(1 for _ in takewhile(bool, map(eq, one, other)))


def _explaining(answer: LassoAnswer, index: int) -> Ruler | None:
    """Return the ruler under which the spans of a message make exactly its masked copy, if there is one.

    Then each finding keeps its own span; else all share what differs.
    """
    entry = answer.sent[index]
    messages = answer.messages or ()
    copy = _text_of(entry.wire["content"], messages[index].get("content"))
    if entry.text is None or copy is None:
        return None
    found = [f for f in answer.findings if f.action == AUTO_MASKING and (f.message_index or 0) == index]
    for unit in _SINGLE_UNITS:
        ruler = Ruler.of(entry.text, unit)
        spans = [
            (finding, ruler.span(finding.start, finding.end or 0)) for finding in found if finding.start is not None
        ]
        edits = [replace(_EDIT, start=s[0], end=s[1], replacement=placeholder(f)) for f, s in spans if s]
        if edits and replaced(entry.text, edits) == copy:
            return ruler
    return None


def _at(base: Finding, entry: Sent, field: str, start: int, end: int) -> Finding:
    return replace(base, message_index=entry.message_index, field=field, start=start, end=end)
