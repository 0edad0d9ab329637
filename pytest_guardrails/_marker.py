"""``@expect_verdict``, ``@inject_fault`` and ``@corpus``: the markers, typed and checked where they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from pytest_guardrails._cases import EXPECT_KEYS, expectation_of
from pytest_guardrails._corpus import KEYS as CORPUS_KEYS
from pytest_guardrails._corpus import CorpusSpec, read_spec
from pytest_guardrails._document import from_data
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import LABELS, SEVERITIES, Action, Case, Expectation, Message, Request, Sample, Verdict

NAME = "expect_verdict"
FAULT = "inject_fault"
FAULT_FIXTURE = "lasso_fault"
CORPUS = "corpus"
LABELLED = "labelled"
_CASE_KEYS = {"severity": SEVERITIES, "label": LABELS}


def expect_verdict(
    verdict: Verdict | Literal["allow", "block", "labelled"],
    /,
    *,
    action: Action | Literal["none", "warn", "sanitize", "deny"] | None = None,
    by: str | None = None,
    findings: str | Sequence[str] | None = None,
    upstream: str | Sequence[str | Message | Mapping[str, Any]] | None = None,
    absent_upstream: str | Sequence[str] | None = None,
    upstream_calls: int | None = None,
    response: str | Sequence[str] | None = None,
    warns: bool | str | Sequence[str] | None = None,
    errors: bool | str | Sequence[str] | None = None,
    severity: Literal["critical", "high", "medium", "low"] | None = None,
    label: Literal["attack", "benign"] | None = None,
) -> pytest.MarkDecorator:
    """Mark a test whose every ``guardrail_engine.run(...)`` must end in ``verdict``, and show the rest asked here.

    ``"labelled"`` is for runs of samples: nothing may act on a benign one, and something must act on an attack.

    Raises:
        ConfigError: for a value that none of the choices matches; it names them.
    """
    given = {key: value for key, value in locals().items() if value is not None and key != "verdict"}
    read_marker(pytest.Mark(NAME, (verdict,), given, _ispytest=True))
    return pytest.mark.expect_verdict(verdict, **given)


def read_marker(mark: pytest.Mark) -> Case:
    """Return what a marker says, as a case without an input.

    Raises:
        ConfigError: for wrong arguments.
    """
    if len(mark.args) != 1:
        raise ConfigError(f'@{NAME} takes one verdict, as in @{NAME}("block"); it got {len(mark.args)}')
    for key in mark.kwargs:
        if key not in (*EXPECT_KEYS, *_CASE_KEYS):
            raise ConfigError(unknown(f"argument of @{NAME}", key, [*EXPECT_KEYS[1:], *_CASE_KEYS]))
    for key, choices in _CASE_KEYS.items():
        if mark.kwargs.get(key) not in (None, *choices):
            raise ConfigError(unknown(key, mark.kwargs[key], choices))
    asked = {key: value for key, value in mark.kwargs.items() if key not in _CASE_KEYS}
    if "verdict" in asked:
        raise ConfigError(f"@{NAME} takes its verdict as the first argument")
    if mark.args[0] == LABELLED:
        return _labelled_case(mark)
    return Case(
        id="",
        request=Request.of("-"),
        expectation=expectation_of({"verdict": mark.args[0], **asked}),
        severity=mark.kwargs.get("severity") or "medium",
        label=mark.kwargs.get("label"),
    )


def inject_fault(name: str, /, *, on_call: int | None = None) -> pytest.MarkDecorator:
    """Mark a test whose guard's API fails in the way ``name``: on each call, or on the ``on_call``-th alone, from 1.

    Raises:
        ConfigError: for a fault that the catalogue does not have, or a call that cannot be.
    """
    given = {} if on_call is None else {"on_call": on_call}
    read_fault(pytest.Mark(FAULT, (name,), given, _ispytest=True))
    return pytest.mark.inject_fault(name, **given)


def _labelled_case(mark: pytest.Mark) -> Case:
    """Return the case of a test whose samples say what is expected; it stands until the first one ran."""
    for key in mark.kwargs:
        if key != "severity":
            raise ConfigError(f'@{NAME}("{LABELLED}") takes nothing but a severity, not {key}: say the verdict')
    severity = mark.kwargs.get("severity") or "medium"
    return Case("", Request.of("-"), Expectation(Verdict.ALLOW, action=Action.NONE), severity=severity)


def labelled(sample: Sample | None) -> Sample:
    """Return what was sent by a test that goes by labels.

    Raises:
        ConfigError: where it was no sample, or its label is none.
    """
    if sample is None:
        raise ConfigError(f'@{NAME}("{LABELLED}") needs samples, as in guardrail_engine.run(sample)')
    if sample.label not in LABELS:
        raise ConfigError(unknown("label of a sample", sample.label, LABELS))
    return sample


def read_fault(mark: pytest.Mark) -> tuple[str, int | None]:
    """Return the fault that a marker names, and the call that it spoils.

    Raises:
        ConfigError: for wrong arguments.
    """
    from pytest_guardrails._faults import FAULTS

    if len(mark.args) != 1:
        raise ConfigError(f'@{FAULT} takes one fault, as in @{FAULT}("read_timeout"); it got {len(mark.args)}')
    for key in mark.kwargs:
        if key != "on_call":
            raise ConfigError(unknown(f"argument of @{FAULT}", key, ["on_call"]))
    on_call = mark.kwargs.get("on_call")
    if on_call is not None and (not isinstance(on_call, int) or isinstance(on_call, bool) or on_call < 1):
        raise ConfigError(f"on_call is a whole number from 1, not {on_call!r}")
    if mark.args[0] not in FAULTS:
        raise ConfigError(unknown("fault", mark.args[0], FAULTS))
    return mark.args[0], on_call


def corpus(
    file: str | None = None,
    /,
    *,
    shipped: Literal["benign", "attacks"] | None = None,
    sample: str | None = None,
    n: int | None = None,
    seed: int | None = None,
    name: str | None = None,
    label: Literal["attack", "benign"] | None = None,
    max_fpr: float | str | None = None,
    min_recall: float | str | None = None,
    columns: Mapping[str, str] | None = None,
    concurrency: int | None = None,
    rate_limit: str | None = None,
    limit: int | None = None,
) -> pytest.MarkDecorator:
    """Mark a test before which a corpus is measured: a ``file`` beside the test, or what is ``shipped``, or a sample.

    The test fails where the corpus does not keep to ``max_fpr`` or ``min_recall``; the fixture ``corpus_result`` tells
    it what came. The arguments mean what the keys of ``corpora:`` in a case file mean.

    Raises:
        ConfigError: for an argument that cannot be meant.
    """
    given = {key: value for key, value in locals().items() if value is not None and key != "file"}
    args = () if file is None else (file,)
    read_corpus(pytest.Mark(CORPUS, args, given, _ispytest=True))
    mark: pytest.MarkDecorator = pytest.mark.corpus(*args, **given)
    return mark


def read_corpus(mark: pytest.Mark, folder: Path | None = None) -> CorpusSpec:
    """Return the corpus that a marker names; without a ``folder`` nobody looks whether its file is there.

    Raises:
        ConfigError: for wrong arguments.
    """
    known = [key for key in CORPUS_KEYS if key not in ("file", "guardrails")]
    for key in mark.kwargs:
        if key not in known:
            raise ConfigError(unknown(f"argument of @{CORPUS}", key, known))
    if len(mark.args) > 1:
        raise ConfigError(f'@{CORPUS} takes one file, as in @{CORPUS}("benign.jsonl"); it got {len(mark.args)}')
    given = {key: value for key, value in mark.kwargs.items() if value is not None}
    return read_spec(from_data({**({"file": str(mark.args[0])} if mark.args else {}), **given}), folder)


def fault_of(item: pytest.Item) -> tuple[str, int | None] | None:
    """Return the fault that a test injects, and the call that it spoils (None: each); None where it injects none.

    Raises:
        ConfigError: where it injects two.
    """
    found: list[tuple[str, int | None]] = []
    case = getattr(item, "case", None)
    if case is not None and case.fault is not None:
        found.append((case.fault, case.fault_on_call))
    mark = item.get_closest_marker(FAULT)
    if mark is not None:
        found.append((mark.args[0], mark.kwargs.get("on_call")))
    parameter = getattr(getattr(item, "callspec", None), "params", {}).get(FAULT_FIXTURE)
    if parameter is not None:
        name = str(getattr(parameter, "name", parameter))
        found.append((name, 1 if name == "flaky" else None))  # a test that asks once meets it too
    if len(found) > 1:
        raise ConfigError(f"{item.name} injects two faults: {found[0][0]} and {found[1][0]}")
    return found[0] if found else None
