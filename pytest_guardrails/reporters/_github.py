"""What GitHub Actions is told: a summary of the job's step, and annotations at the lines of cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pytest_guardrails._model import CaseRecord, CaseStatus, CorpusRecord, Run
from pytest_guardrails.reporters._corpora import current
from pytest_guardrails.reporters._facts import file_of, missing, worst_first
from pytest_guardrails.reporters.markdown import markdown
from pytest_guardrails.reporters.terminal import plain

MOST_BYTES = 1_000_000  # GitHub refuses a step's summary of more than 1 MiB
MOST_ANNOTATIONS = 10  # GitHub shows so many errors of a step
MOST_NAME, MOST_TEXT = 200, 1_000
_BAD = (CaseStatus.ERROR, CaseStatus.NOT_AS_EXPECTED)
_UNFOLD = b"\n\n</details>"  # or what follows would be folded away with the rest
_CUT = "\n\n… the rest is left out: a summary has to stay under 1 MiB; report.json has all.\n"


def append_summary(run: Run, path: Path) -> None:
    """Append the Markdown summary to a step's file, cut so that the file stays under what GitHub accepts.

    Raises:
        OSError: where the file cannot be written.
    """
    with path.open("ab") as file:
        room = MOST_BYTES - file.tell()
        file.write(summary(run, room))


def summary(run: Run, room: int = MOST_BYTES) -> bytes:
    """Return the Markdown summary in at most ``room`` bytes, whole lines of it; it is worst first."""
    text = f"{markdown(run).rstrip()}\n\n".encode("utf-8", "backslashreplace")
    if len(text) <= room:
        return text
    end = _CUT.encode()
    if room < len(end):
        return b""
    kept = text[: max(0, room - len(end) - len(_UNFOLD))].rpartition(b"\n")[0]
    folded = kept.count(b"<details") > kept.count(b"</details>")
    return kept + (_UNFOLD if folded else b"") + end


def error_commands(run: Run, folder: str = "") -> Iterator[str]:
    """Yield at most ten ``::error`` commands: what has no result, gates that failed, then the worst corpora and cases.

    ``folder`` is where the root of the suite stands in the repository.
    """
    cases = sorted((record for record in run.records if _is_bad(record)), key=worst_first)
    corpora = [record for record in current(run) if _is_bad(record)]
    said = [_command("", None, "No result", (lacking,)) for lacking in missing(run)[: MOST_ANNOTATIONS // 2]]
    said += [_command("", None, f"Gate {gate.expr} failed", gate.said) for gate in run.gates if not gate.passed]
    said += [_of_record(record, f"Corpus {record.name}", folder) for record in corpora]
    said += [_of_record(record, record.case, folder) for record in cases[:MOST_ANNOTATIONS]]
    yield from said[:MOST_ANNOTATIONS]


def _is_bad(record: CaseRecord | CorpusRecord) -> bool:
    return record.status in _BAD and record.xfail is None


def _of_record(record: CaseRecord | CorpusRecord, name: str, folder: str) -> str:
    file = file_of(record)
    if file and folder:
        file = (PurePosixPath(folder) / file).as_posix()
    severity = f" ({record.severity})" if isinstance(record, CaseRecord) else ""
    return _command(file, record.line, f"{name}: {record.status.value}{severity}", record.reasons)


def _command(file: str, line: int | None, title: str, reasons: tuple[str, ...]) -> str:
    """Return a workflow command; what it says cannot end it or begin another."""
    places = [("file", plain(file, MOST_NAME))] if file else []
    places += [("line", str(line))] if file and line is not None else []
    places += [("title", plain(title, MOST_NAME))]
    properties = ",".join(f"{name}={_property(value)}" for name, value in places)
    return f"::error {properties}::{_data(plain('; '.join(reasons) or title, MOST_TEXT))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
