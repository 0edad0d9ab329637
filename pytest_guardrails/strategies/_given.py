"""``@given_cases``: each sample that a strategy draws is sent through the guard and judged."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import SearchStrategy

from pytest_guardrails._cases import EXPECT_KEYS
from pytest_guardrails._errors import ConfigError, unknown

_ENGINE = "guardrail_engine"
_OFFERED = ("sample", "trace")
_KNOWN = ("expect", *EXPECT_KEYS[1:], "severity", "label", "near_miss")
_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def given_cases(
    strategy: SearchStrategy[Any], expect: str = "labelled", **asked: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a test once per drawn sample, each sent through the fixture ``guardrail_engine`` and judged before its body.

    ``expect`` and ``asked`` are what ``@expect_verdict`` takes; by default a sample's label says what must become of
    it: no guardrail acts on a benign one, some guardrail acts on an attack. The test may ask for ``sample`` and
    ``trace`` beside any fixtures that Hypothesis allows. ``@settings``, ``@example(sample=...)`` and marks stand above
    or below.

    Raises:
        ConfigError: for a strategy that is none, or a test that Hypothesis draws for already.
    """
    if inspect.isfunction(strategy):
        raise ConfigError(f"@given_cases stands bare on {strategy.__name__}: write @given_cases(near_misses())")
    if not isinstance(strategy, SearchStrategy):
        raise ConfigError(f"given_cases(...) takes a strategy, such as near_misses(), not {strategy!r:.80}")
    for key in asked:
        if key not in _KNOWN:
            raise ConfigError(unknown("argument of @given_cases", key, _KNOWN))
    if not isinstance(expect, str):
        raise ConfigError(f"given_cases(expect=...) takes labelled, allow or block, not {expect!r:.80}")

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        if not inspect.isfunction(test) or getattr(test, "is_hypothesis_test", False):
            raise ConfigError("@given_cases stands on a test function without another @given")
        if any(parameter.kind in _OPEN for parameter in inspect.signature(test).parameters.values()):
            raise ConfigError("@given_cases stands on a test function that names its arguments, without * and **")
        mark = pytest.mark.expect_verdict(expect, **asked)
        drawn: Callable[..., Any] = mark(given(sample=strategy)(_judged(test)))
        code = test.__code__  # for reports to say where the test is
        drawn.__code__ = drawn.__code__.replace(co_filename=code.co_filename, co_firstlineno=code.co_firstlineno)
        return drawn

    return decorate


def _judged(test: Callable[..., Any]) -> Callable[..., Any]:
    """Return a test that takes an engine and a sample, runs the one on the other, and then the test itself."""
    wanted = inspect.signature(test).parameters
    own = [parameter for name, parameter in wanted.items() if name not in (_ENGINE, *_OFFERED)]
    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in (_ENGINE, "sample")]
    signature = inspect.Signature([*own, *added])

    @functools.wraps(test)
    def judged(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        trace = bound.arguments[_ENGINE].run(bound.arguments["sample"])
        values = {**bound.arguments, "trace": trace}
        return test(**{name: values[name] for name in wanted})

    judged.__signature__ = signature  # type: ignore[attr-defined]  # pytest and Hypothesis read it
    return judged
