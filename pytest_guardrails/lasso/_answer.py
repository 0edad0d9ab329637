"""The body of an answer, whatever its bytes, to a typed value that keeps everything and says what is wrong with it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pytest_guardrails._codec import EMPTY, FrozenDict, freeze
from pytest_guardrails._texts import is_label
from pytest_guardrails.lasso._request import Sent

BLOCK = "BLOCK"
AUTO_MASKING = "AUTO_MASKING"
ACTIONS = (BLOCK, AUTO_MASKING, "WARN", "USER_ALERT", "ADMIN_ALERT", "OFF")

_WORDS = ("name", "category", "action", "severity", "mask")
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two parts of an answer that do not go together, or a part that cannot be used; ``kind`` is a fixed word."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class LassoFinding:
    """One finding as Lasso sent it; a field is None where it is absent or cannot be read, ``raw`` has all of them.

    ``message_index`` counts the messages as sent. ``start`` and ``end`` are half-open, in a unit that Lasso does not
    document: both or neither.
    """

    deputy: str
    name: str | None = None
    category: str | None = None
    action: str | None = None
    severity: str | None = None
    score: float | None = None
    message_index: int | None = None
    start: int | None = None
    end: int | None = None
    mask: str | None = None
    raw: FrozenDict = EMPTY


@dataclass(frozen=True, slots=True)
class LassoAnswer:
    """What Lasso said, whole.

    ``oddities`` are what makes it no verdict, ``conflicts`` what a reader should know; neither quotes a text of the
    body. ``messages`` is the copy that ``/classifix`` sends. ``called`` is False where there was no text to send.
    ``latency_s`` is what the answer took here, ``vendor_s`` what it took when it was recorded, None where nobody knows.
    """

    violations_detected: bool | None = None
    deputies: FrozenDict = EMPTY
    findings: tuple[LassoFinding, ...] = ()
    messages: tuple[Any, ...] | None = None
    raw: FrozenDict = EMPTY
    oddities: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    called: bool = True
    sent: tuple[Sent, ...] = field(default=(), repr=False)
    latency_s: float = field(default=0.0, compare=False)
    vendor_s: float | None = field(default=None, compare=False)

    @property
    def blocks(self) -> bool:
        """True if some finding asks for BLOCK, whatever ``violations_detected`` says."""
        return any(finding.action == BLOCK for finding in self.findings)

    @property
    def delivers_block(self) -> bool:
        """True if some finding asks for BLOCK and ``violations_detected`` is anything but false, empty or absent."""
        return bool(self.raw.get("violations_detected")) and self.blocks


def read_answer(body: bytes) -> LassoAnswer:
    """Read the body of an answer; total: whatever the bytes are, the result says what is wrong with them."""
    oddities: list[str] = []
    data = _parsed(body, oddities)
    if data is None:
        return LassoAnswer(oddities=tuple(oddities))
    raw: FrozenDict = freeze(data)
    conflicts: list[Conflict] = []
    violations = raw.get("violations_detected")
    if not isinstance(violations, bool):
        kind = f"is {_kind(violations)}, not a boolean" if "violations_detected" in raw else "is missing"
        oddities.append(f"violations_detected {kind}")
        violations = None
    deputies = raw.get("deputies", EMPTY)
    if not isinstance(deputies, Mapping):
        oddities.append(f"deputies is {_kind(deputies)}, not an object")
        deputies = EMPTY
    messages = raw.get("messages")
    if "messages" in raw and not isinstance(messages, tuple):
        oddities.append(f"messages is {_kind(messages)}, not a list")
        messages = None
    findings = tuple(_findings(raw, oddities, conflicts))
    conflicts += _disagreements(raw, findings)
    return LassoAnswer(violations, deputies, findings, messages, raw, tuple(oddities), tuple(conflicts))


def label(text: object) -> str | None:
    """Return ``text`` if it is a short label that may be published, else None: a vendor's name is never an error."""
    return text if is_label(text) else None


def _parsed(body: bytes, oddities: list[str]) -> dict[str, Any] | None:
    """Return the JSON object of the body, or None; what is wrong with it goes to ``oddities``."""
    repeated = False

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        out = dict(pairs)
        repeated = repeated or len(out) < len(pairs)
        return out

    try:
        data = json.loads(body.decode("utf-8"), object_pairs_hook=once, parse_constant=_refused, parse_float=_finite)
    except UnicodeDecodeError:
        oddities.append("the body is not UTF-8")
    except json.JSONDecodeError:
        oddities.append("the body is not JSON" if body.strip() else "the body is empty")
    except ValueError:
        oddities.append("the body has a number that JSON or Python has no word for")
    except RecursionError:
        oddities.append("the body is nested too deeply")
    else:
        if repeated:
            oddities.append("the body has an object with the same key twice")
        if not isinstance(data, dict):
            oddities.append(f"the body is {_kind(data)}, not an object")
        elif _is_deep(data):
            oddities.append("the body is nested too deeply")
        else:
            return data
    return None


