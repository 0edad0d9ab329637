"""Two versions compared, as plain lines and as Markdown; keys stand there, never texts."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator

from pytest_guardrails._model import Comparison, Flip, Latency, PopulationChange, RateChange, Run
from pytest_guardrails._stats import per_cent
from pytest_guardrails.reporters._markup import escaped
from pytest_guardrails.reporters._svg import time_text
from pytest_guardrails.reporters.terminal import no_command, plain

MOST_FLIPS = 12
MOST_KEYS = 5
MOST_GUARDRAILS = 10
_LONGEST = 2_000
NOT_COMPARED = "not-compared"  # the rule that is said in capitals: it is a gap, not a finding
_SAID = re.compile(r"(\w+)(?: \((\w+)\))?(?: by (.*))?", re.DOTALL)  # verdict, action, guardrail
_NAMES = {"fpr": "FPR", "recall": "recall"}


def versions_lines(run: Run, width: int) -> Iterator[str]:
    """Yield what a run's comparisons say: with the baseline, and of the candidate beside the current guards."""
    if run.comparison is not None:
        yield from comparison_lines(run.comparison, width=width)
    if run.shadow is not None:
        yield "shadow     a candidate judged the same cases; it fails nothing"
        yield from comparison_lines(run.shadow, width=width, gate=False)


def comparison_lines(compared: Comparison, *, width: int, gate: bool = True) -> Iterator[str]:
    """Yield a comparison as printable lines; the long ones are broken at ``width``."""
    for line in _lines(compared, gate):
        indent = " " * (len(line) - len(line.lstrip()) + 11 if line[:1].strip() else 11)
        broken = textwrap.wrap(plain(line, _LONGEST), max(40, width), subsequent_indent=indent) or [""]
        yield from map(no_command, broken)


def _lines(compared: Comparison, gate: bool) -> Iterator[str]:
    yield f"before     {compared.before}"
    yield f"after      {compared.after}"
    yield f"compared   {_suites(compared)}"
    for population in compared.populations:
        yield f"{population.population}, {population.guard}: {population.pairs:,} compared"
        for change in population.rates:
            if change.pairs:
                yield f"  {_NAMES[change.rate]:<8} {change_sentence(change)}"
        yield f"  flips    {_flips(population)}"
        yield from (f"  {line}" for line in _doubts(population))
        yield from (f"  {name:<8} {said}" for name, said in latency_sentences(population))
    if said := "; ".join(guardrail_sentences(compared)):
        yield f"guardrails {said}"
    for flip in compared.flips[:MOST_FLIPS]:
        same = f" ({what_changed(flip)})" if not flip.verdict else ""
        yield f"  {_flip_kind(flip)}: {_flip_key(flip)}: {flip.before} → {flip.after}{same}"
    if (more := _more(compared)) > 0:
        yield f"  … and {more:,} more flips"
    for ruling in compared.rulings:
        failed = ("FAILED" if gate else "would fail") if ruling.fails else "note"
        said = f"{ruling.rule}: {ruling.said}"
        yield f"NOT COMPARED {ruling.said}" if ruling.rule == NOT_COMPARED else f"{failed:<10} {said}"
    if gate and not compared.failed:
        yield "passed     no rule fails"


def _suites(compared: Comparison) -> str:
    """Say what was compared, and where the suites differ."""
    said = f"{compared.pairs:,} in both"
    if not (compared.new or compared.gone):
        return f"{said}: the same suite"
    return f"{said}; the suites differ: {_only('before', compared.gone, compared.gone_keys)}, " + _only(
        "after", compared.new, compared.new_keys
    )


def _only(when: str, count: int, keys: tuple[str, ...]) -> str:
    named = ", ".join(keys[:MOST_KEYS]) + (", …" if count > MOST_KEYS else "")
    return f"{count:,} only {when}" + (f" ({named})" if count else "")


def change_sentence(change: RateChange) -> str:
    """Say how a rate changed: both counts, the change with its paired interval, and McNemar's p."""
    if change.difference is None or change.interval is None or change.p is None:
        return "unknown (0 pairs)"
    before, after = change.before / change.pairs, change.after / change.pairs
    low, high = change.interval
    return (
        f"{per_cent(before)} → {per_cent(after)} ({change.before:,} → {change.after:,} of {change.pairs:,}), "
        f"{_points(change.difference)} points, 95 %: {_points(low)} to {_points(high)}; McNemar {p_sentence(change)}"
    )


