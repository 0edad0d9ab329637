"""API keys, signed tokens and addresses of crypto money."""

from __future__ import annotations

import json
import string
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import partial

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families._checksums import BASE_58, BECH32, BECH32M, base58check, bech32_check
from pytest_guardrails.strategies._families._recipes import (
    PLACE,
    Recipe,
    Words,
    any_of,
    choice,
    digits,
    glued,
    integer,
    joined,
    letters,
    made,
    phrase,
    word,
)
from pytest_guardrails.strategies._families._samples import Entity, found, twins
from pytest_guardrails.strategies._families._source import ALNUM, HEX, URL_SAFE

KEY, JWT, CRYPTO = "API_KEY", "JWT", "CRYPTO"

# --- API_KEY: the form that each provider documents, or that its keys have had in public

_BASE_32 = "A2B3C4D5E6F7GHIJKLMNOPQRSTUVWXYZ"  # digits and letters mixed: its simplest text is no placeholder
_OPENAI = "T3BlbkFJ"  # stands in the middle of every OpenAI key
_BODIES: dict[str, Words] = {
    **{f"a{length}": letters(ALNUM, length) for length in (20, 22, 24, 36, 52, 59)},
    **{f"u{length}": letters(URL_SAFE, length) for length in (20, 22, 35, 43, 58, 80, 93)},
    **{f"x{length}": letters(HEX, length) for length in (32, 64)},
    "b16": letters(_BASE_32, 16),
    "l34": letters(string.ascii_letters, 34),
    "d12": letters("1234567890", 12),
}
PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "openai": (f"sk-{{a20}}{_OPENAI}{{a20}}", f"sk-proj-{{u58}}{_OPENAI}{{u58}}"),
    "anthropic": ("sk-ant-api03-{u93}AA",),
    "aws": ("AKIA{b16}", "ASIA{b16}"),
    "databricks": ("dapi{x32}",),
    "digitalocean": ("dop_v1_{x64}",),
    "github": ("ghp_{a36}", "gho_{a36}", "ghu_{a36}", "ghs_{a36}", "ghr_{a36}", "github_pat_{a22}_{a59}"),
    "gitlab": ("glpat-{u20}",),
    "google": ("AIza{u35}",),
    "groq": ("gsk_{a52}",),
    "huggingface": ("hf_{l34}",),
    "npm": ("npm_{a36}",),
    "pypi": ("pypi-AgEIcHlwaS5vcmc{u80}",),
    "sendgrid": ("SG.{u22}.{u43}",),
    "shopify": ("shpat_{x32}",),
    "slack": ("xoxb-{d12}-{d12}-{a24}", "xoxp-{d12}-{d12}-{d12}-{x32}"),
    "stripe": ("sk_live_{a24}", "sk_test_{a24}", "rk_live_{a24}"),
}
_AROUND = (("", ""), ("Authorization: Bearer ", ""), ('API_KEY="', '"'), ("token=", ""))


def _keys(templates: tuple[str, ...]) -> Words:
    return any_of(*(phrase(template, **_BODIES) for template in templates))


_BY_PROVIDER = {provider: _keys(templates) for provider, templates in PROVIDERS.items()}


def key_recipe(provider: str | None = None) -> Recipe[Sample]:
    """Return the recipe of API keys, of one provider or of all.

    Raises:
        ConfigError: for a provider that is unknown.
    """
    if provider is not None and provider not in PROVIDERS:
        raise ConfigError(unknown("provider", provider, PROVIDERS))
    return _carried(KEY, any_of(*_BY_PROVIDER.values()) if provider is None else _BY_PROVIDER[provider])


def _carried(entity: str, secret: Words) -> Recipe[Sample]:
    """Return the recipe of a secret as it stands, or as a header or a setting carries it."""
    return any_of(*(found(entity, secret, before, after) for before, after in _AROUND))


_SHORT = phrase(
    "{prefix}{body}", prefix=word("sk-", "sk-proj-", "ghp_", "AKIA", "AIza", "glpat-"), body=letters(ALNUM, 7)
)
_DUMMY = any_of(
    phrase(
        "{prefix}{body}",
        prefix=word("sk-", "sk-proj-", "ghp_", "hf_", "xoxb-", "SG."),
        body=word("your-api-key-goes-here", "X" * 32, "x" * 40, "xxxx-xxxx-xxxx-xxxx", "...", "*" * 24),
    ),
    word("AKIA" + "X" * 16, "AIza" + "x" * 35, "sk-<your key>", "sk-${OPENAI_KEY}", "ghp_{{ secrets.token }}"),
)
_ALTERED = phrase(
    "{prefix}{body}", prefix=word("akia", "Akia", "aiza", "GHP_", "GLPAT-", "shPat_"), body=letters(HEX, 32)
)


