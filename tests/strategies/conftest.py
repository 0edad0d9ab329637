"""What a value of each entity is, said by python-stdnum and by rules that share no line with the recipes."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable

import pytest
import stdnum.ca.sin
import stdnum.es.dni
import stdnum.gb.nhs
import stdnum.iban
import stdnum.in_.aadhaar
import stdnum.mac
import stdnum.nl.bsn
import stdnum.pl.pesel
import stdnum.us.itin
import stdnum.us.ssn
from stdnum import bitcoin, luhn
from stdnum.au import tfn
from stdnum.br import cpf

Rule = Callable[[str], bool]


def digits(text: str) -> str:
    """Return the digits of a text."""
    return re.sub(r"\D", "", text)


def shaped(pattern: str, holds: Rule = lambda value: True) -> Rule:
    """Return the rule of a whole text in this shape, whose group ``v`` (or all of it) passes a check."""
    compiled = re.compile(pattern)

    def rule(text: str) -> bool:
        match = compiled.fullmatch(text)
        return match is not None and holds(match["v"] if "v" in compiled.groupindex else match[0])

    return rule


def card_range(number: str) -> bool:
    """True for a number of a card: a brand's range and length, and Luhn."""
    length, two, three, four = len(number), int(number[:2]), int(number[:3]), int(number[:4])
    brand = (
        (number[0] == "4" and length in (13, 16, 19))
        or ((51 <= two <= 55 or 2221 <= four <= 2720) and length == 16)
        or (two in (34, 37) and length == 15)
        or ((four == 6011 or 644 <= three <= 659) and length in (16, 19))
        or ((300 <= three <= 305 or two in (36, 38, 39)) and length == 14)
        or (3528 <= four <= 3589 and 16 <= length <= 19)
        or (two == 62 and 16 <= length <= 19)
        or (2200 <= four <= 2204 and length == 16)
        or ((four in (5018, 5020, 5038, 5893, 6304) or 6759 <= four <= 6763) and 12 <= length <= 19)
    )
    return brand and bool(luhn.is_valid(number))


def is_card(text: str) -> bool:
    """True for a card in one of the groups that cards have, or bare; twelve or thirteen digits need a word."""
    match = re.fullmatch(r"(?P<said>[Cc]ard(?: number:)? )?(?P<v>[0-9][0-9 -]*)", text)
    if not match:
        return False
    value = match["v"]
    sizes = [len(group) for group in re.split("[ -]", value)]
    groups = ([4] * 4, [4] * 4 + [3], [4, 6, 5], [4, 6, 4], [4] * 3)
    short = len(digits(value)) < 14
    laid_out = len(sizes) == 1 or (sizes in groups and len(set(re.sub(r"\d", "", value))) == 1)
    return (
        laid_out and len(digits(value)) > 11 and (match["said"] is not None or not short) and card_range(digits(value))
    )


def is_iban(text: str) -> bool:
    """True for an IBAN, bare or in groups of four."""
    compact = text.replace(" ", "")
    printed = " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))
    return text in (compact, printed) and compact.isalnum() and bool(stdnum.iban.is_valid(compact))


def is_address(text: str) -> bool:
    """True for an e-mail address with a domain that has a top level, as people write it around one."""
    label = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
    mailbox = rf"(?:<|mailto:|e-mail: )?[\w.%+'-]+@(?:{label}\.)+(?:com|org|net|example|test)[>.]?"
    return re.fullmatch(mailbox, text, re.IGNORECASE) is not None


def is_ip(text: str) -> bool:
    """True for an address of a host or a network, of anybody's: not loopback, not unspecified, not a mask."""
    bare = re.sub(r"^\[(.*)\]:\d+$|^([\d.]+)[:/]\d+$", r"\1\2", text)
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or bare.startswith("255."))


def is_mac(text: str) -> bool:
    """True for a hardware address of one host."""
    pairs, fours = r"[0-9A-Fa-f]{2}", r"[0-9A-Fa-f]{4}"
    shape = rf"{pairs}(?P<s>[:-]){pairs}(?:(?P=s){pairs}){{4}}|{fours}\.{fours}\.{fours}|MAC [0-9A-Fa-f]{{12}}"
    if not re.fullmatch(shape, text):
        return False
    plain = re.sub("^MAC |[^0-9A-Fa-f]", "", text).lower()
    colons = ":".join(plain[start : start + 2] for start in range(0, 12, 2))
    return len(set(plain)) > 1 and bool(stdnum.mac.is_valid(colons, validate_manufacturer=False))


BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def is_taproot(text: str) -> bool:
    """True for a Bech32m address, by the polynomial of BIP 350."""
    if not re.fullmatch(f"bc1p[{BECH32}]{{58}}", text):
        return False
    state = 1
    for value in [3, 3, 0, 2, 3, *map(BECH32.index, text[3:])]:
        top, state = state >> 25, (state & 0x1FFFFFF) << 5 ^ value
        for bit, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= part * (top >> bit & 1)
    return state == 0x2BC830A3


def is_crypto(text: str) -> bool:
    """True for an address of Bitcoin or Ethereum."""
    ether = re.fullmatch("0x[0-9a-f]{40}", text) is not None
    if text.startswith("bc1p"):  # python-stdnum takes the checksum of version 0 for it
        return is_taproot(text)
    return ether or (text.isalnum() and bool(bitcoin.is_valid(text)))


