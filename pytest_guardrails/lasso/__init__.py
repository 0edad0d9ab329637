"""Lasso Deputies v3: a client, the check ``lasso.classify``, and the verdict rules of those who integrate it.

The API has no open reference: what is known of it comes from the code, tests and pages of its integrators. Importing
this imports no HTTP library; making a client does.
"""

from __future__ import annotations

from pytest_guardrails._errors import (
    LassoConnectionError,
    LassoError,
    LassoProtocolError,
    LassoStatusError,
    LassoTimeout,
)
from pytest_guardrails.lasso._address import normalised_base_url
from pytest_guardrails.lasso._answer import Conflict, LassoAnswer, LassoFinding, read_answer
from pytest_guardrails.lasso._check import LassoClassify, LassoVerdict, classify
from pytest_guardrails.lasso._client import LassoClient
from pytest_guardrails.lasso._edge_cases import EDGE_CASES, EdgeCase, verdict_matrix
from pytest_guardrails.lasso._masking import masked
from pytest_guardrails.lasso._policies import POLICIES, Decision, Policy, decide
from pytest_guardrails.lasso._request import sent
from pytest_guardrails.lasso._ulid import ulid

__all__ = [
    "EDGE_CASES",
    "POLICIES",
    "Conflict",
    "Decision",
    "EdgeCase",
    "LassoAnswer",
    "LassoClassify",
    "LassoClient",
    "LassoConnectionError",
    "LassoError",
    "LassoFinding",
    "LassoProtocolError",
    "LassoStatusError",
    "LassoTimeout",
    "LassoVerdict",
    "Policy",
    "classify",
    "decide",
    "masked",
    "normalised_base_url",
    "read_answer",
    "sent",
    "ulid",
    "verdict_matrix",
]
