"""API keys, signed tokens and addresses of crypto money."""

from __future__ import annotations

import json
import string
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families._checksums import BECH32, BECH32M, base58check, bech32_check
from pytest_guardrails.strategies._families._source import (
    ALNUM,
    HEX,
    URL_SAFE,
    Entity,
    Recipe,
    Source,
    Words,
    any_of,
    found,
    glued,
    letters,
    phrase,
    twins,
    word,
)

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


def key_recipe(provider: str | None = None) -> Recipe:
    """Return the recipe of API keys, of one provider or of all."""
    if provider is not None and provider not in PROVIDERS:
        raise ConfigError(unknown("provider", provider, PROVIDERS))
    keys = _KEYS if provider is None else _keys(PROVIDERS[provider])
    return lambda source: found(KEY, keys(source), *source.choice(_AROUND))


def _keys(templates: tuple[str, ...]) -> Words:
    return any_of(*(phrase(template, **_BODIES) for template in templates))


_KEYS = any_of(*map(_keys, PROVIDERS.values()))
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


def _key_glued(source: Source) -> str:
    inside = phrase("{a}{prefix}{b}", a=_PART, prefix=word("AKIA", "ASIA", "AIza"), b=_PART)
    return inside(source)


_PART = letters(ALNUM, 30)

# --- JWT: a header that names its algorithm, claims, a signature


def _encoded(claims: Mapping[str, object]) -> str:
    return urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).rstrip(b"=").decode()


_HEADERS = tuple(_encoded({"alg": name, "typ": "JWT"}) for name in ("HS256", "RS256", "ES256", "EdDSA"))
_NO_HEADERS = (_encoded({"typ": "example"}), _encoded({"theme": "dark"}), "eyJ0b3VyIjoi")


def _claims(source: Source) -> str:
    issued = source.integer(1_600_000_000, 1_899_999_999)
    return _encoded({"sub": source.digits(10), "iat": issued, "exp": issued + 3600})


def jwts(source: Source) -> Sample:
    """Draw a signed token, bare or as a header carries it."""
    token = f"{source.choice(_HEADERS)}.{_claims(source)}.{source.string(URL_SAFE, 43)}"
    return found(JWT, token, *source.choice(_AROUND))


_NO_TOKEN = any_of(
    phrase("{a}.{b}", a=word(*_HEADERS), b=_claims),
    phrase("{a}.{b}.{c}", a=word(*_NO_HEADERS), b=_claims, c=letters(URL_SAFE, 43)),
    phrase("{a}.{b}.{c}", a=letters(URL_SAFE, 24), b=letters(URL_SAFE, 40), c=letters(URL_SAFE, 43)),
)

# --- CRYPTO: Bitcoin's three forms of address, and Ethereum's


def _bitcoin(source: Source) -> str:
    version = source.choice((b"\0", b"\5"))
    return base58check(version + bytes.fromhex(source.string(HEX, 40)))


def _segwit(source: Source) -> str:
    version, length, constant = source.choice((("q", 32, 1), ("q", 51, 1), ("p", 51, BECH32M)))
    data = version + source.string(BECH32, length) + (source.choice("qs") if length == 51 else "")  # 256 bits and four
    return f"bc1{data}{bech32_check('bc', data, constant)}"


_ETHEREUM = phrase("0x{a}", a=letters(HEX, 40))


def crypto_addresses(source: Source) -> Sample:
    """Draw an address of Bitcoin (base58, Bech32, Bech32m) or of Ethereum (lower case, so without a checksum)."""
    return found(CRYPTO, source.choice((_bitcoin, _segwit, _ETHEREUM))(source))


def _other_letter(source: Source, text: str, first: int, alphabet: str) -> str:
    """Return the text with one letter after ``first`` changed for another of the alphabet."""
    at = source.integer(first, len(text) - 1)
    step = source.integer(1, len(alphabet) - 1)
    return f"{text[:at]}{alphabet[(alphabet.index(text[at]) + step) % len(alphabet)]}{text[at + 1 :]}"


_BASE_58 = "".join(letter for letter in ALNUM if letter not in "0OIl")
_CRYPTO_OFF = any_of(
    lambda source: _other_letter(source, _bitcoin(source), 1, _BASE_58),
    lambda source: _other_letter(source, _segwit(source), 4, BECH32),
)
_CRYPTO_OUTSIDE = any_of(
    phrase("0x{a}", a=letters(HEX, 39)),
    phrase("0x{a}", a=letters(HEX, 42)),
    phrase("0x{a}{b}", a=letters(HEX, 39), b=word("g", "x", "z")),
    lambda source: _bitcoin(source)[:-1] + source.choice("0OIl"),
)

ENTITIES = (
    Entity(
        KEY, "api_keys", key_recipe(), twins(KEY, length=_SHORT, placeholder=_DUMMY, case=_ALTERED, glued=_key_glued)
    ),
    Entity(JWT, "jwts", jwts, twins(JWT, syntax=_NO_TOKEN)),
    Entity(
        CRYPTO,
        "crypto_addresses",
        crypto_addresses,
        twins(
            CRYPTO,
            checksum=_CRYPTO_OFF,
            range=_CRYPTO_OUTSIDE,
            glued=lambda source: glued(source, _bitcoin(source)),
        ),
    ),
)
