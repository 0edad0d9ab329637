"""Reports of the parts of a suite, joined: the same as one run of the whole, or a refusal that names both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pytest_guardrails._codec import FrozenDict, encode
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._gates import judge_gates, parse
from pytest_guardrails._merge import Part, merge, named
from pytest_guardrails._merge._union import worst
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    Comparison,
    CorpusRecord,
    GateResult,
    Group,
    Guard,
    GuardVersion,
    Outcome,
    Request,
    Run,
    Shadow,
    Trace,
    Verdict,
)
from pytest_guardrails.reporters.json import report_dict

# A failure is shown as it was drawn: to shrink a whole run takes minutes.
FEW = settings(
    max_examples=40, suppress_health_check=list(HealthCheck), phases=set(Phase) - {Phase.shrink, Phase.explain}
)
GUARD = Guard("g@1", "embedded engine", "g.yaml", GuardVersion("1", "1"))


def case(name: str, text: str = "hi", **fields: Any) -> CaseRecord:
    """Return the record of a benign case that was let through, unless ``fields`` say otherwise."""
    trace = Trace(Request.of(text), Verdict.ALLOW, Action.NONE, None, ())
    made = {"status": CaseStatus.AS_EXPECTED, "guard": "g@1", "outcome": Outcome.TRUE_NEGATIVE, "trace": trace}
    return CaseRecord(f"a.guardrails.yaml::{name}", name, **{"file": "a.guardrails.yaml", **made, **fields})


def corpus(name: str, hits: int = 0, total: int = 10, **fields: Any) -> CorpusRecord:
    """Return the record of a benign corpus."""
    groups = (Group("all", "", false_positive=hits, true_negative=total - hits, error_attack=0),)
    status = CaseStatus.AS_EXPECTED
    return CorpusRecord(f"a::corpus {name}", name, status, "g@1", rows=total, groups=groups, **fields)


def run(*records: CaseRecord, **fields: Any) -> Run:
    """Return a complete run of ``records``."""
    given = {"started": "2026-11-21T10:00:00+00:00", "duration_s": 1.0, "complete": True, "guards": (GUARD,)}
    return Run(**{"environment": FrozenDict({"python": "3.13"}), "records": records, **given, **fields})


def joined(*runs: Run, matrix: bool = False, gates: Sequence[str] = ()) -> Run:
    """Merge runs that are called ``0.json``, ``1.json`` and so on."""
    parts = [Part(f"{number}.json", one) for number, one in enumerate(runs)]
    return merge(named(parts) if matrix else parts, [parse(gate) for gate in gates])


@FEW
@given(data=st.data())
def test_a_run_cut_into_parts_is_the_same_run_again(runs: st.SearchStrategy[Run], data: st.DataObject) -> None:
    """However the records of a run fall into parts, some in several, the whole has the figures of the run."""
    whole = data.draw(runs)
    whole = replace(
        whole,
        guards=_once(whole.guards, lambda guard: guard.key),
        records=_once(whole.records, lambda record: record.nodeid),
        corpora=_once([one for one in whole.corpora if not one.shadow], lambda one: one.nodeid),
        armed=_once(whole.armed, lambda test: test.nodeid),
        gates=(), comparison=None, shadow=None, notes=(), exit_status=0, complete=True, gates_alone=False,
        lost=tuple(sorted({*whole.lost})),
    )  # fmt: skip
    whole = replace(whole, records=tuple(replace(record, shadow=None) for record in whole.records))
    number = data.draw(st.integers(2, 4))
    hands = st.lists(st.integers(0, number - 1), min_size=1, max_size=2)

    def dealt(items: Sequence[Any]) -> list[tuple[Any, ...]]:
        places = [data.draw(hands) for _ in items]
        return [tuple(one for one, at in zip(items, places, strict=True) if hand in at) for hand in range(number)]

    deals = zip(dealt(whole.records), dealt(whole.corpora), dealt(whole.armed), strict=True)
    parts = [replace(whole, records=cases, corpora=corpora, armed=armed) for cases, corpora, armed in deals]
    again = joined(*parts)
    assert without_span(report_dict(again)) == without_span(report_dict(whole))
    assert joined(joined(*parts[:2]), *parts[2:]).records == again.records


def _once(items: Sequence[Any], key: Callable[[Any], str]) -> tuple[Any, ...]:
    kept = {key(item): item for item in items}
    return tuple(sorted(kept.values(), key=key))


def without_span(report: dict[str, Any]) -> dict[str, Any]:
    """Leave out when the run was, and in how long."""
    return {**report, "run": {k: v for k, v in report["run"].items() if k not in ("started", "duration_s")}}


def test_the_time_is_from_the_first_start_to_the_last_end() -> None:
    """Parts run side by side, in any time zone; a time that nobody can read is only added up."""
    early = run(started="2026-11-21T10:00:00+00:00", duration_s=5.0)
    late = run(started="2026-11-21T12:00:03+02:00", duration_s=9.5)
    assert (joined(late, early).started, joined(late, early).duration_s) == (early.started, 12.5)
    assert joined(early, replace(late, started="noon")).duration_s == 14.5
    assert joined(early, replace(late, started="2026-11-21T12:00:03")).duration_s == 14.5


def test_what_parts_ran_on_stands_together() -> None:
    """An environment that is the same stands once, one that differs with all it was."""
    parts = [run(environment=FrozenDict({"python": python, "pytest": "9"})) for python in ("3.13", "3.11", "3.13")]
    assert joined(*parts).environment == {"python": "3.11, 3.13", "pytest": "9"}
    assert joined(joined(*parts), parts[0]).environment["python"] == "3.11, 3.13"


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([0, 0], 0), ([0, 5], 0), ([5, 5], 5), ([1, 0], 1), ([1, 10], 10), ([10, 2], 2), ([2, 4], 4), ([4, 3], 3),
        ([3, 77], 77), ([77, 99], 99), ([5, 1], 1),
    ],
)  # fmt: skip
def test_the_exit_status_is_the_worst(statuses: list[int], expected: int) -> None:
    """Failed tests, untrusted, interrupted, usage, crash, unknown; a part without tests is no failure of the whole."""
    for order in (statuses, statuses[::-1]):
        assert worst(order) == expected
        assert joined(*(run(exit_status=status) for status in order)).exit_status == expected


def test_a_whole_is_complete_only_with_all_its_parts() -> None:
    """One part that was cut short, or that reveals, makes the whole so, and is named."""
    made = joined(run(), run(complete=False, exit_status=2), run(revealed=True))
    assert (made.complete, made.revealed) == (False, True)
    assert made.notes == ("1.json: ended with exit status 2", "1.json: was cut short")


def test_the_same_case_with_another_result_is_refused() -> None:
    """Both parts are named, and what differs; times and the key of a mask are no difference."""
    with pytest.raises(ConfigError) as caught:
        joined(run(case("c")), run(case("d")), run(case("c", status=CaseStatus.ERROR, outcome=Outcome.ERROR)))
    assert str(caught.value).splitlines() == [
        "a.guardrails.yaml::c: 0.json and 2.json say different things of it (status, outcome)",
        "to keep what differs apart, as of several platforms: --matrix",
    ]
    slow, fast = (case("c", trace=replace(case("c").trace, duration_s=time)) for time in (9.0, 1.0))  # type: ignore[type-var]
    assert joined(run(slow), run(fast)).records == (slow,)
    one, other = (case("c", f"«aa · 2 chars · #{sign}»") for sign in ("0a1b2c3d", "ffffffff"))
    assert joined(run(one), run(other)).records == (one,)
    with pytest.raises(ConfigError, match="trace"):
        joined(run(one), run(case("c", "«aaa · 3 chars · #0a1b2c3d»")))


def test_many_contradictions_are_counted() -> None:
    """Three are told, the others are counted."""
    ours, theirs = (run(*(case(str(n), severity=how) for n in range(9))) for how in ("low", "high"))
    with pytest.raises(ConfigError) as caught:
        joined(ours, theirs)
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()][-2:] == ["and 6 more", LAST]


LAST = "to keep what differs apart, as of several platforms"


def test_a_case_that_was_skipped_in_one_part_counts_where_it_ran() -> None:
    """A skip says nothing; a setup that failed does, and contradicts."""
    skipped = case("c", status=CaseStatus.NOT_RUN, outcome=None, trace=None)
    for order in ((skipped, case("c")), (case("c"), skipped)):
        assert joined(*map(run, order)).records == (case("c"),)
    with pytest.raises(ConfigError, match="status, outcome, reasons, trace"):
        joined(run(case("c")), run(replace(skipped, reasons=("its setup failed: OSError",))))


def test_the_same_corpus_measured_twice_is_there_once() -> None:
    """Latencies differ from run to run and are no contradiction; counts are one."""
    parts = [run(corpora=(corpus("b", latency=FrozenDict({bucket: 10})),)) for bucket in ("-500", "-499")]
    assert joined(*parts).corpora == parts[0].corpora
    with pytest.raises(ConfigError, match=r"a::corpus b: 0.json and 1.json say different things of it"):
        joined(parts[0], run(corpora=(corpus("b", 1),)))


def test_two_versions_of_a_guard_are_not_one_suite() -> None:
    """A part of another version is refused even where it ran other cases; one run that had both is no contradiction."""
    new = replace(GUARD, key="g@2", version=GuardVersion("2", "2"))
    with pytest.raises(ConfigError, match=r"g.yaml: 0.json has version 1 \(1\), and 1.json has 2 \(2\): two versions"):
        joined(run(case("c")), run(case("d", guard="g@2"), guards=(new,)))
    both = run(case("d", guard="g@2"), guards=(GUARD, new))
    assert joined(run(case("c")), both).guards == (GUARD, new)
    with pytest.raises(ConfigError, match="with different guards: g@1 and g@2"):
        joined(run(case("c")), run(case("c", guard="g@2"), guards=(GUARD, new)))
    other = replace(GUARD, version=GuardVersion("1", "1", FrozenDict({"presidio": "3"})))
    with pytest.raises(ConfigError, match=r"g@1: 0.json and 1.json say different things of it \(version\)"):
        joined(run(), run(guards=(other,)))


def test_a_matrix_keeps_its_parts_apart() -> None:
    """Tests and guards are named by their part, so that each has rates of its own, and nothing can contradict."""
    other = case("c", status=CaseStatus.NOT_AS_EXPECTED, outcome=Outcome.FALSE_POSITIVE)
    parts = [Part("out/linux/report.json", run(case("c"))), Part("windows.json", run(other))]
    made = merge(named(parts))
    assert [record.nodeid for record in made.records] == ["linux/a.guardrails.yaml::c", "windows/a.guardrails.yaml::c"]
    assert {record.file for record in made.records} == {"a.guardrails.yaml"}
    assert [guard.key for guard in made.guards] == ["linux/g@1", "windows/g@1"]
    rates = [(one["guard"], one["fpr"]["hits"]) for one in report_dict(made)["metrics"]["guards"]]
    assert rates == [("linux/g@1", 0), ("windows/g@1", 1)]
    with pytest.raises(ConfigError, match="'a' is there twice"):
        named([Part("x/a.json", run()), Part("y/a.json", run())])


def test_gates_are_judged_on_the_whole() -> None:
    """A gate that a part cannot show the whole can, and the other way round; a part's failure is not forgotten."""
    halves = [run(corpora=(corpus(str(n), 0, 150),)) for n in range(2)]
    halves = [replace(half, gates=judge_gates([parse("point:fpr<=1%"), parse("fpr[0]<=3%")], half)) for half in halves]
    assert [[gate.passed for gate in half.gates] for half in halves] == [[True, True], [True, False]]
    made = joined(halves[0], replace(halves[1], exit_status=1))
    assert [(gate.expr, gate.passed) for gate in made.gates] == [("point:fpr<=1%", True), ("fpr[0]<=3%", True)]
    assert made.exit_status == 1
    assert made.notes == ("1.json: ended with exit status 1; on its part alone it fails fpr[0]<=3%",)
    assert joined(*halves, gates=["fpr<=1%"]).exit_status == 1


