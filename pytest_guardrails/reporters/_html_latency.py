"""How long it took: the guards' own time and what their vendors took, as histograms with their figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pytest_guardrails._metrics import Metrics
from pytest_guardrails._model import Run
from pytest_guardrails._stats import Histogram, percentile
from pytest_guardrails.reporters._corpora import current
from pytest_guardrails.reporters._html_parts import Cell, bdi, case_link, section, table
from pytest_guardrails.reporters._markup import shown
from pytest_guardrails.reporters._svg import Bin, histogram, time_bins, time_text

MOST_DRAWN = 12
_SHARES = (0.50, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Series:
    """Times of one thing: its name, what they are of, their bins and percentiles."""

    name: str
    what: str
    total: int
    bins: list[Bin]
    percentiles: tuple[float | None, ...]


def latency(run: Run, metrics: Metrics) -> Iterator[str]:
    """Yield the section of latency, nothing where no time is known."""
    every = [*_cases(run), *_guardrails(metrics), *_corpora(run)]
    yield from section("latency", "Latency", _drawn(every), _table(every), _slowest(metrics), _note(every))


def _drawn(every: list[Series]) -> Iterator[str]:
    shown_ones = [series for series in every if series.bins][:MOST_DRAWN]
    if shown_ones:
        yield '<div class="figures">'
        for series in shown_ones:
            p50, p95, _ = (time_text(value or 0.0) for value in series.percentiles)
            said = f"{series.name}, {series.what}: {series.total:,} times, half of them within {p50}, 95 % within {p95}"
            yield (
                f'<figure class="card"><figcaption><b>{bdi(series.name)}</b> <small>{shown(series.what)}</small>'
                f"</figcaption>{histogram(series.bins, said)}{_bins(series)}</figure>"
            )
        yield "</div>"


def _bins(series: Series) -> str:
    rows = "".join(
        f'<tr><th scope="row">{time_text(low)} to {time_text(high)}</th><td class="n">{number:,}</td></tr>'
        for low, high, number in series.bins
        if number
    )
    head = '<thead><tr><th scope="col">time</th><th scope="col" class="n">requests</th></tr></thead>'
    return f"<details><summary>As a table</summary><table>{head}<tbody>{rows}</tbody></table></details>"


def _table(every: list[Series]) -> Iterator[str]:
    rows: list[list[Cell]] = [
        [
            bdi(one.name), shown(one.what), f"{one.total:,}",
            *("" if value is None else time_text(value) for value in one.percentiles),
        ]
        for one in every
    ]  # fmt: skip
    yield from table("Latency", ["of", "time", "#requests", "#p50", "#p95", "#p99"], rows)


def _slowest(metrics: Metrics) -> Iterator[str]:
    if metrics.slowest:
        said = "; ".join(f"{case_link(nodeid)} {time_text(seconds)}" for nodeid, seconds in metrics.slowest)
        yield f"<p>Slowest: {said}</p>"


def _note(every: list[Series]) -> Iterator[str]:
    if every:
        yield (
            '<p class="quiet">Own: measured here, on this machine. Vendor: what the API took when its answer was '
            "recorded. The axes are logarithmic, and each drawing has its own.</p>"
        )


def _of_times(name: str, what: str, times: Iterable[float]) -> Iterator[Series]:
    values = list(times)
    if values:
        bins = time_bins((seconds, 1) for seconds in values)
        yield Series(name, what, len(values), bins, tuple(percentile(values, share) for share in _SHARES))


def _of_buckets(name: str, what: str, buckets: Mapping[str, int]) -> Iterator[Series]:
    times = Histogram.of(buckets)
    if times.total:
        middles = ((Histogram.of({bucket: 1}).percentile(1.0) or 0.0, number) for bucket, number in buckets.items())
        bins = time_bins(middles)
        yield Series(name, what, times.total, bins, tuple(times.percentile(share) for share in _SHARES))


def _cases(run: Run) -> Iterator[Series]:
    traces = [record.trace for record in run.records if record.trace is not None]
    yield from _of_times("Cases", "own, per request", (trace.duration_s for trace in traces))
    vendor = (trace.vendor_s for trace in traces)
    yield from _of_times("Cases", "vendor, per request", (seconds for seconds in vendor if seconds is not None))


def _guardrails(metrics: Metrics) -> Iterator[Series]:
    several = len({tally.guard for tally in metrics.guardrails}) > 1
    for tally in metrics.guardrails:
        of = f" of {tally.guard}" if several else ""
        name, phase = f"{tally.guardrail}{of}", tally.phase.partition("_")[0]
        yield from _of_times(name, f"own, {phase}", tally.durations_s)
        yield from _of_times(name, f"vendor, {phase}", tally.vendor_s)


def _corpora(run: Run) -> Iterator[Series]:
    for record in current(run):
        yield from _of_buckets(f"Corpus {record.name}", "own, per request", record.latency)
        yield from _of_buckets(f"Corpus {record.name}", "vendor, per request", record.vendor_latency)
