"""Cassettes on disk: vcrpy's YAML and JSON, and JSON Lines for large ones; the suffix says which.

What a cassette says of itself stands under a key ``guardrails`` beside vcrpy's ``interactions``: vcrpy and
pytest-recording ignore it there, while pytest-recording 0.14 fails on a file with vcrpy's own key ``metadata``.
In JSON Lines the first line is ``{"metadata": {"guardrails": {...}}}``, and every other one an interaction.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_guardrails._aside import written_aside
from pytest_guardrails._cassette._form import from_dict, to_dict
from pytest_guardrails._cassette._interaction import Interaction
from pytest_guardrails._cassette._metadata import Metadata
from pytest_guardrails._cassette._yaml import load_yaml
from pytest_guardrails._errors import ConfigError, unknown

SUFFIXES = (".json", ".jsonl", ".yaml", ".yml")

_LARGEST = 512 * 2**20
_threads = threading.Lock()


@dataclass(frozen=True, slots=True)
class Cassette:
    """Interactions in order of recording, and what the file says of itself.

    Without metadata of ours it is one of vcrpy's: recorded, from where nobody knows. ``foreign`` is vcrpy's own
    metadata, kept as it came.
    """

    interactions: tuple[Interaction, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    foreign: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """A cassette as its format has it: each interaction with its line (None in JSON), not yet checked."""

    interactions: tuple[tuple[int | None, Any], ...]
    guardrails: Any = None
    foreign: Any = None


def suffix_of(path: Path) -> str:
    """Return the suffix that says the format.

    Raises:
        ConfigError: for any other.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(unknown("suffix of a cassette", path.suffix, SUFFIXES), file=str(path))
    return suffix


def load(path: str | os.PathLike[str]) -> Cassette:
    """Read a cassette, ours or vcrpy's; an empty file is one without interactions, as for vcrpy.

    Raises:
        ConfigError: with file and, where known, line.
        OSError: where the file cannot be read.
    """
    file = Path(path)
    raw = read_raw(file)
    interactions = tuple([_interaction(data, file, line) for line, data in raw.interactions])
    return Cassette(interactions, metadata_of(raw, file), raw.foreign)


def metadata_of(raw: Raw, file: Path) -> Metadata:
    """Return what a cassette says of itself.

    Raises:
        ConfigError: with the file.
    """
    if raw.guardrails is None:
        return Metadata()
    if not isinstance(raw.guardrails, Mapping):
        raise ConfigError("guardrails of a cassette is a mapping", file=str(file))
    try:
        return Metadata.of(raw.guardrails)
    except ConfigError as exc:
        raise ConfigError(exc.message, file=str(file)) from None


def _interaction(data: Any, file: Path, line: int | None) -> Interaction:
    try:
        return from_dict(data)
    except ValueError as exc:
        raise ConfigError(str(exc), file=str(file), line=line) from None


def read_raw(file: Path) -> Raw:
    """Read a cassette's format, without looking into its interactions.

    Raises:
        ConfigError: for a file that is not of the format that its suffix says.
    """
    suffix = suffix_of(file)
    text = _text(file)
    if not text.strip():
        return Raw(())
    if suffix == ".jsonl":
        return _lines(text, file)
    data, lines = (parse_json(text, file), {}) if suffix == ".json" else load_yaml(text, str(file))
    interactions = data.get("interactions") if isinstance(data, dict) else None
    if not isinstance(interactions, list):
        raise ConfigError("no cassette: a mapping with a list of interactions is one", file=str(file))
    foreign = data.get("metadata") or None
    if not isinstance(foreign, dict | None):
        raise ConfigError("metadata is a mapping", file=str(file))
    placed = tuple([(lines.get(id(item)), item) for item in interactions])
    return Raw(placed, data.get("guardrails"), foreign)


def _text(file: Path) -> str:
    if file.stat().st_size > _LARGEST:
        raise ConfigError(f"larger than {_LARGEST // 2**20} MiB", file=str(file))
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8", file=str(file)) from None


