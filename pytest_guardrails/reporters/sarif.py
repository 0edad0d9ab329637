"""``guardrails.sarif``: missed attacks and false positives as SARIF 2.1.0, at the line of their case or sample."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pytest_guardrails._metrics import measure
from pytest_guardrails._model import SEVERITIES, CaseRecord, CaseStatus, CorpusRecord, Run
from pytest_guardrails.reporters._corpora import current, is_untrusted
from pytest_guardrails.reporters._facts import (
    WRONG,
    Guards,
    WrongSample,
    all_of,
    category,
    file_of,
    missing,
    worst_first,
    wrong_samples,
)
from pytest_guardrails.reporters.json import dumps
from pytest_guardrails.reporters.terminal import plain

MOST_RESULTS = 5_000  # GitHub shows no more of a run
MOST_NAME, MOST_TEXT = 300, 4_000
MOST_LOST = 100
UNCATEGORISED = "uncategorised"
FINGERPRINT = "pytestGuardrailsCase/v1"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SECURITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}  # as GitHub ranks them
_KINDS = {outcome.value.replace("_", " "): word for outcome, word in WRONG.items()}
_OUR_OWN = "pytest_guardrails/"  # a corpus of this package stands in no repository of theirs

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A case or a sample of a corpus whose outcome is wrong: what a result says of it.

    ``accepted``: the case expects it, or its corpus is as expected all the same. ``mark`` tells it from all others.
    """

    record: CaseRecord | CorpusRecord
    kind: str
    rule: str
    severity: str
    accepted: bool
    said: str
    file: str
    line: int | None
    mark: str
    about: tuple[tuple[str, str], ...]


def sarif(run: Run) -> str:
    """Return the cases and samples whose outcome is wrong, worst first, each under the rule of its category.

    Where guards gave no answer, or the run was cut short, the invocation is not successful.
    """
    cases = sorted((record for record in run.records if record.outcome in WRONG), key=worst_first)
    samples = [sample for record in current(run) for sample in wrong_samples(record) if sample.what in _KINDS]
    wrong = [*map(_case, cases), *map(_sample, samples)]
    wrong.sort(key=lambda one: (one.record.xfail is not None, one.accepted))
    shown, guards = wrong[:MOST_RESULTS], Guards(run)
    rules: dict[str, list[_Wrong]] = {}
    for one in shown:
        rules.setdefault(one.rule, []).append(one)
    driver = {
        "name": "pytest-guardrails",
        "semanticVersion": str(run.environment.get("pytest-guardrails", "0.0.0")),
        "rules": [_rule(name, found) for name, found in rules.items()],
    }
    indexes = {name: index for index, name in enumerate(rules)}
    groups = [all_of(record) for record in current(run)]
    every = len(cases) + sum(group.false_positive + group.false_negative for group in groups)
    log = {
        "tool": {"driver": driver},
        "invocations": [_invocation(run, max(every, len(wrong)) - len(shown))],
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, indexes[one.rule], guards) for one in shown],
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [log]}, indent=1) + "\n"


def _case(record: CaseRecord) -> _Wrong:
    accepted = record.status is CaseStatus.AS_EXPECTED
    said = "; ".join(record.reasons) or ("the case expects it" if accepted else record.status.value)
    return _Wrong(
        record,
        kind=WRONG[record.outcome] if record.outcome else "",
        rule=_rule_id(category(record)),
        severity=record.severity if record.severity in SEVERITIES else "medium",
        accepted=accepted,
        said=f"{record.case}: {said}",
        file=file_of(record),
        line=record.line,
        mark=f"{record.key or record.nodeid}\0{record.outcome}",
        about=(
            ("severity", record.severity),
            ("expected", record.expected),
            ("guardrail", (record.trace.decided_by or "") if record.trace else ""),
        ),
    )


def _sample(sample: WrongSample) -> _Wrong:
    """Return a sample, at its own line; at the line that names its corpus where it is in no file of the suite."""
    record = sample.corpus
    elsewhere = sample.line is None or record.generated or sample.file.startswith(_OUR_OWN)
    by = ", ".join(sample.by)
    said = f"{sample.place} of corpus {record.name}{f', by {by}' if by else ''}: {sample.text}"
    return _Wrong(
        record,
        kind=_KINDS[sample.what],
        rule=_rule_id(sample.category),
        severity="medium",
        accepted=record.status is CaseStatus.AS_EXPECTED,
        said=said,
        file=file_of(record) if elsewhere else sample.file.replace("\\", "/"),
        line=record.line if elsewhere else sample.line,
        mark=f"{record.nodeid}\0{sample.what}\0{sample.text}",
        about=(("corpus", record.name), ("guardrail", by)),
    )


def _rule_id(name: str) -> str:
    return plain(name, MOST_NAME) or UNCATEGORISED


def _rule(name: str, found: list[_Wrong]) -> Json:
    worst = min((one.severity for one in found), key=SEVERITIES.index)
    properties = {"tags": ["security", "guardrails"], "security-severity": _SECURITY[worst]}
    said = {"text": f"A guardrail let an attack pass, or stopped a benign request: {name}"}
    return {"id": name, "name": name, "shortDescription": said, "properties": properties}


def _result(one: _Wrong, index: int, guards: Guards) -> Json:
    record = one.record
    result: Json = {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": "note" if one.accepted else _LEVELS[one.severity],
        "message": {"text": plain(f"{one.kind.capitalize()}: {one.said}", MOST_TEXT)},
        "locations": [_location(one)],
        "partialFingerprints": {FINGERPRINT: _fingerprint(one.mark)},
        "properties": {
            "kind": one.kind,
            "guard": plain(record.guard, MOST_NAME),
            "guardVersion": plain(guards.version(record.guard), MOST_NAME),
            **{name: plain(value, MOST_NAME) for name, value in one.about},
        },
    }
    if record.xfail is not None:
        known = {"kind": "external", "justification": plain(record.xfail, MOST_TEXT)}
        result["suppressions"] = [known]
    return result


def _location(one: _Wrong) -> Json:
    """Return where it stands: its file, from the root of the suite, and line; what is in no file by its name."""
    logical = {"fullyQualifiedName": plain(one.record.nodeid, MOST_NAME), "kind": "function"}
    if not one.file:
        return {"logicalLocations": [logical]}
    uri = quote(one.file.encode("utf-8", "backslashreplace"), safe="/")
    physical: Json = {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}}
    if one.line is not None and one.line > 0:
        physical["region"] = {"startLine": one.line}
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def _fingerprint(mark: str) -> str:
    """Return what tells that two runs speak of one thing, whatever its line and the guard's version."""
    return hashlib.blake2b(mark.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _invocation(run: Run, left_out: int) -> Json:
    notes = []
    errors = measure(run.records).unexpected_errors
    if errors:
        notes.append(("error", f"Untrusted: guards gave no answer in cases ({errors}), which are in no result."))
    corpora = sum(map(is_untrusted, run.corpora))
    if corpora:
        notes.append(("error", f"Untrusted: guards gave no answer to samples of corpora ({corpora})."))
    lacking = missing(run)
    notes += [("error", f"No result: {said}") for said in lacking[:MOST_LOST]]
    if len(lacking) > MOST_LOST:
        notes.append(("error", f"No result of {len(lacking) - MOST_LOST} more tests; report.json has all."))
    if left_out:
        notes.append(("warning", f"Left out: {left_out} more results; report.json has all."))
    said = [{"level": level, "message": {"text": plain(text, MOST_TEXT)}} for level, text in notes]
    successful = not errors and not corpora and not lacking
    return {"executionSuccessful": successful, "toolExecutionNotifications": said}
