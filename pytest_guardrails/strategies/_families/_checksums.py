"""Check digits, as arithmetic that is quick enough for a million of them; the tests compare them with python-stdnum."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, reduce
from itertools import product
from operator import getitem, mul, xor

# By byte: what a digit adds to a Luhn sum where it is doubled.
_DOUBLED = bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[byte - 48] if 48 <= byte < 58 else 0 for byte in range(256))
_DIGITS = "0123456789"
TWO_DIGITS = tuple(f"{value:02}" for value in range(100))
_BASE_36 = {letter: str(int(letter, 36)) for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
BASE_58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32M = 0x2BC830A3  # BIP 350


def luhn(body: str) -> str:
    """Return the Luhn check digit of a number without it."""
    digits = body.encode()
    plain = digits[-2::-2]
    return _DIGITS[(48 * len(plain) - sum(plain) - sum(digits[-1::-2].translate(_DOUBLED))) % 10]


def with_luhn(body: str) -> str:
    """Return a number with its Luhn digit."""
    return body + luhn(body)


def weighing(weights: Sequence[int]) -> Callable[[str], int]:
    """Return what sums up the digits of a number, each times its weight."""
    weights = tuple(weights)
    zeros = sum(weights) * ord("0")
    return lambda body: sum(map(mul, body.encode(), weights)) - zeros


def settled(body: str, check: Callable[[str], int]) -> str:
    """Return the body and its check digit; a body that has none (10) takes the next last digit that has one."""
    value = check(body)
    while value > 9:
        body = f"{body[:-1]}{(int(body[-1]) + 1) % 10}"
        value = check(body)
    return f"{body}{value}"


def iban_check(country: str, bban: str) -> str:
    """Return the two check digits of an IBAN (ISO 7064 mod 97-10)."""
    number = bban if bban.isdigit() else "".join(map(_BASE_36.__getitem__, bban))
    return TWO_DIGITS[98 - int(number + _moved(country)) % 97]


@cache
def _moved(country: str) -> str:
    return "".join([_BASE_36[sign] for sign in f"{country}00"])


def _verhoeff_tables() -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """Return the product in the dihedral group of ten elements, and the powers of (1 5 8 9 4 2 7 0)(3 6)."""

    def times(left: int, right: int) -> int:
        turned = left - right if left >= 5 else left + right
        return turned % 5 + (5 if (left >= 5) != (right >= 5) else 0)

    step = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    powers = [tuple(range(10))]
    for _ in range(7):
        powers.append(tuple(step[value] for value in powers[-1]))
    return tuple(tuple(times(left, right) for right in range(10)) for left in range(10)), tuple(powers)


_TIMES, _POWERS = _verhoeff_tables()
_INVERSE = tuple(str(row.index(0)) for row in _TIMES)
# By place from the right, modulo 8, and by digit: the column of the product with what that digit is there.
_COLUMNS = tuple(tuple(tuple(row[power[digit]] for row in _TIMES) for digit in range(10)) for power in _POWERS)


def verhoeff(body: str) -> str:
    """Return the Verhoeff check digit of a number without it."""
    state, place = 0, 1
    for byte in body.encode()[::-1]:
        state = _COLUMNS[place & 7][byte - 48][state]
        place += 1
    return _INVERSE[state]


_PAIRS_58 = tuple(map("".join, product(BASE_58, repeat=2)))


def base58check(payload: bytes) -> str:
    """Return bytes in base 58 with the check of Bitcoin's addresses."""
    whole = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, text, pairs = int.from_bytes(whole, "big"), "", _PAIRS_58
    while number:
        number, five = divmod(number, 58**5)  # the rest is quicker in numbers of a machine's word
        text = f"{pairs[five // 58**3]}{pairs[five // 58 % 58**2]}{BASE_58[five % 58]}{text}"
    return "1" * (len(whole) - len(whole.lstrip(b"\0"))) + text.lstrip("1")


_VALUES_32 = bytes(max(BECH32.find(chr(byte)), 0) for byte in range(256))
_LETTERS_32 = tuple(map("".join, product(BECH32, repeat=3)))


def bech32_check(prefix: str, data: str, constant: int = 1) -> str:
    """Return the six check letters of a Bech32 text (BIP 173), or of a Bech32m one with its constant."""
    start, rows = _bech32_rows(prefix, len(data))
    state = reduce(xor, map(getitem, rows, data.encode().translate(_VALUES_32)), start ^ constant)
    return _LETTERS_32[state >> 15] + _LETTERS_32[state & 0x7FFF]


@cache
def _bech32_rows(prefix: str, length: int) -> tuple[int, list[list[int]]]:
    """Return the check of a text of so many zeros, and by place and value what another letter changes in it.

    The check is linear: what the letters change adds up.
    """
    start = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    rows = [[_polymod([value, *[0] * (length - place + 5)], 0) for value in range(32)] for place in range(length)]
    return _polymod([*start, *[0] * (length + 6)], 1), rows


def _polymod(values: Sequence[int], state: int) -> int:
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATOR):
            state ^= generator if top >> bit & 1 else 0
    return state
