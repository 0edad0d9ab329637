"""The cases of a run as JSON that can stand in a page: a short row each, and the traces that are worth a look."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from pytest_guardrails._model import Outcome
from pytest_guardrails.reporters._html_trace import Row, detail, got, ms
from pytest_guardrails.reporters._markup import MOST_NAME
from pytest_guardrails.reporters.json import dumps
from pytest_guardrails.reporters.terminal import plain

__all__ = ["MOST_TRACES", "OUTCOMES", "STATES", "Row", "acted", "detail", "details", "got", "island", "state", "took"]

STATES = ("error", "not as expected", "known failing", "not run", "as expected")  # worst first
OUTCOMES = ("", *(outcome.value for outcome in Outcome))
COLUMNS = (
    "status", "outcome", "severity", "prefix", "name", "expected", "got", "file", "line", "tags", "acted", "took"
)  # fmt: skip
MOST_TRACES = 500  # cases whose trace the page keeps, worst first
SMALL_RUN = 200  # a run of at most so many cases keeps every trace
MOST_DETAIL = 600_000  # bytes of all traces together
MOST_SET = 20  # tags, or guardrails, of a case


def state(case: Row) -> str:
    """Return the status that the page shows: an xfail is known failing."""
    return "known failing" if case.get("xfail") is not None else str(case["status"])


def took(case: Row) -> str:
    """Return how long the request took, empty where there was none."""
    trace = case.get("trace")
    return ms(trace.get("duration_s", 0.0)) if trace else ""


def acted(case: Row) -> list[str]:
    """Return the guardrails that did something or gave no answer, each once."""
    results = (case.get("trace") or {"results": ()})["results"]
    did = (one["guardrail"] for one in results if one.get("action", "none") != "none" or one["status"] == "errored")
    return list(dict.fromkeys(did))


def island(cases: Sequence[Row]) -> str:
    """Return the cases, worst first, as JSON that can stand in a script element.

    ``columns`` has a list for each thing that is known of every case: ``status`` and ``outcome`` are indexes of
    ``states`` and ``outcomes``; the other texts of ``strings``, the ``name`` aside; ``tags`` and ``acted`` (guardrails)
    of ``sets``, lists of such indexes; ``took`` is in microseconds, -1 for none. A node id is ``prefix`` and ``name``;
    one that is not stands in ``ids``.
    """
    strings: dict[str, int] = {}
    sets: dict[tuple[int, ...], int] = {}

    def kept(text: str) -> int:
        return strings.setdefault(plain(text, MOST_NAME), len(strings))

    def together(texts: Sequence[str]) -> int:
        return sets.setdefault(tuple(dict.fromkeys(map(kept, texts[:MOST_SET]))), len(sets))

    columns: dict[str, list[int | str]] = {name: [] for name in COLUMNS}
    ids = {}
    for index, case in enumerate(cases):
        for column, value in zip(columns.values(), _row(case, kept, together), strict=True):
            column.append(value)
        if not _nodeid(case).endswith(_name(case)):
            ids[index] = _nodeid(case)
    data = {
        "states": STATES,
        "outcomes": [name.replace("_", " ") for name in OUTCOMES],
        "strings": list(strings),
        "sets": list(sets),
        "columns": columns,
        "ids": ids,
    }
    return _inert(data)


def details(cases: Sequence[Row], revealed: bool = False) -> str:
    """Return what opens under the first of the cases, as JSON like `island`; null is one without room.

    ``cases`` has lists of reasons, facts, steps and what else is known. Texts stand in ``strings``, and a number is the
    index of one; a number below zero is one itself, -1 for 0. It is a text of its own, so that a page need not read it
    before somebody asks for it.
    """
    strings: dict[str, int] = {}
    made = ",".join(_details(cases, revealed, strings))
    return f'{{"cases":[{made}],"strings":{_inert(list(strings))}}}'


def _row(case: Row, kept: Callable[[str], int], together: Callable[[Sequence[str]], int]) -> tuple[int | str, ...]:
    """Return what stands in each of `COLUMNS`."""
    name, nodeid, trace = _name(case), _nodeid(case), case.get("trace")
    return (
        STATES.index(state(case)),
        OUTCOMES.index(case.get("outcome", "")),
        kept(case.get("severity", "medium")),
        kept(nodeid.removesuffix(name) if nodeid.endswith(name) else ""),
        name,
        *map(kept, (case.get("expected", ""), got(case), case.get("file") or "")),
        case.get("line") or 0,
        together(case.get("tags", ())),
        together(acted(case)),
        round(1e6 * trace.get("duration_s", 0.0)) if trace else -1,
    )


def _name(case: Row) -> str:
    return plain(case["case"], MOST_NAME)


def _nodeid(case: Row) -> str:
    return plain(case["nodeid"], 2 * MOST_NAME)


def _inert(value: Any) -> str:
    """Return ``value`` as JSON in which nothing can end a script element or begin a comment."""
    text = dumps(value, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _details(cases: Sequence[Row], revealed: bool, strings: dict[str, int]) -> Iterator[str]:
    """Yield what opens under the first cases: all of a small run, else those not as expected, within bounds."""
    room = MOST_DETAIL
    for case in cases[: len(cases) if len(cases) <= SMALL_RUN else MOST_TRACES]:
        if len(cases) > SMALL_RUN and state(case) not in STATES[:3]:
            break
        known = len(strings)
        made = _inert(_packed(_in_order(detail(case, revealed)), strings))
        new = list(islice(strings, known, None))
        size = len(made) + len(_inert(new).encode())
        if size > room:
            for text in new:
                del strings[text]
            yield "null"
            continue
        room -= size
        yield made


def _in_order(known: dict[str, Any]) -> list[Any]:
    """Return what opens under a case as a list, times in microseconds."""
    steps = [(*step[:3], _micros(step[3]), step[4]) for step in known["steps"]]
    return [known["reasons"], known["facts"], steps, known["more"]]


def _micros(seconds: float | None) -> int | None:
    return None if seconds is None or not math.isfinite(seconds) else max(0, round(1e6 * seconds))


def _packed(value: Any, strings: dict[str, int]) -> Any:
    """Return lists of texts and whole numbers with each text as its index, and each number below zero."""
    if isinstance(value, str):
        return strings.setdefault(value, len(strings))
    if isinstance(value, list | tuple):
        return [_packed(item, strings) for item in value]
    return None if value is None else -1 - value
