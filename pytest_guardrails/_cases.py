"""``*.guardrails.yaml`` files to cases and back; every error names file, line, column, key and choices."""

from __future__ import annotations

import dataclasses
import itertools
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_guardrails._document import Node, from_data, parse_yaml
from pytest_guardrails._dump import as_data
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import (
    BUILT_IN_CRITERIA,
    ENDPOINTS,
    LABELS,
    SEVERITIES,
    Action,
    Case,
    Criterion,
    Expectation,
    Message,
    Request,
    Verdict,
    can_be_seen,
)
from pytest_guardrails._texts import is_label

SUFFIXES = (".guardrails.yaml", ".guardrails.yml")
FILE_KEYS = ("guardrails", "cassette", "grader", "defaults", "cases", "corpora", "gates", "shadow")
CASE_KEYS = (
    "id", "severity", "label", "tags", "input", "messages", "endpoint", "stream", "response", "expect",
    "xfail", "skip", "note", "matrix", "fault", "rubric",
)  # fmt: skip
DEFAULT_KEYS = (
    "severity", "label", "tags", "endpoint", "stream", "response", "expect", "xfail", "skip", "note", "fault", "rubric",
)  # fmt: skip
FAULT_KEYS = ("name", "on_call")
CRITERION_KEYS = ("id", "ask", "samples")
MOST_SAMPLES = 100
EXPECT_KEYS = tuple(field.name for field in dataclasses.fields(Expectation))
_ABSENT = ("", "null", "~")
_OTHER_BOOLEANS = frozenset(("yes", "no", "on", "off", "y", "n", "true", "false", "null", "~", ""))
_PYTEST_MARKS = frozenset(("skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings", "expect_verdict",
                           "corpus"))  # fmt: skip
