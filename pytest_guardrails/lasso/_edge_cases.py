"""Answers on which the integrators of Lasso disagree: what each policy decides, and what its integrator really does.

Sources: the Portkey gateway's plugin (PR #1549) and hook manager, LiteLLM's ``lasso.py``, TrueFoundry's
``integrations-custom-guardrails``, run as they are written; Kong's ``ai-lasso-guardrail`` 1.0.1, read. None was checked
against the live API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pytest_guardrails.lasso._policies import POLICIES, Decision

_LETTERS = {"A": Decision.ALLOW, "B": Decision.BLOCK, "E": Decision.ERROR}
_JAILBREAK = '"name":"Jailbreak","category":"SAFETY","severity":"HIGH"'
_BLOCK = f'{{{_JAILBREAK},"action":"BLOCK"}}'
_FIRED = '"deputies":{"jailbreak":true}'


@dataclass(frozen=True, slots=True)
class EdgeCase:
    """One answer: its body, our decision by policy, and what an integrator does where that differs."""

    name: str
    body: str
    decisions: Mapping[str, Decision]
    really: Mapping[str, str]


def _case(name: str, ours: str, body: str, **really: str) -> EdgeCase:
    """Return a row; ``ours`` has a letter for each policy, in the order of `POLICIES`."""
    decisions = {policy: _LETTERS[letter] for policy, letter in zip(POLICIES, ours, strict=True)}
    return EdgeCase(name, body, MappingProxyType(decisions), MappingProxyType(really))


def _one(action: str, *, violations: str = "true") -> str:
    """Return an answer with one finding of the deputy that fired."""
    finding = f'{{{_JAILBREAK}{action and f""","action":{action}"""}}}'
    return f'{{"violations_detected":{violations},{_FIRED},"findings":{{"jailbreak":[{finding}]}}}}'


_OPEN = "error, and the gateway passes"
_CLOSED = "error, closed"
_PASSED = {"litellm": "allow", "kong": "allow", "truefoundry": "allow"}

EDGE_CASES: tuple[EdgeCase, ...] = (
    _case("clean", "AAAAA", '{"violations_detected":false,"deputies":{},"findings":{}}'),
    _case("BLOCK", "BBBBB", _one('"BLOCK"')),
    _case(
        "BLOCK beside AUTO_MASKING",
        "BBBBB",
        f'{{"violations_detected":true,"deputies":{{"jailbreak":true,"pattern-detection":true}},"findings":{{'
        f'"pattern-detection":[{{"name":"Email Address","action":"AUTO_MASKING"}}],"jailbreak":[{_BLOCK}]}}}}',
    ),
    _case("AUTO_MASKING only", "AAAAA", _one('"AUTO_MASKING"')),
    _case("WARN only", "AAAAA", _one('"WARN"')),
    _case("USER_ALERT only", "AAAAA", _one('"USER_ALERT"')),
    _case("ADMIN_ALERT only", "AAAAA", _one('"ADMIN_ALERT"')),
    _case("OFF only", "AAAAA", _one('"OFF"')),
    _case("unknown action", "AAAAB", _one('"QUARANTINE"')),
    _case("action missing", "AAAAB", _one("")),
    _case('action "block" in lower case', "AAAAB", _one('"block"')),
    _case("violations, findings empty", "AAAAB", f'{{"violations_detected":true,{_FIRED},"findings":{{}}}}'),
    _case(
        "violations, findings missing", "EEEEB", f'{{"violations_detected":true,{_FIRED}}}', portkey=_OPEN, **_PASSED
    ),
    _case(
        "violations, findings missing, scores of v2",
        "EEEEB",
        f'{{"violations_detected":true,{_FIRED},"deputies_predictions":{{"jailbreak":0.923}}}}',
        portkey=_OPEN,
        **_PASSED,
    ),
    _case(
        "violations, findings null",
        "EEEEB",
        f'{{"violations_detected":true,{_FIRED},"findings":null}}',
        portkey=_OPEN,
        litellm=_CLOSED,
        truefoundry="error (validate), allow (mutate)",
    ),
    _case(
        "violations, findings of a deputy null",
        "EEEEB",
        f'{{"violations_detected":true,{_FIRED},"findings":{{"jailbreak":null}}}}',
        portkey=_OPEN,
        **_PASSED,
    ),
    _case(
        "violations, findings of a deputy an object",
        "EEEEB",
        f'{{"violations_detected":true,{_FIRED},"findings":{{"jailbreak":{_BLOCK}}}}}',
        portkey=_OPEN,
        **_PASSED,
    ),
    _case("no violations, BLOCK", "AAABB", _one('"BLOCK"', violations="false")),
    _case(
        "violations missing, BLOCK",
        "EEEBB",
        f'{{{_FIRED},"findings":{{"jailbreak":[{_BLOCK}]}}}}',
        portkey="allow",
        litellm="allow",
        kong="allow",
    ),
    _case('violations "true", BLOCK', "BBBBB", _one('"BLOCK"', violations='"true"'), litellm="allow"),
    _case("violations 1, BLOCK", "BBBBB", _one('"BLOCK"', violations="1"), litellm="allow"),
    _case(
        "no violations, a deputy fired, no finding",
        "AAAAB",
        f'{{"violations_detected":false,{_FIRED},"findings":{{}}}}',
    ),
    _case(
        "a deputy fired without finding, another says BLOCK",
        "BBBBB",
        '{"violations_detected":true,"deputies":{"jailbreak":true,"illegality":true},"findings":{"jailbreak":'
        f"[{_BLOCK}]}}}}",
    ),
    _case(
        "deputies null, BLOCK",
        "BBBBB",
        f'{{"violations_detected":true,"deputies":null,"findings":{{"jailbreak":[{_BLOCK}]}}}}',
        litellm=_CLOSED,
    ),
    _case("an empty object", "EEEEB", "{}", portkey="allow", **_PASSED),
    _case(
        "null",
        "EEEEB",
        "null",
        portkey=_OPEN,
        litellm="allow (classify), error (mask)",
        kong="error, open by default",
        truefoundry=_CLOSED,
    ),
    _case("a list", "EEEEB", "[1]", portkey="allow", litellm=_CLOSED, kong="allow", truefoundry=_CLOSED),
    _case(
        "not JSON",
        "EEEEB",
        "<html></html>",
        portkey=_OPEN,
        litellm=_CLOSED,
        kong="error, open by default",
        truefoundry=_CLOSED,
    ),
)


def verdict_matrix() -> str:
    """Return `EDGE_CASES` as a Markdown table, a row per answer and a column per policy."""
    rows = [["answer", *POLICIES], ["---"] * (len(POLICIES) + 1)]
    for case in EDGE_CASES:
        cells = []
        for policy, decision in case.decisions.items():
            really = case.really.get(policy)
            cells.append(f"{decision} (really: {really})" if really else f"{decision}")
        rows.append([case.name, *cells])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
