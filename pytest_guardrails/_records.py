"""What a run keeps of a test and of a guard: pure functions from what happened to records."""

from __future__ import annotations

import itertools
import platform
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._coverage import checks_near, shown_to
from pytest_guardrails._errors import MissingRecording, VerdictMismatch
from pytest_guardrails._expect import summary
from pytest_guardrails._mask import Mask
from pytest_guardrails._model import Case, CaseRecord, CaseResult, CaseStatus, Guard, Trace
from pytest_guardrails.checks._allowlist import shown_entries
from pytest_guardrails.targets.embedded import Engine

GENERATED = "generated"  # the tag of cases that Hypothesis found: chosen because they failed, they are in no rate


def record_of(
    nodeid: str, case: Case, trace: Trace | None, result: CaseResult | None, engine: Engine | None
) -> CaseRecord:
    """Return what this process keeps of a case; its trace is masked before it leaves."""
    return CaseRecord(
        nodeid=nodeid,
        case=case.id,
        status=result.status if result else CaseStatus.NOT_RUN,
        guard=guard_key(engine) if engine else "",
        outcome=result.outcome if result else None,
        expected=summary(case.expectation),
        severity=case.severity,
        label=case.truth,
        tags=case.tags,
        file=case.file,
        line=case.line,
        reasons=result.reasons if result else (),
        note=case.note,
        fault=case.fault,
        runs=1 if trace is not None else 0,
        generated=GENERATED in case.tags,
        trace=trace,
        near_miss=_near(case, engine) if engine and case.near_miss else (),
    )


def _near(case: Case, engine: Engine) -> tuple[str, ...]:
    return checks_near(shown_to(engine.guardrails, case.request.messages), case.near_miss)


def after_pytest(record: CaseRecord, report: pytest.TestReport, excinfo: Any) -> dict[str, Any]:
    """Return the fields that pytest's outcome changes: a test can fail, or not run, for reasons of its own."""
    if report.skipped:
        known = getattr(report, "wasxfail", None)
        return {"status": CaseStatus.NOT_RUN, "outcome": None} if known is None else {"xfail": known or "xfail"}
    if report.failed and excinfo is None:  # XPASS(strict)
        return {"status": CaseStatus.NOT_AS_EXPECTED, "reasons": (*record.reasons, "passed, against its xfail")}
    if report.when == "setup":
        return {"status": CaseStatus.NOT_RUN, "reasons": (f"its setup failed: {excinfo.typename}",), "outcome": None}
    if excinfo is not None and isinstance(excinfo.value, MissingRecording):  # never a verdict
        said = "nothing recorded answers what the guard asked"
        return {"status": CaseStatus.NOT_RUN, "reasons": (*record.reasons, said), "outcome": None}
    if excinfo is not None and record.status in (CaseStatus.AS_EXPECTED, CaseStatus.NOT_RUN):
        first = str(excinfo.value).splitlines()[:1] if isinstance(excinfo.value, VerdictMismatch) else []
        said = first[0] if first else f"the test itself failed: {excinfo.typename}"
        return {"status": CaseStatus.NOT_AS_EXPECTED, "reasons": (*record.reasons, said)}
    return {}


def masked_names(item: pytest.Item, mask: Mask) -> tuple[str, str]:
    """Return the node id and name of a test without the texts that its parameters put into them.

    A parameter that could be a case's text (anything but one plain word) is masked; ids that the author gave stay.
    """
    nodeid, name = item.nodeid, item.name
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    for value in parameters.values():
        said = str(value)
        harmless = said.isidentifier() if isinstance(value, str) else len(said) < 6 or isinstance(value, bool)
        if harmless or not isinstance(value, str | int | float):
            continue
        for spelled in {said, said.encode("unicode_escape").decode("ascii")} - {""}:
            nodeid, name = nodeid.replace(spelled, mask(said)), name.replace(spelled, mask(said))
    return nodeid, name


def shown_path(path: Path, root: Path) -> str:
    """Return a file as errors and reports name it: from the root, else from the package that holds it, else alone."""
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    packages = list(itertools.takewhile(lambda folder: (folder / "__init__.py").exists(), path.parents))
    return path.relative_to(packages[-1].parent).as_posix() if packages else path.name


def guard_key(engine: Engine) -> str:
    """Return the name of an engine's version in records: its source's name and the hash of its configuration."""
    return f"{_last_parts(engine.source)}@{engine.version.config_hash}"


def _last_parts(source: str) -> str:
    """Return a source as reports name it: a file with its folder, so that no path of a machine is in a report."""
    return "/".join(Path(source).parts[-2:])


def guard_of(engine: Engine, show: Mask = str) -> Guard:
    """Return what a report says of an engine; ``show`` masks the entries of its allowlists."""
    described = tuple(
        (guardrail.id, guardrail.phase.value, guardrail.action.value, guardrail.on_error.value, *guardrail.disabled)
        for guardrail in engine.guardrails
    )
    return Guard(
        guard_key(engine),
        "embedded engine",
        _last_parts(engine.source),
        engine.version,
        described,
        checks=tuple(tuple(check.id for check in guardrail.checks) for guardrail in engine.guardrails),
        allowlists=_allowlists(engine, show),
    )


def _allowlists(engine: Engine, show: Mask) -> FrozenDict:
    """Return the entries of each check that has an allowlist, as they are shown."""
    found = {}
    for guardrail in engine.guardrails:
        for check in guardrail.checks:
            entries: Any = getattr(check, "allowlist", ())
            if entries and hasattr(check, "suppressed"):
                found[f"{guardrail.phase.value}/{guardrail.id}/{check.id}"] = tuple(map(show, shown_entries(entries)))
    return FrozenDict(found)


def environment() -> FrozenDict:
    """Return what else could explain a difference between two runs; no path and no name of a machine."""
    from pytest_guardrails import __version__

    return FrozenDict(
        {
            "python": platform.python_version(),
            "platform": platform.system(),
            "pytest": pytest.__version__,
            "pytest-guardrails": __version__,
        }
    )
