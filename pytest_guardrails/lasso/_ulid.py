"""Session ids as Lasso wants them, made here: two ULID packages share an import name, and code met the wrong one."""

from __future__ import annotations

import hashlib
import secrets
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32


def ulid(seed: str | None = None) -> str:
    """Return 26 characters, ``[0-7][0-9A-HJKMNP-TV-Z]{25}``: equal for equal seeds, else new and ordered by time.

    The 128 bits are a hash of ``seed``, or 48 bits of milliseconds and 80 random ones (source: the ULID
    specification; the strict form is that of LiteLLM's test_lasso_guardrails.py).
    """
    if seed is None:
        value = (time.time_ns() // 1_000_000 % 2**48) << 80 | secrets.randbits(80)
    else:
        digest = hashlib.blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        value = int.from_bytes(digest, "big")
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
