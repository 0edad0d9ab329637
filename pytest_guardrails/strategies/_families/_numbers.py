"""Numbers that states and health services give to a person: one table, from which values and twins follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from pytest_guardrails.strategies._families._checksums import luhn, settled, verhoeff, weighing, with_luhn
from pytest_guardrails.strategies._families._recipes import (
    Layout,
    Words,
    any_of,
    digits,
    glued,
    joined,
    last_off,
    made,
    number,
    one_off,
    word,
    written,
)
from pytest_guardrails.strategies._families._samples import Entity, found, twins


@dataclass(frozen=True, slots=True)
class Number:
    """A number as its issuer defines it.

    ``body`` makes a valid one. ``layouts`` are the ways in which it is written; a word stands before those that
    nobody could tell from an ordinary number. ``off`` makes one with a wrong checksum, ``outside`` one out of range;
    ``strange`` are groups that it is never written in. A twin never has the word before it.
    """

    name: str
    strategy: str
    body: Words
    layouts: tuple[Layout, ...]
    off: Words | None = None
    outside: Words | None = None
    strange: tuple[Layout, ...] = ()

    def entity(self) -> Entity:
        """Return the number's values and twins."""
        kinds = {"glued": glued(written(self.layouts, self.body))}
        if self.off:
            kinds["checksum"] = written(self.layouts, self.off)
        if self.strange:
            kinds["grouping"] = written(self.strange, self.body)
        if self.outside:
            kinds["range"] = written(self.layouts, self.outside)
        values = any_of(*(found(self.name, layout.write(self.body), layout.said) for layout in self.layouts))
        return Entity(self.name, self.strategy, values, twins(self.name, **kinds))


# --- United States

_AREA = word(*(f"{area:03}" for area in range(1, 900) if area != 666))
_GROUP, _SERIAL = number(1, 99, "02d"), number(1, 9999, "04d")
_SSN = joined(_AREA, _GROUP, _SERIAL)
_LOW_GROUP = number(1, 49, "02d")
# An area, a group or a serial number that is never given; no ITIN either.
_NO_SSN = any_of(
    joined(any_of(word("000"), word("666"), number(900, 999, "03d")), _LOW_GROUP, _SERIAL),
    joined(_AREA, "00", _SERIAL),
    joined(_AREA, _LOW_GROUP, "0000"),
)
_ITIN_AREA = number(900, 999)
_ITIN_GROUPS = (*range(70, 89), *range(90, 93), *range(94, 100), *range(50, 66))  # IRS; 50 to 65 since 2011
_ITIN = joined(_ITIN_AREA, word(*map(str, _ITIN_GROUPS)), digits(4))
_NO_ITIN = joined(_ITIN_AREA, word(*(f"{group:02}" for group in range(100) if group not in _ITIN_GROUPS)), digits(4))
_NPI = made(lambda body: body + luhn(f"80840{body}"), joined(word("1", "2"), digits(8)))
_NINE_AS = tuple(map(Layout, ("###-###-###", "### ### ###", "#####-####", "##### ####", "##-###-####", "## ### ####")))

# --- United Kingdom

_NHS_SUM = weighing(range(10, 1, -1))
_with_nhs_check = partial(settled, check=lambda body: -_NHS_SUM(body) % 11)
_NHS_FIRST = word(*"4679")
_NHS = made(_with_nhs_check, joined(_NHS_FIRST, digits(8)))
# No telephone number of North America either: no exchange begins with 0 or 1.
_NHS_OFF = last_off(made(_with_nhs_check, joined(_NHS_FIRST, digits(2), word("0", "1"), digits(5))))

_NINO_FIRST, _NINO_SECOND = "ABCEGHJKLMNOPRSTWXYZ", "ABCEGHJKLMNPRSTWXYZ"
_NO_NINO_PREFIXES = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
_NINO_PREFIX = word(*(a + b for a in _NINO_FIRST for b in _NINO_SECOND if a + b not in _NO_NINO_PREFIXES))
_NINO_SUFFIX = word(*"ABCD")
_NINO = joined(_NINO_PREFIX, digits(6), _NINO_SUFFIX)
_NO_NINO = any_of(
    joined(word(*_NO_NINO_PREFIXES), digits(6), _NINO_SUFFIX),
    joined(word("DA", "QQ", "UV", "FI"), digits(6), _NINO_SUFFIX),
    joined(_NINO_PREFIX, digits(6), word(*"EMXZ")),
)

# --- India, Canada, Australia, Brazil, Spain, the Netherlands, Poland


def _with_verhoeff(body: str) -> str:
    return body + verhoeff(body)


def _aadhaar(body: str) -> str:
    whole = _with_verhoeff(body)
    if whole == whole[::-1]:  # a palindrome is never given
        whole = _with_verhoeff(f"{body[:-1]}{(int(body[-1]) + 1) % 10}")
    return whole


