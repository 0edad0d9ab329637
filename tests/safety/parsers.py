"""What reads each format in the world, and functions that raise where a text got out of its place."""

from __future__ import annotations

import csv
import functools
import io
import json
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pytest_guardrails._model import Run, Trace
from pytest_guardrails.reporters import html, report_dict
from pytest_guardrails.reporters.csv import COLUMNS
from pytest_guardrails.reporters.openmetrics import FAMILIES

run_full_of = sys.modules["safety_hostile"].run_full_of  # beside this file, and no package
SCHEMAS = Path(__file__).parents[1] / "reporters" / "schemas"
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, format, surrogate, line and paragraph separators
FORMULAS = tuple("=+-@\t\r＝＋－＠")
Parser = Callable[[str, Run], None]


def unseen(text: str, keep: str = "\n") -> set[str]:
    """Return the characters of a text that a terminal or an editor would act on instead of showing them."""
    return {letter for letter in set(text) if letter not in keep and unicodedata.category(letter) in UNSEEN}


# JSON and what is made of it


def _json(text: str, run: Run) -> None:
    found = json.loads(text, parse_constant=_no_constant)
    assert found == json.loads(json.dumps(report_dict(run)), parse_constant=None)
    assert text.count("\n") <= 100 + text.count("\n ")  # nothing but our own lines


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _traces(text: str, run: Run) -> None:
    lines = text.splitlines()  # which also splits at U+2028, \x85 and the like
    kept = [record.trace for record in run.records if record.trace is not None]
    assert len(lines) == len(kept)
    for line, trace in zip(lines, kept, strict=True):
        assert _same(Trace.from_dict(json.loads(line)["trace"]), trace)


def _same(one: Trace, other: Trace) -> bool:
    """True if two traces are equal once a pair of lone surrogates, which JSON cannot tell from one letter, is one."""
    said = [repr(json.loads(json.dumps(trace.to_dict()))) for trace in (one, other)]
    return said[0] == said[1]


@functools.cache
def _validator(schema: str) -> Any:
    import jsonschema

    known = json.loads((SCHEMAS / schema).read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(known)(known)


def _valid(schema: str) -> Parser:
    def check(text: str, _run: Run) -> None:
        found = json.loads(text, parse_constant=_no_constant)
        assert [problem.message[:200] for problem in _validator(schema).iter_errors(found)] == []

    return check


def _sarif(text: str, run: Run) -> None:
    _valid("sarif-2.1.0.schema.json")(text, run)
    for result in json.loads(text)["runs"][0]["results"]:
        for place in result["locations"]:
            uri = place.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "x")
            assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)  # one relative reference, whatever the file is called


def _benchmark(text: str, _run: Run) -> None:
    entries = json.loads(text, parse_constant=_no_constant)
    names = [entry["name"] for entry in entries]
    assert len(set(names)) == len(names)
    for entry in entries:
        assert set(entry) <= {"name", "unit", "value", "range", "extra"}
        assert math.isfinite(entry["value"])


# Tables


def _csv(text: str, run: Run) -> None:
    rows = list(csv.reader(io.StringIO(text), strict=True))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) > len(run.records)
    assert text.count("\n") == len(rows)
    for row in rows[1:]:
        assert len(row) == len(COLUMNS)
        for cell in row:
            assert not cell.lstrip().startswith(FORMULAS) or _is_number(cell), cell[:60]


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?[0-9.e-]+", cell) is not None


_PAIRS = ["heading", "paragraph", "bullet_list", "list_item", "strong", "table", "thead", "tbody", "tr", "th", "td"]
_MARKDOWN = {"inline", "text", "softbreak", "hardbreak"}
_MARKDOWN |= {f"{name}_{end}" for name in _PAIRS for end in ("open", "close")}
_OUR_OWN = re.compile(r"<br>|<details( open)?><summary>[\d,]+ samples? went wrong</summary>|</details>")
_REFERENCE = re.compile(r"@\w|#\d")


def markdown_problems(text: str) -> Iterator[str]:
    """Yield what Markdown would make of a text besides our own headings, lists and tables."""
    from markdown_it import MarkdownIt

    for line in text.splitlines():
        if line.lstrip().startswith("|") and not re.fullmatch(r"\|(-+:?\|?|--:\|)+", line.strip()):
            shown = re.sub(r"\\.", "", line)
            if not shown.endswith("|"):
                yield f"a row that does not end: {line[:80]!r}"
    columns: list[int] = []
    for token in MarkdownIt("gfm-like").parse(text):
        if token.type == "tr_open":
            columns.append(0)
        columns[-1:] = [columns[-1] + 1] if token.type in ("th_open", "td_open") else columns[-1:]
        for part in (token, *(token.children or ())):
            if part.type.startswith("html_") and _OUR_OWN.fullmatch(part.content.strip()):
                continue
            if part.type not in _MARKDOWN:
                yield f"{part.type}: {part.content[:80]!r}"
            if part.type == "text" and _REFERENCE.search(part.content):
                yield f"a mention: {part.content[:80]!r}"


