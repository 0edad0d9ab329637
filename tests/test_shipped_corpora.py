"""The shipped sets keep their promises: form, labels, variety, true spans, and nothing that belongs to anybody."""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import stdnum.au.tfn
import stdnum.bitcoin
import stdnum.br.cpf
import stdnum.ca.sin
import stdnum.ch.ssn
import stdnum.de.idnr
import stdnum.es.nif
import stdnum.fi.hetu
import stdnum.fr.nir
import stdnum.gb.nhs
import stdnum.iban
import stdnum.imei
import stdnum.in_.aadhaar
import stdnum.in_.pan
import stdnum.it.codicefiscale
import stdnum.kr.rrn
import stdnum.luhn
import stdnum.mac
import stdnum.nl.bsn
import stdnum.pl.pesel
import stdnum.se.personnummer
import stdnum.us.itin
import stdnum.us.ssn

from pytest_guardrails._errors import ConfigError
from pytest_guardrails.checks import FOUND, PiiRedact
from pytest_guardrails.checks._keys import keys
from pytest_guardrails.corpora import ENTITIES, NEAR_MISSES, SHIPPED, shipped

PAGE = Path(__file__).resolve().parent.parent / "docs/shipped-corpora.md"
Row = dict[str, Any]
LABELS = {"attacks": "attack", "benign": "benign"}
ROWS: dict[str, list[Row]] = {
    name: [json.loads(line) for line in shipped(name).read_text(encoding="utf-8").splitlines()] for name in SHIPPED
}
BOTH = [row for name in SHIPPED for row in ROWS[name]]
WORDS = re.compile(r"\w+")
CARDS = WORDS.findall(  # what payment providers and card brands publish for tests
    "4111111111111111 4012888888881881 4242424242424242 4000056655665556 5555555555554444 5105105105105100 "
    "5200828282828210 2223003122003222 378282246310005 371449635398431 6011111111111117 6011000990139424 "
    "30569309025904 38520000023237 3530111333300000 3566002020360505 6200000000000005 5019717010103742"
)
SSNS = ("078051120", "219099999", "123456789")  # two withdrawn after advertisements, and the one of every form
FICTION = (  # numbers that regulators keep free for films and documentation
    r"1?[2-9][0-9]{2}55501[0-9]{2}(?:42)?",  # North America; 42 is an extension
    r"(?:44|0)(?:207946|7700900|1632960)[0-9]{3,4}",  # Great Britain
    r"(?:49|0)(?:3023125[0-9]{3}|1713920012|15228895456)",  # Germany
    r"(?:33|0)(?:63998|19900)[0-9]{4}",  # France
    r"(?:61|0)(?:491570[0-9]{3}|27010[0-9]{4})",  # Australia
    r"(?:46|0)(?:313900[0-9]{3}|701740[0-9]{3})",  # Sweden
)


def _hex_letters_are_mixed(value: str) -> bool:
    """True for an Ethereum address as the mixed-case checksum writes it, or a valid Bitcoin one."""
    if value.startswith("0x"):
        return bool(re.fullmatch(r"0x[0-9a-fA-F]{40}", value)) and not value.islower()
    return bool(stdnum.bitcoin.is_valid(value))


