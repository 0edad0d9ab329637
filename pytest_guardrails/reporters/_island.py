"""The cases of a run as JSON that can stand in a page: a short row each, and the traces that are worth a look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pytest_guardrails._model import Outcome
from pytest_guardrails.reporters.json import dumps
from pytest_guardrails.reporters.terminal import plain

STATES = ("error", "not as expected", "known failing", "not run", "as expected")  # worst first
OUTCOMES = ("", *(outcome.value for outcome in Outcome))
MOST_TRACES = 500  # cases whose trace the page keeps, worst first
SMALL_RUN = 200  # a run of at most so many cases keeps every trace
MOST_DETAIL = 900_000  # characters of all traces together
MOST_NAME, MOST_TEXT, MOST_PARTS = 300, 4_000, 50

Row = dict[str, Any]  # a case of report.json


def state(case: Row) -> str:
    """Return the status that the page shows: an xfail is known failing."""
    return "known failing" if case.get("xfail") is not None else case["status"]


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


def island(cases: list[Row]) -> str:
    """Return the cases, worst first, as JSON that can stand in a script element.

    A row is status, outcome, severity, prefix of the node id, case, expected, got, file, line, tags: the first two are
    indexes of ``states`` and ``outcomes``, the other texts but the case of ``strings``. ``details`` go with the first
    rows; null is one that had no room. A node id that does not end with the case comes last in its row.
    """
    strings: dict[str, int] = {}

    def kept(text: str) -> int:
        return strings.setdefault(plain(text, MOST_NAME), len(strings))

    rows: list[list[int | str]] = []
    for case in cases:
        name, nodeid = plain(case["case"], MOST_NAME), plain(case["nodeid"], 2 * MOST_NAME)
        ends = nodeid.endswith(name)  # as node ids do, so that only what comes before is kept, and once
        shown = (case.get("expected", ""), got(case), case.get("file") or "")
        row: list[int | str] = [
            STATES.index(state(case)),
            OUTCOMES.index(case.get("outcome", "")),
            kept(case.get("severity", "medium")),
        ]
        row += [
            kept(nodeid.removesuffix(name) if ends else ""),
            name,
            *map(kept, shown),
            case.get("line") or 0,
            kept(", ".join(case.get("tags", ()))),
        ]
        rows.append(row if ends else [*row, nodeid])
    data = {
        "states": STATES,
        "outcomes": [name.replace("_", " ") for name in OUTCOMES],
        "strings": list(strings),
        "rows": rows,
    }
    return f'{_inert(data)[:-1]},"details":[{",".join(_details(cases))}]}}'


def _inert(value: Any) -> str:
    """Return ``value`` as JSON in which nothing can end a script element or begin a comment."""
    text = dumps(value, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _details(cases: list[Row]) -> Iterator[str]:
    """Yield what opens under the first cases: all of a small run, else those not as expected, within bounds."""
    room = MOST_DETAIL
    for case in cases[: len(cases) if len(cases) <= SMALL_RUN else MOST_TRACES]:
        if len(cases) > SMALL_RUN and state(case) not in STATES[:3]:
            break
        made = _inert(detail(case))
        fits = len(made) <= room
        room -= len(made) if fits else 0
        yield made if fits else "null"


def detail(case: Row) -> dict[str, Any]:
    """Return the reasons of a case, its facts as pairs of words, and its trace as the steps of the request."""
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
        "steps": list(_steps(trace)) if trace else [],
    }


def _said(text: str) -> str:
    return plain(text, MOST_TEXT, keep="\n\t")


def _steps(trace: Row) -> Iterator[tuple[str, str, str, list[tuple[str, str]]]]:
    """Yield the way of a request, in order, as kind, title, what happened, and labelled texts."""
    request, results, calls = trace["request"], trace["results"][: 4 * MOST_PARTS], trace.get("upstream_requests", ())
    stream = ", stream" if request.get("stream") else ""
    yield (
        "sent",
        "Caller sent",
        f"{request.get('endpoint', 'chat/completions')}{stream}",
        _messages(request["messages"]),
    )
    yield from (_guardrail_step(result) for result in results if result["phase"] == "before_request")
    received = [pair for call in calls[:MOST_PARTS] for pair in _messages(call["messages"])]
    said = "nothing: it was not called" if not calls else f"{len(calls)} call{'' if len(calls) == 1 else 's'}"
    if calls and calls[-1]["messages"] != request["messages"]:
        said += ", not what the caller sent"
    yield "model", "Model received", said, received
    yield from (_guardrail_step(result) for result in results if result["phase"] != "before_request")
    yield _caller_step(trace)
    for warning in trace.get("warnings", ())[:MOST_PARTS]:
        yield "warn", "Operator warned", "", [("", _said(warning))]


def _caller_step(trace: Row) -> tuple[str, str, str, list[tuple[str, str]]]:
    by = f" by {trace['decided_by']}" if trace["decided_by"] else ""
    response, denial = trace.get("response"), trace.get("denial")
    texts = _messages(response.get("choices", ())) if response else []
    if denial:
        error = denial["body"].get("error")
        said = error.get("message") if isinstance(error, dict) else None
        texts.append(("denial", _said(str(said or dumps(denial["body"])))))
    kind = "deny" if trace["verdict"] == "block" else "caller"
    return kind, "Caller got", plain(f"{trace.get('status', 200)} {trace['verdict']}{by}", MOST_NAME), texts


def _guardrail_step(result: Row) -> tuple[str, str, str, list[tuple[str, str]]]:
    action, status = result.get("action", "none"), result["status"]
    said = [result["phase"].partition("_")[0], action if status == "ran" else status]
    if status == "errored":
        said.append(f"on error {result.get('on_error', 'block')}")
    if status != "skipped":
        said.append(ms(result.get("duration_s", 0.0)))
    texts = []
    for check in result.get("checks", ())[:MOST_PARTS]:
        texts += [("found", _finding(found, check["check"])) for found in check.get("findings", ())[:MOST_PARTS]]
        if error := check.get("error"):
            texts.append(("error", _said(f"{check['check']}: {error['kind']}: {error['message']}")))
    kind = status if status != "ran" else action
    return kind, plain(result["guardrail"], MOST_NAME), ", ".join(said), texts


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


def _messages(messages: Iterable[Row]) -> list[tuple[str, str]]:
    return [(message["role"], _said(_content(message))) for message in list(messages)[:MOST_PARTS]]


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
