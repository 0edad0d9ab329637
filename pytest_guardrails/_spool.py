"""The ledger of a population: one JSON line per sample, written while it is judged, so that it can be continued."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pytest_guardrails._aside import written_aside
from pytest_guardrails._codec import decode
from pytest_guardrails._model import SampleResult

SCHEMA = "pytest-guardrails/ledger/1"
_FIELDS = tuple((field.name, field.default) for field in dataclasses.fields(SampleResult))
_held: dict[Path, int] = {}  # descriptors, each with the lock of a ledger that this run has still to read
_json = json.JSONEncoder(separators=(",", ":")).encode
_ERROR = b'"outcome":"error"'  # inside a text, quotes would be escaped


class Spool:
    """A ledger, open for one run; beside it stands what it is of, as long as the run may be continued.

    ``identity`` says what must be equal for that. ``refused`` says why a ledger that was asked for is not continued.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], *, resume: bool = False) -> None:
        """Open ``path``, or a file beside it while another run is at work on that one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._file = _opened(path)
        said = {"schema": SCHEMA, **json.loads(json.dumps(identity))}
        self.refused = _difference(self.path, said) if resume else None
        self._resumes = resume and self.refused is None
        if not self._resumes:
            close(self.path)
            self._file.truncate(0)
            with written_aside(_identity_of(self.path)) as file:
                file.write(json.dumps(said).encode())

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close the ledger; its lock stays until `release`, as the run reads it again at its end."""
        if os.name == "posix":
            _held[self.path] = os.dup(self._file.fileno())
        self._file.close()

    def kept(self) -> Iterator[SampleResult]:
        """Yield the results of the run that is continued, in order, and cut off a line that is torn or cannot be meant.

        To be exhausted before anything is appended.
        """
        if not self._resumes:
            return
        whole = self._file.seek(0)
        for line in self._file:
            try:
                result = _read_line(line)
            except (ValueError, TypeError, KeyError):
                break
            whole += len(line)
            yield result
        self._file.seek(whole)
        self._file.truncate()

    @property
    def has_errors(self) -> bool:
        """True if the run that is continued left results that are none: the guard gave no answer."""
        if not self._resumes:
            return False
        self._file.seek(0)
        return any(_ERROR in line for line in self._file)

    def replace_errors(self, batches: Iterable[Iterable[SampleResult]]) -> None:
        """Put new results, in order, in the places of those that are errors; an interruption keeps what is there."""
        aside = self.path.with_suffix(".again")
        try:
            with aside.open("wb") as file:
                for batch in batches:
                    file.write(b"".join(map(_line, batch)))
                    file.flush()
        finally:
            self._put_in_place(aside)

    def _put_in_place(self, aside: Path) -> None:
        whole = self.path.with_suffix(".whole")
        with aside.open("rb") as new, whole.open("w+b") as out:
            self._file.seek(0)
            for line in self._file:
                out.write((_ERROR in line and new.readline()) or line)
            out.seek(0)
            self._file.truncate(0)
            shutil.copyfileobj(out, self._file)
            self._file.flush()
        aside.unlink()
        whole.unlink()

    def append(self, results: Iterable[SampleResult]) -> None:
        """Write results, as far as the operating system: what is killed afterwards loses none of them."""
        self._file.write(b"".join(_line(result) for result in results))
        self._file.flush()


def _opened(path: Path) -> tuple[Path, BinaryIO]:
    """Open a ledger that no other run writes or has still to read."""
    if path in _held:
        os.close(_held.pop(path))
    file = path.open("a+b")
    if _locked(file):
        return path, file
    file.close()
    beside = path.with_name(f"{path.stem}-{os.getpid()}{path.suffix}")
    return beside, beside.open("a+b")


def _locked(file: BinaryIO) -> bool:
    """Take the lock of a file, which its process loses when it ends; True also where there are no locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def read(path: Path) -> Iterator[SampleResult]:
    """Yield the results of a ledger.

    Raises:
        ValueError, TypeError, KeyError: for a line that is torn or cannot be meant.
    """
    with path.open("rb") as file:
        yield from map(_read_line, file)


def release() -> None:
    """Give up the locks of all ledgers that this process has written: its run reads none of them any more."""
    while _held:
        os.close(_held.popitem()[1])


def close(path: Path) -> None:
    """Let a ledger be continued no more: its run has ended whole."""
    _identity_of(path).unlink(missing_ok=True)


def _line(result: SampleResult) -> bytes:
    """Return a result as `encode` has it, sparse, but faster: its values are JSON's own, or of a kind of theirs."""
    data = {name: value for name, default in _FIELDS if (value := getattr(result, name)) != default}
    data["duration_s"] = round(result.duration_s, 7)
    return _json(data).encode() + b"\n"


def _read_line(line: bytes) -> SampleResult:
    if not line.endswith(b"\n"):
        raise ValueError("the line is torn")
    return decode(SampleResult, json.loads(line))


def _identity_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _difference(path: Path, identity: Mapping[str, Any]) -> str | None:
    """Say why a ledger cannot be continued, or None."""
    try:
        before = json.loads(_identity_of(path).read_bytes())
        path.stat()
    except (OSError, ValueError):
        return "there is no interrupted run of it"
    if not isinstance(before, dict):
        return "there is no interrupted run of it"
    names = [name for name in {**identity, **before} if identity.get(name) != before.get(name)]
    return f"{' and '.join(names)} changed since" if names else None
