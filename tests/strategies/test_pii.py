"""What the strategies of personal data and credentials draw: valid, in every layout, in its place, and small."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from stdnum import bitcoin, iban, luhn, verhoeff

from pytest_guardrails import strategies
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Text
from pytest_guardrails.checks import PiiRedact
from pytest_guardrails.checks.pii import ENTITIES as DETECTED
from pytest_guardrails.strategies import Sample, Span, _families, sample
from pytest_guardrails.strategies._families import BRANDS, COUNTRIES, ENTITIES, PROVIDERS, REGIONS, _checksums

Rules = Mapping[str, Callable[[str], bool]]
NAMES = sorted(ENTITIES)
OPTIONS = {
    "credit_cards": ("brand", BRANDS),
    "ibans": ("country", COUNTRIES),
    "phone_numbers": ("region", REGIONS),
    "api_keys": ("provider", PROVIDERS),
}


def strategy(name: str, **options: str) -> st.SearchStrategy[Sample]:
    """Return the strategy of an entity."""
    made: st.SearchStrategy[Sample] = getattr(strategies, ENTITIES[name].strategy)(**options)
    return made


def value(drawn: Sample) -> str:
    """Return what stands at the span of a sample."""
    (span,) = drawn.spans or ()
    return drawn.text[span.start : span.end]


def shape(text: str) -> str:
    """Return a text with its digits as 0."""
    return re.sub(r"\d", "0", text)


def test_every_entity_has_a_rule_and_a_public_strategy(rules: Rules) -> None:
    """No entity goes unchecked, and each has a strategy of its own."""
    assert set(rules) == set(ENTITIES) >= set(DETECTED)
    assert {entity.strategy for entity in ENTITIES.values()} < set(strategies.__all__)
    assert {"Sample", "Span"} < set(strategies.__all__)
    assert strategies.Span is Span


@pytest.mark.parametrize("name", NAMES)
def test_what_a_seed_draws_is_valid_and_in_its_place(name: str, rules: Rules) -> None:
    """Each of 2,000 sampled values passes its checksum and rules, is an attack, and stands where its span says."""
    for one in sample(ENTITIES[name].strategy, 2_000, 1):
        assert rules[name](one.text), one
        assert (one.label, one.category) == ("attack", name)
        assert [span.entity for span in one.spans or ()] == [name]
        assert value(one) == value(one).strip(' <>"[]=')
        assert value(one)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10)
@given(data=st.data())
def test_what_hypothesis_draws_is_valid_and_in_its_place(name: str, rules: Rules, data: st.DataObject) -> None:
    """The strategy draws from the same recipe: the same rules hold."""
    one = data.draw(strategy(name))
    assert rules[name](one.text)
    assert [span.entity for span in one.spans or ()] == [name]
    assert value(one)


SIMPLEST = {
    "EMAIL": "ana@example.com",
    "CREDIT_CARD": "4000" + "0" * 11 + "2",
    "IBAN": "DE36" + "0" * 18,
    "PHONE": "212-555-0100",
    "US_SSN": "001-01-0001",
    "US_NPI": "NPI 1000000004",
    "UK_NINO": "AA000000A",
    "IN_AADHAAR": "2000 0000 0009",
    "MAC_ADDRESS": "00:00:5e:00:53:01",
}


@pytest.mark.parametrize("name", SIMPLEST)
def test_the_simplest_value_is_what_it_shrinks_to(name: str) -> None:
    """With nothing to look for, Hypothesis finds the first layout with zeros."""
    assert find(strategy(name), lambda one: True, settings=settings(database=None)).text == SIMPLEST[name]


def test_a_failing_card_shrinks_to_what_makes_it_fail() -> None:
    """A property of the layout shrinks the digits away, and one of the digits the layout."""
    few = settings(database=None, max_examples=2_000)
    assert find(strategy("CREDIT_CARD"), lambda one: "-" in one.text, settings=few).text == "4000-0000-0000-0002"
    assert find(strategy("CREDIT_CARD"), lambda one: "7" in one.text, settings=few).text.isdigit()


def test_a_key_shrinks_to_no_placeholder() -> None:
    """The simplest key has letters and digits in turn, so that a guard that ignores dummies still finds it."""
    key = find(strategy("API_KEY", provider="github"), lambda one: True, settings=settings(database=None))
    assert key.text == "ghp_" + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


LETTERS = {"UK_NINO": ("[A-Z]", "A"), "IP_ADDRESS": ("[a-fA-F]", "0"), "MAC_ADDRESS": ("[a-fA-F]", "0")}
LAYOUTS = {
    "CREDIT_CARD": [
        "0" * 16,
        "0000 0000 0000 0000",
        "0000-0000-0000-0000",
        "0000 000000 00000",
        "0000-000000-0000",
        "0000 0000 0000 0000 000",
        "card 0000000000000",
        "card 0000 0000 0000",
    ],
    "US_SSN": ["000-00-0000", "SSN 000000000", "social security number 000 00 0000"],
    "IBAN": ["DE" + "0" * 20, "DE00 0000 0000 0000 0000 00", "NO00 0000 0000 000"],
    "PHONE": [
        "(000) 000-0000", "000-000-0000", "000.000.0000", "000 000 0000", "0-000-000-0000", "+0 (000) 000-0000",
        "+00000000000", "000-000-0000 ext. 00", "phone: 0000000000", "+00 00 0000 0000", "+00 (0)00 0000 0000",
        "0000 00 0000 0000", "Tel. 000 0000 0000", "+00-00-0000-0000",
    ],
    "IP_ADDRESS": [
        "000.0.0.00", "00.00.00.000:00000", "000.0.0.00/00", "0000:000::0000", "0000:000:0000::0000",
        "0000:0000:0000:0000:0000:0000:0000:0000", "[0000:000::0000]:00000",
    ],
    "MAC_ADDRESS": ["00:00:00:00:00:00", "00-00-00-00-00-00", "0000.0000.0000", "MAC 000000000000"],
    "UK_NHS": ["NHS number 0000000000", "NHS number 000 000 0000", "NHS 000-000-0000"],
    "UK_NINO": ["AA000000A", "AA 00 00 00 A", "AA-00-00-00-A"],
    "IN_AADHAAR": ["0000 0000 0000", "0000-0000-0000", "Aadhaar 000000000000"],
    "BR_CPF": ["000.000.000-00", "CPF 000.000.000-00", "CPF 00000000000"],
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_appears(name: str) -> None:
    """A few thousand samples hold every layout in which the value is written."""
    letters, instead = LETTERS.get(name, ("0", "0"))
    seen = {re.sub(letters, instead, shape(one.text)) for one in sample(ENTITIES[name].strategy, 8_000, 2)}
    assert {re.sub(letters, instead, layout) for layout in LAYOUTS[name]} - seen == set()


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=20)
@given(data=st.data())
def test_an_option_keeps_to_its_choice(name: str, rules: Rules, data: st.DataObject) -> None:
    """A brand, country, region or provider draws its own alone, every one of them validly."""
    option, choices = OPTIONS[name]
    choice = data.draw(st.sampled_from(sorted(choices)))
    one = data.draw(getattr(strategies, name)(**{option: choice}))
    assert rules[one.category](one.text)
    if name == "ibans":
        assert value(one).startswith(choice)
    if choice in ("visa", "amex"):
        assert value(one)[0] == {"visa": "4", "amex": "3"}[choice]
    if choice == "FR":
        assert any(prefix in value(one) for prefix in ("33", "01 99", "02 61", "04 65", "06 39", "FR"))


def test_every_country_of_the_registry_has_its_ibans() -> None:
    """Each country's structure is that of python-stdnum, its national check digits included."""
    for country in COUNTRIES:
        stream = _families.iban_recipe(country).stream(_families.Seeded(country))
        values = [next(stream).text for _ in range(5)]
        assert all(iban.is_valid(text) and text.startswith(country) for text in values), values
    assert len(COUNTRIES) == 89


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: strategies.credit_cards(brand="vise"), r"unknown brand 'vise'; did you mean 'visa'\?.*amex"),
        (lambda: strategies.ibans(country="US"), r"unknown country 'US'.*DE"),
        (lambda: strategies.phone_numbers(region="de"), r"unknown region 'de'.*DE"),
        (lambda: strategies.api_keys(provider="open_ai"), r"unknown provider 'open_ai'; did you mean 'openai'"),
        (lambda: strategies.pii(["EMAIL", "SSN"]), r"unknown entity 'SSN'; did you mean 'US_SSN'"),
        (lambda: strategies.pii("EMAIL"), r"entities takes a list of one or more, not 'EMAIL'. Choices: EMAIL"),
        (lambda: strategies.pii([]), r"entities takes a list of one or more, not \[\]"),
    ],
)
def test_what_is_unknown_is_refused_at_once_with_the_choices(made: Callable[[], Any], message: str) -> None:
    """A typo is an error where the strategy is made, not where it draws."""
    with pytest.raises(ConfigError, match=message):
        made()


