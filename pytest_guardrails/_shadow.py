"""A candidate configuration beside the current one: it judges the same cases in the same run, and fails nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_guardrails._answers import Answers
from pytest_guardrails._config import configure
from pytest_guardrails._document import Node
from pytest_guardrails._engine import Upstream, echo, evaluate
from pytest_guardrails._engines import Engines
from pytest_guardrails._errors import ConfigError, MissingRecording
from pytest_guardrails._expect import judge
from pytest_guardrails._found import Judged
from pytest_guardrails._history import fired_in
from pytest_guardrails._model import Action, Case, CaseStatus, Shadow, Trace
from pytest_guardrails._records import guard_key
from pytest_guardrails.targets.embedded import Engine, scripted

OPTION = "--guardrails-shadow"
INI = "guardrails_shadow"


class Shadows:
    """The candidate configurations of one pytest process."""

    def __init__(self, config: pytest.Config, engines: Engines, answers: Answers) -> None:
        self._config = config
        self._engines = engines
        self._answers = answers

    def default(self) -> Engine | None:
        """Return the candidate of the option, else of the ini file, else None.

        Raises:
            ConfigError: where it cannot be read or meant.
        """
        option, ini = self._config.getoption("guardrails_shadow"), self._config.getini(INI)
        if option is not None:
            if not option:
                raise ConfigError(f"{OPTION} is empty: it names no configuration")
            return self._engines.of(self._config.invocation_params.dir / option)
        base = self._config.inipath.parent if self._config.inipath else self._config.rootpath
        return self._engines.of(base / ini) if ini else None

    def of_file(self, named: Node | None, folder: Path, file: str) -> Engine | None:
        """Return the candidate for a case file: of the option, else the file's own ``shadow:``, else of the ini file.

        Raises:
            ConfigError: where it cannot be read or meant.
        """
        if named is None or self._config.getoption("guardrails_shadow") is not None:
            return self.default()
        if isinstance(named.value, str):
            path = folder / named.text("shadow")
            if not path.is_file():
                named.fail(f"shadow: there is no file {named.value!r} beside this one")
            return self._engines.of(path)
        return self._engines.connect(Engine.from_configuration(configure(named, f"{file} (shadow)")))

    @property
    def on(self) -> bool:
        """True if the whole run has a candidate, and not some case file alone."""
        return self._config.getoption("guardrails_shadow") is not None or bool(self._config.getini(INI))

    def of_case(self, item: pytest.Item, case: Case, candidate: Engine) -> Shadow:
        """Return what a candidate does with a case of a file."""
        return self._judge(item, case, candidate, scripted(case.response, stream=case.request.stream))

    def of_test(self, item: pytest.Item, judged: Judged) -> Shadow | None:
        """Return what the candidate of the run does with what a test ran last, None where there is none.

        It gets the model's answer of that run; where the model was not asked, an echo.
        """
        candidate = self.default() if self.on else None
        if candidate is None:
            return None
        case = replace(judged.case, request=judged.trace.request)
        return self._judge(item, case, candidate, echo if judged.answer is None else lambda _request: judged.answer)

    def _judge(self, item: pytest.Item, case: Case, candidate: Engine, upstream: Upstream) -> Shadow:
        """Judge a case by the candidate; nothing of it is raised, logged or counted."""
        with self._answers.aside(item):
            try:
                trace = evaluate(candidate.guardrails, case.request, upstream)
            except pytest.exit.Exception:
                raise
            except (Exception, MissingRecording, pytest.fail.Exception) as exc:
                return _without_answer(candidate, type(exc).__name__)
            if self._answers.missed(item):  # whoever swallowed it, it is no verdict
                return _without_answer(candidate, MissingRecording.__name__)
        return _shadow_of(case, candidate, trace)


def _shadow_of(case: Case, candidate: Engine, trace: Trace) -> Shadow:
    asked = case.expectation
    if asked.by not in {guardrail.id for guardrail in candidate.guardrails}:  # another name is not another verdict
        case = replace(case, expectation=replace(asked, by=None))
    result = judge(case, trace, lambda _text: "")
    return Shadow(
        guard=guard_key(candidate),
        status=result.status,
        outcome=result.outcome,
        verdict=trace.verdict,
        action=trace.action,
        decided_by=trace.decided_by,
        duration_s=trace.duration_s,
        fired=fired_in(trace),
        error="; ".join(f"{error.guardrail}/{error.check}: {error.kind}" for error in trace.errors) or None,
        vendor_s=trace.vendor_s,
    )


def _without_answer(candidate: Engine, why: str) -> Shadow:
    return Shadow(guard_key(candidate), CaseStatus.ERROR, None, None, Action.NONE, None, error=why)