def tables(text: str) -> list[list[int]]:
    """Return the number of cells in each row of each table, as a row is written."""
    found: list[list[int]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append(len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", line))) - 1)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def _markdown(text: str, _run: Run) -> None:
    assert list(markdown_problems(text)) == []
    assert all(len(set(table)) == 1 for table in tables(text))
    assert "\u200b" not in text


# Markup


class _Structure(HTMLParser):
    """The elements of a page with the names of their attributes, what scripts there are, and what is off."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[tuple[str, tuple[str, ...]]] = set()
        self.scripts: list[str] = []
        self.off: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, tuple(sorted(name for name, _ in attrs))))
        self._inside = tag == "script"
        self.scripts += [""] if tag == "script" else []
        for name, value in attrs:
            said = (value or "").strip().lower()
            if name.startswith("on") or name == "style":
                self.off.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction", "xlink:href", "data", "srcset") and said[:1] != "#":
                self.off.append(f"{tag} {name}={said[:60]}")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data

    def handle_comment(self, data: str) -> None:
        self.off.append(f"comment {data[:60]}")

    def handle_pi(self, data: str) -> None:
        self.off.append(f"processing instruction {data[:60]}")


def structure(page: str) -> _Structure:
    """Return what a page is made of."""
    found = _Structure()
    found.feed(page)
    found.close()
    return found


@functools.cache
def _harmless() -> _Structure:
    """Return what the page of a run full of plain words is made of."""
    return structure(html(run_full_of("harmless words")))


def _html(text: str, _run: Run) -> None:
    found = structure(text)
    assert found.off == []
    assert found.elements <= _harmless().elements
    assert len(found.scripts) == len(_harmless().scripts)
    islands = [script for script in found.scripts if script.lstrip()[:1] in ("{", "[")]
    assert islands
    for island in islands:
        json.loads(island, parse_constant=_no_constant)
        assert not re.search(r"[<>&\u2028\u2029]", island)


_JUNIT = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase", "properties"},
    "testcase": {"failure", "error", "skipped", "properties", "system-out", "system-err"},
    "properties": {"property"},
}


def junit_problems(text: str) -> Iterator[str]:
    """Yield elements of JUnit XML that stand where none of them belongs."""
    root = ElementTree.fromstring(text.encode())  # noqa: S314 - expat, and it refuses what is not well-formed
    if "<!" in re.sub(r"<!\[CDATA\[.*?\]\]>", "", text, flags=re.DOTALL):
        yield "a declaration"
    for parent in root.iter():
        for child in parent:
            if child.tag not in _JUNIT.get(parent.tag, ()):
                yield f"{parent.tag}/{child.tag}"


def _junit(text: str, run: Run) -> None:
    assert list(junit_problems(text)) == []
    root = ElementTree.fromstring(text.encode())  # noqa: S314
    assert len(list(root.iter("testcase"))) >= len(run.records)


def _openmetrics(text: str, _run: Run) -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    families = list(text_string_to_metric_families(text))
    assert {family.name for family in families} <= {name.removesuffix("_total") for name in FAMILIES}
    assert text.endswith("# EOF\n")
    assert text.count("# EOF\n") == text.count("\n# EOF\n") == 1
    for family in families:
        for sample in family.samples:
            assert not unseen("".join(sample.labels.values()), keep="")


PARSERS: Mapping[str, Parser] = {
    "csv": _csv,
    "ctrf": _valid("ctrf-0.0.schema.json"),
    "gha-benchmark-bigger": _benchmark,
    "gha-benchmark-smaller": _benchmark,
    "html": _html,
    "json": _json,
    "junit": _junit,
    "md": _markdown,
    "openmetrics": _openmetrics,
    "sarif": _sarif,
    "traces": _traces,
}


# What is printed


def columns(line: str) -> int:
    """Return how wide a line is: East Asian letters take two columns, marks none."""
    marks = sum(unicodedata.category(letter) in ("Mn", "Me") for letter in line)
    return len(line) - marks + sum(unicodedata.east_asian_width(letter) in "WF" for letter in line)


def terminal_problems(lines: list[str], width: int) -> Iterator[str]:
    """Yield what is off in the lines of a section: a line that is none, or that acts on the terminal."""
    for line in lines:
        if re.search(r"([\u0300-\u036f\ufe00-\ufe0f]){5}", line):
            yield f"covers other lines: {line[:60]!r}"
        if "\n" in line or "\r" in line:
            yield f"more than one line: {line[:60]!r}"
        if unseen(line, keep=""):
            yield f"acts on the terminal: {line[:60]!r}"
        if columns(line) > width:
            yield f"wider than {width}: {line[:60]!r}"


_COMMAND = re.compile(r"::error ([a-z]+=[^,:\r\n]*)(,[a-z]+=[^,:\r\n]*)*::[^\r\n]*")


def command_problems(lines: list[str]) -> Iterator[str]:
    """Yield lines that GitHub would not read as one annotation."""
    for line in lines:
        if not _COMMAND.fullmatch(line):
            yield line[:80]
