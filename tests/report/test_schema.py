"""The schema of ``report.json``: made from the nouns, shipped, strict, and what a validator makes of our reports."""

from __future__ import annotations

import copy
import dataclasses
import json
import typing
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pytest_guardrails import _model
from pytest_guardrails._model import ArmedTest, CaseRecord, Comparison, CorpusRecord, GateResult, Guard, Run
from pytest_guardrails._report import report_schema
from pytest_guardrails._report._check import Mismatch, checker
from pytest_guardrails._report._command import shipped_schema
from pytest_guardrails.reporters.json import json_report

# A failure is shown as it was drawn: to shrink a whole run takes minutes.
FEW = settings(
    max_examples=25, suppress_health_check=list(HealthCheck), phases=set(Phase) - {Phase.shrink, Phase.explain}
)
VALIDATOR = jsonschema.Draft202012Validator(report_schema())


def test_the_shipped_schema_is_that_of_the_nouns() -> None:
    """What the package ships is what the nouns give; where this fails, write what `report_schema` returns."""
    assert json.loads(shipped_schema()) == report_schema()


def test_it_is_a_schema() -> None:
    """It is valid by its own meta-schema."""
    jsonschema.Draft202012Validator.check_schema(report_schema())


def nouns(kind: Any) -> Iterator[type]:
    """Yield the nouns that a type hint reaches."""
    if dataclasses.is_dataclass(kind):
        yield typing.cast("type", kind)
        for hint in typing.get_type_hints(kind).values():
            yield from nouns(hint)
    for argument in typing.get_args(kind):
        yield from nouns(argument)


def test_every_field_of_every_noun_is_in_it() -> None:
    """No field of what a report holds is forgotten, but the one that names a file of the machine."""
    definitions = report_schema()["$defs"]
    for root in (CaseRecord, CorpusRecord, ArmedTest, Guard, GateResult, Comparison):
        for noun in nouns(root):
            names = {field.name for field in dataclasses.fields(noun)}
            extra = {"failed"} if noun is Comparison else set()
            assert set(definitions[noun.__name__]["properties"]) == (names - {"ledger"}) | extra, noun


def test_every_field_of_a_run_is_in_it() -> None:
    """A field of `Run` stands at the top of the report or in its head."""
    properties = report_schema()["properties"]
    known = {*properties, *properties["run"]["properties"]}
    assert {field.name for field in dataclasses.fields(Run)} - known == {"records"}  # they are its cases
    assert "cases" in known


def test_nothing_unknown_is_allowed() -> None:
    """Every object lists its keys or says what its values are; only what cases bring of their own is free."""

    def objects(schema: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                yield where, schema
            for key, value in schema.items():
                yield from objects(value, f"{where}/{key}")
        elif isinstance(schema, list):
            for value in schema:
                yield from objects(value, where)

    free = {where.rpartition("/properties/")[2] for where, one in objects(report_schema(), "") if set(one) == {"type"}}
    assert free == {"packages", "metadata", "content/anyOf/items", "tool_calls/items", "body"}
    listed = [one for _, one in objects(report_schema(), "") if "properties" in one]
    assert listed
    assert all(one["additionalProperties"] is False for one in listed)


@FEW
@given(data=st.data())
def test_every_report_is_valid(runs: st.SearchStrategy[Run], data: st.DataObject) -> None:
    """Whatever run is written, a validator that knows nothing of us accepts the report."""
    VALIDATOR.validate(json.loads(json_report(data.draw(runs))))


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container of a JSON value with each of its keys."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield data, key
        if isinstance(value, dict | list):
            yield from places(value)


@FEW
@given(data=st.data())
def test_our_reader_refuses_what_a_validator_refuses(runs: st.SearchStrategy[Run], data: st.DataObject) -> None:
    """A report with one value replaced, added or taken away is valid for both or for neither."""
    report = json.loads(json_report(data.draw(runs)))
    holder, key = data.draw(st.sampled_from(list(places(report))))
    match data.draw(st.sampled_from(["replace", "add", "remove"])):
        case "replace":
            values: list[Any] = [None, True, 0, -1, 2**60, 0.5, "", "allow", [], {}, [[]], [1, 2], {"a": 1}]
            holder[key] = copy.deepcopy(data.draw(st.sampled_from(values)))
        case "add" if isinstance(holder, dict):
            holder["added"] = 1
        case _:
            del holder[key]
    try:
        checker(report_schema())(report)
        ours = True
    except Mismatch:
        ours = False
    assert ours is VALIDATOR.is_valid(report)


def test_the_reader_keeps_numbers_apart_as_python_does() -> None:
    """JSON Schema calls 1.0 an integer; we never write one for a count, and refuse it."""
    check = checker({"type": "integer", "minimum": 0, "maximum": 9})
    check(1)
    with pytest.raises(Mismatch, match="expected integer, got number"):
        check(1.0)


def test_each_noun_says_what_it_is() -> None:
    """A definition carries the first sentence of its noun, for whoever reads the schema alone."""
    assert report_schema()["$defs"]["Grade"]["description"] == (_model.Grade.__doc__ or "").partition("\n")[0]
