"""Hypothesis strategies: messages that a guard must act on or leave alone, and what guardrail APIs are sent and answer.

Messages are drawn as a `Sample`, which knows its label, category and spans, and can be sampled by a seed as well; what
goes over the wire as plain JSON (``dict``) and bytes. They shrink to the smallest::

    @given(near_misses(["CREDIT_CARD"]))
    def test_my_guard_leaves_order_numbers_alone(sample): ...


    @given(lasso_responses(block=False))
    def test_my_guard_lets_by_what_lasso_lets_by(answer): ...
"""

from __future__ import annotations

from pytest_guardrails._model import Sample, Span
from pytest_guardrails.strategies._chunks import split
from pytest_guardrails.strategies._compose import injection_look_alikes, injections, obfuscated, prompts_with
from pytest_guardrails.strategies._given import given_cases
from pytest_guardrails.strategies._lasso import (
    api_errors,
    lasso_requests,
    lasso_responses,
    malformed_lasso_responses,
)
from pytest_guardrails.strategies._sampling import sample, sample_names
from pytest_guardrails.strategies._values import (
    aadhaar_numbers,
    api_keys,
    au_tfns,
    br_cpfs,
    ca_sins,
    credit_cards,
    crypto_addresses,
    emails,
    es_nifs,
    ibans,
    ip_addresses,
    jwts,
    look_alikes,
    mac_addresses,
    near_misses,
    nhs_numbers,
    nl_bsns,
    phone_numbers,
    pii,
    pl_pesels,
    uk_ninos,
    us_itins,
    us_npis,
    us_ssns,
)

__all__ = [
    "Sample",
    "Span",
    "aadhaar_numbers",
    "api_errors",
    "api_keys",
    "au_tfns",
    "br_cpfs",
    "ca_sins",
    "credit_cards",
    "crypto_addresses",
    "emails",
    "es_nifs",
    "given_cases",
    "ibans",
    "injection_look_alikes",
    "injections",
    "ip_addresses",
    "jwts",
    "lasso_requests",
    "lasso_responses",
    "look_alikes",
    "mac_addresses",
    "malformed_lasso_responses",
    "near_misses",
    "nhs_numbers",
    "nl_bsns",
    "obfuscated",
    "phone_numbers",
    "pii",
    "pl_pesels",
    "prompts_with",
    "sample",
    "sample_names",
    "split",
    "uk_ninos",
    "us_itins",
    "us_npis",
    "us_ssns",
]
