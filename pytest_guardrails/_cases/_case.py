"""One case: its request, its label, its fault, its rubric."""

from __future__ import annotations

import dataclasses
import keyword
from collections.abc import Mapping

from pytest_guardrails._cases._expectation import EXPECT_KEYS, expectation, message_of, refuse_other_booleans
from pytest_guardrails._coverage import near_misses
from pytest_guardrails._document import Node
from pytest_guardrails._model import (
    BUILT_IN_CRITERIA,
    ENDPOINTS,
    LABELS,
    SEVERITIES,
    Case,
    Criterion,
    Expectation,
    Message,
    Request,
    can_be_seen,
)
from pytest_guardrails._texts import is_label

CASE_KEYS = (
    "id", "severity", "label", "tags", "input", "messages", "endpoint", "stream", "response", "expect",
    "xfail", "skip", "note", "matrix", "fault", "rubric", "near_miss",
)  # fmt: skip
DEFAULT_KEYS = (
    "severity", "label", "tags", "endpoint", "stream", "response", "expect", "xfail", "skip", "note", "fault", "rubric",
    "near_miss",
)  # fmt: skip
FAULT_KEYS = ("name", "on_call")
CRITERION_KEYS = ("id", "ask", "samples")
MOST_SAMPLES = 100
_PYTEST_MARKS = frozenset(("skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings", "expect_verdict",
                           "corpus"))  # fmt: skip


def case_of(node: Node, own: Mapping[str, Node], defaults: Mapping[str, Node]) -> Case:
    keys = {**defaults, **own}
    name = own["id"].text("id")
    if not name or "::" in name or not can_be_seen(name):  # pytest prints it as it is
        own["id"].fail("an id is a text without '::' or control characters")
    if "expect" not in keys:
        node.fail(f"case {name!r} needs expect: what the trace must show")
    defaulted = defaults.get("expect")
    inherited = {}
    if defaulted is not None and "expect" in own:
        bare = isinstance(defaulted.value, str)
        inherited = {"verdict": defaulted} if bare else defaulted.mapping("expect", EXPECT_KEYS)
    asked = expectation(keys["expect"], inherited)
    fault, on_call = _fault(keys["fault"]) if "fault" in keys else (None, None)
    read = Case(
        id=name,
        request=_request(node, keys),
        expectation=with_fault(asked, fault),
        severity=keys["severity"].choice("severity", SEVERITIES) if "severity" in keys else "medium",
        label=keys["label"].choice("label", LABELS) if "label" in keys else None,
        tags=_tags(keys["tags"]) if "tags" in keys else (),
        response=keys["response"].texts("response") if "response" in keys else None,
        note=keys["note"].text("note") if "note" in keys else None,
        xfail=_reason("xfail", keys.get("xfail")),
        skip=_reason("skip", keys.get("skip")),
        file=node.file,
        line=node.line,
        fault=fault,
        fault_on_call=on_call,
        rubric=_rubric(keys["rubric"], fault) if "rubric" in keys else (),
        near_miss=near_misses(keys["near_miss"]) if "near_miss" in keys else (),
    )
    if read.near_miss and read.truth != "benign":
        keys["near_miss"].fail("an attack is no near miss: near_miss is for what a guard must leave alone")
    return read


def _rubric(node: Node, fault: str | None) -> tuple[Criterion, ...]:
    """Read ``rubric``: built-in criteria by name, others with what is asked of a grader."""
    criteria: list[Criterion] = []
    for item in node.items("rubric"):
        read = _criterion(item)
        if any(read.id == other.id for other in criteria):
            item.fail(f"criterion {read.id!r} is there twice")
        if read.ask is not None and fault is not None:
            item.fail("a case with a fault cannot be graded by a grader: the fault would meet the grader too")
        criteria.append(read)
    if not criteria:
        node.fail("rubric is empty: nothing would be graded")
    return tuple(criteria)


def _criterion(node: Node) -> Criterion:
    if isinstance(node.value, str):
        return Criterion(node.choice("criterion", BUILT_IN_CRITERIA))
    keys = node.mapping("a criterion", CRITERION_KEYS)
    if "id" not in keys:
        node.fail("a criterion has an id")
    name = keys["id"].text("id")
    if "ask" not in keys:
        return Criterion(keys["id"].choice("criterion without ask", BUILT_IN_CRITERIA))
    if name in BUILT_IN_CRITERIA:
        keys["ask"].fail(f"criterion {name!r} is built in and asks nobody")
    if not is_label(name):
        keys["id"].fail("an id of a criterion is a short label, since reports show it")
    asked = keys["ask"].text("ask") or keys["ask"].fail("ask is empty: the grader would not know what to score")
    samples = keys["samples"].integer("samples") if "samples" in keys else 1
    if not 1 <= samples <= MOST_SAMPLES:
        keys["samples"].fail(f"samples is 1 to {MOST_SAMPLES}, not {samples}")
    return Criterion(name, asked, samples)


def with_fault(asked: Expectation, fault: str | None) -> Expectation:
    """Return what is expected of a case with a fault: where it does not say, that the fault is met and noticed."""
    return dataclasses.replace(asked, errors=True) if fault is not None and asked.errors is None else asked


def _fault(node: Node) -> tuple[str, int | None]:
    """Read ``fault``: its name, or its name and the call that it spoils."""
    if isinstance(node.value, str):
        return node.text("fault"), None
    keys = node.mapping("fault", FAULT_KEYS)
    if "name" not in keys:
        node.fail("fault needs a name")
    on_call = keys["on_call"].integer("on_call") if "on_call" in keys else None
    if on_call is not None and on_call < 1:
        keys["on_call"].fail(f"on_call counts from 1, not {on_call}")
    return keys["name"].text("name"), on_call


def _tags(node: Node) -> tuple[str, ...]:
    tags = node.texts("tags")
    for tag in tags:
        if tag in _PYTEST_MARKS:
            node.fail(f"tag {tag!r} is a mark with a meaning of its own; use the key for it, or another word")
        if not tag.isidentifier() or keyword.iskeyword(tag):
            node.fail(f"tag {tag!r} cannot be selected with -m: use letters, digits and _, and no word of Python")
    return tags


def _reason(key: str, node: Node | None) -> str | None:
    """Read ``xfail`` or ``skip``: a reason, or true for none given."""
    if node is None:
        return None
    refuse_other_booleans(key, node)
    if node.plain and node.value in ("true", "false"):
        return f"{key} without a reason" if node.boolean(key) else None
    return node.text(key) or node.fail(f"{key} has an empty reason; write true, or why")


def _request(node: Node, keys: Mapping[str, Node]) -> Request:
    if ("input" in keys) is ("messages" in keys):
        node.fail("a case has input (a text) or messages (a list), one of the two")
    if "input" in keys:
        messages: tuple[Message, ...] = (Message("user", keys["input"].text("input")),)
    else:
        messages = tuple(message_of(item) for item in keys["messages"].items("messages"))
        if not messages:
            keys["messages"].fail("messages is empty: nothing would be checked")
    endpoint = keys["endpoint"].choice("endpoint", ENDPOINTS) if "endpoint" in keys else ENDPOINTS[0]
    return Request(messages, endpoint, keys["stream"].boolean("stream") if "stream" in keys else False)
