"""What a run is compared with, and what is kept of it for the next: the options of versions, at the end of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history import (
    Database,
    Side,
    Store,
    check,
    commit_of,
    compare,
    compare_pairs,
    keep,
    pasts,
    read_side,
    shadow_latency,
    shadow_pairs,
    side_of,
    store_of,
    twice,
    update,
)
from pytest_guardrails._model import CaseStatus, Comparison, Ruling, Run
from pytest_guardrails.reporters import is_untrusted

FOLDER = ".guardrails"
BASELINE, HISTORY = f"{FOLDER}/baseline.jsonl", f"{FOLDER}/history.jsonl"
THIS_RUN = "this run"


class Versions:
    """The baseline and the history of one run; only the process that ends the run has them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.notes: list[str] = []  # what to say at the end
        self.refused: str | None = None  # why xdist's workers ran nothing

    @property
    def updates(self) -> bool:
        """True if the run becomes the baseline."""
        return bool(self._config.getoption("guardrails_update_baseline"))

    def _path(self, option: str, default: str) -> Path:
        given = self._config.getoption(option)
        return self._config.invocation_params.dir / given if given else self._config.rootpath / default

    def _shown(self, path: Path) -> str:
        root = self._config.rootpath
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name

    def _baseline(self) -> Path | None:
        asked = self._config.getoption("guardrails_baseline") is not None or self.updates
        return self._path("guardrails_baseline", BASELINE) if asked else None

    def _history(self) -> Store | None:
        given = self._config.getoption("guardrails_history")
        if given is None:
            return None
        return store_of(given, self._config.invocation_params.dir) if given else self._config.rootpath / HISTORY

    def refuse_bad_options(self) -> None:
        """Read the whole baseline once and open a history's database, before a long run that would end with it.

        Raises:
            ConfigError: where it is not there, or cannot be meant.
        """
        if hasattr(self._config, "workerinput"):
            return
        if isinstance(history := self._history(), Database):
            history.prepare()
        path = self._baseline()
        if path is None:
            return
        if path.exists():
            check(path, self._shown(path))
        elif not self.updates:
            raise ConfigError(
                f"there is no baseline {self._shown(path)} to compare with: "
                "make one with pytest --guardrails-update-baseline"
            )

    def end(self, run: Run, *, deselected: int) -> Run:
        """Return the run with its comparisons and what follows for its exit status; write baseline and history."""
        status = run.exit_status
        if self.refused is not None:
            self.notes.append(f"NOT RUN    {self.refused}")
            return replace(run, complete=False, exit_status=int(pytest.ExitCode.USAGE_ERROR))
        try:
            run = replace(run, comparison=self._comparison(run), shadow=shadow_of(run))
        except ConfigError as exc:  # the file has changed since the run began
            self.notes.append(f"NO BASELINE {exc}")
            status, run = status or int(pytest.ExitCode.USAGE_ERROR), replace(run, gates_alone=False)
        if run.comparison is not None and run.comparison.failed:
            status, run = status or int(pytest.ExitCode.TESTS_FAILED), replace(run, gates_alone=False)
        run = replace(run, exit_status=status)
        if all([self._keep_baseline(run, deselected), self._keep_history(run)]):
            return run
        return replace(run, exit_status=status or int(pytest.ExitCode.USAGE_ERROR), gates_alone=False)

    def _comparison(self, run: Run) -> Comparison | None:
        path = self._baseline()
        if path is None or not path.exists():
            return None
        _refuse_twins(run)
        made = compare(read_side(path, self._shown(path)), side_of(run, THIS_RUN))
        if not self.updates:
            return made
        return replace(made, rulings=tuple(map(_accepted, made.rulings)))

    def _keep_baseline(self, run: Run, deselected: int) -> bool:
        """Write the run into its baseline, where it is asked to; return False where that could not be done."""
        if not self.updates:
            return True
        path = self._path("guardrails_baseline", BASELINE)
        ids = [*(record.nodeid for record in run.records), *(corpus.nodeid for corpus in run.corpora)]
        ran = {nodeid.partition("::")[0] for nodeid in ids}
        partial = deselected or self._config.getoption("lf", False) or any("::" in arg for arg in self._config.args)

        def gone(file: str) -> bool:
            """True if every case of a file would have run: it was collected whole, or is deleted."""
            return bool(file) and not partial and (file in ran or self._is_deleted(file))

        # a file that is named and not there yet is this run's own, as of a shard, which may have no case
        is_own = bool(self._config.getoption("guardrails_baseline")) and not path.exists()
        if (why := _refusal(run, may_be_empty=is_own)) is None:
            try:
                _refuse_twins(run)
                done = update(path, self._shown(path), run, gone)
                self.notes.append(f"baseline   {self._shown(path)}: {done}")
                return True
            except (OSError, ConfigError) as exc:
                why = _said(exc)
        self.notes.append(f"NOT WRITTEN {self._shown(path)}: {why}")
        return False

    def _keep_history(self, run: Run) -> bool:
        """Append the run to its history, where it is asked to; return False where that could not be done."""
        store = self._history()
        if store is None:
            return True
        shown = self._shown(store) if isinstance(store, Path) else str(store)
        try:
            lines = list(pasts(run, commit_of(self._config.rootpath)))
            keep(store, lines)
        except (OSError, ConfigError) as exc:
            self.notes.append(f"NOT WRITTEN {shown}: {_said(exc)}")
            return False
        self.notes.append(f"history    {shown}: {len(lines)} added")
        return True

    def _is_deleted(self, file: str) -> bool:
        path = self._config.rootpath / file
        return path.parent.is_dir() and not path.exists()


