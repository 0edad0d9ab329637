"""Portkey's checks about words: operators, limits and their edges, ``not``, and more than one message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import ConfigError, Engine, Finding, Text
from pytest_guardrails.checks import CharacterCount, Contains, EndsWith, NotNull, SentenceCount, WordCount


def texts(*said: str) -> list[Text]:
    """Return one content per text, in order."""
    return [Text(text, index) for index, text in enumerate(said)]


def fails(check: Callable[[list[Text]], list[Finding]], *said: str) -> list[int]:
    """Return the messages that a check finds something in, once per finding."""
    return [finding.message_index for finding in check(texts(*said))]


@pytest.mark.parametrize(
    ("operator", "said", "failing"),
    [
        ("any", ["a foo"], []),
        ("any", ["a bar"], []),
        ("any", ["baz"], [0]),
        ("any", ["baz", "foo", "baz"], []),
        ("any", ["baz", "qux"], [1]),
        ("all", ["foobar"], []),
        ("all", ["foo"], [0]),
        ("all", ["foo", "bar"], []),
        ("all", ["foo", "baz"], [1]),
        ("none", ["baz"], []),
        ("none", ["foo"], [0]),
        ("none", ["foo bar"], [0, 0]),
        ("none", ["foo foo"], [0]),
        ("none", ["baz", "a bar", "foo"], [1, 2]),
        ("none", ["FOO", "fo o"], []),
    ],
)
def test_contains_asks_for_words_by_its_operator(operator: Any, said: list[str], failing: list[int]) -> None:
    """Required words may stand in any text; each forbidden word of each text is a finding; case counts."""
    assert fails(Contains(("foo", "bar"), operator), *said) == failing


def test_contains_points_at_the_forbidden_word() -> None:
    """The finding of a forbidden word has its span, message and field; that of a missing word has no span."""
    place = Text("x 😀foo", 3, "tool_calls.0.function.arguments", "assistant")
    assert Contains(("foo",), "none")([place]) == [
        Finding("default.contains", "content", message_index=3, field=place.field, start=3, end=6)
    ]
    (missing,) = Contains(("bar",), "any")([place])
    assert (missing.category, missing.message_index, missing.start, missing.end) == ("format", 3, None, None)


@given(st.text(max_size=5), st.text(min_size=1, max_size=3), st.text(max_size=5))
def test_contains_finds_a_word_wherever_it_is(before: str, word: str, after: str) -> None:
    """``none`` finds a word between any two texts, at a place where the text says the word."""
    said = before + word + after
    (finding,) = Contains((word,), "none")(texts(said))
    assert said[finding.start : finding.end] == word
    assert not Contains((word,), "any")(texts(said))


@pytest.mark.parametrize("words", [(), ("",), ("foo", "")])
def test_contains_refuses_words_that_say_nothing(words: tuple[str, ...]) -> None:
    """An empty list, or an empty word that every text contains, is a mistake."""
    with pytest.raises(ConfigError, match="words is a list of at least one text, none of them empty"):
        Contains(words, "any")


COUNTS: list[tuple[type, str, str, list[str]]] = [
    (WordCount, "min_words", "max_words", ["", "a", "a b", "a b c", "a b c d"]),
    (CharacterCount, "min_characters", "max_characters", ["", "a", "ab", "é😀x", "abcd"]),
    (SentenceCount, "min_sentences", "max_sentences", ["", "A.", "A. B!", "A. B? C", "A. B. C. D."]),
]


@pytest.mark.parametrize(("check", "low", "high", "by_size"), COUNTS)
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("limits", [(1, None), (None, 2), (2, 3), (2, 2), (0, None), (None, 0)])
def test_limits_include_both_ends(
    check: Any, low: str, high: str, by_size: list[str], invert: bool, limits: tuple[int | None, int | None]
) -> None:
    """A count is asked of each content, its limits belong to it, and ``not`` turns it around."""
    least, most = limits
    inside = [size for size in range(5) if (least is None or size >= least) and (most is None or size <= most)]
    expected = inside if invert else [size for size in range(5) if size not in inside]
    assert fails(check(**{low: least, high: most, "not_": invert}), *by_size) == expected


@pytest.mark.parametrize(("check", "low", "high", "by_size"), COUNTS)
def test_limits_that_ask_nothing_are_refused(check: Any, low: str, high: str, by_size: list[str]) -> None:
    """A count needs a limit, and a minimum that is not above its maximum."""
    with pytest.raises(ConfigError, match="neither a minimum nor a maximum is given"):
        check()
    with pytest.raises(ConfigError, match="the minimum 3 is above the maximum 2"):
        check(**{low: 3, high: 2})
    assert check(**{low: 2, high: 2})(texts(by_size[2])) == []


@pytest.mark.parametrize(
    ("said", "words"), [("a  b", 2), (" a\n\tb ", 2), ("a-b c's", 2), ("\u00a0a\u2003b", 2), ("   ", 0), ("😀 é", 2)]
)
def test_words_are_split_at_white_space(said: str, words: int) -> None:
    """Any run of white space, at the ends too, separates words and counts as none."""
    assert WordCount(min_words=words, max_words=words)(texts(said)) == []


@pytest.mark.parametrize(
    ("said", "sentences"),
    [
        ("Hello", 1),
        ("Hello.", 1),
        ("Hello. World", 2),
        ("Really?! Yes... no", 3),
        ("Pi is 3.14, see example.org/a.b", 1),
        ("  \n ", 0),
        ("...", 1),
        ("One.\nTwo.\n", 2),
        ('He said "Hi." and left.', 1),
    ],
)
def test_sentences_end_at_marks_before_white_space(said: str, sentences: int) -> None:
    """A run of ``.``, ``!``, ``?`` ends a sentence only before white space or the end, and a rest is one more."""
    assert SentenceCount(min_sentences=sentences, max_sentences=sentences)(texts(said)) == []


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        ("the end", True),
        ("the end.", True),
        ("the end..", False),
        ("the end ", False),
        ("the End", False),
        ("end of it", False),
        ("", False),
    ],
)
def test_ends_with_allows_one_full_stop(said: str, ends: bool) -> None:
    """The suffix, or the suffix and a full stop, ends a content; ``not`` turns it around."""
    assert fails(EndsWith("end"), said) == ([] if ends else [0])
    assert fails(EndsWith("end", not_=True), said) == ([0] if ends else [])


def test_ends_with_needs_a_suffix() -> None:
    """An empty suffix, with which every text ends, is a mistake."""
    with pytest.raises(ConfigError, match="suffix is empty"):
        EndsWith("")


@pytest.mark.parametrize(
    ("said", "empty"), [("", True), (" \n\t", True), ("\u2003", True), ("x", False), ("null", False)]
)
def test_not_null_asks_for_something_other_than_white_space(said: str, empty: bool) -> None:
    """White space is nothing, and ``not`` turns it around."""
    assert fails(NotNull(), said) == ([0] if empty else [])
    assert fails(NotNull(not_=True), said) == ([] if empty else [0])


REQUIREMENTS = [
    WordCount(min_words=9),
    CharacterCount(min_characters=99),
    SentenceCount(min_sentences=9),
    EndsWith("z"),
]


@pytest.mark.parametrize("check", [*REQUIREMENTS, NotNull(not_=True)], ids=lambda check: check.id)
def test_a_requirement_is_asked_of_each_content_and_of_no_tool_argument(check: Any) -> None:
    """Every failing content is one finding without a span; arguments of tools are not asked."""
    said = [Text("a", 0), Text("b", 1, "content.0.text"), Text("c", 2, "tool_calls.0.function.arguments")]
    assert check(said) == [
        Finding(check.id, "format", message_index=0, field="content"),
        Finding(check.id, "format", message_index=1, field="content.0.text"),
    ]


@pytest.mark.parametrize("check", [*REQUIREMENTS, NotNull(), Contains(("a",), "any"), Contains(("a",), "none")])
def test_no_text_in_scope_is_no_finding(check: Any) -> None:
    """Where nothing is in scope, nothing is found."""
    assert check([]) == []


@pytest.mark.parametrize(
    ("check", "parameters", "passes", "blocks"),
    [
        ("contains", {"words": ["foo"], "operator": "none"}, "bar", "foo"),
        ("contains", {"words": ["foo", "bar"], "operator": "all"}, "bar foo", "foo"),
        ("wordCount", {"minWords": 2, "maxWords": 3}, "a b", "a"),
        ("wordCount", {"minWords": 2, "maxWords": 3, "not": True}, "a", "a b"),
        ("characterCount", {"minCharacters": 2, "maxCharacters": 3}, "abc", "abcd"),
        ("sentenceCount", {"minSentences": 1, "maxSentences": 1}, "A.", "A. B."),
        ("endsWith", {"suffix": "x", "not": False}, "ax", "xa"),
        ("notNull", {"not": True}, "", "x"),
    ],
)
def test_portkeys_parameter_names_reach_the_checks(
    check: str, parameters: dict[str, Any], passes: str, blocks: str
) -> None:
    """Each check is configured with the names in Portkey's manifest, and decides what the engine does."""
    engine = Engine.from_config({"input_guardrails": [{"id": "g", "deny": True, check: parameters}]})
    assert [str(engine.run(said).verdict) for said in (passes, blocks)] == ["allow", "block"]
    assert engine.run(blocks).findings[0].name == f"default.{check}"
