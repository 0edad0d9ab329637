"""``@expect_verdict``, ``@inject_fault``, ``@corpus``, ``cassette``: the markers, checked where they are written."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, ParamSpec

import pytest

from pytest_guardrails._cases import EXPECT_KEYS, expectation_of
from pytest_guardrails._corpus import KEYS as CORPUS_KEYS
from pytest_guardrails._corpus import CorpusSpec, read_spec
from pytest_guardrails._coverage import near_misses
from pytest_guardrails._document import from_data
from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import LABELS, SEVERITIES, Action, Case, Expectation, Message, Request, Sample, Verdict

NAME = "expect_verdict"
FAULT = "inject_fault"
FAULT_FIXTURE = "lasso_fault"
CORPUS = "corpus"
LABELLED = "labelled"
CASSETTE = "cassette"
_CASE_KEYS = {"severity": SEVERITIES, "label": LABELS}
_OF_CASE = (*_CASE_KEYS, "near_miss")
_EXAMPLES = {NAME: '"block"', FAULT: '"read_timeout"', CORPUS: '"benign.jsonl"', CASSETTE: '"checkout"'}
P = ParamSpec("P")


def _said(make: Callable[P, pytest.MarkDecorator]) -> Callable[P, pytest.MarkDecorator]:
    """Let a decorator say what is wrong with its arguments, where Python would raise a bare `TypeError`."""
    signature = inspect.signature(make)
    name = make.__name__

    @functools.wraps(make)
    def marked(*args: P.args, **kwargs: P.kwargs) -> pytest.MarkDecorator:
        refuse_bare(name, args)
        known = [one.name for one in signature.parameters.values() if one.kind is one.KEYWORD_ONLY]
        refuse_unknown_arguments(name, kwargs, known)
        if len(args) > 1 or (not args and name != CORPUS):
            raise ConfigError(_takes_one(name, len(args)))
        return make(*args, **kwargs)

    return marked


def refuse_bare(name: str, args: tuple[object, ...]) -> None:
    """Refuse a decorator without arguments, which is called with the test itself.

    Raises:
        ConfigError: where that is so.
    """
    if args and (inspect.isfunction(args[0]) or inspect.isclass(args[0])):
        raise ConfigError(f"@{name} stands bare on {args[0].__name__}: it takes arguments, as in {_example(name)}")


def refuse_unknown_arguments(name: str, given: Mapping[str, object], known: Sequence[str]) -> None:
    """Refuse a keyword that a marker does not know.

    Raises:
        ConfigError: with the choices.
    """
    for key in given:
        if key not in known:
            raise ConfigError(unknown(f"argument of @{name}", key, known) if known else f"@{name} takes no {key}=")


def _example(name: str) -> str:
    return f"@{name}({_EXAMPLES.get(name, '...')})"


def _takes_one(name: str, number: int) -> str:
    what = {NAME: "verdict", FAULT: "fault", CORPUS: "file", CASSETTE: "name"}[name]
    return f"@{name} takes one {what}, as in {_example(name)}; it got {number}"


@_said
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
    near_miss: str | Sequence[str] | None = None,
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
        raise ConfigError(_takes_one(NAME, len(mark.args)))
    refuse_bare(NAME, mark.args)
    others = [key for key in mark.kwargs if key != EXPECT_KEYS[0]]
    refuse_unknown_arguments(NAME, dict.fromkeys(others), [*EXPECT_KEYS[1:], *_OF_CASE])
    for key, choices in _CASE_KEYS.items():
        if mark.kwargs.get(key) not in (None, *choices):
            raise ConfigError(unknown(key, mark.kwargs[key], choices))
    asked = {key: value for key, value in mark.kwargs.items() if key not in _OF_CASE}
    if "verdict" in asked:
        raise ConfigError(f"@{NAME} takes its verdict as the first argument")
    if mark.args[0] == LABELLED:
        return _labelled_case(mark)
    near = mark.kwargs.get("near_miss")
    case = Case(
        id="",
        request=Request.of("-"),
        expectation=expectation_of({"verdict": mark.args[0], **asked}),
        severity=mark.kwargs.get("severity") or "medium",
        label=mark.kwargs.get("label"),
        near_miss=() if near is None else near_misses(from_data(near)),
    )
    if case.near_miss and case.truth != "benign":
        raise ConfigError("an attack is no near miss: near_miss is for what a guard must leave alone")
    return case


@_said
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
        raise ConfigError(_takes_one(FAULT, len(mark.args)))
    refuse_bare(FAULT, mark.args)
    refuse_unknown_arguments(FAULT, mark.kwargs, ["on_call"])
    on_call = mark.kwargs.get("on_call")
    if on_call is not None and (not isinstance(on_call, int) or isinstance(on_call, bool) or on_call < 1):
        raise ConfigError(f"on_call is a whole number from 1, not {on_call!r}")
    if mark.args[0] not in FAULTS:
        raise ConfigError(unknown("fault", mark.args[0], FAULTS))
    return mark.args[0], on_call


@_said
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
    near_miss: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
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
    refuse_unknown_arguments(CORPUS, mark.kwargs, known)
    if len(mark.args) > 1:
        raise ConfigError(_takes_one(CORPUS, len(mark.args)))
    refuse_bare(CORPUS, mark.args)
    given = {key: value for key, value in mark.kwargs.items() if value is not None}
    return read_spec(from_data({**({"file": str(mark.args[0])} if mark.args else {}), **given}), folder)


def read_cassette(mark: pytest.Mark) -> str:
    """Return the name of the cassette that a marker names, with its suffix; YAML where it has none.

    Raises:
        ConfigError: for wrong arguments.
    """
    from pytest_guardrails._cassette import SUFFIXES

    refuse_unknown_arguments(CASSETTE, mark.kwargs, [])
    if len(mark.args) != 1:
        raise ConfigError(_takes_one(CASSETTE, len(mark.args)))
    refuse_bare(CASSETTE, mark.args)
    if not isinstance(mark.args[0], str | Path) or not str(mark.args[0]):
        raise ConfigError(f"@{CASSETTE} takes the name of a cassette, as in {_example(CASSETTE)}")
    path = Path(mark.args[0])
    if path.suffix and path.suffix not in SUFFIXES:
        raise ConfigError(unknown("suffix of a cassette", path.suffix, SUFFIXES))
    return str(path if path.suffix else path.with_name(f"{path.name}.yaml"))


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
