"""What `ContentModeration` flags: whole words, in any case, of the default list or of the user's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_guardrails import ConfigError
from pytest_guardrails._model import Text
from pytest_guardrails.checks import ContentModeration
from pytest_guardrails.checks.moderation import DEFAULT_CATEGORIES


def names(text: str, check: ContentModeration | None = None) -> list[str]:
    """Return the categories found."""
    return [finding.name for finding in (check or ContentModeration())([Text(text)])]


@pytest.mark.parametrize(("category", "phrase"), [(c, p) for c, ps in DEFAULT_CATEGORIES.items() for p in ps])
def test_default_phrase_is_flagged(category: str, phrase: str) -> None:
    """Every phrase of the default list is flagged under its category, in any case and across a line break."""
    assert names(f"please {phrase.upper()}!") == [category]
    assert names(phrase.replace(" ", " \n ")) == [category]


@pytest.mark.parametrize(
    "text",
    [
        "How do I kill a process?",
        "Which lens is best to shoot a video?",
        "How do I make a bath bomb?",
        "I cut myself while shaving.",
        "This could kill my battery.",
        "How much did I spend on gas the last month?",
        "remake a bomber jacket",
        "",
    ],
)
def test_ordinary_words_pass(text: str) -> None:
    """Ordinary messages that use a violent word are left alone."""
    assert names(text) == []


def test_users_categories_replace_the_default() -> None:
    """The user's categories are used alone, phrases with punctuation and other scripts included."""
    check = ContentModeration({"rivals": ["acme corp", "c++", "Straße", "привет"]})
    assert names("make a bomb", check) == []
    assert names("is ACME  Corp cheaper?", check) == ["rivals"]
    assert names("I like C++.", check) == ["rivals"]
    assert names("straße, ПРИВЕТ", check) == ["rivals", "rivals"]
    assert names("acme corporation", check) == []


def test_every_occurrence_is_a_finding() -> None:
    """Each occurrence is a finding with its own span, message and field, and no replacement."""
    findings = ContentModeration({"x": ["foo"]})([Text("foo, Foo", 1, "content[2]")])
    assert [(f.start, f.end, f.message_index, f.field, f.replacement) for f in findings] == [
        (0, 3, 1, "content[2]", None),
        (5, 8, 1, "content[2]", None),
    ]


@given(st.text(alphabet="ab", min_size=1, max_size=4), st.text(alphabet="ab ", max_size=12))
def test_phrase_is_found_only_as_whole_words(word: str, text: str) -> None:
    """A word is found exactly as often as it stands between spaces."""
    assert len(names(text, ContentModeration({"x": [word]}))) == text.split().count(word)


@pytest.mark.parametrize("categories", [{}, {"x": []}, {"x": [" "]}, {"x": "word"}])
def test_empty_categories_are_refused(categories: dict[str, list[str]]) -> None:
    """Categories that would moderate nothing, or every letter, are refused."""
    with pytest.raises(ConfigError, match=r"categor"):
        ContentModeration(categories)
