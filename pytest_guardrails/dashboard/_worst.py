"""Which populations of a guard speak for it: those of its newest run, the worst first."""

from __future__ import annotations

from pytest_guardrails.dashboard._figures import METRICS, Metric
from pytest_guardrails.dashboard._series import CASES, GuardHistory, Series

RECENT_RUNS = 50  # a corpus that none of so many runs has measured is one that the suite no longer has


def worst_first(guard: GuardHistory, metric: Metric) -> list[Series]:
    """Return the populations whose figure the newest run knows, the worst first; of equal ones the largest."""
    last = len(guard.pasts) - 1
    sign = 1 if metric.low_is_good else -1
    known = [
        (-sign * value, -metric.total(series.points[-1]), series.population != CASES, series.population, series)
        for series in guard.populations
        if series.points[-1].index == last and (value := metric.value(series.points[-1])) is not None
    ]
    return [entry[-1] for entry in sorted(known, key=lambda entry: entry[:-1])]


def left_out(guard: GuardHistory) -> list[str]:
    """Return the populations that recent runs measured and the newest did not."""
    last = len(guard.pasts) - 1
    found = [series for series in guard.populations if last - RECENT_RUNS < series.points[-1].index < last]
    return [series.population for series in found]


def on_cases_alone(guard: GuardHistory) -> bool:
    """True if the newest run measured no corpus, though recent ones did: its figures are not those of the guard."""
    last = len(guard.pasts) - 1
    corpora = [series for series in guard.populations if series.population != CASES]
    recent = any(series.points[-1].index > last - RECENT_RUNS for series in corpora)
    return recent and not any(
        series.points[-1].index == last and any(metric.value(series.points[-1]) is not None for metric in METRICS[:3])
        for series in corpora
    )
