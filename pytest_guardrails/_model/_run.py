"""A run: its guard, its records, its gates."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_guardrails._codec import EMPTY, FrozenDict
from pytest_guardrails._model._case import ArmedTest, CaseRecord
from pytest_guardrails._model._comparison import Comparison
from pytest_guardrails._model._corpus import CorpusRecord
from pytest_guardrails._model._guardrail import GuardVersion


@dataclass(frozen=True, slots=True)
class Guard:
    """A target of a run: what it is, where its configuration came from, its version, its guardrails in order.

    ``checks`` has, for each guardrail, the ids of its checks. ``allowlists`` maps ``phase/guardrail/check`` to its
    entries, masked unless the run reveals.
    """

    key: str
    target: str
    config: str
    version: GuardVersion
    guardrails: tuple[tuple[str, ...], ...] = ()
    checks: tuple[tuple[str, ...], ...] = ()
    allowlists: FrozenDict = EMPTY


@dataclass(frozen=True, slots=True)
class Run:
    """One pytest session: environment, guards, results; ``complete`` is False where it was cut short.

    ``notes`` are what else was said at its end, a line each; ``lost`` are tests whose result is not known, each with
    the reason. ``gates_alone`` is True where nothing but its gates made its exit status 1.
    """

    started: str
    duration_s: float
    complete: bool
    environment: FrozenDict
    guards: tuple[Guard, ...]
    records: tuple[CaseRecord, ...]
    revealed: bool = False
    exit_status: int = 0
    corpora: tuple[CorpusRecord, ...] = ()
    gates: tuple[GateResult, ...] = ()
    comparison: Comparison | None = None
    shadow: Comparison | None = None
    armed: tuple[ArmedTest, ...] = ()
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    gates_alone: bool = False


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate, judged: what was demanded, whether it holds, and why: a sentence per population, failed ones first.

    ``file`` is the case file that states it, and of which alone it speaks; ``expr`` then ends with it, in brackets.
    """

    expr: str
    passed: bool
    said: tuple[str, ...] = ()
    file: str | None = None
