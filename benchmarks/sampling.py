"""Measure the seeded generator: samples a second, beside plain code, Hypothesis' draws of the same recipe, and Faker.

Run ``python benchmarks/sampling.py [--count N] [NAME ...]``. A line per strategy: samples a second of processor time,
and how many times the rate of a peer that is: plain code (sixteen digits, each by `random.randrange`, joined),
Hypothesis with the same recipe, and Faker where it is installed and has such a value. One process; the best of some
rounds counts, the start of the generator included, so that a busy machine disturbs little, and the ratios least.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from pytest_guardrails import strategies

FAKER = {
    "credit_cards": "credit_card_number",
    "us_ssns": "ssn",
    "emails": "safe_email",
    "phone_numbers": "phone_number",
    "ip_addresses": "ipv4",
    "ibans": "iban",
}
TARGET = 200_000


ROUNDS = 5


def rate(run: Callable[[int], object], count: int) -> float:
    """Return how many values ``run`` makes in a second of processor time, the best of some rounds of ``count``."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        run(count)
        best = min(best, time.process_time() - begun)
    return count / max(best, 1e-9)


def plain(count: int) -> None:
    """Draw sixteen digits ``count`` times, as anyone would."""
    source = random.Random(1)  # noqa: S311 - a population, no secret
    deque(("".join([str(source.randrange(10)) for _ in range(16)]) for _ in range(count)), maxlen=0)


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
    ours = rate(seeded(name), count)
    peers = ((plain, count // 10), (hypothesis_draws(name), count // 500), (faker_values(name), count // 50))
    ratios = [f"{ours / rate(run, max(1, few)):8.1f} x" if run else f"{'-':>10}" for run, few in peers]
    return f"{name:22} {ours:10,.0f}/s {' '.join(ratios)}", ours


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and how many names reach the target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to sample; everything by default")
    parser.add_argument("--count", type=int, default=100_000, help="samples a round")
    options = parser.parse_args(arguments)
    for name in options.names:
        strategies.sample(name, 0, 0)  # says what is unknown
    print(f"{'':22} {'sample()':>12} {'plain':>10} {'Hypothesis':>10} {'Faker':>10}")
    rates = {}
    for name in options.names or strategies.sample_names():
        text, rates[name] = line(name, options.count)
        print(text, flush=True)
    below = [name for name, ours in rates.items() if ours < TARGET]
    print(f"{len(rates) - len(below)} of {len(rates)} at {TARGET:,}/s or more; below: {', '.join(below) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
