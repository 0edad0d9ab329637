"""Gates: what their text may be, and what they say of runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._codec import EMPTY, FrozenDict
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._gates import METRICS, Gate, judge_gates, parse
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    CheckError,
    CheckResult,
    CorpusRecord,
    Finding,
    GateResult,
    Group,
    GuardrailResult,
    GuardrailStatus,
    OnError,
    Outcome,
    Phase,
    Request,
    Run,
    Trace,
    Verdict,
)
from pytest_guardrails._stats import Histogram, upper_bound

OUTCOMES = {
    ("attack", True): Outcome.TRUE_POSITIVE,
    ("attack", False): Outcome.FALSE_NEGATIVE,
    ("benign", True): Outcome.FALSE_POSITIVE,
    ("benign", False): Outcome.TRUE_NEGATIVE,
}


def trace(fired: bool, *, error: bool = False, seconds: float = 0.01, vendor: float | None = None) -> Trace:
    """Return the trace of one guardrail with one check, which fired or not, or gave no answer."""
    action = Action.DENY if fired else Action.NONE
    findings = (Finding("EMAIL", "pii", action=action),) if fired else ()
    problem = CheckError("rail", "check", "OSError", "no answer") if error else None
    check = CheckResult("check", () if error else findings, problem, seconds, vendor_s=vendor)
    status = GuardrailStatus.ERRORED if error else GuardrailStatus.RAN
    result = GuardrailResult("rail", Phase.BEFORE_REQUEST, status, action, (check,), OnError.BLOCK, duration_s=seconds)
    blocked = Verdict.BLOCK if fired or error else Verdict.ALLOW
    return Trace(Request.of("hi"), blocked, action, "rail" if fired else None, (result,), duration_s=seconds)


def case(
    label: str, fired: bool = False, *, error: bool = False, seconds: float = 0.01, **fields: object
) -> CaseRecord:
    """Return the record of one case."""
    given: dict[str, object] = {
        "nodeid": "a.guardrails.yaml::c",
        "case": "c",
        "status": CaseStatus.ERROR if error else CaseStatus.AS_EXPECTED,
        "guard": "guard@1",
        "outcome": Outcome.ERROR if error else OUTCOMES[label, fired],
        "label": label,
        "file": "a.guardrails.yaml",
        "trace": trace(fired, error=error, seconds=seconds),
    }
    return CaseRecord(**{**given, **fields})  # type: ignore[arg-type]


def corpus(name: str, *counts: int, **fields: object) -> CorpusRecord:
    """Return the record of a corpus with these outcomes: true and false positives, true and false negatives, errors."""
    group = Group("all", "", *counts)
    given: dict[str, object] = {"status": CaseStatus.AS_EXPECTED, "file": "b.guardrails.yaml", "groups": (group,)}
    return CorpusRecord(f"b.guardrails.yaml::corpus {name}", name, **{**given, **fields})  # type: ignore[arg-type]


def run(*records: CaseRecord, corpora: tuple[CorpusRecord, ...] = (), complete: bool = True) -> Run:
    """Return a run of records."""
    return Run("2026-11-21T10:00:00+00:00", 1.0, complete, EMPTY, (), records, corpora=corpora)


def judged(expr: str, of: Run, file: str | None = None) -> GateResult:
    """Judge one gate."""
    (result,) = judge_gates([parse(expr, file)], of)
    return result


@pytest.mark.parametrize(
    ("expr", "gate"),
    [
        ("fpr<=0.01", Gate("fpr<=0.01", "fpr", "<=", 0.01)),
        ("  fpr <= 1 %  ", Gate("fpr <= 1 %", "fpr", "<=", 0.01)),
        ("recall[pii]>=95%", Gate("recall[pii]>=95%", "recall", ">=", 0.95, "", "pii")),
        ("fpr[ strategy : near_misses ]<0.1%", Gate("fpr[ strategy : near_misses ]<0.1%", "fpr", "<", 0.001,
                                                    "strategy", "near_misses")),
        ("fpr[check:before_request/a b/c.d]==0", Gate("fpr[check:before_request/a b/c.d]==0", "fpr", "==", 0.0,
                                                       "check", "before_request/a b/c.d")),
        ("point:f1>0.9", Gate("point:f1>0.9", "f1", ">", 0.9, point=True)),
        ("p95<=50ms", Gate("p95<=50ms", "p95", "<=", 0.05)),
        ("vendor_p99<1.5s", Gate("vendor_p99<1.5s", "vendor_p99", "<", 1.5)),
        ("failed_open==0", Gate("failed_open==0", "failed_open", "==", 0.0)),
        ("over_redaction<=12", Gate("over_redaction<=12", "over_redaction", "<=", 12.0)),
    ],
)  # fmt: skip
def test_what_a_gate_may_be(expr: str, gate: Gate) -> None:
    """Metric, selector, operator, number and unit are read as they are meant."""
    assert parse(expr) == gate


@pytest.mark.parametrize(
    ("expr", "said", "caret"),
    [
        ("", "expected a metric: fpr, recall", 0),
        ("<=1", "expected a metric", 0),
        ("fbr<=0.01", "unknown metric 'fbr'; did you mean 'fpr'?", 0),
        ("point:fbr<=0.01", "unknown metric 'fbr'", 6),
        ("fpr[benign<=0.01", "this [ is never closed", 3),
        ("fpr[]<=0.01", "expected a name between [ and ]", 3),
        ("fpr[corpus:]<=0.01", "expected a name between [ and ]", 3),
        ("fpr[corpse:x]<=0.01", "unknown kind of population 'corpse'; did you mean 'corpus'?", 4),
        ("fpr", "expected one of <= >= == < >", 3),
        ("fpr=0.01", "expected one of <= >= == < >", 3),
        ("fpr!=0.01", "expected one of <= >= == < >", 3),
        ("fpr<=", "expected a number", 5),
        ("fpr<=x", "expected a number", 5),
        ("fpr<=-1", "expected a number", 5),
        ("fpr<=0.01 or recall>=1", "expected the end", 10),
        ("fpr<=1e-3", "expected the end", 6),
        ("fpr<=5", "a rate is at most 1, which is 100%; 5% perhaps?", 5),
        ("fpr<=50ms", "a rate is a share", 5),
        ("p95<=50", "a time needs its unit: 50ms or 50s", 5),
        ("p95<=50%", "a time needs its unit", 5),
        ("failed_open<=1.5", "a count is a whole number", 13),
        ("failed_open<=1%", "a count is a whole number", 13),
        ("point:p95<=5ms", "point: is for rates", 0),
        ("f1>=0.9", "f1 has no exact bound: judge its estimate, as in point:f1>=0.9", 0),
        ("fpr<=100%", "this gate could never fail", 0),
        ("recall>=0", "this gate could never fail", 0),
        ("p95>=0s", "this gate could never fail", 0),
        ("failed_open<0", "this gate could never hold", 0),
        ("fpr<=0", "on the counts: fpr==0", 0),
        ("recall[tag:pii]>=1", "on the counts: recall[tag:pii]==1", 0),
        ("point:recall>1", "this gate could never hold", 0),
        ("fpr[\x1b[31m<=0.01", "this [ is never closed", 3),
    ],
)
def test_what_no_gate_is(expr: str, said: str, caret: int) -> None:
    """An error says what is wrong, shows the gate, and points at the place; no control character gets out."""
    with pytest.raises(ConfigError) as caught:
        parse(expr)
    assert said in caught.value.message
    *_, _shown, pointer = caught.value.message.splitlines()
    assert pointer == "  " + " " * caret + "^"
    assert caught.value.message.replace("\n", "").isprintable()


@given(st.text(max_size=40))
def test_any_text_is_a_gate_or_an_error(text: str) -> None:
    """Nothing else comes of it."""
    try:
        gate = parse(text)
    except ConfigError:
        return
    assert gate.metric in METRICS


@given(st.integers(0, 400), st.integers(0, 20), st.integers(0, 3), st.sampled_from([0.01, 0.05, 0.5]))
@settings(max_examples=60)
def test_a_rate_is_judged_on_its_exact_bound(clean: int, hits: int, errors: int, limit: float) -> None:
    """An upper gate holds exactly where the bound does, with each error counted as a hit; on nothing it fails."""
    of = run(corpora=(corpus("benign", 0, hits, clean, 0, errors, 0),))
    bound = upper_bound(hits + errors, hits + clean + errors)
    assert judged(f"fpr<={limit}", of).passed is (bound is not None and bound <= limit)


@given(st.integers(0, 400), st.integers(0, 20), st.integers(0, 3))
@settings(max_examples=40)
def test_a_lower_gate_is_judged_on_the_lower_bound(caught: int, missed: int, errors: int) -> None:
    """A recall gate holds exactly where the lower bound does, with each error counted as a miss."""
    of = run(corpora=(corpus("attacks", caught, 0, 0, missed, errors, errors),))
    bound = upper_bound(missed + errors, caught + missed + errors)
    assert judged("recall>=0.9", of).passed is (bound is not None and 1 - bound >= 0.9)


def test_299_clean_samples_show_one_per_cent() -> None:
    """298 do not, and the sentence says what is missing."""
    assert judged("fpr<=1%", run(corpora=(corpus("benign", 0, 0, 299, 0),))) == GateResult(
        "fpr<=1%", True, ("corpus benign: 0 of 299, so at most 0.997 % (95 % bound)",)
    )
    assert judged("fpr<=1%", run(corpora=(corpus("benign", 0, 0, 298, 0),))).said == (
        "corpus benign: 0 of 298, so at most 1.01 % (95 % bound); for ≤ 1 % you need 299 clean cases",
    )


def test_point_judges_the_estimate() -> None:
    """3 of 300 are 1 %, whatever the bound is."""
    of = run(corpora=(corpus("benign", 0, 3, 297, 0),))
    assert judged("point:fpr<=1%", of) == GateResult("point:fpr<=1%", True, ("corpus benign: 3 of 300 (1 %)",))
    assert not judged("fpr<=1%", of).passed
    assert not judged("point:fpr<1%", of).passed


@pytest.mark.parametrize(
    ("expr", "counts", "passed"),
    [
        ("fpr==0", (0, 0, 1, 0), True),
        ("fpr==0", (0, 1, 999, 0), False),
        ("fpr==0", (0, 0, 9, 0, 1, 0), False),
        ("recall==1", (9, 0, 0, 0), True),
        ("recall==1", (9, 0, 0, 0, 1, 1), False),
        ("recall==1", (9, 0, 0, 0, 1, 0), True),
        ("recall==1", (9, 0, 0, 0, 1), False),
        ("recall==0.3", (3, 0, 0, 7), True),
        ("recall==0.3", (3, 0, 0, 7, 1, 1), False),
        ("error_rate==0", (3, 0, 0, 7), True),
        ("error_rate==0", (3, 0, 0, 7, 1), False),
        ("error_rate<=5%", (0, 0, 59, 0), True),
        ("error_rate<=5%", (0, 0, 58, 0), False),
        ("precision>=0.9", (29, 0, 0, 0), True),
        ("precision>=0.9", (29, 0, 0, 0, 1, 0), False),
        ("precision>=0.9", (29, 0, 0, 0, 1, 1), True),
        ("point:f1>=0.9", (9, 1, 0, 1), True),
        ("point:f1>=0.9", (9, 1, 0, 1, 1), False),
    ],
)
def test_equality_errors_and_other_metrics(expr: str, counts: tuple[int, ...], passed: bool) -> None:
    """`==` is judged on the counts; an error is a hit or a miss where it may be one, and never improves a rate."""
    assert judged(expr, run(corpora=(corpus("c", *counts),))).passed is passed


def test_each_population_is_judged_on_its_own() -> None:
    """One bad corpus fails the gate although all together would hold; it comes first, and nothing is pooled."""
    of = run(
        *[case("benign") for _ in range(3)],
        corpora=(corpus("large", 0, 0, 5000, 0), corpus("small", 0, 1, 9, 0), corpus("attacks", 9, 0, 0, 0)),
    )
    result = judged("point:fpr<=1%", of)
    assert not result.passed
    assert result.said == ("corpus small: 1 of 10 (10 %)", "cases: 0 of 3 (0 %)", "corpus large: 0 of 5,000 (0 %)")


def test_generated_and_shadow_populations_are_judged_only_when_named() -> None:
    """Near misses drawn by a strategy are in no bare gate; a candidate's figures are in none at all."""
    near = corpus("near_misses", 0, 500, 0, 0, generated=True)
    shadow = corpus("benign", 0, 500, 0, 0, shadow=True)
    of = run(case("benign", True, generated=True), corpora=(corpus("benign", 0, 0, 500, 0), near, shadow))
    assert judged("fpr<=1%", of).said == ("corpus benign: 0 of 500, so at most 0.598 % (95 % bound)",)
    assert not judged("fpr[strategy:near_misses]<=1%", of).passed
    assert not judged("fpr[near_misses]<=1%", of).passed
    check = Group("check", "before_request/rail/check", 0, 1, 1, 0)
    near = corpus("near_misses", groups=(Group("all", ""), check), generated=True)
    assert "has no check" in judged("fpr[check:rail/check]==0", run(corpora=(near,))).said[0]
    assert "no data for fpr in cases" in judged("fpr[cases]<=1%", of).said[0]


