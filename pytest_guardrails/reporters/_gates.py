"""Gates in the terminal and in Markdown: what was demanded, whether it holds, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from pytest_guardrails._model import Run

MOST_GATES = 50
MOST_SENTENCES = 10


def gates_verdict(run: Run) -> list[str]:
    """Say how many gates failed; nothing where all hold."""
    failed = sum(not gate.passed for gate in run.gates)
    return [f"{failed} of {len(run.gates)} gate{'' if len(run.gates) == 1 else 's'} FAILED"] if failed else []


def gate_lines(run: Run, width: int) -> Iterator[str]:
    """Yield the lines of each gate, its sentences on lines of their own."""
    for gate in run.gates[:MOST_GATES]:
        yield f"gate       {gate.expr}  holds" if gate.passed else f"FAILED     gate {gate.expr}"
        for sentence in gate.said[:MOST_SENTENCES]:
            yield from textwrap.wrap(sentence, max(20, width - 1), initial_indent="  ", subsequent_indent="    ")
        if len(gate.said) > MOST_SENTENCES:
            yield f"  … and {len(gate.said) - MOST_SENTENCES} more populations; the report has all"
    if len(run.gates) > MOST_GATES:
        yield f"… and {len(run.gates) - MOST_GATES} more gates; the report has all"


def gate_sentences(run: Run) -> Iterator[str]:
    """Yield a sentence per gate that failed."""
    failed = [gate for gate in run.gates if not gate.passed]
    for gate in failed[:MOST_GATES]:
        yield f"Gate {gate.expr} failed: {'; '.join(gate.said[:MOST_SENTENCES])}."
    if len(failed) > MOST_GATES:
        yield f"… and {len(failed) - MOST_GATES} more gates failed; report.json has all."


def gates_markdown(run: Run, escaped: Callable[[str], str]) -> Iterator[str]:
    """Yield a table of the gates, failed ones first."""
    if not run.gates:
        return
    yield "| gate | | on |"
    yield "|---|---|---|"
    for gate in sorted(run.gates, key=lambda gate: gate.passed)[:MOST_GATES]:
        became = _became(gate.passed) if gate.passed else f"**{_became(gate.passed)}**"
        said = "<br>".join(map(escaped, gate.said[:MOST_SENTENCES]))
        more = len(gate.said) - MOST_SENTENCES
        yield f"| {escaped(gate.expr)} | {became} | {said}{f'<br>… and {more} more' if more > 0 else ''} |"
    if len(run.gates) > MOST_GATES:
        yield f"\n… and {len(run.gates) - MOST_GATES} more gates; report.json has all."


def _became(passed: bool) -> str:
    return "holds" if passed else "FAILED"
