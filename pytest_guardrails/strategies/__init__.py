"""Hypothesis strategies: what guardrail APIs are sent, what they answer, and what they should never answer.

They draw plain JSON (``dict``) and bytes, and shrink to the smallest of it::

    @given(lasso_responses(block=False))
    def test_my_guard_lets_by_what_lasso_lets_by(answer): ...
"""

from __future__ import annotations

from pytest_guardrails.strategies._lasso import (
    api_errors,
    lasso_requests,
    lasso_responses,
    malformed_lasso_responses,
)

__all__ = ["api_errors", "lasso_requests", "lasso_responses", "malformed_lasso_responses"]