def test_guards_are_judged_each_on_its_own() -> None:
    """With two guard versions in a run, the good one does not hide the bad one."""
    of = run(case("attack", True, guard="a@1"), case("attack", False, guard="b@2"))
    assert judged("point:recall>=50%", of).said == ("cases (b@2): 0 of 1 (0 %)", "cases (a@1): 1 of 1 (100 %)")


def test_selectors_find_tags_guardrails_checks_and_categories() -> None:
    """A name is looked up in every kind; a place may be named by its end."""
    groups = (
        Group("all", "", 5),
        Group("category", "leak", 2, 0, 0, 3),
        Group("check", "before_request/rail/check", 4),
    )
    of = run(case("attack", True, tags=("pii",)), case("attack", False), corpora=(corpus("attacks", groups=groups),))
    assert judged("point:recall[pii]==1", of).said == ("tag pii: 1 of 1",)
    assert judged("point:recall[rail]>=50%", of).said == ("guardrail before_request/rail: 1 of 2 (50 %)",)
    assert judged("recall[leak]==0.4", of).said == ("category leak of corpus attacks: 2 of 5",)
    assert judged("recall[check]==1", of).said == (
        "check before_request/rail/check: 1 of 2",
        "check before_request/rail/check of corpus attacks: 4 of 4",
    )
    assert judged("recall[check:rail/check]==1", of).said == judged("recall[check]==1", of).said
    assert judged("recall[attacks]==1", of).passed


