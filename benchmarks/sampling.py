"""Measure the seeded generator: samples a second, beside Hypothesis' draws of the same recipe, and Faker.

Run ``python benchmarks/sampling.py [--count N] [NAME ...]``. A line per strategy: samples a second, how many times
Hypothesis' own rate that is, and the same for Faker where it is installed and has such a value. One process; the best
of many short rounds counts, so that a busy machine disturbs little, and the ratios least.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from pytest_guardrails import strategies

SIMPLE = ("credit_cards", "us_ssns", "order_numbers", "epoch_s", "epoch_ms", "es_nifs", "uk_ninos", "ranges")
RICH = ("emails", "phone_numbers", "ip_addresses", "ibans", "api_keys", "pii", "near_misses", "look_alikes")
FAKER = {
    "credit_cards": "credit_card_number",
    "us_ssns": "ssn",
    "emails": "safe_email",
    "phone_numbers": "phone_number",
    "ip_addresses": "ipv4",
    "ibans": "iban",
}
TARGET = 200_000


def rate(run: Callable[[int], object], count: int, rounds: int) -> float:
    """Return how many values a second ``run`` makes: ``count`` of them in rounds, the best one counts."""
    each, best = max(1, count // rounds), float("inf")
    for _ in range(rounds):
        begun = time.perf_counter()
        run(each)
        best = min(best, time.perf_counter() - begun)
    return each / best


def seeded(name: str) -> Callable[[int], object]:
    """Return what draws samples of a name, and keeps none."""
    return lambda count: deque(strategies.sample(name, count, 1), maxlen=0)


def hypothesis_draws(name: str) -> Callable[[int], object] | None:
    """Return what draws examples of the strategy of that name, without shrinking or a database."""
    strategy = getattr(strategies, name, None)
    drawn = strategy() if strategy else strategies.look_alikes([name])

    def run(count: int) -> None:
        @settings(
            max_examples=count,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(drawn)
        def nothing(sample: object) -> None:
            """Take an example."""

        nothing()

    return run


def faker_values(name: str) -> Callable[[int], object] | None:
    """Return what draws Faker's value of that kind, where Faker is installed and has one."""
    try:
        faker: Any = importlib.import_module("faker")
    except ImportError:
        return None
    make = getattr(faker.Faker(), FAKER[name]) if name in FAKER else None
    return (lambda count: deque((make() for _ in range(count)), maxlen=0)) if make else None


def line(name: str, count: int) -> tuple[str, float]:
    """Return a line of the table, and the samples a second."""
    ours = rate(seeded(name), count, 100)
    peers = ((hypothesis_draws(name), count // 100), (faker_values(name), count // 10))
    ratios = [f"{ours / rate(run, few, 5):8.1f} x" if run else f"{'-':>10}" for run, few in peers]
    return f"{name:16} {ours:10,.0f}/s {' '.join(ratios)}", ours


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and how many of the simple families reach the target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to sample; a selection by default")
    parser.add_argument("--count", type=int, default=100_000, help="samples a round")
    options = parser.parse_args(arguments)
    for name in options.names:
        strategies.sample(name, 0, 0)  # says what is unknown
    print(f"{'':16} {'sample()':>12} {'Hypothesis':>10} {'Faker':>10}")
    reached = []
    for name in options.names or (*SIMPLE, *RICH):
        text, ours = line(name, options.count)
        print(text)
        if name in SIMPLE:
            reached.append(ours >= TARGET)
    print(f"simple families at {TARGET:,}/s or more: {sum(reached)} of {len(reached)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
