"""``--guardrails-baseline``, ``--guardrails-update-baseline`` and ``--guardrails-history``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

Guard = Callable[..., None]
WEAKER = """\
version: "1.3"
input_guardrails:
  - {id: redact, pii_redact: {entities: [EMAIL]}, action: sanitize}
  - {id: words, default.contains: {words: [forbidden nowhere], operator: none}, deny: true}
"""
ATTACKS = "".join(f"  - {{id: a{n}, input: forbidden {n}, expect: block}}\n" for n in range(8))
BENIGN = "  - {id: clean, input: hello, expect: {verdict: allow, action: none}}\n"
UPDATE, COMPARE = "--guardrails-update-baseline", "--guardrails-baseline"
CORPUS = "corpora:\n  - {file: benign.jsonl, label: benign}\n"


def baseline(pytester: pytest.Pytester) -> list[dict[str, Any]]:
    """Return the entries of the baseline."""
    lines = (pytester.path / ".guardrails" / "baseline.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[1:]]


def ids(pytester: pytest.Pytester) -> list[str]:
    """Return the ids of the cases of the baseline."""
    return [entry["key"].partition("::")[2] for entry in baseline(pytester)]


@pytest.fixture
def suite(pytester: pytest.Pytester, guard: Guard) -> pytest.Pytester:
    """A suite whose baseline is made, and a weaker guard beside its own."""
    guard(ATTACKS + BENIGN)
    (pytester.path / "weaker.yaml").write_text(WEAKER)
    assert pytester.runpytest(UPDATE).ret == 0
    return pytester


def test_a_run_becomes_the_baseline(suite: pytest.Pytester) -> None:
    """Each case is a line, and the next run compares with it: nothing has changed, and nothing fails."""
    assert ids(suite) == [*(f"a{n}" for n in range(8)), "clean"]
    result = suite.runpytest(COMPARE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["before     .guardrails/baseline.jsonl: guard.yaml 1.2 (*)", "after      this run: *",
                                 "compared   9 in both: the same suite", "*flips    none"])  # fmt: skip
    result.stdout.fnmatch_lines(["passed     no rule fails"])
    result.stdout.no_fnmatch_line("FAILED*")


def test_a_guard_that_has_become_worse_fails_the_run(pytester: pytest.Pytester, guard: Guard) -> None:
    """A significant loss of recall fails a run in which every test passes, with an explanation; report.json has it."""
    guard(
        "".join(f"  - {{id: a{n}, label: attack, input: forbidden {n}, expect: %s}}\n" for n in range(8))
        % (("block",) * 8)
    )
    pytester.runpytest(UPDATE)
    file = pytester.path / "cases.guardrails.yaml"
    file.write_text(file.read_text().replace("expect: block", "expect: allow"))
    (pytester.path / "weaker.yaml").write_text(WEAKER)
    result = pytester.runpytest(COMPARE, "--guardrails-config=weaker.yaml", "--guardrails-report=json:r.json",
                                "--guardrails-report=md:r.md")  # fmt: skip
    result.assert_outcomes(passed=8)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED     recall-loss: attacks are missed more often*"])
    report = json.loads((pytester.path / "r.json").read_text())
    assert report["run"]["exit_status"] == 1
    assert report["comparison"]["failed"] is True
    assert report["comparison"]["populations"][0]["newly_wrong"] == 8
    assert "- **Failed**, recall\\-loss: attacks are missed" in (pytester.path / "r.md").read_text()


def test_without_the_option_nothing_is_compared(suite: pytest.Pytester) -> None:
    """A run that does not ask neither reads nor writes a baseline, and its report says nothing of one."""
    before = (suite.path / ".guardrails" / "baseline.jsonl").read_bytes()
    result = suite.runpytest("--guardrails-report=json:r.json")
    assert (suite.path / ".guardrails" / "baseline.jsonl").read_bytes() == before
    assert "comparison" not in json.loads((suite.path / "r.json").read_text())
    result.stdout.no_fnmatch_line("compared*")


@pytest.mark.parametrize("option", [COMPARE, "--guardrails-history"])
@pytest.mark.parametrize("first", [True, False])
def test_a_bare_option_never_swallows_a_path(suite: pytest.Pytester, option: str, first: bool) -> None:
    """A path after it is a path: only its tests run."""
    suite.mkdir("sub").joinpath("test_one.py").write_text("def test_one(): pass\n")
    result = suite.runpytest(*([option, "sub"] if first else ["sub", option]))
    result.assert_outcomes(passed=1)


def test_a_baseline_elsewhere(suite: pytest.Pytester) -> None:
    """PATH is relative to where pytest was called, for writing and for reading."""
    assert suite.runpytest(UPDATE, f"{COMPARE}=kept/one.jsonl").ret == 0
    assert (suite.path / "kept" / "one.jsonl").exists()
    result = suite.runpytest(f"{COMPARE}=kept/one.jsonl")
    result.stdout.fnmatch_lines(["before     kept/one.jsonl: *"])


def test_a_missing_baseline_is_a_usage_error(pytester: pytest.Pytester, guard: Guard) -> None:
    """It says which file is not there and how to make one, before any test runs."""
    guard(BENIGN)
    result = pytester.runpytest(COMPARE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = result.stderr.str()
    assert "there is no baseline .guardrails/baseline.jsonl to compare with: make one with pytest" in said


def test_a_damaged_baseline_is_a_usage_error(suite: pytest.Pytester) -> None:
    """A conflict of a merge names file and line before any test runs, and an update does not overwrite it."""
    path = suite.path / ".guardrails" / "baseline.jsonl"
    path.write_text(path.read_text() + "<<<<<<< ours\n")
    for option in (COMPARE, UPDATE):
        result = suite.runpytest(option)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["*.guardrails/baseline.jsonl:11: a merge left a conflict here*"])


def test_an_update_accepts_a_loss(suite: pytest.Pytester) -> None:
    """With the update the comparison is shown and fails nothing: the tests that fail are the ones that say so."""
    result = suite.runpytest(UPDATE, "--guardrails-config=weaker.yaml")
    result.stdout.fnmatch_lines(
        ["note       recall-loss: accepted: *", "baseline   .guardrails/baseline.jsonl: 9 changed"]
    )
    assert suite.runpytest(COMPARE, "--guardrails-config=weaker.yaml").ret == 1
    result = suite.runpytest(COMPARE, "--guardrails-config=weaker.yaml")
    result.stdout.fnmatch_lines(["*flips    none"])


@pytest.mark.parametrize(
    "arguments",
    [("-k", "a1"), ("cases.guardrails.yaml::a1",), ("-m", "high"), ("--deselect", "cases.guardrails.yaml::a2")],
)
def test_an_update_from_a_part_drops_nothing(suite: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """What was chosen not to run keeps its line, whatever was run."""
    suite.runpytest(UPDATE, *arguments)
    assert len(ids(suite)) == 9


def test_an_update_from_a_whole_run_drops_what_is_gone(suite: pytest.Pytester) -> None:
    """A case that is not in its file any more, and the cases of a deleted file, have no line any more."""
    file = suite.path / "cases.guardrails.yaml"
    file.write_text(f"guardrails: guard.yaml\ncases:\n{BENIGN}")
    suite.runpytest(UPDATE).stdout.fnmatch_lines(["baseline   *: 1 unchanged, 8 removed"])
    file.rename(suite.path / "other.guardrails.yaml")
    suite.runpytest(UPDATE).stdout.fnmatch_lines(["baseline   *: 1 added, 1 removed"])
    assert [entry["key"] for entry in baseline(suite)] == ["other.guardrails.yaml::clean"]


@pytest.mark.parametrize("arguments", [("-x",), ("--maxfail=1",)])
def test_a_run_that_was_cut_short_is_no_baseline(suite: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """Its update is refused, and the old baseline stays."""
    before = (suite.path / ".guardrails" / "baseline.jsonl").read_bytes()
    result = suite.runpytest(UPDATE, "--guardrails-config=weaker.yaml", *arguments)
    result.stdout.fnmatch_lines(["NOT WRITTEN .guardrails/baseline.jsonl: the run was cut short"])
    assert (suite.path / ".guardrails" / "baseline.jsonl").read_bytes() == before


def test_an_untrusted_run_is_no_baseline(pytester: pytest.Pytester) -> None:
    """A guard that gave no answer leaves no baseline behind."""
    form = "{id: form, default.jsonSchema: {schema: {$ref: 'https://schemas.invalid/x.json'}}, deny: true}"
    (pytester.path / "c.guardrails.yaml").write_text(
        f"guardrails:\n  input_guardrails: [{form}]\ncases:\n  - {{id: a, input: '{{}}', expect: block}}\n"
    )
    result = pytester.runpytest(UPDATE)
    assert result.ret == 10
    result.stdout.fnmatch_lines(["NOT WRITTEN *: the run is untrusted: guards gave no answer"])
    assert not (pytester.path / ".guardrails").exists()


def test_a_run_without_a_case_is_no_baseline(pytester: pytest.Pytester) -> None:
    """Where nothing was judged nothing is written, and the exit status is not that of success."""
    pytester.makepyfile("def test_one(): pass")
    result = pytester.runpytest(UPDATE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["NOT WRITTEN *: no case ran"])


def test_a_file_of_this_run_alone_may_be_empty(pytester: pytest.Pytester) -> None:
    """A shard without a case writes a baseline without a line, where it names one that is not there yet."""
    pytester.makepyfile("def test_one(): pass")
    result = pytester.runpytest(UPDATE, "--guardrails-baseline=now.jsonl")
    assert result.ret == pytest.ExitCode.OK
    assert len((pytester.path / "now.jsonl").read_text().splitlines()) == 1
    assert pytester.runpytest(UPDATE, "--guardrails-baseline=now.jsonl").ret == pytest.ExitCode.USAGE_ERROR


def test_collecting_alone_writes_nothing(suite: pytest.Pytester) -> None:
    """``--collect-only`` compares and writes nothing."""
    before = (suite.path / ".guardrails" / "baseline.jsonl").read_bytes()
    result = suite.runpytest(UPDATE, COMPARE, "--guardrails-history", "--collect-only")
    assert result.ret == 0
    assert (suite.path / ".guardrails" / "baseline.jsonl").read_bytes() == before
    assert not (suite.path / ".guardrails" / "history.jsonl").exists()


def test_a_critical_flip_fails_whatever_the_tests_say(pytester: pytest.Pytester, guard: Guard) -> None:
    """A critical case marked xfail since is known to fail, and still is a flip."""
    guard("  - {id: a, severity: critical, input: forbidden, expect: block}\n")
    pytester.runpytest(UPDATE)
    guard("  - {id: a, severity: critical, input: forbidden, expect: block, xfail: known}\n")
    (pytester.path / "weaker.yaml").write_text(WEAKER)
    result = pytester.runpytest(COMPARE, "--guardrails-config=weaker.yaml")
    result.assert_outcomes(xfailed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED     critical-flip: 1 critical case went from right to wrong:*"])


def test_corpora_are_compared_sample_by_sample(pytester: pytest.Pytester, guard: Guard) -> None:
    """Samples stand in the baseline by their hashes, never by their texts; a loss in a corpus fails the run."""
    rows = [f"order {n} for alice{n}, the word is {'taboo' if n < 7 else 'tea'}" for n in range(20)]
    (pytester.path / "benign.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
    guard(BENIGN, head=f"guardrails: guard.yaml\n{CORPUS}")
    assert pytester.runpytest(UPDATE).ret == 0
    entries = [entry for entry in baseline(pytester) if entry["population"] == "benign"]
    assert len({entry["key"] for entry in entries}) == 20
    assert "alice" not in (pytester.path / ".guardrails" / "baseline.jsonl").read_text()
    (pytester.path / "stricter.yaml").write_text(WEAKER.replace("forbidden nowhere", "forbidden, taboo"))
    result = pytester.runpytest(COMPARE, "--guardrails-config=stricter.yaml")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED     fpr-loss: legitimate users are stopped more often in benign*"])


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_ledger_that_another_run_has_changed_is_no_baseline(
    pytester: pytest.Pytester, guard: Guard, workers: tuple[str, ...]
) -> None:
    """Where another run has emptied the ledger of a corpus, nothing of it is written, and the run says so."""
    (pytester.path / "benign.jsonl").write_text('{"text": "hello"}\n{"text": "tea"}\n')
    guard(BENIGN, head=f"guardrails: guard.yaml\n{CORPUS}")
    pytester.makeconftest("""
        import pathlib

        def pytest_runtest_teardown(item):
            for ledger in pathlib.Path(item.config.cache.mkdir("guardrails")).glob("*.jsonl"):
                ledger.write_bytes(ledger.read_bytes().splitlines(keepends=True)[0])
    """)
    result = pytester.runpytest(UPDATE, *workers)
    assert result.ret == 4
    result.stdout.fnmatch_lines(["NOT WRITTEN*corpus 'benign*': its ledger was changed by another run"])
    assert not (pytester.path / ".guardrails" / "baseline.jsonl").exists()


def test_ids_with_slashes_are_told_apart_in_a_corpus(pytester: pytest.Pytester, guard: Guard) -> None:
    """Of two guardrails of one maker, the one that is switched off is named, though the other goes on."""
    rows = ["forbidden one", "mail alice@example.com"]
    (pytester.path / "attacks.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
    guard(BENIGN, head="guardrails: guard.yaml\ncorpora:\n  - {file: attacks.jsonl, label: attack}\n")
    acme = WEAKER.replace("id: redact", "id: acme/pii").replace("id: words", "id: acme/words")
    (pytester.path / "weaker.yaml").write_text(acme)
    (pytester.path / "acme.yaml").write_text(acme.replace("forbidden nowhere", "forbidden"))
    pytester.runpytest(UPDATE, "--guardrails-config=acme.yaml")
    fired = [entry.get("fired", [entry.get("by")]) for entry in baseline(pytester) if entry["label"] == "attack"]
    assert sorted(fired) == [["acme/pii"], ["acme/words"]]
    result = pytester.runpytest(COMPARE, "--guardrails-config=weaker.yaml")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED     switched-off: *guardrail 'acme/words' acted on 1 attack*"])
    result.stdout.no_fnmatch_line("*'acme/pii' acted*")


def test_workers_change_nothing(suite: pytest.Pytester) -> None:
    """Two processes write the same baseline as one, but for the times in its head."""
    path = suite.path / ".guardrails" / "baseline.jsonl"
    before = path.read_text().splitlines()
    path.unlink()
    assert suite.runpytest(UPDATE, "-n", "2").ret == 0
    after = path.read_text().splitlines()
    assert after[1:] == before[1:]
    heads = [json.loads(lines[0]) for lines in (before, after)]
    assert [head.pop("latency")["cases"]["guard.yaml"]["count"] for head in heads] == [9, 9]
    assert heads[0] == heads[1]


def test_both_options_compare_and_then_write(suite: pytest.Pytester) -> None:
    """With both, the old baseline is compared with, then the run is written; losses are accepted, not failed."""
    again = [UPDATE, COMPARE, "--guardrails-config=weaker.yaml"]
    result = suite.runpytest(*again)
    assert result.ret == 1  # of the cases that expect to be blocked, not of a rule
    result.stdout.fnmatch_lines(["note       recall-loss: accepted: *", "baseline   *: 9 changed"])
    result = suite.runpytest(*again)
    result.stdout.fnmatch_lines(["*flips    none", "baseline   *: 9 unchanged"])


def test_both_options_without_a_baseline_write_the_first_one(pytester: pytest.Pytester, guard: Guard) -> None:
    """There is nothing to compare with yet, and that is no error: what is asked for is written."""
    guard(BENIGN)
    result = pytester.runpytest(UPDATE, f"{COMPARE}=new.jsonl")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["baseline   new.jsonl: 1 added"])
    result.stdout.no_fnmatch_line("compared*")


def test_times_are_compared_and_fail_nothing(suite: pytest.Pytester) -> None:
    """A baseline of a guard that was a thousand times as quick is told, in a line, and no rule reads it."""
    path = suite.path / ".guardrails" / "baseline.jsonl"
    head, _, lines = path.read_text().partition("\n")
    data = json.loads(head)
    data["latency"]["cases"]["guard.yaml"] |= {"p50_s": 1e-7, "p95_s": 1e-7}
    path.write_text(f"{json.dumps(data)}\n{lines}")
    result = suite.runpytest(COMPARE, "--guardrails-report=json:r.json")
    assert result.ret == 0
    result.stdout.re_match_lines([r"  latency  p50 0.1 µs → .* \(x[\d,]{2,}\), p95 "])
    (population,) = json.loads((suite.path / "r.json").read_text())["comparison"]["populations"]
    assert population["latency_before"]["p50_s"] == 1e-7
    assert population["latency_after"]["count"] == 9


def test_a_flip_of_a_sample_says_where_it_is(pytester: pytest.Pytester, guard: Guard) -> None:
    """A row without an id is a hash in the baseline; a run that flips it names its file and line."""
    rows = ["tea", "taboo", "milk"]
    (pytester.path / "sub").mkdir()
    (pytester.path / "benign.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
    guard(BENIGN, head=f"guardrails: guard.yaml\n{CORPUS}")
    pytester.runpytest(UPDATE)
    assert "benign.jsonl:" not in (pytester.path / ".guardrails" / "baseline.jsonl").read_text()
    (pytester.path / "stricter.yaml").write_text(WEAKER.replace("forbidden nowhere", "taboo"))
    result = pytester.runpytest(COMPARE, "--guardrails-config=stricter.yaml", "--guardrails-report=json:r.json")
    said = " ".join(result.stdout.str().split())
    assert re.search(r" newly wrong, benign: benign: [0-9a-f]{16} \(benign.jsonl:2\): allow → block by words ", said)
    (flip,) = json.loads((pytester.path / "r.json").read_text())["comparison"]["flips"]
    assert (flip["where"], flip["new_label"]) == ("benign.jsonl:2", "")


def test_a_relabelled_row_is_named(pytester: pytest.Pytester, guard: Guard) -> None:
    """A missed attack that is called benign now is no longer in the corpus's recall, and still a loss, by name."""
    file = pytester.path / "mixed.jsonl"
    rows = [{"text": f"forbidden {n}", "label": "attack", "id": f"r{n}"} for n in range(6)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    guard(BENIGN, head="guardrails: guard.yaml\ncorpora:\n  - {file: mixed.jsonl}\n")
    pytester.runpytest(UPDATE)
    file.write_text(file.read_text().replace("attack", "benign"))
    (pytester.path / "weaker.yaml").write_text(WEAKER)
    result = pytester.runpytest(COMPARE, "--guardrails-config=weaker.yaml")
    assert result.ret == 1
    said = " ".join(result.stdout.str().split())
    assert "FAILED recall-loss: attacks are missed more often in mixed (weaker.yaml): 6 of 6 caught before, 0 " in said
    assert "note relabelled: 6 have another label now (mixed: r0 (mixed.jsonl:1): attack, now benign; " in said


def test_texts_of_parameters_are_masked_also_where_the_run_reveals(
    pytester: pytest.Pytester, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A baseline goes into the repository: its keys are masked, and the same in a run that reveals."""
    monkeypatch.setenv("GUARDRAILS_MASK_KEY", "k")
    guard()
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def guardrails_config():
            return "guard.yaml"

        @pytest.mark.expect_verdict("allow")
        @pytest.mark.parametrize("text", ["write to alice@example.com"])
        def test_it(guardrail_engine, text):
            guardrail_engine.run(text)
        """
    )
    pytester.runpytest(UPDATE, "--guardrails-reveal")
    assert "alice" not in (pytester.path / ".guardrails" / "baseline.jsonl").read_text()
    result = pytester.runpytest(COMPARE)
    result.stdout.fnmatch_lines(["compared   1 in both: the same suite"])


def test_history_has_a_line_per_run(suite: pytest.Pytester) -> None:
    """``--guardrails-history`` appends counts, version and status; without it there is no history."""
    path = suite.path / ".guardrails" / "history.jsonl"
    assert not path.exists()
    suite.runpytest("--guardrails-history")
    suite.runpytest("--guardrails-history", "--guardrails-config=weaker.yaml").stdout.fnmatch_lines(
        ["history    .guardrails/history.jsonl: 1 added"]
    )
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["guard"], line["status"]) for line in lines] == [("guard.yaml", "passed"), ("weaker.yaml", "failed")]
    assert [line["populations"]["cases"]["true_positive"] for line in lines] == [8, 0]
    assert len({line["suite"] for line in lines}) == 2 - (lines[0]["suite"] == lines[1]["suite"])
    suite.runpytest("--guardrails-history=other.jsonl")
    assert len((suite.path / "other.jsonl").read_text().splitlines()) == 1


