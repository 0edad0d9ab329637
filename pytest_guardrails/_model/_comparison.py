"""Two runs beside each other: flips, changes of rates, and the rules that judge them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flip:
    """One case or sample that two versions judge differently; its key, never its text.

    ``truth`` is "newly wrong", "newly right" or empty, ``verdict`` is "became blocked", "became allowed" or empty.
    ``before`` and ``after`` say verdict, action and decider. A sample has no ``severity``; ``where`` is its file and
    line, as the newer side knows them. ``label`` is the old one, by which the flip is judged; ``new_label`` is empty
    where it is the same.
    """

    population: str
    key: str
    label: str
    severity: str | None
    truth: str
    verdict: str
    before: str
    after: str
    where: str = ""
    new_label: str = ""


@dataclass(frozen=True, slots=True)
class RateChange:
    """A rate under two versions on the same ``pairs``: its hits ``before`` and ``after``.

    ``rate`` is ``fpr`` or ``recall``. ``worse`` and ``better`` count the pairs that changed. ``difference`` is after
    minus before with its paired 95 % ``interval``, ``p`` is McNemar's, exact, and ``p_holm`` is the same after Holm's
    correction for all rates of the comparison; all None without a pair.
    """

    rate: str
    pairs: int
    before: int
    after: int
    worse: int
    better: int
    difference: float | None = None
    interval: tuple[float, ...] | None = None
    p: float | None = None
    p_holm: float | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """How long ``count`` requests took, in seconds: median and 95th percentile.

    What a vendor took, as its recordings say, is told apart: of ``vendor_count`` requests, None where there is none.
    """

    count: int
    p50_s: float
    p95_s: float
    vendor_count: int = 0
    vendor_p50_s: float | None = None
    vendor_p95_s: float | None = None


@dataclass(frozen=True, slots=True)
class PopulationChange:
    """One population (``cases`` or a corpus) under two versions of one guard, on what both have judged.

    ``flips`` are all pairs that changed; ``otherwise`` those in which neither the verdict nor right and wrong did.
    Errors are those that nobody expected; a pair with one is in no rate. ``relabelled`` pairs are in the rate of their
    old label. A latency is None where nobody recorded it; it is of all that its side measured, and no rule reads it.
    """

    population: str
    guard: str
    pairs: int
    flips: int = 0
    newly_wrong: int = 0
    newly_right: int = 0
    became_blocked: int = 0
    became_allowed: int = 0
    otherwise: int = 0
    errors_before: int = 0
    errors_after: int = 0
    relabelled: int = 0
    rates: tuple[RateChange, ...] = ()
    latency_before: Latency | None = None
    latency_after: Latency | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule of comparison says of two versions; one that ``fails`` makes the run fail."""

    rule: str
    fails: bool
    said: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same cases and samples; ``new`` and ``gone`` count what only one of them has judged.

    ``flips`` are the first ones, worst first, as ``new_keys``, ``gone_keys`` and ``relabelled_keys`` are the first of
    theirs; the counts are of all.
    """

    before: str
    after: str
    pairs: int
    new: int = 0
    gone: int = 0
    populations: tuple[PopulationChange, ...] = ()
    flips: tuple[Flip, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    new_keys: tuple[str, ...] = ()
    gone_keys: tuple[str, ...] = ()
    relabelled_keys: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """True if some rule fails the run."""
        return any(ruling.fails for ruling in self.rulings)
