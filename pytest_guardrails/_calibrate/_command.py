"""``pytest-guardrails calibrate``: a run's false positives, and the smallest change that would end them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_guardrails
from pytest_guardrails import _cases, _config
from pytest_guardrails._calibrate._propose import Calibration, Change, Item, calibrate
from pytest_guardrails._corpus import CorpusSpec, read_specs
from pytest_guardrails._corpus import read as read_corpus
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._mask import shape
from pytest_guardrails._model import Request
from pytest_guardrails._population import ANSWER
from pytest_guardrails._stats import Rate, counted
from pytest_guardrails.reporters.terminal import plain

MOST_NAMED = 10
MOST_COLUMNS = 2_000


@dataclass(frozen=True, slots=True)
class _Left:
    """How many records of a report are not judged again: their inputs are in Python, or another guard judged them."""

    in_python: int
    of_others: int


def run_calibrate(arguments: argparse.Namespace) -> int:
    """Print what would end the false positives of a report; the exit status is 0, or 2 where it cannot be read."""
    try:
        report = _report(Path(arguments.report))
        configuration = _config.load(arguments.config)
        items, left = _items(report, Path(arguments.root), configuration.version.config_hash)
        for line in _doubts(report, configuration, left):
            print(plain(line, MOST_COLUMNS), file=sys.stderr)
        if not items:
            raise ConfigError("none of the report's inputs is in a case file that is here: --root names their folder")
        found = calibrate(configuration.guardrails, items)
    except (ConfigError, OSError) as exc:
        print(plain(str(exc), MOST_COLUMNS), file=sys.stderr)
        return 2
    except (KeyError, TypeError, AttributeError):
        print(f"{arguments.report}: it is no whole report.json of this plugin", file=sys.stderr)
        return 2
    for line in described(found, revealed=arguments.reveal):
        print(plain(line, MOST_COLUMNS))
    return 0


def _report(path: Path) -> Mapping[str, Any]:
    path = path / "report.json" if path.is_dir() else path
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        said = "there is no such file: give the report.json of a run, as pytest --guardrails-report=json:FILE writes it"
        raise ConfigError(said, file=str(path)) from None
    except OSError as exc:
        raise ConfigError(f"cannot read the report: {exc.strerror}", file=str(path)) from None
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"it is no report: {exc}", file=str(path)) from None
    schema = report.get("schema") if isinstance(report, dict) else None
    if not str(schema).startswith("pytest-guardrails/report/"):
        raise ConfigError(f"it is no report.json of this plugin: its schema is {schema!r}", file=str(path))
    return dict(report)


def _items(report: Mapping[str, Any], root: Path, own: str) -> tuple[list[Item], _Left]:
    """Return the inputs in case files and their corpora that the guard ``own`` judged, and what is left."""
    records = [*report.get("cases", []), *report.get("corpora", [])]
    files = {record["file"] for record in records if str(record.get("file")).endswith(_cases.SUFFIXES)}
    of_others = _of_other_guards(report, records, own)
    found: list[Item] = []
    read: set[str] = set()
    for file in sorted(files):
        path = next((place for place in _places(file, root) if place.is_file()), None)
        if path is not None:
            suite = _cases.load(path, file)
            read |= {f"{file}::{case.id}" for case in suite.cases}
            found += [
                Item(f"{file}::{case.id}", case.request, case.truth, case.response)
                for case in suite.cases
                if case.fault is None and case.skip is None and f"{file}::{case.id}" not in of_others
            ]
            if suite.corpora is not None:
                for spec in read_specs(suite.corpora, path.parent):
                    nodeid = f"{file}::corpus {spec.name}"
                    read.add(nodeid)
                    found += () if nodeid in of_others else _samples(spec, file)
    unread = sum(record["nodeid"] not in read for record in records if not record.get("shadow"))
    return found, _Left(unread, len(of_others & read))


def _of_other_guards(report: Mapping[str, Any], records: Iterable[Mapping[str, Any]], own: str) -> set[str]:
    """Return the node ids of what another guard judged, where the report has this one at all."""
    keys = {guard["key"] for guard in report.get("guards", []) if guard["version"]["config_hash"] == own}
    mine = {record["nodeid"] for record in records if record.get("guard") in keys}
    return {record["nodeid"] for record in records} - mine if keys else set()


def _samples(spec: CorpusSpec, file: str) -> Iterator[Item]:
    """Yield the rows of a corpus that is a file; drawn samples are nobody's text, and no reason to allow one."""
    if spec.path is not None:
        rows = read_corpus(spec.path, spec.source, label=spec.label, columns=dict(spec.columns), limit=spec.limit)
        for sample in rows:
            yield Item(
                f"{file}::{spec.name}:{sample.id}", Request.of(sample.text), sample.label, (ANSWER,)
            )  # as in the run


