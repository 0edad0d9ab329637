"""What moved with a version: on the first page, on the guard's page, and whether chance explains it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._codec import EMPTY, FrozenDict
from pytest_guardrails._history import Past
from pytest_guardrails._model import Comparison, Guard, GuardVersion, PopulationChange, RateChange, Run
from pytest_guardrails._stats import Rate, mcnemar
from pytest_guardrails.dashboard import Sources, build
from pytest_guardrails.dashboard._moved import bounds, moved
from pytest_guardrails.dashboard._series import around, histories, slug
from pytest_guardrails.reporters import json_report

MakePast = Callable[..., Past]
MakeCounts = Callable[..., FrozenDict]
MakeSources = Callable[..., Sources]


def text(content: object) -> str:
    """Return what a page says, without its markup."""
    assert isinstance(content, bytes)
    body = content.decode().partition("<body>")[2]
    words = " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())
    return re.sub(r" (?=[:,;.])", "", words)


def populations(counts: MakeCounts, benign: int, attacks: int, size: int = 500) -> FrozenDict:
    """Return clean cases, and two corpora with so many false positives and so many caught."""
    return FrozenDict(
        {
            "cases": counts(tp=4, fn=0, fp=0, tn=4),
            "benign": counts(tp=0, fn=0, fp=benign, tn=size - benign),
            "attacks": counts(tp=attacks, fn=size - attacks, fp=0, tn=0),
        }
    )


@pytest.fixture
def traded(past: MakePast, counts: MakeCounts) -> list[Past]:
    """Version 2 stops 35 benign ones more, and 5 attacks more; the cases say nothing."""
    return [
        past(0, "1 (aa)", populations=populations(counts, 12, 115)),
        past(1, "2 (bb)", populations=populations(counts, 47, 120)),
    ]


def test_the_first_page_says_the_worst_populations_and_the_last_change(
    sources: MakeSources, traded: Sequence[Past]
) -> None:
    """Each rate by its worst population with its name; what the last version made worse and better, and when."""
    site, _ = build(sources(traded))
    said = text(site["index.html"])
    assert "benign: 9.4 % (47 of 500; 95 %: 7.1 % to 12 %) cases: 0 % (0 of 4;" in said
    assert "attacks: 24 % (120 of 500; 95 %: 20 % to 28 %) cases: 100 % (4 of 4;" in said
    assert "1 → 2, 2026-03-02 12:00" in said
    assert "benign: FPR 2.4 % (12 of 500) → 9.4 % (47 of 500), +7 points, worse; significant (McNemar p ≤" in said
    assert "attacks: recall 23 % (115 of 500) → 24 % (120 of 500), +1 points, better; not significant" in said


def test_one_version_has_no_change(sources: MakeSources, past: MakePast) -> None:
    """It is told, and no figure is made up."""
    site, _ = build(sources([past(0), past(1)]))
    assert "one version so far" in text(site["index.html"])


@pytest.mark.parametrize(
    ("before", "after", "fields", "says"),
    [
        (12, 47, {}, "significant (McNemar p ≤ "),
        (12, 17, {}, "not significant (McNemar p ≥ 0.062)"),
        (40, 52, {}, "significance unknown without pairs"),
        (12, 47, {"suite": "99"}, "not comparable: the suite changed"),
    ],
)
def test_significance_is_claimed_where_totals_prove_it(
    sources: MakeSources, past: MakePast, counts: MakeCounts, before: int, after: int, fields: Any, says: str
) -> None:
    """However the pairs fell; in between, and of other inputs, nothing is claimed."""
    lines = [
        past(0, "1", populations=populations(counts, before, 115)),
        past(1, "2", populations=populations(counts, after, 115), **fields),
    ]
    said = text(build(sources(lines))[0]["index.html"])
    assert f", worse; {says}" in said


def test_errors_leave_the_pairs_in_doubt(sources: MakeSources, past: MakePast, counts: MakeCounts) -> None:
    """What gave no answer in one run may be another input than in the other."""
    lines = [
        past(day, str(day), populations=FrozenDict({"benign": counts(fp=hits, tn=499 - hits, error=1)}))
        for day, hits in enumerate((12, 47))
    ]
    assert "worse; significance unknown without pairs" in text(build(sources(lines))[0]["index.html"])


def test_counts_beyond_reason_cost_no_time(sources: MakeSources, past: MakePast, counts: MakeCounts) -> None:
    """A hostile line of the history does not keep the build busy: no p is reckoned of 2 ** 53 inputs."""
    lines = [
        past(day, str(day), populations=FrozenDict({"benign": counts(fp=2**52 + day, tn=2**52 - day)}))
        for day in range(2)
    ]
    assert "significance unknown without pairs" in text(build(sources(lines))[0]["index.html"])


@given(*[st.integers(0, 40)] * 4)
@settings(max_examples=150, deadline=None)
def test_the_bounds_hold_every_p(only_before: int, only_after: int, both: int, neither: int) -> None:
    """Whatever the pairs were, McNemar's p is between the bounds that their totals give."""
    total = only_before + only_after + both + neither
    low, high = bounds(Rate(both + only_before, total), Rate(both + only_after, total))
    assert low - 1e-12 <= mcnemar(only_before, only_after) <= high + 1e-12