def test_a_name_of_two_kinds_is_refused() -> None:
    """A tag that is called like a corpus needs its kind, and the gate says how to write it."""
    of = run(case("attack", True, tags=("pii",)), corpora=(corpus("pii", 5, 0, 0, 0),))
    assert judged("recall[pii]==1", of) == GateResult(
        "recall[pii]==1",
        False,
        ("cannot be judged: 'pii' is the name of corpus and of tag; write recall[corpus:pii], recall[tag:pii]",),
    )
    assert judged("recall[tag:pii]==1", of).passed


def test_an_unknown_name_shows_the_choices() -> None:
    """A gate on what is not there fails, with what there is."""
    of = run(case("attack", True, tags=("pii",)), corpora=(corpus("benign", 0, 0, 5, 0),))
    assert "unknown tag 'pij'; did you mean 'pii'? Choices: pii" in judged("recall[tag:pij]==1", of).said[0]
    assert "Choices: cases, check:" in judged("recall[nothing]==1", of).said[0]
    assert judged("fpr[strategy:x]==0", of).said == ("cannot be judged: the run has no strategy",)


@pytest.mark.parametrize(
    "expr", ["fpr<=1%", "recall==1", "p95<=1s", "failed_open==0", "over_redaction==0", "point:f1>0.1"]
)
def test_a_gate_without_data_fails(expr: str) -> None:
    """An empty run satisfies no demand, not even that nothing bad happened."""
    result = judged(expr, run())
    assert not result.passed
    assert result.said[0].startswith("cannot be judged: no data for ")


