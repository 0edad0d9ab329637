"""A rate limit: how many samples may be sent in a time, and the waiting that keeps it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from pytest_guardrails._errors import ConfigError

UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}

_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)/(s|min|h)")


class Pace:
    """Lets samples through evenly, ``per_second`` of them, without a burst after a rest."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Start with one sample allowed at once."""
        self.per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    @classmethod
    def of(cls, text: str) -> Pace:
        """Read a rate such as ``10/s``, ``600/min`` or ``0.5/s``.

        Raises:
            ConfigError: for anything else, and for a rate of none.
        """
        match = _RATE.fullmatch(text) if isinstance(text, str) else None
        if match is None or not float(match[1]):
            raise ConfigError(f"rate limit {text!r} is no rate: write a number above 0 per s, min or h, as in 10/s")
        return cls(float(match[1]) / UNITS[match[2]])

    def wait(self, count: int) -> None:
        """Sleep until ``count`` samples may go, and put the next ones off by what they use up."""
        now = self._clock()
        if self._next > now:
            self._sleep(self._next - now)
        self._next = max(self._next, now) + count / self.per_second
