"""The report as JUnit XML of our own."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_guardrails._model import CaseRecord, CaseStatus, GateResult, Run
from pytest_guardrails.reporters import junit

XSD = Path(__file__).parent / "schemas" / "junit-10.xsd"


@pytest.fixture(scope="module")
def valid() -> Callable[[Run], ET.Element]:
    """Reads a report as a JUnit reader does: by its schema, which knows no properties of a test case."""
    import xmlschema

    schema = xmlschema.XMLSchema(XSD)

    def read(run: Run) -> ET.Element:
        text = junit(run)
        bare = ET.fromstring(text)  # noqa: S314 - it is ours
        for case in bare.iter("testcase"):
            for properties in case.findall("properties"):
                assert case[0] is properties
                assert all(set(item.attrib) == {"name", "value"} and item.attrib["value"] for item in properties)
                case.remove(properties)
        schema.validate(bare)
        return ET.fromstring(text)  # noqa: S314 - it is ours

    return read


def properties(case: ET.Element) -> dict[str, str]:
    """Return the properties of a test case."""
    return {item.attrib["name"]: item.attrib["value"] for item in case.iter("property")}


def test_a_case_has_scalar_properties(
    run: Callable[..., Run], record: Callable[..., CaseRecord], valid: Callable[[Run], ET.Element]
) -> None:
    """Verdict, who decided, category, guard version and latency are properties, named as in pytest's own report."""
    root = valid(run(record("mail", tags=("pii",))))
    case = next(root.iter("testcase"))
    assert (case.attrib["classname"], case.attrib["name"]) == ("a.guardrails.yaml", "mail")
    expected = {
        "guardrail.verdict": "allow",
        "guardrail.expected": "allow (sanitize) by 'pii_redact'",
        "guardrail.decided_by": "pii_redact",
        "guardrail.category": "pii",
        "guardrail.guard_version": "7 (abc)",
        "guardrail.latency_ms": "0.4",
    }
    assert expected.items() <= properties(case).items()


def test_each_status_has_its_element(
    run: Callable[..., Run], record: Callable[..., CaseRecord], valid: Callable[[Run], ET.Element]
) -> None:
    """Not as expected is a failure, an error an error, what did not run and an xfail are skipped; counts agree."""
    records = [record(status.value, status, reasons=("why\nso",)) for status in CaseStatus]
    records.append(record("known", CaseStatus.ERROR, xfail="a bug"))
    root = valid(run(*records, gates=(GateResult("fpr<=1%", False, ("fpr is 3 %",)),)))
    found = {case.attrib["name"]: [c.tag for c in case if c.tag != "properties"] for case in root.iter("testcase")}
    assert found == {
        "as expected": [],
        "not as expected": ["failure"],
        "error": ["error"],
        "not run": ["skipped"],
        "known": ["skipped"],
        "fpr<=1%": ["failure"],
    }
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("6", "2", "1")
    suite = root.find("testsuite")
    assert suite is not None
    assert (suite.attrib["tests"], suite.attrib["skipped"]) == ("5", "2")
    assert [child.text for child in root.iter("error")] == ["why\nso"]


def test_hostile_texts_are_valid_xml(hostile_figures: Run, valid: Callable[[Run], ET.Element]) -> None:
    """Control characters, lone surrogates and what ends a CDATA section stay readable text."""
    root = valid(hostile_figures)
    suites = [(suite.attrib["name"], len(suite.findall("testcase"))) for suite in root]
    assert suites == [
        ("guardrails cases", 4),
        ("guardrails corpora", 2),
        ("guardrails gates", 2),
        ("guardrails run", 1),
    ]


def test_a_run_that_is_not_whole_has_an_error(run: Callable[..., Run], valid: Callable[[Run], ET.Element]) -> None:
    """Whoever reads this file alone sees red: an error per lost test, else one for the run that was cut short."""
    for lost, said in ((("t.py::x: its worker died", "u.py: no"), 2), ((), 1)):
        root = valid(run(complete=False, lost=lost))
        assert (root.attrib["tests"], root.attrib["errors"]) == (str(said), str(said))
    assert [(error.get("message") or "")[:21] for error in root.iter("error")] == ["the run was cut short"]


def test_a_run_that_judged_nothing_is_valid(run: Callable[..., Run], valid: Callable[[Run], ET.Element]) -> None:
    """No case and a time that is no number make a valid report of nothing."""
    for seconds in (float("nan"), float("inf"), -1.0):
        root = valid(run(duration_s=seconds))
        assert (root.attrib["tests"], root.attrib["time"]) == ("0", "0.000")


def test_a_corpus_prints_the_samples_that_went_wrong(corpora_run: Run, valid: Callable[[Run], ET.Element]) -> None:
    """A corpus is one test, and its output has a line per sample that the run keeps, and how many it does not."""
    attacks, benign = (case.findtext("system-out") for case in valid(corpora_run).iter("testcase"))
    assert attacks == "pytest_guardrails/corpora/x.jsonl:5  missed attack  travel  «bb · #5»"
    assert benign is not None
    first, _, last = benign.splitlines()
    assert first == "data/benign.jsonl:2  false positive  money  before_request/words/default.contains  «aa · #2»"
    assert last == "… and 4 more samples went wrong"
