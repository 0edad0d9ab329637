"""Cases and tests of pytest, judged again with their guards disarmed; nothing of it fails or prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pytest_guardrails._answers import Answers
from pytest_guardrails._arming import Attempt, Attempting, arm, attempting, unjudged
from pytest_guardrails._errors import ConfigError, MissingRecording, unknown
from pytest_guardrails._model import Armed, Case, CaseResult, CaseStatus, Guardrail, Trace
from pytest_guardrails._rubric import grade, graded
from pytest_guardrails.targets.embedded import Engine, scripted

MODES = ("replay", "live")
ASKS = "its guard asks an API: --guardrails-arming=live asks it again"
ELSEWHERE = "its guard is not the embedded engine"
GENERATED = "its inputs are generated"
GRADED = "its rubric would have to be graded again"
MISSING = "nothing recorded answers what is asked then"
NEVER_RAN = "it never ran the guard itself"
SKIPS = "it skips itself, or says xfail, then"
UNITTEST = "a unittest method cannot be called again"
UNREPEATABLE = "it fails when it is called again, with nothing disarmed"

Again = Callable[[Engine], Attempt]


class Arming:
    """Whether this process arms what it runs, and how: from recordings alone, or ``live``."""

    def __init__(self, config: pytest.Config, answers: Answers) -> None:
        self._mode: str | None = config.getoption("guardrails_arming")
        self._answers = answers

    def refuse_bad_option(self) -> None:
        """Refuse a mode that is not there; the option alone is ``replay``.

        Raises:
            ConfigError: where it is unknown.
        """
        if self._mode not in (None, "", *MODES):
            raise ConfigError(unknown("mode of --guardrails-arming", self._mode, MODES))

    @property
    def on(self) -> bool:
        """True if the run asks for it."""
        return self._mode is not None

    def case(self, item: pytest.Item, case: Case, engine: Engine, trace: Trace) -> Armed | None:
        """Judge a case that is as expected again; None where the run does not ask, or the case is known to fail."""
        if not self.on or item.get_closest_marker("xfail") is not None:
            return None
        if (reason := self._refusal(engine)) is not None:
            return unjudged(reason)
        judged = attempting(case, scripted(case.response, stream=case.request.stream))

        def attempt(guardrails: Sequence[Guardrail]) -> Attempt:
            return self.answered(item, lambda: _graded(case, guardrails, judged(guardrails)))

        return arm(engine.guardrails, (trace,), attempt)

    def test(self, item: pytest.Item, engine: Engine | None, traces: Sequence[Trace], again: Again) -> Armed | None:
        """Judge a test that has passed by calling it again; None where it is known to fail.

        ``traces`` are its runs of ``engine``; ``again`` calls it with another engine.
        """
        if item.get_closest_marker("xfail") is not None:
            return None
        if (reason := _unrepeatable(item)) is not None:
            return unjudged(reason)
        if engine is None or not traces:
            return unjudged(NEVER_RAN)
        if (reason := self._refusal(engine)) is not None:
            return unjudged(reason)
        unchanged = again(_variant(engine, engine.guardrails))
        if not unchanged.passed:
            return unjudged(unchanged.reason or UNREPEATABLE)
        attempt: Attempting = lambda guardrails: again(_variant(engine, guardrails))  # noqa: E731 - it is one word
        return arm(engine.guardrails, traces, attempt)

    def answered(self, item: pytest.Item, attempt: Callable[[], Attempt]) -> Attempt:
        """Return what ``attempt`` does while its guards are answered as when the test began.

        What is not recorded is no verdict, whoever swallowed it; a fault that nothing has met fails the test.
        """
        with self._answers.aside(item):
            try:
                tried = attempt()
            except pytest.exit.Exception:
                raise
            except MissingRecording:
                return Attempt(None, reason=MISSING)
            except (Exception, pytest.fail.Exception) as exc:  # in the engine itself, or the recording
                return Attempt(None, reason=f"it breaks then: {type(exc).__name__}")
            if self._answers.missed(item):
                return Attempt(None, reason=MISSING)
            if tried.passed and self._answers.unmet_fault(item) is not None:
                return Attempt(False, tried.traces)
        return tried

    def _refusal(self, engine: Engine) -> str | None:
        """Say why variants of an engine are not run, or None."""
        if type(engine).run is not Engine.run:
            return ELSEWHERE
        return None if self._mode == "live" or self._answers.replays(engine) else ASKS


def _graded(case: Case, guardrails: Sequence[Guardrail], tried: Attempt) -> Attempt:
    """Return the attempt as the case's rubric has it; a grader is not asked again."""
    if not tried.passed or not case.rubric:
        return tried
    if any(criterion.ask is not None for criterion in case.rubric):
        return Attempt(None, tried.traces, GRADED)
    (trace,) = tried.traces
    expected = CaseResult(case.id, CaseStatus.AS_EXPECTED)
    result = graded(expected, grade(case, trace, guardrails, None))
    return Attempt(result.status is CaseStatus.AS_EXPECTED, tried.traces)


def called(test: Callable[[], object]) -> tuple[bool | None, str]:
    """Call a test; return whether it passed, None and why where it does not say.

    Raises:
        MissingRecording, KeyboardInterrupt, pytest.exit.Exception: which are no failures of the test.
    """
    try:
        test()
    except pytest.exit.Exception:
        raise
    except (pytest.skip.Exception, pytest.xfail.Exception):
        return None, SKIPS
    except (Exception, pytest.fail.Exception):
        return False, ""
    return True, ""


def _unrepeatable(item: pytest.Item) -> str | None:
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        return GENERATED
    return UNITTEST if hasattr(item, "addFailure") else None


def _variant(engine: Engine, guardrails: Sequence[Guardrail]) -> Engine:
    return Engine(guardrails, version=engine.version, source=engine.source)
