"""Corpora as pytest items, and as what a marked test is given."""

from __future__ import annotations

from pytest_guardrails._corpus_items._items import CorpusItem
from pytest_guardrails._corpus_items._marked import attach, judge_marked, result_of_marked
from pytest_guardrails._corpus_items._measure import refuse_bad_spec
from pytest_guardrails._corpus_items._names import twins

__all__ = ["CorpusItem", "attach", "judge_marked", "refuse_bad_spec", "result_of_marked", "twins"]
