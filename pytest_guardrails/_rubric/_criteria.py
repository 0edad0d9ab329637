"""Criteria that need no grader: what a trace shows by itself, scored 5 or 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pytest_guardrails._expect import arrives
from pytest_guardrails._model import Action, Guardrail, GuardrailResult, GuardrailStatus, OnError, Phase, Trace

Score = tuple[float, str]
_MET, _NOT_MET = 5.0, 1.0


def order_seen(trace: Trace, guardrails: Sequence[Guardrail]) -> Score:
    """Score whether guardrails ran in declared order, and the first that denied (or errored) ended its phase."""
    ended = False
    for phase in Phase:
        declared = [guardrail.id for guardrail in guardrails if guardrail.phase is phase]
        results = [result for result in trace.results if result.phase is phase]
        if [result.guardrail for result in results] != declared:
            return _NOT_MET, f"in {phase.value} the declared order was not kept"
        for result in results:
            skipped = result.status is GuardrailStatus.SKIPPED
            if skipped is not ended:
                return _NOT_MET, f"{result.guardrail} was {'skipped' if skipped else 'run after the end'}"
            ended = ended or _ends(result)
    return _MET, "the declared order was kept, and nothing ran after a denial"


def _ends(result: GuardrailResult) -> bool:
    return result.action is Action.DENY or (bool(result.errors) and result.on_error is OnError.BLOCK)


def upstream_sanitised(trace: Trace, _guardrails: Sequence[Guardrail]) -> Score:
    """Score whether the model received none of what the first sanitizing guardrail found, and every replacement."""
    if not trace.upstream_requests:
        return _NOT_MET, "the model received nothing"
    sanitizing = [
        result for result in trace.results if result.phase is Phase.BEFORE_REQUEST and result.action is Action.SANITIZE
    ]
    if not sanitizing:
        return _NOT_MET, "no guardrail rewrote the request"
    for finding in sanitizing[0].findings:  # its spans are those of the request as it came
        message = trace.request.messages[finding.message_index]
        plain = isinstance(message.content, str) and finding.field == "content"
        value = message.text[finding.start : finding.end] if plain and finding.start is not None else ""
        if finding.action is Action.SANITIZE and value:
            form = next((form for call in trace.upstream_requests if (form := arrives(value, call))), None)
            if form is not None:
                return _NOT_MET, f"what was found as {finding.name} reached the model, {form}"
    if trace.upstream_requests[0].messages == trace.request.messages:
        return _NOT_MET, "the model received the request as it came"
    return _MET, f"{sanitizing[0].guardrail} rewrote it, and nothing that it found reached the model"


def operator_warned(trace: Trace, _guardrails: Sequence[Guardrail]) -> Score:
    """Score whether a warning names each guardrail that rewrote something or let an error pass."""
    owed = [
        result.guardrail
        for result in trace.results
        if result.action is Action.SANITIZE or (result.errors and result.on_error is OnError.ALLOW)
    ]
    if not owed:
        return _NOT_MET, "nothing happened of which an operator is warned"
    for guardrail in owed:
        if not any(warning.startswith((f"{guardrail}:", f"{guardrail}/")) for warning in trace.warnings):
            return _NOT_MET, f"no warning names {guardrail}"
    return _MET, f"the operator was warned of {', '.join(dict.fromkeys(owed))}"


BUILT_IN: Mapping[str, Callable[[Trace, Sequence[Guardrail]], Score]] = {
    rule.__name__: rule for rule in (operator_warned, order_seen, upstream_sanitised)
}
