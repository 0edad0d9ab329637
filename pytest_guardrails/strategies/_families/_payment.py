"""Payment cards and IBANs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families._checksums import iban_check, luhn, settled, weighted
from pytest_guardrails.strategies._families._source import (
    ALNUM,
    UPPER,
    Entity,
    Layout,
    Recipe,
    Source,
    found,
    glued,
    one_off,
    twins,
)

CARD = "CREDIT_CARD"
# The ranges of leading digits that each brand publishes (ISO/IEC 7812), and the length of the number.
BRANDS: Mapping[str, tuple[tuple[int, int, int], ...]] = {
    "visa": ((4, 4, 16), (4, 4, 16), (4, 4, 13), (4, 4, 19)),
    "mastercard": ((51, 55, 16), (2221, 2720, 16)),
    "amex": ((34, 34, 15), (37, 37, 15)),
    "discover": ((6011, 6011, 16), (644, 649, 16), (65, 65, 16), (6011, 6011, 19)),
    "diners": ((36, 36, 14), (300, 305, 14), (38, 39, 14)),
    "jcb": ((3528, 3589, 16), (3528, 3589, 19)),
    "unionpay": ((62, 62, 16), (62, 62, 19)),
    "mir": ((2200, 2204, 16),),
    "maestro": tuple((6759, 6763, length) for length in (16, 12, 13, 18, 19)),
}
_CARD_LAYOUTS: Mapping[int, tuple[Layout, ...]] = {
    # Twelve or thirteen bare digits are an article number or milliseconds unless something says what they are.
    12: (Layout(said="card "), Layout("#### #### ####", "card ")),
    13: (Layout(said="card "), Layout(said="Card number: ")),
    14: (Layout(), Layout("#### ###### ####"), Layout("####-######-####")),
    15: (Layout(), Layout("#### ###### #####"), Layout("####-######-#####")),
    16: (Layout(), Layout("#### #### #### ####"), Layout("####-####-####-####")),
    18: (Layout(),),
    19: (Layout(), Layout("#### #### #### #### ###"), Layout("####-####-####-####-###")),
}
# The first sixteen digits of a longer number may be a card themselves, and twelve may be anything: no twins of those.
_TWINNED = tuple(r for brand, ranges in BRANDS.items() for r in ranges if 14 <= r[2] <= 16 and brand != "maestro")
_SIXTEEN = tuple(r for r in _TWINNED if r[2] == 16)
_UNISSUED = ((8, 9, 16), (10, 19, 16), (70, 79, 16))
_STRANGE = tuple(  # as order numbers are
    Layout(separator.join("#" * size for size in sizes))
    for sizes in ((3, 7, 6), (5, 5, 6), (2, 6, 8), (8, 8), (6, 6, 4))
    for separator in "- "
)


def card_recipe(brand: str | None = None) -> Recipe:
    """Return the recipe of card numbers, of one brand or of all."""
    if brand is not None and brand not in BRANDS:
        raise ConfigError(unknown("brand", brand, BRANDS))
    brands = tuple(BRANDS.values()) if brand is None else (BRANDS[brand],)

    def card(source: Source) -> Sample:
        number = _card(source, source.choice(brands))
        layout = source.choice(_CARD_LAYOUTS[len(number)])
        return found(CARD, layout.write(number), layout.said)

    return card


def _card(source: Source, ranges: Sequence[tuple[int, int, int]]) -> str:
    low, high, length = source.choice(ranges)
    first = str(source.integer(low, high))
    body = first + source.digits(length - len(first) - 1)
    return body + luhn(body)


def _card_off(source: Source) -> str:
    number = one_off(source, _card(source, _TWINNED))
    return source.choice(_CARD_LAYOUTS[len(number)]).write(number)


def _card_regrouped(source: Source) -> str:
    return source.choice(_STRANGE).write(_card(source, _SIXTEEN))


def _card_unissued(source: Source) -> str:
    return source.choice(_CARD_LAYOUTS[16]).write(_card(source, _UNISSUED))


def _card_glued(source: Source) -> str:
    number = _card(source, _TWINNED)
    longer = source.choice((True, False))
    return number + source.digits(source.integer(20, 24) - len(number)) if longer else glued(source, number)


# --- IBAN: lengths and structures of the SWIFT registry; n digits, a letters, c both.

IBAN = "IBAN"
_STRUCTURES = """
AD 8n12c, AE 19n, AL 8n16c, AT 16n, AZ 4a20c, BA 16n, BG 4a6n8c, BH 4a14c, BI 23n, BR 23n1a1c, BY 4c4n16c, CH 5n12c,
CR 18n, CY 8n16c, CZ 20n, DE 18n, DJ 23n, DK 14n, DO 4c20n, EE 16n, EG 25n, ES 20n, FI 14n, FK 2a12n, FO 14n,
FR 10n11c2n, GB 4a14n, GE 2a16n, GI 4a15c, GL 14n, GR 7n16c, GT 4c20c, HN 4a20n, HR 17n, HU 24n, IE 4a14n, IL 19n,
IQ 4a15n, IS 22n, IT 1a10n12c, JO 4a4n18c, KW 4a22c, KZ 3n13c, LB 4n20c, LC 4a24c, LI 5n12c, LT 16n, LU 3n13c,
LV 4a13c, LY 21n, MC 10n11c2n, MD 2c18c, ME 18n, MK 3n10c2n, MN 16n, MR 23n, MT 4a5n18c, MU 4a19n3a, NI 4a20n, NL 4a10n,
NO 11n, OM 3n16c, PK 4a16c, PL 24n, PS 4a21c, PT 21n, QA 4a21c, RO 4a16c, RS 18n, RU 14n15c, SA 2n18c, SC 4a20n3a,
SD 14n, SE 20n, SI 15n, SK 20n, SM 1a10n12c, SO 19n, ST 21n, SV 4a20n, TL 19n, TN 20n, TR 6n16c, UA 6n19c, VA 18n,
VG 4a16n, XK 16n, YE 4a4n18c
"""
_LETTERS = {"a": UPPER, "c": ALNUM[:36]}


def _pieces(structure: str) -> tuple[tuple[str, int], ...]:
    """Return what a structure says: an alphabet ("" for digits) and a length, piece by piece."""
    pieces, length = [], ""
    for sign in structure:
        if sign.isdigit():
            length += sign
        else:
            pieces.append((_LETTERS.get(sign, ""), int(length)))
            length = ""
    return tuple(pieces)


COUNTRIES = {entry.split()[0]: _pieces(entry.split()[1]) for entry in _STRUCTURES.split(",")}
COUNTRIES["BE"] = _pieces("12n")
_NO_IBAN = ("US", "CA", "JP", "AU", "ZZ", "XX")


def _spanish(bban: str) -> str:
    """Return the account with its two check digits after the bank and the branch."""

    def check(body: str, weights: Sequence[int]) -> str:
        value = 11 - weighted(body, weights) % 11
        return str({10: 1, 11: 0}.get(value, value))

    bank, account = bban[:8], bban[10:]
    first = check(bank, (4, 8, 5, 10, 9, 7, 3, 6))
    return f"{bank}{first}{check(account, (1, 2, 4, 8, 5, 10, 9, 7, 3, 6))}{account}"


def _belgian(bban: str) -> str:
    """Return an account of a bank that is there, with its two check digits."""
    body = f"001{bban[3:10]}"
    return f"{body}{str(int(body) % 97 or 97).zfill(2)}"


def _norwegian(bban: str) -> str:
    return settled(bban[:10], lambda body: -weighted(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11)


def _montenegrin(bban: str) -> str:
    return f"{bban[:16]}{str(98 - int(f'{bban[:16]}00') % 97).zfill(2)}"


_NATIONAL: Mapping[str, Callable[[str], str]] = {  # python-stdnum's; other countries' own checks are not kept
    "BE": _belgian,
    "ES": _spanish,
    "ME": _montenegrin,
    "NO": _norwegian,
}


def _printed(iban: str) -> str:
    return " ".join([iban[start : start + 4] for start in range(0, len(iban), 4)])


_WRITTEN: tuple[Callable[[str], str], ...] = (str, _printed)
_BY_HABIT = ("DE", *sorted(COUNTRIES.keys() - {"DE"}))


def iban_recipe(country: str | None = None) -> Recipe:
    """Return the recipe of IBANs, of one country or of all."""
    if country is not None and country not in COUNTRIES:
        raise ConfigError(unknown("country", country, COUNTRIES))
    countries = _BY_HABIT if country is None else (country,)

    def iban(source: Source) -> Sample:
        return found(IBAN, source.choice(_WRITTEN)(_iban(source, source.choice(countries))))

    return iban


def _iban(source: Source, country: str) -> str:
    bban = "".join(
        [source.string(letters, length) if letters else source.digits(length) for letters, length in COUNTRIES[country]]
    )
    if country in _NATIONAL:
        bban = _NATIONAL[country](bban)
    return f"{country}{iban_check(country, bban)}{bban}"


def _iban_off(source: Source) -> str:
    return source.choice(_WRITTEN)(one_off(source, _iban(source, source.choice(_BY_HABIT))))


def _iban_nowhere(source: Source) -> str:
    country, bban = source.choice(_NO_IBAN), source.digits(source.integer(14, 18))
    return source.choice(_WRITTEN)(f"{country}{iban_check(country, bban)}{bban}")


def _iban_short(source: Source) -> str:
    country = source.choice(_BY_HABIT)
    bban = _iban(source, country)[4:-1]
    return source.choice(_WRITTEN)(f"{country}{iban_check(country, bban)}{bban}")


def _iban_glued(source: Source) -> str:
    return glued(source, _iban(source, source.choice(_BY_HABIT)))


ENTITIES = (
    Entity(
        CARD,
        "credit_cards",
        card_recipe(),
        twins(CARD, checksum=_card_off, grouping=_card_regrouped, range=_card_unissued, glued=_card_glued),
    ),
    Entity(
        IBAN,
        "ibans",
        iban_recipe(),
        twins(IBAN, checksum=_iban_off, range=_iban_nowhere, length=_iban_short, glued=_iban_glued),
    ),
)
