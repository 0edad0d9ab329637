"""The rules file of the Lasso stand-in, and what its rules find in the messages of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_guardrails._codec import FrozenDict, freeze
from pytest_guardrails._document import Node, parse_yaml
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Finding
from pytest_guardrails._texts import replaced

# The keys and words of Lasso's v3 API (source: Portkey's and LiteLLM's integrations, and their fixtures).
DEPUTIES = (
    "jailbreak", "custom-policies", "sexual", "hate", "illegality", "codetect", "violence", "pattern-detection",
)  # fmt: skip
ACTIONS = ("BLOCK", "AUTO_MASKING", "WARN", "USER_ALERT", "ADMIN_ALERT", "OFF")
SEVERITIES = ("HIGH", "MEDIUM", "LOW")
MESSAGE_TYPES = ("PROMPT", "COMPLETION")
OFFSETS = ("characters", "utf8", "utf16")

DEFAULT_RULES = Path(__file__).with_name("lasso_rules.yaml")
_REQUIRED = ("deputy", "name", "category", "action", "severity", "pattern")
_Path = tuple[str | int, ...]
_KEYS = (*_REQUIRED, "score", "mask", "message_types", "ignore_case")
_LITERAL_KEYS = ("pattern", "answer", "message_types", "ignore_case")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a deputy says of a text that matches ``pattern``.

    With a ``mask``, one finding per match, with its span; without, one per request, as deputies that are models say.
    ``answer`` is a whole body, as it is sent; it goes before all other rules.
    """

    deputy: str
    name: str
    category: str
    action: str
    severity: str
    pattern: re.Pattern[str]
    score: float | None = None
    mask: str | None = None
    message_types: tuple[str, ...] = MESSAGE_TYPES
    answer: FrozenDict | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One match: in which message, in which text of it, and where, in characters, half-open.

    ``path`` leads to a text inside a block; it is empty for a content that is a text.
    """

    rule: Rule
    message_index: int
    path: _Path
    start: int
    end: int
    text: str


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Read a rules file.

    Raises:
        ConfigError: where it cannot be read or meant; names file, line and choices.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot read the rules: {exc.strerror}", file=str(path)) from None
    except UnicodeDecodeError:
        raise ConfigError("the rules are not UTF-8", file=str(path)) from None
    root = parse_yaml(text, str(path))
    top = root.mapping("a rules file", ("rules",))
    if "rules" not in top:
        root.fail("a rules file has rules: a list of rules")
    return tuple(_rule(node) for node in top["rules"].items("rules"))


def _rule(node: Node) -> Rule:
    if isinstance(node.value, dict) and "answer" in node.value:
        return _literal(node)
    keys = node.mapping("a rule", _KEYS)
    for name in _REQUIRED:
        if name not in keys:
            node.fail(f"a rule has no {name}")
    return Rule(
        deputy=keys["deputy"].choice("deputy", DEPUTIES),
        name=keys["name"].text("name"),
        category=keys["category"].text("category"),
        action=keys["action"].choice("action", ACTIONS),
        severity=keys["severity"].choice("severity", SEVERITIES),
        pattern=_pattern(keys["pattern"], _ignores_case(keys)),
        score=keys["score"].number("score") if "score" in keys else None,
        mask=keys["mask"].text("mask") if "mask" in keys else None,
        message_types=_message_types(keys["message_types"]) if "message_types" in keys else MESSAGE_TYPES,
    )


def _literal(node: Node) -> Rule:
    """Read a rule that says the whole body of the answer."""
    keys = node.mapping("a rule with an answer", _LITERAL_KEYS)
    if "pattern" not in keys:
        node.fail("a rule has no pattern")
    keys["answer"].mapping("answer")
    types = _message_types(keys["message_types"]) if "message_types" in keys else MESSAGE_TYPES
    pattern = _pattern(keys["pattern"], _ignores_case(keys))
    body = freeze(keys["answer"].data())
    return Rule("", "", "", "", "", pattern, message_types=types, answer=body)


def _ignores_case(keys: Mapping[str, Node]) -> bool:
    return "ignore_case" not in keys or keys["ignore_case"].boolean("ignore_case")


def _message_types(node: Node) -> tuple[str, ...]:
    types = tuple(item.choice("message type", MESSAGE_TYPES) for item in node.items("message_types"))
    return types or node.fail("message_types is empty: the rule would look at nothing")


def _pattern(node: Node, ignore_case: bool) -> re.Pattern[str]:
    try:
        pattern = re.compile(node.text("pattern"), re.IGNORECASE if ignore_case else re.NOFLAG)
    except (re.error, OverflowError, RecursionError) as exc:
        node.fail(f"pattern is no regular expression: {exc}")
    if pattern.search(""):
        node.fail("pattern matches the empty text: it would find something everywhere")
    return pattern


def hits(rules: Sequence[Rule], messages: Sequence[Mapping[str, Any]], message_type: str) -> list[Hit]:
    """Return every match of the rules that look at this message type, in the order of rules and messages."""
    found = []
    for rule in rules:
        if message_type in rule.message_types:
            matches = [
                Hit(rule, index, path, match.start(), match.end(), text)
                for index, message in enumerate(messages)
                for path, text in _texts(message["content"])
                for match in rule.pattern.finditer(text)
            ]
            found += matches if rule.mask is not None else matches[:1]
    return found


def answer(found: Sequence[Hit]) -> dict[str, Any]:
    """Return the body of a classify answer: v3's fixtures of it have no spans."""
    return _body(found, lambda _: {})


