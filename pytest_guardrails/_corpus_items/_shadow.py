"""A corpus, measured by a candidate configuration too; nothing of that fails the test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_guardrails._corpus import CorpusSpec
from pytest_guardrails._corpus_items._measure import Conditions, measure
from pytest_guardrails._corpus_items._progress import Progress
from pytest_guardrails._errors import MissingRecording
from pytest_guardrails._model import CaseStatus, CorpusRecord
from pytest_guardrails._records import guard_key
from pytest_guardrails._session import GuardrailsSession
from pytest_guardrails.targets.embedded import Engine

_shadow = pytest.StashKey[CorpusRecord]()


def measure_shadow(
    session: GuardrailsSession, item: pytest.Item, spec: CorpusSpec, how: Conditions, candidate: Engine | None
) -> None:
    """Keep what a candidate does with a corpus; samples of a strategy are in no comparison."""
    if candidate is None or spec.sample is not None:
        return
    ledger = how.ledger.with_name(f"{how.ledger.stem}-shadow{how.ledger.suffix}")
    beside = replace(how, ledger=ledger, progress=Progress(session.config, f"{spec.name} (candidate)"))
    try:
        with session.answers.aside(item):
            record = measure(spec, candidate, beside)
            if session.answers.missed(item):  # whoever swallowed it, it is no verdict
                record = _without_answers(spec, how, candidate, MissingRecording.__name__)
    except pytest.exit.Exception:
        raise
    except (Exception, MissingRecording, pytest.fail.Exception) as exc:
        record = _without_answers(spec, how, candidate, type(exc).__name__)
    item.stash[_shadow] = replace(record, shadow=True)


def _without_answers(spec: CorpusSpec, how: Conditions, candidate: Engine, why: str) -> CorpusRecord:
    said = (f"the candidate did not judge it to its end: {why}",)
    return CorpusRecord(how.nodeid, spec.name, CaseStatus.ERROR, guard=guard_key(candidate), reasons=said)


def take_shadow(item: pytest.Item) -> CorpusRecord | None:
    """Return what the candidate did with the corpus of an item, once; None where there is none."""
    record = item.stash.get(_shadow, None)
    if record is not None:
        del item.stash[_shadow]
    return record
