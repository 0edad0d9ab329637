"""A corpus, its samples, and what was measured on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_guardrails._codec import EMPTY, FrozenDict
from pytest_guardrails._model._words import Action, CaseStatus, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text, characters, half-open; ``entity`` names what stands there."""

    entity: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled message: a row of a corpus, or drawn by a strategy.

    ``label`` is one of `LABELS`; ``category`` is what reports group by; ``spans`` is None where nobody annotated any.
    ``line`` counts from 1.
    """

    text: str
    label: str
    category: str = ""
    id: str = ""
    spans: tuple[Span, ...] | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class SampleResult:
    """What a guard did with one sample, small enough for a million of them; ``key`` is its id or a hash of its text.

    ``fired`` and ``errors`` are places ``phase/guardrail/check``, ``skipped`` are ``phase/guardrail``. ``scores`` holds
    the highest score of each place that gave one. ``spans`` counts, where the sample is annotated: gold, found, hit
    (found ones that overlap a gold one), caught (gold ones that overlap a found one), and changed characters outside
    every gold span (over-redaction). ``allowed`` maps ``phase/guardrail/check/entry`` to the findings that this entry
    of an allowlist took away. Times in seconds; ``vendor_s`` is what a recorded vendor took.
    """

    key: str
    label: str
    category: str
    outcome: Outcome
    verdict: Verdict
    action: Action
    decided_by: str | None = None
    fired: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    scores: FrozenDict = EMPTY
    spans: tuple[int, ...] | None = None
    allowed: FrozenDict = EMPTY
    line: int | None = None
    duration_s: float = field(default=0.0, compare=False)
    vendor_s: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Outcomes of one part of a population; ``kind`` is ``all``, ``tag``, ``category``, ``guardrail`` or ``check``.

    A guardrail's name is ``phase/guardrail``, a check's ``phase/guardrail/check``. ``error_attack`` says how many of
    the errors are on attacks; None where nobody knows, and then each of them counts against every rate.
    """

    kind: str
    name: str
    true_positive: int = 0
    false_positive: int = 0
    true_negative: int = 0
    false_negative: int = 0
    error: int = 0
    error_attack: int | None = None


@dataclass(frozen=True, slots=True)
class ScoreCurve:
    """How well the scores of one check tell attacks from benign: area under the ROC curve, and points of it.

    ``points`` are (threshold, false-positive rate, recall), by falling threshold.
    """

    check: str
    auc: float | None
    points: tuple[tuple[float, ...], ...] = ()
    suggested: float | None = None


@dataclass(frozen=True, slots=True)
class CorpusRecord:
    """What a run keeps of one population: a corpus file, or samples of a strategy (``generated``).

    ``groups`` has one of kind ``all``. ``spans`` sums those of `SampleResult`. ``latency`` and ``vendor_latency`` map a
    histogram's buckets to counts. ``worst`` are samples that went wrong, masked: (what, category, line, text, by).
    ``allowed`` maps ``phase/guardrail/check/entry`` to (findings that this entry of an allowlist took away, attacks
    that passed there), ``acted`` each ``phase/guardrail/check`` to {action: attacks that it decided
    alone in its guardrail}, ``silent`` each to the near misses of it on which it found nothing. ``ledger`` is a file of
    this machine with a `SampleResult` per line, in no report. ``note`` says what a reader should know of how it was
    measured, ``source`` which file it is. A ``shadow`` record belongs to a candidate configuration and is in no metric
    or gate.
    """

    nodeid: str
    name: str
    status: CaseStatus
    guard: str = ""
    file: str | None = None
    line: int | None = None
    generated: bool = False
    shadow: bool = False
    rows: int = 0
    groups: tuple[Group, ...] = ()
    spans: tuple[int, ...] | None = None
    latency: FrozenDict = EMPTY
    vendor_latency: FrozenDict = EMPTY
    curves: tuple[ScoreCurve, ...] = ()
    allowed: FrozenDict = EMPTY
    acted: FrozenDict = EMPTY
    silent: FrozenDict = EMPTY
    worst: tuple[tuple[str, ...], ...] = ()
    reasons: tuple[str, ...] = ()
    duration_s: float = field(default=0.0, compare=False)
    ledger: str | None = None
    xfail: str | None = None
    note: str | None = None
    source: str = ""
