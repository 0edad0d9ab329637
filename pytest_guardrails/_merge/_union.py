"""Runs to one run: records united by node id, what follows from them judged again, contradictions refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, TypeVar

from pytest_guardrails._codec import FrozenDict, encode
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._gates import Gate, judge_gates, parse
from pytest_guardrails._model import ArmedTest, CaseRecord, CaseStatus, CorpusRecord, GateResult, Guard, Run
from pytest_guardrails._versions import shadow_of
from pytest_guardrails.reporters.terminal import plain

Item = TypeVar("Item", CaseRecord, CorpusRecord, ArmedTest, Guard)

_NO_TESTS = 5
_WORST_LAST = (0, _NO_TESTS, 1, 10, 2, 4, 3)  # pytest's, and 10 for untrusted; what is unknown is worse than all
_TIMES = ("duration_s", "vendor_s", "latency", "vendor_latency")
_SIGN = re.compile("#[0-9a-f]{8}»")  # how a masked text ends: its hash under the key of whoever masked it
_MOST_NAMED = 3
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Part:
    """A run that is part of a whole, and what it is called: its file."""

    name: str
    run: Run


def merge(parts: Sequence[Part], gates: Iterable[Gate] = ()) -> Run:
    """Return the run that all ``parts`` make together, judged by their gates and by ``gates``.

    What is equal but for times in several of them is there once; of a test whose inputs Hypothesis drew, the worse
    result. That a part failed by its gates alone says nothing of the whole, which is judged by them again. A comparison
    with a baseline is of each part alone, and is left out, with a note. One part alone is as it was.

    Raises:
        ConfigError: where two of them contradict each other.
    """
    if len(parts) == 1:
        made = parts[0].run
        judged = (*made.gates, *judge_gates(gates, made))
    else:
        made = _joined(parts)
        judged = judge_gates(dict.fromkeys([*_gates(part.run for part in parts), *gates]), made)
    alone = made.exit_status == 0 and any(not gate.passed for gate in judged)
    return replace(
        made, gates=judged, exit_status=1 if alone else made.exit_status, gates_alone=alone or made.gates_alone
    )


def _joined(parts: Sequence[Part]) -> Run:
    """Return the run of all parts, without gates."""
    runs = [part.run for part in parts]
    guards = _united(parts, lambda run: run.guards)
    _refuse_other_versions(parts)
    started, duration_s = _span(runs)
    made = Run(
        started=started,
        duration_s=duration_s,
        complete=all(run.complete for run in runs),
        environment=_environment(runs),
        guards=guards,
        records=_united(parts, lambda run: run.records),
        revealed=any(run.revealed for run in runs),
        exit_status=worst(0 if run.gates_alone else run.exit_status for run in runs),
        corpora=_united(parts, lambda run: run.corpora),
        armed=_united(parts, lambda run: run.armed),
        notes=tuple(_notes(parts)),
        lost=tuple(sorted({lost for run in runs for lost in run.lost})),
    )
    return replace(made, shadow=_shadow(made))


def worst(statuses: Iterable[int]) -> int:
    """Return the worst exit status; that a part had no test says nothing where another had some."""
    found = set(statuses)
    return max(found - {_NO_TESTS} or found, key=lambda status: (_rank(status), status))


def _rank(status: int) -> int:
    return _WORST_LAST.index(status) if status in _WORST_LAST else len(_WORST_LAST)


# What is in several parts


def _key(item: CaseRecord | CorpusRecord | ArmedTest | Guard) -> tuple[str, bool]:
    """Return what names an item in a run, and puts it into its place there."""
    if isinstance(item, Guard):
        return item.key, False
    return item.nodeid, isinstance(item, CorpusRecord) and item.shadow


def _united(parts: Sequence[Part], items: Callable[[Run], Iterable[Item]]) -> tuple[Item, ...]:
    """Return all items in the order of their keys, each once.

    Raises:
        ConfigError: where two parts say different things of one.
    """
    found: dict[tuple[str, bool], tuple[Item, Part]] = {}
    problems: list[str] = []
    for part in parts:
        for item in items(part.run):
            key = _key(item)
            known, first = found.setdefault(key, (item, part))
            if known is item or _is_idle(item):
                continue
            if _is_idle(known) or _is_worse(item, known):
                found[key] = item, part
            elif _is_worse(known, item):
                continue
            elif different := _different(known, item):
                problems.append(f"{plain(key[0], _LONGEST)}: {_contradiction(known, item, first, part, different)}")
    if problems:
        raise _contradicted(problems)
    return tuple(found[key][0] for key in sorted(found))


def _contradicted(problems: Sequence[str]) -> ConfigError:
    more = [f"and {len(problems) - _MOST_NAMED:,} more"] if len(problems) > _MOST_NAMED else []
    advice = "to keep what differs apart, as of several platforms: --matrix"
    return ConfigError("\n".join([*problems[:_MOST_NAMED], *more, advice]))


def _is_idle(item: object) -> bool:
    """True for a case that did not run there, for no reason but that it was not asked to."""
    return isinstance(item, CaseRecord) and item.status is CaseStatus.NOT_RUN and not (item.trace or item.reasons)


def _is_worse(one: object, other: object) -> bool:
    """True for the result that counts of a test whose inputs were drawn, differently in each run of it."""
    if not (isinstance(one, CaseRecord) and isinstance(other, CaseRecord) and one.generated and other.generated):
        return False
    ranks = (CaseStatus.NOT_RUN, CaseStatus.AS_EXPECTED, CaseStatus.NOT_AS_EXPECTED, CaseStatus.ERROR)
    return one.guard == other.guard and ranks.index(one.status) >= ranks.index(other.status)


def _different(one: Item, other: Item) -> list[str]:
    """Return in which fields two differ, but for times and for the key under which their texts are masked."""
    if one == other:
        return []
    first, second = encode(one), encode(other)
    return [name for name in first if name not in _TIMES and _timeless(first[name]) != _timeless(second[name])]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {_SIGN.sub("", key): _timeless(item) for key, item in value.items() if key not in _TIMES}
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return _SIGN.sub("", value) if isinstance(value, str) else value


def _contradiction(one: Item, other: Item, first: Part, second: Part, different: Sequence[str]) -> str:
    if first is second:
        return f"it is twice in {first.name}, and differs ({', '.join(different)})"
    where = f"{first.name} and {second.name}"
    if "guard" in different and not isinstance(one, Guard) and not isinstance(other, Guard):
        return f"{where} judged it with different guards: {one.guard} and {other.guard}"
    return f"{where} say different things of it ({', '.join(different)})"


def _refuse_other_versions(parts: Sequence[Part]) -> None:
    """Refuse parts of which each had another version of one guard.

    Raises:
        ConfigError: where that is so.
    """
    found: dict[str, list[tuple[Part, set[str]]]] = {}
    for part in parts:
        versions: dict[str, set[str]] = {}
        for guard in part.run.guards:
            versions.setdefault(guard.config, set()).add(str(guard.version))
        for config, own in versions.items():
            for other, known in found.setdefault(config, []):
                if not own & known:
                    raise ConfigError(
                        f"{config}: {other.name} has version {', '.join(sorted(known))}, and {part.name} has "
                        f"{', '.join(sorted(own))}: two versions are compared, not merged (pytest-guardrails compare); "
                        "to keep them apart in one report: --matrix"
                    )
            found[config].append((part, own))


# Parts that are kept apart


def named(parts: Sequence[Part]) -> list[Part]:
    """Return parts whose tests and guards bear the name of their part, so that nothing of two parts is one.

    Rates are per guard, and so of one part alone: the same case on three platforms is not three cases.

    Raises:
        ConfigError: where two parts have one name.
    """
    names = [_short(part.name) for part in parts]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ConfigError(
            f"--matrix names parts by their files, or by the folder of a report.json: {twice[0]!r} is there twice"
        )
    return [Part(part.name, _prefixed(part.run, f"{name}/")) for name, part in zip(names, parts, strict=True)]


def _short(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.parent.name or path.stem if path.stem == "report" else path.stem


def _prefixed(run: Run, prefix: str) -> Run:
    def under(name: str) -> str:
        return f"{prefix}{name}" if name else name

    return replace(
        run,
        guards=tuple(replace(guard, key=under(guard.key), config=under(guard.config)) for guard in run.guards),
        records=tuple(
            replace(
                record,
                nodeid=under(record.nodeid),
                guard=under(record.guard),
                key=record.key and under(record.key),
                shadow=record.shadow and replace(record.shadow, guard=under(record.shadow.guard)),
            )
            for record in run.records
        ),
        corpora=tuple(replace(one, nodeid=under(one.nodeid), guard=under(one.guard)) for one in run.corpora),
        armed=tuple(replace(test, nodeid=under(test.nodeid), guard=under(test.guard)) for test in run.armed),
    )


# What is said of the whole


def _span(runs: Sequence[Run]) -> tuple[str, float]:
    """Return when the first part began, and the seconds from there to the end of the last."""
    try:
        times = [(datetime.fromisoformat(run.started), timedelta(seconds=run.duration_s)) for run in runs]
        first = min(start for start, _ in times)
        seconds = (max(start + duration for start, duration in times) - first).total_seconds()
        return next(run.started for run, (start, _) in zip(runs, times, strict=True) if start == first), seconds
    except (ValueError, TypeError, OverflowError):  # a time that cannot be read, or beside one without a zone
        return min(run.started for run in runs), sum(run.duration_s for run in runs)


def _environment(runs: Sequence[Run]) -> FrozenDict:
    """Return what the parts ran on; where they differ, all of it."""
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        for name, value in run.environment.items():
            found.setdefault(name, {}).update(dict.fromkeys(str(value).split(", ")))
    return FrozenDict({name: ", ".join(sorted(values)) for name, values in found.items()})


def _gates(runs: Iterable[Run]) -> list[Gate]:
    """Return the gates of all parts: those of the whole run first, then those of case files."""
    stated = dict.fromkeys((gate.expr, gate.file) for run in runs for gate in run.gates)
    gates = [parse(_expr(expr, file), file) for expr, file in stated]
    return sorted(gates, key=lambda gate: gate.file or "")


def _expr(expr: str, file: str | None) -> str:
    return expr if file is None else expr.removesuffix(f" ({file})")


def _shadow(made: Run) -> Any:
    """Return what a candidate did with all cases; of samples, a report has no lines to compare."""
    return None if any(corpus.shadow for corpus in made.corpora) else shadow_of(made)


def _notes(parts: Sequence[Part]) -> Iterator[str]:
    """Yield the notes of the parts, and what the whole leaves out."""
    for part in parts:
        yield from (f"{part.name}: {note}" for note in part.run.notes)
        if part.run.exit_status not in (0, _NO_TESTS):
            yield f"{part.name}: ended with exit status {part.run.exit_status}{_failed_gates(part.run.gates)}"
        if not part.run.complete:
            yield f"{part.name}: was cut short"
    if any(part.run.comparison is not None for part in parts):
        yield (
            "NOT MERGED the comparison with a baseline: each part was compared alone; "
            "pytest-guardrails compare BASELINE REPORT compares the whole"
        )
    if any(corpus.shadow for part in parts for corpus in part.run.corpora):
        yield "NOT MERGED the comparison with a candidate: of corpora, reports have counts and no samples"


def _failed_gates(gates: Iterable[GateResult]) -> str:
    failed = [gate.expr for gate in gates if not gate.passed]
    return f"; on its part alone it fails {', '.join(failed)}" if failed else ""
