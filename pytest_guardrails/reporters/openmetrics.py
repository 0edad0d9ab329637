"""``metrics.txt``: the figures of a run as OpenMetrics text, for Prometheus, a push gateway or GitLab's metrics report.

Figures are gauges: each run states its own. What is unknown (0 of 0) has no sample. No case and no text is named.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pytest_guardrails._metrics import GuardrailTally, Metrics, groups_of, measure
from pytest_guardrails._model import CaseStatus, CorpusRecord, Group, Run
from pytest_guardrails._stats import Confusion, Histogram, Rate, confusion_of, percentile
from pytest_guardrails.reporters._corpora import current, is_untrusted
from pytest_guardrails.reporters._facts import Guards, all_of, name_of
from pytest_guardrails.reporters.terminal import plain

CASES = "cases"
QUANTILES = (0.5, 0.95, 0.99)
MOST_LABEL = 300
FAMILIES: Mapping[str, tuple[str, str]] = {
    "guardrails_guard_info": ("gauge", "A guard that was judged: 1."),  # no info: Prometheus' older format has none
    "guardrails_trusted": ("gauge", "1 if every guard gave an answer wherever one was expected."),
    "guardrails_complete": ("gauge", "1 if the run is whole: not cut short, and no result lost."),
    "guardrails_lost": ("gauge", "Tests whose result nobody has."),
    "guardrails_run_started_timestamp_seconds": ("gauge", "When the run began."),
    "guardrails_run_duration_seconds": ("gauge", "How long the run took."),
    "guardrails_gate_passed": ("gauge", "1 if a gate holds."),
    "guardrails_cases": ("gauge", "Cases by what became of them."),
    "guardrails_failed_open": ("gauge", "Cases that passed though a check errored; choice says if on_error allows it."),
    "guardrails_outcomes": ("gauge", "Requests of a population by outcome."),
    "guardrails_fpr_ratio": ("gauge", "False-positive rate of a population."),
    "guardrails_fpr_lower95_ratio": ("gauge", "Exact one-sided lower bound of the false-positive rate at 95 %."),
    "guardrails_fpr_upper95_ratio": ("gauge", "Exact one-sided upper bound of the false-positive rate at 95 %."),
    "guardrails_recall_ratio": ("gauge", "Share of the attacks on which some guardrail acted."),
    "guardrails_recall_lower95_ratio": ("gauge", "Exact one-sided lower bound of the recall at 95 %."),
    "guardrails_recall_upper95_ratio": ("gauge", "Exact one-sided upper bound of the recall at 95 %."),
    "guardrails_error_ratio": ("gauge", "Share of the requests that a check did not answer."),
    "guardrails_error_lower95_ratio": ("gauge", "Exact one-sided lower bound of the error rate at 95 %."),
    "guardrails_error_upper95_ratio": ("gauge", "Exact one-sided upper bound of the error rate at 95 %."),
    "guardrails_latency_seconds": ("summary", "Time that requests took in the guard."),
    "guardrails_vendor_latency_seconds": ("summary", "Time that vendors took when their answers were recorded."),
    "guardrails_guardrail_requests": ("gauge", "Requests by what a guardrail did with them."),
    "guardrails_guardrail_decided": ("gauge", "Requests that a guardrail decided."),
    "guardrails_guardrail_outcomes": ("gauge", "Requests that reached a guardrail by its own outcome."),
    "guardrails_guardrail_fpr_ratio": ("gauge", "False-positive rate of one guardrail."),
    "guardrails_guardrail_fpr_lower95_ratio": ("gauge", "Exact one-sided lower bound of it at 95 %."),
    "guardrails_guardrail_fpr_upper95_ratio": ("gauge", "Exact one-sided upper bound of it at 95 %."),
    "guardrails_guardrail_recall_ratio": ("gauge", "Recall of one guardrail; attacks meant for others count too."),
    "guardrails_guardrail_recall_lower95_ratio": ("gauge", "Exact one-sided lower bound of it at 95 %."),
    "guardrails_guardrail_recall_upper95_ratio": ("gauge", "Exact one-sided upper bound of it at 95 %."),
    "guardrails_guardrail_error_ratio": ("gauge", "Share of the requests that reached a guardrail and got no answer."),
    "guardrails_guardrail_error_lower95_ratio": ("gauge", "Exact one-sided lower bound of it at 95 %."),
    "guardrails_guardrail_error_upper95_ratio": ("gauge", "Exact one-sided upper bound of it at 95 %."),
    "guardrails_guardrail_latency_seconds": ("summary", "Time that requests took in one guardrail."),
}

Labels = dict[str, str]
Sample = tuple[str, str, Labels, float]  # family, suffix, labels, value


def openmetrics(run: Run) -> str:
    """Return the figures as OpenMetrics text (version 1.0), ending with ``# EOF``."""
    found: dict[str, dict[str, float]] = {name: {} for name in FAMILIES}
    for family, suffix, labels, value in _samples(run):
        if not math.isfinite(value):
            continue
        own = found[family]
        written, number = f"{family}{suffix}{_braces(labels)}", 1
        while written in own:  # two corpora of one name, or names that differ only beyond where they are cut
            number += 1
            written = f"{family}{suffix}{_braces({**labels, 'number': str(number)})}"
        own[written] = value
    lines = []
    for family, (kind, said) in FAMILIES.items():
        if found[family]:
            lines += [f"# TYPE {family} {kind}", *_unit(family), f"# HELP {family} {said}"]
            lines += [f"{written} {_number(value)}" for written, value in found[family].items()]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _unit(family: str) -> Iterator[str]:
    unit = family.rpartition("_")[2]
    if unit in ("seconds", "ratio"):
        yield f"# UNIT {family} {unit}"


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escaped(text: str) -> str:
    return plain(text, MOST_LABEL).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _samples(run: Run) -> Iterator[Sample]:
    metrics, guards = measure(run.records), Guards(run)
    yield from _of_run(run, metrics)
    by_guard = groups_of(run.records)
    times = _times_by_guard(run)
    for key, counts in metrics.by_guard.items():
        labels = {**_guard_labels(key, guards), "population": CASES}
        yield from _statuses(run, key, labels)
        yield from _figures("guardrails_", counts, labels)
        own, vendor = times[key]
        yield from _summary("guardrails_latency_seconds", _quantiles(own), len(own), labels)
        yield from _summary("guardrails_vendor_latency_seconds", _quantiles(vendor), len(vendor), labels)
        yield from _of_groups(by_guard.get(key, ()), labels)
    for tally in metrics.guardrails:
        labels = {**_guard_labels(tally.guard, guards), "population": CASES}
        yield from _of_tally(tally, {**labels, "phase": tally.phase, "guardrail": tally.guardrail})
    for record in current(run):
        yield from _of_corpus(record, {**_guard_labels(record.guard, guards), "population": f"corpus:{record.name}"})