_AADHAAR = made(_aadhaar, joined(word(*"23456789"), digits(10)))
_AADHAAR_OFF = last_off(made(_with_verhoeff, joined(word(*"234789"), digits(10))))  # 5, 6 begin cards of twelve digits

_FROM_1 = number(1, 9)
_SIN = made(with_luhn, joined(word(*"12345679"), digits(7)))
_TFN_SUM, _BSN_SUM = weighing((1, 4, 3, 7, 5, 8, 6, 9)), weighing(range(9, 1, -1))
_TFN = made(partial(settled, check=lambda body: _TFN_SUM(body) % 11), joined(_FROM_1, digits(7)))
_BSN = made(partial(settled, check=lambda body: _BSN_SUM(body) % 11), joined(_FROM_1, digits(7)))
_CPF_SUM, _CPF_SECOND_SUM = weighing(range(10, 1, -1)), weighing(range(11, 1, -1))


def _cpf(body: str) -> str:
    body += "01234567890"[-_CPF_SUM(body) % 11]
    return body + "01234567890"[-_CPF_SECOND_SUM(body) % 11]


_CPF = made(_cpf, joined(_FROM_1, digits(8)))
_CPF_OFF = last_off(_CPF)  # a wrong digit before the last two may go unnoticed
_NIF = made(lambda body: body + "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23], digits(8))
_PESEL_SUM = weighing((1, 3, 7, 9, 1, 3, 7, 9, 1, 3))
_PESEL = made(
    lambda body: f"{body}{-_PESEL_SUM(body) % 10}",
    joined(number(0, 99, "02d"), number(1, 12, "02d"), number(1, 28, "02d"), digits(4)),
)

_NUMBERS = (
    Number(
        "US_SSN",
        "us_ssns",
        _SSN,
        (Layout("###-##-####"), Layout(said="SSN "), Layout("### ## ####", "social security number ")),
        outside=_NO_SSN,
        strange=_NINE_AS,
    ),
    Number(
        "US_ITIN",
        "us_itins",
        _ITIN,
        (Layout("###-##-####"), Layout(said="ITIN "), Layout("### ## ####", "ITIN ")),
        outside=_NO_ITIN,
        strange=_NINE_AS,
    ),
    Number("US_NPI", "us_npis", _NPI, (Layout(said="NPI "), Layout(said="NPI: ")), off=one_off(_NPI)),
    Number(
        "UK_NHS",
        "nhs_numbers",
        _NHS,
        (
            Layout(said="NHS number "),
            Layout("### ### ####", "NHS number "),
            Layout("###-###-####", "NHS "),
        ),
        off=_NHS_OFF,
        strange=(Layout("#### ### ###"), Layout("#####-#####")),
    ),
    Number(
        "UK_NINO",
        "uk_ninos",
        _NINO,
        (Layout(), Layout("## ## ## ## #"), Layout("##-##-##-##-#")),
        outside=_NO_NINO,
        strange=(Layout("## ### ### #"), Layout("####-####-#")),
    ),
    Number(
        "IN_AADHAAR",
        "aadhaar_numbers",
        _AADHAAR,
        (Layout("#### #### ####"), Layout("####-####-####"), Layout(said="Aadhaar ")),
        off=_AADHAAR_OFF,
        strange=(Layout("###-###-###-###"), Layout("###### ######")),
    ),
    Number(
        "CA_SIN",
        "ca_sins",
        _SIN,
        (Layout("### ### ###", "SIN "), Layout("###-###-###", "SIN "), Layout(said="SIN ")),
        off=one_off(_SIN),
    ),
    Number(
        "AU_TFN",
        "au_tfns",
        _TFN,
        (Layout("### ### ###", "TFN "), Layout(said="TFN ")),
        off=one_off(_TFN),
    ),
    Number(
        "BR_CPF",
        "br_cpfs",
        _CPF,
        (Layout("###.###.###-##"), Layout("###.###.###-##", "CPF "), Layout(said="CPF ")),
        off=_CPF_OFF,
        strange=(Layout("###-####-####"), Layout("#####.######")),
    ),
    Number("ES_NIF", "es_nifs", _NIF, (Layout("########-#", "DNI "), Layout(said="DNI ")), off=one_off(_NIF)),
    Number("NL_BSN", "nl_bsns", _BSN, (Layout(said="BSN "), Layout("####.##.###", "BSN ")), off=one_off(_BSN)),
    Number("PL_PESEL", "pl_pesels", _PESEL, (Layout(said="PESEL "),), off=one_off(_PESEL)),
)
ENTITIES: tuple[Entity, ...] = tuple(number.entity() for number in _NUMBERS)
