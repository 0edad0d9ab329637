"""Times counted in buckets that grow by 2 %: percentiles of a million of them in the memory of a few hundred."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pytest_guardrails._codec import FrozenDict

RELATIVE_ERROR = 0.01
LEAST_S, MOST_S = 1e-9, 1e9  # what is outside is counted at the edge
_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GROWTH = math.log(_GROWTH)


class Histogram:
    """Seconds, counted; a percentile is within 1 % of the value that a sorted list of them would give."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    @classmethod
    def of(cls, buckets: Mapping[str, int]) -> Histogram:
        """Build the histogram that `to_dict` described.

        Raises:
            ValueError: for a bucket or a count that is no whole number.
        """
        made = cls()
        for bucket, count in buckets.items():
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise ValueError(f"a bucket counts 0 or more, not {count!r}")
            made._counts[int(bucket)] = made._counts.get(int(bucket), 0) + count
        return made

    @property
    def total(self) -> int:
        """How many times were counted."""
        return sum(self._counts.values())

    def add(self, seconds: float) -> None:
        """Count a time.

        Raises:
            ValueError: for one that is negative or no number.
        """
        if not seconds >= 0:
            raise ValueError(f"a time is 0 or more seconds, not {seconds}")
        bucket = math.ceil(math.log(min(max(seconds, LEAST_S), MOST_S)) / _LOG_GROWTH)
        self._counts[bucket] = self._counts.get(bucket, 0) + 1

    def merge(self, other: Histogram) -> None:
        """Count all that ``other`` counted."""
        for bucket, count in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count

    def percentile(self, share: float) -> float | None:
        """Return the nearest-rank percentile in seconds, ``share`` from 0 to 1; None where nothing was counted."""
        rank, seen = max(1, math.ceil(share * self.total)), 0
        for bucket, count in sorted(self._counts.items()):
            seen += count
            if seen >= rank:
                return 2 * math.exp(bucket * _LOG_GROWTH) / (_GROWTH + 1)  # off by 1 % at either end of the bucket
        return None

    def to_dict(self) -> FrozenDict:
        """Return bucket numbers (as text, for JSON) and their counts, in order."""
        return FrozenDict({str(bucket): count for bucket, count in sorted(self._counts.items()) if count})