AMERICAN = r"(?:\+?1[ -]?)?(?:\([2-9]\d\d\) |[2-9]\d\d[ .-]?)(?!\d11)[2-9]\d\d[ .-]?\d{4}(?: (?:ext\. |x)\d+)?"
CODES = "33|34|353|39|44|46|49|55|61|81|91|31"
ABROAD = rf"(?P<plus>\+|00)(?:{CODES})[ -]?(?:\(0\))?\d+(?:[ -]\d+)*"
SAID = r"(?:Tel\. |phone: |call me on )"


def is_phone(text: str) -> bool:
    """True for a number in the North American plan with separators, one with a country's code, or after a word."""
    if re.fullmatch(SAID + r"[\d ]+", text):
        return 8 <= len(digits(text)) <= 12
    if re.fullmatch(AMERICAN, text):
        area = re.sub(r"^\+?1[ -]?", "", text).lstrip("(")[:3]
        return area[1:] != "11" and (text.startswith("+1") or not text.isdigit())
    return re.fullmatch(ABROAD, text) is not None and 9 <= len(digits(text).lstrip("0")) <= 15


def is_itin(text: str) -> bool:
    """True for the groups of python-stdnum and those given since 2011, which it does not know."""
    return bool(stdnum.us.itin.is_valid(text)) or re.fullmatch(r"9\d\d(5\d|6[0-5])\d{4}", text) is not None


def is_token(text: str) -> bool:
    """True for three parts, of which the first is a JSON object that names an algorithm."""
    parts = text.split(".")
    try:
        return len(parts) == 3 and "alg" in json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except ValueError:
        return False


AROUND = r"(?:Authorization: Bearer |API_KEY=\"|token=)?(?P<v>[^ \"=]+)\"?"
KEYS = (
    r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}", r"sk-proj-[\w-]{58}T3BlbkFJ[\w-]{58}", r"sk-ant-api03-[\w-]{93}AA",
    "A[KS]IA[A-Z2-7]{16}", "dapi[0-9a-f]{32}", "dop_v1_[0-9a-f]{64}", "gh[pousr]_[A-Za-z0-9]{36}",
    r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", r"glpat-[\w-]{20}", r"AIza[\w-]{35}", "gsk_[A-Za-z0-9]{52}",
    "hf_[A-Za-z]{34}", "npm_[A-Za-z0-9]{36}", r"pypi-[\w-]{95}", r"SG\.[\w-]{22}\.[\w-]{43}", "shpat_[0-9a-f]{32}",
    r"xoxb-\d{12}-\d{12}-[A-Za-z0-9]{24}", r"xoxp-\d{12}-\d{12}-\d{12}-[0-9a-f]{32}",
    "[sr]k_(?:live|test)_[A-Za-z0-9]{24}",
)  # fmt: skip
NINO = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"

RULES: dict[str, Rule] = {
    "EMAIL": is_address,
    "CREDIT_CARD": is_card,
    "IBAN": is_iban,
    "PHONE": is_phone,
    "IP_ADDRESS": is_ip,
    "MAC_ADDRESS": is_mac,
    "CRYPTO": is_crypto,
    "API_KEY": shaped(AROUND, shaped(f"(?!.*[Xx]{{16}})(?:{'|'.join(KEYS)})")),
    "JWT": shaped(AROUND, is_token),
    "US_SSN": shaped(
        r"\d{3}-\d\d-\d{4}|(?:SSN|social security number) (?:\d{9}|\d{3} \d\d \d{4})",
        lambda text: bool(stdnum.us.ssn.is_valid(digits(text))),
    ),
    "US_ITIN": shaped(r"\d{3}-\d\d-\d{4}|ITIN (?:\d{9}|\d{3} \d\d \d{4})", lambda text: is_itin(digits(text))),
    "US_NPI": shaped(r"NPI:? (?P<v>[12]\d{9})", lambda text: bool(luhn.is_valid(f"80840{text}"))),
    "UK_NHS": shaped(r"NHS (?:number )?(?P<v>\d{3}([ -]?)\d{3}\2\d{4})", stdnum.gb.nhs.is_valid),
    "UK_NINO": shaped(rf"{NINO}(?:\d{{6}}| \d\d \d\d \d\d |-\d\d-\d\d-\d\d-)[A-D]"),
    "IN_AADHAAR": shaped(
        r"(?:Aadhaar \d{12}|\d{4}([ -])\d{4}\1\d{4})", lambda text: bool(stdnum.in_.aadhaar.is_valid(digits(text)))
    ),
    "CA_SIN": shaped(r"SIN (?P<v>\d{3}([ -]?)\d{3}\2\d{3})", stdnum.ca.sin.is_valid),
    "AU_TFN": shaped(r"TFN (?P<v>\d{3}( ?)\d{3}\2\d{3})", tfn.is_valid),
    "BR_CPF": shaped(r"(?:CPF )?\d{3}\.\d{3}\.\d{3}-\d\d|CPF \d{11}", lambda text: bool(cpf.is_valid(digits(text)))),
    "ES_NIF": shaped(r"DNI (?P<v>\d{8}-?[A-Z])", stdnum.es.dni.is_valid),
    "NL_BSN": shaped(r"BSN (?P<v>\d{9}|\d{4}\.\d\d\.\d{3})", stdnum.nl.bsn.is_valid),
    "PL_PESEL": shaped(r"PESEL (?P<v>\d{11})", stdnum.pl.pesel.is_valid),
}


@pytest.fixture(scope="session")
def rules() -> dict[str, Rule]:
    """What a whole text must be, to be a value of an entity."""
    return RULES
