"""Corpora as pytest items, ``@corpus``, and ``--guardrails-resume``."""

from __future__ import annotations

import json
import os
import signal
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from pytest_guardrails._codec import decode
from pytest_guardrails._model import CorpusRecord
from pytest_guardrails._spool import read

HEAD = "guardrails: guard.yaml\ncorpora:\n"
SECRET = "alice@example.com"


def rows(benign: int, attacks: int = 0, wrong: int = 0) -> str:
    """Return a corpus: benign rows of which some are acted on, and attacks that all are."""
    out = [{"text": f"hello {n}", "label": "benign", "category": f"c{n % 2}"} for n in range(benign)]
    for row in out[:wrong]:
        row["text"] += f", write to {SECRET}"
    out += [{"text": f"forbidden {n}", "label": "attack", "category": "words"} for n in range(attacks)]
    return "".join(json.dumps(row) + "\n" for row in out)


@pytest.fixture
def suite(pytester: pytest.Pytester, guard: Callable[..., None]) -> Callable[..., None]:
    """Write a guard, a corpus ``own.jsonl`` and a case file that has the entries given."""

    def write(entries: str, corpus: str = rows(100, 20, 2), *, cases: str = "") -> None:
        guard()
        (pytester.path / "own.jsonl").write_text(corpus)
        (pytester.path / "x.guardrails.yaml").write_text(HEAD + entries + cases)

    return write


def corpora(path: Path) -> list[dict[str, Any]]:
    """Return what a report says of corpora, without times."""
    found = json.loads((path / "guardrails-report" / "report.json").read_text())["corpora"]
    return [{k: v for k, v in record.items() if k not in ("duration_s", "latency")} for record in found]


def counts(record: dict[str, Any], kind: str = "all", name: str = "") -> tuple[int, ...]:
    """Return the outcomes of a group: true and false positives, true and false negatives, errors."""
    group = next(group for group in record["groups"] if (group["kind"], group["name"]) == (kind, name))
    keys = ("true_positive", "false_positive", "true_negative", "false_negative", "error")
    return tuple(group.get(key, 0) for key in keys)


def test_a_corpus_is_one_item_that_passes_within_its_bounds(
    pytester: pytest.Pytester, suite: Callable[..., None]
) -> None:
    """A file of corpora alone is a case file: one item each, counted as a whole, and none of it is a case."""
    suite("  - {file: own.jsonl, max_fpr: 0.1, min_recall: 0.8}\n")
    result = pytester.runpytest("--guardrails-report=json", "-v")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "x.guardrails.yaml::corpus own PASSED*",
            "corpus     own: 120 samples, as expected",
            "  FPR      2 % (2 of 100 benign samples)*",
            "  recall   100 % (20 of 20 attacks)*",
        ]
    )
    result.stdout.no_fnmatch_line("cases *")
    (record,) = corpora(pytester.path)
    assert (record["nodeid"], record["name"], record["rows"]) == ("x.guardrails.yaml::corpus own", "own", 120)
    assert (record["file"], record["line"]) == ("x.guardrails.yaml", 3)
    assert counts(record) == (20, 2, 98, 0, 0)
    assert counts(record, "category", "c0") == (0, 1, 49, 0, 0)
    assert counts(record, "guardrail", "before_request/words") == (20, 0, 100, 0, 0)
    assert "ledger" not in record
    report = json.loads((pytester.path / "guardrails-report" / "report.json").read_text())
    assert report["guards"][0]["key"] == record["guard"]
    assert report["metrics"]["fpr"]["total"] == 0


def test_a_corpus_above_its_bound_fails_with_the_worst_of_it(
    pytester: pytest.Pytester, suite: Callable[..., None]
) -> None:
    """It says the counts, the interval, what more samples could show, and at most ten wrong ones with their lines."""
    suite("  - {file: own.jsonl, max_fpr: 0.05}\n", rows(100, wrong=2))
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "corpus own: FPR 2 % (2 of 100 benign samples; 95 %: *): ≤ 6.1* % at 95 %, and max_fpr is 5 %; for * 124 *",
            "  x.guardrails.yaml:3  100 samples of own.jsonl",
            "    own.jsonl:1  false positive  c0  by before_request/redact/pii_redact  «aaaaa 9, aaaaa aa aaaaa@*",
            "    own.jsonl:2  false positive  c1  by before_request/redact/pii_redact  *",
            "  texts are masked; --guardrails-reveal shows them",
            "x.guardrails.yaml:3: VerdictMismatch",
        ]
    )
    assert SECRET not in result.stdout.str()
    result.stdout.no_fnmatch_line("*_items.py*")


