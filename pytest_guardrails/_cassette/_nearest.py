"""What to say where nothing recorded answers a request: how to record it, and the nearest request that there is."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from pytest_guardrails._cassette._interaction import Interaction, canonical_json, header, json_of
from pytest_guardrails._cassette._masking import mapped

Show = Callable[[str], str]

_MOST_CANDIDATES = 200
_MOST_COMPARED = 5
_LONGEST = 2_000  # characters of a body that are compared
_MOST_LINES = 60
_LONGEST_LINE = 200


def headline(request: Interaction, cassette: Path, mode: str, *, exists: bool) -> str:
    """Return what is missing, where, and how to record it."""
    where = f"cassette {cassette}" if exists else f"cassette {cassette}, which does not exist,"
    path = _path(request)
    how = f"record it with --guardrails-record={'new' if exists else 'once'}"
    return f"no recording answers {request.method} {path}: {where} has none (mode {mode}); {how}"


def nearest(request: Interaction, recorded: Iterable[Interaction], show: Show) -> str:
    """Return the difference to the most similar request to the same URL, texts through ``show``; bounded work."""
    everything = list(recorded)
    if not everything:
        return "The cassette is empty."
    place = request.method.upper(), _path(request)
    candidates = [item for item in everything if (item.method.upper(), _path(item)) == place]
    if not candidates:
        counted = Counter(f"{item.method} {_path(item)}" for item in everything).most_common(5)
        return "It has recordings of " + ", ".join(f"{name} ({count})" for name, count in counted) + "."
    found = _most_similar(request, candidates)
    lines = _difference(found, request, show)
    return "\n".join(["The nearest recorded request (-) and this one (+):", *lines])


def canonical(request: Interaction) -> str:
    """Return the body as it counts: canonical JSON, else the text."""
    body = canonical_json(request.request_body, header(request.request_headers, "content-type"))
    return request.request_body.decode("utf-8", "backslashreplace") if body is None else body


def _path(request: Interaction) -> str:
    return urlsplit(request.url).path or "/"


def _most_similar(request: Interaction, candidates: list[Interaction]) -> Interaction:
    length = len(request.request_body)
    closest = sorted(candidates, key=lambda item: abs(len(item.request_body) - length))[:_MOST_CANDIDATES]
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(canonical(request)[:_LONGEST])
    rough = []
    for index, item in enumerate(closest):
        matcher.set_seq1(canonical(item)[:_LONGEST])
        rough.append((-matcher.quick_ratio(), index))
    best = [closest[index] for _, index in sorted(rough)[:_MOST_COMPARED]]
    words = canonical(request)[:_LONGEST].split()
    return max(best, key=lambda item: difflib.SequenceMatcher(None, canonical(item)[:_LONGEST].split(), words).ratio())


def _difference(recorded: Interaction, request: Interaction, show: Show) -> list[str]:
    before, after = _shown(recorded, show), _shown(request, show)
    lines = list(difflib.unified_diff(before[:2_000], after[:2_000], lineterm="", n=2))[2:]
    cut = [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in lines]
    if len(cut) > _MOST_LINES:
        return [*cut[:_MOST_LINES], f"… and {len(cut) - _MOST_LINES} more lines"]
    return cut or ["the texts differ, and look alike as they are shown here"]


def _shown(request: Interaction, show: Show) -> list[str]:
    host = urlsplit(request.url)
    body = canonical(request)
    value = json_of(body.encode("utf-8", "surrogatepass"))
    try:
        pretty = show(body) if value is None else json.dumps(mapped(value, show), indent=2, ensure_ascii=False)
    except RecursionError:
        pretty = show(body)
    return [f"{request.method} {host.scheme}://{host.netloc}{host.path}", *pretty.splitlines()]
