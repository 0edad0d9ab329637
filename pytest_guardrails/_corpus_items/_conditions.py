"""How a run's options say that a corpus is measured."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import pytest

from pytest_guardrails._corpus import CorpusSpec
from pytest_guardrails._corpus_items._measure import Conditions, measure
from pytest_guardrails._corpus_items._progress import Progress
from pytest_guardrails._errors import ConfigError, GuardrailsError
from pytest_guardrails._key import KEY_VARIABLE, mask_key
from pytest_guardrails._mask import masker
from pytest_guardrails._model import CorpusRecord
from pytest_guardrails._records import shown_path
from pytest_guardrails._session import GuardrailsSession
from pytest_guardrails._spool import release
from pytest_guardrails.targets.embedded import Engine


def conditions_of(session: GuardrailsSession, item: pytest.Item, spec: CorpusSpec) -> Conditions:
    """Return how the corpus of an item is measured in this run."""
    config = session.config
    path = spec.path
    config.add_cleanup(release)
    return Conditions(
        nodeid=item.nodeid,
        shown=f"sample {spec.source}" if path is None else shown_path(path, config.rootpath),
        show=str if session.revealed else masker(mask_key(config)),
        ledger=_folder(config) / f"{hashlib.blake2b(item.nodeid.encode(), digest_size=8).hexdigest()}.jsonl",
        progress=Progress(config, spec.name),
        executor=session.executor(),
        resume=bool(config.getoption("guardrails_resume")),
        key=os.environ.get(KEY_VARIABLE, "").encode()[:64],
    )


def measured(session: GuardrailsSession, spec: CorpusSpec, engine: Engine, how: Conditions) -> CorpusRecord:
    """Measure a corpus; what the user wrote wrong fails the test without a stack."""
    try:
        return measure(spec, engine, how)
    except (ConfigError, GuardrailsError) as exc:
        raise pytest.fail.Exception(str(exc), pytrace=False) from None


def _folder(config: pytest.Config) -> Path:
    """Return where ledgers stand: in pytest's cache, else in a folder that goes with the run."""
    cache = getattr(config, "cache", None)
    if cache is not None:
        return Path(cache.mkdir("guardrails"))
    factory = getattr(config, "_tmp_path_factory", None)
    return Path(factory.mktemp("guardrails")) if factory else Path(tempfile.mkdtemp(prefix="guardrails-"))