def p_sentence(change: RateChange) -> str:
    """Say McNemar's p of a rate, and where other rates are compared with it what Holm's correction leaves of it."""
    p = "p unknown" if change.p is None else _p(change.p)
    return p if change.p_holm in (None, change.p) else f"{p}, {_p(change.p_holm or 0.0)} after Holm"


def _p(p: float) -> str:
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"


def _points(difference: float) -> str:
    """Return a difference of rates in percentage points, with its sign."""
    digits = 1 if abs(difference) >= 0.001 or difference == 0 else 3
    text = f"{100 * difference:.{digits}f}"
    return f"{'+' if difference > 0 else '−' if difference < 0 else '±'}{text.lstrip('-')}"


def _flips(population: PopulationChange) -> str:
    if not population.flips:
        return "none"
    counts = {
        "newly wrong": population.newly_wrong,
        "newly right": population.newly_right,
        "became blocked": population.became_blocked,
        "became allowed": population.became_allowed,
        "acted otherwise": population.otherwise,
    }
    return f"{population.flips:,}: " + ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)


def _doubts(population: PopulationChange) -> Iterator[str]:
    if population.errors_before or population.errors_after:
        yield f"errors   {population.errors_before:,} → {population.errors_after:,}; these pairs are in no rate"
    if population.relabelled:
        yield f"labels   relabelled: {population.relabelled:,}; these count by their old label"


def latency_sentences(population: PopulationChange) -> Iterator[tuple[str, str]]:
    """Yield what latency became, ours and that of recorded vendors, each with its name; nothing where none is known.

    Times are noise: no rule reads them.
    """
    before, after = population.latency_before, population.latency_after
    for name, times in (("latency", _own), ("vendor", _vendor)):
        then, now = times(before), times(after)
        if then is not None and now is not None:
            yield name, _times_changed(then, now)
        elif (known := then or now) is not None:
            said = f"p50 {time_text(known[1])}, p95 {time_text(known[2])}"
            when, missing = ("now", "before") if then is None else ("before", "now")
            yield name, f"{when} {said}, {_requests(known[0])}; {missing}: not recorded"


_Times = tuple[int, float, float]  # how many, p50 and p95 in seconds


def _own(latency: Latency | None) -> _Times | None:
    return None if latency is None else (latency.count, latency.p50_s, latency.p95_s)


def _vendor(latency: Latency | None) -> _Times | None:
    if latency is None or latency.vendor_p50_s is None or latency.vendor_p95_s is None:
        return None
    return latency.vendor_count, latency.vendor_p50_s, latency.vendor_p95_s


def _times_changed(before: _Times, after: _Times) -> str:
    changes = [
        f"{name} {time_text(one)} → {time_text(other)}{f' (x{_short(other / one)})' if one else ''}"
        for name, one, other in zip(("p50", "p95"), before[1:], after[1:], strict=True)
    ]
    counts = "" if before[0] == after[0] else f"{before[0]:,} → "
    return f"{', '.join(changes)}; {counts}{_requests(after[0])}"


def _short(ratio: float) -> str:
    return f"{ratio:.1f}" if 0.095 <= ratio < 9.95 else f"{ratio:,.0f}" if ratio >= 9.95 else f"{ratio:.1g}"


def _requests(number: int) -> str:
    return f"{number:,} request{'' if number == 1 else 's'}"


def _flip_kind(flip: Flip) -> str:
    severity = f"{flip.severity} " if flip.severity else ""
    return f"{flip.truth or flip.verdict or 'acted otherwise'}, {severity}{flip_label(flip)}"


def flip_label(flip: Flip) -> str:
    """Return the label that judges a flip, and the one that it has now where that is another."""
    return f"{flip.label}, now {flip.new_label}" if flip.new_label else flip.label