def shadow_of(run: Run) -> Comparison | None:
    """Return the comparison of a run's guards with the candidates that judged the same cases, None without any."""
    shadows = [*(record.shadow for record in run.records), *(corpus for corpus in run.corpora if corpus.shadow)]
    candidates = {shadow.guard for shadow in shadows if shadow is not None}
    if not candidates:
        return None
    both = {corpus.nodeid for corpus in run.corpora if corpus.shadow}
    current = {record.guard for record in run.records if record.shadow is not None}
    current |= {corpus.guard for corpus in run.corpora if corpus.nodeid in both and not corpus.shadow and corpus.guard}
    times = shadow_latency(run)
    named = (", ".join(sorted(guards)) for guards in (current, candidates))
    before, after = (Side(name, {}, (), known) for name, known in zip(named, times, strict=True))
    made = compare_pairs(shadow_pairs(run), before, after)
    broken = [corpus for corpus in run.corpora if corpus.shadow and corpus.ledger is None]
    said = tuple(Ruling("not-judged", False, f"corpus {corpus.name}: {'; '.join(corpus.reasons)}") for corpus in broken)
    return replace(made, rulings=(*made.rulings, *said))


def _accepted(ruling: Ruling) -> Ruling:
    return Ruling(ruling.rule, False, f"accepted: {ruling.said}") if ruling.fails else ruling


def _refuse_twins(run: Run) -> None:
    if (name := twice(run)) is not None:
        raise ConfigError(f"two populations are called {name!r}: give one of the corpora another name")


def _said(exc: OSError | ConfigError) -> str:
    return exc.message if isinstance(exc, ConfigError) else str(exc.strerror)


def _refusal(run: Run, *, may_be_empty: bool) -> str | None:
    """Say why a run cannot be a baseline, None where it can."""
    if not run.complete:
        return "the run was cut short"
    judged = [record for record in run.records if record.trace is not None and not record.generated]
    errors = any(record.status is CaseStatus.ERROR and record.xfail is None for record in run.records)
    if errors or any(map(is_untrusted, run.corpora)):
        return "the run is untrusted: guards gave no answer"
    if not may_be_empty and not judged and not run.corpora:
        return "no case ran"
    return None