_AUTHORED = ("note", "xfail", "skip")  # published as written: no value of a matrix is filled in
_WORD = re.compile(r"[A-Za-z_]{1,24}|[0-9]{1,3}")  # what an id may show of a value; else the number of the row
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one file, and what it names: a configuration (path, mapping or nothing), a cassette, corpora."""

    file: str
    guardrails: Node | None
    cases: tuple[Case, ...]
    cassette: Node | None = None
    grader: Node | None = None
    corpora: Node | None = None
    gates: tuple[Node, ...] = ()
    shadow: Node | None = None


def load(path: Path, shown: str | None = None) -> Suite:
    """Read a case file; ``shown`` is its name in errors and reports.

    Raises:
        ConfigError: where it cannot be read or meant.
    """
    file = shown or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot read the file: {exc.strerror}", file=file) from None
    except UnicodeDecodeError:
        raise ConfigError("the file is not UTF-8", file=file) from None
    return read(text, file)


def read(text: str, file: str) -> Suite:
    """Read the text of a case file.

    Raises:
        ConfigError: where it cannot be meant.
    """
    root = parse_yaml(text, file)
    top = root.mapping("a case file", FILE_KEYS)
    if "cases" not in top and "corpora" not in top:
        root.fail("a case file has cases: a list of cases, or corpora")
    defaults = dict(top["defaults"].mapping("defaults", DEFAULT_KEYS)) if "defaults" in top else {}
    seen: dict[str, int | None] = {}
    cases = []
    for node in top["cases"].items("cases") if "cases" in top else ():
        for case in _cases(node, defaults):
            if case.id in seen:
                raise ConfigError(f"case {case.id!r} is there twice; the first is in line {seen[case.id]}",
                                  file=file, line=case.line, column=node.column)  # fmt: skip
            seen[case.id] = case.line
            cases.append(case)
    if not cases and "cases" in top:
        top["cases"].fail("cases is empty: the file tests nothing")
    named = {key: top[key] for key in ("cassette", "grader", "corpora", "shadow") if key in top}
    gates = tuple(top["gates"].items("gates")) if "gates" in top else ()
    return Suite(file, top.get("guardrails"), tuple(cases), gates=gates, **named)


def expectation(node: Node, defaults: Mapping[str, Node] | None = None) -> Expectation:
    """Read what a trace must show: a verdict alone, or a mapping of the marker's keys.

    Raises:
        ConfigError: for an unknown key, or a value of the wrong kind.
    """
    own = {"verdict": node} if isinstance(node.value, str) else node.mapping("expect", EXPECT_KEYS)
    keys = {**(defaults or {}), **own}
    if "verdict" not in keys:
        node.fail("expect needs a verdict: allow or block")
    readers: dict[str, Callable[[Node], Any]] = {
        "verdict": lambda n: Verdict(n.choice("verdict", list(Verdict))),
        "action": lambda n: Action(n.choice("action", list(Action))),
        "by": lambda n: n.text("by"),
        "findings": lambda n: _demanded("findings", n),
        "upstream": _upstream,
        "absent_upstream": lambda n: _demanded("absent_upstream", n),
        "upstream_calls": _calls,
        "response": lambda n: n.text("response") if isinstance(n.value, str) else n.texts("response"),
        "warns": lambda n: _some("warns", n),
        "errors": lambda n: _some("errors", n),
    }
    read = Expectation(**{key: readers[key](value) for key, value in keys.items()})
    _refuse_contradictions(read, keys)
    return read


def _refuse_contradictions(read: Expectation, keys: Mapping[str, Node]) -> None:
    if read.verdict is Verdict.ALLOW and read.action is Action.DENY:
        keys["action"].fail("verdict allow with action deny can never be")
    if read.verdict is Verdict.BLOCK and read.response is not None:
        keys["response"].fail("a blocked caller gets no response")
    if read.upstream_calls == 0 and read.upstream is not None:
        keys["upstream"].fail("upstream_calls: 0 says that the model receives nothing")


def _calls(node: Node) -> int:
    calls = node.integer("upstream_calls")
    if calls < 0:
        node.fail(f"upstream_calls is 0 or more, not {calls}")
    return calls


def _upstream(node: Node) -> str | tuple[Message, ...]:
    if isinstance(node.value, str):
        return node.text("upstream")
    return tuple(_message(item) for item in node.items("upstream"))


def _refuse_other_booleans(key: str, node: Node) -> None:
    """Refuse what YAML 1.1 took for true or false: read as a text it would mean something else than was meant."""
    unsure = node.plain and isinstance(node.value, str) and node.value.casefold() in _OTHER_BOOLEANS
    if unsure and node.value not in ("true", "false"):
        node.fail(f"{key}: {node.value or 'nothing'} could mean two things; write true, false, or a quoted text")


def _some(key: str, node: Node) -> bool | tuple[str, ...]:
    _refuse_other_booleans(key, node)
    return node.boolean(key) if node.plain and node.value in ("true", "false") else _demanded(key, node)


def _demanded(key: str, node: Node) -> tuple[str, ...]:
    """Read texts that must be there; an empty list or text would demand nothing."""
    texts = node.texts(key)
    if not texts or "" in texts:
        node.fail(f"{key} demands nothing: it has no text, or an empty one")
    return texts


def _message(node: Node) -> Message:
    if isinstance(node.value, str):
        return Message("user", node.text("a message"))
    keys = node.mapping("a message", Message.__slots__)
    out: dict[str, Any] = {}
    for key, value in keys.items():
        as_written = isinstance(value.value, str) and not (value.plain and value.value in _ABSENT)
        out[key] = value.text(key) if as_written else value.data()
    try:
        return Message.of(out)
    except ConfigError as exc:
        node.fail(exc.message)


def _cases(node: Node, defaults: Mapping[str, Node]) -> Iterator[Case]:
    """Yield the case of a node, or one per combination of its matrix."""
    keys = dict(node.mapping("a case", CASE_KEYS))
    matrix = keys.pop("matrix", None)
    if "id" not in keys:
        node.fail("a case needs an id")
    if matrix is None:
        yield _case(node, keys, defaults)
        return
    name = keys["id"].text("id")
    for row, values in enumerate(_combinations(matrix), 1):
        unused = set(values) - _placeholders(keys.values())
        if unused:
            matrix.fail(
                f"matrix name {sorted(unused)[0]!r} is used nowhere; write ${{{sorted(unused)[0]}}} in the case"
            )
        filled = {key: value if key in _AUTHORED else _filled(value, values) for key, value in keys.items()}
        if not _PLACEHOLDER.search(name):
            label = "-".join(value if _WORD.fullmatch(value) else str(row) for value in values.values())
            filled["id"] = dataclasses.replace(keys["id"], value=f"{name}[{label}]")
        yield _case(node, filled, defaults)


def _combinations(matrix: Node) -> Iterator[dict[str, str]]:
    """Yield the rows of a list of mappings, or the product of a mapping of lists."""
    if isinstance(matrix.value, list) and matrix.value:
        names = tuple(matrix.value[0].mapping("a row of matrix"))
        for row in matrix.value:
            given = row.mapping("a row of matrix", names)
            if missing := [name for name in names if name not in given]:
                row.fail(f"this row of matrix has no {missing[0]!r}, and the first one has")
            yield {name: given[name].text(name) for name in names}
        return
    lists = matrix.mapping("matrix") if matrix.value else {}
    choices = {key: value.texts(key) for key, value in lists.items()}
    if not choices or not all(choices.values()):
        matrix.fail("matrix is empty: the case would not run")
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def _placeholders(nodes: Iterable[Node]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node.value, str):
            found.update(_PLACEHOLDER.findall(node.value))
        else:
            found |= _placeholders(node.value.values() if isinstance(node.value, dict) else node.value)
    return found


def _filled(node: Node, values: Mapping[str, str]) -> Node:
    """Return the node with ``${name}`` replaced, for the names of the matrix alone."""
    value = node.value
    if isinstance(value, str):
        value = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), value)
        if value != node.value and value in _ABSENT:  # the matrix says a text here, not nothing
            return dataclasses.replace(node, value=value, plain=False)
    elif isinstance(value, dict):
        value = {key: _filled(item, values) for key, item in value.items()}
    else:
        value = [_filled(item, values) for item in value]
    return dataclasses.replace(node, value=value)


def _case(node: Node, own: Mapping[str, Node], defaults: Mapping[str, Node]) -> Case:
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
    return Case(
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
    )


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
    _refuse_other_booleans(key, node)
    if node.plain and node.value in ("true", "false"):
        return f"{key} without a reason" if node.boolean(key) else None
    return node.text(key) or node.fail(f"{key} has an empty reason; write true, or why")


def _request(node: Node, keys: Mapping[str, Node]) -> Request:
    if ("input" in keys) is ("messages" in keys):
        node.fail("a case has input (a text) or messages (a list), one of the two")
    if "input" in keys:
        messages: tuple[Message, ...] = (Message("user", keys["input"].text("input")),)
    else:
        messages = tuple(_message(item) for item in keys["messages"].items("messages"))
        if not messages:
            keys["messages"].fail("messages is empty: nothing would be checked")
    endpoint = keys["endpoint"].choice("endpoint", ENDPOINTS) if "endpoint" in keys else ENDPOINTS[0]
    return Request(messages, endpoint, keys["stream"].boolean("stream") if "stream" in keys else False)


def expectation_of(values: Mapping[str, Any]) -> Expectation:
    """Read an expectation from Python values: the marker's arguments.

    Raises:
        ConfigError: for an unknown key, or a value of the wrong kind.
    """
    given = {key: as_data(value) for key, value in values.items() if value is not None}
    return expectation(from_data(given))
