"""The sections of the page: their order, what each says of a run, and what is red."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._metrics import measure
from pytest_guardrails._model import (
    Action,
    Armed,
    CaseRecord,
    CaseStatus,
    CheckError,
    CheckResult,
    Comparison,
    CorpusRecord,
    Finding,
    Flip,
    GateResult,
    Grade,
    Group,
    GuardrailResult,
    GuardrailStatus,
    OnError,
    Outcome,
    Phase,
    PopulationChange,
    RateChange,
    Request,
    Response,
    Ruling,
    Run,
    ScoreCurve,
    Shadow,
    Trace,
    Verdict,
)
from pytest_guardrails._stats import Rate
from pytest_guardrails.reporters._html_arming import arming
from pytest_guardrails.reporters._html_causes import causes
from pytest_guardrails.reporters._html_changes import changes
from pytest_guardrails.reporters._html_corpora import corpora
from pytest_guardrails.reporters._html_head import gates, head, is_good
from pytest_guardrails.reporters._html_latency import latency
from pytest_guardrails.reporters._html_trace import detail
from pytest_guardrails.reporters._svg import MOST_BINS, histogram, reach, small_bar, time_bins, time_text
from pytest_guardrails.reporters.html import html
from pytest_guardrails.reporters.json import report_dict

MakeRun = Callable[..., Run]
MakeRecord = Callable[..., CaseRecord]


def words(lines: Any) -> str:
    """Return the words of some markup, each run of space as one."""
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", "\n".join(lines)).split()))


def rows(lines: Any) -> list[list[str]]:
    """Return the body rows of every table in some markup, as the words of their cells."""
    found = re.findall(r"<tr>(.*?)</tr>", "".join(lines), re.DOTALL)
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in found if "<td" in row]
    return [[words([cell]) for cell in row] for row in cells]


def passed_by_choice() -> Trace:
    """Return a request that passed an errored check, as its guardrail says it may."""
    check = CheckResult("api", (), CheckError("lasso", "api", "TimeoutError", "no answer"))
    errored = GuardrailResult(
        "lasso", Phase.BEFORE_REQUEST, GuardrailStatus.ERRORED, Action.NONE, (check,), OnError.ALLOW
    )
    return Trace(Request.of("hi"), Verdict.ALLOW, Action.NONE, None, (errored,), (Request.of("hi"),), Response.of("hi"))


def flip(key: str, truth: str, **fields: Any) -> Flip:
    """Return a flip of a case."""
    given = {"severity": "high", "verdict": "became blocked", "before": "allow", "after": "block by words"}
    return Flip("cases", key, "benign", truth=truth, **{**given, **fields})


COMPARED = Comparison(
    "old 1", "new 2", 40,
    populations=(
        PopulationChange(
            "cases", "guard.yaml", 40, flips=3, newly_wrong=2, newly_right=1, became_blocked=3,
            rates=(RateChange("fpr", 40, 0, 2, 2, 0, 0.05, (-0.02, 0.16), 0.5),),
        ),
    ),
    flips=(flip("a.guardrails.yaml::c", "newly wrong"), flip("gone", "newly wrong"), flip("k", "newly right")),
    rulings=(Ruling("too-few", False, "few"), Ruling("critical-flip", True, "one flipped")),
)  # fmt: skip


def test_the_sections_come_in_the_order_of_what_a_reader_wants(run: MakeRun, record: MakeRecord) -> None:
    """Verdict, changes, fail-safe, rates, causes, cases, latency, corpora, arming, allowlists, environment."""
    guard = run().guards[0]
    guard = replace(guard, allowlists=FrozenDict({"before_request/pii_redact/pii_redact": ("entry",)}))
    corpus = CorpusRecord("n", "mixed", CaseStatus.AS_EXPECTED, groups=(Group("all", "", 1, 0, 1, 0),))
    made = run(
        record("a", fault="x", outcome=Outcome.FALSE_POSITIVE, armed=Armed(off=True)),
        guards=(guard,), corpora=(corpus,), gates=(GateResult("fpr<=1%", True),), comparison=COMPARED, shadow=COMPARED,
    )  # fmt: skip
    page = html(made)
    sections = re.findall(r'<section id="([a-z-]+)"', page)
    assert sections == [
        "gates", "changes", "fail-safe", "rates", "causes", "cases", "latency", "corpora", "candidate", "arming",
        "allowlists", "environment",
    ]  # fmt: skip
    assert re.findall(r'<li><a href="#([a-z-]+)"', page) == sections
    assert page.index("<h1>") < page.index('<section id="gates"')


@pytest.mark.parametrize(
    ("fields", "good"),
    [
        ({}, True),
        ({"complete": False}, False),
        ({"exit_status": 1}, False),
        ({"gates": (GateResult("fpr<=1%", False, ("3 of 8",)),)}, False),
        ({"gates": (GateResult("fpr<=1%", True),)}, True),
        ({"comparison": COMPARED}, False),
        ({"comparison": replace(COMPARED, rulings=())}, True),
        ({"shadow": COMPARED}, True),
        ({"corpora": (CorpusRecord("n", "c", CaseStatus.NOT_AS_EXPECTED),)}, False),
        ({"corpora": (CorpusRecord("n", "c", CaseStatus.NOT_AS_EXPECTED, xfail="known"),)}, True),
        ({"corpora": (CorpusRecord("n", "c", CaseStatus.ERROR),)}, False),
        ({"records": ()}, False),
    ],
)
def test_green_is_a_run_in_which_nothing_is_wrong(
    run: MakeRun, record: MakeRecord, fields: dict[str, Any], good: bool
) -> None:
    """Whatever makes a run fail, or leaves it without a result, makes the head red; a candidate does not."""
    made = replace(run(record("a")), **fields)
    assert is_good(made, measure(made.records)) is good
    assert f'<header class="{"good" if good else "bad"}">' in html(made)


def test_open_by_choice_is_red_only_where_nobody_expected_it(run: MakeRun, record: MakeRecord) -> None:
    """Cases that expect it leave the head as it is and have a calm sentence; one that does not is a doubt."""
    expected = record("a", outcome=Outcome.ERROR, trace=passed_by_choice())
    made = run(expected, record("b"))
    said = "\n".join(head(made, measure(made.records)))
    assert '<header class="good">' in said
    assert '<p class="chosen">Open by choice (on_error: allow): 1 case passed an errored check, as expected.' in said
    assert 'class="doubt"' not in said
    surprised = record("c", CaseStatus.ERROR, outcome=Outcome.ERROR, trace=passed_by_choice())
    made = run(expected, surprised)
    said = "\n".join(head(made, measure(made.records)))
    assert '<header class="bad">' in said
    assert '<p class="doubt">Open by choice (on_error: allow), where the case did not expect it: 1.' in said


def test_an_error_of_a_guardrail_is_red_only_where_nobody_expected_it(run: MakeRun, record: MakeRecord) -> None:
    """In the table of guardrails as in the head."""
    page = html(run(record("a", outcome=Outcome.ERROR, trace=passed_by_choice())))
    assert re.search(r'class="n errors" data-head="errors">1<', page)
    assert 'class="n unexpected"' not in page
    page = html(run(record("a", CaseStatus.ERROR, outcome=Outcome.ERROR, trace=passed_by_choice())))
    assert re.search(r'class="n unexpected" data-head="errors">1<', page)


def test_gates_are_judged_in_words(run: MakeRun) -> None:
    """Failed ones come first, with why; the colour says nothing that the words do not."""
    made = run(
        gates=(GateResult("recall>=90%", True), GateResult("fpr<=1%", False, ("cases: 3 of 8", "corpus: 0 of 9")))
    )
    assert rows(gates(made)) == [
        ["fpr<=1%", "✗ failed", "cases: 3 of 8 corpus: 0 of 9"],
        ["recall>=90%", "✓ holds", ""],
    ]


def test_changes_go_both_ways(run: MakeRun, record: MakeRecord) -> None:
    """How many flipped, which rules fail, the change with its interval, and each flip, with a link if it ran."""
    said = list(changes(run(record("c"), record("k", key="k", nodeid="x.py::k"), comparison=COMPARED)))
    text = words(said)
    assert "2 newly wrong , 1 newly right , 3 flips among 40" in text
    assert text.index("failed: critical-flip one flipped") < text.index("note: too-few few")
    assert text.index("Newly wrong: 2") < text.index("Newly right: 1")
    links = re.findall(r'href="#case=([^"]*)"', "".join(said))
    assert links == ["a.guardrails.yaml%3A%3Ac", "x.py%3A%3Ak"]
    assert "FPR 0 % → 5 % 0 → 2 of 40, p = 0.5" in text
    assert "<title>0 % → 5 % (0 → 2 of 40), +5.0 points" in "".join(said)


def test_the_head_names_the_guardrail_that_got_worse(run: MakeRun, record: MakeRecord) -> None:
    """Whether a rule fails or none does, the head says which guardrail decided what flipped."""
    flip = Flip("cases", "x", "benign", "high", "newly wrong", "became blocked", "allow", "block by stop_words")
    for rulings in ((), (Ruling("fpr-loss", True, "more users are stopped"),)):
        page = html(run(record(), comparison=Comparison("a", "b", 1, flips=(flip,), rulings=rulings)))
        header = page[page.index("<header") : page.index("</header>")]
        assert "stop_words: 1 newly wrong" in header


def test_what_was_lost_is_said_once(run: MakeRun, record: MakeRecord) -> None:
    """A lost test stands in the head, not again among the notes; the head is red."""
    lost = ("t.py::x: its worker died",)
    page = html(run(record(), complete=False, lost=lost, notes=("LOST       t.py::x: its worker died", "other")))
    header = page[page.index("<header") : page.index("</header>")]
    assert header.count("its worker died") == 1
    assert '<header class="bad">' in header
    assert "incomplete: 1 test without a result" in header


def test_guardrails_stand_beside_corpora(run: MakeRun) -> None:
    """What a guardrail did with a corpus has a table, as its rates on cases have."""
    groups = (Group("all", "", 0, 6, 34), Group("guardrail", "before_request/stop_words", 0, 6, 34))
    corpus = CorpusRecord("f::c", "benign", CaseStatus.AS_EXPECTED, "guard.yaml@abc", rows=40, groups=groups)
    page = html(run(corpora=(corpus,)))
    assert "By guardrail, of corpora" in page
    assert "6 of 40" in page[page.index("By guardrail, of corpora") :]


def test_nothing_compared_says_nothing(run: MakeRun, record: MakeRecord) -> None:
    """Without a baseline there is no section of changes."""
    assert list(changes(run(record("a")))) == []


def test_what_went_wrong_is_grouped_by_cause(run: MakeRun, record: MakeRecord) -> None:
    """By guardrail, check and category that acted, by what was known of an attack that passed, by error, by reason."""
    found = Finding("EMAIL", "pii", action=Action.SANITIZE)
    acted = GuardrailResult(
        "redact", Phase.BEFORE_REQUEST, GuardrailStatus.RAN, Action.SANITIZE, (CheckResult("pii", (found,)),)
    )
    silent = GuardrailResult(
        "redact", Phase.BEFORE_REQUEST, GuardrailStatus.RAN, Action.NONE, (CheckResult("pii", allowed=((1, 2),)),)
    )
    base = passed_by_choice()
    corpus = CorpusRecord(
        "n", "hard", CaseStatus.AS_EXPECTED,
        groups=(
            Group("all", "", 0, 4, 0, 3), Group("check", "before_request/redact/pii", 0, 4, 0, 3),
            Group("category", "money", 0, 0, 0, 3),
        ),
    )  # fmt: skip
    made = run(
        record("fp1", outcome=Outcome.FALSE_POSITIVE, trace=replace(base, results=(acted,))),
        record("fp2", outcome=Outcome.FALSE_POSITIVE, severity="critical", trace=replace(base, results=(acted,))),
        record("fn1", outcome=Outcome.FALSE_NEGATIVE, trace=replace(base, results=(silent,))),
        record(
            "fn2", outcome=Outcome.FALSE_NEGATIVE, expected="block", tags=("german",), trace=replace(base, results=())
        ),
        record("err", CaseStatus.ERROR, outcome=Outcome.ERROR, trace=base),
        record(
            "odd", CaseStatus.NOT_AS_EXPECTED, reasons=("warns: expected none, got 1",), trace=replace(base, results=())
        ),
        corpora=(corpus,),
    )
    said = list(causes(made))
    assert rows(said) == [
        ["lasso", "api", "TimeoutError", "1", "medium", "err"],
        ["redact", "pii", "taken away by entry 2 of the allowlist", "1", "medium", "fn1"],
        ["none", "–", "nothing found; block; german", "1", "medium", "fn2"],
        ["none", "–", "nothing found; category money", "3", "–", "3 of corpus hard"],
        ["redact", "pii", "pii", "2", "critical", "fp2 , fp1"],
        ["redact", "pii", "any", "4", "–", "4 of corpus hard"],
        ["none", "–", "warns: expected none, got 1", "1", "medium", "odd"],
    ]
    assert "Missed attacks: 2 cases, 3 samples of corpora" in words(said)


def test_a_corpus_shows_its_parts_scores_and_worst_samples(run: MakeRun) -> None:
    """Its figures, each part with its rates, each curve with its points as a table, each sample that went wrong."""
    corpus = CorpusRecord(
        "n", "mixed", CaseStatus.NOT_AS_EXPECTED, file="m.jsonl", rows=10, latency=FrozenDict({"-350": 12}),
        groups=(Group("all", "", 3, 1, 4, 2), Group("category", "money", 3, 1, 4, 2)),
        curves=(ScoreCurve("toxicity", 0.875, ((0.9, 0.0, 0.5), (0.1, 1.0, 1.0)), 0.9),),
        worst=(("missed", "money", "m.jsonl:3", "«aa · 2 chars · #01234567»", "nobody"),), reasons=("fpr is too high",),
    )  # fmt: skip
    said = list(corpora(run(corpora=(corpus,))))
    assert "not as expected: 10 samples" in words(said)
    assert ["missed", "nobody", "money", "m.jsonl:3", "«aa · 2 chars · #01234567»"] in rows(said)
    assert ["0.9", "0 %", "50 %"] in rows(said)
    assert "area under the curve 0.875, threshold suggested 0.9" in words(said)


def test_arming_says_who_would_notice(run: MakeRun, record: MakeRecord) -> None:
    """Cases that pass whatever the guard does are named, and guardrails that nobody misses."""
    asleep = record("asleep", armed=Armed(off=False, always_deny=True))
    noticed = record("awake", armed=Armed(("before_request/pii_redact",), off=True, always_deny=True))
    said = list(arming(run(asleep, noticed)))
    assert "Asleep: attacks that pass with every guardrail off: 1 a.guardrails.yaml::asleep" in words(said)
    assert rows(said)[:2] == [
        ["pii_redact", "before", "missed", "1", "0", "0", "0"],
        ["out", "after", "no case notices", "0", "0", "0", "0"],
    ]


def test_a_case_tells_its_grades_its_candidate_and_its_arming(run: MakeRun, record: MakeRecord) -> None:
    """What else is known of a case stands below its trace."""
    made = record(
        "a",
        grades=(Grade("helpful", (4.0, 2.0), ("kind", "curt")), Grade("order", error="no answer")),
        shadow=Shadow(
            "next@2", CaseStatus.NOT_AS_EXPECTED, None, Verdict.BLOCK, Action.DENY, "words", fired=("words",)
        ),
        armed=Armed(("before_request/x",), off=True),
    )
    more = dict(detail(report_dict(run(made))["cases"][0])["more"])
    assert more["Grades"] == [("helpful", "3.0 of 5 (4, 2); kind; curt"), ("order", "no answer")]
    assert ("result", "not as expected: block (deny) by words") in more["The candidate"]
    assert more["With guardrails off"][:2] == [
        ("fails without", "before_request/x"),
        ("all off", "the case fails, as it should"),
    ]


def test_latency_is_own_and_vendor(run: MakeRun, record: MakeRecord) -> None:
    """Each series has a drawing with its name, its bins as a table, and its percentiles."""
    corpus = CorpusRecord("n", "mixed", CaseStatus.AS_EXPECTED, vendor_latency=FrozenDict({"-100": 3}))
    made = run(record("a"), corpora=(corpus,))
    said = list(latency(made, measure(made.records)))
    assert ["Cases", "own, per request", "1", "400 µs", "400 µs", "400 µs"] in rows(said)
    assert [row[:3] for row in rows(said) if row[0] == "Corpus mixed"] == [["Corpus mixed", "vendor, per request", "3"]]
    assert "<title>Cases, own, per request: 1 times, half of them within 400 µs" in "".join(said)


def test_bins_lose_no_time() -> None:
    """Every time is counted once, however far apart the times are, and the drawing stays inside its frame."""
    for times in ([(0.001, 1)], [(0.0, 2), (1e-9, 1), (0.5, 3)], [(10.0**power, 2) for power in range(-7, 5)]):
        bins = time_bins(times)
        assert sum(number for _, _, number in bins) == sum(number for _, number in times)
        assert len(bins) <= MOST_BINS
        assert all(bins[at][1] == bins[at + 1][0] for at in range(len(bins) - 1))
        drawn = re.findall(
            r'<rect class="column" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', histogram(bins, "")
        )
        for x, y, width, height in (map(float, one) for one in drawn):
            assert 6 <= x <= x + width <= 315
            assert 6 <= y <= y + height <= 70.2
    assert time_bins([]) == []


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "0.0 µs"), (4e-6, "4.0 µs"), (0.00042, "420 µs"), (0.0042, "4.2 ms"), (1.5, "1.5 s")]
)
def test_times_are_said_in_their_unit(seconds: float, said: str) -> None:
    """Two or three digits, in the unit that fits."""
    assert time_text(seconds) == said


def test_bars_of_a_table_share_an_axis() -> None:
    """The axis holds every interval and bound of the table, and an unknown rate is an empty one."""
    known = [Rate(0, 400), Rate(3, 100), Rate(0, 0)]
    assert (reach(known, lowest=True), reach([Rate(0, 0)], lowest=True), reach(known, lowest=False)) == (0.1, 0.01, 1.0)
    drawn = [small_bar(rate, "name", 0.1, lowest=True) for rate in known]
    assert ["interval" in one for one in drawn] == [True, True, False]
    assert all(6 <= float(x) <= 134 for one in drawn for x in re.findall(r'\b(?:x|cx|x1|x2)="([^"]*)"', one))


def test_a_run_of_corpora_alone_says_nothing_of_cases(corpora_run: Run) -> None:
    """Its head says which corpus is to blame, and neither rates of cases nor an empty list of them stand in its way."""
    page = html(corpora_run)
    said = words([page.partition("<body>")[2].partition("<script")[0]])
    assert "1 of 2 corpora not as expected" in said
    assert "Corpus benign : FPR 15 %, and max_fpr is 10 %" in said
    assert "No benign case was judged" not in said
    assert 'href="#cases"' not in page
    assert '<section hidden id="cases"' in page
    assert "nothing <b>could</b> be armed" in said


def test_samples_of_corpora_stand_by_their_cause(corpora_run: Run) -> None:
    """A false positive stands at the check that fired, a missed attack at its category, each with where it is."""
    assert rows(causes(corpora_run)) == [
        ["none", "–", "nothing found; category travel", "1", "–",
         "1 of corpus attacks ( pytest_guardrails/corpora/x.jsonl:5 )"],
        ["words", "default.contains", "any", "6", "–",
         "6 of corpus benign ( data/benign.jsonl:2 , data/benign.jsonl:9 )"],
    ]  # fmt: skip
    assert "… and 4 more; a report keeps the worst 2." in words(corpora(corpora_run))


def test_samples_without_an_answer_have_a_cause(run: MakeRun) -> None:
    """Errors on samples are told like those on cases: by the check that gave no answer."""
    place = "before_request/lasso/lasso.classify"
    groups = (Group("all", "", 1, 0, 1, 0, 3), Group("check", place, 1, 0, 1, 0, 3))
    wrong = (("error", "", "b.jsonl:4", "«x»", place),)
    corpus = CorpusRecord("n", "mixed", CaseStatus.ERROR, rows=5, groups=groups, worst=wrong)
    (row,) = rows(causes(run(corpora=(corpus,))))
    assert row == ["lasso", "lasso.classify", "any", "3", "–", "3 of corpus mixed ( b.jsonl:4 )"]


def test_a_run_that_judged_nothing_is_not_called_trusted(run: MakeRun) -> None:
    """Where no guard was asked, none gave its answer."""
    unmeasured = CorpusRecord("n", "c", CaseStatus.NOT_RUN, reasons=("it was not measured",))
    for made in (run(), run(corpora=(unmeasured,))):
        said = words(head(made, measure(made.records)))
        assert "nothing was judged" in said
        assert "trusted" not in said
