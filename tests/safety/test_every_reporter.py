"""Hostile texts in every field of a run, through every reporter, each read by a real parser of its format."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import sys
import typing
from types import ModuleType

import pytest

from pytest_guardrails._codec import encode
from pytest_guardrails._metrics import measure
from pytest_guardrails._model import CheckResult, Finding, Guardrail, Message, Phase, Request, Run, Text
from pytest_guardrails._texts import is_id, is_label
from pytest_guardrails.reporters import GROUP, REPORTERS, reporter_named, terminal, types
from pytest_guardrails.reporters._github import MOST_ANNOTATIONS, MOST_BYTES, error_commands, summary
from pytest_guardrails.reporters._versions import versions_lines
from pytest_guardrails.reporters.json import dumps
from pytest_guardrails.targets.embedded import Engine

each_text = sys.modules["safety_hostile"].each_text  # beside this file, and no package
EVERY = sorted({*REPORTERS, *(entry.name for entry in importlib.metadata.entry_points(group=GROUP))})


def made(kind: str, run: Run) -> str:
    """Return what a reporter makes of a run, as the bytes of its file are read."""
    said = reporter_named(kind)(run)
    return said.decode("utf-8") if isinstance(said, bytes) else said.encode("utf-8").decode("utf-8")


def strings(value: object) -> list[str]:
    """Return every text in a JSON value, keys too."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


# What the run is full of


def test_every_reporter_has_its_parser(parsers: ModuleType) -> None:
    """A reporter that is added comes with what reads it; without, nobody would know that it is safe."""
    assert set(REPORTERS) <= set(parsers.PARSERS)
    assert set(types()) >= set(REPORTERS)


def test_the_run_is_full(hostile: ModuleType) -> None:
    """The text stands in every field of every noun of a run that has the type of a text."""
    run = hostile.run_full_of("needle")
    seen: set[tuple[str, str]] = set()
    without: set[tuple[str, str]] = set()

    def look(value: object) -> None:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            hints = typing.get_type_hints(type(value))
            for field in dataclasses.fields(value):
                item, place = getattr(value, field.name), (type(value).__name__, field.name)
                if "str" in str(hints[field.name]).replace("strategies", ""):
                    found = any("needle" in text for text in strings(encode(item)))
                    (seen if found else without).add(place)
                look(item)
        elif isinstance(value, tuple):
            for item in value:
                look(item)

    look(run)
    words = {(kind.__name__, name) for kind, name in hostile.WORDS}
    assert without - seen <= words
    assert len(seen) >= 80


@pytest.mark.parametrize("kind", EVERY)
def test_the_text_reaches_the_report(kind: str, hostile: ModuleType) -> None:
    """Each report really shows the texts that are harmless, so that the tests below look at something."""
    assert "harmless0text" in made(kind, hostile.run_full_of("harmless0text"))


# Every reporter


@pytest.mark.parametrize("kind", EVERY)
@each_text
def test_a_hostile_text_stays_a_text(kind: str, text: str, hostile: ModuleType, parsers: ModuleType) -> None:
    """The report is well-formed for its own parser, which finds our structure and nothing that a text made.

    And nothing in it acts on who prints it: no control, format, bidirectional or zero-width character, no lone
    surrogate.
    """
    run = hostile.run_full_of(text)
    said = made(kind, run)
    parsers.PARSERS[kind](said, run)
    assert parsers.unseen(said, keep="\n\t" if kind == "junit" else "\n") == set()


@pytest.mark.parametrize("kind", EVERY)
def test_a_prompt_of_five_megabytes(kind: str, hostile: ModuleType, parsers: ModuleType) -> None:
    """A prompt of 5 MB, revealed, is read again whole where the format keeps texts, and cut elsewhere."""
    run = hostile.run_full_of("x")
    record = run.records[0]
    request = Request((Message("user", hostile.HUGE),))
    trace = dataclasses.replace(record.trace, request=request, upstream_requests=(request,))
    run = dataclasses.replace(run, records=(dataclasses.replace(record, trace=trace),))
    said = made(kind, run)
    parsers.PARSERS[kind](said, run)
    assert len(said) < (11_000_000 if kind in ("json", "traces") else 500_000)


@pytest.mark.parametrize("kind", sorted(set(EVERY) - {"json", "traces"}))
def test_long_names_are_cut(kind: str, hostile: ModuleType) -> None:
    """A text of 100 kB in every field leaves a report of a size that somebody can still open."""
    assert len(made(kind, hostile.run_full_of("y" * 100_000))) < 3_000_000


