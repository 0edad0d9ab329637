"""API keys of common providers: an iterator of spans."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_guardrails.checks._spans import WORD, Span

# --- API_KEY: a provider's prefix, a letter and a digit in one long piece, and no sign of a placeholder.

_PREFIXES: tuple[tuple[str, str], ...] = (  # what the key begins with, and the rest of it
    ("sk-", r"[A-Za-z0-9_-]{16,200}"),  # OpenAI, Anthropic, OpenRouter, LiteLLM, ...
    ("AKIA", r"[0-9A-Z]{16}"),  # AWS
    ("ASIA", r"[0-9A-Z]{16}"),
    ("AIza", r"[0-9A-Za-z_-]{35}"),  # Google
    ("GOCSPX-", r"[0-9A-Za-z_-]{28}"),
    ("ghp_", r"[A-Za-z0-9]{36,251}"),  # GitHub
    ("gho_", r"[A-Za-z0-9]{36,251}"),
    ("ghu_", r"[A-Za-z0-9]{36,251}"),
    ("ghs_", r"[A-Za-z0-9]{36,251}"),
    ("ghr_", r"[A-Za-z0-9]{36,251}"),
    ("github_pat_", r"[A-Za-z0-9_]{22,255}"),
    ("glpat-", r"[0-9A-Za-z_-]{20,64}"),  # GitLab
    ("xox", r"[abeoprs]-[A-Za-z0-9-]{10,250}"),  # Slack
    ("xapp-", r"[A-Za-z0-9-]{20,250}"),
    ("k_live_", r"[0-9A-Za-z]{16,99}"),  # Stripe: sk_live_, rk_live_, pk_live_
    ("k_test_", r"[0-9A-Za-z]{16,99}"),
    ("whsec_", r"[0-9A-Za-z+/=]{24,99}"),
    ("npm_", r"[A-Za-z0-9]{36}"),
    ("pypi-", r"[A-Za-z0-9_-]{60,250}"),
    ("SG.", r"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),  # SendGrid
    ("hf_", r"[A-Za-z0-9]{30,40}"),  # Hugging Face
    ("gsk_", r"[A-Za-z0-9]{40,64}"),  # Groq
    ("xai-", r"[A-Za-z0-9]{40,100}"),
    ("pplx-", r"[A-Za-z0-9]{40,64}"),  # Perplexity
    ("r8_", r"[A-Za-z0-9]{36,40}"),  # Replicate
    ("hvs.", r"[A-Za-z0-9_-]{24,200}"),  # Vault
    ("dop_v1_", r"[0-9a-f]{64}"),  # DigitalOcean
    ("shpat_", r"[0-9a-fA-F]{32}"),  # Shopify
    ("dckr_pat_", r"[A-Za-z0-9_-]{27}"),  # Docker
    ("lin_api_", r"[A-Za-z0-9]{40}"),  # Linear
    ("dapi", r"[0-9a-f]{32}"),  # Databricks
)
_HINTS = tuple(prefix for prefix, _ in _PREFIXES)
_KEYS = tuple((prefix, re.compile(rest)) for prefix, rest in _PREFIXES)
_PLACEHOLDER = re.compile(r"x{5}|\*{4}|\.{3}|your|0{8}", re.IGNORECASE)
_PIECES = re.compile(r"[-_.]")


def keys(text: str) -> Iterator[Span]:
    if not any(map(text.__contains__, _HINTS)):
        return
    for prefix, rest in _KEYS:
        start = text.find(prefix)
        while start >= 0:
            match = rest.match(text, start + len(prefix))
            first = start - 1 if prefix[0] == "k" else start  # the s, r or p of Stripe's prefixes
            if match and _is_key(match[0].rstrip("-_")) and not _inside_token(text, first, match.end()):
                yield first, match.end() - len(match[0]) + len(match[0].rstrip("-_"))
            start = text.find(prefix, match.end() if match else start + len(prefix))


def _is_key(rest: str) -> bool:
    longest = max(_PIECES.split(rest), key=len)
    mixed = any(map(str.isdigit, longest)) and any(map(str.isalpha, longest))
    return len(longest) >= 10 and mixed and len(set(longest)) >= 8 and not _PLACEHOLDER.search(rest)


def _inside_token(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start] in WORD | {"-"} or text[end : end + 1] in WORD
