"""The same value in other writing: what a reader still takes for it, and a pattern may not."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_guardrails._model import Sample, Span
from pytest_guardrails.strategies._families._source import Source
from pytest_guardrails.strategies._prompts import moved

Write = Callable[[Source, str], str]

_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_DIGITS = tuple({ord("0") + value: first + value for value in range(10)} for first in (0x0660, 0x06F0))
_ZERO_WIDTH = "\u200b\u200c\u2060\ufeff\u00ad"
_NO_BREAK = "\u00a0\u202f\u2007"
_LOOK_ALIKES = str.maketrans("ABCEHIKMOPTXaceiopxyj013", "АВСЕНІКМОРТХасеіорхуј\u041e\u0406\u0417")
_LETTER = re.compile(r"[^\W\d_]")


def _as_it_is(_source: Source, value: str) -> str:
    return value


def _full_width(_source: Source, value: str) -> str:
    return value.translate(_FULL_WIDTH)


def _zero_width(source: Source, value: str) -> str:
    step, mark = source.integer(1, 4), source.choice(_ZERO_WIDTH)
    return mark.join(value[at : at + step] for at in range(0, len(value), step))


def _no_break(source: Source, value: str) -> str:
    """Return the value with its spaces made no-break ones, and its hyphens if they only part groups of digits."""
    space = source.choice(_NO_BREAK)
    return (value if _LETTER.search(value) else value.replace("-", " ")).replace(" ", space)


def _other_digits(source: Source, value: str) -> str:
    return value.translate(source.choice(_DIGITS))


def _homoglyphs(_source: Source, value: str) -> str:
    return value.translate(_LOOK_ALIKES)


def _json(_source: Source, value: str) -> str:
    return json.dumps(value)[1:-1]


def _json_escaped(_source: Source, value: str) -> str:
    units = value.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _url(_source: Source, value: str) -> str:
    return urllib.parse.quote(value, safe="", errors="surrogatepass")


@dataclass(frozen=True, slots=True)
class Way:
    """How a value is written, how the text beside it is, and what may stand around the whole: before and after."""

    value: Write
    beside: Write = _as_it_is
    frames: tuple[tuple[str, str], ...] = (("", ""),)


_CODE = (
    ("`", "`"),
    ("# ", "\n"),
    ('x = "', '"'),
    ("<td>", "</td>"),
    ("echo '", "' >> notes.txt"),
    ('assert parse("', '") is None'),
    ("INSERT INTO t VALUES ('", "');"),
    ("```python\nrow = ['", "']\n```"),
)
_OBJECTS = (('{"value": "', '"}'), ('{"user": {"note": "', '", "open": true}}'))
_LINKS = (("?q=", ""), ("https://example.com/?q=", ""), ("curl 'https://example.com/search?q=", "&page=2'"))

WAYS: Mapping[str, Way] = {
    "full-width": Way(_full_width),
    "zero-width": Way(_zero_width),
    "no-break": Way(_no_break),
    "arabic-indic": Way(_other_digits),
    "homoglyphs": Way(_homoglyphs),
    "code": Way(_as_it_is, frames=_CODE),
    "json": Way(_json, _json, _OBJECTS),
    "json-escaped": Way(_json_escaped, _json, _OBJECTS),
    "url": Way(_url, _url, _LINKS),
}


def rewrite(source: Source, sample: Sample, ways: Sequence[str] = tuple(WAYS)) -> Sample | None:
    """Return the sample with its values (its whole text, where it has no spans) written in one of these ways.

    Its category then names the way. None where that changes nothing, such as other digits in a text without any.
    """
    name = source.choice(ways)
    way = WAYS[name]
    text, spans = "", []
    for entity, part in _parts(sample):
        written = (way.beside if entity is None else way.value)(source, part)
        if entity:
            spans.append(Span(entity, len(text), len(text) + len(written)))
        text += written
    before, after = source.choice(way.frames)
    if before + text + after == sample.text:
        return None
    places = tuple(spans) if sample.spans else sample.spans
    return moved(replace(sample, text=text, category=f"{sample.category}/{name}", spans=places), before, after)


def _parts(sample: Sample) -> Iterator[tuple[str | None, str]]:
    """Yield the text in parts: values with their entity (without a name, where nothing has a span), the rest None."""
    if not sample.spans:
        yield "", sample.text
        return
    at = 0
    for span in sorted(sample.spans, key=lambda span: (span.start, span.end)):
        yield None, sample.text[at : span.start]
        yield span.entity, sample.text[max(at, span.start) : span.end]
        at = max(at, span.end)
    yield None, sample.text[at:]