def located_answer(found: Sequence[Hit], messages: Sequence[Mapping[str, Any]], offsets: str) -> dict[str, Any]:
    """Return the body of a classifix answer, with spans in ``offsets``, and ``messages`` as they are given."""
    return {**_body(found, lambda hit: _place(hit, offsets)), "messages": list(messages)}


def _body(found: Sequence[Hit], place: Callable[[Hit], dict[str, Any]]) -> dict[str, Any]:
    findings: dict[str, list[dict[str, Any]]] = {}
    for hit in found:
        rule = hit.rule
        said = {"name": rule.name, "category": rule.category, "action": rule.action, "severity": rule.severity}
        score = {} if rule.score is None else {"score": rule.score}
        findings.setdefault(rule.deputy, []).append({**said, **score, **place(hit)})
    return {
        "deputies": {deputy: deputy in findings for deputy in DEPUTIES},
        "findings": findings,
        "violations_detected": bool(findings),
    }


def _place(hit: Hit, offsets: str) -> dict[str, Any]:
    if hit.rule.mask is None:
        return {}
    if hit.path:  # inside a block: no source says what an offset would count from
        return {"message_index": hit.message_index, "mask": hit.rule.mask}
    start, end = (_offset(hit.text[:at], offsets) for at in (hit.start, hit.end))
    return {"message_index": hit.message_index, "start": start, "end": end, "mask": hit.rule.mask}


def _offset(before: str, offsets: str) -> int:
    if offsets == "utf8":
        return len(before.encode("utf-8", "surrogatepass"))
    if offsets == "utf16":
        return len(before.encode("utf-16-le", "surrogatepass")) // 2
    return len(before)


def masked(messages: Sequence[Mapping[str, Any]], found: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return the messages with every AUTO_MASKING match replaced; blocks stay blocks."""
    places: dict[tuple[int, _Path], list[Finding]] = {}
    for hit in found:
        rule = hit.rule
        if rule.action == "AUTO_MASKING" and rule.mask is not None:
            finding = Finding(rule.name, rule.category, start=hit.start, end=hit.end, replacement=rule.mask)
            places.setdefault((hit.message_index, hit.path), []).append(finding)

    def rewritten(value: Any, index: int, path: _Path) -> Any:
        if isinstance(value, str):
            return replaced(value, places.get((index, path), ()))
        if isinstance(value, Mapping):
            return {key: rewritten(item, index, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [rewritten(item, index, (*path, at)) for at, item in enumerate(value)]
        return value

    return [{**message, "content": rewritten(message["content"], at, ())} for at, message in enumerate(messages)]


def _texts(content: Any) -> list[tuple[_Path, str]]:
    """Return where the texts of a content are, and the texts: of a block, only those that are data."""
    if isinstance(content, str):
        return [((), content)]
    return [leaf for key in ("input", "content") for leaf in _leaves(content.get(key), (key,))]


def _leaves(value: Any, path: _Path) -> list[tuple[_Path, str]]:
    if isinstance(value, str):
        return [(path, value)]
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    return [leaf for key, item in pairs for leaf in _leaves(item, (*path, key))]