def _refused(_constant: str) -> NoReturn:
    raise ValueError


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _is_deep(data: dict[str, Any]) -> bool:
    level: list[Any] = [data]
    for _ in range(_DEEPEST):
        level = [
            item
            for box in level
            for item in (box.values() if isinstance(box, dict) else box)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def _kind(value: object) -> str:
    """Name the JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    kinds = {str: "a string", int: "a number", float: "a number", tuple: "a list", list: "a list"}
    return kinds.get(type(value), "an object")


def _findings(raw: FrozenDict, oddities: list[str], conflicts: list[Conflict]) -> Iterator[LassoFinding]:
    by_deputy = raw.get("findings")
    if "findings" not in raw:
        oddities.append("findings is missing" + ("; it looks like v2" if "deputies_predictions" in raw else ""))
        return
    if not isinstance(by_deputy, Mapping):
        oddities.append(f"findings is {_kind(by_deputy)}, not an object")
        return
    for deputy, found in by_deputy.items():
        if not isinstance(found, tuple):
            oddities.append(f"the findings of {_named(deputy)} are {_kind(found)}, not a list")
            continue
        for item in found:
            if isinstance(item, Mapping):
                yield _finding(deputy, FrozenDict(item), oddities, conflicts)
            else:
                oddities.append(f"a finding of {_named(deputy)} is {_kind(item)}, not an object")


def _finding(deputy: str, raw: FrozenDict, oddities: list[str], conflicts: list[Conflict]) -> LassoFinding:
    action = raw.get("action")
    if action is None:
        conflicts.append(Conflict("missing_action", f"a finding of {_named(deputy)} has no action"))
    elif not isinstance(action, str):
        oddities.append(f"the action of a finding of {_named(deputy)} is {_kind(action)}, not a string")
    elif action not in ACTIONS:
        conflicts.append(Conflict("unknown_action", f"a finding of {_named(deputy)} has an unknown action"))
    wrong = [(key, "a string") for key in _WORDS if key != "action" and not isinstance(raw.get(key), str | None)]
    if raw.get("score") is not None and not _is_number(raw["score"]):
        wrong.append(("score", "a number"))
    for key, kind in wrong:
        said = f"the {key} of a finding of {_named(deputy)} is {_kind(raw[key])}, not {kind}"
        conflicts.append(Conflict("unusable_field", said))
    index, start, end = (raw.get(key) for key in ("message_index", "start", "end"))
    if problem := _span_problem(index, start, end):
        conflicts.append(Conflict("unusable_span", f"a finding of {_named(deputy)} has {problem}"))
        index = index if _is_count(index) else None
        start = end = None
    words = {key: raw[key] for key in _WORDS if isinstance(raw.get(key), str)}
    score = float(raw["score"]) if _is_number(raw.get("score")) else None
    return LassoFinding(deputy, **words, score=score, message_index=index, start=start, end=end, raw=raw)


def _span_problem(index: Any, start: Any, end: Any) -> str | None:
    if index is not None and not _is_count(index):
        return "a message_index that is no index"
    if start is None and end is None:
        return None
    if start is None or end is None:
        return "half a span"
    if not _is_count(start) or not _is_count(end):
        return "a span that is not of whole numbers from 0"
    return None if start < end else "a span that ends where it starts, or before"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _disagreements(raw: FrozenDict, findings: tuple[LassoFinding, ...]) -> Iterator[Conflict]:
    """Yield where the three parts of an answer contradict each other."""
    violations = bool(raw.get("violations_detected"))
    if violations and not findings:
        yield Conflict("violations_without_findings", "violations were detected, and no finding says which")
    if not violations and any(finding.action == BLOCK for finding in findings):
        yield Conflict("block_without_violations", "a finding says BLOCK, and violations_detected does not agree")
    deputies = raw.get("deputies")
    if not isinstance(deputies, Mapping):
        return
    found = {finding.deputy for finding in findings}
    for deputy, fired in deputies.items():
        if not isinstance(fired, bool):
            yield Conflict("unusable_field", f"deputy {_named(deputy)} is {_kind(fired)}, not a boolean")
        elif fired and deputy not in found:
            yield Conflict("deputy_without_finding", f"deputy {_named(deputy)} fired, and no finding is its own")
        elif not fired and deputy in found:
            yield Conflict("finding_without_deputy", f"deputy {_named(deputy)} has findings, and says it did not fire")


def _named(deputy: str) -> str:
    return repr(label(deputy)) if label(deputy) else "a deputy whose name is no label"
