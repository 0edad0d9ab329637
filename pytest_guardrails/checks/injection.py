"""Prompt-injection detection by phrases that ask a model to drop or reveal its instructions.

Rules find 0 to 47 % of published attacks at a low false-positive rate (facts: detectors.md, C.5): a regression
baseline, not a defence. Every repeat is bounded, so that a hostile text costs linear time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Finding, Text

_GAP = r"(?:\W{1,3}\w{1,20}){0,4}\W{1,3}"
_DROP = r"(?:ignore|disregard|forget|override|bypass|neglect|dismiss|discard|violate|disobey)"
_EARLIER = r"(?:previous|prior|preceding|earlier|above|original|initial|existing|former|foregoing|system|safety|your)"
_RULES = (
    r"(?:instructions?|prompts?|directives?|directions?|guidelines?|guidance|rules|commands?|orders|constraints|"
    r"restrictions|programming|polic(?:y|ies)|guardrails?)"
)
_HIDDEN = r"(?:system|hidden|secret|initial|original|internal|confidential|pre)"

# (name, weight, pattern, words of which one must be there): weights combine as 1 - prod(1 - w).
_SIGNS: tuple[tuple[str, float, re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (name, weight, re.compile(pattern, re.IGNORECASE), gate)
    for name, weight, pattern, gate in (
        (
            "instruction_override",
            0.9,
            rf"\b{_DROP}{_GAP}{_EARLIER}(?:\W{{1,3}}\w{{1,20}}){{0,2}}\W{{1,3}}{_RULES}\b",
            ("gnore", "isregard", "orget", "verride", "ypass", "eglect", "ismiss", "iscard", "iolate", "isobey"),
        ),
        (
            "instruction_override",
            0.9,
            rf"\b{_DROP}{_GAP}(?:everything|anything|all){_GAP}(?:told|said|instructed|taught|above|before)\b",
            ("verything", "nything", "all"),
        ),
        (
            "prompt_extraction",
            0.7,
            rf"\b(?:reveal|show|print|repeat|output|display|leak|share|tell|give|expose|disclose|recite|dump){_GAP}"
            rf"(?:your|the)\W{{1,3}}(?:\w{{1,20}}\W{{1,3}})?{_HIDDEN}\W{{0,3}}(?:prompt|instructions?|message|directives?)\b",
            ("prompt", "nstruction", "message", "irective"),
        ),
        (
            "persona_jailbreak",
            0.8,
            r"\b(?:do anything now|dan mode|developer mode (?:enabled|on|output)|jailbreak mode|"
            r"(?:act|behave|respond|pretend|roleplay|answer)(?:\W{1,3}\w{1,20}){0,6}\W{1,3}"
            r"(?:unrestricted|uncensored|unfiltered|amoral|jailbroken)|"
            r"you are (?:now )?(?:free|freed|released|unbound|no longer bound)(?:\W{1,3}\w{1,20}){0,4}\W{1,3}"
            r"(?:rules|restrictions|constraints|guidelines|confines|limits|limitations))\b",
            ("now", "mode", "strict", "censored", "filtered", "moral", "ailbroken", "rules", "guidelines", "limit"),
        ),
        (
            "fake_system_turn",
            0.7,
            r"(?:<\|im_start\|>\s{0,3}system|<\|(?:system|end_of_turn|eot_id)\|>|\[/?(?:INST|SYSTEM)\]|"
            r"</?system(?:_prompt)?>|^#{2,4} ?system ?(?:prompt|message)?:|\bBEGIN SYSTEM\b)",
            ("<", "[", "#", "BEGIN", "begin"),
        ),
        (
            "new_instructions",
            0.4,
            rf"\b(?:(?:your|my|the) (?:new|real|updated|actual) {_RULES}\b|new {_RULES}:|from now on,? you (?:will|must|are|shall))",
            ("new", "real", "updated", "actual", "now on"),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class PromptInjectionDetect:
    """Texts that ask the model to drop or reveal its instructions, where the combined score reaches ``threshold``."""

    threshold: float = 0.5
    id: ClassVar[str] = "prompt_injection_detect"

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold is above 0 and at most 1, not {self.threshold:g}")

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return one finding per sign in a text whose score reaches the threshold; each carries that score."""
        return [finding for text in texts for finding in self._of(text)]

    def _of(self, text: Text) -> list[Finding]:
        signs = [
            (name, weight, match)
            for name, weight, pattern, gate in _SIGNS
            if any(map(text.text.lower().__contains__, map(str.lower, gate))) and (match := pattern.search(text.text))
        ]
        score = round(1 - prod(1 - weight for _, weight, _ in signs), 6)
        if not signs or score < self.threshold:
            return []
        return [
            Finding(name, "prompt_injection", None, score, text.message_index, text.field, match.start(), match.end())
            for name, _, match in signs
        ]