def test_a_gate_of_a_case_file_speaks_of_that_file_still() -> None:
    """Its cases are judged, and not those of other files, whatever its selector holds."""
    expr, file = "point:fpr[tag:x (y)]==0", "a.guardrails.yaml"
    good, bad = case("c", tags=("x (y)",)), case("d", tags=("x (y)",), file="b", outcome=Outcome.FALSE_POSITIVE)
    first = run(good)
    first = replace(first, gates=judge_gates([parse(expr, file)], first))
    made = joined(first, run(bad))
    assert [(gate.expr, gate.file, gate.passed) for gate in made.gates] == [(f"{expr} ({file})", file, True)]


def test_comparisons_are_left_out_with_a_note_or_made_again() -> None:
    """A baseline is compared with the whole elsewhere; a candidate again, from what each case says of it."""
    compared = Comparison("a", "b", 3)
    made = joined(run(comparison=compared), run())
    assert made.comparison is None
    assert made.notes[0].startswith("NOT MERGED the comparison with a baseline: each part was compared alone")
    shadow = Shadow("g@2", CaseStatus.AS_EXPECTED, Outcome.FALSE_POSITIVE, Verdict.BLOCK, Action.DENY, "words")
    parts = [run(case(name, shadow=shadow), shadow=compared) for name in "cde"]
    assert joined(*parts).shadow is not None
    assert joined(*parts).shadow.pairs == 3  # type: ignore[union-attr]
    with_corpus = replace(parts[0], corpora=(corpus("x"), corpus("x", shadow=True)))
    assert joined(with_corpus, parts[1]).shadow is None
    assert joined(with_corpus, parts[1]).notes[-1].startswith("NOT MERGED the comparison with a candidate")


