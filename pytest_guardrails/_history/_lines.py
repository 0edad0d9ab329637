"""A run as entries, one per case and corpus sample; an entry as one line of JSON, and back."""

from __future__ import annotations

import enum
import functools
import json
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import (
    LABELS,
    SEVERITIES,
    Action,
    CaseRecord,
    CaseStatus,
    CorpusRecord,
    Outcome,
    Run,
    Trace,
    Verdict,
)
from pytest_guardrails.reporters.json import dumps

CASES = "cases"
_WRONG = (Outcome.FALSE_POSITIVE, Outcome.FALSE_NEGATIVE)

M = TypeVar("M", bound=enum.StrEnum)


def _by_value(kind: type[M]) -> Mapping[str, M]:
    return {member.value: member for member in kind}


_VERDICTS, _ACTIONS = _by_value(Verdict), _by_value(Action)
_OUTCOMES, _STATUSES = _by_value(Outcome), _by_value(CaseStatus)


@dataclass(frozen=True, slots=True)
class Entry:
    """How one version judged one case or sample: no text, no time.

    ``key`` is unique in its ``population``: `CASES`, or the name of a corpus. ``guard`` names the configuration,
    not its version. ``fired`` are the guardrails that acted. Only a case has a ``severity``; ``status`` is that of the
    case, for a sample whether there was an answer. ``copy`` counts samples of one key from 1. ``where`` is the file and
    line of a sample as this run knows it; it is in no baseline and makes no two entries different.
    """

    population: str
    key: str
    guard: str
    label: str
    severity: str | None
    verdict: Verdict
    action: Action
    by: str | None
    fired: tuple[str, ...]
    outcome: Outcome
    status: CaseStatus = CaseStatus.AS_EXPECTED
    copy: int = 1
    where: str = field(default="", compare=False)

    @property
    def place(self) -> tuple[str, str, int]:
        """What names it among all entries of a version."""
        return self.population, self.key, self.copy

    @property
    def errored(self) -> bool:
        """True if a check gave no answer and nobody expected that."""
        return self.status is CaseStatus.ERROR

    @property
    def wrong(self) -> bool:
        """True if a case is not as its author expects, or label and action disagree."""
        return self.status is CaseStatus.NOT_AS_EXPECTED or self.outcome in _WRONG


KEYS = tuple(field.name for field in fields(Entry) if field.compare)
_values = operator.attrgetter(*KEYS)
_encode = json.JSONEncoder(ensure_ascii=False).encode


def entries(run: Run) -> Iterator[Entry]:
    """Yield what a run judged, as it comes: every case that ran and every sample; generated inputs are left out.

    Samples of one key are all of copy 1 still.

    Raises:
        ConfigError: where the results of a corpus are gone.
    """
    names = {guard.key: guard.config for guard in run.guards}
    for record in run.records:
        if record.trace is not None and record.outcome is not None and not record.generated:
            yield _of_case(record, record.trace, record.outcome, names.get(record.guard, record.guard))
    for corpus in run.corpora:
        if measured(corpus) and corpus.ledger is not None:
            yield from _of_corpus(corpus, Path(corpus.ledger), names.get(corpus.guard, corpus.guard))


def measured(corpus: CorpusRecord) -> bool:
    """True if a population belongs to the version under test and is no generated one."""
    return not (corpus.generated or corpus.shadow)


def _of_case(record: CaseRecord, trace: Trace, outcome: Outcome, guard: str) -> Entry:
    return Entry(
        population=CASES,
        key=record.key or record.nodeid,
        guard=guard,
        label=record.label,
        severity=record.severity,
        verdict=trace.verdict,
        action=trace.action,
        by=trace.decided_by,
        fired=fired_in(trace),
        outcome=outcome,
        status=record.status,
    )


def fired_in(trace: Trace) -> tuple[str, ...]:
    """Return the guardrails that acted, in order."""
    return tuple(dict.fromkeys(result.guardrail for result in trace.results if result.action > Action.NONE))


def shadow_cases(run: Run) -> Iterator[tuple[Entry, Entry]]:
    """Yield each case that a candidate has judged too: under the current version, under the candidate."""
    names = {guard.key: guard.config for guard in run.guards}
    for record in run.records:
        shadow = record.shadow
        if shadow is None or record.trace is None or record.outcome is None or record.generated:
            continue
        current = _of_case(record, record.trace, record.outcome, names.get(record.guard, record.guard))
        if record.grades:  # a candidate is not graded: of both, what the case itself expects of the trace counts
            graded = current.status is CaseStatus.NOT_AS_EXPECTED
            current = replace(current, status=CaseStatus.AS_EXPECTED if graded else current.status)
        yield (
            current,
            replace(
                current,
                verdict=current.verdict if shadow.verdict is None else shadow.verdict,  # without one it is an error
                action=shadow.action,
                by=shadow.decided_by,
                fired=shadow.fired,
                outcome=shadow.outcome or Outcome.ERROR,
                status=CaseStatus.ERROR if shadow.verdict is None else shadow.status,
            ),
        )


