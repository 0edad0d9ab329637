"""Coverage that counts firing, not evaluation: which checks were seen to act, to stay silent, to decide alone."""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_guardrails._document import Node
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    Check,
    CheckResult,
    CorpusRecord,
    Guard,
    Guardrail,
    GuardrailResult,
    Message,
    Phase,
    Run,
)
from pytest_guardrails._texts import texts_in_scope
from pytest_guardrails.checks import FOUND


class Shown(enum.StrEnum):
    """What a run can show of a check."""

    FIRED = "fired on an attack"
    SILENT = "silent on a near miss"
    ALONE = "decided alone"


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to be shown of one check, and how many cases or samples show it.

    ``check`` has a number (``#2``) where its guardrail has several of that id. ``action`` is empty for `Shown.SILENT`.
    ``generated`` counts the samples of strategies, which are in no count of real ones.
    """

    guard: str
    phase: str
    guardrail: str
    check: str
    action: str
    shown: Shown
    times: int = 0
    generated: int = 0

    @property
    def covered(self) -> bool:
        """True if something shows it."""
        return bool(self.times or self.generated)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every cell of the guards that cases and corpora ran."""

    cells: tuple[Cell, ...] = ()

    @property
    def covered(self) -> int:
        """How many cells something shows."""
        return sum(cell.covered for cell in self.cells)

    @property
    def empty(self) -> tuple[Cell, ...]:
        """The cells that nothing shows."""
        return tuple(cell for cell in self.cells if not cell.covered)

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

    What is not as expected or known to fail shows nothing, and neither do shadow guards. Generated inputs show nothing
    either, but that near misses drawn for a corpus are counted on their own. `Shown.ALONE` is asked for only where the
    run was armed.
    """
    records = [record for record in run.records if record.trace is not None and not record.generated]
    corpora = [corpus for corpus in run.corpora if not (corpus.generated or corpus.shadow)]
    used = {record.guard for record in records} | {corpus.guard for corpus in corpora}
    guards = [guard for guard in run.guards if guard.key in used]
    times: Counter[_Key] = Counter()
    drawn: Counter[_Key] = Counter()
    for record in records:
        if record.status is CaseStatus.AS_EXPECTED and record.xfail is None:
            times.update(_of_record(record))
    for corpus in corpora:
        if corpus.status is CaseStatus.AS_EXPECTED:
            times.update(_of_corpus(corpus, guards))
    for corpus in run.corpora:
        if corpus.generated and not corpus.shadow and corpus.status is CaseStatus.AS_EXPECTED:
            drawn.update(_spared(corpus, guards))
    armed = any(record.armed is not None for record in records)
    rows = (key for guard in guards for key in _demanded(guard, times, armed))
    return Coverage(tuple(Cell(*key, times[key], drawn[key]) for key in rows))


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
            if f"{place[1]}/{place[2]}/{name}" in record.near_miss and not check.findings:
                yield *place, name, "", Shown.SILENT
            if check is alone:
                yield *place, name, check.action.value, Shown.ALONE


def _alone(result: GuardrailResult, record: CaseRecord) -> CheckResult | None:
    """Return the check by which a guardrail decided alone, None where it did not, or did by several checks."""
    if record.armed is None or f"{result.phase.value}/{result.guardrail}" not in record.armed.alone:
        return None
    acting = [check for check in result.checks if check.action > Action.NONE]
    return acting[0] if len(acting) == 1 else None


def _of_corpus(corpus: CorpusRecord, guards: Iterable[Guard]) -> Counter[_Key]:
    """Count what a corpus shows: actions that were taken, not the configured one; checks of one id are one place."""
    shown = _spared(corpus, guards)
    for guard, (phase, name, check, _) in _of_guard(corpus, guards):
        for action in corpus.acted.get(f"{phase}/{name}/{check}", ()):
            shown[guard, phase, name, check, action, Shown.FIRED] += 1
    return shown


def _spared(corpus: CorpusRecord, guards: Iterable[Guard]) -> Counter[_Key]:
    """Count the near misses in a corpus on which the check that they are near to found nothing."""
    return Counter(
        {
            (guard, phase, name, check, "", Shown.SILENT): corpus.silent.get(f"{phase}/{name}/{check}", 0)
            for guard, (phase, name, check, _) in _of_guard(corpus, guards)
        }
    )


def _of_guard(corpus: CorpusRecord, guards: Iterable[Guard]) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    return ((guard.key, place) for guard in guards if guard.key == corpus.guard for place in _places(guard))


# --- What an input may be a near miss of


def near_misses(node: Node) -> tuple[str, ...]:
    """Read what an input nearly is: a name, or a list of them.

    Raises:
        ConfigError: for anything else.
    """
    if node.plain and node.value in ("true", "false", ""):
        node.fail("near_miss says of what: the id of a check or guardrail, or what it finds, such as CREDIT_CARD")
    names = node.texts("near_miss")
    if not names or "" in names:
        node.fail("near_miss names nothing: it has no text, or an empty one")
    return names


def checks_near(guardrails: Iterable[Guardrail], names: Iterable[str]) -> tuple[str, ...]:
    """Return ``phase/guardrail/check`` of each check that one of the names means: as in ``near_miss:`` of a case.

    A name is the id of a guardrail (all of its checks) or a check, or a name or category of what the check finds.
    """
    asked = set(names)
    near = []
    for guardrail in guardrails if asked else ():
        for check, name in zip(guardrail.checks, _numbered([one.id for one in guardrail.checks]), strict=True):
            if asked & {guardrail.id, check.id, name, *_finds(check)}:
                near.append(f"{guardrail.phase.value}/{guardrail.id}/{name}")
    return tuple(near)


def shown_to(guardrails: Iterable[Guardrail], messages: tuple[Message, ...]) -> Iterator[Guardrail]:
    """Yield the guardrails that have a text of a request in scope, and all of those that look at responses."""
    for guardrail in guardrails:
        if guardrail.phase is Phase.AFTER_REQUEST or texts_in_scope(messages, guardrail.scope):
            yield guardrail


def refuse_unknown(
    names: Iterable[str], guardrails: Iterable[Guardrail], *, file: str | None, line: int | None
) -> None:
    """Refuse a name that is neither of these guardrails nor of what the built-in checks find.

    The latter are known where no check finds them, so that one suite serves several guards.

    Raises:
        ConfigError: at ``file`` and ``line``, with the choices.
    """
    known = set(FOUND)
    for guardrail in guardrails:
        checks = [check.id for check in guardrail.checks]
        known.update((guardrail.id, *checks, *_numbered(checks), *finds(guardrail)))
    for name in names:
        if name not in known:
            raise ConfigError(unknown("near_miss", name, known), file=file, line=line)


def finds(guardrail: Guardrail) -> tuple[str, ...]:
    """Return the names and categories of findings that a guardrail's checks say they have."""
    return tuple(name for check in guardrail.checks for name in _finds(check))


def _finds(check: Check) -> tuple[str, ...]:
    finds = getattr(check, "finds", ())
    return (finds,) if isinstance(finds, str) else tuple(map(str, finds))
