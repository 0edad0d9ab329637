"""Masking: what a report may say of a text that could be personal or hostile: its length, shape and keyed hash."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

from pytest_guardrails._model import CheckResult, Finding, GuardrailResult, Message, Request, Response, Trace

Mask = Callable[[str], str]

_LONGEST = 72
_PLACEHOLDER = re.compile(r"(<[A-Z][A-Z0-9_]{1,30}>|\[[A-Z][A-Z0-9_]{1,30}\])")
_FIELD_STEP = re.compile(r"content|text|type|input|tool_calls|function|arguments#?|[0-9]{1,3}")
_KEPT = frozenset(" .,:;!?'\"()[]{}<>@#$%&*+-=/\\|_~^")


class _Outline(dict[int, str]):
    """A table for `str.translate` that works out each letter once."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        self[code] = outline = _outline(letter)
        return outline


_OUTLINE = _Outline()


def masker(key: bytes, placeholders: frozenset[str] = frozenset()) -> Mask:
    """Return a function that masks texts; equal texts under one key look alike, and no key gives the text back.

    ``placeholders`` are replacements that guardrails wrote, such as ``<EMAIL>``: they stay readable.
    """

    @functools.cache  # the model often receives, and answers, what was asked
    def mask(text: str) -> str:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=4).hexdigest()
        return f"«{shape(text, placeholders)} · {len(text)} chars · #{digest}»"

    return mask


def shape(text: str, placeholders: frozenset[str] = frozenset()) -> str:
    """Return the outline of a text: ``a`` for a letter, ``9`` for a digit, punctuation and known placeholders as is."""
    out = []
    for part in _PLACEHOLDER.split(text[: 2 * _LONGEST]):
        out.append(part if part in placeholders else part.translate(_OUTLINE))
    outline = "".join(out)
    return outline if len(outline) <= _LONGEST else f"{outline[: _LONGEST - 1]}…"


def _outline(letter: str) -> str:
    if letter.isalpha():
        return "a"
    if letter.isdigit():
        return "9"
    return letter if letter in _KEPT else " " if letter.isspace() else "·"


def placeholders_of(trace: Trace) -> frozenset[str]:
    """Return the replacements that this trace's guardrails wrote and that have the form of a placeholder."""
    written = {finding.replacement for finding in trace.findings if finding.replacement}
    return frozenset(text for text in written if _PLACEHOLDER.fullmatch(text))


def mask_trace(trace: Trace, mask: Mask) -> Trace:
    """Return the trace with every text of the request, the model and the vendor masked."""
    response = trace.response
    if response is not None:
        choices = tuple(_message(choice, mask) for choice in response.choices)
        response = Response(choices, response.status, tuple(map(mask, response.chunks[:1])))
    return replace(
        trace,
        request=_request(trace.request, mask),
        upstream_requests=tuple(_request(request, mask) for request in trace.upstream_requests),
        response=response,
        results=tuple(_result(result, mask) for result in trace.results),
    )


def _request(request: Request, mask: Mask) -> Request:
    messages = tuple(_message(message, mask) for message in request.messages)
    return Request(messages, request.endpoint, request.stream, request.model)


def _message(message: Message, mask: Mask) -> Message:
    if isinstance(message.content, str) and not message.tool_calls:
        return Message(message.role, mask(message.content))
    parts = [message.text] if message.content else []
    parts += [repr(dict(call)) for call in message.tool_calls]
    return Message(message.role, mask("\n".join(parts)))


def _result(result: GuardrailResult, mask: Mask) -> GuardrailResult:
    if not (result.findings or result.errors):
        return result
    return replace(result, checks=tuple(_check(check, mask) for check in result.checks))


def _check(check: CheckResult, mask: Mask) -> CheckResult:
    error = check.error and replace(check.error, message=mask(check.error.message))
    return replace(check, error=error, findings=tuple(_finding(finding, mask) for finding in check.findings))


def _finding(finding: Finding, mask: Mask) -> Finding:
    field = finding.field if finding.field == "content" else _field(finding.field)
    replacement = finding.replacement
    if replacement is not None and not _PLACEHOLDER.fullmatch(replacement):
        replacement = mask(replacement)
    return replace(finding, field=field, replacement=replacement)


def _field(path: str) -> str:
    """Return a path without the keys that the caller wrote, such as those of tool arguments."""
    return ".".join(step if _FIELD_STEP.fullmatch(step) else shape(step) for step in path.split("."))
