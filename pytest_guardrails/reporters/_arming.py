"""What arming and coverage say, as lines and as Markdown; whoever prints them makes them printable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from pytest_guardrails._arming import ArmedGuardrail, Arming, summarise
from pytest_guardrails._coverage import Cell, Coverage, Shown, coverage
from pytest_guardrails._model import Run

MOST = 10
MOST_ROWS = 50
_FIGURES = ("noticed", "alone", "unnoticed", "unjudged")
_Group = tuple[str, list[str]]  # what is said of some cases or guardrails, and which


def arming_lines(run: Run) -> Iterator[str]:
    """Yield what the terminal says of arming and coverage; nothing where there is nothing to say."""
    arming = summarise(run)
    if arming is not None:
        yield f"arming     {_judged(arming)}"
        for said, ones in _groups(arming):
            yield f"  {said}"
            yield from (f"    {one}" for one in ones[:MOST])
            yield from (f"    {more}" for more in _more(len(ones) - MOST))
        yield from _table(arming.guardrails)
    shown = coverage(run)
    if shown.cells:
        yield f"coverage   {_share(shown)}"
        yield f"  {_kinds(shown)}"


def too_low(shown: Coverage, least: float) -> list[str]:
    """Return why coverage fails a run that demands ``least`` per cent, nothing where it does not."""
    if shown.reaches(least):
        return []
    if not shown.cells:
        return [f"TOO LOW    coverage is unknown, and {least:g} % is demanded: no case and no corpus ran a guardrail"]
    several = len({cell.guard for cell in shown.cells}) > 1
    said = f"TOO LOW    coverage is {_share(shown)}, and {least:g} % is demanded; what is missing:"
    return [said, *(f"  {_cell(cell, several)}" for cell in shown.empty)]


def _share(shown: Coverage) -> str:
    """Say how many cells are covered, rounded down: only all of them are 100 %."""
    return f"{shown.covered} of {len(shown.cells)} cells ({int(1000 * shown.covered / len(shown.cells)) / 10:g} %)"


def _kinds(shown: Coverage) -> str:
    kinds = {kind: [cell.covered for cell in shown.cells if cell.shown is kind] for kind in Shown}
    return ", ".join(f"{sum(found)} of {len(found)} {kind.value}" for kind, found in kinds.items() if found)


def _cell(cell: Cell, several: bool) -> str:
    action = f" ({cell.action})" if cell.action else ""
    guard = f" of {cell.guard}" if several else ""
    return f"{cell.phase}/{cell.guardrail}/{cell.check}{action}{guard}: never {cell.shown.value}"


def _cases(number: int) -> str:
    return f"{number:,} case{'' if number == 1 else 's'}"


def _judged(arming: Arming) -> str:
    tested = len(arming.guardrails) - len(arming.untested)
    return f"{_cases(arming.judged)} judged again: {tested} of {len(arming.guardrails)} guardrails are missed when off"


def _groups(arming: Arming) -> Iterator[_Group]:
    """Yield what somebody should look at, worst first."""
    several = len({row.guard for row in arming.guardrails}) > 1
    untested = [
        f"{row.phase}/{row.guardrail}{f' of {row.guard}' if several else ''}: {_why(row)}" for row in arming.untested
    ]
    backups = [f"{one.guardrail} by {one.backup} in {_cases(one.cases)}" for one in arming.backups]
    groups: list[_Group] = [
        ("vacuous: pass whatever the guard does", list(arming.vacuous)),
        ("asleep: attacks that pass with every guardrail off", list(arming.asleep)),
        ("untested: no case notices when it is off", untested),
        ("backed up: no case notices unless both are off", backups),
        ("unjudged: nobody can say", _unjudged(arming)),
    ]
    return (group for group in groups if group[1])


def _unjudged(arming: Arming) -> list[str]:
    """Return how many cases, or single variants of cases, could not be judged for which reason."""
    whole = Counter(why for _, what, why in arming.unjudged if not what)
    single = Counter(why for _, what, why in arming.unjudged if what)
    said = [f"{_cases(number)}: {why}" for why, number in sorted(whole.items())]
    return said + [f"{_cases(number)} in part: {why}" for why, number in sorted(single.items())]


def _why(row: ArmedGuardrail) -> str:
    """Say what is known of a guardrail that no case is known to miss."""
    acts = f"it acts in {_cases(row.unnoticed)}" if row.unnoticed else "it acts in none"
    return f"unknown, {_cases(row.unjudged)} cannot be judged" if row.unjudged else acts


def _more(number: int) -> list[str]:
    return [f"… and {number} more; the report has all"] if number > 0 else []


def _table(rows: Sequence[ArmedGuardrail]) -> Iterator[str]:
    if not rows:
        return
    yield f"  {' '.join(f'{name:>9}' for name in _FIGURES)}  guardrail that was off"
    for row in rows[:MOST]:
        figures = " ".join(f"{number:>9}" for number in _figures(row))
        yield f"  {figures}  {row.phase}/{row.guardrail}"
    if len(rows) > MOST:
        yield f"  … and {len(rows) - MOST} more guardrails; the report has all"


def _figures(row: ArmedGuardrail) -> Iterable[int]:
    return (getattr(row, name) for name in _FIGURES)


def arming_markdown(run: Run, escaped: Callable[[str], str]) -> Iterator[str]:
    """Yield what a Markdown summary says of arming, and of coverage; ``escaped`` makes texts harmless."""
    arming = summarise(run)
    if arming is None:
        shown = coverage(run)
        yield from [f"**Coverage:** {_share(shown)}: {_kinds(shown)}"] if shown.cells else []
        return
    yield f"**Arming:** {_judged(arming)}"
    yield ""
    for said, ones in _groups(arming):
        yield f"- {said}"
        yield from (f"  - {escaped(one)}" for one in ones[:MOST_ROWS])
        yield from (f"  - {more}" for more in _more(len(ones) - MOST_ROWS))
    shown = coverage(run)
    if shown.cells:
        yield f"- coverage: {_share(shown)}: {_kinds(shown)}"
    if arming.guardrails:
        yield ""
        yield f"| guard | guardrail | phase | {' | '.join(_FIGURES)} |"
        yield "|---|---|---|--:|--:|--:|--:|"
    for row in arming.guardrails[:MOST_ROWS]:
        names = " | ".join(map(escaped, (row.guard, row.guardrail, row.phase)))
        yield f"| {names} | {' | '.join(map(str, _figures(row)))} |"
    if len(arming.guardrails) > MOST_ROWS:
        yield f"\n… and {len(arming.guardrails) - MOST_ROWS} more guardrails; report.json has all."
