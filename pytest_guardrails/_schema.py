"""The JSON Schema of case files, for editors that complete and validate."""

from __future__ import annotations

from typing import Any

from pytest_guardrails._model import BUILT_IN_CRITERIA, ENDPOINTS, LABELS, ROLES, SEVERITIES, Action, Message, Verdict

_TEXT = {"type": ["string", "number", "boolean"]}  # an editor reads an unquoted 4111 as a number; we keep it as written
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_REASON = {"anyOf": [{"type": "string"}, {"type": "boolean"}]}


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


_CRITERION = {
    "anyOf": [
        {"enum": list(BUILT_IN_CRITERIA)},
        _object({"id": _TEXT, "ask": _TEXT, "samples": {"type": "integer", "minimum": 1, "maximum": 100}}, ("id",)),
    ]
}
_GRADER = _object(
    {"base_url": _TEXT, "model": _TEXT, "api_key_env": _TEXT, "timeout": {"type": "number"}}, ("base_url", "model")
)


def _corpus() -> dict[str, Any]:
    share = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}]}
    count = {"type": "integer", "minimum": 1}
    source = {
        "file": {**_TEXT, "description": "JSONL, CSV, text or YAML, beside this file"},
        "shipped": {"enum": ["attacks", "benign"]},
        "sample": {**_TEXT, "description": "what pytest_guardrails.strategies.sample draws from"},
    }
    corpus = _object(
        {
            **source,
            "n": {**count, "description": "how many samples are drawn", "default": 10_000},
            "seed": {"type": "integer", "default": 1},
            "name": _TEXT,
            "label": {"enum": list(LABELS), "description": "of rows that have none"},
            "max_fpr": {**share, "description": "0.01, 1% or point:0.01; judged on the exact bound at 95 %"},
            "min_recall": {**share, "description": "0.95, 95% or point:0.95; judged on the exact bound at 95 %"},
            "columns": {"type": "object", "additionalProperties": {"type": "string"}},
            "concurrency": count,
            "rate_limit": {"type": "string", "description": "such as 10/s or 600/min"},
            "limit": {**count, "description": "the first rows alone"},
            "near_miss": {
                "anyOf": [*_TEXTS["anyOf"], {"type": "object", "additionalProperties": _TEXTS}],
                "description": "what its benign rows nearly are; or by category, which may end in *",
            },
            "guardrails": {"anyOf": [_TEXT, {"type": "object"}]},
        }
    )
    return {**corpus, "oneOf": [{"required": [key]} for key in source]}


def case_file_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of ``*.guardrails.yaml``."""
    messages = _messages()
    shared = _shared(messages)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pytest-guardrails case file",
        **_object(
            {
                "guardrails": {
                    "anyOf": [_TEXT, {"type": "object"}],
                    "description": "the configuration: a path beside this file, or inline",
                },
                "grader": {
                    "anyOf": [_TEXT, _GRADER],
                    "description": "who scores rubrics: module:function, or a model behind an API",
                },
                "cassette": {**_TEXT, "description": "recorded answers of the guard's API: a path beside this file"},
                "shadow": {
                    "anyOf": [_TEXT, {"type": "object"}],
                    "description": "a candidate configuration that judges the same cases beside the current one",
                },
                "gates": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "what the figures of this file must show, as in recall[tag:pii]>=0.95",
                },
                "defaults": _object(shared),
                "cases": {"type": "array", "minItems": 1, "items": _case(messages, shared)},
                "corpora": {"type": "array", "minItems": 1, "items": _corpus()},
            },
        ),
        "anyOf": [{"required": ["cases"]}, {"required": ["corpora"]}],
    }


def _messages() -> dict[str, Any]:
    message = _object(
        {
            "role": {"enum": list(ROLES)},
            "content": {"anyOf": [_TEXT, {"type": "array", "items": {"type": "object"}}, {"type": "null"}]},
            "name": _TEXT,
            "tool_calls": {"type": "array", "items": {"type": "object"}},
            "tool_call_id": _TEXT,
        },
        ("role",),
    )
    assert set(message["properties"]) == set(Message.__slots__)  # noqa: S101 - the schema follows the noun
    return {"type": "array", "minItems": 1, "items": {"anyOf": [_TEXT, message]}}


def _expect(messages: dict[str, Any]) -> dict[str, Any]:
    """Return what a trace must show, as `Expectation` has it."""
    expect = {
        "verdict": {"enum": [verdict.value for verdict in Verdict], "description": "what became of the request"},
        "action": {"enum": [action.value for action in Action], "description": "the strongest thing a guardrail did"},
        "by": {**_TEXT, "description": "the id of the guardrail that decided"},
        "findings": {**_TEXTS, "description": "names or categories of findings that must be there"},
        "upstream": {
            "anyOf": [_TEXT, messages],
            "description": "exactly what the model received: the text of the last message, or all messages",
        },
        "absent_upstream": {**_TEXTS, "description": "texts that must not reach the model in any encoding"},
        "upstream_calls": {"type": "integer", "minimum": 0},
        "response": {**_TEXTS, "description": "exactly what the caller got: the first choice, or all of them"},
        "warns": {**_TEXTS, "description": "true, false, or texts that operator warnings must hold"},
        "errors": {**_TEXTS, "description": "true, false, or texts that the guard's errors must hold"},
    }
    return {"anyOf": [{"enum": [verdict.value for verdict in Verdict]}, _object(expect)]}


def _shared(messages: dict[str, Any]) -> dict[str, Any]:
    """Return the keys that cases and ``defaults`` share."""
    return {
        "severity": {"enum": list(SEVERITIES), "default": "medium"},
        "label": {"enum": list(LABELS), "description": "derived from expect where absent"},
        "tags": {**_TEXTS, "description": "pytest markers, selected with -m"},
        "endpoint": {"enum": list(ENDPOINTS), "default": ENDPOINTS[0]},
        "stream": {"type": "boolean", "default": False},
        "response": {**_TEXTS, "description": "what the model answers: a text, one text per choice, or chunks"},
        "expect": _expect(messages),
        "xfail": _REASON,
        "skip": _REASON,
        "note": _TEXT,
        "fault": {
            "anyOf": [_TEXT, _object({"name": _TEXT, "on_call": {"type": "integer", "minimum": 1}}, ("name",))],
            "description": "how the guard's API fails, on every call or on the n-th alone",
        },
        "near_miss": {
            **_TEXTS,
            "description": "what it nearly is: ids of checks or guardrails, or what they find, such as CREDIT_CARD",
        },
        "rubric": {"type": "array", "minItems": 1, "items": _CRITERION, "description": "what is scored, 1 to 5"},
    }


def _case(messages: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    matrix = {
        "anyOf": [
            {"type": "object", "minProperties": 1, "additionalProperties": _TEXTS},
            {"type": "array", "minItems": 1, "items": {"type": "object", "additionalProperties": _TEXT}},
        ],
        "description": "one case per combination; ${name} in any text stands for the value",
    }
    templated = {"anyOf": [{"type": "string", "pattern": r"\$\{\w+\}"}]}
    case = _object(
        {
            "id": _TEXT,
            "input": {**_TEXT, "description": "the text of one user message"},
            "messages": messages,
            "matrix": matrix,
            **{key: {"anyOf": [value, *templated["anyOf"]]} for key, value in shared.items()},
        },
        ("id",),
    )
    case["oneOf"] = [{"required": ["input"]}, {"required": ["messages"]}]
    return case
