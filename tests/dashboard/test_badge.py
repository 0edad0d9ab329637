"""The badge."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._history import Past
from pytest_guardrails.dashboard._badge import badge
from pytest_guardrails.dashboard._series import histories

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
        ("passed", "passed | FPR 2.5 % (1 of 40)"),
        ("failed", "failed | FPR 2.5 % (1 of 40)"),
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


def test_it_names_the_population_where_it_is_a_corpus(past: MakePast, counts: Callable[..., FrozenDict]) -> None:
    """Cases without a benign one have no FPR; the first corpus that has one is named."""
    found = FrozenDict({"cases": counts(fp=0, tn=0), "airline": counts()})
    assert said([past(0, populations=found)]) == "passed | FPR airline 2.5 % (1 of 40)"
    assert said([past(0, populations=FrozenDict({"cases": counts(fp=0, tn=0)}))]) == "passed"