def _places(file: str, root: Path) -> Iterator[Path]:
    yield root / file
    yield Path(pytest_guardrails.__file__).parent.parent / file  # a pack


def _doubts(report: Mapping[str, Any], configuration: _config.Configuration, left: _Left) -> Iterator[str]:
    """Say what makes the proposals speak of something else than the report."""
    hashes = {guard["version"]["config_hash"] for guard in report.get("guards", [])}
    own = configuration.version.config_hash
    if hashes and own not in hashes:
        yield f"note: the report is of guard version {', '.join(sorted(hashes))}, and {configuration.source} is {own}"
    if left.of_others:
        yield f"note: {counted(left.of_others, 'record')} of cases or corpora that another guard judged: left out"
    if left.in_python:
        tests = "1 test has its" if left.in_python == 1 else f"{left.in_python} tests have their"
        yield f"note: {tests} inputs in Python, not judged again"


def described(found: Calibration, *, revealed: bool) -> Iterator[str]:
    """Yield the lines of the proposal; texts of entries and ids of cases alone, the texts masked unless revealed."""
    before, after = found.before, found.after
    if not before.false_positive:
        yield f"no false positive: {_of(before.fpr)} benign inputs were acted on, and nothing needs to change"
        return
    yield f"false positives {_of(before.fpr)} -> {_of(after.fpr)}; recall {_of(before.recall)} -> {_of(after.recall)}"
    for number, proposal in enumerate(found.proposals, 1):
        change = proposal.change
        yield ""
        yield f"{number}. {_what(change)} of {change.check} in {change.guardrail} ({change.phase.partition('_')[0]})"
        yield from _snippet(change, revealed=revealed)
        yield f"   ends {len(proposal.ends)}: {_named(proposal.ends)}"
        cost = (
            f"misses {counted(len(proposal.misses), 'attack')}: {_named(proposal.misses)}"
            if proposal.misses
            else "costs no recall"
        )
        yield f"   {cost}"
        if change.entries and not change.is_pattern and change.check != "pii_redact":
            yield "   whoever attacks can write these words as well: no attack here rests on them, another may"
    if found.left:
        yield ""
        yield f"nothing here ends {len(found.left)}: {_named(found.left)}"
    if found.proposals and not revealed:
        yield ""
        yield "entries are masked: --reveal prints them"
    yield "nothing was changed: it is yours to decide"


def _what(change: Change) -> str:
    if change.threshold is not None:
        return "the threshold"
    return "a pattern on the allowlist" if change.is_pattern else "the allowlist"


def _snippet(change: Change, *, revealed: bool) -> Iterator[str]:
    """Yield YAML to paste under the check."""
    if change.threshold is not None:
        yield f"   threshold: {change.threshold:g}"
        return
    yield "   allowlist:"
    for entry in change.entries:
        shown = entry if revealed or change.is_pattern else shape(entry)
        quoted = json.dumps(shown, ensure_ascii=not shown.isprintable())  # JSON's strings are YAML's
        yield f"     - {{pattern: {quoted}}}" if change.is_pattern else f"     - {quoted}"


def _of(rate: Rate) -> str:
    return f"{rate.hits} of {rate.total}"


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    rest = len(listed) - MOST_NAMED
    return ", ".join(listed[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
