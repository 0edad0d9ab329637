"""What several reporters say of a record: its category, its guard and version, what decided, how long it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from pytest_guardrails._model import (
    SEVERITIES,
    CaseRecord,
    CaseStatus,
    CorpusRecord,
    Group,
    Outcome,
    Run,
    Trace,
)

WRONG = {Outcome.FALSE_NEGATIVE: "missed attack", Outcome.FALSE_POSITIVE: "false positive"}
_WORDS = {outcome.value.replace("_", " "): word for outcome, word in WRONG.items()}
_STATUS_RANK = (CaseStatus.ERROR, CaseStatus.NOT_AS_EXPECTED, CaseStatus.NOT_RUN, CaseStatus.AS_EXPECTED)


def category(record: CaseRecord) -> str:
    """Return what a case is about: its first tag, else the category of its first finding; empty where neither is."""
    if record.tags:
        return record.tags[0]
    return finding_category(record.trace)


def finding_category(trace: Trace | None) -> str:
    """Return the category of the first finding of a trace, empty where there is none."""
    found = trace.findings if trace is not None else ()
    return found[0].category if found else ""


def latency_ms(record: CaseRecord) -> float | None:
    """Return how long the request of a case took, in milliseconds."""
    return None if record.trace is None else round(record.trace.duration_s * 1000, 3)


def worst_first(record: CaseRecord) -> tuple[bool, int, int, str]:
    """Order records: known to fail last, errors before mismatches, then by severity and name."""
    severity = SEVERITIES.index(record.severity) if record.severity in SEVERITIES else len(SEVERITIES)
    return record.xfail is not None, _STATUS_RANK.index(record.status), severity, record.nodeid


def missing(run: Run) -> tuple[str, ...]:
    """Say what a run that is not whole lacks: each test whose result is lost, else that it was cut short."""
    if run.lost:
        return run.lost
    return () if run.complete else ("the run was cut short: its results speak of a part of the suite",)


def other_notes(run: Run) -> list[str]:
    """Return what else was said at the end of a run: without the lines that say again what `missing` does."""
    return [note for note in run.notes if not any(note.endswith(lost) for lost in run.lost)]


def is_about_cases(run: Run) -> bool:
    """False for a run of corpora alone: of cases there is nothing to say, not even that there are none."""
    return bool(run.records or not run.corpora)


def all_of(record: CorpusRecord) -> Group:
    """Return the outcomes of a whole corpus."""
    return next((group for group in record.groups if group.kind == "all"), Group("all", ""))


@dataclass(frozen=True, slots=True)
class WrongSample:
    """A sample of a corpus that went wrong, as a run keeps it: ``what`` are the words of its outcome.

    ``by`` are the places ``phase/guardrail/check`` that fired, or gave no answer; ``line`` is None where there is none.
    """

    corpus: CorpusRecord
    what: str
    category: str
    file: str
    line: int | None
    text: str
    by: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What it is, for people."""
        return _WORDS.get(self.what, self.what)

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


def wrong_samples(record: CorpusRecord) -> Iterator[WrongSample]:
    """Yield the samples that a corpus keeps of those that went wrong: errors, false positives, missed attacks."""
    for what, category, place, text, by in record.worst:
        file, _, line = place.rpartition(":")
        known = file and line.isdecimal() and len(line) < 10
        acted = tuple(by.split(", ")) if by else ()
        file, number = (file, int(line)) if known else (place, None)
        yield WrongSample(record, what, category, file, number, text, acted)


def number_wrong(record: CorpusRecord) -> int:
    """Return how many samples of a corpus went wrong, those included that it does not keep."""
    counts = all_of(record)
    return counts.error + counts.false_positive + counts.false_negative


class Guards:
    """The guards of a run by the key that its records carry."""

    def __init__(self, run: Run) -> None:
        self._versions = {guard.key: str(guard.version) for guard in run.guards}
        keys = {*self._versions, *(record.guard for record in run.records)}
        keys |= {record.guard for record in run.corpora}
        self._shared = Counter(name_of(key) for key in keys)

    def version(self, key: str) -> str:
        """Return the version of a guard as people read it; the hash in its key where the run says no more."""
        return self._versions.get(key, key.rpartition("@")[2])

    def lasting_name(self, key: str) -> str:
        """Return a name that stays from version to version; the whole key where two guards of a run share it."""
        return name_of(key) if self._shared[name_of(key)] < 2 else key


def name_of(key: str) -> str:
    """Return the configuration that a guard's key names, without the hash of its version."""
    return key.rpartition("@")[0] or key


def file_of(record: CaseRecord | CorpusRecord) -> str:
    """Return the file of a record with forward slashes, empty where it has none."""
    return PurePosixPath(record.file.replace("\\", "/")).as_posix() if record.file else ""
