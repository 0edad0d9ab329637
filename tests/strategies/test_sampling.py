"""Seeded samples: equal everywhere, from the same recipes as the strategies, checked before they start."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import os
import pickle
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import strategies
from pytest_guardrails._errors import ConfigError
from pytest_guardrails.strategies import Sample, sample, sample_names
from pytest_guardrails.strategies._families import ENTITIES, FAMILIES, Seeded
from pytest_guardrails.strategies._families._source import ALNUM, DIGITS, HEX
from pytest_guardrails.strategies._sampling import RECIPES

T = TypeVar("T")


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
    """Name and seed decide; another seed gives others; fewer are the first ones of more, however many those are."""
    assert texts(name, 40, 7) == texts(name, 700, 7)[:40]
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


def first(stream: Iterator[T], count: int = 1) -> list[T]:
    """Return the first values of a stream."""
    return list(itertools.islice(stream, count))


def test_a_seed_means_the_same_for_ever() -> None:
    """These are the first draws of a seed on every version of Python; changing them changes everyone's rates."""
    source = Seeded("credit_cards/1")
    drawn = (
        first(source.strings(DIGITS, 20)),
        first(source.integers(5, 9), 4),
        first(source.choices("abc"), 4),
        first(source.strings(HEX, 10)),
        first(source.integers(0, 10**12), 2),
    )
    assert drawn == GOLDEN
    assert texts("credit_cards", 3, 1) == CARDS


def test_every_name_draws_the_same_for_ever() -> None:
    """So do the first hundreds of each name, with what is said of them."""
    drawn = hashlib.sha256()
    for name in sample_names():
        for one in sample(name, 300, 1):
            drawn.update(repr((one.text, one.label, one.category, one.spans)).encode())
    assert drawn.hexdigest() == ALL


GOLDEN = (["98647206513851934399"], [5, 9, 9, 9], ["a", "b", "b", "c"], ["0322e5f6ca"], [431155356148, 178916638092])
CARDS = ["5370 8885" + " 9842 9032", "2203 4307" + " 4839 6330", "64476553" + "01855382"]
ALL = "f30714ee4043b0b6920d6cdd2293946f397a17e8078b9529add23bd9b22e111d"


@pytest.mark.parametrize("name", ["credit_cards", "epoch_s", "injections"])
def test_what_a_stream_makes_is_a_sample_like_any_other(name: str) -> None:
    """It equals what the constructor makes, has all its fields, can be pickled and hashed, and stays as it is."""
    for one in sample(name, 50, 1):
        made = Sample(one.text, one.label, one.category, spans=one.spans)
        assert type(one) is Sample
        assert (one, hash(one), repr(one)) == (made, hash(made), repr(made))
        assert pickle.loads(pickle.dumps(one)) == dataclasses.replace(one) == made  # noqa: S301 - our own
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.label = "benign"  # type: ignore[misc]


class Ordinary:
    """A source with Python's generator behind it: what a recipe draws from it, it makes as it does for Hypothesis."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a population, no secret

    def choice(self, options: Sequence[T], /) -> T:
        """Return one of the options."""
        return self._random.choice(options)

    def integer(self, low: int, high: int, /) -> int:
        """Return an integer, both ends included."""
        return self._random.randint(low, high)

    def digits(self, length: int, /) -> str:
        """Return so many digits."""
        return self.string(DIGITS, length)

    def string(self, alphabet: str, length: int, /) -> str:
        """Return so many letters of the alphabet."""
        return "".join(self._random.choices(alphabet, k=length))


def shapes(samples: Iterable[Sample]) -> Counter[object]:
    """Count samples by what they are and how they are written."""
    return Counter(
        (
            one.category,
            one.label,
            one.spans,
            re.sub(r"[^\W_]+", "w", one.text),
            one.text[0].isdigit(),
            one.text[-1] < "A",
        )
        for one in samples
    )


ONE_BY_ONE = {
    **RECIPES,
    **{f"{entity.name}/{kind}": twin for entity in ENTITIES.values() for kind, twin in entity.twins.items()},
}


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_both_faces_of_a_recipe_make_the_same_population(name: str) -> None:
    """One by one or in a stream, each kind of text comes as often: no further apart than two seeds are."""
    count, recipe, source = 1_200, ONE_BY_ONE[name], Ordinary(1)
    singly, streamed, again = (
        shapes(samples)
        for samples in (
            (recipe.draw(source) for _ in range(count)),
            *(itertools.islice(recipe.stream(Seeded(seed)), count) for seed in "12"),
        )
    )
    assert (singly - streamed).total() <= 1.25 * (again - streamed).total() + count / 16


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


@given(st.integers(1, 20), st.integers(), st.integers(0, 10**6))
def test_a_source_keeps_to_its_bounds(length: int, low: int, width: int) -> None:
    """Integers, letters and choices are what was asked for."""
    low %= 10**9
    source = Seeded(f"{length}/{low}/{width}")
    assert all(low <= value <= low + width for value in first(source.integers(low, low + width), 40))
    for text in first(source.strings("abc", length), 40):
        assert len(text) == length
        assert set(text) <= set("abc")
    assert set(first(source.choices("xyz"), 40)) <= set("xyz")
    assert first(source.choices("x"), 3) == ["x"] * 3


def test_draws_are_spread_evenly() -> None:
    """Each digit, letter and number comes as often as the others, at every place."""
    source, count = Seeded("even"), 5_000
    columns = [
        *zip(*first(source.strings(DIGITS, 16), count), strict=True),
        *zip(*first(source.strings("01234567", 5), count), strict=True),
        *zip(*first(source.strings(ALNUM[:36], 3), count), strict=True),
        *(first(source.places(size), count) for size in (2, 7, 13)),
        [place // 30 for place in first(source.places(300), count)],
        first(source.integers(-3, 9), count),
    ]
    for column in columns:
        values, times = Counter(column), 1 if len(set(column)) < 20 else 2
        assert all(abs(seen * len(values) / count - 1) < 0.2 * times for seen in values.values())


@pytest.mark.parametrize(
    ("name", "numbers"), [("epoch_s", r"\d{4}(\d)(\d)\d{4}"), ("us_ssns", r"\d{3}-\d(\d)-\d{3}(\d)")]
)
def test_neighbours_have_nothing_to_do_with_each_other(name: str, numbers: str) -> None:
    """Two digits of one text are drawn on their own: each pair comes as often as the others (chi-square)."""
    matches = (re.fullmatch(numbers, text) for text in texts(name, 20_000, 1))
    seen = Counter(match.groups() for match in matches if match)
    expected = seen.total() / 100
    assert expected > 30
    assert sum((count - expected) ** 2 / expected for count in seen.values()) < 170
    assert len(seen) == 100


def test_every_sampled_strategy_of_values_is_public() -> None:
    """What can be sampled under the name of a strategy is that strategy."""
    assert {name for name in RECIPES if name not in FAMILIES} <= set(strategies.__all__)


SCRIPT = Path(__file__).parents[2] / "benchmarks" / "sampling.py"
PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"


@pytest.mark.skipif(not SCRIPT.exists(), reason="no benchmarks beside the tests: tested in a checkout")
def test_the_benchmark_prints_a_line_for_each_name() -> None:
    """Each name has its rate and how many times the rates of plain code and of Hypothesis that is."""
    command = [sys.executable, str(SCRIPT), "--count", "500", "us_ssns", "ranges"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    *lines, last = run.stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["us_ssns", "ranges"]
    assert all("/s" in line and line.count(" x ") >= 2 for line in lines)
    assert " of 2 at 200,000/s or more; below: " in last


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