def test_json_has_an_escape_for_all_that_nobody_sees(parsers: ModuleType) -> None:
    """Every control, format, separator and surrogate character is escaped, and read again as it was."""
    letters = "".join(letter for letter in map(chr, range(0x110000)) if parsers.unseen(letter, keep=""))
    assert len(letters) > 2_200
    said = dumps([*letters])
    assert not parsers.unseen(said, keep="")
    assert json.loads(said) == [*letters]


# The terminal, and GitHub


@each_text
def test_the_terminal_section(text: str, hostile: ModuleType, parsers: ModuleType) -> None:
    """Each line is one line, fits, and cannot act on the terminal."""
    run = hostile.run_full_of(text)
    metrics = measure(run.records)
    for width in (40, 200):
        lines = list(terminal(run, metrics, width=width))
        assert list(parsers.terminal_problems(lines, width)) == []
        compared = list(versions_lines(run, width))
        assert list(parsers.terminal_problems(compared, 10_000)) == []


@each_text
def test_the_terminal_starts_no_workflow_command(text: str, hostile: ModuleType) -> None:
    """No line that a text is in begins with ``::`` or ``##[``: GitHub and Azure read the log of a step."""
    run = hostile.run_full_of(text)
    for line in (*terminal(run, measure(run.records)), *versions_lines(run, 80)):
        assert not line.lstrip().startswith(("::", "##[", "##vso")), line[:80]


@each_text
def test_annotations_are_one_command_each(text: str, hostile: ModuleType, parsers: ModuleType) -> None:
    """What a case is called cannot end its annotation or begin another."""
    lines = list(error_commands(hostile.run_full_of(text)))
    assert list(parsers.command_problems(lines)) == []
    assert 0 < len(lines) <= MOST_ANNOTATIONS
    assert not any(parsers.unseen(line, keep="") for line in lines)


def test_the_summary_of_a_step(hostile: ModuleType, parsers: ModuleType) -> None:
    """It is the Markdown that was looked at above, under GitHub's limit, whole lines of it."""
    said = summary(hostile.run_full_of("|" * 100_000))
    assert len(said) <= MOST_BYTES
    assert list(parsers.markdown_problems(said.decode("utf-8"))) == []


# Labels, which never get so far


class Labelling:
    """A check that calls what it finds by a text of the request."""

    id = "labelling"

    def __init__(self, name: str, category: str) -> None:
        self.name, self.category = name, category

    def __call__(self, texts: tuple[Text, ...]) -> list[Finding]:
        """Find something in each request."""
        return [Finding(self.name, self.category, start=0, end=1)]


@each_text
def test_a_label_that_is_none_is_an_error(text: str) -> None:
    """A finding that is named or categorised by a hostile text is refused by the engine: the check gave no answer."""
    for name, category in ((text, "pii"), ("email", text)):
        if is_label(name) and is_label(category):
            continue
        engine = Engine([Guardrail("g", Phase.BEFORE_REQUEST, (Labelling(name, category),))])
        trace = engine.run("hello")
        (result,) = trace.results
        check: CheckResult = result.checks[0]
        assert check.error is not None
        assert check.error.kind == "ValueError"
        assert check.findings == ()
        assert str(trace.verdict) == "block"
        assert text == "" or text not in check.error.message


@pytest.mark.parametrize(
    "name", ["email", "Prompt Injection", "GDPR 2016/679", "pii/e-mail", "indirect_prompt_injection_v2", "CVE-2024"]
)
def test_names_of_findings_are_labels(name: str) -> None:
    """What vendors call their findings can be published."""
    assert is_label(name)


def test_personal_data_is_no_label(private: ModuleType) -> None:
    """A card in groups, a number of nine digits, a key, an address and a sentence are none, and neither is an id."""
    for text in (private.CARD, private.CARD.replace(" ", " - "), private.DIGITS, private.EMAIL, "219-09-9999"):
        assert not is_label(text)
        assert not is_id(text)
    assert not is_label(private.KEY)
    assert not is_label("12345")
    assert is_id("12345")
    assert is_id("9f86d081884c7d659a2feaa0c55ad015")


def test_nearly_every_hostile_text_is_no_label(hostile: ModuleType) -> None:
    """The few that are labels are words that could do no harm anywhere."""
    labels = [text for text in hostile.TEXTS.values() if is_label(text)]
    assert labels == ["__proto__", "constructor", "007", "NaN"]