def parse_json(text: str, file: Path, line: int | None = None) -> Any:
    """Return the value of a JSON text, in which no key comes twice.

    Raises:
        ConfigError: with the place; ``line`` is that of the text, if it is one line of a file.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as exc:
        raise ConfigError(f"not JSON: {exc.msg}", file=str(file), line=line or exc.lineno, column=exc.colno) from None
    except ConfigError as exc:
        raise ConfigError(exc.message, file=str(file), line=line) from None
    except RecursionError:
        raise ConfigError("nested too deeply", file=str(file), line=line) from None
    except ValueError:
        raise ConfigError("not JSON: an endless number", file=str(file), line=line) from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"key {twice[:40]!r} is there twice")
    return out


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)


def _lines(text: str, file: Path) -> Raw:
    found: list[tuple[int, Any]] = []
    guardrails = foreign = None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        data = parse_json(line, file, number)
        if isinstance(data, dict) and "metadata" in data and "request" not in data:
            if found or guardrails is not None:
                raise ConfigError("metadata stands in the first line alone", file=str(file), line=number)
            foreign = data["metadata"]
            if not isinstance(foreign, dict):
                raise ConfigError("metadata is a mapping", file=str(file), line=number)
            guardrails = foreign.pop("guardrails", None)
            continue
        found.append((number, data))
    return Raw(tuple(found), guardrails, foreign or None)


def save(path: str | os.PathLike[str], cassette: Cassette) -> None:
    """Write a cassette: aside first, then in one step; JSON Lines sorted by key, so that differences stay small.

    Raises:
        ConfigError: for an unknown suffix.
    """
    file = Path(path)
    text = dumped(cassette, suffix_of(file))
    with written_aside(file) as aside:
        aside.write(text.encode())


def dumped(cassette: Cassette, suffix: str) -> str:
    """Return the text of a cassette in the format of ``suffix``."""
    if suffix == ".jsonl":
        return _dumped_lines(cassette)
    from vcr.serialize import serialize
    from vcr.serializers import jsonserializer, yamlserializer

    is_json = suffix == ".json"
    form = _Beside(jsonserializer if is_json else yamlserializer, cassette.metadata.as_dict())
    parts = [to_dict(interaction, binary=not is_json) for interaction in cassette.interactions]
    content = {
        "requests": [_AsIs(part["request"]) for part in parts],
        "responses": [part["response"] for part in parts],
        "metadata": cassette.foreign,
    }
    return str(serialize(content, form))


def _dumped_lines(cassette: Cassette) -> str:
    metadata = {**(cassette.foreign or {}), "guardrails": cassette.metadata.as_dict()}
    ordered = sorted(cassette.interactions, key=lambda interaction: interaction.key)
    return json_line({"metadata": metadata}) + "".join(line_of(interaction) for interaction in ordered)


def line_of(interaction: Interaction) -> str:
    """Return an interaction as one line of JSON Lines."""
    return json_line(to_dict(interaction, binary=False))


def json_line(data: Mapping[str, Any]) -> str:
    """Return one line of JSON with its end; nothing in it can be taken for another line end."""
    return json.dumps(data, separators=(",", ":")) + "\n"


class _AsIs:
    """A request that vcrpy's serialiser takes for one of its own: those would read header values anew."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def _to_dict(self) -> dict[str, Any]:
        return self._data


class _Beside:
    """One of vcrpy's serialisers, which writes our metadata beside the interactions."""

    def __init__(self, serializer: Any, guardrails: dict[str, Any]) -> None:
        self._serializer = serializer
        self._guardrails = guardrails

    def serialize(self, data: dict[str, Any]) -> Any:
        return self._serializer.serialize({"guardrails": self._guardrails, **data})


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock against every thread and, where the system has ``flock``, every process."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows: threads alone
        with _threads:
            yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
