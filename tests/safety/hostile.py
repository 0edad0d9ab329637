"""Texts that mean harm to whoever shows them, and runs in which one of them stands wherever a text can stand.

The runs are made from the type hints of the nouns, so that a field that is added later is filled as well.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._model import (
    CaseRecord,
    CaseStatus,
    CorpusRecord,
    Criterion,
    Flip,
    Group,
    Guard,
    GuardrailStatus,
    Message,
    Outcome,
    PopulationChange,
    RateChange,
    Request,
    Run,
    ScoreCurve,
    Verdict,
)

MARKER = "hostile0marker"  # it stands in many texts, so that a test can see that it really looked at one

TEXTS: Mapping[str, str] = {
    "script end": f"</script><img src=x onerror=alert('{MARKER}')>",
    "style end": f"</style></title></textarea><svg/onload=alert('{MARKER}')>",
    "comment": f"<!--<script>--!><script>alert('{MARKER}')</script>",
    "attribute": f"\" onmouseover=\"alert('{MARKER}')\" x='",
    "javascript link": f"javascript:alert('{MARKER}')",
    "entities": f"&lt;b&gt; &#60;img src=x onerror=alert('{MARKER}')&#62; &amp;amp;",
    "right to left": f"{MARKER} \u202egnp.exe\u202c \u2066isolate\u2069 \u200fmark \u061c",
    "left to right override": f"\u202d{MARKER} overridden",
    "zero width": f"{MARKER} a\u200bb\u200cc\u200dd\u2060e\ufefff \u00ad \u180e",
    "tags": f"{MARKER} \U000e0049\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065 \ufe0f",
    "combining": f"{MARKER} Z" + "\u0337\u0310\u0363" * 12,
    "ansi": f"\x1b[2J\x1b[31m{MARKER}\x1b[0m\x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "c1 controls": f"\x9b31m{MARKER}\x9d0;title\x9c \x90q\x9c \x85next",
    "backspaces": f"safe\b\b\b\b{MARKER}\r\x7foverwritten",
    "csv formula": f"=cmd|'/C calc'!A0 {MARKER}",
    "csv at": f"@SUM(1+1)*cmd|'{MARKER}'",
    "csv minus": f"-2+3+cmd|'{MARKER}'!A0",
    "csv plus": f"+1+cmd|'{MARKER}'!A0",
    "csv tab": f"\t=1+1 {MARKER}",
    "csv separators": f'"",""{MARKER}";\t,\r\n=1',
    "markdown table": f"| a | b |\n|---|---|\n| {MARKER} | ` |",
    "markdown link": f"[{MARKER}](javascript:alert(1)) ![i](https://evil.example/p.png) <https://evil.example>",
    "markdown reference": f"[{MARKER}]: https://evil.example\n\n# heading\n\n***\n> quote\n1. one\n- [ ] task",
    "markdown html": f"<details open ontoggle=alert(1)>{MARKER}</details><!-- -->",
    "markdown code": f"```\n~~~ {MARKER}\n`` ` \\",
    "mention": f"@everyone @octo-org/team #1 GH-1 octo/repo#2 a5c3785ed8d6a35868bc169f07e40e889087fd2e {MARKER}",
    "autolink": f"https://evil.example/{MARKER} www.evil.example ftp://evil.example mailto:x@evil.example",
    "cdata end": f"]]><evil>{MARKER}</evil><![CDATA[",
    "xml entity": f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e; {MARKER}',
    "xml controls": f"{MARKER} \x01\x02\x08\x0b\x0c\x0e\x1f \ufffe \uffff",
    "lone surrogates": f"{MARKER} \ud800 \udfff \udc00\ud800",
    "nul": f"\x00{MARKER}\x00",
    "newlines": f"{MARKER}\nsecond\r\nthird\rfourth\n\n\nFAILED\n",
    "separators": f"{MARKER}\u2028line\u2029paragraph\x85next\x1c\x1d\x1e",
    "very long word": MARKER + "W" * 3_000,
    "very long emoji": MARKER + "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 60,
    "many slashes": f"{MARKER}" + "/../" * 500,
    "templates": f"{{{{7*7}}}} {{% raw %}} ${{7*7}} #{{7*7}} <%= 7*7 %> %s %(x)s {{0}} {MARKER} $(id) `id`",
    "github expression": f"${{{{ secrets.GITHUB_TOKEN }}}} {MARKER}",
    "workflow command": f"{MARKER}\n::error file=x,line=1::injected\n::set-output::b\n::stop-commands::x\n##[error]",
    "workflow command first": f"::add-mask::{MARKER}",
    "path traversal": f"../../../../tmp/{MARKER}\\..\\..\\windows",
    "absolute path": f"/etc/passwd/{MARKER}",
    "url": f"file:///etc/{MARKER}?a=1#b%00%2e%2e",
    "openmetrics": f'{MARKER}"}} 1\n# EOF\nevil_total{{a="b\\',
    "json": f'{MARKER}"}}], "x": [{{"\\u0000\\',
    "yaml": f"{MARKER}: !!python/object/apply:os.system ['id'] # & * | > \u2028",
    "sql": f"'; DROP TABLE runs; -- {MARKER}",
    "regex": "(a+)+$" + "a" * 40 + f"!{MARKER}",
    "prototype": "__proto__",
    "constructor": "constructor",
    "separator of node ids": f"a::b::{MARKER}[x/y]",
    "white": " \t\n ",
    "empty": "",
    "number": "007",
    "nan": "NaN",
    "full width formula": f"\uff1d1+1 {MARKER}",
}

HUGE = MARKER + "<p>\u202e|" + "x" * 5_000_000  # a prompt of 5 MB


def each_text(test: Callable[..., None]) -> Callable[..., None]:
    """Return a test that is called with each text as ``text``, and with a folder of its own where it asks for one.

    One test, as a test of its own for each costs more than what it does. A failure names the text.
    """

    @functools.wraps(test)
    def with_each(**fixtures: Any) -> None:
        folder = fixtures.get("tmp_path")
        for number, (name, text) in enumerate(TEXTS.items()):
            if folder is not None:
                fixtures["tmp_path"] = folder / str(number)
                fixtures["tmp_path"].mkdir()
            try:
                test(text=text, **fixtures)
            except Exception as exc:
                exc.add_note(f"with the text {name!r}")
                raise

    signature = inspect.signature(test)
    asked = [parameter for name, parameter in signature.parameters.items() if name != "text"]
    with_each.__signature__ = signature.replace(parameters=asked)  # type: ignore[attr-defined]
    return with_each


# What stands in a run besides texts: words of ours, which a reader of reports refuses to be anything else.

WORDS: Mapping[tuple[type, str], Any] = {
    (Message, "role"): "user",
    (Message, "content"): None,  # made below
    (Request, "endpoint"): "chat/completions",
    (Group, "kind"): "category",
    (RateChange, "rate"): "fpr",
    (RateChange, "interval"): (-0.1, 0.2),
    (PopulationChange, "latency"): (0.001, 0.002, 0.001, 0.003),
    (Flip, "truth"): "newly wrong",
    (Flip, "verdict"): "became blocked",
    (CaseRecord, "severity"): "high",
    (CaseRecord, "label"): "attack",
    (Flip, "severity"): "critical",
    (Criterion, "samples"): 1,
    (CorpusRecord, "spans"): (4, 4, 2, 2, 7),
    (ScoreCurve, "points"): ((0.9, 0.0, 0.5), (0.1, 1.0, 1.0)),
    (CorpusRecord, "ledger"): None,
}


def filled(kind: Any, text: str) -> Any:
    """Return a value of a dataclass (or of another type hint) with ``text`` wherever it can hold a text."""
    if dataclasses.is_dataclass(kind):
        return _made(kind, text)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return filled(next(part for part in arguments if part is not type(None)), text)
    if origin is tuple:
        return (filled(arguments[0], text),)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return list(kind)[-1]
    plain: dict[Any, Any] = {str: text, int: 3, float: 0.5, bool: True, FrozenDict: FrozenDict({text: text})}
    return plain[kind]


def _made(kind: Any, text: str) -> Any:
    hints = typing.get_type_hints(kind)
    given = {
        field.name: WORDS[kind, field.name] if (kind, field.name) in WORDS else filled(hints[field.name], text)
        for field in dataclasses.fields(kind)
    }
    if kind is Message:
        given["content"] = text
        given["tool_calls"] = (FrozenDict({"type": "function", "function": FrozenDict({text: text})}),)
    if kind is CorpusRecord:
        place = f"{text}/{text}/{text}"
        given |= {
            "groups": (Group("all", "", 2, 1, 1, 1, 1), *given["groups"], Group("check", place, 1)),
            "latency": FrozenDict({"12": 3}),
            "vendor_latency": FrozenDict({"12": 3}),
            "allowed": FrozenDict({f"{place}/0": (2, 1)}),
            "silent": FrozenDict({place: 1}),
            "acted": FrozenDict({place: FrozenDict({"deny": 1})}),
            "worst": ((text,) * 5,),
        }
    if kind is Guard:
        given["guardrails"] = ((text, "before_request", text, text),)
        given["allowlists"] = FrozenDict({f"before_request/{text}/{text}": (text, text)})
    if kind.__name__ == "CheckResult":
        given["allowed"] = ((0, 2),)
    if kind.__name__ == "Armed":
        given |= {"backups": ((text, text),), "unjudged": ((text, text),)}
    return kind(**given)


@functools.cache
def run_full_of(text: str) -> Run:
    """Return a run with ``text`` in every field: a case of each status, corpora, gates, comparisons, arming."""
    run: Run = filled(Run, text)
    (record,), (corpus,) = run.records, run.corpora
    records = [
        _case(record, text, number, status, outcome)
        for number, (status, outcome) in enumerate(
            (
                (CaseStatus.NOT_AS_EXPECTED, Outcome.FALSE_NEGATIVE),
                (CaseStatus.NOT_AS_EXPECTED, Outcome.FALSE_POSITIVE),
                (CaseStatus.ERROR, Outcome.ERROR),
                (CaseStatus.AS_EXPECTED, Outcome.TRUE_POSITIVE),
                (CaseStatus.NOT_RUN, None),
            )
        )
    ]
    records.append(replace(records[0], nodeid=f"{text}::{text} known", xfail=text, key=text))
    corpora = [
        replace(
            corpus, nodeid=f"{text}::corpus {number}", status=status, xfail=None, shadow=False, generated=number == 2
        )
        for number, status in enumerate((CaseStatus.NOT_AS_EXPECTED, CaseStatus.ERROR, CaseStatus.AS_EXPECTED))
    ]
    corpora.append(replace(corpora[0], nodeid=f"{text}::known", xfail=text))
    corpora.append(replace(corpora[0], shadow=True))
    gates = (replace(run.gates[0], passed=False), replace(run.gates[0], passed=True))
    return replace(
        run, complete=True, revealed=True, exit_status=1, gates=gates, records=tuple(records), corpora=tuple(corpora)
    )


def _case(record: CaseRecord, text: str, number: int, status: CaseStatus, outcome: Outcome | None) -> CaseRecord:
    """Return a case in whose trace a check found something, or gave no answer."""
    errored = status is CaseStatus.ERROR
    assert record.trace is not None
    (result,) = record.trace.results
    (check,) = result.checks
    check = replace(check, findings=()) if errored else replace(check, error=None)
    ran = GuardrailStatus.ERRORED if errored else GuardrailStatus.RAN
    before, after = (replace(result, status=ran, checks=(check,), phase=phase) for phase in type(result.phase))
    blocked = number == 1
    trace = replace(
        record.trace,
        results=(before, after),
        verdict=Verdict.BLOCK if blocked else Verdict.ALLOW,
        denial=record.trace.denial if blocked else None,
        response=None if blocked else record.trace.response,
    )
    return replace(
        record,
        case=f"{text}{number}",
        nodeid=f"{text}::{text}{number}",
        status=status,
        outcome=outcome,
        generated=False,
        xfail=None,
        key=None,
        trace=None if outcome is None else trace,
    )