VALID: dict[str, Callable[[str], Any]] = {
    "AU_TFN": stdnum.au.tfn.is_valid,
    "BR_CPF": stdnum.br.cpf.is_valid,
    "CA_SIN": stdnum.ca.sin.is_valid,
    "CH_AHV": stdnum.ch.ssn.is_valid,
    "CREDIT_CARD": lambda value: re.sub("[ -]", "", value) in CARDS and stdnum.luhn.is_valid(re.sub("[ -]", "", value)),
    "CRYPTO": _hex_letters_are_mixed,
    "DATE_OF_BIRTH": lambda value: re.search(r"(?:19|20)[0-9]{2}\Z", value),
    "DE_TAX_ID": stdnum.de.idnr.is_valid,
    "EMAIL": lambda value: re.fullmatch(r"[^@\s]+@(?:.+\.)?(?:example(?:\.(?:com|org|net))?|test)", value.lower()),
    "ES_NIF": stdnum.es.nif.is_valid,
    "FI_PERSONAL_IDENTITY_CODE": stdnum.fi.hetu.is_valid,
    "FR_NIR": stdnum.fr.nir.is_valid,
    "IBAN": lambda value: stdnum.iban.is_valid(value, check_country=False),
    "IMEI": stdnum.imei.is_valid,
    "IN_AADHAAR": stdnum.in_.aadhaar.is_valid,
    "IN_PAN": stdnum.in_.pan.is_valid,
    "IP_ADDRESS": lambda value: any(ipaddress.ip_address(value) in net for net in DOCUMENTATION),
    "IT_FISCAL_CODE": stdnum.it.codicefiscale.is_valid,
    "KR_RRN": stdnum.kr.rrn.is_valid,
    "LOCATION": lambda value: re.search(r"[0-9]", value),
    "MAC_ADDRESS": lambda value: re.sub("[^0-9a-f]", "", value.lower()).startswith("00005e0053"),
    "NL_BSN": stdnum.nl.bsn.is_valid,
    "PASSWORD": lambda value: len(value) > 3,
    "PHONE": lambda value: any(re.fullmatch(plan, re.sub("[^0-9]", "", value)) for plan in FICTION),
    "PL_PESEL": stdnum.pl.pesel.is_valid,
    "SE_PERSONNUMMER": stdnum.se.personnummer.is_valid,
    "SG_NRIC_FIN": lambda value: re.fullmatch(r"[STFG][0-9]{7}[A-Z]", value),
    "UK_NHS": lambda value: stdnum.gb.nhs.is_valid(value) and value.startswith("999"),
    "UK_NINO": lambda value: re.fullmatch(r"QQ(?: ?[0-9]{2}){3} ?[A-D]", value),
    "US_ITIN": stdnum.us.itin.is_valid,
    "US_NPI": lambda value: stdnum.luhn.is_valid(f"80840{value}"),
    "US_SSN": lambda value: re.sub("[ .-]", "", value) in SSNS,
}
DOCUMENTATION = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))


