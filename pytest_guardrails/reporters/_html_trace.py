"""A case on demand: the way of its request through the guardrails, step by step, as JSON for the page's script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pytest_guardrails.reporters._html_marks import FOUND, MOST_TEXT, NEW, SAME, Part, Reading, read
from pytest_guardrails.reporters._markup import MOST_NAME
from pytest_guardrails.reporters.json import dumps
from pytest_guardrails.reporters.terminal import plain

MOST_PARTS = 50

Row = dict[str, Any]  # a case of report.json
Entry = list[Any]  # label, text or [kind, text, …], and where it was rewritten what it became
Step = tuple[str, str, str, float | None, list[Entry]]  # kind, title, what happened, seconds, texts


def got(case: Row) -> str:
    """Say in a few words what came."""
    trace = case.get("trace")
    if trace is None:
        return "no trace"
    action = f" ({trace['action']})" if trace["action"] != "none" else ""
    return f"{trace['verdict']}{action}" + (f" by {trace['decided_by']!r}" if trace["decided_by"] else "")


def ms(seconds: float | None) -> str:
    """Return seconds as milliseconds, nothing for None."""
    return "" if seconds is None else f"{seconds * 1000:,.2f} ms"


def detail(case: Row, revealed: bool = False) -> dict[str, Any]:
    """Return the reasons of a case, its facts as pairs of words, the steps of the request, and what else is known."""
    trace = case.get("trace")
    facts = [
        ("note", case.get("note")), ("fault", case.get("fault")), ("known failing", case.get("xfail")),
        ("label", case.get("label", "benign")),
        ("guard", case.get("guard")), ("runs", case.get("runs", 0) if case.get("runs", 0) > 1 else None),
        ("inputs", "generated; the last one is shown" if case.get("generated") else None),
        ("took", ms(trace.get("duration_s", 0.0)) if trace else None),
    ]  # fmt: skip
    return {
        "reasons": [_said(reason) for reason in case.get("reasons", ())[:MOST_PARTS]],
        "facts": [(name, _said(str(fact))) for name, fact in facts if fact],
        "steps": list(_steps(trace, read(trace, revealed))) if trace else [],
        "more": [[title, rows] for title, rows in _more(case) if rows],
    }


def _said(text: str) -> str:
    return plain(text, MOST_TEXT, keep="\n\t")


def _parts(parts: Iterable[Part]) -> str | list[int | str]:
    """Return parts as the script reads them: kind, text, kind, text, …; one text where nothing in it stands out."""
    kept = [(kind, plain(text, len(text), keep="\n\t")) for kind, text in parts]
    if all(kind == SAME for kind, _ in kept):
        return "".join(text for _, text in kept)
    return [item for part in kept for item in part]


# The steps


def _steps(trace: Row, reading: Reading) -> Iterator[Step]:
    """Yield the way of a request, in order."""
    request, calls = trace["request"], trace.get("upstream_requests") or ()
    results = list(enumerate(trace["results"]))[: 4 * MOST_PARTS]
    stream = ", stream" if request.get("stream") else ""
    endpoint = plain(f"{request.get('endpoint', 'chat/completions')}{stream}", MOST_NAME)
    yield "sent", "Caller sent", endpoint, None, _messages(request["messages"])
    for number, result in results:
        if result["phase"] == "before_request":
            yield _guardrail_step(number, result, request["messages"], reading)
    yield _model_step(request, calls, reading)
    choices = (trace.get("response") or {"choices": ()})["choices"]
    for number, result in results:
        if result["phase"] != "before_request":
            yield _guardrail_step(number, result, choices, reading)
    yield _caller_step(trace, reading)
    for warning in trace.get("warnings", ())[:MOST_PARTS]:
        yield "warn", "Operator warned", "", None, [["", _said(warning)]]


def _model_step(request: Row, calls: Iterable[Row], reading: Reading) -> Step:
    """Say what the model received; the last call stands beside what the caller sent where the two differ."""
    received = list(calls)
    if not received:
        return "model", "Model received", "nothing: it was not called", None, []
    said = f"{len(received)} call{'' if len(received) == 1 else 's'}"
    last = received[-1]["messages"]
    if last == request["messages"]:
        return (
            "model",
            "Model received",
            said,
            None,
            _messages(message for call in received for message in call["messages"]),
        )
    entries = [entry for call in received[:-1] for entry in _messages(call["messages"])]
    for index, message in enumerate(last[:MOST_PARTS]):
        sent, became = reading.sent.get(index, []), reading.received.get(index, [])
        plainly = [message["role"], _said(_content(message))]
        changed = any(kind != SAME for kind, _ in (*sent, *became))
        entries.append([message["role"], _parts(sent), _parts(became)] if changed else plainly)
    return "model", "Model received", f"{said}, not what the caller sent", None, entries


def _caller_step(trace: Row, reading: Reading) -> Step:
    by = f" by {trace['decided_by']}" if trace["decided_by"] else ""
    response, denial = trace.get("response"), trace.get("denial")
    entries: list[Entry] = _messages(response.get("choices", ())) if response else []
    for index, parts in reading.answered.items():
        if index < len(entries) and any(kind == NEW for kind, _ in parts):
            entries[index][1] = _parts(parts)
    if denial:
        error = denial["body"].get("error")
        said = error.get("message") if isinstance(error, dict) else None
        entries.append(["denial", _said(str(said or dumps(denial["body"])))])
    kind = "deny" if trace["verdict"] == "block" else "caller"
    said = plain(f"{trace.get('status', 200)} {trace['verdict']}{by}", MOST_NAME)
    return kind, "Caller got", said, trace.get("duration_s"), entries


def _guardrail_step(number: int, result: Row, messages: list[Row], reading: Reading) -> Step:
    action, status = result.get("action", "none"), result["status"]
    said = [result["phase"].partition("_")[0], action if status == "ran" else status]
    if status == "errored":
        said.append(f"on error {result.get('on_error', 'block')}")
    entries: list[Entry] = []
    for index, message in enumerate(messages[:MOST_PARTS]):
        parts = reading.found.get((number, index))
        if parts and any(kind == FOUND for kind, _ in parts):
            entries.append([message["role"], _parts(parts)])
    for check in result.get("checks", ())[:MOST_PARTS]:
        entries += [["found", _finding(found, check["check"])] for found in check.get("findings", ())[:MOST_PARTS]]
        if error := check.get("error"):
            entries.append(["error", _said(f"{check['check']}: {error['kind']}: {error['message']}")])
        for entry in check.get("allowed", ())[:MOST_PARTS]:
            entries.append(["allowed", _said(f"entry {entry[0] + 1} of {check['check']} took away {entry[1]}")])
        if check.get("vendor_s") is not None:
            entries.append(["vendor", _said(f"{ms(check['vendor_s'])} when recorded · {check['check']}")])
    kind = status if status != "ran" else action
    took = None if status == "skipped" else result.get("duration_s", 0.0)
    return kind, plain(result["guardrail"], MOST_NAME), ", ".join(said), took, entries


def _finding(found: Row, check: str) -> str:
    said = [f"{found['name']} ({found['category']})"]
    said += [str(found["severity"])] if found.get("severity") else []
    said += [f"score {found['score']}"] if found.get("score") is not None else []
    said.append(f"message {found.get('message_index', 0)} {found.get('field', 'content')}")
    if found.get("start") is not None:
        said[-1] += f" [{found['start']}:{found['end']}]"
    said += [f"replaced by {found['replacement']}"] if found.get("replacement") is not None else []
    said += [str(found["action"])] if found.get("action") else []
    said += [f"vendor says {found['vendor_action']}"] if found.get("vendor_action") else []
    return _said(f"{', '.join(said)} · {check}")


def _messages(messages: Iterable[Row]) -> list[Entry]:
    return [[message["role"], _said(_content(message))] for message in list(messages)[:MOST_PARTS]]


def _content(message: Row) -> str:
    """Return the content of a message as text; parts that are no text, and tool calls, as JSON."""
    content = message.get("content")
    parts = [content] if isinstance(content, str) else list(content or ())
    parts += message.get("tool_calls", ())
    texts = (
        part if isinstance(part, str) else part["text"] if isinstance(part.get("text"), str) else dumps(part)
        for part in parts
    )
    return "\n".join(texts)


# What else a run knows of a case


def _more(case: Row) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "Grades", [pair for grade in case.get("grades", ())[:MOST_PARTS] for pair in _grade(grade)]
    if shadow := case.get("shadow"):
        yield "The candidate", list(_shadow(shadow))
    if armed := case.get("armed"):
        yield "With guardrails off", list(_armed(armed))


def _grade(grade: Row) -> Iterator[tuple[str, str]]:
    scores = grade.get("scores") or ()
    shown = ", ".join(f"{score:g}" for score in scores)
    said = [f"{sum(scores) / len(scores):.1f} of 5 ({shown})"] if scores else []
    said += [str(grade["error"])] if grade.get("error") else []
    yield plain(grade["criterion"], MOST_NAME), _said("; ".join([*said, *grade.get("reasons", ())]))


def _shadow(shadow: Row) -> Iterator[tuple[str, str]]:
    by = f" by {shadow['decided_by']}" if shadow.get("decided_by") else ""
    verdict = shadow.get("verdict")
    action = f" ({shadow['action']})" if shadow.get("action", "none") != "none" else ""
    yield "guard", _said(shadow["guard"])
    yield "result", _said(f"{shadow['status']}: {verdict or 'no verdict'}{action}{by}")
    if shadow.get("fired"):
        yield "acted", _said(", ".join(shadow["fired"]))
    if shadow.get("error"):
        yield "error", _said(str(shadow["error"]))
    yield "took", ms(shadow.get("duration_s", 0.0))


_KNOWN = {True: "the case fails, as it should", False: "the case passes all the same", None: "nobody can say"}


def _armed(armed: Row) -> Iterator[tuple[str, str]]:
    for name, title in (
        ("noticed", "fails without"), ("unnoticed", "passes all the same without"), ("alone", "acts alone"),
    ):  # fmt: skip
        if armed.get(name):
            yield title, _said(", ".join(armed[name]))
    for place, other in armed.get("backups", ()):
        yield "backed up", _said(f"{place} by {other}")
    yield "all off", _KNOWN[armed.get("off")]
    yield "everything denied", _KNOWN[armed.get("always_deny")]
    for what, why in armed.get("unjudged", ()):
        yield "nobody can say", _said(f"{what or 'all'}: {why}")
