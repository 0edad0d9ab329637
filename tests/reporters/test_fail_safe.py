"""The fail-safe matrix in every report: what is open stands out, and what is by choice is counted apart."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from pytest_guardrails._metrics import FailSafe, FailSafeRow, measure
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CheckError,
    CheckResult,
    GuardrailResult,
    GuardrailStatus,
    OnError,
    Phase,
    Request,
    Response,
    Run,
    Trace,
    Verdict,
)
from pytest_guardrails.reporters._island import detail
from pytest_guardrails.reporters._matrix import MOST_COLUMNS, MOST_FAULTS, matrix
from pytest_guardrails.reporters.html import html
from pytest_guardrails.reporters.json import json_report, report_dict
from pytest_guardrails.reporters.markdown import markdown
from pytest_guardrails.reporters.terminal import fail_safe_sentence, terminal

MakeRun = Callable[..., Run]
MakeRecord = Callable[..., CaseRecord]


def met(phase: Phase, on_error: OnError, *, passed: bool, name: str = "lasso") -> Trace:
    """Return a request whose only guardrail errored, and that was blocked or passed."""
    check = CheckResult("lasso.classify", (), CheckError(name, "lasso.classify", "LassoTimeout", "no answer"))
    errored = GuardrailResult(name, phase, GuardrailStatus.ERRORED, Action.NONE, (check,), on_error)
    request = Request.of("hi")
    if passed:
        return Trace(request, Verdict.ALLOW, Action.NONE, None, (errored,), (request,), Response.of("ho"))
    return Trace(request, Verdict.BLOCK, Action.NONE, name, (errored,))


@pytest.fixture
def faulty(run: MakeRun, record: MakeRecord) -> Run:
    """Two faults in both phases under both choices; one of them was open though nobody chose it."""
    records = []
    for fault, phase, on_error in itertools.product(("http_503", "read_timeout"), Phase, OnError):
        leaks = (fault, phase) == ("read_timeout", Phase.AFTER_REQUEST)
        trace = met(phase, on_error, passed=on_error is OnError.ALLOW or leaks)
        records.append(record(f"{fault} {phase} {on_error}", fault=fault, trace=trace))
    return run(*records)


def row(outcome: FailSafe, on_error: str = "block", fault: str = "f", guardrail: str = "lasso") -> FailSafeRow:
    """Return a row."""
    return FailSafeRow("g", guardrail, "before_request", on_error, fault, outcome)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(FailSafe.CLOSED)] * 34 + [row(FailSafe.BY_CHOICE, "allow")] * 34, "34/34 closed, 34 open by choice"),
        ([row(FailSafe.CLOSED), row(FailSafe.OPEN)], "1/2 closed, 1 OPEN"),
        ([row(FailSafe.NOT_FELT), row(FailSafe.NOT_FELT, "")], "0/2 closed, 2 not felt"),
        ([row(FailSafe.BY_CHOICE, "allow"), row(FailSafe.CLOSED, "allow")], "1 open by choice"),
    ],
)
def test_the_sentence_counts_choices_apart(rows: list[FailSafeRow], said: str) -> None:
    """The fraction is of those that nobody told to be open, and a fault that was not felt is not closed."""
    assert fail_safe_sentence(rows) == said


def test_a_run_without_faults_says_nothing_of_them(run: MakeRun, record: MakeRecord) -> None:
    """No report has a line, a table or a section of faults where there were none; report.json has an empty list."""
    made = run(record("a"))
    for said in (*terminal(made, measure(made.records)), markdown(made), html(made)):
        assert not re.search("fail-safe", re.sub("<style>.*?</style>", "", said, flags=re.DOTALL), re.IGNORECASE)
    assert report_dict(made)["metrics"]["fail_safe"] == []


def test_the_terminal_names_the_worst(faulty: Run, run: MakeRun, record: MakeRecord) -> None:
    """One line says how many were closed, and each that was not has a line, up to a bound."""
    lines = list(terminal(faulty, measure(faulty.records)))
    start = lines.index("fail-safe  3/4 closed, 4 open by choice, 1 OPEN")
    assert lines[start + 1 : start + 3] == ["  OPEN     read_timeout at lasso, after", lines[-2]]
    opened = met(Phase.BEFORE_REQUEST, OnError.BLOCK, passed=True)
    many = run(*(record(f"c{i}", fault=f"f{i}", trace=opened) for i in range(9)))
    assert "  … and 3 more; the report has all" in list(terminal(many, measure(many.records)))


def test_the_summary_has_a_table_of_fault_and_phase(faulty: Run) -> None:
    """The fault that was open comes first and stands out; a cell counts what became of it in that phase."""
    lines = markdown(faulty).splitlines()
    start = lines.index("**Fail-safe:** 3/4 closed, 4 open by choice, 1 OPEN")
    assert lines[start + 2 : start + 6] == [
        "| fault | before | after |",
        "|---|---|---|",
        r"| read\_timeout | 1 open by choice, 1 closed | **1 OPEN**, 1 open by choice |",
        r"| http\_503 | 1 open by choice, 1 closed | 1 open by choice, 1 closed |",
    ]
    assert lines[start + 6] == ""


def test_the_report_has_every_row(faulty: Run) -> None:
    """A row of report.json says where, which fault, what became of it, and of how many cases."""
    rows = json.loads(json_report(faulty))["metrics"]["fail_safe"]
    assert len(rows) == 8
    assert rows[-1] == {
        "guard": "guard.yaml@abc",
        "guardrail": "lasso",
        "phase": "after_request",
        "on_error": "block",
        "fault": "read_timeout",
        "outcome": "OPEN",
        "cases": 1,
    }


class Table(HTMLParser):
    """The cells of the matrix: each row a list of class and words."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[tuple[str, str]]] = []
        self._inside = self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter the table, a row or a cell."""
        if tag == "table":
            self._inside = ("class", "faults") in attrs
        elif self._inside and tag == "tr":
            self.rows.append([])
        elif self._inside and tag in ("td", "th"):
            self.rows[-1].append((dict(attrs).get("class") or "", ""))
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        """Leave a cell."""
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        """Keep the words of a cell."""
        if self._cell:
            kind, words = self.rows[-1][-1]
            self.rows[-1][-1] = (kind, words + data)


def test_the_page_has_the_matrix_in_words_and_colour(faulty: Run) -> None:
    """A column per guardrail, phase and choice, a row per fault, the worst first; each cell has its word and class."""
    page = html(faulty)
    head, *body = Table(page).rows
    assert [words for _, words in head] == [
        "fault",
        "lasso after, on error block",
        "lasso before, on error allow",
        "lasso before, on error block",
        "lasso after, on error allow",
    ]
    chosen, closed = ("open-by-choice", "open by choice"), ("closed", "closed")
    assert body == [
        [("", "read_timeout"), ("OPEN", "OPEN"), chosen, closed, chosen],
        [("", "http_503"), closed, chosen, closed, chosen],
    ]
    style = page[page.index("<style>") : page.index("</style>")]
    assert all(f".faults .{kind}" in style for kind in ("OPEN", "not-felt", "open-by-choice", "closed"))
    assert page.index("<h1>") < page.index(">Fail-safe matrix</h2>") < page.index(">Rates</h2>")


def test_columns_that_read_alike_name_their_guard(run: MakeRun, record: MakeRecord) -> None:
    """Two guards with the same guardrail have a column each, and what did not run is a dash."""
    trace = met(Phase.BEFORE_REQUEST, OnError.BLOCK, passed=False)
    made = run(record("a", fault="x", trace=trace, guard="one"), record("b", fault="y", trace=trace, guard="two"))
    head, first, _ = Table(html(made)).rows
    assert [words for _, words in head[1:]] == ["lasso before, on error block one", "lasso before, on error block two"]
    assert first == [("", "x"), ("closed", "closed"), ("zero", "–")]


def test_several_cases_in_a_cell_are_said(run: MakeRun, record: MakeRecord) -> None:
    """A cell of several cases shows the worst, and says of how many."""
    traces = [met(Phase.BEFORE_REQUEST, OnError.BLOCK, passed=passed) for passed in (False, True)]
    made = run(*(record(str(i), fault="x", trace=trace) for i, trace in enumerate(traces)))
    assert Table(html(made)).rows[1][1] == ("OPEN", "OPEN worst of 2")


def test_the_matrix_is_bounded(run: MakeRun) -> None:
    """However many faults and guardrails there are, the page shows so many of each and says how many more."""
    rows = [row(FailSafe.CLOSED, fault=f"f{i:03}") for i in range(MOST_FAULTS + 2)]
    rows += [row(FailSafe.CLOSED, guardrail=f"g{i:03}") for i in range(MOST_COLUMNS)]
    rows += [row(FailSafe.OPEN, fault="zzz", guardrail="zzz")]
    said = "\n".join(matrix(rows))
    made = Table(said).rows
    assert (len(made), len(made[0])) == (1 + MOST_FAULTS, 1 + MOST_COLUMNS)
    assert made[1][:2] == [("", "zzz"), ("OPEN", "OPEN")]
    assert "… and 4 more faults; report.json has all." in said
    assert "… and 2 more guardrails; report.json has all." in said


def test_hostile_names_stay_names(run: MakeRun, record: MakeRecord, hostile_text: str) -> None:
    """A fault, guardrail or guard with a hostile name changes no element, table or line of any report."""

    def made(text: str) -> Run:
        traces = (met(phase, OnError.BLOCK, passed=True, name=text) for phase in Phase)
        return run(*(record(str(i), fault=text, trace=trace, guard=text + str(i)) for i, trace in enumerate(traces)))

    def tags(text: str) -> list[str]:
        return re.findall(r"<[a-z]+", "\n".join(matrix(measure(made(text).records).fail_safe)))

    assert tags(hostile_text) == tags("harmless words")
    assert all(letter.isprintable() or letter == "\n" for letter in html(made(hostile_text)))
    assert all(line.isprintable() for line in terminal(made(hostile_text), measure(made(hostile_text).records)))
    table = [line for line in markdown(made(hostile_text)).splitlines() if "OPEN" in line and line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", line.replace("\\\\", ""))) for line in table] == [4]


def test_a_case_says_its_fault(run: MakeRun, record: MakeRecord) -> None:
    """The details of a case on the page name its fault."""
    made = record("a", fault="http_503", trace=met(Phase.BEFORE_REQUEST, OnError.BLOCK, passed=False))
    assert ("fault", "http_503") in detail(report_dict(run(made))["cases"][0])["facts"]