def shadow_corpora(run: Run) -> Iterator[tuple[Iterator[Entry], Iterator[Entry]]]:
    """Yield the samples of each corpus that a candidate has judged too, under both, as they come.

    Raises:
        ConfigError: where the results of a corpus are gone.
    """
    names = {guard.key: guard.config for guard in run.guards}
    candidates = {corpus.nodeid: corpus for corpus in run.corpora if corpus.shadow}
    for corpus in run.corpora:
        candidate = candidates.get(corpus.nodeid)
        if not measured(corpus) or candidate is None:
            continue
        if corpus.ledger is not None and candidate.ledger is not None:
            guard = names.get(corpus.guard, corpus.guard)
            yield _of_corpus(corpus, Path(corpus.ledger), guard), _of_corpus(candidate, Path(candidate.ledger), guard)


def _of_corpus(corpus: CorpusRecord, ledger: Path, guard: str) -> Iterator[Entry]:
    """Yield the samples of a ledger: one JSON object per line, a `SampleResult`.

    Raises:
        ConfigError: where it is gone, or is not what the corpus was counted of; the latter after the last sample.
    """
    if not ledger.exists():
        raise ConfigError(f"the results of corpus {corpus.name!r} are gone: keep pytest's cache, or its tmp_path")
    changed = ConfigError(f"corpus {corpus.name!r}: its ledger was changed by another run")
    guardrail_of = functools.cache(functools.partial(_guardrail_of, _guardrails_of(corpus)))
    rows = 0
    with ledger.open("rb") as file:
        for line in file:
            try:
                entry = _of_sample(json.loads(line), corpus, guard, guardrail_of)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise changed from None
            rows += 1
            yield entry
    if rows != corpus.rows:
        raise changed


def _of_sample(row: Mapping[str, Any], corpus: CorpusRecord, guard: str, guardrail_of: Callable[[str], str]) -> Entry:
    outcome, line = Outcome(row["outcome"]), row.get("line")
    return Entry(
        population=corpus.name,
        key=row["key"],
        guard=guard,
        label=row["label"],
        severity=None,
        verdict=Verdict(row["verdict"]),
        action=Action(row["action"]),
        by=row.get("decided_by"),
        fired=tuple(dict.fromkeys(map(guardrail_of, row.get("fired", ())))),
        outcome=outcome,
        status=CaseStatus.ERROR if outcome is Outcome.ERROR else CaseStatus.AS_EXPECTED,
        where=corpus.source if line is None else f"{corpus.source}:{line}",
    )


def _guardrails_of(corpus: CorpusRecord) -> tuple[str, ...]:
    """Return each ``phase/guardrail`` that judged a corpus, the longest first."""
    names = [group.name for group in corpus.groups if group.kind == "guardrail"]
    return tuple(sorted(names, key=len, reverse=True))


def _guardrail_of(known: Iterable[str], place: str) -> str:
    """Return the guardrail of a ``phase/guardrail/check``, each of which may have slashes in its id."""
    short = place.rpartition("/")[0]
    return next((name for name in known if place.startswith(f"{name}/")), short).partition("/")[2]


# An entry as a line, and back


def line_of(entry: Entry) -> str:
    """Return an entry as JSON; what is none, and what follows from the rest, is left out."""
    data: dict[str, Any] = {key: value for key, value in zip(KEYS, _values(entry), strict=True) if value is not None}
    if entry.fired == _usual(entry.by, entry.action):
        del data["fired"]
    if entry.status is CaseStatus.AS_EXPECTED:
        del data["status"]
    if entry.copy == 1:
        del data["copy"]
    text = _encode(data)
    return text if text.isascii() and text.isprintable() else dumps(data)  # which knows what no file can hold


def _usual(by: str | None, action: Action) -> tuple[str, ...]:
    """Return who acted where a line does not say: the one that decided, alone."""
    return (by,) if by is not None and action is not Action.NONE else ()


def entry_of(data: Mapping[str, Any]) -> Entry:
    """Read what `line_of` wrote.

    Raises:
        ConfigError: for an unknown or missing key, or a value that cannot be.
    """
    for key in data:
        if key not in KEYS:
            raise ConfigError(unknown("key", key, KEYS))
    action = _choice(data, "action", _ACTIONS)
    by = _text(data, "by") if "by" in data else None
    fired = data.get("fired")
    if fired is not None and not (isinstance(fired, list) and all(isinstance(name, str) for name in fired)):
        raise ConfigError("fired is a list of guardrails")
    return Entry(
        population=_text(data, "population"),
        key=_text(data, "key"),
        guard=_text(data, "guard"),
        label=_one_of(data, "label", LABELS),
        severity=_one_of(data, "severity", SEVERITIES) if "severity" in data else None,
        verdict=_choice(data, "verdict", _VERDICTS),
        action=action,
        by=by,
        fired=_usual(by, action) if fired is None else tuple(fired),
        outcome=_choice(data, "outcome", _OUTCOMES),
        status=_choice(data, "status", _STATUSES) if "status" in data else CaseStatus.AS_EXPECTED,
        copy=_copy(data.get("copy", 1)),
    )


def _copy(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ConfigError(f"copy counts from 1, not {value!r}")
    return value


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise ConfigError(f"{key} is a text, and is not there" if value is None else f"{key} is a text, not {value!r}")
    return value


def _one_of(data: Mapping[str, Any], key: str, choices: Iterable[str]) -> str:
    value = _text(data, key)
    if value not in choices:
        raise ConfigError(unknown(key, value, choices))
    return value


def _choice(data: Mapping[str, Any], key: str, members: Mapping[str, M]) -> M:
    return members[_one_of(data, key, members)]
