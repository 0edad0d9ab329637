"""Check digits, as arithmetic that is quick enough for a million of them; the tests compare them with python-stdnum."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from operator import mul

# By byte: what a digit adds to a Luhn sum where it is doubled.
_DOUBLED = bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[byte - 48] if 48 <= byte < 58 else 0 for byte in range(256))
_DIGITS = "0123456789"
_BASE_36 = {ord(letter): str(value) for value, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10)}
_BASE_58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32M = 0x2BC830A3  # BIP 350


def luhn(body: str) -> str:
    """Return the Luhn check digit of a number without it."""
    digits = body.encode()
    plain = digits[-2::-2]
    return _DIGITS[(48 * len(plain) - sum(plain) - sum(digits[-1::-2].translate(_DOUBLED))) % 10]


def weighted(body: str, weights: Sequence[int]) -> int:
    """Return the sum of the digits, each times its weight."""
    return sum(map(mul, map(int, body), weights))


def settled(body: str, check: Callable[[str], int]) -> str:
    """Return the body and its check digit; a body that has none (10) takes the next last digit that has one."""
    value = check(body)
    while value > 9:
        body = f"{body[:-1]}{(int(body[-1]) + 1) % 10}"
        value = check(body)
    return f"{body}{value}"


def iban_check(country: str, bban: str) -> str:
    """Return the two check digits of an IBAN (ISO 7064 mod 97-10)."""
    return str(98 - int(f"{bban}{country}00".translate(_BASE_36)) % 97).zfill(2)


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


def verhoeff(body: str) -> str:
    """Return the Verhoeff check digit of a number without it."""
    state = 0
    for place, digit in enumerate(reversed(body), 1):
        state = _TIMES[state][_POWERS[place % 8][int(digit)]]
    return str(_TIMES[state].index(0))


def base58check(payload: bytes) -> str:
    """Return bytes in base 58 with the check of Bitcoin's addresses."""
    whole = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, letters = int.from_bytes(whole, "big"), ""
    while number:
        number, place = divmod(number, 58)
        letters = _BASE_58[place] + letters
    return "1" * (len(whole) - len(whole.lstrip(b"\0"))) + letters


def bech32_check(prefix: str, data: str, constant: int = 1) -> str:
    """Return the six check letters of a Bech32 text (BIP 173), or of a Bech32m one with its constant."""
    values = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    state = 1
    for value in (*values, *map(BECH32.index, data), 0, 0, 0, 0, 0, 0):
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATOR):
            state ^= generator if top >> bit & 1 else 0
    state ^= constant
    return "".join(BECH32[state >> 5 * (5 - place) & 31] for place in range(6))
