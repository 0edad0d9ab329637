"""``--guardrails-shadow``, the ini key ``guardrails_shadow`` and ``shadow:`` in a case file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Guard = Callable[..., None]
SHADOW = "--guardrails-shadow=weaker.yaml"
WEAKER = """\
version: "1.3"
input_guardrails:
  - {id: redact, pii_redact: {entities: [EMAIL]}, action: sanitize}
"""
CASES = """\
  - {id: attack, severity: critical, input: forbidden, expect: {verdict: block, by: words}}
  - {id: clean, input: hello, expect: {verdict: allow, action: none}}
"""
MARKED = """
import pytest

@pytest.fixture(scope="session")
def guardrails_config():
    return "guard.yaml"
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, guard: Guard) -> pytest.Pytester:
    """A suite that passes, and a weaker candidate."""
    guard(CASES)
    (pytester.path / "weaker.yaml").write_text(WEAKER)
    return pytester


def report(pytester: pytest.Pytester, *arguments: str) -> dict[str, Any]:
    """Run, and return the report; what the current guard did is never changed by a candidate."""
    result = pytester.runpytest("--guardrails-report=json:r.json", *arguments)
    assert result.ret == 0
    data: dict[str, Any] = json.loads((pytester.path / "r.json").read_text())
    return data


def test_a_candidate_is_compared_and_fails_nothing(suite: pytest.Pytester) -> None:
    """The table at the end says what the candidate would fail; the run passes as it does without it."""
    result = suite.runpytest(SHADOW)
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "shadow     a candidate judged the same cases; it fails nothing",
            "before     guard.yaml@*",
            "after      weaker.yaml@*",
            "compared   2 in both: the same suite",
            "*newly wrong, critical attack: cases.guardrails.yaml::attack: block by words →*",
            "would fail critical-flip: *",
        ]
    )


def test_the_report_has_both(suite: pytest.Pytester) -> None:
    """Each case carries what the candidate did; the figures of the run are those of the current guard alone."""
    data = report(suite, SHADOW)
    attack = data["cases"][0]
    assert (attack["status"], attack["trace"]["verdict"]) == ("as expected", "block")
    assert (attack["shadow"]["status"], attack["shadow"]["verdict"]) == ("not as expected", "allow")
    assert attack["shadow"]["guard"].startswith("weaker.yaml@")
    assert data["shadow"]["failed"] is True
    plain = report(suite)
    assert "shadow" not in plain
    assert plain["metrics"]["outcomes"] == data["metrics"]["outcomes"]
    assert [guard["config"] for guard in data["guards"]] == ["guard.yaml"]


def test_workers_tell_the_same(suite: pytest.Pytester) -> None:
    """Under ``-n 2`` the comparison is the one of a single process."""
    several, one = report(suite, SHADOW, "-n", "2")["shadow"], report(suite, SHADOW)["shadow"]
    for population in (*several["populations"], *one["populations"]):
        assert population.pop("latency_before")["count"] == population.pop("latency_after")["count"] == 2
    assert several == one


def test_both_latencies_stand_in_the_table(corpus: pytest.Pytester) -> None:
    """How long the current guard and the candidate took, by population, in each report that has the table."""
    data = report(corpus, SHADOW, "--guardrails-report=md:r.md", "--guardrails-report=html:r.html")
    for population, count in zip(data["shadow"]["populations"], (2, 10), strict=True):
        assert [population[f"latency_{when}"]["count"] for when in ("before", "after")] == [count, count]
        assert 0 < population["latency_after"]["p50_s"] <= population["latency_after"]["p95_s"]
    assert "| attacks | guard.yaml | latency | p50 " in (corpus.path / "r.md").read_text().replace("\\", "")
    assert "10 requests" in (corpus.path / "r.html").read_text()


def test_a_candidate_without_an_answer_has_no_time(suite: pytest.Pytester) -> None:
    """What was not judged took no time: of such a candidate nothing is recorded."""
    (suite.path / "weaker.yaml").write_text("input_guardrails:\n  - {id: lasso, lasso.classify: {}, deny: true}\n")
    (population,) = report(suite, SHADOW)["shadow"]["populations"]
    assert (population["latency_before"], population["latency_after"]) == (None, None)


