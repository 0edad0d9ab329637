"""Coverage: what each check was seen to do, counted in cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._coverage import Cell, Shown, checks_near, coverage, read_least, refuse_unknown
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import (
    Action,
    Armed,
    CaseRecord,
    CaseStatus,
    CheckError,
    CheckResult,
    CorpusRecord,
    Finding,
    Group,
    Guard,
    Guardrail,
    GuardrailResult,
    GuardrailStatus,
    GuardVersion,
    Phase,
    Request,
    Run,
    Trace,
    Verdict,
)
from pytest_guardrails.checks import Contains, PiiRedact, PromptInjectionDetect
from pytest_guardrails.reporters._arming import too_low

VERSION = GuardVersion(None, "1")
GUARD = Guard("g@1", "embedded engine", "g", VERSION, (("a", "before_request", "deny", "block"),), (("pii",),))


def checked(name: str = "pii", action: Action = Action.NONE, *, errors: bool = False) -> CheckResult:
    """Return what a check did."""
    found = () if action is Action.NONE else (Finding("X", "x", action=action),)
    return CheckResult(name, found, CheckError("a", name, "TimeoutError", "") if errors else None)


NEAR = ("before_request/a/pii",)


def record(*checks: CheckResult, label: str = "attack", armed: Armed | None = None, **given: Any) -> CaseRecord:
    """Return the record of a case in which guardrail ``a`` ran these checks."""
    action = max((check.action for check in checks), default=Action.NONE)
    result = GuardrailResult("a", Phase.BEFORE_REQUEST, GuardrailStatus.RAN, action, checks)
    trace = Trace(Request.of("x"), Verdict.ALLOW, action, None, (result,))
    fields: dict[str, Any] = {"status": CaseStatus.AS_EXPECTED, "guard": "g@1", "trace": trace, **given}
    return CaseRecord("f::c", "c", label=label, armed=armed, **fields)


def run(*records: CaseRecord, guards: tuple[Guard, ...] = (GUARD,), corpora: tuple[CorpusRecord, ...] = ()) -> Run:
    """Return a run."""
    return Run("", 0, True, FrozenDict(), guards, records, corpora=corpora)


def shown(run: Run) -> dict[str, int]:
    """Return how often each cell was shown, by check, action and what is shown."""
    return {f"{cell.check} {cell.action} {cell.shown.name}": cell.times for cell in coverage(run).cells}


def test_firing_counts_on_attacks_and_silence_on_near_misses() -> None:
    """A check that ran and found nothing in an attack, or fired on a near miss, has shown nothing."""
    deny = checked(action=Action.DENY)
    near = record(checked(), label="benign", near_miss=NEAR)
    assert shown(run(record(deny), near)) == {"pii  SILENT": 1, "pii deny FIRED": 1}
    near = record(deny, label="benign", near_miss=NEAR)
    assert shown(run(record(checked()), near)) == {"pii  SILENT": 0, "pii deny FIRED": 0}


def test_silence_on_what_is_no_near_miss_of_the_check_shows_nothing() -> None:
    """Any benign text passes a check; only one that nearly concerns it says anything about it."""
    other = ("before_request/a/words", "before_request/b/pii", "after_request/a/pii")
    for near in ((), other):
        assert shown(run(record(checked(), label="benign", near_miss=near)))["pii  SILENT"] == 0


def test_an_action_that_was_seen_has_a_cell_beside_the_configured_one() -> None:
    """A check that only ever warned leaves the denial of its guardrail to be shown."""
    said = shown(run(record(checked(action=Action.WARN))))
    assert said == {"pii  SILENT": 0, "pii warn FIRED": 1, "pii deny FIRED": 0}


def test_who_decided_alone_counts_where_the_run_was_armed() -> None:
    """One check of the guardrail acted, and without the guardrail something else would have become of the request."""
    deny = checked(action=Action.DENY)
    alone = Armed(noticed=("before_request/a",), alone=("before_request/a",), off=True)
    assert shown(run(record(deny, armed=alone)))["pii deny ALONE"] == 1
    assert shown(run(record(deny, armed=Armed(off=True))))["pii deny ALONE"] == 0
    two = Guard("g@1", "", "", VERSION, GUARD.guardrails, (("pii", "words"),))
    said = shown(run(record(deny, checked("words", Action.DENY), armed=alone), guards=(two,)))
    assert (said["pii deny ALONE"], said["words deny ALONE"]) == (0, 0)


@pytest.mark.parametrize(
    "given",
    [{"status": CaseStatus.NOT_AS_EXPECTED}, {"xfail": "known"}, {"generated": True}, {"status": CaseStatus.ERROR}],
    ids=str,
)
def test_what_is_not_as_expected_shows_nothing(given: dict[str, Any]) -> None:
    """Failing and known failing cases and generated inputs cover no cell."""
    assert not any(shown(run(record(checked(action=Action.DENY), **given))).values())


def test_an_error_is_neither_firing_nor_silence() -> None:
    """A check that gave no answer covers nothing, whatever its case expected."""
    for label, near in (("attack", ()), ("benign", NEAR)):
        assert not any(shown(run(record(checked(errors=True), label=label, near_miss=near))).values())


def test_checks_that_never_ran_have_cells() -> None:
    """The configuration says what is to be shown, not the traces; guards that no case ran are left out."""
    rails = (*GUARD.guardrails, ("b", "after_request", "warn", "allow"))
    guard = Guard("g@1", "", "", VERSION, rails, (("pii",), ("moderation",)))
    other = Guard("h@1", "", "", VERSION, GUARD.guardrails, (("pii",),))
    cells = coverage(run(record(checked()), guards=(guard, other))).cells
    assert {(cell.guard, cell.phase, cell.check) for cell in cells} == {
        ("g@1", "before_request", "pii"),
        ("g@1", "after_request", "moderation"),
    }


def test_two_checks_of_one_id_are_told_apart() -> None:
    """Each has its number: one that fires does not cover the other."""
    guard = Guard("g@1", "", "", VERSION, GUARD.guardrails, (("words", "words"),))
    said = shown(run(record(checked("words"), checked("words", Action.DENY)), guards=(guard,)))
    assert (said["words#1 deny FIRED"], said["words#2 deny FIRED"]) == (0, 1)
    near = record(checked("words"), checked("words"), label="benign", near_miss=("before_request/a/words#1",))
    said = shown(run(near, guards=(guard,)))
    assert (said["words#1  SILENT"], said["words#2  SILENT"]) == (1, 0)


def corpus(**given: Any) -> CorpusRecord:
    """Return a corpus in which the check fired on attacks and was silent on three near misses."""
    groups = (Group("all", "", 2, 0, 3, 0), Group("check", "before_request/a/pii", 2, 0, 3, 0))
    acted = FrozenDict({"before_request/a/pii": FrozenDict({"deny": 2})})
    said = {"status": CaseStatus.AS_EXPECTED, "guard": "g@1", "groups": groups, "acted": acted}
    said["silent"] = FrozenDict({"before_request/a/pii": 3})
    fields: dict[str, Any] = {**said, **given}
    return CorpusRecord("f::corpus", "corpus", **fields)


def test_corpora_count_for_fired_and_silent() -> None:
    """A corpus covers what it says of attacks and near misses; benign rows that are no near miss count for nothing."""
    assert shown(run(corpora=(corpus(),))) == {"pii  SILENT": 3, "pii deny FIRED": 1}
    none = {"acted": FrozenDict(), "silent": FrozenDict()}
    assert shown(run(corpora=(corpus(**none),))) == {"pii  SILENT": 0, "pii deny FIRED": 0}


def test_a_corpus_shows_the_action_that_was_taken() -> None:
    """A check whose own action is to sanitize leaves the denial of its guardrail to be shown."""
    acted = FrozenDict({"before_request/a/pii": FrozenDict({"sanitize": 2})})
    said = shown(run(corpora=(corpus(acted=acted),)))
    assert said == {"pii  SILENT": 3, "pii sanitize FIRED": 1, "pii deny FIRED": 0}


def test_near_misses_of_a_strategy_are_counted_on_their_own() -> None:
    """They show that a check is silent, in a count beside the real ones; what fires on a drawn attack shows nothing."""
    real = record(checked(), label="benign", near_miss=NEAR)
    silent, fired = coverage(run(real, corpora=(corpus(generated=True),))).cells
    assert (silent.times, silent.generated, silent.covered) == (1, 3, True)
    assert (fired.times, fired.generated, fired.covered) == (0, 0, False)
    alone = coverage(run(record(checked()), corpora=(corpus(generated=True),)))
    assert [(cell.times, cell.covered) for cell in alone.cells] == [(0, True), (0, False)]
    assert alone.covered == 1
    failed = corpus(generated=True, status=CaseStatus.NOT_AS_EXPECTED)
    assert coverage(run(record(checked()), corpora=(failed,))).covered == 0


@pytest.mark.parametrize("given", [{"generated": True}, {"shadow": True}], ids=str)
def test_generated_samples_and_candidates_are_not_asked(given: dict[str, Any]) -> None:
    """Generated strings are never pooled with real ones, and a shadow guard is in no figure."""
    assert coverage(run(corpora=(corpus(**given),))).cells == ()


def test_a_corpus_that_failed_shows_nothing() -> None:
    """As a case that is not as expected."""
    assert not any(shown(run(corpora=(corpus(status=CaseStatus.NOT_AS_EXPECTED),))).values())


def test_the_bar_is_reached_exactly() -> None:
    """1 of 2 cells reaches 50 and not 50.1; without a cell nothing is reached, not even 0."""
    half = coverage(run(record(checked(action=Action.DENY))))
    assert (half.covered, len(half.cells)) == (1, 2)
    assert (half.reaches(50), half.reaches(50.1)) == (True, False)
    assert half.empty == (Cell("g@1", "before_request", "a", "pii", "", Shown.SILENT),)
    assert not coverage(run()).reaches(0)


def test_what_is_missing_is_named() -> None:
    """The sentence rounds down, and the lines name the cells; no data says so."""
    half = coverage(run(record(checked(action=Action.DENY))))
    assert too_low(half, 50) == []
    assert too_low(half, 80.5) == [
        "TOO LOW    coverage is 1 of 2 cells (50 %), and 80.5 % is demanded; what is missing:",
        "  before_request/a/pii: never silent on a near miss",
    ]
    (said,) = too_low(coverage(run()), 0)
    assert said == "TOO LOW    coverage is unknown, and 0 % is demanded: no case and no corpus ran a guardrail"


@pytest.mark.parametrize(("text", "least"), [("80", 80), ("80%", 80), ("0", 0), ("100", 100), ("66.6", 66.6)])
def test_the_bar_is_read(text: str, least: float) -> None:
    """Per cent, with or without the sign."""
    assert read_least(text) == least


@pytest.mark.parametrize("text", ["", "%", "-1", "101", "nan", "inf", "high", "80 % %"])
def test_a_bar_that_cannot_be_meant_is_refused(text: str) -> None:
    """Anything but a number from 0 to 100."""
    with pytest.raises(ConfigError, match="a number from 0 to 100"):
        read_least(text)


PII, WORDS = PiiRedact(("EMAIL", "API_KEY")), Contains(("stop",), "none")
RAILS = (
    Guardrail("redact", Phase.BEFORE_REQUEST, (PII, WORDS)),
    Guardrail("twice", Phase.BEFORE_REQUEST, (WORDS, WORDS)),
    Guardrail("answers", Phase.AFTER_REQUEST, (PiiRedact(("IBAN",)), PromptInjectionDetect())),
)


@pytest.mark.parametrize(
    ("names", "near"),
    [
        (["EMAIL"], ["before_request/redact/pii_redact"]),
        (["IBAN"], ["after_request/answers/pii_redact"]),
        (["pii"], ["before_request/redact/pii_redact", "after_request/answers/pii_redact"]),
        (["credential"], ["before_request/redact/pii_redact"]),
        (["prompt_injection"], ["after_request/answers/prompt_injection_detect"]),
        (["redact"], ["before_request/redact/pii_redact", "before_request/redact/default.contains"]),
        (["default.contains#2"], ["before_request/twice/default.contains#2"]),
        (["PHONE"], []),
        ([], []),
    ],
    ids=str,
)
def test_a_near_miss_concerns_the_checks_that_its_name_means(names: list[str], near: list[str]) -> None:
    """A guardrail means all of its checks, a check itself, a name or category of findings whoever has them."""
    assert list(checks_near(RAILS, names)) == near


def test_checks_of_others_say_what_they_find() -> None:
    """One with ``finds`` is meant by what stands there, one without by its id alone."""

    @dataclass(frozen=True)
    class Own:
        finds: Any
        id: str = "own"

        def __call__(self, texts: Any) -> list[Finding]:
            return []

    for finds in (("EMPLOYEE_ID", "pii"), "EMPLOYEE_ID"):
        rails = (Guardrail("a", Phase.BEFORE_REQUEST, (Own(finds),)),)
        assert checks_near(rails, ["EMPLOYEE_ID"]) == checks_near(rails, ["own"]) == ("before_request/a/own",)
        refuse_unknown(["EMPLOYEE_ID", "own", "a"], rails, file=None, line=None)


def test_a_name_that_nobody_knows_is_refused() -> None:
    """The nearest choice comes first; what built-in checks find is known where no check finds it."""
    refuse_unknown(
        ["EMAIL", "redact", "pii_redact", "default.contains#2", "PHONE", "violence"], RAILS, file="f", line=1
    )
    with pytest.raises(ConfigError, match=r"^f:3: unknown near_miss 'EMIAL'; did you mean 'EMAIL'. Choices: .*redact"):
        refuse_unknown(["redact", "EMIAL"], RAILS, file="f", line=3)
