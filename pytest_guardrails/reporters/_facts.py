"""What several reporters say of a record: its category, its guard and version, what decided, how long it took."""

from __future__ import annotations

from collections import Counter
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


def all_of(record: CorpusRecord) -> Group:
    """Return the outcomes of a whole corpus."""
    return next((group for group in record.groups if group.kind == "all"), Group("all", ""))


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
