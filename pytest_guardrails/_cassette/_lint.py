"""Find in cassettes what may not be published: credentials, personal data, and silence about what they are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pytest_guardrails._cassette._file import SUFFIXES, metadata_of, read_raw
from pytest_guardrails._cassette._form import from_dict
from pytest_guardrails._cassette._interaction import REDACTED, is_secret_name, json_of, scrubbed
from pytest_guardrails._cassette._masking import MASKED
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Text
from pytest_guardrails.checks.pii import PiiRedact

Kind = Literal["credential", "personal data", "metadata", "format"]

_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000}")
_LASSO_KEY = re.compile(
    r"\blasso[_-](?:[a-z]{1,10}[_-])?(?=[A-Za-z0-9]{0,15}[0-9])[A-Za-z0-9]{16,200}\b", re.IGNORECASE
)
_BEARER = re.compile(r"\b[Bb]earer [A-Za-z0-9._~+/=-]{16,4000}")
_SHAPES = (("a JWT", _JWT), ("a Lasso key", _LASSO_KEY), ("a bearer token", _BEARER))
_NO_SECRET = frozenset({"", REDACTED, "redacted", "***", "none", "null"})
_DEEPEST = 60
_DETECT = PiiRedact()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that should not be in a cassette: where it is and what it is, never its value.

    ``kind`` is credential, personal data, metadata (it does not say what it is) or format (it cannot be read).
    """

    file: str
    line: int | None
    where: str
    what: str
    kind: Kind


def lint(path: str | os.PathLike[str]) -> list[Problem]:
    """Return the problems of a cassette, or of every cassette in a folder, part files too.

    Raises:
        OSError: where there is nothing of that name.
    """
    place = Path(path)
    if not place.is_dir():
        return list(_of_file(place))
    files = sorted(file for file in place.rglob("*") if file.is_file() and _may_be_one(file))
    return [problem for file in files for problem in _of_file(file)]


def _may_be_one(file: Path) -> bool:
    """True for part files and what has a cassette's suffix and the word that each of them has."""
    if file.suffix == ".part":
        return True
    if file.suffix.lower() not in SUFFIXES:
        return False
    words = (b'"request"', b'"metadata"') if file.suffix.lower() == ".jsonl" else (b"interactions",)
    content = file.read_bytes()
    return any(word in content for word in words)


def _of_file(file: Path) -> Iterator[Problem]:
    name = str(file)
    if file.suffix == ".part":
        yield Problem(name, None, "file", "recorded and not folded into its cassette yet", "format")
        return
    try:
        raw = read_raw(file)
    except ConfigError as exc:
        yield Problem(name, exc.line, "file", exc.message, "format")
        return
    try:
        metadata_of(raw, file)
    except ConfigError as exc:
        yield Problem(name, None, "metadata", exc.message, "metadata")
    else:
        if raw.guardrails is None:
            yield Problem(name, None, "metadata", "does not say whether it is recorded or synthetic", "metadata")
    for where, value in (("metadata", raw.guardrails), ("vcrpy's metadata", raw.foreign)):
        yield from (Problem(name, None, place, what, kind) for place, what, kind in _of_value(value, where))
    for number, (line, data) in enumerate(raw.interactions, 1):
        for where, what, kind in _of_interaction(data):
            yield Problem(name, line, f"interaction {number}, {where}", what, kind)


def _of_interaction(data: Any) -> Iterator[tuple[str, str, Kind]]:
    try:
        interaction = from_dict(data)
    except ValueError as exc:
        yield "form", str(exc), "format"
        return
    request, response = data["request"], data["response"]
    yield from _of_url(request["uri"])
    for name, part, body in (
        ("request", request, interaction.request_body),
        ("response", response, interaction.response_body),
    ):
        yield from _of_headers(part.get("headers"), f"{name} headers")
        yield from _of_body(body, f"{name} body")


def _of_url(url: str) -> Iterator[tuple[str, str, Kind]]:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        yield "request URL", "user or password", "credential"
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if is_secret_name(name) and _is_secret(value):
            yield "request URL", f"a value of parameter {_label(name)}", "credential"
    yield from _of_text(scrubbed(url), "request URL")


def _of_headers(headers: Any, where: str) -> Iterator[tuple[str, str, Kind]]:
    for name, values in headers.items() if isinstance(headers, Mapping) else ():
        texts = [values] if isinstance(values, str) else values
        if is_secret_name(name) and any(_is_secret(text) for text in texts):
            yield where, f"header {_label(name)}", "credential"
            continue
        for text in texts:
            yield from _of_text(text, f"{where}, {_label(name)}")


def _of_body(body: bytes, where: str) -> Iterator[tuple[str, str, Kind]]:
    value = json_of(body)
    yield from _of_value(body.decode("utf-8", "replace") if value is None else value, where)


def _of_value(value: Any, where: str, depth: int = 0) -> Iterator[tuple[str, str, Kind]]:
    if depth > _DEEPEST:
        yield where, "nested too deeply to be looked at", "format"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _of_text(key, f"{where}, a key")
            if isinstance(item, str) and key != "key" and is_secret_name(key) and _is_secret(item):
                yield f"{where}.{_label(key)}", "a value of that name", "credential"
            else:
                yield from _of_value(item, f"{where}.{_label(key)}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _of_value(item, f"{where}[{index}]", depth + 1)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield from _of_text(str(value), where)


def _of_text(text: str, where: str) -> Iterator[tuple[str, str, Kind]]:
    text = MASKED.sub("", text)
    for what, shape in _SHAPES:
        if shape.search(text):
            yield where, what, "credential"
    for name in dict.fromkeys(finding.name for finding in _DETECT([Text(text)])):
        yield where, name, "credential" if name == "API_KEY" else "personal data"


def _is_secret(value: str) -> bool:
    return value.strip() not in _NO_SECRET and not MASKED.fullmatch(value)


def _label(name: str) -> str:
    """Return the name of a header or key as it may be shown: what could be a value itself is not."""
    plain = re.fullmatch(r"[A-Za-z_$-][\w$-]{0,40}", name, re.ASCII) and not re.search(r"\d{5}", name)
    return name if plain and not any(_of_text(name, "")) else "(a name)"