def test_a_case_file_names_its_candidate(pytester: pytest.Pytester, guard: Guard) -> None:
    """``shadow:`` is a path beside the file or a configuration in it; the option goes first, the ini file last."""
    (pytester.path / "weaker.yaml").write_text(WEAKER)
    guard(CASES, head="guardrails: guard.yaml\nshadow: weaker.yaml\n", name="a")
    guard(CASES, head="guardrails: guard.yaml\nshadow: {input_guardrails: [{id: x, default.contains: "
                      "{words: [forbidden], operator: none}, deny: true}]}\n", name="b")  # fmt: skip
    guard(CASES, name="c")

    def shadows(*arguments: str) -> list[str]:
        cases = report(pytester, *arguments)["cases"][::2]
        return [case["shadow"]["guard"].partition("@")[0] if "shadow" in case else "" for case in cases]

    assert shadows() == ["weaker.yaml", "b.guardrails.yaml (shadow)", ""]
    pytester.makeini("[pytest]\nguardrails_shadow = guard.yaml")
    assert shadows() == ["weaker.yaml", "b.guardrails.yaml (shadow)", "guard.yaml"]
    assert shadows(SHADOW) == ["weaker.yaml"] * 3


def test_another_name_of_a_guardrail_is_not_wrong(suite: pytest.Pytester) -> None:
    """A case that names who must act is judged by verdict where the candidate has no guardrail of that name."""
    (suite.path / "weaker.yaml").write_text(WEAKER.replace("redact,", "other,"))
    (suite.path / "cases.guardrails.yaml").write_text(
        "guardrails: guard.yaml\ncases:\n"
        "  - {id: a, input: a@example.com, expect: {verdict: allow, action: sanitize, by: redact}}\n"
    )
    assert report(suite, SHADOW)["cases"][0]["shadow"]["status"] == "as expected"


def test_a_candidate_that_cannot_answer_is_told(suite: pytest.Pytester) -> None:
    """Its errors are counted and named; no test fails of them, and the run stays trusted."""
    (suite.path / "weaker.yaml").write_text(
        "input_guardrails:\n  - {id: form, default.jsonSchema: {schema: {$ref: 'https://schemas.invalid/x.json'}}}\n"
    )
    file = suite.path / "cases.guardrails.yaml"
    file.write_text(file.read_text().replace("input: forbidden", "input: '[\"forbidden\"]'").replace("hello", "'{}'"))
    data = report(suite, SHADOW)
    assert data["metrics"]["trusted"] is True
    shadow = data["cases"][0]["shadow"]
    assert (shadow["status"], shadow["outcome"]) == ("error", "error")
    assert shadow["error"].startswith("form/default.jsonSchema: ")
    population = data["shadow"]["populations"][0]
    assert (population["errors_before"], population["errors_after"], population["flips"]) == (0, 2, 0)


def test_a_candidate_whose_answers_are_not_recorded_is_told(suite: pytest.Pytester) -> None:
    """Nothing recorded is no verdict of the candidate, and fails no test."""
    (suite.path / "weaker.yaml").write_text("input_guardrails:\n  - {id: lasso, lasso.classify: {}, deny: true}\n")
    data = report(suite, SHADOW)
    shadow = data["cases"][0]["shadow"]
    assert (shadow["status"], shadow["error"], "verdict" in shadow and shadow["verdict"]) == (
        "error", "MissingRecording", None
    )  # fmt: skip


def test_a_marked_test_is_judged_too(suite: pytest.Pytester) -> None:
    """The candidate gets what the test sent and the answer that the model gave; the model is asked once."""
    (suite.path / "weaker.yaml").write_text(
        "output_guardrails:\n  - {id: out, default.contains: {words: [paris], operator: none}, deny: true}\n"
    )
    suite.makepyfile(
        MARKED
        + """
@pytest.mark.expect_verdict("allow")
def test_it(guardrail_engine, guardrail_upstream, caplog):
    guardrail_upstream.reply("paris")
    guardrail_engine.run("the capital", guardrail_upstream)
    assert len(guardrail_upstream.requests) == 1

@pytest.mark.expect_verdict("allow", action="sanitize", by="redact")
def test_log(guardrail_engine, caplog):
    guardrail_engine.run("mail a@example.com")
    assert len(caplog.records) == 1
"""
    )
    shadows = [case["shadow"] for case in report(suite, SHADOW)["cases"][2:]]
    assert [(shadow["verdict"], shadow["action"]) for shadow in shadows] == [("block", "deny"), ("allow", "none")]


