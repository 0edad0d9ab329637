"""Numbers that states and health services give to a person: one table, from which values and twins follow."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families._checksums import luhn, settled, verhoeff, weighted
from pytest_guardrails.strategies._families._source import (
    Entity,
    Layout,
    Source,
    Words,
    found,
    glued,
    one_off,
    twins,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as its issuer defines it.

    ``body`` draws a valid one. ``layouts`` are the ways in which it is written; a word stands before those that
    nobody could tell from an ordinary number. ``off`` draws one with a wrong checksum, ``outside`` one out of range;
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
        kinds: dict[str, Words] = {"glued": self._glued}
        if self.off:
            kinds["checksum"] = _written(self.layouts, self.off)
        if self.strange:
            kinds["grouping"] = _written(self.strange, self.body)
        if self.outside:
            kinds["range"] = _written(self.layouts, self.outside)
        return Entity(self.name, self.strategy, self._value, twins(self.name, **kinds))

    def _value(self, source: Source) -> Sample:
        layout = source.choice(self.layouts)
        return found(self.name, layout.write(self.body(source)), layout.said)

    def _glued(self, source: Source) -> str:
        return glued(source, source.choice(self.layouts).write(self.body(source)))


def _written(layouts: tuple[Layout, ...], body: Words) -> Words:
    return lambda source: source.choice(layouts).write(body(source))


def _off(body: Words) -> Words:
    return lambda source: one_off(source, body(source))


# --- United States


def _ssn(source: Source) -> str:
    area = source.integer(1, 898)
    return _ssn_of(area if area < 666 else area + 1, source.integer(1, 99), source.integer(1, 9999))


def _ssn_of(area: int, group: int, serial: int) -> str:
    return "%03d%02d%04d" % (area, group, serial)  # noqa: UP031 - a million of them


def _no_ssn(source: Source) -> str:
    """Return nine digits with an area, a group or a serial number that is never given; no ITIN either."""
    area, group, serial = _ssn(source)[:3], source.integer(1, 49), source.integer(1, 9999)
    kind = source.choice(("area", "group", "serial"))
    if kind == "area":
        return _ssn_of(source.choice((0, 666, source.integer(900, 999))), group, serial)
    return _ssn_of(int(area), 0, serial) if kind == "group" else _ssn_of(int(area), group, 0)


_ITIN_GROUPS = (*range(70, 89), *range(90, 93), *range(94, 100), *range(50, 66))  # IRS; 50 to 65 since 2011
_NO_ITIN_GROUPS = tuple(sorted(set(range(100)) - set(_ITIN_GROUPS)))


def _itin(source: Source) -> str:
    return _ssn_of(source.integer(900, 999), source.choice(_ITIN_GROUPS), source.integer(0, 9999))


def _no_itin(source: Source) -> str:
    return _ssn_of(source.integer(900, 999), source.choice(_NO_ITIN_GROUPS), source.integer(0, 9999))


def _npi(source: Source) -> str:
    body = source.choice("12") + source.digits(8)
    return body + luhn(f"80840{body}")


_NINE_AS = tuple(map(Layout, ("###-###-###", "### ### ###", "#####-####", "##### ####", "##-###-####", "## ### ####")))


# --- United Kingdom


def _nhs_check(body: str) -> int:
    return -weighted(body, range(10, 1, -1)) % 11


def _nhs(source: Source) -> str:
    return settled(source.choice("4679") + source.digits(8), _nhs_check)


def _nhs_off(source: Source) -> str:
    """Return ten digits that are no telephone number of North America either: no exchange begins with 0 or 1."""
    body = f"{source.choice('4679')}{source.digits(2)}{source.choice('01')}{source.digits(5)}"
    number = settled(body, _nhs_check)
    return f"{number[:9]}{(int(number[9]) + source.integer(1, 9)) % 10}"


_NINO_FIRST, _NINO_SECOND = "ABCEGHJKLMNOPRSTWXYZ", "ABCEGHJKLMNPRSTWXYZ"
_NO_NINO = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
_NINO_PREFIXES = tuple(a + b for a in _NINO_FIRST for b in _NINO_SECOND if a + b not in _NO_NINO)


def _nino(source: Source) -> str:
    return f"{source.choice(_NINO_PREFIXES)}{source.digits(6)}{source.choice('ABCD')}"


def _no_nino(source: Source) -> str:
    prefix, suffix = source.choice(((_NO_NINO, "ABCD"), (("DA", "QQ", "UV", "FI"), "ABCD"), (_NINO_PREFIXES, "EMXZ")))
    return f"{source.choice(prefix)}{source.digits(6)}{source.choice(suffix)}"


# --- India, Canada, Australia, Brazil, Spain, the Netherlands, Poland


def _aadhaar(source: Source) -> str:
    body = source.choice("23456789") + source.digits(10)
    number = body + verhoeff(body)
    return number if number != number[::-1] else _raised(number)  # a palindrome is never given


def _raised(number: str) -> str:
    body = f"{number[:-2]}{(int(number[-2]) + 1) % 10}"
    return body + verhoeff(body)


def _aadhaar_off(source: Source) -> str:
    body = source.choice("234789") + source.digits(10)  # 5 and 6 begin cards of twelve digits
    return f"{body}{(int(verhoeff(body)) + source.integer(1, 9)) % 10}"


def _sin(source: Source) -> str:
    body = source.choice("12345679") + source.digits(7)
    return body + luhn(body)


def _tfn(source: Source) -> str:
    body = source.choice("123456789") + source.digits(7)
    return settled(body, lambda digits: weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9)) % 11)


def _cpf(source: Source) -> str:
    body = source.choice("123456789") + source.digits(8)
    for _ in range(2):
        rest = -weighted(body, range(len(body) + 1, 1, -1)) % 11
        body += str(rest % 10)
    return body


def _cpf_off(source: Source) -> str:
    number = _cpf(source)  # a wrong digit before the last two may go unnoticed
    return f"{number[:10]}{(int(number[10]) + source.integer(1, 9)) % 10}"


def _nif(source: Source) -> str:
    body = source.digits(8)
    return f"{body}{'TRWAGMYFPDXBNJZSQVHLCKE'[int(body) % 23]}"


def _bsn(source: Source) -> str:
    body = source.choice("123456789") + source.digits(7)
    return settled(body, lambda digits: weighted(digits, range(9, 1, -1)) % 11)


def _pesel(source: Source) -> str:
    day = f"{source.integer(0, 99):02}{source.integer(1, 12):02}{source.integer(1, 28):02}"
    body = f"{day}{source.digits(4)}"
    return f"{body}{-weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10}"


_NUMBERS = (
    Number(
        "US_SSN",
        "us_ssns",
        _ssn,
        (Layout("###-##-####"), Layout(said="SSN "), Layout("### ## ####", "social security number ")),
        outside=_no_ssn,
        strange=_NINE_AS,
    ),
    Number(
        "US_ITIN",
        "us_itins",
        _itin,
        (Layout("###-##-####"), Layout(said="ITIN "), Layout("### ## ####", "ITIN ")),
        outside=_no_itin,
        strange=_NINE_AS,
    ),
    Number("US_NPI", "us_npis", _npi, (Layout(said="NPI "), Layout(said="NPI: ")), off=_off(_npi)),
    Number(
        "UK_NHS",
        "nhs_numbers",
        _nhs,
        (
            Layout(said="NHS number "),
            Layout("### ### ####", "NHS number "),
            Layout("###-###-####", "NHS "),
        ),
        off=_nhs_off,
        strange=(Layout("#### ### ###"), Layout("#####-#####")),
    ),
    Number(
        "UK_NINO",
        "uk_ninos",
        _nino,
        (Layout(), Layout("## ## ## ## #"), Layout("##-##-##-##-#")),
        outside=_no_nino,
        strange=(Layout("## ### ### #"), Layout("####-####-#")),
    ),
    Number(
        "IN_AADHAAR",
        "aadhaar_numbers",
        _aadhaar,
        (Layout("#### #### ####"), Layout("####-####-####"), Layout(said="Aadhaar ")),
        off=_aadhaar_off,
        strange=(Layout("###-###-###-###"), Layout("###### ######")),
    ),
    Number(
        "CA_SIN",
        "ca_sins",
        _sin,
        (Layout("### ### ###", "SIN "), Layout("###-###-###", "SIN "), Layout(said="SIN ")),
        off=_off(_sin),
    ),
    Number(
        "AU_TFN",
        "au_tfns",
        _tfn,
        (Layout("### ### ###", "TFN "), Layout(said="TFN ")),
        off=_off(_tfn),
    ),
    Number(
        "BR_CPF",
        "br_cpfs",
        _cpf,
        (Layout("###.###.###-##"), Layout("###.###.###-##", "CPF "), Layout(said="CPF ")),
        off=_cpf_off,
        strange=(Layout("###-####-####"), Layout("#####.######")),
    ),
    Number("ES_NIF", "es_nifs", _nif, (Layout("########-#", "DNI "), Layout(said="DNI ")), off=_off(_nif)),
    Number("NL_BSN", "nl_bsns", _bsn, (Layout(said="BSN "), Layout("####.##.###", "BSN ")), off=_off(_bsn)),
    Number("PL_PESEL", "pl_pesels", _pesel, (Layout(said="PESEL "),), off=_off(_pesel)),
)
ENTITIES: tuple[Entity, ...] = tuple(number.entity() for number in _NUMBERS)
