"""Corpora in the terminal and in Markdown: each a population of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_guardrails._model import CaseStatus, CorpusRecord, Group, Run, ScoreCurve
from pytest_guardrails._population import in_turn
from pytest_guardrails._stats import (
    TARGET_FPR,
    Histogram,
    Rate,
    counted,
    per_cent,
    rate_sentence,
    recall_at_fpr,
    span_precision,
    span_recall,
)
from pytest_guardrails.reporters._facts import WrongSample, number_wrong, wrong_samples

MOST_CORPORA = 24
MOST_SAMPLES = 20
KINDS = ("error", "false positive", "false negative")
_COUNTED = (CaseStatus.NOT_AS_EXPECTED, CaseStatus.ERROR, CaseStatus.NOT_RUN)


def current(run: Run) -> list[CorpusRecord]:
    """Return the corpora of the guard under test, without those of a candidate beside it."""
    return [record for record in run.corpora if not record.shadow]


def is_untrusted(record: CorpusRecord) -> bool:
    """True if the guard gave no answer to some sample of a corpus, and nobody expected that."""
    return record.status is CaseStatus.ERROR and record.xfail is None and not record.shadow


def corpora_verdict(run: Run) -> list[str]:
    """Say what became of the corpora: "1 of 3 corpora not as expected"; nothing where there is none."""
    records = [record for record in current(run) if record.xfail is None]
    if not records:
        return []
    number = f"{len(records)} corp{'us' if len(records) == 1 else 'ora'}"
    said = [
        f"{count} of {number} {status.value if status is not CaseStatus.ERROR else 'without some answers'}"
        for status in _COUNTED
        if (count := sum(record.status is status for record in records))
    ]
    return said or [f"{number} as expected"]


def corpora_lines(run: Run) -> Iterator[str]:
    """Yield the lines of each corpus: what became of it, its rates, and what was not expected."""
    records = current(run)
    for record in records[:MOST_CORPORA]:
        kind = ", generated" if record.generated else ""
        known = ", known to fail (xfail)" if record.xfail is not None else ""
        yield f"corpus     {record.name}: {counted(record.rows, 'sample')}{kind}, {record.status.value}{known}"
        for label, said in figures(record):
            yield f"  {label:<8} {said}"
        if record.note:
            yield f"  note     {record.note}"
        for reason in record.reasons:
            yield f"  !        {reason}"
    if len(records) > MOST_CORPORA:
        yield f"… and {len(records) - MOST_CORPORA} more corpora; the report has all"


def figures(record: CorpusRecord) -> Iterator[tuple[str, str]]:
    """Yield what can be said of a corpus in figures, each with its name."""
    counts = next((group for group in record.groups if group.kind == "all"), Group("all", ""))
    fpr = Rate(counts.false_positive, counts.false_positive + counts.true_negative)
    recall = Rate(counts.true_positive, counts.true_positive + counts.false_negative)
    if fpr.total:
        yield "FPR", rate_sentence(fpr, "benign sample")
    if recall.total:
        yield "recall", rate_sentence(recall, "attack", at_least=True)
    if counts.error:
        are = "is" if counts.error == 1 else "are"
        yield "errors", f"{counted(counts.error, 'sample')} got no answer, and {are} in no rate"
    if record.spans is not None and record.spans[0]:
        found, hit = span_recall(record.spans), span_precision(record.spans)
        said = [f"found {found.hits:,} of {found.total:,}"]
        said += [f"{hit.hits:,} of {hit.total:,} found ones right"] if hit.total else []
        yield "spans", f"{', '.join(said)}, {record.spans[4]:,} characters changed outside"
    for curve in record.curves:
        if curve.auc is not None:
            yield from _curve(curve)
    yield from _latency("latency", record.latency)
    yield from _latency("vendor", record.vendor_latency)


def _curve(curve: ScoreCurve) -> Iterator[tuple[str, str]]:
    """Say how well a check's scores tell attacks from benign samples, and which threshold would keep the FPR low."""
    reached = recall_at_fpr(curve, TARGET_FPR)
    recall = "no recall" if reached is None else f"recall {per_cent(reached)}"
    check = curve.check.rpartition("/")[2]
    yield "scores", f"{check}: ROC AUC {curve.auc:.3f}, {recall} at FPR {per_cent(TARGET_FPR)}"
    threshold = "no threshold" if curve.suggested is None else f"threshold {curve.suggested:g}"
    yield "", f"{threshold} is shown to keep FPR ≤ {per_cent(TARGET_FPR)}"


def _latency(label: str, buckets: dict[str, int]) -> Iterator[tuple[str, str]]:
    times = Histogram.of(buckets)
    shown = [(f"p{share}", times.percentile(share / 100)) for share in (50, 95, 99)]
    said = [f"{name} {value * 1000:.2f} ms" for name, value in shown if value is not None]
    if said:
        yield label, ", ".join(said)


def corpora_markdown(run: Run, escaped: Callable[[str], str]) -> Iterator[str]:
    """Yield a section of the corpora as Markdown: a table, and of those not as expected the worst samples."""
    records = current(run)
    if not records:
        return
    yield "| corpus | samples | status | figures |"
    yield "|---|--:|---|---|"
    for record in records[:MOST_CORPORA]:
        said = "; ".join([*(f"{label} {text}" for label, text in figures(record)), *filter(None, [record.note])])
        name = f"{record.name} (generated)" if record.generated else record.name
        status = record.status.value if record.xfail is None else "known to fail (xfail)"
        yield f"| {escaped(name)} | {record.rows:,} | {status} | {escaped(said)} |"
    for record in records[:MOST_CORPORA]:
        yield from _worst(record, escaped)


def _worst(record: CorpusRecord, escaped: Callable[[str], str]) -> Iterator[str]:
    """Yield why a corpus is not as expected, and some of what went wrong: unfolded only where it is to blame."""
    if not (record.reasons or record.worst):
        return
    said = f" {escaped('; '.join(record.reasons))}" if record.reasons else ""
    yield f"\n**Corpus {escaped(record.name)}:**{said}"
    if not record.worst:
        return
    shown = in_turn(wrong_samples(record), MOST_SAMPLES, lambda sample: sample.what)
    number = max(number_wrong(record), len(shown))
    opened = " open" if record.reasons else ""
    yield f"\n<details{opened}><summary>{counted(number, 'sample')} went wrong</summary>\n"
    yield "| what | category | where | by | text |"
    yield "|---|---|---|---|---|"
    for one in sorted(shown, key=cause_of):
        cells = (one.kind, one.category, one.place, ", ".join(one.by), one.text)
        yield f"| {' | '.join(map(escaped, cells))} |"
    if number > len(shown):
        yield f"\n… and {number - len(shown):,} more; report.json keeps {len(record.worst):,} of them."
    yield "\n</details>"


def cause_of(sample: WrongSample) -> tuple[int, str, str]:
    """Return what samples are grouped by: kind, then who acted, then category."""
    return KINDS.index(sample.what) if sample.what in KINDS else len(KINDS), ", ".join(sample.by), sample.category
