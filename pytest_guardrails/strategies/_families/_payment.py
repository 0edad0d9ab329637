"""Payment cards and IBANs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families._checksums import TWO_DIGITS, iban_check, settled, weighing, with_luhn
from pytest_guardrails.strategies._families._recipes import (
    Layout,
    Recipe,
    Words,
    any_of,
    digits,
    glued,
    joined,
    letters,
    made,
    number,
    one_off,
    word,
    written,
)
from pytest_guardrails.strategies._families._samples import Entity, found, twins
from pytest_guardrails.strategies._families._source import ALNUM, UPPER

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


Range = tuple[int, int, int]


def _number(low: int, high: int, length: int) -> Words:
    return made(with_luhn, joined(number(low, high), digits(length - len(str(low)) - 1)))


def _card(low: int, high: int, length: int) -> Recipe[Sample]:
    body = _number(low, high, length)
    return any_of(*(found(CARD, layout.write(body), layout.said) for layout in _CARD_LAYOUTS[length]))


def _brand(ranges: Sequence[Range]) -> Recipe[Sample]:
    return any_of(*(_card(*one) for one in ranges))


_BY_BRAND = {brand: _brand(ranges) for brand, ranges in BRANDS.items()}


def card_recipe(brand: str | None = None) -> Recipe[Sample]:
    """Return the recipe of card numbers, of one brand or of all.

    Raises:
        ConfigError: for a brand that is unknown.
    """
    if brand is not None and brand not in BRANDS:
        raise ConfigError(unknown("brand", brand, BRANDS))
    return any_of(*_BY_BRAND.values()) if brand is None else _BY_BRAND[brand]


_CARD_OFF = any_of(*(written(_CARD_LAYOUTS[one[2]], one_off(_number(*one))) for one in _TWINNED))
_CARD_REGROUPED = written(_STRANGE, any_of(*(_number(*one) for one in _SIXTEEN)))
_CARD_UNISSUED = written(_CARD_LAYOUTS[16], any_of(*(_number(*one) for one in _UNISSUED)))
_CARD_GLUED = any_of(
    any_of(*(joined(_number(*one), digits(longer - one[2])) for one in _TWINNED for longer in range(20, 25))),
    glued(any_of(*(_number(*one) for one in _TWINNED))),
)

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


_BANK_SUM, _ACCOUNT_SUM = weighing((4, 8, 5, 10, 9, 7, 3, 6)), weighing((1, 2, 4, 8, 5, 10, 9, 7, 3, 6))
_NORWEGIAN_SUM = weighing((5, 4, 3, 2, 7, 6, 5, 4, 3, 2))


def _spanish(bban: str) -> str:
    """Return the account with its two check digits after the bank and the branch."""
    bank, account = bban[:8], bban[10:]
    checks = "01987654321"  # 11 less the rest of the sum; 1 for 10, 0 for 11
    return f"{bank}{checks[_BANK_SUM(bank) % 11]}{checks[_ACCOUNT_SUM(account) % 11]}{account}"


def _belgian(bban: str) -> str:
    """Return an account of a bank that is there, with its two check digits."""
    body = f"001{bban[3:10]}"
    return f"{body}{TWO_DIGITS[int(body) % 97 or 97]}"


def _norwegian(bban: str) -> str:
    return settled(bban[:10], lambda body: -_NORWEGIAN_SUM(body) % 11)


def _montenegrin(bban: str) -> str:
    return f"{bban[:16]}{TWO_DIGITS[98 - int(f'{bban[:16]}00') % 97]}"


_NATIONAL: Mapping[str, Callable[[str], str]] = {  # python-stdnum's; other countries' own checks are not kept
    "BE": _belgian,
    "ES": _spanish,
    "ME": _montenegrin,
    "NO": _norwegian,
}


_FOURS = tuple(itemgetter(*(slice(start, start + 4) for start in range(0, length or 1, 4))) for length in range(36))


def _printed(iban: str) -> str:
    return " ".join(_FOURS[len(iban)](iban))


def _in_both_forms(iban: Words) -> Words:
    return any_of(iban, made(_printed, iban))


def _checked(country: str, bban: str) -> str:
    return f"{country}{iban_check(country, bban)}{bban}"


def _iban(country: str) -> Words:
    bban = joined(
        *(letters(alphabet, length) if alphabet else digits(length) for alphabet, length in COUNTRIES[country])
    )
    whole = made(_NATIONAL[country], bban) if country in _NATIONAL else bban
    return made(partial(_checked, country), whole)


_IBANS = {country: _iban(country) for country in ("DE", *sorted(COUNTRIES.keys() - {"DE"}))}
_ANY_IBAN = any_of(*_IBANS.values())


def iban_recipe(country: str | None = None) -> Recipe[Sample]:
    """Return the recipe of IBANs, of one country or of all.

    Raises:
        ConfigError: for a country that has none.
    """
    if country is not None and country not in COUNTRIES:
        raise ConfigError(unknown("country", country, COUNTRIES))
    return found(IBAN, _in_both_forms(_ANY_IBAN if country is None else _IBANS[country]))


def _shortened(iban: str) -> str:
    return _checked(iban[:2], iban[4:-1])


_NOWHERE = made(_checked, word(*_NO_IBAN), any_of(*(digits(length) for length in range(14, 19))))
_IBAN_TWINS = twins(
    IBAN,
    checksum=_in_both_forms(one_off(_ANY_IBAN)),
    range=_in_both_forms(_NOWHERE),
    length=_in_both_forms(made(_shortened, _ANY_IBAN)),
    glued=glued(_ANY_IBAN),
)

ENTITIES = (
    Entity(
        CARD,
        "credit_cards",
        card_recipe(),
        twins(CARD, checksum=_CARD_OFF, grouping=_CARD_REGROUPED, range=_CARD_UNISSUED, glued=_CARD_GLUED),
    ),
    Entity(IBAN, "ibans", iban_recipe(), _IBAN_TWINS),
)
