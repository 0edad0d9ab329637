"""``obfuscated``: the same values in other writing."""

from __future__ import annotations

import json
import unicodedata
import urllib.parse
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from pytest_guardrails import ConfigError
from pytest_guardrails.strategies import Sample, Span, obfuscated
from pytest_guardrails.strategies._obfuscated import WAYS

simplest = partial(find, settings=settings(database=None, max_examples=2000))
quick = settings(max_examples=40, database=None)
MAIL = Sample(
    'to "a-b@example.com", Eve 4000-10 20!', "attack", "EMAIL", "", (Span("EMAIL", 4, 19), Span("NO", 26, 36))
)
LATIN = str.maketrans("АВСЕНІКМОРТХасеіорхуј\u041e\u0406\u0417", "ABCEHIKMOPTXaceiopxyj013")


def without_marks(text: str) -> str:
    """Take out zero-width marks and soft hyphens."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


READ_BACK: dict[str, Callable[[str], str]] = {
    "full-width": lambda text: unicodedata.normalize("NFKC", text),
    "zero-width": without_marks,
    "no-break": lambda text: "".join(" " if letter.isspace() else letter for letter in text),
    "arabic-indic": lambda text: "".join(str(unicodedata.digit(letter, letter)) for letter in text),
    "homoglyphs": lambda text: text.translate(LATIN),
    "code": str,
    "json": lambda text: str(json.loads(f'"{text}"')),
    "json-escaped": lambda text: str(json.loads(f'"{text}"')),
    "url": urllib.parse.unquote,
}


def test_every_way_has_a_reader_here() -> None:
    """The table of this test is complete."""
    assert set(READ_BACK) == set(WAYS)


@pytest.mark.parametrize("way", WAYS)
def test_the_spans_cover_the_rewritten_values(way: str) -> None:
    """In each way the spans hold what reads back as the values, and the category names the way."""

    @quick
    @given(obfuscated(st.just(MAIL), [way]))
    def law(sample: Sample) -> None:
        assert sample.spans is not None
        values = ["a-b@example.com", "4000-10 20"]
        if way == "no-break":
            values[1] = "4000 10 20"
        if way == "homoglyphs":  # a zero and an O look alike
            values = [value.replace("0", "O").replace("O", "0") for value in values]
        assert [READ_BACK[way](sample.text[span.start : span.end]) for span in sample.spans] == values
        assert [span.entity for span in sample.spans] == ["EMAIL", "NO"]
        assert (sample.label, sample.category) == ("attack", f"EMAIL/{way}")
        assert sample.text != MAIL.text

    law()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("spans", [None, ()])
def test_a_sample_without_spans_is_rewritten_whole(way: str, spans: tuple[Span, ...] | None) -> None:
    """What nobody annotated is one value, and stays without spans."""
    sample = simplest(obfuscated(st.just(Sample("AC 10", "benign", "x", spans=spans)), [way]), lambda _: True)
    assert sample.spans == spans
    assert sample.category == f"x/{way}"
    assert sample.text != "AC 10"


@quick
@given(st.text(), st.sampled_from(["json", "json-escaped"]), st.data())
def test_json_is_json_around_any_text(text: str, way: str, data: st.DataObject) -> None:
    """Whatever the text is, the JSON that it stands in can be read, and says the text."""
    sample = data.draw(obfuscated(st.just(Sample(text, "benign", spans=())), [way]))
    read = json.loads(sample.text)
    assert text in (read.get("value"), read.get("user", {}).get("note"))


@quick
@given(st.text(), st.data())
def test_a_link_holds_any_text(text: str, data: st.DataObject) -> None:
    """Whatever the text is, it can be read from the link's query."""
    sample = data.draw(obfuscated(st.just(Sample(text, "benign", spans=())), ["url"]))
    query = sample.text.removeprefix("curl '").removesuffix("'").partition("?")[2]
    assert urllib.parse.parse_qs(query, keep_blank_values=True)["q"] == [text]


def test_a_hyphen_of_an_address_is_no_separator() -> None:
    """A value with letters keeps its hyphens: with a space in their place it would be another value."""
    mail = Sample("a-b c", "attack", "EMAIL", spans=(Span("EMAIL", 0, 5),))
    assert simplest(obfuscated(st.just(mail), ["no-break"]), lambda _: True).text == "a-b\u00a0c"


def test_every_way_is_drawn_by_default() -> None:
    """Without a choice all ways are taken."""
    samples = obfuscated(st.just(MAIL))
    for way in WAYS:
        wanted = f"EMAIL/{way}"
        assert simplest(samples, lambda sample, wanted=wanted: sample.category == wanted).category == wanted


def test_a_way_that_changes_nothing_is_not_drawn() -> None:
    """A text without digits has no other digits."""
    letters = Sample("zz", "benign", "x", spans=())

    @quick
    @given(obfuscated(st.just(letters), ["arabic-indic", "full-width"]))
    def law(sample: Sample) -> None:
        assert sample.category == "x/full-width"

    law()


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        (["full-with"], "unknown way to write a value 'full-with'; did you mean 'full-width'"),
        ([], "ways takes a list of one or more"),
        ("url", "ways takes a list of one or more, not 'url'"),
    ],
)
def test_unknown_ways_are_refused(ways: Any, said: str) -> None:
    """A wrong choice names the choices."""
    with pytest.raises(ConfigError, match=said):
        obfuscated(st.just(MAIL), ways)


def test_it_takes_a_strategy() -> None:
    """What is no strategy is refused at once."""
    wrong: Any = MAIL
    with pytest.raises(ConfigError, match=r"obfuscated\(\.\.\.\) takes a strategy"):
        obfuscated(wrong)
