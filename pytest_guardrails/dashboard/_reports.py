"""The reports of runs beside a history: which run each belongs to, where it is linked, and what flipped between two."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pytest_guardrails._codec import decode
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history import Past, compare
from pytest_guardrails._history._command import side
from pytest_guardrails._history._side import Side
from pytest_guardrails._model import Comparison, GuardVersion
from pytest_guardrails.dashboard._series import CASES, GuardHistory, around, slug
from pytest_guardrails.reporters.json import SCHEMA

MOST_COPIED = 200
MOST_COPIED_BYTES = 200 * 1024 * 1024
MOST_READ_BYTES = 64 * 1024 * 1024
MOST_COMPARED = 12  # changes of version whose reports are read: the newest ones
_HEAD_BYTES = 256 * 1024

Key = tuple[str, str, str]  # when a run began, the guard's configuration, its version


@dataclass(frozen=True, slots=True)
class Report:
    """A report.json, its name in its folder, the runs that it tells of, and whether it may not be published."""

    path: Path
    name: str
    keys: tuple[Key, ...]
    revealed: bool

    @property
    def page(self) -> Path:
        """The HTML page beside it, else itself."""
        beside = (
            self.path.with_name("index.html") if self.path.name == "report.json" else self.path.with_suffix(".html")
        )
        return beside if beside.is_file() else self.path


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports by run; ``links`` are places in the site, ``copies`` what must be copied there."""

    by_key: Mapping[Key, Report]
    links: Mapping[Path, str]
    copies: Mapping[str, Path]
    problems: tuple[str, ...] = ()

    def of(self, past: Past) -> Report | None:
        """Return the report of a run."""
        return self.by_key.get((past.time, past.guard, past.version))

    def link(self, past: Past) -> str | None:
        """Return where the site has the report of a run."""
        report = self.of(past)
        return None if report is None else self.links.get(report.path)


NONE = Reports({}, {}, {})