def test_runs_that_cannot_be_relied_on_are_passed_over(past: MakePast, counts: MakeCounts) -> None:
    """A change is told between the last sound run before it and the first one after it, of those two versions alone."""
    lines = [
        past(0, "0"), past(1, "1"), past(2, "1", status="untrusted"),
        past(3, "2", status="incomplete"), past(4, "2"), past(5, "2"), past(6, "3"),
    ]  # fmt: skip
    (guard,) = histories(lines)
    assert guard.changes == (1, 3, 6)
    assert [tuple(map(list, around(guard, index))) for index in guard.changes] == [
        ([0], [1, 2]), ([2, 1], [3, 4, 5]), ([5, 4, 3], [6]),
    ]  # fmt: skip
    found = moved(guard, 3)
    assert (found.before, found.after) == (lines[1], lines[4])


def test_a_population_of_one_side_alone_is_named(sources: MakeSources, past: MakePast, counts: MakeCounts) -> None:
    """A corpus that was dropped with the version is not taken for one that did not move."""
    site, _ = build(sources([past(0, "1", populations=populations(counts, 12, 115)), past(1, "2")]))
    assert "not in the newest run: attacks, benign" in text(site["index.html"])
    assert "Measured by one of the two alone: attacks, benign." in text(site[f"{slug('guard.yaml')}.html"])


def reports_of(traded: Sequence[Past], folder: Path, *comparisons: Comparison | None) -> Path:
    """Write a report for each run."""
    folder.mkdir()
    for number, (line, comparison) in enumerate(zip(traded, comparisons, strict=True)):
        guard = Guard(line.guard, "embedded engine", line.guard, GuardVersion(*line.version.rstrip(")").split(" (")))
        run = Run(line.time, 1.0, True, EMPTY, (guard,), (), comparison=comparison)
        (folder / f"{number}.json").write_text(json_report(run), encoding="utf-8")
    return folder


def compared(traded: Sequence[Past], before: str = "guard.yaml 1 (aa)") -> Comparison:
    """Return what the second run compared with a baseline: cases, and one corpus in pairs."""
    fpr = RateChange("fpr", 500, 12, 47, worse=36, better=1, difference=0.07, p=1e-9, p_holm=2e-9)
    corpus = PopulationChange("benign", "guard.yaml", 500, flips=37, newly_wrong=36, newly_right=1, rates=(fpr,))
    other = replace(corpus, guard="other.yaml", population="elsewhere", flips=400)
    return Comparison(f"baseline: {before}", "this run", 1008, populations=(corpus, other))


def test_no_flip_of_cases_is_no_all_clear_for_corpora(
    sources: MakeSources, traded: Sequence[Past], tmp_path: Path
) -> None:
    """Beside the flips of the cases each corpus says that its own are unknown, and how its rates moved."""
    runs = reports_of(traded, tmp_path / "runs", None, None)
    said = text(build(sources(traded, runs))[0][f"{slug('guard.yaml')}.html"])
    unknown = "flips unknown, since neither the history nor a report keeps samples; in total"
    assert f"benign: {unknown} false-positive rate +7 points." in said
    assert f"attacks: {unknown} recall +1 points." in said


def test_a_baseline_of_the_version_before_has_the_samples(
    sources: MakeSources, traded: Sequence[Past], tmp_path: Path
) -> None:
    """Then corpora are told in pairs, on the first page too; another guard's are left out."""
    runs = reports_of(traded, tmp_path / "runs", None, compared(traded))
    site, _ = build(sources(traded, runs))
    said = text(site[f"{slug('guard.yaml')}.html"])
    assert "In pairs, against its baseline (guard.yaml 1 (aa)): 500 compared." in said
    assert "benign: 37 of 500 flipped; 36 newly wrong, 1 newly right" in said
    assert "elsewhere" not in said
    assert "attacks: flips unknown" in said
    assert "worse; significant (McNemar in pairs, p = 2e-09 after Holm)" in text(site["index.html"])


def test_a_baseline_of_another_version_proves_nothing_of_this_change(
    sources: MakeSources, traded: Sequence[Past], tmp_path: Path
) -> None:
    """The reports of both versions are compared instead."""
    runs = reports_of(traded, tmp_path / "runs", None, compared(traded, "guard.yaml 0 (zz)"))
    site, _ = build(sources(traded, runs))
    assert "0.json against 1.json, cases alone" in text(site[f"{slug('guard.yaml')}.html"])
    assert "worse; significant (McNemar p ≤" in text(site["index.html"])
    (runs / "0.json").unlink()
    site, _ = build(sources(traded, runs))
    assert "against its baseline (guard.yaml 0 (zz))" in text(site[f"{slug('guard.yaml')}.html"])
    assert "after Holm" not in text(site["index.html"])
