"""The key under which a project's texts are masked."""

from __future__ import annotations

import os
import secrets

import pytest

KEY_VARIABLE = "GUARDRAILS_MASK_KEY"

_mask_key = pytest.StashKey[bytes]()


def mask_key(config: pytest.Config) -> bytes:
    """Return the key under which this project's texts are masked: from the environment, else kept in pytest's cache."""
    key = config.stash.get(_mask_key, None)
    if key is None:
        worker = getattr(config, "workerinput", None)
        key = bytes.fromhex(worker["guardrails_mask_key"]) if worker else _project_key(config)
        config.stash[_mask_key] = key
    return key


def _project_key(config: pytest.Config) -> bytes:
    if given := os.environ.get(KEY_VARIABLE):
        return given.encode()[:64]
    cache = getattr(config, "cache", None)
    kept = cache.get("guardrails/mask-key", None) if cache else None
    key = bytes.fromhex(kept) if isinstance(kept, str) else secrets.token_bytes(16)
    if cache and kept is None:
        cache.set("guardrails/mask-key", key.hex())
    return key
