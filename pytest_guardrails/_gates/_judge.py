"""Gates against populations: what holds, what does not, and why, in sentences."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence

from pytest_guardrails._errors import unknown
from pytest_guardrails._gates._parse import SELECTORS, Gate, Kind
from pytest_guardrails._gates._populations import WHOLE, Population, populations
from pytest_guardrails._model import CaseStatus, GateResult, Group, Run
from pytest_guardrails._stats import Rate, confusion_of, per_cent, sample_advice, span_precision, span_recall

Judged = tuple[bool, str]

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt,
}  # fmt: skip


def judge_gates(gates: Iterable[Gate], run: Run, notes: tuple[str, ...] = ()) -> tuple[GateResult, ...]:
    """Judge each gate on a run that has ended; ``notes`` say what all of them leave out."""
    found: dict[str | None, list[Population]] = {}
    results = []
    for gate in gates:
        expr = gate.expr if gate.file is None else f"{gate.expr} ({gate.file})"
        if not run.complete:
            results.append(GateResult(expr, False, ("cannot be judged: the run was cut short",), gate.file))
            continue
        if gate.file not in found:
            found[gate.file] = _populations_of(run, gate.file)
        passed, said = _judge_all(gate, found[gate.file], in_part=bool(notes))
        results.append(GateResult(expr, passed, (*said, *notes, *_not_run(gate, run)), gate.file))
    return tuple(results)


def _populations_of(run: Run, file: str | None) -> list[Population]:
    """Return the populations of a run, or of one case file in it."""
    records = [record for record in run.records if file in (None, record.file)]
    return populations(records, [corpus for corpus in run.corpora if file in (None, corpus.file)])


def _not_run(gate: Gate, run: Run) -> tuple[str, ...]:
    """Say which corpora a gate would have been judged on, had they been run; strategies only where it names them."""
    names = [
        corpus.name
        for corpus in run.corpora
        if corpus.status is CaseStatus.NOT_RUN and not corpus.shadow and gate.file in (None, corpus.file)
        if not corpus.generated or corpus.name == gate.name
    ]
    said = "1 corpus was" if len(names) == 1 else f"{len(names):,} corpora were"
    return (f"{said} not run: {', '.join(names)}",) if names else ()


def _judge_all(gate: Gate, every: Sequence[Population], *, in_part: bool) -> tuple[bool, tuple[str, ...]]:
    """Return whether a gate holds on each population that it selects and that has data for it, failed ones first."""
    chosen = _chosen(gate, every, in_part=in_part)
    if isinstance(chosen, str):
        return False, (f"cannot be judged: {chosen}",)
    judged = [answer for population in chosen if (answer := _judge(gate, population)) is not None]
    if not judged:
        return False, (f"cannot be judged: {_no_data(gate, chosen)}",)
    judged.sort(key=lambda answer: answer[0])
    return all(passed for passed, _ in judged), tuple(said for _, said in judged)


def _chosen(gate: Gate, every: Sequence[Population], *, in_part: bool) -> list[Population] | str:
    """Return the populations that a gate selects, or say why there are none."""
    if not gate.name:
        return [population for population in every if population.kind in WHOLE]
    named = [part for part in every if part.is_named(gate.name) and gate.kind in ("", part.kind)]
    kinds = sorted({part.kind for part in named})
    if len(kinds) > 1:
        exact = ", ".join(f"{gate.metric}[{kind}:{gate.name}]" for kind in kinds if kind in SELECTORS)
        return f"{gate.name!r} is the name of {' and of '.join(kinds)}; write {exact}"
    if named:
        return named
    if in_part:  # what is not there may well be in the rest
        return f"nothing of {gate.kind or 'population'} {gate.name!r} ran"
    choices = [part for part in every if gate.kind in ("", part.kind)]
    if not choices:
        return f"the run has no {gate.kind or 'population'}"
    shown = {part.name if gate.kind or part.kind == "cases" else f"{part.kind}:{part.name}" for part in choices}
    return unknown(gate.kind or "population", gate.name, shown)


def _no_data(gate: Gate, chosen: Sequence[Population]) -> str:
    asked = ", ".join(population.where for population in chosen) or "no case or sample that was judged"
    return f"no data for {gate.metric} in {asked}"


def _judge(gate: Gate, population: Population) -> Judged | None:
    """Return whether a gate holds on one population, and the sentence; None where that has no data for it."""
    kind = gate.measures
    if kind is Kind.RATE:
        rate, against = _rate(gate.metric, population)
        return _judge_rate(gate, population.where, rate, against) if rate.total + against else None
    if kind is Kind.SCORE:
        return _judge_f1(gate, population)
    if kind is Kind.TIME:
        times = population.vendor if gate.metric.startswith("vendor_") else population.latency
        seconds = times(int(gate.metric[-2:]) / 100) if times is not None else None
        if seconds is None:
            return None
        return _COMPARE[gate.operator](seconds, gate.limit), f"{population.where}: {1000 * seconds:,.2f} ms"
    count = population.failed_open if gate.metric == "failed_open" else (population.spans or (None,))[-1]
    return None if count is None else (_COMPARE[gate.operator](count, gate.limit), f"{population.where}: {count:,}")


def _rate(metric: str, population: Population) -> tuple[Rate, int]:
    """Return a rate of a population, and how many errors count against it: one never improves a rate."""
    counts = population.counts or Group("all", "")
    if metric in ("span_recall", "span_precision"):
        spans = population.spans or (0, 0, 0, 0, 0)
        return (span_recall(spans) if metric == "span_recall" else span_precision(spans)), 0
    confusion = confusion_of(counts)
    on_attack = counts.error if counts.error_attack is None else counts.error_attack
    on_benign = counts.error if counts.error_attack is None else counts.error - counts.error_attack
    rates = {
        "fpr": (confusion.fpr, on_benign),
        "recall": (confusion.recall, on_attack),
        "precision": (confusion.precision, on_benign),
        "error_rate": (confusion.error_rate, 0),
    }
    return rates[metric]


def _judge_rate(gate: Gate, where: str, rate: Rate, against: int) -> Judged:
    low_is_good = gate.operator[0] == "<" or (gate.operator == "==" and gate.limit == 0)
    worst = Rate(rate.hits + (against if low_is_good else 0), rate.total + against)
    counted = f"{where}: {rate.hits:,} of {rate.total:,}"
    if against:
        counted += f", and {against:,} without an answer that count{'s' if against == 1 else ''} against it"
    if gate.operator == "==":
        return math.isclose(worst.hits, gate.limit * worst.total) and not (against and 0 < gate.limit < 1), counted
    if gate.point:
        value = worst.value or 0.0
        return _COMPARE[gate.operator](value, gate.limit), f"{counted} ({per_cent(value)})"
    bound = (worst.upper if low_is_good else worst.lower) or 0.0
    passed = _COMPARE[gate.operator](bound, gate.limit)
    bounded = f"at most {per_cent(bound, math.ceil)}" if low_is_good else f"at least {per_cent(bound, math.floor)}"
    said = f"{counted}, so {bounded} (95 % bound)"
    advice = None if passed else sample_advice(worst, gate.limit, at_least=not low_is_good)
    return passed, f"{said}; {advice}" if advice else said


def _judge_f1(gate: Gate, population: Population) -> Judged | None:
    counts = population.counts
    if counts is None:
        return None
    total = 2 * counts.true_positive + counts.false_positive + counts.false_negative + counts.error
    if not total:
        return None
    f1 = 2 * counts.true_positive / total
    against = f", {counts.error:,} without an answer counted against it" if counts.error else ""
    return _COMPARE[gate.operator](f1, gate.limit), f"{population.where}: {f1:.3f}{against}"
