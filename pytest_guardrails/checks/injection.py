"""Prompt-injection detection by phrases that ask a model to drop its instructions, or to reveal them.

Rules find 0 to 47 % of published attacks at a low false-positive rate (facts: detectors.md, C.5): a regression
baseline, not a defence. One strong sign is enough; weak ones, which honest prompts show as well, count together.
Every repeat is bounded, so that a hostile text costs linear time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import ClassVar

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Finding, Text
from pytest_guardrails.checks._allowlist import Allowlist, Entry, Places, covering, places_in

_GAP = r"(?:\W{1,3}\w{1,20}){0,4}\W{1,3}"
_DROP = (
    r"(?:ignor(?:e|ing)|disregard|forget|overlook|neglect|disobey|pay no attention to"
    r"|(?:do not|don.t|stop|never) (?:follow|obey|adhere to)(?:ing)?)"
)
_BREAK = r"(?:overrid(?:e|ing)|bypass(?:ing)?|dismiss|discard|violate|evade|circumvent)"
_EARLIER = r"(?:previous|prior|preceding|earlier|above|original|initial|former|foregoing|system|your)"
_RULES = (
    r"(?:instructions?|prompts?|directives?|directions?|guidelines?|guidance|rules|commands?|constraints|"
    r"restrictions|programming|polic(?:y|ies)|guardrails?)"
)
_HIDDEN = r"(?:system|hidden|secret|initial|original|internal|confidential|pre)"
_WITHHELD = r"(?:password|passphrase|pass ?code|secret(?: key| code| word)?|access (?:key|code)|api key|credentials)"
_LIMITS = r"(?:rules|restrictions|constraints|guidelines|confines|norms|polic(?:y|ies)|limits|limitations|filters?)"


def _sign(name: str, weight: float, gate: str, *pattern: str) -> tuple[str, float, tuple[str, ...], re.Pattern[str]]:
    """Return a sign; ``gate`` holds lower-case texts of which one must be there before the pattern is tried."""
    return name, weight, tuple(gate.split("|")), re.compile("".join(pattern), re.IGNORECASE)


_SIGNS = (  # weights combine as 1 - prod(1 - w)
    _sign(
        "instruction_override", 0.9, "instruction|prompt|directi|guid|rules|command|straint|restric|polic|programming",
        rf"\b{_DROP}{_GAP}{_EARLIER}(?:\W{{1,3}}\w{{1,20}}){{0,2}}\W{{1,3}}{_RULES}\b",
    ),
    _sign(
        "instruction_override", 0.9, "everything|anything|all|you",
        rf"\b{_DROP}(?: about)? (?:(?:everything|anything|all)(?: of)?(?: the| that)?(?: was| is| you| has| have)?",
        r"(?: been)? (?:told|said|instructed|taught|above|before)",
        r"|(?:\w{1,12} ){0,3}you(?:.ve| have| were| had)?(?: been)?",
        r" (?:told|given|instructed|taught|programmed|trained))\b",
    ),
    _sign(
        "instruction_override", 0.6, "instruction|prompt|directive|guid|programming|restriction|polic",
        rf"\b{_BREAK}{_GAP}(?:previous|prior|preceding|above|your)(?:\W{{1,3}}\w{{1,20}}){{0,2}}\W{{1,3}}",
        r"(?:instructions?|prompt|directives?|guidelines?|programming|restrictions|content polic(?:y|ies))\b",
    ),
    _sign(
        "instruction_override", 0.6, "above|previous|preceding",
        rf"\b{_DROP} (?:all )?(?:of )?(?:the |that |everything )?(?:above|previous|preceding)",
        r"\W{1,3}(?:and|then|instead)\b",
    ),
    _sign(
        "instruction_override", 0.7, "anweisung|instruccion|istruzion|instruç|instruktion|instructions pr|consigne",
        r"\b(?:ignor\w{1,6}|oubli\w{1,4}|olvid\w{1,5}|vergiss|verges\w{1,3}|missacht\w{1,3}|dimentic\w{1,4}",
        rf"|esque[cç]\w{{1,4}}){_GAP}",
        r"(?:anweisung|instruccion|istruzion|instruç|instruktion|instructions pr|consigne)",
    ),
    _sign(
        "instruction_override", 0.7, "指|说明|提示|規則|规则|命令|지시|инструкци|указани|команд",
        r"(?:忽略|无视|忽視|無視|忘记|忘掉)[^\n]{0,12}(?:指示|指令|说明|提示|規則|规则)",
        r"|(?:指示|指令|命令)[^\n]{0,6}(?:無視|忘れ)|지시[^\n]{0,6}무시",
        r"|(?:игнорируй|забудь)\w{0,3}[^\n]{0,30}(?:инструкци|указани|команд)",
    ),
    _sign(
        "prompt_extraction", 0.7, "prompt|instruction|message|directive",
        rf"\b(?:reveal|show|print|repeat|output|display|leak|share|tell|give|expose|disclose|recite|dump){_GAP}",
        rf"(?:your\W{{1,3}}(?:\w{{1,20}}\W{{1,3}}){{0,2}}(?:{_HIDDEN}\W{{0,3}}(?:message|directives?)|prompt|instructions?)",
        r"|the\W{1,3}(?:\w{1,20}\W{1,3}){0,2}(?:system|hidden|initial|pre)\W{0,3}prompt)\b",
    ),
    _sign(
        "secret_extraction", 0.6, "your",
        r"\b(?:what(?:.s| is)|tell me|give me|share(?: with me)?|reveal|confirm|disclose|say|print|repeat|show me)",
        rf"(?:\W{{1,3}}\w{{1,20}})?\W{{1,3}}your\W{{1,3}}(?:\w{{1,20}}\W{{1,3}})?{_WITHHELD}",
        r"(?: with me| to me)?(?:[.?!,;]|\s{0,3}\Z)",
    ),
    _sign(
        "persona_jailbreak", 0.8, "now|mode|strict|censored|filtered|moral|jailbroken|rules|guidelines|limit",
        r"\b(?:do anything now|dan mode|developer mode (?:enabled|output)|jailbreak mode",
        r"|(?:act|behave|respond|pretend|role-?play|answer)(?:\W{1,3}\w{1,20}){0,6}\W{1,3}",
        r"(?:unrestricted|uncensored|unfiltered|amoral|jailbroken)",
        r"|you are (?:now )?(?:free|freed|released|unbound|no longer bound)(?:\W{1,3}\w{1,20}){0,4}\W{1,3}",
        rf"{_LIMITS})\b",
    ),
    _sign(
        "role_play", 0.2, "pretend|immerse|simulat|role|act|now on|character|persona",
        r"\b(?:pretend(?:ing)?|immerse|simulat(?:e|or|ion)|role-?play|act(?:ing)? as|from now on|stay in character",
        r"|persona)\b",
    ),
    _sign(
        "unbound", 0.45, "rules|restriction|constraint|guideline|confines|norms|polic|limit|filter",
        r"\b(?:(?:broken|break) free|(?:freed|free) from|not (?:bound|limited|restricted)",
        rf"|(?:not|n.t|never) (?:have|need) to|unbound){_GAP}{_LIMITS}\b",
    ),
    _sign(
        "no_limits", 0.25, "rules|restriction|constraint|guideline|norms|polic|limit|filter|no matter|regardless",
        rf"\b(?:without(?: any)?|no){_GAP}{_LIMITS}\b|\b(?:no matter how|regardless of (?:how|whether))\W{{1,3}}",
        r"(?:\w{1,10} ){0,3}(?:illegal|unethical|immoral|dangerous|harmful|offensive)",
    ),
    _sign(
        "no_refusal", 0.35, "refus|declin|disclaimer|moralizing",
        r"\b(?:never|not|n.t|cannot|without) (?:\w{1,12} ){0,2}",
        r"(?:refus(?:e|ing|al)|declin(?:e|ing)|disclaimers?|moralizing)\b",
    ),
    _sign(
        "fake_system_turn", 0.7, "<|[|#|begin",
        r"<\|im_start\|>\s{0,3}system|<\|(?:system|end_of_turn|eot_id)\|>|\[/?(?:INST|SYSTEM)\]",
        r"|</?system_prompt>|^#{2,4} ?system ?(?:prompt|message)?:|\bBEGIN SYSTEM\b",
    ),
    _sign("fake_system_turn", 0.4, "system>", r"</?system>"),
    _sign(
        "new_instructions", 0.4, "new|real|updated|actual|now on",
        rf"\b(?:(?:your|my|the) (?:new|real|updated|actual) {_RULES}\b|new {_RULES}:",
        r"|from now on,? you (?:will|must|are|shall))",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PromptInjectionDetect:
    """Texts that ask the model to drop or reveal its instructions, where the combined score reaches ``threshold``.

    ``allowlist``: known-good phrases; a sign that lies wholly inside one does not count.
    """

    threshold: float = 0.5
    allowlist: tuple[Entry, ...] = ()
    id: ClassVar[str] = "prompt_injection_detect"
    finds: ClassVar[tuple[str, ...]] = ("prompt_injection",)
    _allowed: Allowlist = field(init=False, repr=False, compare=False, default=Allowlist())

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold is above 0 and at most 1, not {self.threshold:g}")
        object.__setattr__(self, "_allowed", Allowlist.of(self.allowlist))

    def __call__(self, texts: Sequence[Text]) -> list[Finding]:
        """Return one finding per sign in a text whose score reaches the threshold; each carries that score."""
        return [finding for text in texts for finding in self._of(text, places_in(self._allowed, text))]

    def suppressed(self, texts: Sequence[Text]) -> dict[int, int]:
        """Return how many findings each entry of the allowlist took away: signs, of texts that would have scored."""
        counts: dict[int, int] = {}
        for text in texts:
            places = places_in(self._allowed, text)
            for finding in self._of(text, []) if places else ():
                entry = covering(places, finding.start or 0, finding.end or 0)
                if entry is not None:
                    counts[entry] = counts.get(entry, 0) + 1
        return counts

    def _of(self, text: Text, allowed: Places) -> list[Finding]:
        lowered = text.text.lower()
        signs = [
            (name, weight, match)
            for name, weight, gate, pattern in _SIGNS
            if any(map(lowered.__contains__, gate)) and (match := _first(pattern, text.text, allowed))
        ]
        score = round(1 - prod(1 - weight for _, weight, _ in signs), 6)
        if score < self.threshold:
            return []
        return [
            Finding(name, "prompt_injection", None, score, text.message_index, text.field, match.start(), match.end())
            for name, _, match in signs
        ]


def _first(pattern: re.Pattern[str], text: str, allowed: Places) -> re.Match[str] | None:
    """Return the first match that no occurrence of an allowlist's entry holds."""
    if not allowed:
        return pattern.search(text)
    return next((match for match in pattern.finditer(text) if covering(allowed, *match.span()) is None), None)
