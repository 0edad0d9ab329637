"""The text of a gate to what it demands: ``[point:]METRIC[SELECTOR] OP NUMBER[%|ms|s]``."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import NoReturn

from pytest_guardrails._errors import ConfigError, unknown


class Kind(enum.StrEnum):
    """What a metric is, and with it how a gate on it is judged."""

    RATE = "rate"
    SCORE = "score"  # between 0 and 1, and of no counts: no exact bound
    COUNT = "count"
    TIME = "time"


METRICS = {
    "fpr": Kind.RATE,
    "recall": Kind.RATE,
    "precision": Kind.RATE,
    "f1": Kind.SCORE,
    "error_rate": Kind.RATE,
    "failed_open": Kind.COUNT,
    "span_recall": Kind.RATE,
    "span_precision": Kind.RATE,
    "over_redaction": Kind.COUNT,
    "p50": Kind.TIME,
    "p95": Kind.TIME,
    "p99": Kind.TIME,
    "vendor_p50": Kind.TIME,
    "vendor_p95": Kind.TIME,
    "vendor_p99": Kind.TIME,
}
SELECTORS = ("corpus", "strategy", "guardrail", "check", "tag", "category")
OPERATORS = ("<=", ">=", "==", "<", ">")
POINT = "point:"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile("|".join(OPERATORS))
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
_UNIT = re.compile(r"%|ms\b|s\b")
_SPACE = re.compile(r"[ \t]*")
_SCALE = {"": 1.0, "%": 0.01, "ms": 0.001, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Gate:
    """A demand on one metric; ``kind`` and ``name`` select populations, both empty for every one that is not generated.

    ``limit`` is a share, a count or seconds. ``point``: judged on the estimate instead of the bound. ``file``: the case
    file that states it, and of which alone it speaks.
    """

    expr: str
    metric: str
    operator: str
    limit: float
    kind: str = ""
    name: str = ""
    point: bool = False
    file: str | None = None

    @property
    def measures(self) -> Kind:
        """What its metric is."""
        return METRICS[self.metric]


def parse(expr: str, file: str | None = None) -> Gate:
    """Read a gate; ``file`` is the case file that states it.

    Raises:
        ConfigError: where it cannot be meant, with the place marked, or where it could never fail or never hold.
    """
    return _Reader(expr).gate(file)


class _Reader:
    """Reads a gate from left to right, and knows where it is when something is wrong."""

    def __init__(self, expr: str) -> None:
        self._expr = expr.strip()
        self._at = 0

    def gate(self, file: str | None) -> Gate:
        """Read the whole."""
        point = self._expr.startswith(POINT)
        self._at = len(POINT) if point else 0
        metric = self._metric()
        kind, name = self._selector()
        operator = self._token(_OPERATOR) or self._fail(f"expected one of {' '.join(OPERATORS)}")
        start = self._at
        number, unit = self._token(_NUMBER), self._token(_UNIT)
        if number is None:
            self._fail("expected a number such as 0.01, 1%, 50ms or 0")
        if self._skip() < len(self._expr):
            self._fail("expected the end, or one of % ms s behind the number")
        self._at = start
        self._refuse_unit(METRICS[metric], number, unit or "")
        limit = round(float(number) * _SCALE[unit or ""], 15)
        gate = Gate(self._expr, metric, operator, limit, kind, name, point, file)
        self._refuse_meaningless(gate)
        return gate

    def _metric(self) -> str:
        self._skip()
        start = self._at
        name = self._token(_NAME) or self._fail(f"expected a metric: {', '.join(METRICS)}")
        if name not in METRICS:
            self._at = start
            self._fail(unknown("metric", name, METRICS))
        return name

    def _selector(self) -> tuple[str, str]:
        self._skip()
        if self._expr[self._at : self._at + 1] != "[":
            return "", ""
        end = self._expr.find("]", self._at)
        if end < 0:
            self._fail("this [ is never closed")
        inner = self._expr[self._at + 1 : end].strip()
        kind, colon, name = (part.strip() for part in inner.partition(":"))
        if colon and kind not in SELECTORS:
            self._at += 1
            self._fail(unknown("kind of population", kind, SELECTORS))
        if not inner or (colon and not name):
            self._fail(f"expected a name between [ and ], or one with its kind: {', '.join(SELECTORS)}")
        self._at = end + 1
        return (kind, name) if colon else ("", inner)

    def _refuse_unit(self, kind: Kind, number: str, unit: str) -> None:
        is_share = kind in (Kind.RATE, Kind.SCORE)
        if kind is Kind.TIME and unit not in ("ms", "s"):
            self._fail(f"a time needs its unit: {number}ms or {number}s")
        if is_share and unit in ("ms", "s"):
            self._fail("a rate is a share: 0.01 or 1%")
        if is_share and float(number) * _SCALE[unit] > 1:
            self._fail(f"a rate is at most 1, which is 100%; {number}% perhaps?")
        if kind is Kind.COUNT and (unit or "." in number):
            self._fail("a count is a whole number without a unit")

    def _refuse_meaningless(self, gate: Gate) -> None:
        self._at = 0
        kind, limit, up, down = gate.measures, gate.limit, gate.operator[0] == ">", gate.operator[0] == "<"
        if gate.point and kind in (Kind.COUNT, Kind.TIME):
            self._fail(f"point: is for rates; {gate.metric} has no bound and is judged as it is")
        if not gate.point and kind is Kind.SCORE:
            self._fail(f"{gate.metric} has no exact bound: judge its estimate, as in point:{self._expr}")
        is_share = kind in (Kind.RATE, Kind.SCORE)
        if (gate.operator == ">=" and limit == 0) or (gate.operator == "<=" and limit == 1 and is_share):
            self._fail("this gate could never fail")
        strict = len(gate.operator) == 1 or (is_share and not gate.point)
        if strict and ((down and limit == 0) or (up and limit == 1 and is_share)):
            why = "" if len(gate.operator) == 1 else ", since no sample proves a bound that good"
            selected = f"[{gate.kind}{':' if gate.kind else ''}{gate.name}]" if gate.name else ""
            self._fail(f"this gate could never hold{why}; on the counts: {gate.metric}{selected}=={limit:g}")

    def _skip(self) -> int:
        space = _SPACE.match(self._expr, self._at)
        self._at = space.end() if space else self._at
        return self._at

    def _token(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._expr, self._skip())
        if found is None:
            return None
        self._at = found.end()
        return found[0]

    def _fail(self, what: str) -> NoReturn:
        shown = "".join(letter if letter.isprintable() else "?" for letter in self._expr[:200])
        raise ConfigError(f"gate: {what}\n  {shown}\n  {' ' * min(self._at, 200)}^")
