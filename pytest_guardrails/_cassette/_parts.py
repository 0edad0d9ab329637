"""What is being recorded: part files, to which every interaction is appended at once, and their fold into a cassette.

A part is JSON Lines, in sections that begin with a metadata line: one for each run that wrote to it. A process that
is killed loses nothing; a line that it did not finish is dropped.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_guardrails._cassette._file import Cassette, json_line, line_of, load, locked, save, suffix_of
from pytest_guardrails._cassette._form import from_dict
from pytest_guardrails._cassette._interaction import Interaction
from pytest_guardrails._cassette._metadata import Metadata
from pytest_guardrails._errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Section:
    """What one run recorded; ``replaces`` if its answers take the place of those that the cassette has."""

    interactions: tuple[Interaction, ...]
    metadata: Metadata
    replaces: bool = False


def part_file(cassette: Path, part: str) -> Path:
    """Return the part file of that name.

    Raises:
        ConfigError: for a name that is more than ASCII letters, digits, ``_`` and ``-``.
    """
    if not _NAME.fullmatch(part):
        raise ConfigError(f"the name of a part is made of letters, digits, _ and -, not {part!r}")
    return cassette.with_name(f"{cassette.name}.{part}.part")


def parts_of(cassette: Path) -> list[Path]:
    """Return the part files that are there, in order of their names."""
    if not cassette.parent.is_dir():
        return []
    shape = re.compile(re.escape(cassette.name) + r"\.[A-Za-z0-9_-]{1,64}\.part")
    return sorted(path for path in cassette.parent.iterdir() if shape.fullmatch(path.name))


def append(part: Path, interaction: Interaction, metadata: Metadata, *, replaces: bool, begin: bool) -> None:
    """Append an interaction; ``begin`` starts a section, as does a file that is not there (any more)."""
    line = line_of(interaction)
    head = json_line({"metadata": {"guardrails": metadata.as_dict(), "replaces": replaces}})
    with locked(part.parent), part.open("ab", buffering=0) as file:
        if begin or file.tell() == 0:
            line = f"\n{head}{line}"  # the line before may be one that was not finished
        file.write(line.encode())


def merge_parts(path: str | os.PathLike[str]) -> int:
    """Fold every part of a cassette into it, delete them, and return how many interactions they had.

    Nothing is lost: a key's answers are those of the cassette, then those of the parts, in order of their names; what
    begins as the other one goes on only counts once. Where a part replaces, the cassette's answers to its keys go.

    Raises:
        ConfigError: where a part is damaged, or is of another kind or mask key than the cassette; parts stay then.
    """
    cassette = Path(path)
    suffix_of(cassette)
    if not parts_of(cassette):
        return 0
    with locked(cassette.parent):
        files = parts_of(cassette)  # as they are under the lock
        sections = [section for file in files for section in read_part(file)]
        if any(section.interactions for section in sections):
            save(cassette, _folded(_present(cassette), sections, cassette))
        for file in files:
            file.unlink()
    return sum(len(section.interactions) for section in sections)


def _present(cassette: Path) -> Cassette | None:
    found = load(cassette) if cassette.exists() else None
    return found if found and found.interactions else None


def read_part(file: Path) -> list[Section]:
    """Return the sections of a part file.

    Raises:
        ConfigError: for a line that is no interaction, unless it is the unfinished last one of a section.
    """
    sections: list[Section] = []
    lines = [(number, line) for number, line in enumerate(file.read_bytes().split(b"\n"), 1) if line.strip()]
    found: list[Interaction] = []
    for index, (number, line) in enumerate(lines):
        data = _data(line)
        if _is_head(data):
            _end(sections, found)
            head = data["metadata"]
            sections.append(Section((), Metadata.of(head["guardrails"]), head.get("replaces") is True))
            continue
        is_last = index + 1 == len(lines) or _is_head(_data(lines[index + 1][1]))
        if data is None and is_last:
            continue
        try:
            found.append(from_dict(data))
        except ValueError as exc:
            raise ConfigError(str(exc), file=str(file), line=number) from None
        if not sections:
            raise ConfigError("a part begins with its metadata", file=str(file), line=number)
    _end(sections, found)
    return sections


def _end(sections: list[Section], found: list[Interaction]) -> None:
    if found:
        sections[-1] = replace(sections[-1], interactions=tuple(found))
        found.clear()


def _data(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_head(data: Any) -> bool:
    head = data.get("metadata") if isinstance(data, dict) else None
    return isinstance(head, dict) and isinstance(head.get("guardrails"), dict)


def _folded(present: Cassette | None, sections: Sequence[Section], file: Path) -> Cassette:
    used = [section for section in sections if section.interactions]
    metadata = present.metadata if present else used[0].metadata
    for section in used:
        refuse_mixing(metadata, section.metadata, file)
    times = [section.metadata.recorded_at for section in used if section.metadata.recorded_at]
    answers = _by_key(present.interactions if present else ())
    replaced: set[str] = set()
    for section in used:
        for key, recorded in _by_key(section.interactions).items():
            kept = [] if section.replaces and key not in replaced else answers.get(key, [])
            answers[key] = _joined(kept, recorded)
            if section.replaces:
                replaced.add(key)
    interactions = tuple(interaction for group in answers.values() for interaction in group)
    metadata = replace(metadata, recorded_at=max(times, default=metadata.recorded_at))
    return Cassette(interactions, metadata, present.foreign if present else None)


def _by_key(interactions: Iterable[Interaction]) -> dict[str, list[Interaction]]:
    out: dict[str, list[Interaction]] = {}
    for interaction in interactions:
        out.setdefault(interaction.key, []).append(interaction)
    return out


def _joined(first: list[Interaction], second: list[Interaction]) -> list[Interaction]:
    """Return both, one after the other; if one begins as the other, the longer: two runs have recorded the same."""
    both = zip(first, second, strict=False)
    if all(a.answer == b.answer for a, b in both):
        return max(first, second, key=len)
    return first + second


def refuse_mixing(present: Metadata, new: Metadata, file: Path) -> None:
    """Refuse to record into a cassette what it does not say it holds.

    Raises:
        ConfigError: where the kind, or the key of masked texts, differs.
    """
    if present.kind != new.kind:
        raise ConfigError(
            f"a {present.kind} cassette: {new.kind} answers would make it a mixture; record into another file, or say "
            f"in the metadata that what is recorded is {present.kind}",
            file=str(file),
        )
    if present.key_id != new.key_id:
        raise ConfigError(
            "the texts of a cassette are all masked under one key or not at all: record into another file, or set "
            "GUARDRAILS_MASK_KEY to the key under which this one was recorded",
            file=str(file),
        )
