"""Coverage that counts firing, not evaluation: which checks were seen to act, to stay silent, to decide alone."""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    CheckResult,
    CorpusRecord,
    Guard,
    GuardrailResult,
    Run,
)


class Shown(enum.StrEnum):
    """What a run can show of a check."""

    FIRED = "fired on an attack"
    SILENT = "silent on benign"
    ALONE = "decided alone"


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to be shown of one check, and how many cases or samples show it.

    ``check`` has a number (``#2``) where its guardrail has several of that id. ``action`` is empty for `Shown.SILENT`.
    """

    guard: str
    phase: str
    guardrail: str
    check: str
    action: str
    shown: Shown
    times: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every cell of the guards that cases and corpora ran."""

    cells: tuple[Cell, ...] = ()

    @property
    def covered(self) -> int:
        """How many cells something shows."""
        return sum(cell.times > 0 for cell in self.cells)

    @property
    def empty(self) -> tuple[Cell, ...]:
        """The cells that nothing shows."""
        return tuple(cell for cell in self.cells if not cell.times)

    def reaches(self, least: float) -> bool:
        """True if at least ``least`` per cent of the cells are covered; never without a cell."""
        return bool(self.cells) and 100 * self.covered >= least * len(self.cells)


def read_least(text: str) -> float:
    """Read the value of ``--guardrails-min-coverage``: per cent, with or without the sign.

    Raises:
        ConfigError: for anything but a number from 0 to 100.
    """
    try:
        least = float(text.removesuffix("%"))
    except ValueError:
        least = math.nan
    if not 0 <= least <= 100:
        raise ConfigError(f"--guardrails-min-coverage takes per cent, a number from 0 to 100, not {text!r}")
    return least


_Key = tuple[str, str, str, str, str, Shown]  # the fields of a cell


def coverage(run: Run) -> Coverage:
    """Return what the run shows of each check of the guards that its cases and corpora ran.

    What is not as expected or known to fail shows nothing, and neither do generated inputs and shadow guards.
    `Shown.ALONE` is asked for only where the run was armed.
    """
    records = [record for record in run.records if record.trace is not None and not record.generated]
    corpora = [corpus for corpus in run.corpora if not (corpus.generated or corpus.shadow)]
    used = {record.guard for record in records} | {corpus.guard for corpus in corpora}
    guards = [guard for guard in run.guards if guard.key in used]
    times: Counter[_Key] = Counter()
    for record in records:
        if record.status is CaseStatus.AS_EXPECTED and record.xfail is None:
            times.update(_of_record(record))
    for corpus in corpora:
        if corpus.status is CaseStatus.AS_EXPECTED:
            times.update(_of_corpus(corpus, guards))
    armed = any(record.armed is not None for record in records)
    rows = (key for guard in guards for key in _demanded(guard, times, armed))
    return Coverage(tuple(Cell(*key, times[key]) for key in rows))


def _numbered(checks: Sequence[str]) -> list[str]:
    """Return the names of a guardrail's checks, with a number where an id is there several times."""
    seen: Counter[str] = Counter()
    names = []
    for check in checks:
        seen[check] += 1
        names.append(f"{check}#{seen[check]}" if checks.count(check) > 1 else check)
    return names


def _places(guard: Guard) -> Iterator[tuple[str, str, str, str]]:
    """Yield phase, guardrail, check and configured action of each check of a guard."""
    for (name, phase, action, *_), checks in zip(guard.guardrails, guard.checks, strict=False):
        for check in _numbered(checks):
            yield phase, name, check, action


def _demanded(guard: Guard, times: Counter[_Key], armed: bool) -> Iterator[_Key]:
    """Yield the cells of a guard; an action that a check was seen to take counts beside the configured one."""
    seen = {key[:5] for key, number in times.items() if number and key[5] is Shown.FIRED}
    for phase, name, check, configured in _places(guard):
        place = (guard.key, phase, name, check)
        yield *place, "", Shown.SILENT
        for action in Action:
            if action == configured or (*place, action.value) in seen:
                yield *place, action.value, Shown.FIRED
                if armed:
                    yield *place, action.value, Shown.ALONE


def _of_record(record: CaseRecord) -> Iterator[_Key]:
    assert record.trace is not None  # noqa: S101 - the caller looked
    for result in record.trace.results:
        place = (record.guard, result.phase.value, result.guardrail)
        names = _numbered([check.check for check in result.checks])
        alone = _alone(result, record)
        for name, check in zip(names, result.checks, strict=True):
            if check.error is not None:
                continue
            if record.label == "attack" and check.action > Action.NONE:
                yield *place, name, check.action.value, Shown.FIRED
            if record.label == "benign" and not check.findings:
                yield *place, name, "", Shown.SILENT
            if check is alone:
                yield *place, name, check.action.value, Shown.ALONE


def _alone(result: GuardrailResult, record: CaseRecord) -> CheckResult | None:
    """Return the check by which a guardrail decided alone, None where it did not, or did by several checks."""
    if record.armed is None or f"{result.phase.value}/{result.guardrail}" not in record.armed.alone:
        return None
    acting = [check for check in result.checks if check.action > Action.NONE]
    return acting[0] if len(acting) == 1 else None


def _of_corpus(corpus: CorpusRecord, guards: Iterable[Guard]) -> Iterator[_Key]:
    """Yield what a corpus shows: actions that were taken, not the configured one; checks of one id are one place."""
    groups = {group.name: group for group in corpus.groups if group.kind == "check"}
    for guard in guards:
        for phase, name, check, _ in _places(guard) if guard.key == corpus.guard else ():
            place = f"{phase}/{name}/{check}"
            group = groups.get(place)
            for action in corpus.acted.get(place, ()):
                yield guard.key, phase, name, check, action, Shown.FIRED
            if group is not None and group.true_negative:
                yield guard.key, phase, name, check, "", Shown.SILENT
