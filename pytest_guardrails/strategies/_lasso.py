"""The Lasso Deputies v3 API as strategies: requests, answers, and bodies that are no answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Finding
from pytest_guardrails._texts import replaced

Json = dict[str, Any]

# Sources: Portkey plugins/lasso (v3), LiteLLM test_lasso.py, Kong lasso_spec.lua, TrueFoundry test_smoke.py. All are
# open sets: a client must take other values too.
ACTIONS = ("WARN", "AUTO_MASKING", "BLOCK", "USER_ALERT", "ADMIN_ALERT", "OFF")
DEPUTIES = (
    "jailbreak", "custom-policies", "sexual", "hate", "illegality", "codetect", "violence", "pattern-detection",
)  # fmt: skip
_FINDING_KEYS = (
    "name", "category", "action", "severity", "score", "message_index", "start", "end", "mask",
)  # fmt: skip
_ANSWER_KEYS = ("violations_detected", "deputies", "findings", "messages")
_ULID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DEEP = 100_000  # deeper than any parser's stack

_words = st.text(max_size=6)
_scalars = st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(0, 1) | _words
_json = _scalars | st.lists(_scalars, max_size=2) | st.dictionaries(_words, _scalars, max_size=2)
_objects = st.dictionaries(_words, _json, max_size=2)
_ulids = st.builds(str.__add__, st.sampled_from("01234567"), st.text(_ULID_LETTERS, min_size=25, max_size=25))


def lasso_requests() -> SearchStrategy[Json]:
    """Draw bodies for ``/gateway/v3/classify`` and ``/classifix``, as gateways send them.

    At least one message; content is a string or one block (tool_use, tool_result, reasoning); messageType is PROMPT or
    COMPLETION; ``sessionId`` (a ULID), ``userId`` (at most 128 characters) and flat ``tools`` are there or not.
    Sources: Portkey plugins/lasso, LiteLLM lasso.py, Kong ai-lasso-guardrail.
    """
    return st.fixed_dictionaries(
        {"messages": st.lists(_messages(), min_size=1, max_size=4), "messageType": _of("PROMPT", "COMPLETION")},
        optional={
            "sessionId": _ulids,
            "userId": st.integers(0, 10**12).map(str)
            | _ulids
            | st.uuids().map(str)
            | st.text(min_size=1, max_size=128),
            "tools": st.lists(_tools(), min_size=1, max_size=2),
        },
    )


def lasso_responses(
    *,
    actions: Collection[str] | None = None,
    violations: bool | None = None,
    spans: bool | None = None,
    messages: bool | None = None,
    block: bool | None = None,
    texts: Sequence[str] | None = None,
) -> SearchStrategy[Json]:
    """Draw valid answers: deputies in full, in part or none; findings in which every field is optional.

    Enumerations are open, objects may have unknown fields, and what is there agrees: ``violations_detected`` is true
    if and only if there are findings, and a deputy that is listed is true if and only if it has some.

    ``actions`` are the only words a finding may have as its action. Of the options that are true, false or either
    (None): ``violations``: there are findings; ``spans``: each of them has ``start`` and ``end``; ``messages``: the
    answer is one of ``/classifix``, with the texts masked or as they were; ``block``: some finding says BLOCK.
    ``texts`` are the texts that were sent, one per message: spans and indexes fit them, in characters, half-open.

    Raises:
        ConfigError: for options that no answer can meet together.
    """
    _refuse_contradictions(actions, violations, spans, block, texts)
    words = _of(*actions) if actions else _of(*ACTIONS, "QUARANTINE", "block") | _words
    if block is False or (actions is not None and "BLOCK" not in actions):
        words = words.filter(lambda word: word != "BLOCK")
    findings = st.lists(_findings(words, spans, texts, bare=actions is None), min_size=1, max_size=2)
    found = st.dictionaries(_of(*DEPUTIES, "pii") | _words, findings, min_size=1, max_size=2)
    return st.builds(
        _answer,
        _either(True if block else violations, st.builds(dict), found),
        st.integers(0, 3) if block else st.none(),
        _of("none", "some", "all"),
        _extra(_ANSWER_KEYS),
        _copies(messages, texts),
    )


def malformed_lasso_responses() -> SearchStrategy[bytes]:
    """Draw bodies of a 200 that no client may take for a verdict; none of them says BLOCK.

    No JSON, no UTF-8, cut off or followed by something, no object, NaN, keys that come twice, nested too deeply;
    ``violations_detected`` missing or no boolean; ``findings``, a deputy's findings, a finding, ``deputies`` or
    ``messages`` missing or of the wrong type.
    """
    good = lasso_responses(block=False)
    found = lasso_responses(block=False, violations=True)
    return st.one_of(
        st.just(b""),
        _of(b" ", b"OK", b"\xff", b"<!doctype html><title>Sign in</title>", b"upstream connect error"),
        (_scalars | st.lists(_json, max_size=2)).map(_dumps),
        _spoilt(good, _without("violations_detected")),
        _spoilt(good, _with("violations_detected", "true", "false", 0, 1, 0.5, None, [], {})),
        _spoilt(good, _without("findings")),
        _spoilt(good, _with("findings", None, [], "none", 0, False)),
        _spoilt(good, _with("deputies", [], "none", 0, True)),
        _spoilt(good, _with("messages", {}, "none", 0, True)),
        _spoilt(found, _with_deputy_findings),
        _spoilt(found, _with_finding),
        st.builds(_cut, good.map(_dumps), st.integers(0)),
        st.builds(bytes.__add__, good.map(_dumps), _of(b"}", b"]", b"x", b"{}", b"null")),
        st.builds(_prefixed, good.map(_dumps), _of(b'"\xff":0,', b'"\xe9":0,', b'"x":NaN,', b'"x":-Infinity,')),
        st.builds(_prefixed, good.map(_dumps), _of(b'"violations_detected":false,', b'"violations_detected":true,')),
        good.map(_dumps).map(_nested),
    )


def api_errors() -> SearchStrategy[str]:
    """Draw the name of a fault of the catalogue: a way in which the API fails, from a refused port to a bad body."""
    from pytest_guardrails._faults import FAULTS

    return _of(*FAULTS)


def _of(*values: Any) -> SearchStrategy[Any]:
    return st.sampled_from(values)


# Requests


def _messages() -> SearchStrategy[Json]:
    called = st.fixed_dictionaries({"type": st.just("tool_use"), "id": _words, "name": _words, "input": _objects})
    told = st.fixed_dictionaries({"type": st.just("tool_result"), "tool_use_id": _words, "content": _words | st.text()})
    thought = st.fixed_dictionaries({"type": st.just("reasoning"), "content": st.text()})
    return st.one_of(
        st.fixed_dictionaries({"role": _of("user", "assistant", "system", "developer"), "content": st.text()}),
        st.fixed_dictionaries({"role": st.just("model"), "content": called | thought}),
        st.fixed_dictionaries({"role": st.just("developer"), "content": told}),
    )


def _tools() -> SearchStrategy[Json]:
    return st.fixed_dictionaries({"name": _words}, optional={"description": _words, "parameters": _objects})


# Answers


def _refuse_contradictions(
    actions: Collection[str] | None,
    violations: bool | None,
    spans: bool | None,
    block: bool | None,
    texts: Sequence[str] | None,
) -> None:
    if isinstance(actions, str) or (actions is not None and not actions):
        raise ConfigError("lasso_responses(actions=...) takes one word or more, in a list")
    if isinstance(texts, str) or (texts is not None and not texts):
        raise ConfigError("lasso_responses(texts=...) takes a list of texts, one per message that was sent")
    if block and violations is False:
        raise ConfigError("lasso_responses: a finding that says BLOCK is a violation; block=True, violations=False")
    if block and actions is not None and "BLOCK" not in actions:
        raise ConfigError("lasso_responses: block=True, and BLOCK is not among the actions")
    if block is False and actions is not None and set(actions) == {"BLOCK"}:
        raise ConfigError("lasso_responses: block=False, and BLOCK is the only action")
    if spans and texts is not None and not any(texts):
        raise ConfigError("lasso_responses: spans=True, and no text has a character for a span")


def _findings(
    words: SearchStrategy[str], spans: bool | None, texts: Sequence[str] | None, *, bare: bool
) -> SearchStrategy[Json]:
    """Draw findings; ``bare`` ones may lack their action."""
    required = {} if bare else {"action": words}
    optional = {
        **({"action": words} if bare else {}),
        "name": _of("Jailbreak", "Email Address", "Custom Policy") | _words,
        "category": _of("SAFETY", "PERSONAL_IDENTIFIABLE_INFORMATION", "CUSTOM") | _words,
        "severity": _of("LOW", "MEDIUM", "HIGH") | _words,
        "score": st.floats(0, 1),
        "mask": _of("<EMAIL_ADDRESS>", "<REDACTED>") | _words,
    }
    fields = st.fixed_dictionaries(required, optional=optional)
    return st.builds(_merged, _extra(_FINDING_KEYS), fields, _places(spans, texts))


def _merged(*parts: Json) -> Json:
    return {key: value for part in parts for key, value in part.items()}


def _places(spans: bool | None, texts: Sequence[str] | None) -> SearchStrategy[Json]:
    """Draw where a finding is: ``message_index`` (0 where it is absent), ``start`` and ``end``."""
    lengths = [10] * 3 if texts is None else [len(text) for text in texts]
    indexes = [{"message_index": index} for index in range(len(lengths))]
    whole = _of({}, *indexes)
    fitting = [index for index, length in enumerate(lengths) if length]
    if spans is False or not fitting:
        return whole
    spanned = st.one_of(*(_span(index, lengths[index]) for index in fitting))
    return spanned if spans else whole | spanned


def _span(index: int, length: int) -> SearchStrategy[Json]:
    def made(start: int, size: int, named: bool) -> Json:
        place = {"message_index": index} if index or named else {}
        return {**place, "start": start, "end": min(length, start + size)}

    return st.builds(made, st.integers(0, length - 1), st.integers(1, length), st.booleans())


def _extra(known: Sequence[str]) -> SearchStrategy[Json]:
    """Draw fields that nobody knows yet; mostly none."""
    return st.just({}) | st.dictionaries(_words.filter(lambda key: key not in known), _json, max_size=2)


def _answer(
    found: dict[str, list[Json]], blocked: int | None, listed: str, extra: Json, copy: tuple[list[str], bool] | None
) -> Json:
    """Return an answer from its parts: ``blocked`` is the finding that must say BLOCK, where none does."""
    every = [item for items in found.values() for item in items]
    if blocked is not None and not any(item.get("action") == "BLOCK" for item in every):
        every[blocked % len(every)]["action"] = "BLOCK"
    names = {"none": (), "some": found, "all": dict.fromkeys([*DEPUTIES, *found])}[listed]
    answer = {
        **extra,
        "deputies": {name: name in found for name in names},
        "findings": found,
        "violations_detected": bool(found),
    }
    if copy is not None:
        texts, is_masked = copy
        said = _masked(texts, every) if is_masked else texts
        answer["messages"] = [{"role": "user", "content": text} for text in said]
    return answer


def _copies(wanted: bool | None, texts: Sequence[str] | None) -> SearchStrategy[tuple[list[str], bool] | None]:
    """Draw the texts that ``messages`` brings back and whether they are masked, or None for an answer without."""
    if texts is None:
        copies = st.tuples(st.lists(st.text(), max_size=2), st.just(False))
    else:
        copies = st.tuples(st.just(list(texts)), st.booleans())
    return _either(wanted, st.none(), copies)


def _either(wanted: bool | None, no: SearchStrategy[Any], yes: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return no | yes if wanted is None else yes if wanted else no


def _masked(texts: list[str], findings: Sequence[Json]) -> list[str]:
    """Return the texts as the API masks them: spans of AUTO_MASKING alone, replaced at once."""
    spans: dict[int, list[Finding]] = {}
    for item in findings:
        if item.get("action") == "AUTO_MASKING" and "start" in item:
            span = Finding("x", "x", start=item["start"], end=item["end"], replacement=item.get("mask", "<REDACTED>"))
            spans.setdefault(item.get("message_index", 0), []).append(span)
    return [replaced(text, spans.get(index, ())) for index, text in enumerate(texts)]


# Bodies that are no answer


def _spoilt(answers: SearchStrategy[Json], spoil: Callable[[DrawFn, Json], None]) -> SearchStrategy[bytes]:
    @st.composite
    def made(draw: DrawFn) -> bytes:
        answer = draw(answers)
        spoil(draw, answer)
        return _dumps(answer)

    return made()


def _without(key: str) -> Callable[[DrawFn, Json], None]:
    return lambda _draw, answer: answer.pop(key)


def _with(key: str, *values: Any) -> Callable[[DrawFn, Json], None]:
    return lambda draw, answer: answer.update({key: draw(_of(*values))})


def _with_deputy_findings(draw: DrawFn, answer: Json) -> None:
    answer["findings"][draw(_of(*answer["findings"]))] = draw(_of(None, {}, "none", 0, True))


def _with_finding(draw: DrawFn, answer: Json) -> None:
    items = answer["findings"][draw(_of(*answer["findings"]))]
    items[draw(st.integers(0, len(items) - 1))] = draw(_of(None, [], "none", 0, True))


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _cut(body: bytes, length: int) -> bytes:
    """Return less than the whole of a body."""
    return body[: length % len(body)]


def _prefixed(body: bytes, fields: bytes) -> bytes:
    """Return an object with some fields in front of its own, spelled as they are."""
    return b"{" + fields + body[1:]


def _nested(body: bytes) -> bytes:
    """Return an object with a field that is deeper than a stack."""
    return _prefixed(body, b'"x":' + b"[" * _DEEP + b"]" * _DEEP + b",")