@given(strategies.pii(["EMAIL", "IBAN"]))
def test_pii_draws_of_the_entities_that_are_asked_for(one: Sample) -> None:
    """Of two entities, nothing else is drawn."""
    assert one.category in ("EMAIL", "IBAN")


def test_pii_draws_every_entity() -> None:
    """Without entities, all of them."""
    assert {one.category for one in sample("pii", 2_000, 1)} == set(ENTITIES)


@given(st.from_regex(r"[0-9]{3,18}", fullmatch=True))
def test_check_digits_are_those_of_stdnum(body: str) -> None:
    """The quick arithmetic gives what python-stdnum gives."""
    assert _checksums.luhn(body) == luhn.calc_check_digit(body)
    assert _checksums.verhoeff(body) == verhoeff.calc_check_digit(body)
    assert _checksums.iban_check("DE", body) == iban.calc_check_digits(f"DE00{body}")


@given(st.binary(min_size=20, max_size=20), st.sampled_from([b"\0", b"\5"]))
def test_addresses_of_bitcoin_are_those_of_stdnum(payload: bytes, version: bytes) -> None:
    """Base 58 with its check is right for every payload, zeros in front included."""
    assert bitcoin.is_valid(_checksums.base58check(version + payload))


# What the built-in guard finds exactly, of every hundred; a guard that gets worse fails here.
RECALL = {
    "EMAIL": 1.0,
    "CREDIT_CARD": 0.98,  # misses Maestro's twelve digits in groups
    "US_SSN": 1.0,
    "IBAN": 1.0,
    "PHONE": 0.70,  # misses 00 for +
    "IP_ADDRESS": 1.0,
    "API_KEY": 0.88,  # misses keys without a digit, or with it far from the letters
}


@pytest.mark.parametrize("name", DETECTED)
def test_the_built_in_guard_finds_them(name: str) -> None:
    """`pii_redact` finds the values of its own entities where they stand, as often as it did when this was written."""
    check, hits = PiiRedact(), 0
    for one in sample(ENTITIES[name].strategy, 1_000, 3):
        (span,) = one.spans or ()
        hits += any((f.name, f.start, f.end) == (name, span.start, span.end) for f in check([Text(one.text)]))
    assert hits >= RECALL[name] * 1_000