def test_one_report_alone_is_as_it_was() -> None:
    """Nothing of a single part is lost, dropped or judged again."""
    alone = run(case("c"), comparison=Comparison("a", "b", 3), notes=("n",), exit_status=5)
    assert joined(alone) == alone
    assert encode(joined(alone, gates=["point:fpr==0"]).gates)[0]["passed"] is True


def test_a_part_that_failed_by_its_gates_alone_does_not_fail_the_whole() -> None:
    """Gates are judged again on the whole; any other failure of a part stays one."""
    gate = GateResult("point:recall>=90%", passed=False, said=("there are no attacks",))
    caught = run(case("caught", label="attack", outcome=Outcome.TRUE_POSITIVE))
    whole = joined(run(gates=(gate,), exit_status=1, gates_alone=True), caught)
    assert (whole.exit_status, [gate.passed for gate in whole.gates]) == (0, [True])
    assert joined(run(gates=(gate,), exit_status=1), caught).exit_status == 1


def test_a_test_of_drawn_inputs_counts_with_its_worse_result() -> None:
    """What Hypothesis draws differs from part to part, which is no contradiction; of any other test it is one."""
    good, bad = (replace(case("drawn"), generated=True, runs=n) for n in (100, 7))
    bad = replace(bad, status=CaseStatus.NOT_AS_EXPECTED, reasons=("expected allow, got block",))
    for parts in ([good, bad], [bad, good]):
        assert joined(*map(run, parts)).records == (bad,)
    with pytest.raises(ConfigError, match="drawn"):
        joined(*(run(replace(one, generated=False)) for one in (good, bad)))


def test_what_a_part_has_lost_the_whole_has_lost() -> None:
    """A test whose worker died is named in the merged report as well."""
    assert joined(run(lost=("t.py::a: its worker died",), complete=False), run()).lost == ("t.py::a: its worker died",)
