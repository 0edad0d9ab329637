"""One corpus of a case file as a pytest item."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_guardrails._corpus import CorpusSpec
from pytest_guardrails._corpus_items._conditions import conditions_of, measured
from pytest_guardrails._corpus_items._shadow import measure_shadow
from pytest_guardrails._corpus_items._verdict import failure_text
from pytest_guardrails._errors import VerdictMismatch
from pytest_guardrails._model import CaseStatus, CorpusRecord
from pytest_guardrails._session import GuardrailsSession
from pytest_guardrails.targets.embedded import Engine


class CorpusItem(pytest.Item):
    """A corpus that a case file names."""

    def __init__(self, *, spec: CorpusSpec, engine: Engine, session_: GuardrailsSession, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec
        self.engine = engine
        self.corpus: CorpusRecord | None = None
        self._guardrails = session_
        self.add_marker(pytest.mark.corpus(spec.source))

    def runtest(self) -> None:
        """Measure the corpus.

        Raises:
            VerdictMismatch: where it does not come out as it was asked for.
        """
        self.corpus = None  # a test that runs again measures again
        how = conditions_of(self._guardrails, self, self.spec)
        self.corpus = measured(self._guardrails, self.spec, self.engine, how)
        measure_shadow(self._guardrails, self, self.spec, how, getattr(self.parent, "candidate", None))
        if self.corpus.status is not CaseStatus.AS_EXPECTED:
            raise VerdictMismatch(failure_text(self.corpus, how.shown, masked=not self._guardrails.revealed))

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Return the file, the line (from 0) and the name of the corpus."""
        return self.path, None if self.spec.line is None else self.spec.line - 1, f"guardrails: {self.name}"