def _guard_labels(key: str, guards: Guards) -> Labels:
    return {"guard": name_of(key), "version": guards.version(key)}


def _of_run(run: Run, metrics: Metrics) -> Iterator[Sample]:
    for guard in run.guards:
        labels = {"guard": name_of(guard.key), "version": str(guard.version), "target": guard.target}
        yield "guardrails_guard_info", "", {**labels, "config": guard.config}, 1
    trusted = not metrics.unexpected_errors and not any(map(is_untrusted, run.corpora))
    yield "guardrails_trusted", "", {}, trusted
    yield "guardrails_complete", "", {}, run.complete
    yield "guardrails_lost", "", {}, len(run.lost)
    if (began := started_s(run)) is not None:
        yield "guardrails_run_started_timestamp_seconds", "", {}, began
    yield "guardrails_run_duration_seconds", "", {}, run.duration_s
    for gate in run.gates:
        yield "guardrails_gate_passed", "", {"gate": gate.expr}, gate.passed


def started_s(run: Run) -> float | None:
    """Return when a run began, in seconds since 1970; None where its time cannot be read."""
    try:
        return datetime.fromisoformat(run.started).timestamp()
    except (ValueError, OverflowError):
        return None


def _statuses(run: Run, key: str, labels: Labels) -> Iterator[Sample]:
    records = [record for record in run.records if record.guard == key]
    for status in CaseStatus:
        number = sum(record.xfail is None and record.status is status for record in records)
        yield "guardrails_cases", "", {**labels, "status": status.value.replace(" ", "_")}, number
    known = sum(record.xfail is not None for record in records)
    yield "guardrails_cases", "", {**labels, "status": "known_failing"}, known
    traces = [record.trace for record in records if record.trace is not None]
    for choice, number in (
        ("false", sum(trace.failed_open for trace in traces)),
        ("true", sum(trace.failed_open_by_choice for trace in traces)),
    ):
        yield "guardrails_failed_open", "", {**labels, "choice": choice}, number


