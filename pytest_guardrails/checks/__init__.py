"""The built-in checks, and those that other packages add through the entry point group ``pytest_guardrails.checks``.

A check is a callable with an ``id`` that turns texts into findings. What makes one is a factory with keyword
parameters; for the built-in ones that is the class itself, whose fields are its parameters.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Callable, Mapping
from typing import Any

from pytest_guardrails._errors import ConfigError
from pytest_guardrails.checks.injection import PromptInjectionDetect
from pytest_guardrails.checks.moderation import DEFAULT_CATEGORIES, ContentModeration
from pytest_guardrails.checks.patterns import RegexMatch, RegexReplace
from pytest_guardrails.checks.pii import PiiRedact
from pytest_guardrails.checks.structure import JsonKeys, JsonSchema
from pytest_guardrails.checks.wording import (
    CharacterCount,
    Contains,
    EndsWith,
    NotNull,
    SentenceCount,
    WordCount,
)

GROUP = "pytest_guardrails.checks"

__all__ = [
    "BUILT_IN",
    "FOUND",
    "GROUP",
    "CharacterCount",
    "Contains",
    "ContentModeration",
    "EndsWith",
    "JsonKeys",
    "JsonSchema",
    "NotNull",
    "PiiRedact",
    "PromptInjectionDetect",
    "RegexMatch",
    "RegexReplace",
    "SentenceCount",
    "WordCount",
    "factories",
]

BUILT_IN: Mapping[str, Callable[..., Any]] = {
    factory.id: factory
    for factory in (
        CharacterCount,
        Contains,
        ContentModeration,
        EndsWith,
        JsonKeys,
        JsonSchema,
        NotNull,
        PiiRedact,
        PromptInjectionDetect,
        RegexMatch,
        RegexReplace,
        SentenceCount,
        WordCount,
    )
}

FOUND: tuple[str, ...] = (  # the names and categories of what the built-in checks find
    *PiiRedact().finds,
    *PromptInjectionDetect.finds,
    *DEFAULT_CATEGORIES,
    "content_moderation",
)


@functools.cache
def factories() -> Mapping[str, tuple[Callable[..., Any] | importlib.metadata.EntryPoint, str | None]]:
    """Return every known check: its factory (an entry point until it is used) and the package that brings it.

    Raises:
        ConfigError: where two packages, or a package and this one, claim one name.
    """
    found: dict[str, tuple[Any, str | None]] = {name: (factory, None) for name, factory in BUILT_IN.items()}
    for entry in importlib.metadata.entry_points(group=GROUP):
        package = entry.dist.name if entry.dist else None
        if entry.name in found:
            raise ConfigError(f"check {entry.name!r} of package {package!r} takes a name that is already taken")
        found[entry.name] = (entry, package)
    return found
