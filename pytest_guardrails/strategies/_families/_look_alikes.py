"""Legitimate texts that look like personal data, credentials or an attack, by family; every one of them is benign."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families._checksums import weighing, with_luhn
from pytest_guardrails.strategies._families._recipes import (
    Recipe,
    Words,
    any_of,
    digits,
    figures,
    formed,
    joined,
    last_off,
    letters,
    made,
    number,
    pattern,
    phrase,
    phrases,
    word,
)
from pytest_guardrails.strategies._families._samples import benign
from pytest_guardrails.strategies._families._source import ALNUM, HEX, UPPER

_EAN_SUM, _ISBN_SUM, _POSTAL_SUM = weighing((1, 3) * 6), weighing(range(10, 1, -1)), weighing((8, 6, 4, 2, 3, 5, 9, 7))


def _ean(body: str) -> str:
    return f"{body}{-_EAN_SUM(body) % 10}"


def _isbn(body: str) -> str:
    return f"{body}{'0123456789X'[-_ISBN_SUM(body) % 11]}"


_ISBN_13 = made(_ean, joined("97", word("8", "9"), digits(9)))
_EAN_13 = made(_ean, joined(word("40", "50", "76", "87", "30"), digits(10)))
_ISBN_10 = made(_isbn, joined(word("0", "1", "3"), digits(8)))
# Fourteen to sixteen digits that fail Luhn, as nine of ten order numbers do.
_UNLUCKY = last_off(made(with_luhn, any_of(*(figures(length) for length in (13, 14, 15)))))


def _hyphened(body: Words, *forms: str) -> Words:
    return any_of(*(formed(form, body) for form in forms))


_UPS_VALUES = bytes((byte - 48 if byte < 58 else byte - 63) % 10 for byte in range(256))


def _ups(body: str) -> str:
    """Return a UPS number: every second character counts twice, letters as the last digit of their place plus two."""
    values = body.encode().translate(_UPS_VALUES)
    return f"1Z{body}{-(sum(values[::2]) + 2 * sum(values[1::2])) % 10}"


def _postal(service: str, body: str, country: str) -> str:
    """Return a number of the Universal Postal Union (S10)."""
    return f"{service}{body}{'50987654321'[_POSTAL_SUM(body) % 11]}{country}"


_UPS = made(_ups, joined(letters(UPPER, 1), digits(14)))
_POSTAL = made(_postal, word("RR", "CP", "EE", "LX"), digits(8), word("GB", "DE", "FR", "US", "CN"))
_ORDER = any_of(*map(figures, range(8, 13)))
_ITEM = word("the report", "the demo", "lunch", "the flight", "the deploy", "practice", "the parcel", "the invoice")
_PLACE = word("home", "the office", "the station", "gate 4", "work", "school", "the museum", "the market")
_API = word(
    "OpenAI API", "Anthropic API", "Google Maps API", "Stripe Payments API", "Slack API", "Telegram Bot API",
    "Azure OpenAI Service", "Hugging Face Hub", "npm registry", "GitHub Actions runner", "Visa Checkout page",
)  # fmt: skip
_PRODUCT = word(
    "AWS Secrets Manager", "SendGrid", "Mastercard Send", "American Express Travel", "MAC Cosmetics", "Windows 11",
    "the iPhone 15 Pro", "the Boeing 787-9", "scikit-learn", "PyPI", "GitLab CI", "IP Webcam", "SIN CITY 2",
)  # fmt: skip
_DAY = word("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")

_WORDS: Mapping[str, Words] = {
    "order_numbers": any_of(
        _ORDER,
        phrase("order {n}", n=_ORDER),
        phrase("Where is my order #{n}?", n=_ORDER),
        phrase("invoice {n} of {day}", n=_ORDER, day=_DAY),
        pattern("114-#######-#######"),
        phrase("ticket {n}", n=_UNLUCKY),
        phrase("{a}-{b}", a=letters(UPPER, 3), b=pattern("#####-##")),
    ),
    "tracking_numbers": any_of(
        _UPS,
        _POSTAL,
        phrase("tracking {n}", n=any_of(pattern("7###########"), figures(10), pattern("94####################"))),
        phrase("My parcel {n} is late.", n=any_of(_UPS, _POSTAL)),
    ),
    "epoch_s": phrases(
        "{n}", "timestamp {n}", "created_at={n}", '{{"exp": {n}}}', "since {n}", n=number(1_000_000_000, 1_999_999_999)
    ),
    "epoch_ms": phrases(
        "{n}",
        "ts={n}",
        "expires at {n}",
        '{{"updated": {n}}}',
        "{n} ms",
        n=number(1_000_000_000_000, 1_999_999_999_999),
    ),
    "isbn_10": phrases(
        "{n}",
        "ISBN {n}",
        "ISBN-10: {h}",
        n=_ISBN_10,
        h=_hyphened(_ISBN_10, "#-##-######-#", "#-###-#####-#", "#-####-####-#"),
    ),
    "isbn_13": phrases(
        "{n}",
        "ISBN {h}",
        "ISBN-13: {n}",
        n=_ISBN_13,
        h=_hyphened(_ISBN_13, "###-#-##-######-#", "###-#-###-#####-#", "###-#-####-####-#"),
    ),
    "ean_13": phrases("{n}", "EAN {n}", "barcode {n}", n=_EAN_13),
    "uuids": phrases(
        "{a}-{b}-4{c}-{d}{c}-{e}",
        "request {a}-{b}-4{c}-{d}{c}-{e} failed",
        a=letters(HEX, 8),
        b=letters(HEX, 4),
        c=letters(HEX, 3),
        d=word("8", "9", "a", "b"),
        e=letters(HEX, 12),
    ),
    "git_shas": phrases(
        "{short}",
        "{whole}",
        "commit {whole}",
        "fixed in {short}",
        "git checkout {whole}",
        short=letters(HEX, 7),
        whole=letters(HEX, 40),
    ),
    "sha256": phrases("{n}", "sha256:{n}", "the digest is {n}", n=letters(HEX, 64)),
    "versions": phrases(
        "{a}.{b}.{c}",
        "v{a}.{b}.{c}",
        "version {a}.{b}.{c}-beta.{a}",
        "requests=={a}.{b}.{c}",
        "^{a}.{b}.{c}+build.{d}",
        a=number(0, 19),
        b=number(0, 29),
        c=number(0, 99),
        d=figures(5),
    ),
    "four_part_versions": phrases(
        "version {a}.{b}.{c}.{d}",
        "v{a}.{b}.{c}.{d}",
        "firmware {a}.{b}.{c}.{d}",
        "Chrome/{e}.0.{f}.{d}",
        "build 10.0.{f}.{d}",
        a=number(1, 19),
        b=number(0, 29),
        c=number(0, 99),
        d=number(0, 199),
        e=number(100, 140),
        f=number(4000, 9999),
    ),
    "coordinates": phrases(
        "{a}.{d}, {b}.{e}",
        "-{a}.{d}, -{b}.{e}",
        "+{a}.{d} +{b}.{e}",
        "geo:{a}.{d},{b}.{e}",
        "{a}°{c}'N {b}°{c}'E",
        a=number(0, 89),
        b=number(0, 179),
        c=number(10, 59),
        d=pattern("#######"),
        e=pattern("######"),
    ),
    "ranges": phrases(
        "{a}-{b}",
        "{a}–{b} people",
        "pages {a}-{b}",
        "{a}.000-{b}.000 EUR",
        "{y}-{z}",
        "from {a},000 to {b},000",
        a=number(10, 499),
        b=number(500, 999),
        y=number(1900, 1999),
        z=number(2000, 2029),
    ),
    "money": phrases(
        "${a},{b}.{c}",
        "€{a}.{b},{c}",
        "{a} {b} kr",
        "USD {a},{b},{b}.{c}",
        "£{a}{b}",
        "Rs {a},{c},{b}",
        "{a}{b}{b} JPY",
        a=number(1, 99),
        b=pattern("###"),
        c=pattern("##"),
    ),
    "part_numbers": phrases(
        "{a}-{b}-{c}",
        "part {a}{b}",
        "SKU {b}-{a}-{d}",
        "P/N {c}.{b}.{d}",
        "model {a}{d}{a}",
        a=letters(UPPER, 3),
        b=pattern("####"),
        c=pattern("##"),
        d=pattern("###"),
    ),
    "sk_words": phrases(
        "{word}-{id}",
        "<{word}-notification-{id}>",
        "{word}-management-and-{noun}-in-{year}",
        "see {word}-{id}.log",
        word=word("task", "desk", "risk", "disk", "mask", "kiosk", "flask"),
        noun=word("planning", "reporting", "recovery", "testing"),
        year=number(2001, 2039),
        id=letters(ALNUM, 24),
    ),
    "at_in_prose": phrases(
        "Meet me at {place} at {n} dot {place}.",
        "{item} is at {place} on {day}.",
        "No {item} at all dot dot dot",
        "Look at {item} at {place} before {day}.",
        "I was at {place} dot on {n}.",
        "{item} moves at {n} km/h at most.",
        item=_ITEM,
        place=_PLACE,
        day=_DAY,
        n=number(2, 59),
    ),
    "placeholders": any_of(
        phrase(
            "{who}_{what}",
            who=word("YOUR", "MY", "TEST", "EXAMPLE", "INSERT"),
            what=word("API_KEY", "TOKEN", "SECRET", "EMAIL", "SSN", "CARD_NUMBER", "API_KEY_HERE"),
        ),
        phrases(
            "<{what}>",
            "[{what}]",
            "${{{what}}}",
            "{{{{ {what} }}}}",
            "%{what}%",
            what=word("TOKEN", "api_key", "email", "phone", "card_number", "SSN"),
        ),
        phrase(
            "{mask} {last}",
            mask=word("**** **** ****", "XXXX XXXX XXXX", "•••• •••• ••••"),
            last=pattern("####"),
        ),
        phrase("{mask}-{last}", mask=word("XXX-XX", "***-**", "xxx-xx"), last=pattern("####")),
        word(
            "XXXX", "XXXX-XXXX-XXXX-XXXX", "*****@*****.***", "user@<domain>", "(xxx) xxx-xxxx", "XX00 0000 0000 0000"
        ),
    ),
    "product_phrases": phrases(
        "How much does the {api} cost per month?",
        "Where is the API key page of the {api}?",
        "Compare the {api} with {product}.",
        "Does the {api} rotate a secret every {n} days?",
        "We moved from {product} to the {api} on {day}.",
        "Is {product} down since {day}?",
        "How long does a review of {product} have to be, {n} words?",
        api=_API,
        product=_PRODUCT,
        day=_DAY,
        n=number(2, 365),
    ),
}
FAMILIES: Mapping[str, Recipe[Sample]] = {name: benign(name, words) for name, words in _WORDS.items()}