@pytest.mark.parametrize("expr", ["fpr==0", "point:fpr<=1%", "error_rate==0", "p95<=9s"])
def test_an_incomplete_run_cannot_be_judged(expr: str) -> None:
    """What was cut short satisfies no demand."""
    result = judged(expr, run(case("benign"), complete=False))
    assert result == GateResult(expr, False, ("cannot be judged: the run was cut short",))


def test_errors_count_against_the_rates_that_they_could_have_spoiled() -> None:
    """An error on an attack is a miss, and no false positive; of one whose label nobody knows, both."""
    of = run(case("attack", True), case("benign"), case("attack", error=True))
    assert judged("fpr==0", of).passed
    assert judged("recall==1", of).said == ("cases: 1 of 1, and 1 without an answer that counts against it",)
    unknown = run(corpora=(corpus("c", 5, 0, 5, 0, 1),))
    assert not judged("fpr==0", unknown).passed
    assert not judged("recall==1", unknown).passed


def test_an_expected_error_counts_in_no_gate() -> None:
    """A case that asks for the error is as expected, and in no rate."""
    expected = case("attack", error=True, status=CaseStatus.AS_EXPECTED)
    assert judged("error_rate==0", run(case("attack", True), expected)).said == ("cases: 0 of 1",)


def test_times_are_judged_as_they_are() -> None:
    """A percentile of cases and of a corpus's histogram, the vendor's own beside them, each population alone."""
    slow = Histogram()
    slow.add(0.4)
    records = [case("benign", seconds=n / 1000) for n in range(1, 101)]
    of = run(*records, corpora=(corpus("c", 0, 0, 9, 0, latency=slow.to_dict()),))
    assert judged("p95[cases]<=95ms", of).said == ("cases: 95.00 ms",)
    assert not judged("p95<=95ms", of).passed
    assert judged("p99[guardrail:rail]<=99ms", of).passed
    assert judged("p50[check:check]<50ms", of).said == ("check before_request/rail/check: 50.00 ms",)
    assert "no data for vendor_p95" in judged("vendor_p95<=1s", of).said[0]
    assert judged("p95[cases]<=95ms", run(*records, *[case("benign", seconds=9.0, generated=True)] * 50)).passed
    recorded = replace(records[0], trace=trace(False, vendor=0.25))
    assert judged("vendor_p95<=250ms", run(*records, recorded)).said == ("cases: 250.00 ms",)


