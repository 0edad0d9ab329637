"""``junit.xml``: JUnit XML of cases, corpora and gates, for whoever does not use pytest's own ``--junitxml``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pytest_guardrails._model import CaseRecord, CaseStatus, CorpusRecord, GateResult, Run
from pytest_guardrails.reporters._corpora import current, figures
from pytest_guardrails.reporters._facts import Guards, category, latency_ms, missing, number_wrong, wrong_samples
from pytest_guardrails.reporters.terminal import plain

MOST_NAME, MOST_TEXT = 1_000, 10_000
_ELEMENTS = {CaseStatus.NOT_AS_EXPECTED: "failure", CaseStatus.ERROR: "error", CaseStatus.NOT_RUN: "skipped"}


def junit(run: Run) -> str:
    """Return the run as JUnit XML: a test case per case, corpus and gate, with scalar properties.

    What a run that is not whole lacks is a test case with an error.
    """
    guards = Guards(run)
    root = Element("testsuites", {"name": "pytest-guardrails"})
    _suite(root, "cases", run, [_case(record, guards) for record in run.records])
    _suite(root, "corpora", run, [_corpus(record, guards) for record in current(run)])
    _suite(root, "gates", run, [_gate(gate) for gate in run.gates])
    _suite(root, "run", run, [_missing(said) for said in missing(run)])
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.attrib[count]) for suite in root)))
    root.set("time", _seconds(run.duration_s))
    indent(root, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(root: Element, name: str, run: Run, tests: list[Element]) -> None:
    if not tests and name != "cases":
        return
    counts = {word: sum(test.find(word) is not None for test in tests) for word in _ELEMENTS.values()}
    given = {
        "name": f"guardrails {name}",
        "tests": str(len(tests)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": _seconds(sum(float(test.attrib["time"]) for test in tests)),
        "timestamp": _said(run.started),
    }
    suite = SubElement(root, "testsuite", given)
    if name == "cases":
        _properties(suite, [("complete", str(run.complete).lower()), ("revealed", str(run.revealed).lower())])
    suite.extend(tests)


def _case(record: CaseRecord, guards: Guards) -> Element:
    file, _, name = record.nodeid.partition("::")
    latency = latency_ms(record)
    made = _test(file, name or record.case, 0.0 if latency is None else latency / 1000)
    _properties(
        made,
        [
            ("verdict", record.trace.verdict.value if record.trace else ""),
            ("expected", record.expected),
            ("decided_by", (record.trace.decided_by or "") if record.trace else ""),
            ("category", category(record)),
            ("severity", record.severity),
            ("label", record.label),
            ("outcome", record.outcome.value if record.outcome else ""),
            ("guard", record.guard),
            ("guard_version", guards.version(record.guard)),
            ("latency_ms", "" if latency is None else str(latency)),
            *_place(record),
        ],
    )
    return _judged(made, record)


def _corpus(record: CorpusRecord, guards: Guards) -> Element:
    file, _, name = record.nodeid.partition("::")
    made = _test(file, name or record.name, record.duration_s)
    said = [(label.lower(), text) for label, text in figures(record)]
    version = ("guard_version", guards.version(record.guard))
    known = [("corpus", record.name), ("rows", str(record.rows)), ("guard", record.guard), version]
    _properties(made, [*known, *said, *_place(record)])
    made = _judged(made, record)
    if told := list(_samples(record)):
        SubElement(made, "system-out").text = plain("\n".join(told), MOST_TEXT, keep="\n\t")
    return made


def _samples(record: CorpusRecord) -> Iterator[str]:
    """Yield a line per sample that went wrong, as many as the run keeps."""
    for one in wrong_samples(record):
        yield "  ".join(filter(None, (one.place, one.kind, one.category, ", ".join(one.by), one.text[:MOST_NAME])))
    if record.worst and (more := number_wrong(record) - len(record.worst)) > 0:
        yield f"… and {more:,} more samples went wrong"


def _place(record: CaseRecord | CorpusRecord) -> Iterator[tuple[str, str]]:
    yield "file", record.file or ""
    yield "line", "" if record.line is None else str(record.line)


def _gate(gate: GateResult) -> Element:
    made = _test("gates", gate.expr, 0.0)
    if not gate.passed:
        _outcome(made, "failure", "gate", gate.said)
    return made


def _missing(said: str) -> Element:
    made = _test("run", said, 0.0)
    _outcome(made, "error", "no result", [said])
    return made


def _judged(made: Element, record: CaseRecord | CorpusRecord) -> Element:
    if record.xfail is not None:
        _outcome(made, "skipped", "known failing", [record.xfail])
    elif record.status in _ELEMENTS:
        _outcome(made, _ELEMENTS[record.status], record.status.value, record.reasons)
    return made


def _test(file: str, name: str, seconds: float) -> Element:
    classname = file.removesuffix(".py").replace("/", ".")
    return Element("testcase", {"classname": _said(classname), "name": _said(name), "time": _seconds(seconds)})


def _outcome(made: Element, word: str, kind: str, reasons: Iterable[str]) -> None:
    lines = list(reasons)
    child = SubElement(made, word, {"type": kind, "message": _said(lines[0] if lines else kind)})
    child.text = plain("\n".join(lines), MOST_TEXT, keep="\n\t")


def _properties(parent: Element, pairs: Iterable[tuple[str, str]]) -> None:
    kept = [(name, value) for name, value in pairs if value]
    if kept:
        properties = SubElement(parent, "properties")
        for name, value in kept:
            SubElement(properties, "property", {"name": f"guardrail.{name}", "value": _said(value)})


def _said(text: str) -> str:
    return plain(text, MOST_NAME)


def _seconds(seconds: float) -> str:
    return f"{max(0.0, seconds) if math.isfinite(seconds) else 0.0:.3f}"