_PART = letters(ALNUM, 30)
_KEY_GLUED = joined(_PART, word("AKIA", "ASIA", "AIza"), _PART)

# --- JWT: a header that names its algorithm, claims, a signature


def _encoded(claims: Mapping[str, object]) -> str:
    return urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).rstrip(b"=").decode()


_HEADERS = tuple(_encoded({"alg": name, "typ": "JWT"}) for name in ("HS256", "RS256", "ES256", "EdDSA"))
_NO_HEADERS = (_encoded({"typ": "example"}), _encoded({"theme": "dark"}), "eyJ0b3VyIjoi")


def _claims(subject: str, issued: int) -> str:
    claims = b'{"sub":"%b","iat":%d,"exp":%d}' % (subject.encode(), issued, issued + 3600)
    return urlsafe_b64encode(claims).decode().rstrip("=")


_CLAIMS = made(_claims, digits(10), integer(1_600_000_000, 1_899_999_999))
_SIGNATURE = letters(URL_SAFE, 43)
_TOKEN = joined(word(*_HEADERS), ".", _CLAIMS, ".", _SIGNATURE)
_NO_TOKEN = any_of(
    phrase("{a}.{b}", a=word(*_HEADERS), b=_CLAIMS),
    phrase("{a}.{b}.{c}", a=word(*_NO_HEADERS), b=_CLAIMS, c=_SIGNATURE),
    phrase("{a}.{b}.{c}", a=letters(URL_SAFE, 24), b=letters(URL_SAFE, 40), c=_SIGNATURE),
)

# --- CRYPTO: Bitcoin's three forms of address, and Ethereum's


def _base_58(version: bytes, payload: str) -> str:
    return base58check(version + bytes.fromhex(payload))


def _bech_32(constant: int, data: str) -> str:
    return f"bc1{data}{bech32_check('bc', data, constant)}"


_BITCOIN = made(_base_58, choice((b"\0", b"\5")), letters(HEX, 40))
_256_BITS = joined(letters(BECH32, 51), word("q", "s"))  # and four of padding
_SEGWIT = any_of(
    made(partial(_bech_32, 1), joined("q", letters(BECH32, 32))),
    made(partial(_bech_32, 1), joined("q", _256_BITS)),
    made(partial(_bech_32, BECH32M), joined("p", _256_BITS)),
)
_ETHEREUM = joined("0x", letters(HEX, 40))  # lower case, so without a checksum


def _other_letter(alphabet: str, start: int, text: str, place: int, step: int) -> str:
    """Return the text with one letter from ``start`` on changed for another of the alphabet."""
    at = start + place % (len(text) - start)
    return f"{text[:at]}{alphabet[(alphabet.index(text[at]) + step) % len(alphabet)]}{text[at + 1 :]}"


_CRYPTO_OFF = any_of(
    made(partial(_other_letter, BASE_58, 1), _BITCOIN, PLACE, integer(1, 57)),
    made(partial(_other_letter, BECH32, 4), _SEGWIT, PLACE, integer(1, 31)),
)
_CRYPTO_OUTSIDE = any_of(
    phrase("0x{a}", a=letters(HEX, 39)),
    phrase("0x{a}", a=letters(HEX, 42)),
    phrase("0x{a}{b}", a=letters(HEX, 39), b=word("g", "x", "z")),
    joined(made(lambda address: address[:-1], _BITCOIN), word(*"0OIl")),
)

ENTITIES = (
    Entity(
        KEY, "api_keys", key_recipe(), twins(KEY, length=_SHORT, placeholder=_DUMMY, case=_ALTERED, glued=_KEY_GLUED)
    ),
    Entity(JWT, "jwts", _carried(JWT, _TOKEN), twins(JWT, syntax=_NO_TOKEN)),
    Entity(
        CRYPTO,
        "crypto_addresses",
        any_of(found(CRYPTO, _BITCOIN), found(CRYPTO, _SEGWIT), found(CRYPTO, _ETHEREUM)),
        twins(CRYPTO, checksum=_CRYPTO_OFF, range=_CRYPTO_OUTSIDE, glued=glued(_BITCOIN)),
    ),
)
