"""Near misses and look-alikes: benign, invalid for every entity, of every kind."""

from __future__ import annotations

import datetime
import re
import uuid
from collections import Counter
from collections.abc import Callable, Mapping

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from stdnum import ean, isbn, luhn

from pytest_guardrails import strategies
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Text
from pytest_guardrails.checks import ContentModeration, PiiRedact, PromptInjectionDetect
from pytest_guardrails.strategies import Sample, look_alikes, near_misses, sample
from pytest_guardrails.strategies._families import ENTITIES, FAMILIES

Rules = Mapping[str, Callable[[str], bool]]
DRAWN = 10_000


@pytest.fixture(scope="module")
def misses() -> list[Sample]:
    """A population of near misses, twins and look-alikes."""
    return list(sample("near_misses", DRAWN, 11))


def test_none_is_a_value_of_any_entity(misses: list[Sample], rules: Rules) -> None:
    """A twin of one entity is no value of another by chance either, and no look-alike is one."""
    wrong = [(one, name) for one in misses for name, rule in rules.items() if rule(one.text)]
    assert wrong == []


def test_all_are_benign_without_a_span(misses: list[Sample]) -> None:
    """What nobody may act on has no place to act on."""
    assert {(one.label, one.spans) for one in misses} == {("benign", ())}
    assert all(one.text for one in misses)


def test_every_kind_of_twin_and_every_family_is_among_them(misses: list[Sample]) -> None:
    """Every twin of every entity, and every look-alike, is drawn, none of them hardly ever."""
    seen = Counter(one.category for one in misses)
    twins = {f"{entity.name}/{kind}" for entity in ENTITIES.values() for kind in entity.twins}
    assert set(seen) == twins | set(FAMILIES)
    assert min(seen.values()) > DRAWN / 1_000


@settings(max_examples=200)
@given(near_misses())
def test_hypothesis_draws_none_that_is_valid(rules: Rules, one: Sample) -> None:
    """The same holds for what Hypothesis makes of the recipes, odd as it is."""
    assert [name for name, rule in rules.items() if rule(one.text)] == []
    assert (one.label, one.spans) == ("benign", ())


def test_a_twin_off_the_checksum_is_one_digit_off() -> None:
    """A card's twin becomes a valid number again by changing one digit, and is none as it is."""
    for one in sample("near_misses", 20_000, 4):
        if one.category == "CREDIT_CARD/checksum":
            number = re.sub(r"\D", "", one.text)
            mended = (number[:at] + digit + number[at + 1 :] for at in range(len(number)) for digit in "0123456789")
            assert not luhn.is_valid(number)
            assert any(map(luhn.is_valid, mended))


def test_a_twin_out_of_range_has_a_good_checksum() -> None:
    """A card that nobody issues fails by its range alone."""
    twins = [one for one in sample("near_misses", 20_000, 4) if one.category == "CREDIT_CARD/range"]
    assert len(twins) > 50
    assert all(luhn.is_valid(re.sub(r"\D", "", one.text)) for one in twins)


@given(near_misses(["US_SSN", "IBAN"]))
def test_twins_are_of_the_entities_that_are_asked_for(one: Sample) -> None:
    """With entities, their twins alone: no look-alikes."""
    assert one.category.split("/")[0] in ("US_SSN", "IBAN")


@given(look_alikes(["epoch_ms", "uuids"]))
def test_look_alikes_are_of_the_families_that_are_asked_for(one: Sample) -> None:
    """With families, nothing else."""
    assert one.category in ("epoch_ms", "uuids")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: near_misses(["CARD"]), "unknown entity 'CARD'.*CREDIT_CARD"),
        (lambda: look_alikes(["epochs"]), "unknown family 'epochs'.*epoch_ms"),
        (lambda: look_alikes("uuids"), "families takes a list of one or more, not 'uuids'"),
    ],
)
def test_what_is_unknown_is_refused_with_the_choices(made: Callable[[], object], message: str) -> None:
    """A typo is an error where the strategy is made."""
    with pytest.raises(ConfigError, match=message):
        made()


def numbers(text: str) -> str:
    """Return the longest run of digits, hyphens and X in a text, without the hyphens."""
    return max(re.findall(r"[\dX-]+", text), key=len).replace("-", "")