def test_the_point_is_judged_where_it_is_asked_for(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """``point:`` judges the rate itself, which so few samples could not bound."""
    suite("  - {file: own.jsonl, max_fpr: 'point:0.02'}\n  - {file: own.jsonl, name: less, max_fpr: 'point:0.019'}\n")
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*max_fpr is 1.9 %, and the rate itself is judged"])


def test_what_was_not_measured_cannot_be_within_a_bound(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """Without attacks the recall is unknown, and a bound on it fails."""
    suite("  - {file: own.jsonl, min_recall: 0.5}\n", rows(5))
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*min_recall 0.5: no attack was judged, so the recall is unknown*"])


def test_texts_are_revealed_on_request_alone(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """Masked in the terminal, the reports and the ledger, unless the run reveals."""
    suite("  - {file: own.jsonl, max_fpr: 0.001}\n")
    result = pytester.runpytest("--guardrails-report")
    folder = pytester.path / "guardrails-report"
    written = [path.read_text() for path in [*folder.iterdir(), *pytester.path.glob(".pytest_cache/d/guardrails/*")]]
    assert len(written) >= 4
    assert not any(SECRET in text for text in (*written, result.stdout.str()))
    revealed = pytester.runpytest("--guardrails-reveal", "--guardrails-report")
    assert SECRET in revealed.stdout.str()
    assert SECRET in (folder / "report.json").read_text()


def test_a_guard_without_an_answer_makes_the_run_untrusted(
    pytester: pytest.Pytester, suite: Callable[..., None]
) -> None:
    """Errors are in no rate, fail the item though no bound was asked for, and end the run with exit status 10."""
    suite("  - {file: own.jsonl}\n", rows(10))
    pytester.makeconftest(
        "import pytest\nfrom pytest_guardrails import Engine, Guardrail\n"
        "class Fragile:\n"
        "    id = 'fragile'\n"
        "    def __call__(self, texts):\n"
        "        if any('7' in text.text for text in texts): raise TimeoutError('SECRET')\n"
        "        return []\n"
        "from pytest_guardrails import _engines\n"
        "engine = Engine([Guardrail('g', 'before_request', [Fragile()])])\n"
        "def pytest_configure(config):\n"
        "    from pytest_guardrails.plugin import _session\n"
        "    _session(config).engines.overriding = lambda: engine\n"
    )
    result = pytester.runpytest("--guardrails-report")
    assert result.ret == 10
    result.stdout.fnmatch_lines(
        [
            "corpus own: guard error: the guard gave no answer to 1 of 10 samples",
            "    own.jsonl:8  error  c1  by before_request/g/fragile*",
            "UNTRUSTED*corpus own*",
            "  errors   1 sample got no answer, and is in no rate",
        ]
    )
    assert "SECRET" not in result.stdout.str()
    (record,) = corpora(pytester.path)
    assert (record["status"], counts(record)) == ("error", (0, 0, 9, 0, 1))
    assert (pytester.path / "guardrails-report/summary.md").read_text().startswith("# Guardrails: UNTRUSTED")


def test_selection(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """-m corpus, -m "not corpus", -k and node ids select corpora beside cases and tests."""
    case = "cases:\n  - {id: clean, input: hello, expect: allow}\n"
    suite("  - {file: own.jsonl}\n  - {file: own.jsonl, name: again}\n", cases=case)
    pytester.makepyfile(
        "import pytest\nfrom pytest_guardrails import corpus\n"
        "@pytest.fixture(scope='session')\ndef guardrails_config(): return 'guard.yaml'\n"
        "@corpus('own.jsonl')\ndef test_marked(): pass\ndef test_other(): pass\n"
    )
    for arguments, passed in (
        ([], 5),
        (["-m", "corpus"], 3),
        (["-m", "not corpus"], 2),
        (["-k", "again"], 1),
        (["x.guardrails.yaml::corpus own"], 1),
    ):
        assert pytester.runpytest("--strict-markers", *arguments).parseoutcomes()["passed"] == passed
    listed = pytester.runpytest("--co", "-q").stdout.lines
    assert [line for line in listed if "corpus" in line] == [
        "x.guardrails.yaml::corpus own",
        "x.guardrails.yaml::corpus again",
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{file: nowhere.jsonl}", "x.guardrails.yaml:3:*there is no file 'nowhere.jsonl'*"),
        ("{file: own.jsonl, rate_limit: fast}", "x.guardrails.yaml:3: rate limit 'fast' is no rate*"),
        ("{sample: nothing_of_this_name}", "x.guardrails.yaml:3: *'nothing_of_this_name'*"),
        ("{file: own.jsonl, guardrails: nowhere.yaml}", "x.guardrails.yaml:3:*no file 'nowhere.yaml'*"),
        ("{file: own.jsonl, lable: benign}", "x.guardrails.yaml:3:*did you mean 'label'?*"),
    ],
)
def test_mistakes_are_collection_errors(
    pytester: pytest.Pytester, suite: Callable[..., None], entry: str, said: str
) -> None:
    """A corpus that cannot be meant is an error of its file, before anything runs."""
    suite(f"  - {entry}\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])


def test_a_case_and_a_corpus_of_one_name(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """Two items of one node id are refused, and a tag cannot pose as the marker."""
    case = "cases:\n  - {{id: {}, tags: [{}], input: hello, expect: allow}}\n"
    for name, tag, said in (("corpus own", "a", "*both called 'corpus own'*"), ("a", "corpus", "*tag 'corpus'*")):
        suite("  - {file: own.jsonl}\n", cases=case.format(name, tag))
        pytester.runpytest().stdout.fnmatch_lines([said])


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        ("", "own.jsonl: the corpus has no row: nothing would be measured"),
        (
            rows(5) + '{"text": "a", "label": "bengin"}\n',
            "own.jsonl:6: unknown label 'bengin'; did you mean 'benign'?*",
        ),
    ],
)
def test_a_bad_corpus_fails_before_anything_is_judged(
    pytester: pytest.Pytester, suite: Callable[..., None], corpus: str, said: str
) -> None:
    """A row that cannot be meant fails the item with its place and no stack; the run is trusted no less."""
    suite("  - {file: own.jsonl}\n", corpus)
    result = pytester.runpytest("--guardrails-report")
    result.assert_outcomes(failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines([said])
    result.stdout.no_fnmatch_line("*_measure.py*")
    result.stdout.no_fnmatch_line("*During handling*")
    (record,) = corpora(pytester.path)
    assert (record["status"], record.get("rows")) == ("not run", None)


def test_shipped_and_drawn_corpora(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """What is shipped and what a strategy draws are corpora too; what is drawn says so."""
    suite("  - {shipped: benign, limit: 40}\n  - {sample: near_misses, n: 60, seed: 3}\n")
    result = pytester.runpytest("--guardrails-report=json")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "corpus     benign: 40 samples, as expected",
            "  note     the first 40 rows alone",
            "corpus     near_misses: 60 samples, generated*",
        ]
    )
    first = corpora(pytester.path)
    assert [(record["name"], record.get("generated", False)) for record in first] == [
        ("benign", False),
        ("near_misses", True),
    ]
    pytester.runpytest("--guardrails-report=json")
    assert corpora(pytester.path) == first


def test_a_corpus_may_have_a_guard_of_its_own(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """``guardrails`` of a corpus goes before the file's, and the option before both."""
    own = "{input_guardrails: [{id: w, default.contains: {words: [hello], operator: none}, deny: true}]}"
    suite(f"  - {{file: own.jsonl, guardrails: {own}}}\n  - {{file: own.jsonl, name: theirs}}\n", rows(10))
    pytester.runpytest("--guardrails-report=json").assert_outcomes(passed=2)
    assert [counts(record)[1] for record in corpora(pytester.path)] == [10, 0]
    pytester.runpytest("--guardrails-report=json", "--guardrails-config=guard.yaml")
    assert [counts(record)[1] for record in corpora(pytester.path)] == [0, 0]


@pytest.mark.parametrize(
    "extra", [["-n", "2"], ["--guardrails-executor=threads:3"], ["--guardrails-executor=processes:2"]], ids=" ".join
)
def test_the_report_is_the_same_wherever_it_is_judged(
    pytester: pytest.Pytester, suite: Callable[..., None], extra: list[str]
) -> None:
    """Workers, threads and processes leave the same report as one after the other, times aside."""
    suite(
        "  - {file: own.jsonl, max_fpr: 0.001, columns: {}}\n  - {file: own.jsonl, name: b, concurrency: 2}\n",
        rows(700, 30, 9),
    )
    pytester.runpytest("--guardrails-report=json").assert_outcomes(passed=1, failed=1)
    alone = corpora(pytester.path)
    run = pytester.runpytest_subprocess if "processes" in extra[0] else pytester.runpytest
    run("--guardrails-report=json", *extra).assert_outcomes(passed=1, failed=1)
    assert corpora(pytester.path) == alone
    assert len(alone[1]["worst"]) == 9


def test_checks_that_ask_an_api_stay_in_this_process(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """A check with a connection of this process cannot go to another one, and the error names it."""
    lasso = "{input_guardrails: [{id: vendor, lasso.classify: {}, deny: true}]}"
    suite(f"  - {{file: own.jsonl, guardrails: {lasso}}}\n")
    result = pytester.runpytest("--guardrails-executor=processes:2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["check 'lasso.classify' of guardrail 'vendor' asks an API*to processes: use threads"])


def test_an_answer_that_is_not_recorded_is_no_verdict(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """A guard that asks an API is answered from the cassette, and what is missing there fails the corpus."""
    lasso = "{input_guardrails: [{id: vendor, lasso.classify: {}, deny: true}]}"
    suite(f"  - {{file: own.jsonl, guardrails: {lasso}}}\n")
    result = pytester.runpytest("--guardrails-report")
    result.assert_outcomes(failed=1)
    assert corpora(pytester.path)[0]["status"] == "not run"


def test_junit_has_a_testcase_per_corpus(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """JUnit XML carries the corpus, its failure and its guard."""
    suite("  - {file: own.jsonl, max_fpr: 0.001}\n")
    pytester.runpytest("--junitxml=j.xml")
    (case,) = ET.parse(pytester.path / "j.xml").getroot().iter("testcase")  # noqa: S314 - our own file
    assert case.get("name") == "corpus own"
    assert case.find("failure") is not None
    assert {p.get("name"): p.get("value") for p in case.iter("property")}["guardrail.corpus"] == "own"


# The marker

TESTS = """\
import pytest
from pytest_guardrails import corpus

@pytest.fixture(scope="session")
def guardrails_config():
    return "guard.yaml"

"""


def test_a_marked_test_gets_what_came(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """``@corpus`` measures with the module's guard before the body runs, and ``corpus_result`` says what came."""
    suite("  - {file: own.jsonl}\n")
    pytester.makepyfile(
        TESTS + "@corpus('own.jsonl', max_fpr=0.1)\n"
        "def test_good(corpus_result):\n"
        "    assert corpus_result.rows == 120\n"
        "    assert corpus_result.groups[0].false_positive == 2\n\n"
        "@corpus('own.jsonl', max_fpr=0.001)\n"
        "def test_bound():\n    raise ValueError('the body does not run')\n\n"
        "@corpus('own.jsonl')\n"
        "def test_body(corpus_result):\n    assert corpus_result.rows == 0\n\n"
        "@corpus('own.jsonl', max_fpr=0.001)\n"
        "@pytest.mark.xfail(reason='known')\n"
        "def test_known():\n    pass\n\n"
        "@corpus('own.jsonl')\n"
        "def test_skipped():\n    pytest.skip('later')\n"
    )
    result = pytester.runpytest("test_a_marked_test_gets_what_came.py", "--guardrails-report=json")
    result.assert_outcomes(passed=1, failed=2, xfailed=1, skipped=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["corpus own: FPR 2 %*", "test_a_marked_test_gets_what_came.py:*: VerdictMismatch"])
    statuses = {record["nodeid"].partition("::")[2]: record["status"] for record in corpora(pytester.path)}
    assert statuses == {
        "test_good": "as expected",
        "test_bound": "not as expected",
        "test_body": "not as expected",
        "test_known": "not as expected",
        "test_skipped": "not run",
    }


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("corpus('nowhere.jsonl')", "*test_*.py:*: @corpus of test_x: file: *there is no file 'nowhere.jsonl'*"),
        ("pytest.mark.corpus('own.jsonl', max_frp=1)", "*: @corpus of test_x: *'max_frp'; did you mean 'max_fpr'?*"),
        ("pytest.mark.corpus('own.jsonl', 'b')", "*@corpus takes one file*"),
        ("corpus()", "*one of file, shipped, sample; this one has none*"),
        ("corpus('own.jsonl', max_fpr=2)", "*max_fpr is a share from 0 to 1*"),
    ],
)
def test_a_wrong_marker_is_a_collection_error(
    pytester: pytest.Pytester, suite: Callable[..., None], marker: str, said: str
) -> None:
    """Arguments that cannot be meant are refused where they are written, before anything runs."""
    suite("  - {file: own.jsonl}\n")
    pytester.makepyfile(test_marked=f"{TESTS}@{marker}\ndef test_x(): pass\n")
    result = pytester.runpytest("test_marked.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])
    result.stdout.no_fnmatch_line("*During handling*")


def test_the_fixture_without_the_marker(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Without a corpus there is nothing that the fixture could say."""
    guard()
    pytester.makepyfile("def test_x(corpus_result): pass\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["corpus_result is for tests marked @corpus(...)*"])


def test_a_module_called_corpus_is_no_marker(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A folder or parameter of that name makes no test a corpus."""
    guard()
    pytester.mkdir("corpus").joinpath("test_one.py").write_text(
        "import pytest\n@pytest.mark.parametrize('x', ['corpus'])\ndef test_corpus(x): pass\n"
    )
    pytester.runpytest("corpus").assert_outcomes(passed=1)


def test_entities_that_nobody_knows_are_noted(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """A misspelt entity of a span would go unseen: the record has a note with the nearest name, masked if need be."""
    spans = [{"entity": name, "start": 0, "end": 3} for name in ("emial", "EMAIL", "UK_NHS", "a@example.com")]
    suite("  - {file: own.jsonl}\n", json.dumps({"text": "one two", "label": "attack", "spans": spans}) + "\n")
    pytester.runpytest("--guardrails-report=json").assert_outcomes(passed=1)
    (corpus,) = corpora(pytester.path)
    assert corpus["note"] == "spans name entities that no check is known to find: a@aaaaaaa.aaa, 'emial' (EMAIL?)"


# Continuing

SLOW = """\
import os, signal, time
from dataclasses import dataclass
from pytest_guardrails import Engine, Guardrail

@dataclass(frozen=True)
class Slow:
    id: str = "slow"
    def __call__(self, texts):
        with open("asked", "a") as file:
            file.write("x")
        if os.path.exists("block") and os.path.getsize("asked") > 700:
            number = int(open("block").read())
            if number == signal.SIGINT:
                raise KeyboardInterrupt  # a process in the background may have been told to ignore the signal
            os.kill(os.getpid(), number)
            time.sleep(60)
        return []

def pytest_configure(config):
    from pytest_guardrails.plugin import _session
    engine = Engine([Guardrail("g", "before_request", [Slow()])])
    _session(config).engines.overriding = lambda: engine
"""


def interrupted(pytester: pytest.Pytester, by: signal.Signals = signal.SIGINT) -> None:
    """Run pytest until a signal comes in the middle of the corpus."""
    (pytester.path / "block").write_text(str(int(by)))
    (pytester.path / "asked").unlink(missing_ok=True)
    if by is signal.SIGINT:
        pytester.runpytest_inprocess("-q", no_reraise_ctrlc=True)
    else:
        assert pytester.run(sys.executable, "-m", "pytest", "-q").ret == -by
    for name in ("block", "asked"):
        (pytester.path / name).unlink()


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_is_continued(
    pytester: pytest.Pytester, suite: Callable[..., None], by: signal.Signals
) -> None:
    """What was judged before is not asked again, and the report is that of a run in one go."""
    suite("  - {file: own.jsonl, max_fpr: 0.5}\n", rows(1000, 20))
    pytester.makeconftest(SLOW)
    pytester.runpytest("--guardrails-report=json").assert_outcomes(passed=1)
    alone = corpora(pytester.path)
    interrupted(pytester, by)
    result = pytester.runpytest("--guardrails-report=json", "--guardrails-resume")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["  note     continued: 512 of 1,020 results are of the interrupted run"])
    assert (pytester.path / "asked").stat().st_size == 1020 - 512
    assert [{k: v for k, v in record.items() if k != "note"} for record in corpora(pytester.path)] == alone
    again = pytester.runpytest("--guardrails-resume")
    again.stdout.fnmatch_lines(["  note     started afresh: there is no interrupted run of it"])


def test_errors_of_an_interrupted_run_are_asked_again(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """A sample to which the guard gave no answer is asked again; what it answered is not."""
    suite("  - {file: own.jsonl, max_fpr: 0.5}\n", rows(1000, 20))
    fails = 'if os.path.exists("down") and os.path.getsize("asked") % 100 == 7: raise OSError\n        return []'
    pytester.makeconftest(SLOW.replace("return []", fails))
    (pytester.path / "down").touch()
    interrupted(pytester)
    (pytester.path / "down").unlink()
    result = pytester.runpytest("--guardrails-report=json", "--guardrails-resume")
    result.assert_outcomes(passed=1)
    said = "continued: 506 of 1,020 results are of the interrupted run; asked again: 6 to which it got no answer"
    (corpus,) = corpora(pytester.path)
    assert corpus["note"] == said
    assert (pytester.path / "asked").stat().st_size == 1020 - 506
    assert corpus["rows"] == 1020
    assert "error" not in corpus["groups"][0]


def test_what_has_changed_starts_afresh(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """Another text in the corpus, or another guard, and nothing of the interrupted run is used; it says why."""
    suite("  - {file: own.jsonl}\n", rows(1000, 20))
    pytester.makeconftest(SLOW)
    interrupted(pytester)
    (pytester.path / "own.jsonl").write_text(rows(1000, 21))
    result = pytester.runpytest("--guardrails-resume")
    result.stdout.fnmatch_lines(["  note     started afresh: the corpus changed since"])
    assert (pytester.path / "asked").stat().st_size == 1021


def test_the_ledger_has_a_line_per_sample(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """After the run its ledger holds every result, in the order of the corpus, with keys and without texts."""
    suite("  - {file: own.jsonl}\n", rows(300, 5))
    pytester.runpytest()
    (path,) = pytester.path.glob(".pytest_cache/d/guardrails/*.jsonl")
    results = list(read(path))
    assert [result.line for result in results] == list(range(1, 306))
    assert len({result.key for result in results}) == 305


def test_without_a_cache_it_still_runs(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """With ``-p no:cacheprovider`` the ledger goes with the run, and nothing is left in the project."""
    suite("  - {file: own.jsonl, max_fpr: 0.5}\n")
    before = set(pytester.path.rglob("*.jsonl"))
    pytester.runpytest("-p", "no:cacheprovider", "--guardrails-resume").assert_outcomes(passed=1)
    assert set(pytester.path.rglob("*.jsonl")) - before == set()


def test_progress_on_a_terminal(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """A terminal shows how far it is while it runs, on one line that is empty at the end."""
    suite("  - {file: own.jsonl}\n", rows(1200))
    pytester.makeconftest(
        SLOW.replace("os.path.exists", "not len")
        .replace('open("asked", "a")', 'open("asked", "w")')
        .replace('file.write("x")', "time.sleep(0.0005)")
    )
    child = pexpect.spawn(
        sys.executable,
        ["-m", "pytest", "--color=no"],
        cwd=str(pytester.path),
        timeout=60,
        env={**os.environ, "COLUMNS": "100", "TERM": "xterm"},
        encoding="utf-8",
    )
    child.setwinsize(40, 100)
    shown = str(child.read())
    child.close()
    assert "corpus own  " in shown
    assert "of 1,200 · FPR 0 %" in shown
    assert shown.split("of 1,200 ·")[-1].partition("\r")[2].lstrip("\r").startswith(" " * 90)


@pytest.mark.parametrize("option", ["-q", "-v"])
def test_progress_without_a_terminal(
    pytester: pytest.Pytester, suite: Callable[..., None], monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """Where no line can change, lines come now and then, and under -q none."""
    suite("  - {file: own.jsonl}\n", rows(2000, wrong=2))
    assert "of 2,000 ·" not in pytester.runpytest(option).stdout.str()
    monkeypatch.setattr("pytest_guardrails._corpus_items._progress._LINES_S", 0.0)
    said = [line for line in pytester.runpytest(option).stdout.lines if "of 2,000 ·" in line]
    assert len(said) == (8 if option == "-v" else 0)
    assert all(line.startswith("corpus own  ") and line.endswith("FPR 0.1 %") for line in said[-1:])


def test_records_survive_the_way_through_a_report(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """What a report says of a corpus can be read back as the noun that it was."""
    suite("  - {file: own.jsonl, max_fpr: 0.001}\n")
    pytester.runpytest("--guardrails-report=json")
    (data,) = json.loads((pytester.path / "guardrails-report" / "report.json").read_text())["corpora"]
    record = decode(CorpusRecord, data)
    assert record.rows == 120
    assert record.worst[0][:3] == ("false positive", "c0", "own.jsonl:1")