def read_reports(folder: Path, site: Path | None) -> Reports:
    """Return the reports ``*.json`` and ``*/report.json`` of a folder.

    Those inside ``site`` are linked where they are, others are copied, newest first. One that reveals texts is neither.

    Raises:
        ConfigError: where the folder cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError("there is no such folder of reports", file=str(folder))
    found, problems = [], []
    for path in sorted({*folder.glob("*.json"), *folder.glob("*/report.json")}):
        try:
            found.append(_read_head(path, path.relative_to(folder).as_posix()))
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as exc:
            problems.append(
                f"{path.relative_to(folder).as_posix()}: no report of a run: {type(exc).__name__}: {str(exc)[:80]}"
            )
    found.sort(key=lambda report: report.keys[:1], reverse=True)
    secret = [report.name for report in found if report.revealed]
    problems += [f"{name}: not linked, since it reveals texts" for name in secret]
    links, copies = _placed([report for report in found if not report.revealed], site)
    if left := len(found) - len(secret) - len(links):
        problems.append(f"{left:,} older reports are not linked: the site copies {MOST_COPIED:,} at most")
    return Reports({key: report for report in reversed(found) for key in report.keys}, links, copies, tuple(problems))


def _placed(reports: Iterable[Report], site: Path | None) -> tuple[dict[Path, str], dict[str, Path]]:
    links: dict[Path, str] = {}
    copies: dict[str, Path] = {}
    size = 0
    for report in reports:
        page = report.page
        if site is not None and page.resolve().is_relative_to(site.resolve()):
            links[report.path] = quote(page.resolve().relative_to(site.resolve()).as_posix())
            continue
        size += page.stat().st_size
        if len(copies) < MOST_COPIED and size <= MOST_COPIED_BYTES:
            place = f"runs/{slug(report.name)}{page.suffix}"
            links[report.path], copies[place] = place, page
    return links, copies


def _read_head(path: Path, name: str) -> Report:
    """Read what a report says of its run, without its cases where that can be told apart."""
    with path.open("rb") as file:
        text = file.read(_HEAD_BYTES).decode("utf-8", "replace")
    try:
        schema, end = _value(text, "schema", 0)
        run, end = _value(text, "run", end)
        guards, _ = _value(text, "guards", end)
    except ValueError:  # not as we write it
        if path.stat().st_size > MOST_READ_BYTES:
            raise
        data = json.loads(path.read_bytes())
        schema, run, guards = data["schema"], data["run"], data["guards"]
    if schema != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    versions = [(guard["config"], decode(GuardVersion, guard["version"])) for guard in guards]
    keys = tuple((str(run["started"]), str(config), str(version)) for config, version in versions)
    return Report(path, name, keys, run["revealed"] is not False)


def _value(text: str, key: str, start: int) -> tuple[Any, int]:
    """Return the value after the first ``"key": `` from ``start`` on, and where it ends."""
    place = text.index(f'"{key}": ', start) + len(key) + 4
    return json.JSONDecoder().raw_decode(text, place)


@dataclass(frozen=True, slots=True)
class Change:
    """What flipped where another version began, at run ``index``; ``against`` says what was compared with what.

    ``of_versions`` is False where a baseline of some other version was compared, not the version before.
    """

    index: int
    against: str
    comparison: Comparison
    of_versions: bool = True


def changes(guard: GuardHistory, reports: Reports) -> tuple[list[Change], list[str]]:
    """Return what flipped at the newest changes of version whose reports are there, and which could not be read."""
    found: list[Change] = []
    problems: list[str] = []
    for index in reversed(guard.changes if reports.by_key else ()):
        if len(found) + len(problems) >= MOST_COMPARED:
            break
        before, after = _around(guard, index, reports)
        if after is None:
            continue
        try:
            change = _change(guard, index, before, after)
        except (ConfigError, OSError, ValueError, TypeError, KeyError, RecursionError, AttributeError) as exc:
            problems.append(f"{after.name}: its flips cannot be told: {type(exc).__name__}: {str(exc)[:80]}")
            continue
        if change is not None:
            found.append(change)
    return found, problems


def _around(guard: GuardHistory, index: int, reports: Reports) -> tuple[Report | None, Report | None]:
    """Return the last report of the version before a change, and the first one of the version after it."""
    before, after = ((reports.of(guard.pasts[i]) for i in places) for places in around(guard, index))
    return next(filter(None, before), None), next(filter(None, after), None)


def _change(guard: GuardHistory, index: int, before: Report | None, after: Report) -> Change | None:
    """Return the comparison that knows most: a run's own where that has the samples of the same two versions."""
    compared = None if before is None else compare(_side(before, guard.name), _side(after, guard.name))
    own = _own(after, guard.name)
    if own is not None:
        older = own.before.partition(": ")[2] or own.before
        same = f"{guard.name} {guard.pasts[index - 1].version}" in older.split("; ")
        samples = any(one.population != CASES for one in own.populations)
        if compared is None or (same and samples):
            return Change(index, f"against its baseline ({older})", own, same)
    if before is None or compared is None:
        return None
    return Change(index, f"{before.name} against {after.name}, cases alone", compared)


def _side(report: Report, guard: str) -> Side:
    """Return what a report says of one guard."""
    _refuse_large(report)
    whole = side(str(report.path))
    own = [entry for entry in whole.entries if entry.guard == guard]
    return replace(whole, entries=own, guards={name: line for name, line in whole.guards.items() if name == guard})


def _own(report: Report, guard: str) -> Comparison | None:
    """Return what a run itself compared of one guard: unlike reports, a baseline has the samples of corpora too."""
    _refuse_large(report)
    data = json.loads(report.path.read_bytes()).get("comparison")
    if data is None:
        return None
    found = decode(Comparison, data)
    populations = tuple(one for one in found.populations if one.guard == guard)
    pairs = sum(one.pairs for one in populations)
    flips = found.flips if len(populations) == len(found.populations) else ()  # they do not name their guard
    return replace(found, populations=populations, pairs=pairs, flips=flips)


def _refuse_large(report: Report) -> None:
    if report.path.stat().st_size > MOST_READ_BYTES:
        raise ValueError("it is too large to be read for a picture")