def values(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the entity and the text of each span of a row."""
    for span in row.get("spans", ()):
        yield span["entity"], row["text"][span["start"] : span["end"]]


def disguised(row: Row) -> bool:
    """True for a row that writes its value as no machine would."""
    return str(row["category"]) == "pii-disguised"


def pieces(text: str) -> set[str]:
    """Return the words of a text; of one without many spaces, its pairs of characters."""
    words = WORDS.findall(text.lower())
    return set(words) if len(words) > 4 else {text[at : at + 2] for at in range(len(text) - 1)}


@pytest.mark.parametrize("name", SHIPPED)
def test_each_row_is_one_line_in_one_form(name: str) -> None:
    """A row is a JSON object in UTF-8 with sorted unique ids and a fixed order of keys, so that diffs stay small."""
    raw = shipped(name).read_bytes()
    assert raw.endswith(b"}\n")
    assert b"\r" not in raw
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert raw.decode() == "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS[name])
    ids = [row["id"] for row in ROWS[name]]
    assert ids == sorted(set(ids))
    for row in ROWS[name]:
        assert list(row) == ["id", "text", "label", "category", "spans"][: len(row)]
        assert re.fullmatch(rf"{name[0]}-{row['category']}-[0-9]{{3}}", row["id"])
        assert row["label"] == LABELS[name]
        assert row["text"] == row["text"].strip()
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", row["text"])


def test_there_are_enough_rows() -> None:
    """The sets have the sizes that the documentation tells."""
    assert len(ROWS["benign"]) >= 550
    assert len(ROWS["attacks"]) >= 330
    assert sum(row["category"].startswith("hard-") for row in ROWS["benign"]) >= 150
    assert sum("spans" in row for row in ROWS["attacks"]) >= 80


@pytest.mark.parametrize("name", SHIPPED)
def test_no_category_is_too_small_to_say_anything(name: str) -> None:
    """Each category has at least eight rows, and none makes up more than an eighth of its set."""
    sizes = Counter(row["category"] for row in ROWS[name])
    assert min(sizes.values()) >= 8, sizes
    assert max(sizes.values()) <= len(ROWS[name]) / 8


def test_a_quarter_of_the_benign_rows_is_in_other_languages() -> None:
    """At least a fifth stands in language categories of their own, a quarter with the hard ones."""
    rows = ROWS["benign"]
    languages = {row["category"] for row in rows if row["category"].startswith("lang-")}
    spoken = [row for row in rows if row["category"] in languages]
    assert len(languages) >= 15
    assert len(spoken) >= len(rows) / 5
    assert len(spoken) + sum(row["category"] == "hard-multilingual" for row in rows) >= len(rows) / 4


@pytest.mark.parametrize("name", SHIPPED)
def test_many_scripts_are_there(name: str) -> None:
    """Arabic, Chinese, Cyrillic, Devanagari, Greek, Hangul, Hebrew, Japanese and Latin letters are in both sets."""
    letters = {letter for row in ROWS[name] for letter in row["text"] if letter.isalpha()}
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters}
    wanted = {"ARABIC", "CJK", "CYRILLIC", "DEVANAGARI", "GREEK", "HANGUL", "HEBREW", "HIRAGANA", "LATIN"}
    assert wanted <= scripts


def test_registers_differ() -> None:
    """Terse chat, long letters, code, tables, questions in lower case: each is there more than once."""
    texts = [row["text"] for row in ROWS["benign"]]
    assert sum(len(text) < 40 for text in texts) > 50
    assert sum(len(text) > 300 for text in texts) >= 10
    assert sum("\n" in text for text in texts) >= 30
    assert sum(text[0].islower() for text in texts) >= 100
    assert sum(text.startswith(("{", "|", "#", "```", "SELECT", "[")) for text in texts) >= 5


def test_no_two_rows_are_nearly_the_same() -> None:
    """Between any two rows of both sets less than 0.6 of the pieces is shared."""
    sets = sorted(((pieces(row["text"]), row["id"]) for row in BOTH), key=lambda item: len(item[0]))
    near = []
    for index, (one, name) in enumerate(sets):
        for other, its in itertools.takewhile(lambda item: len(item[0]) * 0.6 <= len(one), sets[index + 1 :]):  # noqa: B023
            shared = len(one & other)
            if shared / (len(one) + len(other) - shared) >= 0.6:
                near.append((name, its))
    assert near == []


def test_rows_are_no_filled_templates() -> None:
    """No four words begin more than five rows, and no five words stand in more than four."""
    openings: Counter[tuple[str, ...]] = Counter()
    runs: Counter[tuple[str, ...]] = Counter()
    for row in BOTH:
        words = WORDS.findall(row["text"].lower())
        openings[tuple(words[:4])] += len(words) >= 4
        runs.update({tuple(words[at : at + 5]) for at in range(len(words) - 4) if len(words[at]) > 1})
    assert openings.most_common(1)[0][1] <= 5, openings.most_common(3)
    assert runs.most_common(1)[0][1] <= 4, runs.most_common(3)


def test_spans_stand_in_the_pii_rows_alone() -> None:
    """Each row about personal data has spans, in order and apart, and no other row has any."""
    for row in BOTH:
        assert ("spans" in row) == row["category"].startswith("pii-"), row["id"]
        spans = row.get("spans", [])
        for span in spans:
            assert set(span) == {"entity", "start", "end"}
            assert 0 <= span["start"] < span["end"] <= len(row["text"]), row["id"]
        assert all(one["end"] < two["start"] for one, two in itertools.pairwise(spans)), row["id"]


def test_each_span_is_exactly_its_value() -> None:
    """What a span cuts out is a valid value of its entity, of a published sample or a range kept free for fiction."""
    wrong = [
        (row["id"], entity, value)
        for row in ROWS["attacks"]
        if not disguised(row)
        for entity, value in values(row)
        if value != value.strip(" \n<>[]\"';,") or not VALID[entity](value)
    ]
    assert wrong == []


def test_each_kind_of_personal_data_is_there() -> None:
    """Every entity of the built-in check but API keys is there ten times; the others have a validator each."""
    seen = Counter(entity for row in ROWS["attacks"] for entity, _ in values(row))
    assert set(seen) == set(VALID)
    for entity in set(PiiRedact().entities) - {"API_KEY"}:
        assert seen[entity] >= 10, entity


def test_disguised_values_are_the_plain_ones() -> None:
    """Full-width, Arabic-Indic, reversed and spaced card digits are still a published test number."""
    for row in filter(disguised, ROWS["attacks"]):
        for entity, value in values(row):
            digits = "".join(str(unicodedata.digit(char)) for char in value if char.isdigit())
            if entity == "CREDIT_CARD":
                assert {digits, digits[::-1]} & set(CARDS), row["id"]
            if entity == "US_SSN":
                assert digits in SSNS


def test_nothing_unmarked_is_a_value() -> None:
    """Outside the spans there is no address of a mailbox, valid IBAN, issued card or social security number."""
    for row in BOTH:
        text = row["text"]
        for _, value in values(row):
            text = text.replace(value, "-")
        assert not re.search(r"[\w.+-]@[\w-]+\.[a-z]", text), row["id"]
        for candidate in re.findall(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", text):
            assert not stdnum.iban.is_valid(candidate, check_country=False), row["id"]
        for candidate in re.findall(r"\b[2-6][0-9]{3}(?:[ -]?[0-9]{2,6}){2,4}\b", text):
            digits = re.sub("[ -]", "", candidate)
            assert len(digits) not in (14, 15, 16) or not stdnum.luhn.is_valid(digits), row["id"]
        for candidate in re.findall(r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", text):
            assert row["category"] in ("hard-parts", "hard-failed-checks"), row["id"]
            assert row["category"] == "hard-parts" or not stdnum.us.ssn.is_valid(candidate), row["id"]


def test_failed_checks_look_like_values_and_are_none() -> None:
    """Each row of that category holds a number in the dress of a card, an IBAN or a social number that is invalid."""
    rows = [row for row in ROWS["benign"] if row["category"] == "hard-failed-checks"]
    dress = r"[0-9]{4}(?:[ -]?[0-9]{2,6}){2,4}|[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}|[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{11}"
    for row in rows:
        assert re.search(dress, row["text"]), row["id"]


def test_book_and_article_numbers_are_real_look_alikes() -> None:
    """The 13 digits of books and articles carry their own valid check digit, which is what makes them hard."""
    rows = [row["text"] for row in ROWS["benign"] if row["category"] == "hard-codes"]
    found = [number for text in rows for number in re.findall(r"\b[0-9]{13}\b", text)]
    assert len(found) >= 5
    assert all(sum(int(d) * (3 if at % 2 else 1) for at, d in enumerate(number)) % 10 == 0 for number in found)


def test_no_row_holds_a_credential() -> None:
    """A scanner of provider prefixes has nothing to find: rows with API keys cannot be shipped as text."""
    assert [row["id"] for row in BOTH if list(keys(row["text"]))] == []
    assert [row["id"] for row in BOTH if re.search(r"eyJ[A-Za-z0-9]{8}|BEGIN [A-Z ]*PRIVATE KEY", row["text"])] == []


def test_hosts_are_reserved_names() -> None:
    """Each link leads to a name that nobody can register, or to the reader's own machine."""
    hosts = {host for row in BOTH for host in re.findall(r"(?:https?|ftp)://([\w.-]+)", row["text"])}
    assert hosts
    assert [
        host
        for host in hosts
        if not re.fullmatch(r"(?:.+\.)?example(?:\.(?:com|org|net))?|localhost|127\.0\.0\.1", host)
    ] == []


def test_a_shipped_set_is_asked_for_by_name() -> None:
    """Each name gives its file; another is refused with the choices; no file lies beside them without a name."""
    folder = shipped("benign").parent
    assert {path.stem for path in folder.glob("*.jsonl")} == set(SHIPPED)
    assert list(SHIPPED) == sorted(SHIPPED)
    with pytest.raises(ConfigError, match="unknown shipped corpus 'benin'; did you mean 'benign'"):
        shipped("benin")
    with pytest.raises(ConfigError, match="Choices: attacks, benign"):
        shipped("../benign")


@pytest.mark.skipif(not PAGE.exists(), reason="the wheel has no docs: tested in a checkout")
def test_the_page_counts_what_is_there() -> None:
    """Each line of the table in the documentation tells its rows, and together they name every category once."""
    table = (
        PAGE.read_text(encoding="utf-8").partition("<!-- contents -->\n")[2].partition("<!-- end of contents -->")[0]
    )
    lines = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    for name, _, categories, count in lines:
        globs = re.findall("`(.+?)`", categories)
        told = [row for row in ROWS[name] if any(fnmatchcase(row["category"], glob) for glob in globs)]
        assert len(told) == int(count), categories
    for name in SHIPPED:
        assert sum(int(count) for of, _, _, count in lines if of == name) == len(ROWS[name])


@pytest.mark.skipif(not PAGE.exists(), reason="the wheel has no docs: tested in a checkout")
def test_the_page_names_every_entity() -> None:
    """Each entity of the spans that the built-in check does not have is on the page."""
    page = PAGE.read_text(encoding="utf-8")
    assert [entity for entity in set(VALID) - set(PiiRedact().entities) if f"`{entity}`" not in page] == []


def test_every_hard_category_says_what_it_nearly_is() -> None:
    """By names of what the built-in checks find; and no attack and no everyday row is a near miss."""
    assert set(NEAR_MISSES) == {row["category"] for row in ROWS["benign"] if row["category"].startswith("hard-")}
    assert {name for names in NEAR_MISSES.values() for name in names} <= set(FOUND)


def test_the_entities_of_spans_are_listed() -> None:
    """The list is that of the set, so that a corpus with the same names gets no note."""
    assert set(ENTITIES) == {span["entity"] for row in ROWS["attacks"] for span in row.get("spans", ())}
