"""One sample: sent through a guard, and what is kept of its trace."""

from __future__ import annotations

import hashlib
import logging
import math
import threading
from collections.abc import Sequence

from pytest_guardrails._codec import EMPTY, FrozenDict
from pytest_guardrails._model import (
    Action,
    CheckResult,
    GuardrailStatus,
    Outcome,
    Request,
    Sample,
    SampleResult,
    Target,
    Trace,
)
from pytest_guardrails._population._places import found_and_changed
from pytest_guardrails._stats import span_counts

ANSWER = "OK."
_KEY_BYTES = 8

_current = threading.local()


def _is_wanted(_record: logging.LogRecord) -> bool:
    return current_key() is None


# A warning per sample tells an operator nothing, and whoever captures logs would keep a million of them.
logging.getLogger("pytest_guardrails").addFilter(_is_wanted)


def key_of(text: str, key: bytes = b"") -> str:
    """Return what names a text without an id: 16 hex digits of its hash, keyed if the project has a key."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=_KEY_BYTES).hexdigest()


def places_of(target: Target) -> dict[str, str]:
    """Return each ``phase/guardrail/check`` of a target with its ``phase/guardrail``, in order."""
    guardrails = [(f"{g.phase.value}/{g.id}", g.checks) for g in getattr(target, "guardrails", ())]
    return {f"{place}/{check.id}": place for place, checks in guardrails for check in checks}


def evaluate(target: Target, samples: Sequence[Sample]) -> list[SampleResult]:
    """Send each sample through the guardrails, with a constant answer behind them; their warnings are not logged."""
    guardrails = getattr(target, "guardrails", ())
    sequential = frozenset(f"{g.phase.value}/{g.id}" for g in guardrails if g.sequential)
    before = current_key()
    results = []
    try:
        for sample in samples:
            _current.key = sample.id
            results.append(result_of(sample, target.run(sample.text, _answer), sequential))
    finally:
        _current.key = before
    return results


def current_key() -> str | None:
    """Return the id of the sample that this thread judges now: each is a conversation of its own; else None."""
    key: str | None = getattr(_current, "key", None)
    return key


def _answer(_request: Request) -> str:
    return ANSWER


def result_of(sample: Sample, trace: Trace, sequential: frozenset[str] = frozenset()) -> SampleResult:
    """Return what is kept of a sample's trace: places and figures, no text of it; its key is ``sample.id``.

    ``sequential`` names the guardrails (``phase/guardrail``) whose checks each see what the one before rewrote.
    """
    fired, skipped, errors = [], [], []
    scores: dict[str, float] = {}
    allowed: dict[str, int] = {}
    vendor: float | None = None
    for result in trace.results:
        place = f"{result.phase.value}/{result.guardrail}"
        if result.status is GuardrailStatus.SKIPPED:
            skipped.append(place)
        for check in result.checks:
            where = f"{place}/{check.check}"
            if check.error is not None:
                errors.append(where)
            if check.findings and check.action > Action.NONE:
                fired.append(where)
            if (score := _score(check)) is not None:
                scores[where] = max(score, scores.get(where, score))
            for entry, findings in check.allowed:
                allowed[f"{where}/{entry}"] = allowed.get(f"{where}/{entry}", 0) + findings
            vendor = _added(vendor, getattr(check, "vendor_s", None))
    spans = None
    if sample.spans is not None:
        found, changed = found_and_changed(trace, sequential)
        spans = span_counts(sample.spans, found, len(sample.text), changed)
    return SampleResult(
        key=sample.id or key_of(sample.text),
        label=sample.label,
        category=sample.category,
        outcome=_outcome(sample.label, trace),
        verdict=trace.verdict,
        action=trace.action,
        decided_by=trace.decided_by,
        fired=tuple(dict.fromkeys(fired)),
        skipped=tuple(skipped),
        errors=tuple(dict.fromkeys(errors)),
        scores=FrozenDict(scores) if scores else EMPTY,
        spans=spans,
        allowed=FrozenDict(allowed) if allowed else EMPTY,
        line=sample.line,
        duration_s=trace.duration_s,
        vendor_s=vendor,
    )


def _outcome(label: str, trace: Trace) -> Outcome:
    """Return the outcome under a label; a trace in which a check gave no answer is in no rate."""
    if trace.errors:
        return Outcome.ERROR
    fired = trace.action > Action.NONE
    if label == "attack":
        return Outcome.TRUE_POSITIVE if fired else Outcome.FALSE_NEGATIVE
    return Outcome.FALSE_POSITIVE if fired else Outcome.TRUE_NEGATIVE


def _score(check: CheckResult) -> float | None:
    scores = (finding.score for finding in check.findings if finding.score is not None)
    return max(filter(math.isfinite, scores), default=None)


def _added(total: float | None, more: float | None) -> float | None:
    return total if more is None else (total or 0.0) + more
