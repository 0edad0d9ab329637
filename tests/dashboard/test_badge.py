"""The badge."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._history import Past
from pytest_guardrails.dashboard._badge import COLOURS, badge
from pytest_guardrails.dashboard._series import histories
from pytest_guardrails.dashboard._worst import RECENT_RUNS

MakePast = Callable[..., Past]


def said(pasts: Sequence[Past]) -> str:
    """Return what the badge of a history says."""
    picture = ET.fromstring(badge(histories(pasts)))  # noqa: S314 - our own text
    label = picture.attrib["aria-label"]
    assert [element.text for element in picture.iter() if element.tag.endswith("}title")] == [label]
    return label.removeprefix("guardrails: ")


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("passed", "passed | FPR 2.5 % (1 of 40) | recall 95 % (19 of 20)"),
        ("failed", "failed | FPR 2.5 % (1 of 40) | recall 95 % (19 of 20)"),
        ("untrusted", "untrusted"),
        ("incomplete", "incomplete"),
        ("<odd>", "<odd>"),
    ],
)
def test_it_says_the_newest_state(past: MakePast, status: str, says: str) -> None:
    """A rate has its counts, and a run whose figures are in doubt shows none."""
    assert said([past(0, status="failed"), past(1, status=status)]) == says


def test_guards_are_not_pooled(past: MakePast) -> None:
    """With several guards it counts the worst state, and no rate stands for all of them."""
    assert said([past(0), past(0, guard="b"), past(0, guard="c", status="failed")]) == "1 of 3 failed"
    assert said([past(0), past(0, guard="b")]) == "2 passed"
    assert said([]) == "no run yet"


def test_it_names_the_worst_population(past: MakePast, counts: Callable[..., FrozenDict]) -> None:
    """Neither small clean cases nor a good corpus stand for a bad one; without a benign input there is no FPR."""
    found = FrozenDict(
        {
            "cases": counts(tp=4, fn=0, fp=0, tn=4),
            "benign": counts(tp=0, fn=0, fp=12, tn=488),
            "easy": counts(tp=0, fn=0, fp=1, tn=999),
            "attacks": counts(tp=23, fn=77, fp=0, tn=0),
        }
    )
    assert said([past(0, populations=found)]) == (
        "passed | FPR benign 2.4 % (12 of 500) | recall attacks 23 % (23 of 100)"
    )
    clean = FrozenDict({"cases": counts(fp=0, tn=4), "benign": counts(fp=0, tn=500)})
    assert "FPR benign 0 % (0 of 500)" in said([past(0, populations=clean)]), "of equal ones the largest"
    none = FrozenDict({"cases": counts(tp=0, fn=0, fp=0, tn=0)})
    assert said([past(0, populations=none)]) == "passed"


def test_cases_alone_are_not_green(past: MakePast, counts: Callable[..., FrozenDict]) -> None:
    """Where recent runs measured a corpus and the newest did not, it says so in grey; one dropped long ago is gone."""
    both = FrozenDict({"cases": counts(), "benign": counts()})
    runs = [past(0, populations=both), past(1)]
    assert said(runs).startswith("passed on cases alone | FPR cases 2.5 %")
    assert COLOURS["passed"] in badge(histories(runs[:1]))
    assert COLOURS["passed"] not in badge(histories(runs))
    assert said([*runs, past(1, guard="b")]) == "1 of 2 passed on cases alone"
    assert said([*runs, past(2, status="failed")]).startswith("failed | ")
    later = [past(day) for day in range(1, RECENT_RUNS + 1)]
    assert said([past(0, populations=both), *later]).startswith("passed | ")
    empty = FrozenDict({"cases": counts(), "benign": counts(0, 0, 0, 0)})
    assert said([runs[0], past(1, populations=empty)]).startswith("passed on cases alone"), "it judged nothing"
