"""The history file: one line per run and guard version, appended and never changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_guardrails._codec import EMPTY, FrozenDict, encode, freeze
from pytest_guardrails._history._lines import CASES, entries, measured
from pytest_guardrails._metrics import groups_of, measure
from pytest_guardrails._model import CaseStatus, Group, Guard, Outcome, Run
from pytest_guardrails._stats import Histogram, percentile
from pytest_guardrails.reporters import is_untrusted
from pytest_guardrails.reporters.json import dumps

SCHEMA = "pytest-guardrails/history/1"
SHARES = {"p50_s": 0.50, "p95_s": 0.95, "p99_s": 0.99}
# The commit, where there is no git: GitHub, GitLab, Bitbucket, CircleCI, Azure, Jenkins.
CI_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "CIRCLE_SHA1", "BUILD_SOURCEVERSION", "GIT_COMMIT")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_OUTCOMES = tuple(outcome.value for outcome in Outcome)
_IS_COUNT = frozenset(_OUTCOMES)
_KNOWN = _IS_COUNT | SHARES.keys()
_TEXTS = ("time", "suite", "guard", "version", "status")
_MOST_COUNT, _MOST_SECONDS = 2**53, 1e9

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: a line of this length is appended as a whole there too
    fcntl = None


@dataclass(frozen=True, slots=True)
class Past:
    """One guard version in one run; ``suite`` is equal where the same keys with the same labels were judged.

    ``status`` is passed, failed, untrusted or incomplete. ``populations`` maps `CASES` and corpora to their outcomes
    and, in seconds, p50, p95 and p99 (None where nothing was timed). ``guardrails`` maps populations to the outcomes of
    each guardrail, named ``phase/guardrail``.
    """

    time: str
    commit: str | None
    suite: str
    guard: str
    version: str
    status: str
    populations: FrozenDict = EMPTY
    guardrails: FrozenDict = EMPTY

    @property
    def when(self) -> datetime:
        """The time in UTC, which it is in where it names no zone."""
        when = datetime.fromisoformat(self.time)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def pasts(run: Run, commit: str | None) -> Iterator[Past]:
    """Yield what history keeps of a run, by guard version; of a guard that judged nothing, nothing."""
    suites = _suites(run)
    for guard in run.guards:
        populations = FrozenDict(_populations(run, guard))
        if populations:
            suite = f"{suites.get(guard.config, 0):032x}"[:16]
            guardrails = FrozenDict(_guardrails(run, guard))
            version, status = str(guard.version), _status(run)
            yield Past(run.started, commit, suite, guard.config, version, status, populations, guardrails)


def _suites(run: Run) -> dict[str, int]:
    """Return a hash of keys and labels per guard: a sum, so that it is the same in any order and takes no memory."""
    sums: dict[str, int] = {}
    for entry in entries(run):
        said = json.dumps([entry.population, entry.key, entry.label]).encode()
        one = int.from_bytes(hashlib.blake2b(said, digest_size=16).digest())
        sums[entry.guard] = (sums.get(entry.guard, 0) + one) % 2**128
    return sums


def _populations(run: Run, guard: Guard) -> Iterator[tuple[str, FrozenDict]]:
    own = [record for record in run.records if record.guard == guard.key and not record.generated]
    times = [record.trace.duration_s for record in own if record.trace is not None]
    if times:
        timed = {name: _rounded(percentile(times, share)) for name, share in SHARES.items()}
        yield CASES, FrozenDict({**encode(measure(own).confusion), **timed})
    for corpus in run.corpora:
        if corpus.guard == guard.key and measured(corpus):
            whole = next((group for group in corpus.groups if group.kind == "all"), None)
            histogram = Histogram.of(corpus.latency)
            counts = {name: getattr(whole, name) for name in _OUTCOMES} if whole else {}
            timed = {name: _rounded(histogram.percentile(share)) for name, share in SHARES.items()}
            yield corpus.name, FrozenDict({**counts, **timed})


def _guardrails(run: Run, guard: Guard) -> Iterator[tuple[str, FrozenDict]]:
    own = groups_of(record for record in run.records if record.guard == guard.key and not record.generated)
    corpora = [corpus for corpus in run.corpora if corpus.guard == guard.key and measured(corpus)]
    for name, groups in [(CASES, own.get(guard.key, ())), *((corpus.name, corpus.groups) for corpus in corpora)]:
        if counts := _by_guardrail(groups):
            yield name, counts


def _by_guardrail(groups: Iterable[Group]) -> FrozenDict:
    """Return the outcomes that are not 0 of each guardrail."""
    return FrozenDict(
        (group.name, FrozenDict({name: number for name in _OUTCOMES if (number := getattr(group, name))}))
        for group in groups
        if group.kind == "guardrail"
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _status(run: Run) -> str:
    if not run.complete:
        return "incomplete"
    errors = any(record.status is CaseStatus.ERROR and record.xfail is None for record in run.records)
    if errors or any(map(is_untrusted, run.corpora)):
        return "untrusted"
    return "failed" if run.exit_status else "passed"


def commit_of(folder: Path) -> str | None:
    """Return the commit that is checked out in ``folder``, else what the CI says, else None."""
    git = shutil.which("git")
    if git is not None:
        try:
            asked = subprocess.run(  # noqa: S603 - git itself, with constant arguments
                [git, "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=10, check=False
            )
        except (OSError, subprocess.SubprocessError):
            asked = None
        if asked is not None and _COMMIT.fullmatch(asked.stdout.strip()):
            return asked.stdout.strip()
    named = (os.environ.get(name, "").lower() for name in CI_VARIABLES)
    return next((commit for commit in named if _COMMIT.fullmatch(commit)), None)


def line_of(past: Past) -> str:
    """Return one line, without its end."""
    return dumps({"schema": SCHEMA, **encode(past)})


def append(path: Path, past: Past) -> None:
    """Append one line in one write, alone: other processes wait for the lock, and no line is torn by another.

    Raises:
        OSError: where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"{line_of(past)}\n".encode()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_size:
            os.lseek(handle, -1, os.SEEK_END)
            if os.read(handle, 1) != b"\n":  # a process died in its line: it stays, alone
                line = b"\n" + line
        os.write(handle, line)
    finally:
        os.close(handle)


