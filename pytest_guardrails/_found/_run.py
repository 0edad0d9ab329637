"""What generated tests found in a run: shown where they fail, and saved where the run ends."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._cases import SUFFIXES
from pytest_guardrails._codec import decode, encode
from pytest_guardrails._document import Node, from_data, parse_yaml
from pytest_guardrails._dump import flow
from pytest_guardrails._engines import Engines
from pytest_guardrails._errors import ConfigError, VerdictMismatch
from pytest_guardrails._found._case import as_labelled, contradicts, found, opposite, pasted
from pytest_guardrails._found._file import append, write
from pytest_guardrails._model import Case, Guardrail, Sample, Trace
from pytest_guardrails._records import shown_path

OPTION = "--guardrails-save-failures"
_TITLE = "a guardrail case, ready to paste"
_GUESSED = (
    "# This test does not say what it expects (@expect_verdict), so that this is a guess, and is not saved:\n"
    "# the last run of the guard before the failure, with the opposite of what came.\n"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One run of the guard in a generated test: what was expected, what came, and what the model answered."""

    case: Case
    trace: Trace
    answer: Any = None
    sample: Sample | None = None
    guardrails: tuple[Guardrail, ...] = ()


_found_key = pytest.StashKey[list[Case]]()
_texts_key = pytest.StashKey[list[str]]()


