"""The JSON Schema of ``report.json``, made from the nouns that stand in it."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from typing import Any

from pytest_guardrails._allowlists import EntryUse
from pytest_guardrails._arming import Arming
from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._coverage import Cell
from pytest_guardrails._metrics import FailSafeRow
from pytest_guardrails._model import (
    Armed,
    ArmedTest,
    CaseRecord,
    CaseStatus,
    CheckResult,
    Comparison,
    CorpusRecord,
    GateResult,
    Guard,
    Message,
    Phase,
    RateChange,
    ScoreCurve,
)
from pytest_guardrails._stats import Confusion
from pytest_guardrails.reporters.json import SCHEMA

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 2**53}
_NUMBER: Schema = {"type": "number"}
_KNOWN: Schema = {"type": ["number", "null"]}  # null is unknown
_BOOLEAN: Schema = {"type": "boolean"}
_JSON: Schema = {"type": "object"}


def _array(items: Schema, *, least: int = 0, most: int | None = None) -> Schema:
    bounds = {key: bound for key, bound in (("minItems", least or None), ("maxItems", most)) if bound is not None}
    return {"type": "array", "items": items, **bounds}


def _exactly(number: int, items: Schema) -> Schema:
    return _array(items, least=number, most=number)


def _maps(items: Schema, keys: str | None = None) -> Schema:
    names = {} if keys is None else {"propertyNames": {"pattern": keys}}
    return {"type": "object", **names, "additionalProperties": items}


def _object(properties: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_HISTOGRAM = _maps(_COUNT, "^-?[0-9]{1,4}$")
# What a type hint cannot say: how long a tuple is, and what a mapping holds.
_CLOSER: Mapping[tuple[type, str], Schema] = {
    (Armed, "backups"): _array(_exactly(2, _TEXT)),
    (Armed, "unjudged"): _array(_exactly(2, _TEXT)),
    (Arming, "unjudged"): _array(_exactly(3, _TEXT)),
    (CheckResult, "allowed"): _array(_exactly(2, _COUNT)),
    (CorpusRecord, "latency"): _HISTOGRAM,
    (CorpusRecord, "vendor_latency"): _HISTOGRAM,
    (CorpusRecord, "acted"): _maps(_maps(_COUNT)),
    (CorpusRecord, "silent"): _maps(_COUNT),
    (CorpusRecord, "allowed"): _maps(_exactly(2, _COUNT), "/[0-9]{1,6}$"),
    (CorpusRecord, "worst"): _array(_exactly(5, _TEXT)),
    (CorpusRecord, "spans"): _or_null(_exactly(5, _COUNT)),
    (Guard, "guardrails"): _array(_array(_TEXT, least=4)),
    (Guard, "allowlists"): _maps(_array(_TEXT)),
    (Message, "content"): {"anyOf": [_TEXT, _array(_JSON), {"type": "null"}]},
    (RateChange, "rate"): {"enum": ["fpr", "recall"]},
    (RateChange, "interval"): _or_null(_exactly(2, _NUMBER)),
    (ScoreCurve, "points"): _array(_exactly(3, _NUMBER)),
}
_LEFT_OUT = {(CorpusRecord, "ledger")}  # a file of the machine that ran


class _Nouns:
    """Definitions of nouns, made as they are asked for; a ``sparse`` one leaves out what has its default."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def of(self, kind: Any, *, sparse: bool = False) -> Schema:
        """Return the schema of a type hint; of a noun, a reference to its definition."""
        if dataclasses.is_dataclass(kind):
            name = typing.cast("type", kind).__name__
            if name not in self.definitions:
                self.definitions[name] = {}  # in its place before what it refers to
                self.definitions[name] = self._noun(typing.cast("type", kind), sparse)
            return {"$ref": f"#/$defs/{name}"}
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (typing.Union, types.UnionType):
            (known,) = (part for part in arguments if part is not type(None))
            return _nullable(self.of(known, sparse=sparse))
        if origin is tuple:
            return _array(self.of(arguments[0], sparse=sparse))
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return {"enum": [member.value for member in kind]}
        return dict(_PLAIN[kind])

    def _noun(self, kind: type, sparse: bool) -> Schema:
        hints = typing.get_type_hints(kind)
        shown = [field for field in dataclasses.fields(kind) if (kind, field.name) not in _LEFT_OUT]
        properties = {}
        for field in shown:
            properties[field.name] = _CLOSER.get((kind, field.name)) or self.of(hints[field.name], sparse=sparse)
        optional = tuple(field.name for field in shown if sparse and _has_default(field))
        return {"description": (kind.__doc__ or "").partition("\n")[0], **_object(properties, optional)}


