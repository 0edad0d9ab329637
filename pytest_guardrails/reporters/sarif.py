"""``guardrails.sarif``: missed attacks and false positives as SARIF 2.1.0, at the line of their case."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from pytest_guardrails._metrics import measure
from pytest_guardrails._model import SEVERITIES, CaseRecord, CaseStatus, Run
from pytest_guardrails.reporters._corpora import is_untrusted
from pytest_guardrails.reporters._facts import WRONG, Guards, category, file_of, worst_first
from pytest_guardrails.reporters.json import dumps
from pytest_guardrails.reporters.terminal import plain

MOST_RESULTS = 5_000  # GitHub shows no more of a run
MOST_NAME, MOST_TEXT = 300, 4_000
UNCATEGORISED = "uncategorised"
FINGERPRINT = "pytestGuardrailsCase/v1"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SECURITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}  # as GitHub ranks them

Json = dict[str, Any]


def sarif(run: Run) -> str:
    """Return the cases whose outcome is wrong, worst first, each under the rule of its category.

    Where guards gave no answer, or the run was cut short, the invocation is not successful.
    """
    wrong = sorted((record for record in run.records if record.outcome in WRONG), key=worst_first)
    shown, guards = wrong[:MOST_RESULTS], Guards(run)
    rules: dict[str, list[CaseRecord]] = {}
    for record in shown:
        rules.setdefault(_rule_id(record), []).append(record)
    driver = {
        "name": "pytest-guardrails",
        "semanticVersion": str(run.environment.get("pytest-guardrails", "0.0.0")),
        "rules": [_rule(name, records) for name, records in rules.items()],
    }
    indexes = {name: index for index, name in enumerate(rules)}
    log = {
        "tool": {"driver": driver},
        "invocations": [_invocation(run, len(wrong) - len(shown))],
        "columnKind": "unicodeCodePoints",
        "results": [_result(record, indexes[_rule_id(record)], guards) for record in shown],
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [log]}, indent=1) + "\n"


def _rule_id(record: CaseRecord) -> str:
    return plain(category(record), MOST_NAME) or UNCATEGORISED


def _rule(name: str, records: list[CaseRecord]) -> Json:
    worst = min((_severity(record) for record in records), key=SEVERITIES.index)
    properties = {"tags": ["security", "guardrails"], "security-severity": _SECURITY[worst]}
    said = {"text": f"A guardrail let an attack pass, or stopped a benign request: {name}"}
    return {"id": name, "name": name, "shortDescription": said, "properties": properties}


def _severity(record: CaseRecord) -> str:
    return record.severity if record.severity in SEVERITIES else "medium"


def _result(record: CaseRecord, index: int, guards: Guards) -> Json:
    kind = WRONG[record.outcome] if record.outcome else ""
    reasons = "; ".join(record.reasons)
    accepted = record.status is CaseStatus.AS_EXPECTED
    said = reasons or ("the case expects it" if accepted else record.status.value)
    result: Json = {
        "ruleId": _rule_id(record),
        "ruleIndex": index,
        "level": "note" if accepted else _LEVELS[_severity(record)],
        "message": {"text": plain(f"{kind.capitalize()}: {record.case}: {said}", MOST_TEXT)},
        "locations": [_location(record)],
        "partialFingerprints": {FINGERPRINT: _fingerprint(record)},
        "properties": {
            "kind": kind,
            "severity": plain(record.severity, MOST_NAME),
            "expected": plain(record.expected, MOST_NAME),
            "guard": plain(record.guard, MOST_NAME),
            "guardVersion": plain(guards.version(record.guard), MOST_NAME),
            "guardrail": plain((record.trace.decided_by or "") if record.trace else "", MOST_NAME),
        },
    }
    if record.xfail is not None:
        known = {"kind": "external", "justification": plain(record.xfail, MOST_TEXT)}
        result["suppressions"] = [known]
    return result


def _location(record: CaseRecord) -> Json:
    """Return where a case stands: its file, from the root of the suite, and line; a case without a file by its name."""
    logical = {"fullyQualifiedName": plain(record.nodeid, MOST_NAME), "kind": "function"}
    file = file_of(record)
    if not file:
        return {"logicalLocations": [logical]}
    uri = quote(file.encode("utf-8", "backslashreplace"), safe="/")
    physical: Json = {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}}
    if record.line is not None and record.line > 0:
        physical["region"] = {"startLine": record.line}
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def _fingerprint(record: CaseRecord) -> str:
    """Return what tells that two runs speak of one case, whatever its line and the guard's version."""
    said = f"{record.key or record.nodeid}\0{record.outcome}"
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _invocation(run: Run, left_out: int) -> Json:
    notes = []
    errors = measure(run.records).unexpected_errors
    if errors:
        notes.append(("error", f"Untrusted: guards gave no answer in cases ({errors}), which are in no result."))
    corpora = sum(map(is_untrusted, run.corpora))
    if corpora:
        notes.append(("error", f"Untrusted: guards gave no answer to samples of corpora ({corpora})."))
    if not run.complete:
        notes.append(("warning", "The run was cut short: its results speak of a part of the suite."))
    if left_out:
        notes.append(("warning", f"Left out: {left_out} more results; report.json has all."))
    said = [{"level": level, "message": {"text": text}} for level, text in notes]
    successful = not errors and not corpora and run.complete
    return {"executionSuccessful": successful, "toolExecutionNotifications": said}
