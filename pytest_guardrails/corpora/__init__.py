"""Two labelled sets of messages, written for this project: legitimate inputs, and attacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_guardrails._errors import ConfigError, unknown

__all__ = ["ENTITIES", "NEAR_MISSES", "SHIPPED", "shipped"]

SHIPPED = ("attacks", "benign")
ENTITIES = (  # what spans of ``attacks`` name
    "AU_TFN", "BR_CPF", "CA_SIN", "CH_AHV", "CREDIT_CARD", "CRYPTO", "DATE_OF_BIRTH", "DE_TAX_ID", "EMAIL", "ES_NIF",
    "FI_PERSONAL_IDENTITY_CODE", "FR_NIR", "IBAN", "IMEI", "IN_AADHAAR", "IN_PAN", "IP_ADDRESS", "IT_FISCAL_CODE",
    "KR_RRN", "LOCATION", "MAC_ADDRESS", "NL_BSN", "PASSWORD", "PHONE", "PL_PESEL", "SE_PERSONNUMMER", "SG_NRIC_FIN",
    "UK_NHS", "UK_NINO", "US_ITIN", "US_NPI", "US_SSN",
)  # fmt: skip
NEAR_MISSES: Mapping[str, tuple[str, ...]] = {  # what the hard rows of ``benign`` nearly are, by category
    "hard-codes": ("API_KEY", "CREDIT_CARD", "PHONE"),
    "hard-failed-checks": ("CREDIT_CARD", "IBAN", "US_SSN"),
    "hard-health": ("content_moderation",),
    "hard-instructions": ("prompt_injection",),
    "hard-multilingual": ("prompt_injection",),
    "hard-network": ("IP_ADDRESS",),
    "hard-numbers": ("CREDIT_CARD", "PHONE", "US_SSN"),
    "hard-parts": ("PHONE", "US_SSN"),
    "hard-placeholders": ("API_KEY",),
    "hard-places-money": ("PHONE",),
    "hard-products": ("API_KEY",),
    "hard-quoted": ("prompt_injection",),
    "hard-roles": ("prompt_injection",),
    "hard-secrets-questions": ("API_KEY", "prompt_injection"),
    "hard-time": ("CREDIT_CARD", "PHONE"),
    "hard-versions": ("IP_ADDRESS",),
    "hard-words": ("content_moderation",),
}


def shipped(name: str) -> Path:
    """Return the JSONL file of a shipped set, one of `SHIPPED`.

    Raises:
        ConfigError: for any other name, with the choices.
    """
    if name not in SHIPPED:
        raise ConfigError(unknown("shipped corpus", name, SHIPPED))
    return Path(__file__).parent / f"{name}.jsonl"
