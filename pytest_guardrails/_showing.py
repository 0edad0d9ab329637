"""How texts leave this process: masked by the run's key, or as they are where the run reveals."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest

from pytest_guardrails._diagnosis import diagnosis, headline
from pytest_guardrails._expect import Show, came, summary
from pytest_guardrails._key import mask_key
from pytest_guardrails._mask import mask_trace, masker, placeholders_of
from pytest_guardrails._model import Case, CaseRecord, CaseResult, Trace


class Showing:
    """The mask of one run, over its texts, its records and its failures."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.revealed = bool(config.getoption("guardrails_reveal"))

    def masked(self, text: str) -> str:
        """Return a text masked, also where the run reveals: what a run is compared by must not depend on that."""
        return masker(mask_key(self._config))(text)

    def alone(self, text: str) -> str:
        """Return a text that belongs to no trace, as it may be shown."""
        return text if self.revealed else self.masked(text)

    def of(self, trace: Trace) -> Show:
        """Return how texts of a trace are shown; a placeholder that a guardrail has put in stays."""
        return repr if self.revealed else functools.partial(self._of_trace, trace)

    def _of_trace(self, trace: Trace, text: str) -> str:
        return masker(mask_key(self._config), placeholders_of(trace))(text)

    def record(self, record: CaseRecord) -> CaseRecord:
        """Return a record as it may leave this process, in a report or to the controller."""
        trace = record.trace
        if trace is None or self.revealed:
            return record
        return replace(record, trace=mask_trace(trace, masker(mask_key(self._config), placeholders_of(trace))))

    def diagnose(self, case: Case, trace: Trace, result: CaseResult, show: Show) -> str:
        """Return the text of a failure."""
        first = headline(summary(case.expectation), came(trace), result)
        return diagnosis(case, trace, result, first, show, masked=not self.revealed)