def read(path: Path, shown: str) -> tuple[list[Past], list[str]]:
    """Return the lines of a history, in their order, and what was wrong with those that cannot be read.

    Raises:
        OSError: where the file cannot be read.
    """
    found, problems = [], []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(past_of(line))
        except BAD_LINE as exc:
            problems.append(f"{shown}:{number}: {'cut off' if number == len(lines) else what_is_wrong(exc)}")
    return found, problems


BAD_LINE = (ValueError, TypeError, KeyError, RecursionError, OverflowError)


def what_is_wrong(exc: Exception) -> str:
    """Say why a line cannot be read."""
    return f"no line of a history: {type(exc).__name__}: {str(exc)[:80]}"


def past_of(line: str | bytes) -> Past:
    """Return what `line_of` wrote.

    Raises:
        ValueError, TypeError, KeyError, RecursionError, OverflowError: where it is something else.
    """
    data = json.loads(line)
    if data["schema"] != SCHEMA:
        raise ValueError(f"schema {data['schema']!r} is not {SCHEMA}")
    for name in _TEXTS:
        if not isinstance(data[name], str):
            raise TypeError(f"{name} is a text")
    if not isinstance(data.get("commit"), str | None):
        raise TypeError("commit is a text")
    guardrails = _object(data.get("guardrails", EMPTY))
    past = Past(
        **{name: data[name] for name in _TEXTS},
        commit=data.get("commit"),
        populations=_counted(data.get("populations", EMPTY)),
        guardrails=FrozenDict({name: _counted(counted) for name, counted in guardrails.items()}),
    )
    past.when  # noqa: B018 - it raises where the time is none
    return past


def _counted(populations: object) -> FrozenDict:
    """Return the figures of populations or guardrails, with what a later version may have added."""
    return FrozenDict({name: _figures(name, counts) for name, counts in _object(populations).items()})


def _figures(name: str, counts: object) -> FrozenDict:
    counted = _object(counts)
    for key, value in counted.items():
        if key in _IS_COUNT:
            if type(value) is not int or not 0 <= value <= _MOST_COUNT:
                raise ValueError(f"{name[:40]}: {key} is a count")
        elif key in SHARES and not _is_seconds(value):
            raise ValueError(f"{name[:40]}: {key} is seconds")
    return FrozenDict(counted) if counted.keys() <= _KNOWN else FrozenDict(freeze(counted))


def _is_seconds(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        return False
    return value is None or 0 <= value <= _MOST_SECONDS


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("populations and guardrails are objects of objects")
    return value
