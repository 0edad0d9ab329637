"""Strategies of texts: samples set in sentences, written another way, and prompt injections with their look-alikes."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._injections import INJECTION, INJECTION_LOOK_ALIKE
from pytest_guardrails.strategies._obfuscated import WAYS, rewrite
from pytest_guardrails.strategies._prompts import set_in
from pytest_guardrails.strategies._sampling import chosen
from pytest_guardrails.strategies._values import chosen_by, drawn


def prompts_with(strategy: SearchStrategy[Sample]) -> SearchStrategy[Sample]:
    """Draw samples set in sentences of many domains, registers and languages; label and category stay, spans move.

    It shrinks to the bare sample, or to the shortest sentence that fails.

    Raises:
        ConfigError: for anything but a strategy, and when drawn from, for one that draws no samples.
    """
    return _in_sentences(_checked("prompts_with", strategy))


def obfuscated(strategy: SearchStrategy[Sample], ways: Collection[str] | None = None) -> SearchStrategy[Sample]:
    """Draw samples with the same values in other writing; their category then says which: ``CREDIT_CARD/full-width``.

    ``ways``: full-width (letters and digits), zero-width (marks between the characters), no-break (spaces),
    arabic-indic (digits), homoglyphs, and inside code, json, json-escaped (each character by its number) or url. A
    sample without spans is rewritten whole; a way that would change nothing is not drawn. Spans cover the values as
    they are written.

    Raises:
        ConfigError: for an unknown way, for anything but a strategy, and when drawn from, for one without samples.
    """
    names = tuple(chosen("way to write a value", "ways", ways, {name: name for name in WAYS}))
    return _rewritten(_checked("obfuscated", strategy), names)


def injections() -> SearchStrategy[Sample]:
    """Draw prompt injections: an opening, an override with its target and a payload, in a place and a writing.

    Fifteen languages; the place is a bare text, a review, a mail, a document, a tool result and others; the writing is
    plain, upper case, spelled, full-width, backwards, base64 and others. Label ``attack``, category ``injection``.
    """
    return drawn(INJECTION)


def injection_look_alikes() -> SearchStrategy[Sample]:
    """Draw honest sentences with the words of injections: previous mails to ignore, quoted attacks, security trainings.

    Label ``benign``, category ``injection-look-alike/`` and ``told``, ``quoted``, ``taught`` or ``other``.
    """
    return drawn(INJECTION_LOOK_ALIKE)


def _checked(name: str, strategy: SearchStrategy[Any]) -> SearchStrategy[Sample]:
    if not isinstance(strategy, SearchStrategy):
        raise ConfigError(f"{name}(...) takes a strategy, such as emails(), not {strategy!r:.80}")
    return strategy.map(partial(_sample, name))


def _sample(name: str, value: Any) -> Sample:
    if not isinstance(value, Sample):
        raise ConfigError(f"{name}(...) takes a strategy that draws samples, not {type(value).__name__}")
    return value


@st.composite
def _in_sentences(draw: DrawFn, samples: SearchStrategy[Sample]) -> Sample:
    return draw(chosen_by(partial(set_in, sample=draw(samples))))


@st.composite
def _rewritten(draw: DrawFn, samples: SearchStrategy[Sample], ways: tuple[str, ...]) -> Sample:
    sample = draw(samples)
    made: Sample | None = draw(chosen_by(partial(rewrite, sample=sample, ways=ways)))
    assume(made is not None)
    assert made is not None  # noqa: S101 - assumed
    return made
