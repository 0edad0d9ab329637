"""Cassettes: recorded answers of a guardrail API, in vcrpy's format, replayed through a transport that patches nothing.

Stages: `_interaction` (one exchange and its key), `_metadata`, `_form`, `_yaml` and `_file` (reading and writing),
`_live` and `_parts` (recording), `_replay`, `_masking`, `_drift` and `_nearest` (what differs), `_transport` (which
uses all of them), `_lint`.
"""

from __future__ import annotations

from pytest_guardrails._cassette._drift import Drift
from pytest_guardrails._cassette._file import SUFFIXES, Cassette, load, save
from pytest_guardrails._cassette._interaction import Interaction, key_of
from pytest_guardrails._cassette._lint import Problem, lint
from pytest_guardrails._cassette._metadata import KINDS, Metadata
from pytest_guardrails._cassette._parts import merge_parts
from pytest_guardrails._cassette._transport import CREDENTIAL, MODES, RecordedTransport

__all__ = [
    "CREDENTIAL",
    "KINDS",
    "MODES",
    "SUFFIXES",
    "Cassette",
    "Drift",
    "Interaction",
    "Metadata",
    "Problem",
    "RecordedTransport",
    "key_of",
    "lint",
    "load",
    "merge_parts",
    "save",
]
