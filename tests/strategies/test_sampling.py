"""Seeded samples: equal everywhere, from the same recipes as the strategies, checked before they start."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import strategies
from pytest_guardrails._errors import ConfigError
from pytest_guardrails.strategies import sample, sample_names
from pytest_guardrails.strategies._families import ENTITIES, FAMILIES, Seeded
from pytest_guardrails.strategies._sampling import RECIPES


def texts(name: str, n: int, seed: int) -> list[str]:
    """Return the texts of a sample."""
    return [one.text for one in sample(name, n, seed)]


def test_the_names_are_those_of_the_strategies_and_families() -> None:
    """`sample_names` lists, sorted, every strategy of an entity, every family, and all of a kind."""
    names = sample_names()
    assert names == sorted(names)
    assert {entity.strategy for entity in ENTITIES.values()} < set(names)
    assert {"pii", "near_misses", "look_alikes", *FAMILIES} < set(names)


@pytest.mark.parametrize("name", sample_names())
def test_equal_seeds_give_equal_samples(name: str) -> None:
    """Name and seed decide; another seed gives others; fewer are the first ones of more."""
    assert texts(name, 40, 7) == texts(name, 60, 7)[:40]
    assert texts(name, 40, 7) != texts(name, 40, 8)


def test_names_do_not_share_their_choices() -> None:
    """One seed for two populations does not tie them together."""
    assert [text[4:] for text in texts("us_npis", 20, 1)] != [text[4:] for text in texts("ca_sins", 20, 1)]


def test_another_process_draws_the_same() -> None:
    """Neither the order of hashes nor another interpreter's start changes a sample."""
    code = (
        "import hashlib, sys; from pytest_guardrails.strategies import sample\n"
        "lines = (one.text for name in ('pii', 'near_misses') for one in sample(name, 500, 3))\n"
        "print(hashlib.sha256('\\n'.join(lines).encode()).hexdigest())"
    )
    seen = set()
    for number in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": number}
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)  # noqa: S603
        seen.add(run.stdout.strip())
    here = "\n".join(itertools.chain(texts("pii", 500, 3), texts("near_misses", 500, 3)))
    assert seen == {hashlib.sha256(here.encode()).hexdigest()}


def test_a_seed_means_the_same_for_ever() -> None:
    """These are the first draws of a seed on every version of Python; changing them changes everyone's rates."""
    source = Seeded("credit_cards/1")
    drawn = (source.digits(20), source.integer(5, 9), source.choice("abc"), source.string("0123456789abcdef", 10))
    assert drawn == GOLDEN
    assert texts("credit_cards", 3, 1) == CARDS


GOLDEN = ("21332314089003373671", 8, "a", "11658cadf6")
CARDS = ["2532" + "254573397979", "6514 9942" + " 4324 9810", "6763978" + "923787052396"]


@pytest.mark.parametrize(
    ("name", "n", "seed", "message"),
    [
        ("credit_card", 1, 1, "unknown strategy to sample 'credit_card'; did you mean 'credit_cards'"),
        ("pii", -1, 1, "n is a whole number from 0, not -1"),
        ("pii", 1.5, 1, "n is a whole number from 0, not 1.5"),
        ("pii", True, 1, "n is a whole number from 0, not True"),
        ("pii", 1, "x", "seed is a whole number from 0, not 'x'"),
        ("pii", 1, None, "seed is a whole number from 0, not None"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_first_draw(name: str, n: int, seed: int, message: str) -> None:
    """Bad arguments are errors of the call, not of the first `next`."""
    with pytest.raises(ConfigError, match=message):
        sample(name, n, seed)


def test_nothing_is_drawn_for_none() -> None:
    """A sample of none is empty."""
    assert list(sample("pii", 0, 1)) == []


def test_samples_are_drawn_one_by_one() -> None:
    """A population larger than memory can be sampled: it is an iterator."""
    drawn = sample("pii", 10**12, 1)
    assert next(drawn) != next(drawn)


@given(st.integers(0, 20), st.integers(), st.integers(0, 10**6))
def test_a_source_keeps_to_its_bounds(length: int, low: int, width: int) -> None:
    """Digits, integers, letters and choices are what was asked for."""
    low %= 10**9
    source = Seeded(f"{length}/{low}/{width}")
    assert len(source.digits(length)) == length
    assert source.digits(length).isdigit() or not length
    assert low <= source.integer(low, low + width) <= low + width
    assert len(source.string("abc", length)) == length
    assert set(source.string("abc", length)) <= set("abc")
    assert source.choice("xyz") in "xyz"


def test_draws_are_spread_evenly() -> None:
    """Each digit and each letter comes as often as the others, at every place."""
    source, count = Seeded("even"), 5_000
    rows = [source.digits(16) + source.string("01234567", 5) for _ in range(count)]
    for column in zip(*rows, strict=True):
        values = set(column)
        assert all(0.8 < column.count(value) * len(values) / count < 1.2 for value in values)


def test_every_sampled_strategy_of_values_is_public() -> None:
    """What can be sampled under the name of a strategy is that strategy."""
    assert {name for name in RECIPES if name not in FAMILIES} <= set(strategies.__all__)


SCRIPT = Path(__file__).parents[2] / "benchmarks" / "sampling.py"
PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"


@pytest.mark.skipif(not SCRIPT.exists(), reason="no benchmarks beside the tests: tested in a checkout")
def test_the_benchmark_prints_a_line_for_each_name() -> None:
    """Each name has its rate and how many times Hypothesis' rate that is; an unknown one is refused."""
    command = [sys.executable, str(SCRIPT), "--count", "500", "us_ssns", "ranges"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    lines = run.stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["us_ssns", "ranges", "simple"]
    assert all("/s" in line and " x " in line for line in lines[:2])


@pytest.mark.skipif(not PAGE.exists(), reason="no docs beside the tests: tested in a checkout")
def test_the_page_names_every_strategy_and_family(pytester: pytest.Pytester) -> None:
    """The page misses nothing that can be drawn, and its example passes as it stands."""
    page = PAGE.read_text(encoding="utf-8")
    missing = {name for name in (*RECIPES, *ENTITIES) if not re.search(rf"\b{name}\b", page)}
    assert missing == set()
    example = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    pytester.makepyfile(test_page=example)
    pytester.makefile(".yaml", guard="input_guardrails: [{id: redact, pii_redact: {}, action: sanitize}]\n")
    pytester.runpytest("--guardrails-config=guard.yaml").assert_outcomes(passed=2)