class FoundCases:
    """The cases that generated tests found: noticed and shown in each process, saved by the one that ends the run."""

    def __init__(self, config: pytest.Config, engines: Engines) -> None:
        self._config = config
        self._engines = engines
        self._asked = config.getoption("guardrails_save_failures")
        self._gathered: list[tuple[Path, Any, Case]] = []

    def refuse_bad_option(self) -> None:
        """Refuse a file that pytest would not collect.

        Raises:
            ConfigError: for a name without the suffix of case files, or a folder.
        """
        if self._asked and (not self._asked.endswith(SUFFIXES) or self._path(Path()).is_dir()):
            raise ConfigError(f"{OPTION}={self._asked}: a case file ends with {' or '.join(SUFFIXES)}")

    def _path(self, beside: Path) -> Path:
        return self._config.invocation_params.dir / self._asked if self._asked else beside

    # In each process

    def notice(self, item: pytest.Item, exc: BaseException, last: Judged | None) -> None:
        """Keep what a failed generated test found, and tell it with a mismatch where that stands alone."""
        name = getattr(item, "originalname", None) or item.name.partition("[")[0]
        place = f"{shown_path(item.path, self._config.rootpath)}::{name}"
        cases, texts = [], []
        for judged, is_certain in _judged(exc, last):
            try:
                case = found(judged.case, judged.trace, judged.answer, test=name, place=place)
            except ConfigError as why:
                texts.append(f"# no case: {why}")
                continue
            text = pasted(case)
            texts.append(text if is_certain else _GUESSED + text)
            if is_certain and not text.startswith("#"):
                cases.append(case)
        if isinstance(exc, VerdictMismatch) and texts:
            exc.add_note("\n".join([f"{_TITLE} (generated texts are shown as they are):", *texts]))
        else:
            item.stash[_texts_key] = texts
        item.stash[_found_key] = cases

    def attach(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Show what was noticed under a failure, and put it onto the report for whoever saves it."""
        if report.when != "call":
            return
        report.sections += [(_TITLE, text) for text in item.stash.get(_texts_key, ())]
        cases = item.stash.get(_found_key, [])
        if cases and report.failed and self._asked is not None:
            root = self._config.rootpath
            stem = f"{item.path.stem}.found" if item.path.is_relative_to(root) else "found"
            folder = item.path.parent if item.path.is_relative_to(root) else root
            report.guardrails_found = {  # type: ignore[attr-defined]  # reports carry what plugins give them
                "beside": str(folder / f"{stem}{SUFFIXES[0]}"),
                "config": self._configuration(item),
                "cases": [encode(case) for case in cases],
            }

    def _configuration(self, item: pytest.Item) -> Any:
        """Return what a test is judged on: a path, a mapping, or None where that is an engine made in Python."""
        request = getattr(item, "_request", None)
        config = self._engines.overriding() or (request and request.getfixturevalue("guardrails_config"))
        if isinstance(config, str | Path):
            return str(self._config.rootpath / config)
        return from_data(config).data() if isinstance(config, Mapping) else None

    # Where the run ends

    def gather(self, riding: Mapping[str, Any]) -> None:
        """Keep what rode on a report."""
        path = self._path(Path(riding["beside"]))
        self._gathered += [(path, riding["config"], decode(Case, case)) for case in riding["cases"]]

    def finish(self) -> list[str]:
        """Save what was gathered; return what to say, a line per file and configuration."""
        groups: dict[tuple[Path, str], tuple[Any, list[Case]]] = {}
        for path, config, case in sorted(self._gathered, key=lambda one: (str(one[0]), one[2].id)):
            groups.setdefault((path, repr(config)), (config, []))[1].append(case)
        return [self._saved(path, config, cases) for (path, _), (config, cases) in groups.items()]

    def _saved(self, path: Path, config: Any, cases: list[Case]) -> str:
        cwd = self._config.invocation_params.dir
        shown = path.relative_to(cwd).as_posix() if path.is_relative_to(cwd) else os.path.relpath(path, cwd)
        try:
            text = path.read_bytes().decode() if path.exists() else self._head(path, config)
            self._refuse_other_guard(parse_yaml(text, shown), path, config)
            text, new = append(text, cases, shown)
            if new:
                write(path, text)
        except (ConfigError, OSError, UnicodeDecodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else exc  # its own text has the path of the machine
            return f"NOT SAVED  {why if isinstance(exc, ConfigError) else f'{shown}: {why}'}"
        said = f"{len(new)} new case{'' if len(new) == 1 else 's'} in" if new else "no new case:"
        return f"saved      {said} {shown}" + ("" if new else " has them")

    def _head(self, path: Path, config: Any) -> str:
        """Return how a new file begins: with the configuration that its cases were found on, if the ini has another."""
        first = f"# Generated texts on which a guard was wrong, saved by {OPTION}.\n"
        default = self._engines.of_ini()
        if default is not None and (self._engines.overriding() or config is None or _is_same(config, default)):
            return first
        if config is None:
            return f"{first}# They were found on an engine made in Python: run them with --guardrails-config=PATH.\n"
        named = os.path.relpath(config, path.parent) if isinstance(config, str) else config
        return f"{first}guardrails: {flow(Path(named).as_posix() if isinstance(named, str) else named)}\n"

    def _refuse_other_guard(self, root: Node, path: Path, config: Any) -> None:
        """Raise an error where the file tests another configuration than the one that its new cases were found on."""
        if self._engines.overriding() is not None or config is None:
            return
        named = root.value.get("guardrails") if isinstance(root.value, dict) else None
        if named is None:
            tested: Any = self._engines.of_ini()
        else:
            tested = path.parent / named.value if isinstance(named.value, str) else named.data()
        if not _is_same(config, tested):
            root.fail("this file tests another configuration than the one that the new cases were found on")


def _is_same(config: Any, other: Any) -> bool:
    if isinstance(config, str) and isinstance(other, Path):
        return Path(config).resolve() == other.resolve()
    return bool(config == other)


def _judged(exc: BaseException, last: Judged | None) -> Iterator[tuple[Judged, bool]]:
    """Yield the runs that failed a test, and if it is certain that they were to end as the case says."""
    mismatches = list(_mismatches(exc))
    yield from ((mismatch.judged, True) for mismatch in mismatches)
    if mismatches or last is None or not isinstance(exc, AssertionError | pytest.fail.Exception):
        return
    if last.sample is None:
        yield replace(last, case=opposite(last.case, last.trace)), False
    elif contradicts(last.sample, last.trace):
        labelled = as_labelled(last.case, last.sample, last.trace, last.guardrails)
        yield replace(last, case=labelled), True


def _mismatches(exc: BaseException) -> Iterator[VerdictMismatch]:
    """Yield the mismatches that a session judged: the exception itself, or those of a group."""
    if isinstance(exc, BaseExceptionGroup):
        for inner in exc.exceptions:
            yield from _mismatches(inner)
    elif isinstance(exc, VerdictMismatch) and exc.judged is not None:
        yield exc