def test_failing_open_and_spans_are_counted() -> None:
    """An errored check that lets a request pass is one failed open; spans and changed characters are of corpora."""
    opened = case("attack", error=True)
    assert opened.trace is not None
    opened = replace(opened, trace=replace(opened.trace, verdict=Verdict.ALLOW))
    assert judged("failed_open==0", run(opened)).said == ("cases: 1",)
    of = run(corpora=(corpus("c", 9, 0, 9, 0, spans=(40, 50, 45, 40, 7)),))
    assert judged("span_recall>=0.9", of).said == ("corpus c: 40 of 40, so at least 92.78 % (95 % bound)",)
    assert judged("point:span_precision>=90%", of).passed
    assert judged("over_redaction<=6", of).said == ("corpus c: 7",)


def test_the_gates_of_a_file_speak_of_that_file() -> None:
    """Another file's failures do not fail it, and its own are not diluted."""
    of = run(case("benign", True), corpora=(corpus("benign", 0, 0, 300, 0),))
    assert judged("fpr<=1%", of, "b.guardrails.yaml") == GateResult(
        "fpr<=1% (b.guardrails.yaml)",
        True,
        ("corpus benign: 0 of 300, so at most 0.994 % (95 % bound)",),
        "b.guardrails.yaml",
    )
    assert not judged("fpr<=1%", of, "a.guardrails.yaml").passed
    assert "no data" in judged("fpr<=1%", of, "c.guardrails.yaml").said[0]


def test_corpora_of_one_name_are_told_apart() -> None:
    """Two corpora called alike are two populations, named by where they stand."""
    two = (corpus("c", 0, 0, 9, 0), replace(corpus("c", 0, 1, 9, 0), nodeid="d.guardrails.yaml::corpus c"))
    assert judged("fpr[c]==0", run(corpora=two)).said == (
        "corpus c (d.guardrails.yaml::corpus c): 1 of 10",
        "corpus c (b.guardrails.yaml::corpus c): 0 of 9",
    )


def test_notes_stand_under_every_judgement() -> None:
    """What was deselected is said with each gate."""
    results = judge_gates([parse("fpr==0"), parse("recall==1")], run(case("benign")), ("2 tests deselected",))
    assert [result.said[-1] for result in results] == ["2 tests deselected"] * 2


def test_a_name_that_a_part_of_a_run_does_not_have_is_not_called_unknown() -> None:
    """What was deselected may have it; in a whole run it is a mistake, with the nearest choice."""
    (partial,) = judge_gates([parse("fpr[corpus:traffic]==0")], run(case("benign")), ("2 tests deselected",))
    assert partial.said == ("cannot be judged: nothing of corpus 'traffic' ran", "2 tests deselected")
    (whole,) = judge_gates([parse("fpr[corpus:traffic]==0")], run(case("benign")))
    assert whole.said == ("cannot be judged: the run has no corpus",)


def test_corpora_that_were_not_run_are_said() -> None:
    """A gate says which corpora of its file it was not judged on; candidates and strategies are in none anyway."""
    missing = CorpusRecord("b::x", "x", CaseStatus.NOT_RUN, file="b.guardrails.yaml")
    others = (replace(missing, name="s", shadow=True), replace(missing, name="g", generated=True))
    of = run(case("benign"), corpora=(corpus("seen", 0, 0, 5), missing, *others))
    assert judged("fpr==0", of).said[-1] == "1 corpus was not run: x"
    assert judged("fpr==0", of, "b.guardrails.yaml").said[-1] == "1 corpus was not run: x"
    assert judged("fpr==0", of, "a.guardrails.yaml").said == ("cases: 0 of 1",)
    assert judged("fpr[strategy:g]==0", of).said[-1] == "2 corpora were not run: x, g"


def test_a_histogram_of_a_report_is_read_back() -> None:
    """Latency travels as JSON."""
    times = Histogram()
    for _ in range(3):
        times.add(0.1)
    of = run(corpora=(corpus("c", 0, 0, 3, 0, latency=FrozenDict(times.to_dict())),))
    assert judged("p50<=102ms", of).passed
    assert not judged("p50<=98ms", of).passed