def what_changed(flip: Flip) -> str:
    """Say in what the two versions differ: the verdict, else the action, the guardrail, or something further."""
    if flip.verdict:
        return flip.verdict
    before, after = _SAID.fullmatch(flip.before), _SAID.fullmatch(flip.after)
    if before is None or after is None or before[1] != after[1]:
        return ""
    changed = [name for place, name in ((2, "action"), (3, "guardrail")) if before[place] != after[place]]
    if changed:
        return f"same verdict, another {' and '.join(changed)}"
    return "same answer; what changed is an error, a text or a call"


def guardrail_sentences(compared: Comparison) -> Iterator[str]:
    """Yield which guardrails decided what went wrong or right, most first: those that act now, or act no more."""
    found: dict[str, Counter[str]] = {}
    for flip in compared.flips:
        sides = [_SAID.fullmatch(side) for side in (flip.before, flip.after)]
        before, after = (side[3] if side is not None else None for side in sides)
        by = before or after if flip.verdict == "became allowed" else after or before
        if flip.truth:
            gone = " and acting no more" if by and by == before != after else ""
            found.setdefault(by or "no guardrail", Counter())[f"{flip.truth}{gone}"] += 1
    for by, counts in sorted(found.items(), key=lambda item: -item[1].total())[:MOST_GUARDRAILS]:
        yield f"{by}: {', '.join(f'{number:,} {name}' for name, number in sorted(counts.items(), reverse=True))}"
    if len(found) > MOST_GUARDRAILS:
        yield f"… and {len(found) - MOST_GUARDRAILS:,} more guardrails"
    if found and sum(population.flips for population in compared.populations) > len(compared.flips):
        yield f"of the first {len(compared.flips):,} flips"


def _flip_key(flip: Flip) -> str:
    if flip.severity:
        return flip.key
    return f"{flip.population}: {flip.key}{f' ({flip.where})' if flip.where else ''}"


def _more(compared: Comparison) -> int:
    return sum(population.flips for population in compared.populations) - min(len(compared.flips), MOST_FLIPS)


def versions_markdown(run: Run) -> Iterator[str]:
    """Yield the sections of a run's comparisons, none where there are none."""
    if run.comparison is not None:
        yield from comparison_markdown(run.comparison)
    if run.shadow is not None:
        yield from comparison_markdown(run.shadow, title="Shadow: a candidate judged the same cases", gate=False)


def comparison_markdown(compared: Comparison, title: str = "Versions compared", gate: bool = True) -> Iterator[str]:
    """Yield a comparison as a section of Markdown: what fails first."""
    yield f"## {title}"
    yield ""
    yield f"- Before: {escaped(compared.before)}"
    yield f"- After: {escaped(compared.after)}"
    yield f"- Compared: {escaped(_suites(compared))}"
    if said := "; ".join(guardrail_sentences(compared)):
        yield f"- Guardrails: {escaped(said)}"
    for ruling in compared.rulings:
        failed = ("**Failed**" if gate else "Would fail") if ruling.fails else "Note"
        kind = "**Not compared**" if ruling.rule == NOT_COMPARED else f"{failed}, {escaped(ruling.rule)}"
        yield f"- {kind}: {escaped(ruling.said)}"
    yield ""
    yield "| population | guard | what | before → after | flips |"
    yield "|---|---|---|---|---|"
    for population in compared.populations:
        names = f"{escaped(population.population)} | {escaped(population.guard)}"
        for change in population.rates:
            if change.pairs:
                said = escaped(change_sentence(change))
                yield f"| {names} | {_NAMES[change.rate]} | {said} | {escaped(_flips(population))} |"
        for name, text in latency_sentences(population):
            yield f"| {names} | {name} | {escaped(text)} | |"
    yield ""
    if compared.flips:
        yield "| flip | what | before | after |"
        yield "|---|---|---|---|"
        for flip in compared.flips[:MOST_FLIPS]:
            same = f" ({what_changed(flip)})" if not flip.verdict else ""
            cells = (_flip_kind(flip), _flip_key(flip), flip.before, f"{flip.after}{same}")
            yield f"| {' | '.join(map(escaped, cells))} |"
        yield ""
        if (more := _more(compared)) > 0:
            yield f"… and {more:,} more; report.json has the first {len(compared.flips):,}."
            yield ""