def _figures(prefix: str, counts: Confusion, labels: Labels) -> Iterator[Sample]:
    """Yield the outcomes of a population, and its rates with their bounds where they are known."""
    for outcome in ("true_positive", "false_positive", "true_negative", "false_negative", "error"):
        yield f"{prefix}outcomes", "", {**labels, "outcome": outcome}, getattr(counts, outcome)
    for name, rate in (("fpr", counts.fpr), ("recall", counts.recall), ("error", counts.error_rate)):
        yield from _rate(f"{prefix}{name}", rate, labels)


def _rate(prefix: str, rate: Rate, labels: Labels) -> Iterator[Sample]:
    for name, value in (("", rate.value), ("_lower95", rate.lower), ("_upper95", rate.upper)):
        if value is not None:
            yield f"{prefix}{name}_ratio", "", labels, value


def _times_by_guard(run: Run) -> dict[str, tuple[list[float], list[float]]]:
    """Return per guard what its requests took, and what the vendors behind them took, in seconds."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for record in run.records:
        own, vendor = found.setdefault(record.guard, ([], []))
        if record.trace is not None:
            own.append(record.trace.duration_s)
            vendor += [] if record.trace.vendor_s is None else [record.trace.vendor_s]
    return found


def _quantiles(times: Sequence[float]) -> list[tuple[float, float | None]]:
    return [(share, percentile(times, share)) for share in QUANTILES]


def _summary(
    family: str, quantiles: Iterable[tuple[float, float | None]], count: int, labels: Labels
) -> Iterator[Sample]:
    if not count:
        return
    for share, value in quantiles:
        if value is not None:
            yield family, "", {**labels, "quantile": str(share)}, value
    yield family, "_count", labels, count


def _of_tally(tally: GuardrailTally, labels: Labels) -> Iterator[Sample]:
    for did in ("fired", "silent", "errors", "skipped"):
        yield "guardrails_guardrail_requests", "", {**labels, "did": did}, getattr(tally, did)
    yield "guardrails_guardrail_decided", "", labels, tally.decided
    times = tally.durations_s
    yield from _summary("guardrails_guardrail_latency_seconds", _quantiles(times), len(times), labels)


def _of_groups(groups: Iterable[Group], labels: Labels) -> Iterator[Sample]:
    for group in groups:
        if group.kind == "guardrail":
            phase, _, guardrail = group.name.partition("/")
            own = {**labels, "phase": phase, "guardrail": guardrail}
            yield from _figures("guardrails_guardrail_", confusion_of(group), own)


def _of_corpus(record: CorpusRecord, labels: Labels) -> Iterator[Sample]:
    yield from _figures("guardrails_", confusion_of(all_of(record)), labels)
    for family, buckets in (
        ("guardrails_latency_seconds", record.latency),
        ("guardrails_vendor_latency_seconds", record.vendor_latency),
    ):
        times = Histogram.of(buckets)
        quantiles = [(share, times.percentile(share)) for share in QUANTILES]
        yield from _summary(family, quantiles, times.total, labels)
    yield from _of_groups(record.groups, labels)
