"""The one place where order, denial, rewriting and errors meet: guardrails over a request and its response."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_guardrails._denial import denial
from pytest_guardrails._model import (
    STATUS_DENIED,
    STATUS_OK,
    STATUS_SOFT_FAIL,
    Action,
    Check,
    CheckError,
    CheckResult,
    Finding,
    Findings,
    Guardrail,
    GuardrailResult,
    GuardrailStatus,
    Message,
    OnError,
    Phase,
    Request,
    Response,
    Text,
    Trace,
    Verdict,
    with_action,
)
from pytest_guardrails._texts import is_label, replaced, texts_in_scope, with_texts

Upstream = Callable[[Request], "Response | str | Iterable[str]"]

log = logging.getLogger("pytest_guardrails")


def echo(request: Request) -> str:
    """Answer with the text of the last message: the upstream where none is given."""
    return request.text


def run(guardrails: Sequence[Guardrail], request: Request, upstream: Upstream = echo) -> Trace:
    """Run the before-guardrails, ``upstream`` and the after-guardrails, each phase in the order given.

    The first guardrail that denies, or whose check errors without ``on_error: allow``, ends the request: the rest
    are skipped, and upstream is not called or its response not delivered. A streamed response is checked whole.
    An exception of ``upstream`` itself is the caller's and passes through. Warnings of the trace are logged.
    """
    __tracebackhide__ = True
    trace = evaluate(guardrails, request, upstream)
    for warning in trace.warnings:
        log.warning(warning)
    return trace


def evaluate(guardrails: Sequence[Guardrail], request: Request, upstream: Upstream = echo) -> Trace:
    """Return what `run` returns, and log nothing."""
    __tracebackhide__ = True
    started = time.perf_counter()
    before = _run_phase(guardrails, Phase.BEFORE_REQUEST, request.messages)
    sent: tuple[Request, ...] = ()
    response, after = None, _Phase()
    if before.blocker is None:
        received = replace(request, messages=before.messages)
        sent = (received,)
        response = _response(upstream(received))
        after = _run_phase(guardrails, Phase.AFTER_REQUEST, response.choices)
        response = None if after.blocker else _delivered(response, after.messages)
    else:
        after.results = [_skipped(g) for g in guardrails if g.phase is Phase.AFTER_REQUEST]
    results = (*before.results, *after.results)
    blocker = before.blocker or after.blocker
    return Trace(
        request=request,
        verdict=Verdict.BLOCK if blocker else Verdict.ALLOW,
        action=max((result.action for result in results), default=Action.NONE),
        decided_by=blocker.guardrail if blocker else _strongest(results),
        results=results,
        upstream_requests=sent,
        response=response,
        denial=denial(results) if blocker else None,
        status=_status(blocker, response, results),
        warnings=(*before.warnings, *after.warnings),
        duration_s=time.perf_counter() - started,
    )


@dataclass(slots=True)
class _Phase:
    """One phase while it runs: the messages as they now are, and what happened so far."""

    messages: tuple[Message, ...] = ()
    results: list[GuardrailResult] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    blocker: GuardrailResult | None = None


def _run_phase(guardrails: Sequence[Guardrail], phase: Phase, messages: tuple[Message, ...]) -> _Phase:
    state = _Phase(messages)
    for guardrail in guardrails:
        if guardrail.phase is not phase:
            continue
        if state.blocker is not None:
            state.results.append(_skipped(guardrail))
            continue
        result, rewritten = _run_guardrail(guardrail, state.messages)
        state.results.append(result)
        state.warnings += _warnings(result)
        if result.action is Action.DENY or (result.errors and guardrail.on_error is OnError.BLOCK):
            state.blocker = result
        else:
            state.messages = rewritten
    return state


def _run_guardrail(guardrail: Guardrail, messages: tuple[Message, ...]) -> tuple[GuardrailResult, tuple[Message, ...]]:
    started = time.perf_counter()
    groups = [(check,) for check in guardrail.checks] if guardrail.sequential else [guardrail.checks]
    scope = guardrail.scope
    if guardrail.phase is Phase.AFTER_REQUEST:  # the choices of a response are alternatives: none is the last
        scope = replace(scope, last_only=False)
    checks: list[CheckResult] = []
    advised: list[str] = []
    soft = False
    for group in groups:
        texts = texts_in_scope(messages, scope)
        found = [_run_check(guardrail, check, texts, messages) for check in group]
        answers = _refuse_lost_rewrites(guardrail, found)
        messages, applied = _apply(messages, texts, answers, guardrail.action)
        soft = soft or any(map(_failed_softly, answers, applied))
        advised += [name for pair in zip(answers, applied, strict=True) for name in _advised(*pair)]
        checks += applied
    errored = any(check.error for check in checks)
    result = GuardrailResult(
        guardrail=guardrail.id,
        phase=guardrail.phase,
        status=GuardrailStatus.ERRORED if errored else GuardrailStatus.RAN,
        action=max((check.action for check in checks), default=Action.NONE),
        checks=tuple(checks),
        on_error=guardrail.on_error,
        soft_failed=soft,
        advised=tuple(advised),
        duration_s=time.perf_counter() - started,
    )
    return result, messages


def _run_check(
    guardrail: Guardrail, check: Check, texts: tuple[Text, ...], messages: tuple[Message, ...]
) -> CheckResult:
    started = time.perf_counter()
    findings: tuple[Finding, ...] = ()
    error = vendor_s = None
    try:
        reads_messages = getattr(check, "reads_messages", False)
        answer = check(texts, messages) if reads_messages else check(texts)  # type: ignore[call-arg]  # it asked
        if isinstance(answer, str | bytes | Mapping):  # an empty one would read as "no findings"
            raise TypeError(f"a check returns findings, not {type(answer).__name__}")
        findings = tuple(answer)
        vendor_s = answer.vendor_s if isinstance(answer, Findings) else None
        if problem := next(filter(None, (_nonsense(finding, texts) for finding in findings)), None):
            raise ValueError(problem)
    except Exception as exc:  # whatever a check raises is an error of the guardrail, never a pass
        findings, error = (), CheckError(guardrail.id, check.id, type(exc).__name__, str(exc))
    allowed = () if error or not getattr(check, "allowlist", ()) else _allowed(check, texts)
    return CheckResult(check.id, findings, error, time.perf_counter() - started, allowed, vendor_s)


def _allowed(check: Check, texts: tuple[Text, ...]) -> tuple[tuple[int, int], ...]:
    suppressed: Callable[[tuple[Text, ...]], Mapping[int, int]] | None = getattr(check, "suppressed", None)
    return tuple(sorted(suppressed(texts).items())) if suppressed else ()


def _nonsense(finding: object, texts: tuple[Text, ...]) -> str | None:
    """Say why an answer cannot be meant, or None."""
    if not isinstance(finding, Finding):
        return f"a check returns findings, not {type(finding).__name__}"
    if not all(is_label(label) for label in (finding.name, finding.category)):
        return "a finding's name and category are short labels, since reports and callers read them"
    place = (finding.message_index, finding.field)
    text = next((text.text for text in texts if (text.message_index, text.field) == place), None)
    if text is None:
        return f"finding {finding.name!r} points at {finding.field!r} of message {finding.message_index}, not in scope"
    if not (isinstance(finding.start, int | None) and isinstance(finding.end, int | None)):
        return f"finding {finding.name!r} spans something else than characters"
    if not isinstance(finding.replacement, str | None):
        return f"finding {finding.name!r} replaces with {type(finding.replacement).__name__}, which is no text"
    if (finding.start is None) != (finding.end is None):
        return f"finding {finding.name!r} has half a span"
    if finding.start is not None and finding.end is not None and not 0 <= finding.start < finding.end <= len(text):
        return f"finding {finding.name!r} spans {finding.start}:{finding.end} of {len(text)} characters"
    if finding.action is not None and not isinstance(finding.action, Action):
        return f"finding {finding.name!r} asks for {finding.action!r}, which is no Action"
    return _no_json(finding)


def _no_json(finding: Finding) -> str | None:
    """Say what of a finding no report could hold, or None."""
    if isinstance(finding.score, bool) or not isinstance(finding.score, int | float | None):
        return f"finding {finding.name!r} has a score of type {type(finding.score).__name__}, not float"
    if not (isinstance(finding.severity, str | None) and isinstance(finding.vendor_action, str | None)):
        return f"finding {finding.name!r} has a severity or a vendor's action that is no text"
    return None


def _refuse_lost_rewrites(guardrail: Guardrail, answers: list[CheckResult]) -> list[CheckResult]:
    """Turn every rewrite of a whole text that is also rewritten otherwise into an error: one would undo the other."""
    rewrites: dict[tuple[int, str], set[tuple[int, int | None, int | None, str]]] = {}
    for index, answer in enumerate(answers):
        for finding in answer.findings:
            if finding.replacement is not None and _asked(finding, guardrail.action) is Action.SANITIZE:
                rewrite = (index, finding.start, finding.end, finding.replacement)
                rewrites.setdefault((finding.message_index, finding.field), set()).add(rewrite)
    for place, rivals in rewrites.items():
        for index in {index for index, start, _, _ in rivals if start is None and len(rivals) > 1}:
            said = f"rewrites all of {place[1]!r} of message {place[0]}, which another rewrite would undo"
            error = CheckError(guardrail.id, answers[index].check, "LostRewrite", said)
            answers[index] = replace(answers[index], findings=(), error=error)
    return answers


def _asked(finding: Finding, default: Action) -> Action:
    """Return what a finding asks of its guardrail; a guardrail that warns is never made to do more."""
    asked = finding.action or default
    return min(asked, Action.WARN) if default is Action.WARN else asked


def _failed_softly(asked: CheckResult, done: CheckResult) -> bool:
    """True if the guardrail's setting, and not the finding, is why this was a mere warning (Portkey's 246)."""
    return any(
        after.action is Action.WARN and before.action in (None, Action.DENY)
        for before, after in zip(asked.findings, done.findings, strict=True)
    )


def _advised(asked: CheckResult, done: CheckResult) -> list[str]:
    """Return the names of findings that ask for masking and that nobody applied."""
    return [
        after.name
        for before, after in zip(asked.findings, done.findings, strict=True)
        if after.action is Action.WARN and (before.action is Action.SANITIZE or before.vendor_action == "AUTO_MASKING")
    ]


def _apply(
    messages: tuple[Message, ...], texts: tuple[Text, ...], answers: list[CheckResult], default: Action
) -> tuple[tuple[Message, ...], list[CheckResult]]:
    """Rewrite what findings ask to rewrite, all at once, and record on each finding what was done about it."""
    by_place: dict[tuple[int, str], list[Finding]] = {}
    for answer in answers:
        for finding in answer.findings:
            if _asked(finding, default) is Action.SANITIZE and finding.replacement is not None:
                by_place.setdefault((finding.message_index, finding.field), []).append(finding)
    changed: dict[int, dict[str, str]] = {}
    for text in texts:
        if wanted := by_place.get((text.message_index, text.field)):
            new = replaced(text.text, wanted)
            if new != text.text:
                changed.setdefault(text.message_index, {})[text.field] = new
    if changed:
        messages = tuple(
            with_texts(message, changed[index]) if index in changed else message
            for index, message in enumerate(messages)
        )
    done = [
        replace(answer, findings=tuple(with_action(f, _done(f, default, changed)) for f in answer.findings))
        if answer.findings
        else answer
        for answer in answers
    ]
    return messages, done


def _done(finding: Finding, default: Action, changed: dict[int, dict[str, str]]) -> Action:
    """Return what was really done: sanitizing that changed nothing, or that nobody could apply, is a warning."""
    asked = _asked(finding, default)
    if asked is not Action.SANITIZE:
        return asked
    applied = finding.replacement is not None and finding.field in changed.get(finding.message_index, {})
    return Action.SANITIZE if applied else Action.WARN


def _warnings(result: GuardrailResult) -> list[str]:
    """Say to the operator what was rewritten, advised and not done, or let through: names and counts, never values."""
    where = "the request" if result.phase is Phase.BEFORE_REQUEST else "the response"
    rewritten = Counter(f.name for f in result.findings if f.action is Action.SANITIZE)
    advised = Counter(result.advised)
    said = []
    if rewritten:
        said.append(f"{result.guardrail}: sanitized {_counted(rewritten)} in {where}")
    if advised:
        said.append(
            f"{result.guardrail}: masking of {_counted(advised)} was advised and not applied: {where} passed as it was"
        )
    for error in result.errors:
        if result.on_error is OnError.ALLOW:
            said.append(f"{error.guardrail}/{error.check}: FAILED OPEN by choice (on_error: allow) after {error.kind}")
        else:
            said.append(f"{error.guardrail}/{error.check}: no answer ({error.kind}); blocked to be safe")
    return said


def _counted(names: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(names.items()))


def _skipped(guardrail: Guardrail) -> GuardrailResult:
    return GuardrailResult(guardrail.id, guardrail.phase, GuardrailStatus.SKIPPED, on_error=guardrail.on_error)


def _strongest(results: Sequence[GuardrailResult]) -> str | None:
    strongest = max((result.action for result in results), default=Action.NONE)
    if strongest is Action.NONE:
        return None
    return next(result.guardrail for result in results if result.action is strongest)


def _status(blocker: GuardrailResult | None, response: Response | None, results: Sequence[GuardrailResult]) -> int:
    if blocker:
        return STATUS_DENIED
    if response is not None and response.status != STATUS_OK:
        return response.status
    return STATUS_SOFT_FAIL if any(result.soft_failed for result in results) else STATUS_OK


def _response(answer: Any) -> Response:
    """Read what an upstream returned: a response, a text, or the chunks of a stream, drained here."""
    if isinstance(answer, Response):
        if answer.chunks and "".join(answer.chunks) != answer.text:
            raise ValueError("the chunks of a response do not add up to its text, and only its text is checked")
        return answer
    if isinstance(answer, str):
        return Response.of(answer)
    if isinstance(answer, Iterable) and not isinstance(answer, Mapping):
        chunks = tuple(answer)
        if all(isinstance(chunk, str) for chunk in chunks):
            return Response.of("".join(chunks), chunks=chunks)
    raise TypeError(f"an upstream returns a Response, a text or an iterable of texts, not {type(answer).__name__}")


def _delivered(response: Response, choices: tuple[Message, ...]) -> Response:
    """Return what the caller gets: the chunks as they came, or one chunk of the rewritten text."""
    if choices == response.choices:
        return response
    chunks = (choices[0].text,) if response.chunks else ()
    return replace(response, choices=choices, chunks=chunks)