def test_what_cannot_be_written_is_no_success(suite: pytest.Pytester) -> None:
    """A history that cannot be written fails the run and says why."""
    (suite.path / "file").write_text("")
    result = suite.runpytest("--guardrails-history=file/history.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["NOT WRITTEN *history.jsonl: *"])


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
@pytest.mark.parametrize("option", [UPDATE, COMPARE])
def test_two_corpora_of_one_name_are_refused(
    pytester: pytest.Pytester, guard: Guard, option: str, workers: tuple[str, ...]
) -> None:
    """Nobody could tell their samples apart: before anything runs it says which they are and what to do."""
    (pytester.path / "benign.jsonl").write_text('{"text": "tea"}\n')
    guard(BENIGN, head=f"guardrails: guard.yaml\n{CORPUS}", name="one")
    assert pytester.runpytest(UPDATE).ret == 0
    pytester.makepyfile(
        test_two="""
        import pytest

        @pytest.fixture(scope="session")
        def guardrails_config():
            return "guard.yaml"

        @pytest.mark.corpus("benign.jsonl", label="benign")
        def test_it(guardrail_engine):
            pass
        """
    )
    before = (pytester.path / ".guardrails" / "baseline.jsonl").read_bytes()
    result = pytester.runpytest(option, *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.assert_outcomes()
    said = result.stdout.str() + result.stderr.str()
    assert (
        "two corpora are called 'benign': one.guardrails.yaml::corpus benign and test_two.py::test_it; "
        "a baseline tells them apart by name: give one another"
    ) in said
    assert (pytester.path / ".guardrails" / "baseline.jsonl").read_bytes() == before
    assert pytester.runpytest(*workers).ret == 0


def test_the_default_place_is_in_the_root(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder below, the same baseline is meant."""
    suite.makeini("[pytest]\n")
    monkeypatch.chdir(suite.mkdir("below"))
    result = suite.runpytest(COMPARE, str(suite.path))
    assert result.ret == 0
    result.stdout.fnmatch_lines(["compared   9 in both: the same suite"])


def test_a_gate_beside_a_loss_is_not_what_fails_the_run_alone(suite: pytest.Pytester) -> None:
    """Merged with other parts, a run that is worse than its baseline stays failed, whatever its gates say there."""
    cases = suite.path / "cases.guardrails.yaml"
    cases.write_text(cases.read_text().replace("expect: block", "label: attack, expect: allow"))
    (suite.path / "guard.yaml").write_text(WEAKER)
    options = (COMPARE, "--guardrails-fail-on=point:recall>=0.9", "--guardrails-report=json:r.json")
    result = suite.runpytest(*options)
    result.assert_outcomes(passed=9)
    head = json.loads((suite.path / "r.json").read_text())["run"]
    assert (head["exit_status"], head["gates_alone"]) == (1, False)
