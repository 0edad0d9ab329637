"""What pytest prints of a mismatch, of a marker with wrong arguments, and of comparisons of verdicts and traces."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import pytest
from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from pytest_guardrails import _marker
from pytest_guardrails._diagnosis import trace_lines
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Trace, Verdict
from pytest_guardrails.reporters.terminal import no_command, plain

_LONGEST = 100_000


def failure_repr(text: str, file: str, line: int) -> ReprExceptionInfo:
    """Return a failure for pytest to print: our text, the place of the case, and no stack; it survives xdist."""
    lines = [no_command(plain(line, _LONGEST, keep="\t")) for line in text.split("\n")]
    first = lines[0]
    entry = ReprEntry(lines, None, None, ReprFileLocation(file, line, "VerdictMismatch"), "value")
    return ReprExceptionInfo(ReprTraceback([entry], None, "value"), ReprFileLocation(file, line, first))


def marker_problems(items: Iterable[pytest.Item]) -> list[str]:
    """Return what is wrong with the markers of some tests, each with its file and line."""
    problems = []
    for item in items:
        readers: dict[str, Callable[[pytest.Mark], object]] = {
            _marker.NAME: _marker.read_marker,
            _marker.FAULT: _marker.read_fault,
            _marker.CORPUS: functools.partial(_marker.read_corpus, folder=item.path.parent),
        }
        for name, read in readers.items():
            own = [mark for mark in item.own_markers if mark.name == name]
            for mark in item.iter_markers(name):
                try:
                    if name == _marker.CORPUS and mark in own[1:]:
                        raise ConfigError("a test has one corpus; give each its own test")
                    read(mark)
                except ConfigError as exc:
                    file, line, test = item.location
                    problems.append(f"{file}:{(line or 0) + 1}: @{name} of {test}: {exc}")
    return problems


def explain(left: object, right: object, last: Trace | None) -> list[str] | None:
    """Return the lines of a failed ``==`` between verdicts or traces, or None."""
    if isinstance(left, Verdict) or isinstance(right, Verdict):
        got, wanted = (left, right) if isinstance(left, Verdict) else (right, left)
        lines = [f"verdict {str(got)!r} == {str(wanted)!r}"]
        if last is not None and last.verdict is got:
            lines += ["the last trace:", *trace_lines(last)]
        return lines
    if isinstance(left, Trace) and isinstance(right, Trace):
        names = [name for name in Trace.__slots__ if name != "duration_s"]
        other = [name for name in names if getattr(left, name) != getattr(right, name)]
        return [f"traces differ in {', '.join(other)}", "left:", *trace_lines(left), "right:", *trace_lines(right)]
    return None
