"""What a generated test did, as a case that can be pasted into a case file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_guardrails._codec import EMPTY, encode
from pytest_guardrails._dump import dump
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import (
    Action,
    Case,
    Expectation,
    Guardrail,
    Outcome,
    Request,
    Response,
    Sample,
    Trace,
    Verdict,
)
from pytest_guardrails._records import GENERATED


def as_labelled(case: Case, sample: Sample, trace: Trace, guardrails: Sequence[Guardrail]) -> Case:
    """Return the case that a sample's label makes of it: nothing acts on what is benign, something on an attack.

    Where nothing acted on an attack, the action expected is one that these guardrails are able to: sanitize where the
    sample has spans, else the strongest.
    """
    if sample.label == "benign":
        return replace(case, label="benign", expectation=Expectation(Verdict.ALLOW, action=Action.NONE))
    action = trace.action
    if action is Action.NONE:
        able = [guardrail.action for guardrail in guardrails]
        action = Action.SANITIZE if sample.spans and Action.SANITIZE in able else max(able, default=Action.DENY)
    allowed = Expectation(Verdict.ALLOW, action=action)
    return replace(case, label="attack", expectation=Expectation(Verdict.BLOCK) if action is Action.DENY else allowed)


def contradicts(sample: Sample, trace: Trace) -> Outcome | None:
    """Return which way a guard was wrong about a sample, None where it was right or gave no answer."""
    if trace.errors or (sample.label == "attack") is (trace.action > Action.NONE):
        return None
    return Outcome.FALSE_NEGATIVE if sample.label == "attack" else Outcome.FALSE_POSITIVE


def opposite(case: Case, trace: Trace) -> Case:
    """Return the case that expects the opposite of what came: the best guess where a test does not say."""
    acted = trace.action > Action.NONE or trace.verdict is Verdict.BLOCK
    expected = Expectation(Verdict.ALLOW, action=Action.NONE) if acted else Expectation(Verdict.BLOCK)
    return replace(case, label="benign" if acted else "attack", expectation=expected)


def found(case: Case, trace: Trace, answer: Any, *, test: str, place: str) -> Case:
    """Return a case with the input of a trace, and what the model answered (None: it was not asked, or echoed).

    Its id is ``test`` and a hash of the input; its note says where it was found.

    Raises:
        ConfigError: where a case file cannot hold what the model answered.
    """
    made = replace(
        case,
        request=replace(trace.request, model=None, metadata=EMPTY),
        label=case.truth,
        tags=(GENERATED,),
        response=None if answer is None else _texts(trace.request, answer),
        note=f"found by {place}",
        file=None,
        line=None,
    )
    return replace(made, id=f"{test.removeprefix('test_')}-{_digest(made)}")


def identity(case: Case) -> tuple[Request, tuple[str, ...] | None]:
    """Return what makes two cases one input."""
    return case.request, case.response


def _digest(case: Case) -> str:
    said = json.dumps(encode(identity(case)), sort_keys=True)
    return hashlib.blake2b(said.encode(), digest_size=4).hexdigest()


def _texts(request: Request, answer: Any) -> tuple[str, ...]:
    """Return a model's answer as ``response`` of a case: chunks of a stream, else one text per choice."""
    if isinstance(answer, str):
        return (answer,)
    if isinstance(answer, tuple):
        return answer or ("",) if request.stream else ("".join(answer),)
    plain = [choice.content for choice in answer.choices if isinstance(choice.content, str) and not choice.tool_calls]
    if len(plain) < len(answer.choices) or (request.stream and len(plain) != 1):
        raise ConfigError("a case file cannot hold what the model answered: it is not one text per choice")
    return tuple(plain)


def heard(upstream: Callable[[Request], Any], answers: list[Any]) -> Callable[[Request], Any]:
    """Return an upstream that notes what it answers; the chunks of a stream are drained."""

    def listening(request: Request) -> Any:
        answer = upstream(request)
        if isinstance(answer, Iterable) and not isinstance(answer, str | Mapping | Response):
            answer = tuple(answer)
        answers.append(answer)
        return answer

    return listening


def pasted(case: Case) -> str:
    """Return a case as the text of a case file, or why it cannot be written as one."""
    try:
        return dump([case]).rstrip("\n")
    except ConfigError as exc:
        return f"# no case: {exc}"
