"""What rows of a corpus are, beside their label: near misses of which checks, and spans of which entities."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable

from pytest_guardrails._corpus import CorpusSpec, matches
from pytest_guardrails._coverage import checks_near, finds, shown_to
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._mask import shape
from pytest_guardrails._model import Phase, Request, Sample
from pytest_guardrails._texts import is_label
from pytest_guardrails.checks import FOUND
from pytest_guardrails.corpora import ENTITIES, NEAR_MISSES, shipped
from pytest_guardrails.targets.embedded import Engine

MOST_CATEGORIES = 1_000  # that are looked at for a misspelt one
MOST_NAMED = 5


def nearness(spec: CorpusSpec, engine: Engine) -> Callable[[str], tuple[str, ...]]:
    """Return what says at which checks, ``phase/guardrail/check``, the benign rows of a category are near misses.

    Checks of responses are none of them: behind the guard stands a model that always answers the same.
    """
    before = [guardrail for guardrail in engine.guardrails if guardrail.phase is Phase.BEFORE_REQUEST]
    guardrails = list(shown_to(before, Request.of("a sample is a user's message").messages))

    @functools.cache
    def near(category: str) -> tuple[str, ...]:
        return checks_near(guardrails, names_of(spec, category))

    return near


def names_of(spec: CorpusSpec, category: str) -> tuple[str, ...]:
    """Return what the benign rows of a category nearly are."""
    own = tuple(name for pattern, names in spec.near_miss if matches(pattern, category) for name in names)
    if spec.path is None:
        from pytest_guardrails.strategies._near import near_miss_of

        return (*own, *near_miss_of(category))
    return (*own, *NEAR_MISSES.get(category, ())) if spec.path == shipped("benign") else own


def look_through(samples: Iterable[Sample], spec: CorpusSpec) -> tuple[int, set[str]]:
    """Return how many samples there are, once each is read, and the entities that their spans name.

    Raises:
        ConfigError: where ``near_miss`` names a category that no row has.
    """
    waiting, seen, number = {pattern for pattern, _ in spec.near_miss}, set[str](), 0
    entities: set[str] = set()
    for sample in samples:
        number += 1
        if waiting and sample.category not in seen and len(seen) < MOST_CATEGORIES:
            seen.add(sample.category)
            waiting = {pattern for pattern in waiting if not matches(pattern, sample.category)}
        if sample.spans and len(entities) < MOST_CATEGORIES:
            entities.update([span.entity for span in sample.spans])
    if number and waiting and len(seen) < MOST_CATEGORIES and spec.limit is None and spec.path is not None:
        said = f"near_miss names the category {sorted(waiting)[0]!r}, which no row has"
        raise ConfigError(said, file=spec.file, line=spec.line)
    return number, entities


def doubt(entities: Iterable[str], engine: Engine) -> str | None:
    """Say which entities of spans are no names that anybody is known to find; a misspelt one would go unseen."""
    known = {*ENTITIES, *FOUND, *(name for guardrail in engine.guardrails for name in finds(guardrail))}
    strange = sorted(set(entities) - known)
    if not strange:
        return None
    said = [f"{name!r}{_nearest(name, known)}" if is_label(name) else shape(name) for name in strange[:MOST_NAMED]]
    more = f" and {len(strange) - MOST_NAMED} more" if len(strange) > MOST_NAMED else ""
    return f"spans name entities that no check is known to find: {', '.join(said)}{more}"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.6)
    return f" ({near[0]}?)" if near else ""