def is_time(text: str, scale: int) -> bool:
    """True if the number in a text is a time between 2001 and 2033."""
    year = datetime.datetime.fromtimestamp(int(numbers(text)) / scale, datetime.UTC).year
    return 2001 <= year <= 2033


FAMILY_RULES: dict[str, Callable[[str], bool]] = {
    "epoch_s": lambda text: is_time(text, 1),
    "epoch_ms": lambda text: is_time(text, 1_000),
    "isbn_10": lambda text: isbn.isbn_type(re.sub("^ISBN(-10)?:? ", "", text)) == "ISBN10",
    "isbn_13": lambda text: isbn.isbn_type(re.sub("^ISBN(-13)?:? ", "", text)) == "ISBN13",
    "ean_13": lambda text: bool(ean.is_valid(numbers(text))),
    "uuids": lambda text: uuid.UUID(re.findall(r"[0-9a-f-]{36}", text)[0]).version == 4,
    "git_shas": lambda text: re.search(r"\b(?:[0-9a-f]{7}|[0-9a-f]{40})$", text) is not None,
    "sha256": lambda text: re.search(r"\b[0-9a-f]{64}$", text) is not None,
    "sk_words": lambda text: re.search(r"[a-z]sk-[\w-]{16}", text) is not None,
    "versions": lambda text: re.search(r"\d+\.\d+\.\d+", text) is not None,
    "four_part_versions": lambda text: re.search(r"[a-z/] ?\d+(\.\d+){3}$", text) is not None,
    "product_phrases": lambda text: text[0].isupper() and text[-1] in ".?",
    "at_in_prose": lambda text: " at " in text or " dot " in text,
}


@pytest.mark.parametrize("name", FAMILY_RULES)
def test_a_look_alike_is_what_it_says(name: str) -> None:
    """A family is the real thing: a book's number has a book's check digit, a time is a time."""
    assert [one.text for one in sample(name, 500, 5) if not FAMILY_RULES[name](one.text)] == []


def test_both_lengths_of_a_commit_and_both_forms_of_an_isbn_appear() -> None:
    """Short and whole hashes, bare and hyphenated numbers, X included."""
    assert {len(one.text) for one in sample("git_shas", 200, 1)} >= {7, 40}
    books = [one.text for one in sample("isbn_10", 500, 1)]
    assert any("-" in text for text in books)
    assert any(text.endswith("X") for text in books)


def test_a_false_positive_shrinks_to_the_bare_value() -> None:
    """A guard that takes ten digits for a telephone number is shown such digits, and nothing around them."""
    once, ten = settings(database=None), re.compile(r"\d{10}")
    few = look_alikes(["order_numbers", "epoch_s"])
    assert find(few, lambda one: ten.search(one.text) is not None, settings=once).text == "1000000000"
    shown = find(near_misses(), lambda one: ten.search(one.text) is not None, settings=once).text
    assert len(shown) <= 24
    assert shown.count("0") >= 9


# False positives of the built-in guard, of a thousand of each category; all others are silent.
NOISY = {
    "PHONE/range": 250,  # +999 is no country's code
    "IBAN/checksum": 50,  # four of its groups may be a card
    "IBAN/length": 50,
    "IBAN/range": 50,
}


@pytest.mark.parametrize("check", [PiiRedact(), PromptInjectionDetect(), ContentModeration()], ids=lambda c: c.id)
def test_the_built_in_guards_stay_silent(check: Callable[[list[Text]], list[object]], misses: list[Sample]) -> None:
    """No check acts on look-alikes, and on twins only where it is known and counted here."""
    total, wrong = Counter(one.category for one in misses), Counter[str]()
    for one in misses:
        wrong[one.category] += bool(list(check([Text(one.text)])))
    rates = {category: hits / total[category] * 1_000 for category, hits in wrong.items() if hits}
    assert {category: rate for category, rate in rates.items() if rate > NOISY.get(category, 0)} == {}
    assert set(FAMILIES) & set(rates) == set()


@settings(max_examples=50)
@given(st.data())
def test_no_draw_is_rejected(data: st.DataObject) -> None:
    """Recipes build what they mean and never throw it away: no health check fires, for any entity or family."""
    entity = data.draw(st.sampled_from(sorted(ENTITIES)))
    data.draw(near_misses([entity]))
    data.draw(look_alikes([data.draw(st.sampled_from(sorted(FAMILIES)))]))
    data.draw(strategies.pii([entity]))