def test_a_generated_test_has_no_candidate(suite: pytest.Pytester) -> None:
    """What Hypothesis draws is in no comparison."""
    suite.makepyfile(
        MARKED
        + """
from hypothesis import given, settings, strategies as st

@pytest.mark.expect_verdict("allow")
@given(st.sampled_from(["a", "b"]))
@settings(database=None)
def test_it(guardrail_engine, text):
    guardrail_engine.run(text)
"""
    )
    cases = report(suite, SHADOW)["cases"]
    assert [case.get("shadow") is not None for case in cases] == [True, True, False]


@pytest.mark.parametrize(
    ("option", "said"),
    [("", "*--guardrails-shadow is empty: it names no configuration*"), ("gone.yaml", "*gone.yaml*No such file*")],
)
def test_a_candidate_that_cannot_be_meant_is_a_usage_error(suite: pytest.Pytester, option: str, said: str) -> None:
    """Before any test runs, with exit status 4."""
    result = suite.runpytest(f"--guardrails-shadow={option}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


def test_a_file_whose_candidate_is_not_there_names_the_place(pytester: pytest.Pytester, guard: Guard) -> None:
    """A path that names nothing is an error of collection with file and line."""
    guard(CASES, head="guardrails: guard.yaml\nshadow: gone.yaml\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*cases.guardrails.yaml:2:9: shadow: there is no file 'gone.yaml' beside this one*"])


@pytest.fixture
def corpus(suite: pytest.Pytester, guard: Guard) -> pytest.Pytester:
    """The suite with a corpus: ten attacks that the candidate misses, one of them twice."""
    rows = [{"text": f"forbidden {n % 9}", "id": f"r{n}"} for n in range(10)]
    (suite.path / "attacks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    guard(CASES, head="guardrails: guard.yaml\ncorpora:\n  - {file: attacks.jsonl, label: attack}\n")
    return suite


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_corpora_are_judged_too(corpus: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """The table has the corpus sample by sample; the record of the current guard is as it is without a candidate."""
    data = report(corpus, SHADOW, *workers)
    attacks = data["shadow"]["populations"][1]
    assert (attacks["population"], attacks["pairs"], attacks["newly_wrong"]) == ("attacks", 10, 10)
    assert "recall-loss" in [ruling["rule"] for ruling in data["shadow"]["rulings"]]
    own = [record for record in data["corpora"] if not record.get("shadow")]
    assert [(record["guard"].partition("@")[0], record["groups"][0]["true_positive"]) for record in own] == [
        ("guard.yaml", 10)
    ]


def test_a_candidate_that_fails_on_a_corpus_is_told(corpus: pytest.Pytester) -> None:
    """What is not recorded for the candidate fails no test, makes no run untrusted, and is said."""
    (corpus.path / "weaker.yaml").write_text("input_guardrails:\n  - {id: lasso, lasso.classify: {}, deny: true}\n")
    data = report(corpus, SHADOW)
    assert data["metrics"]["trusted"] is True
    said = {ruling["rule"]: ruling["said"] for ruling in data["shadow"]["rulings"]}
    assert said["not-judged"] == "corpus attacks: the candidate did not judge it to its end: MissingRecording"


def test_a_baseline_of_a_run_with_a_candidate_is_that_of_the_current_guard(corpus: pytest.Pytester) -> None:
    """The candidate is neither in the baseline nor in the history."""
    corpus.runpytest("--guardrails-update-baseline", "--guardrails-baseline=one.jsonl")
    corpus.runpytest("--guardrails-update-baseline", "--guardrails-baseline=two.jsonl", SHADOW, "--guardrails-history")
    one, two = ((corpus.path / name).read_text().splitlines() for name in ("one.jsonl", "two.jsonl"))
    assert one[1:] == two[1:]
    heads = [json.loads(lines[0]) for lines in (one, two)]
    assert [heads[0][key] for key in ("guards", "corpora")] == [heads[1][key] for key in ("guards", "corpora")]
    assert [head["latency"]["attacks"]["guard.yaml"]["count"] for head in heads] == [10, 10]
    (line,) = (corpus.path / ".guardrails" / "history.jsonl").read_text().splitlines()
    assert json.loads(line)["populations"]["attacks"]["true_positive"] == 10