_PLAIN: Mapping[Any, Schema] = {str: _TEXT, int: _COUNT, float: _NUMBER, bool: _BOOLEAN, FrozenDict: _JSON}


def _nullable(schema: Schema) -> Schema:
    simple = isinstance(schema.get("type"), str) and schema["type"] not in ("array", "object")
    return {**schema, "type": [schema["type"], "null"]} if simple else _or_null(schema)


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def report_schema() -> Schema:
    """Return the schema (draft 2020-12) of ``report.json``."""
    nouns = _Nouns()
    cases, corpora, armed = (nouns.of(kind, sparse=True) for kind in (CaseRecord, CorpusRecord, ArmedTest))
    comparison = _also(nouns, Comparison, {"failed": _BOOLEAN})
    place = _object(dict.fromkeys(("guard", "phase", "guardrail"), _TEXT))
    properties = {
        "schema": {"const": SCHEMA},
        "run": _run(),
        "guards": _array(nouns.of(Guard)),
        "metrics": _metrics(nouns),
        "gates": _array(nouns.of(GateResult)),
        "allowlists": _array(nouns.of(EntryUse)),
        "arming": _or_null(_also(nouns, Arming, {"untested": _array(place)})),
        "coverage": _object({"covered": _COUNT, "total": _COUNT, "cells": _array(nouns.of(Cell))}),
        "comparison": comparison,
        "shadow": comparison,
        "notes": _array(_TEXT),
        "armed": _array(armed),
        "corpora": _array(corpora),
        "cases": _array(cases),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pytest-guardrails report",
        **_object(properties, optional=("comparison", "shadow")),
        "$defs": nouns.definitions,
    }


def _also(nouns: _Nouns, kind: type, more: Mapping[str, Schema]) -> Schema:
    """Return a noun's reference, its definition with ``more`` that the report spells out beside its fields."""
    reference = nouns.of(kind)
    noun = nouns.definitions[kind.__name__]
    noun["properties"] |= more
    noun["required"] = list(noun["properties"])
    return reference


def _run() -> Schema:
    return _object(
        {
            "started": _TEXT,
            "duration_s": _NUMBER,
            "complete": _BOOLEAN,
            "lost": _array(_TEXT),
            "exit_status": _COUNT,
            "gates_alone": _BOOLEAN,
            "revealed": _BOOLEAN,
            "environment": _maps(_TEXT),
        }
    )


def _metrics(nouns: _Nouns) -> Schema:
    """Return what the report says of all cases together."""
    nouns.definitions["Rate"] = _object(
        {
            "hits": _COUNT,
            "total": _COUNT,
            "value": _KNOWN,
            "interval_95": _or_null(_exactly(2, _NUMBER)),
            "upper_95": _KNOWN,
            "lower_95": _KNOWN,
        }
    )
    rate, outcomes = {"$ref": "#/$defs/Rate"}, nouns.of(Confusion)
    group = {"kind": _TEXT, "name": _TEXT, "outcomes": outcomes, "fpr": rate, "recall": rate}
    rates = {"outcomes": outcomes, "fpr": rate, "recall": rate, "precision": rate, "f1": _KNOWN}
    counts = ("known_failing", "generated", "expected_errors", "failed_open", "failed_open_by_choice")
    times = ("latency_p50_s", "latency_p95_s", "latency_p99_s", "vendor_p95_s")
    return _object(
        {
            "cases": _object({status.value: _COUNT for status in CaseStatus}),
            **dict.fromkeys(counts, _COUNT),
            "trusted": _BOOLEAN,
            **rates,
            "error_rate": rate,
            "guards": _array(_object({"guard": _TEXT, **rates, "groups": _array(_object(group))})),
            **dict.fromkeys(times, _KNOWN),
            "guardrails": _array(_tally(rate)),
            "fail_safe": _array(nouns.of(FailSafeRow)),
        }
    )


def _tally(rate: Schema) -> Schema:
    """Return what the report says of one guardrail over all cases."""
    counts = ("fired", "silent", "decided", "errors", "skipped")
    times = [f"{what}_{share}_s" for what in ("latency", "vendor") for share in ("p50", "p95", "p99")]
    return _object(
        {
            "guard": _TEXT,
            "guardrail": _TEXT,
            "phase": {"enum": [phase.value for phase in Phase]},
            **dict.fromkeys(counts, _COUNT),
            "fpr": rate,
            "recall": rate,
            **dict.fromkeys(times, _KNOWN),
        }
    )
