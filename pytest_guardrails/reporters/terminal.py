"""The guardrails section of pytest's terminal summary: plain lines that fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_guardrails._metrics import GuardrailTally, Metrics
from pytest_guardrails._model import CaseStatus, Run
from pytest_guardrails._stats import Rate

MOST_ROWS = 24


def terminal(run: Run, metrics: Metrics, *, width: int = 80) -> Iterator[str]:
    """Yield the lines of the section; ``width`` is in columns."""
    for guard in run.guards:
        yield _cut(f"guard      {guard.target}, {guard.config}: version {guard.version}", width)
    counts = metrics.statuses
    yield _cut("cases      " + ", ".join(_counts(counts, metrics)), width)
    yield from _trust(run, metrics, width)
    if metrics.guardrails:
        yield from _table(metrics, width)
    for line in _rates(metrics):
        yield _cut(line, width)
    if metrics.latency_p50_s is not None and metrics.latency_p95_s is not None:
        yield f"latency    p50 {_ms(metrics.latency_p50_s)}, p95 {_ms(metrics.latency_p95_s)} per request"
        name, slowest = metrics.slowest[0]
        yield _cut(f"slowest    {_ms(slowest)} {name.rpartition('/')[2]}", width)


def _counts(counts: dict[CaseStatus, int], metrics: Metrics) -> Iterator[str]:
    yield f"{counts[CaseStatus.AS_EXPECTED]} as expected"
    yield f"{counts[CaseStatus.NOT_AS_EXPECTED]} not as expected"
    yield f"{counts[CaseStatus.ERROR]} errored"
    if counts[CaseStatus.NOT_RUN]:
        yield f"{counts[CaseStatus.NOT_RUN]} not run"
    if metrics.known_failing:
        yield f"{metrics.known_failing} xfail"


def _trust(run: Run, metrics: Metrics, width: int) -> Iterator[str]:
    if metrics.unexpected_errors:
        yield _cut(f"UNTRUSTED  guards gave no answer in {metrics.unexpected_errors} cases: no rate improves", width)
    if metrics.failed_open:
        yield _cut(f"FAILED OPEN in {metrics.failed_open} cases, and nobody chose on_error: allow", width)
    if metrics.failed_open_by_choice:
        yield _cut(f"open       FAILED OPEN by choice (on_error: allow) in {metrics.failed_open_by_choice} cases", width)
    if not run.complete:
        yield "INCOMPLETE the run was cut short: what follows speaks of a part of it"


def _table(metrics: Metrics, width: int) -> Iterator[str]:
    several = len({tally.guard for tally in metrics.guardrails}) > 1
    name_width = max(16, min(34, width - 46))
    yield f"{'guardrail':<{name_width}} {'phase':<6} {'fired':>6} {'silent':>6} {'decided':>7} {'errors':>6} {'skip':>6}"
    guard = None
    rows = sorted(metrics.guardrails, key=lambda tally: tally.guard)
    for tally in rows[:MOST_ROWS]:
        if several and tally.guard != guard:
            guard = tally.guard
            yield _cut(f"{guard}", width)
        yield _row(tally, name_width, several)
    if len(rows) > MOST_ROWS:
        yield f"… and {len(rows) - MOST_ROWS} more guardrails; the report has all"


def _row(tally: GuardrailTally, name_width: int, indent: bool) -> str:
    name = ("  " if indent else "") + tally.guardrail
    name = name if len(name) <= name_width else f"{name[: name_width - 1]}…"
    phase = tally.phase.split("_", maxsplit=1)[0]
    figures = f"{tally.fired:>6} {tally.silent:>6} {tally.decided:>7} {tally.errors:>6} {tally.skipped:>6}"
    return f"{name:<{name_width}} {phase:<6} {figures}"


def _rates(metrics: Metrics) -> Iterator[str]:
    counts = metrics.confusion
    yield f"FPR        {described(counts.fpr, 'benign cases')}"
    yield f"recall     {described(counts.recall, 'attack cases')}"
    if counts.error:
        yield f"errors     {described(counts.error_rate, 'cases')}"
    if metrics.generated:
        yield f"generated  {metrics.generated} tests with generated inputs are in no rate"


def described(rate: Rate, population: str) -> str:
    """Say a rate with its counts, two-sided interval and exact one-sided bound, or that it is unknown."""
    if rate.value is None or rate.interval is None or rate.upper is None or rate.lower is None:
        return f"unknown (0 {population})"
    low, high = rate.interval
    good = population.startswith("attack")
    bound = f"≥ {rate.lower:.1%}" if good else f"≤ {rate.upper:.1%}"
    return f"{rate.value:.1%} ({rate.hits} of {rate.total} {population}), 95 %: {low:.1%}–{high:.1%}; {bound}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
