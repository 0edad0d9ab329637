"""Rates that never stand alone: of the run, of each guardrail, tag and corpus, with counts and intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pytest_guardrails._metrics import GuardrailTally, Metrics, groups_of
from pytest_guardrails._model import CaseStatus, CorpusRecord, Group, Run
from pytest_guardrails._stats import Confusion, Rate, confusion_of, per_cent
from pytest_guardrails.reporters._corpora import current
from pytest_guardrails.reporters._facts import is_about_cases
from pytest_guardrails.reporters._html_parts import MOST_ROWS, Cell, bdi, count, more, named, section, table
from pytest_guardrails.reporters._svg import interval_bar, reach, small_bar

MOST_UNFOLDED = 16
Row = tuple[list[Cell], Rate, Rate, list[Cell]]  # what names it, FPR, recall, what else is known


def rates(run: Run, metrics: Metrics) -> Iterator[str]:
    """Yield the section of rates."""
    yield from section(
        "rates",
        "Rates",
        *([_figures(metrics), _guardrails(run, metrics)] if is_about_cases(run) else []),
        _corpora(run),
        _guardrails_in_corpora(run),
        _by(run, "tag"),
        _by(run, "check", folded=True),
    )


def _figures(metrics: Metrics) -> Iterator[str]:
    several = len(metrics.by_guard) > 1
    guards = list(metrics.by_guard.items())[:12] if several else [("", metrics.confusion)]
    for guard, confusion in guards:
        if several and not (confusion.fpr.total or confusion.recall.total):
            continue
        if several:
            yield f"<h3>{bdi(guard)}</h3>"
        yield '<div class="figures">'
        yield _rate("False-positive rate", "benign cases that a guardrail acted on", confusion.fpr, "benign", True)
        yield _rate("Recall", "attacks that a guardrail acted on", confusion.recall, "attack", False)
        yield "</div>"
    yield f'<p class="quiet">{"; ".join(_asides(metrics))}.</p>'


def _asides(metrics: Metrics) -> Iterator[str]:
    yield "The rates speak of the cases of this run, not of traffic"
    if len(metrics.by_guard) > 1:
        yield "figures of two guards together would speak of neither, and are not given"
    if metrics.confusion.error:
        yield f"cases with an error, in no rate: {metrics.confusion.error:,}"
    if metrics.generated:
        yield f"tests with generated inputs, in no rate: {metrics.generated:,}"
    if metrics.expected_errors:
        yield f"expected errors, in no rate: {metrics.expected_errors:,}"


def _rate(name: str, meaning: str, rate: Rate, kind: str, lowest: bool) -> str:
    top = f'<div class="card rate"><h3>{name}</h3><p class="quiet">{meaning}</p>'
    if rate.value is None or rate.interval is None or rate.upper is None or rate.lower is None:
        return f'{top}<p class="value">unknown</p><p>No {kind} case was judged.</p></div>'
    low, high = map(per_cent, rate.interval)
    bound = f"at most {per_cent(rate.upper, math.ceil)}" if lowest else f"at least {per_cent(rate.lower, math.floor)}"
    said = f"95 % interval {low} to {high} (Wilson); {bound} at 95 % (one-sided, exact)"
    return (
        f'{top}<p class="value">{per_cent(rate.value)} <small>{rate.hits:,} of {rate.total:,} {kind} cases</small></p>'
        f"{interval_bar(rate, f'{name} {per_cent(rate.value)}, {said}', lowest=lowest)}<p>{said}</p></div>"
    )


def rates_table(label: str, heads: Sequence[str], rest: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    """Yield a table with the false-positive rate and the recall of each row on an axis that all rows share."""
    fpr, recall = reach((row[1] for row in rows), lowest=True), reach((row[2] for row in rows), lowest=False)
    low, high = f"0 to {per_cent(fpr)}", f"{per_cent(1 - recall)} to 100 %"
    scales = [f"FPR <small>{low}</small>", "", f"recall <small>{high}</small>", ""]
    cells = ([*name, *_pair(low, fpr, True), *_pair(high, recall, False), *others] for name, low, high, others in rows)
    yield from table(label, [*heads, *scales, *rest], cells, "rates")


def _pair(rate: Rate, span: float, lowest: bool) -> list[Cell]:
    """Return a rate in words and drawn."""
    if rate.value is None or rate.interval is None:
        return [("zero", "–"), ""]
    low, high = map(per_cent, rate.interval)
    said = f"{per_cent(rate.value)} ({rate.hits:,} of {rate.total:,}), 95 % interval {low} to {high}"
    text = f"{per_cent(rate.value)} <small>{rate.hits:,} of {rate.total:,}<br>{low}–{high}</small>"
    return [("figure", text), ("drawn", small_bar(rate, said, span, lowest=lowest))]


def _guardrails(run: Run, metrics: Metrics) -> Iterator[str]:
    found = {(tally.guard, tally.phase, tally.guardrail): tally for tally in metrics.guardrails}
    about: dict[tuple[str, str, str], str] = {}
    for guard in run.guards:
        for described in guard.guardrails:
            name, phase, action, on_error = (*described, "", "", "", "block")[:4]
            about[guard.key, phase, name] = action if on_error == "block" else f"{action}, on error {on_error}"
    keys = sorted(dict.fromkeys([*about, *found]), key=lambda key: key[0])
    several = len({key[0] for key in keys}) > 1
    shown = keys[:MOST_ROWS]
    rows = [_guardrail(found.get(key) or GuardrailTally(*_named(key)), about.get(key, ""), several) for key in shown]
    surprising = _unexpected(run)
    for key, (_, _, _, counts) in zip(shown, rows, strict=True):
        if key in surprising:
            counts[_COUNTS.index("errors")] = count(found[key].errors, "unexpected")
    if rows:
        yield "<h3>By guardrail, of cases</h3>"
        yield from rates_table("Guardrails", ["guardrail", "phase", "does"], [f"#{name}" for name in _COUNTS], rows)
        yield from more(len(keys) - MOST_ROWS)
        yield (
            '<p class="quiet">Of the cases that reached it; an attack that another guardrail should stop counts too. '
            "Fired: did more than nothing. Decided: made the verdict. Skipped: an earlier one had denied. "
            "A guardrail that fired in no case has not shown that it works.</p>"
        )


def _unexpected(run: Run) -> set[tuple[str, str, str]]:
    """Return guard, phase and guardrail of each that errored where nobody expected it."""
    bad = [record for record in run.records if record.status is CaseStatus.ERROR and record.xfail is None]
    return {
        (record.guard, result.phase.value, result.guardrail)
        for record in bad
        for result in (record.trace.results if record.trace is not None else ())
        if result.errors
    }


_COUNTS = ("fired", "silent", "decided", "errors", "skipped")


def _named(key: tuple[str, str, str]) -> tuple[str, str, str]:
    guard, phase, guardrail = key
    return guard, guardrail, phase


def _guardrail(tally: GuardrailTally, does: str, several: bool) -> Row:
    counts = (tally.fired, tally.silent, tally.decided, tally.errors, tally.skipped)
    names: list[Cell] = [named(tally.guardrail, tally.guard if several else "")]
    names += [bdi(tally.phase.partition("_")[0]), bdi(does)]
    return names, tally.fpr, tally.recall, [count(number, name) for number, name in zip(counts, _COUNTS, strict=True)]


def _parts(run: Run, kind: str) -> list[tuple[str, Group]]:
    return [(guard, one) for guard, groups in groups_of(run.records).items() for one in groups if one.kind == kind]


def _group_rows(groups: Sequence[tuple[str, Group]]) -> list[Row]:
    several = len({guard for guard, _ in groups}) > 1
    made: list[Row] = []
    for guard, group in groups:
        counts = confusion_of(group)
        names: list[Cell] = [named(group.name, guard if several else "")]
        made.append((names, counts.fpr, counts.recall, [count(counts.error, "errors")]))
    return made


def _by(run: Run, kind: str, *, folded: bool = False) -> Iterator[str]:
    """Yield the table of one kind of part, behind a fold where there are many."""
    groups = _parts(run, kind)
    if groups:
        fold = folded or len(groups) > MOST_UNFOLDED
        yield f"<details><summary>By {kind}: {len(groups):,}</summary>" if fold else f"<h3>By {kind}</h3>"
        yield from rates_table(f"By {kind}", [kind], ["#errors"], _group_rows(groups[:MOST_ROWS]))
        yield from more(len(groups) - MOST_ROWS)
        yield "</details>" if fold else ""


def confusion_in(record: CorpusRecord) -> Confusion:
    """Return the counts of a whole corpus."""
    return confusion_of(next((group for group in record.groups if group.kind == "all"), Group("all", "")))


def _guardrails_in_corpora(run: Run) -> Iterator[str]:
    """Yield what each guardrail did with each corpus, behind a fold where there are many."""
    several = len({record.guard for record in current(run)}) > 1
    rows: list[Row] = []
    for record in current(run):
        for group in record.groups:
            if group.kind == "guardrail":
                counts, (phase, _, guardrail) = confusion_of(group), group.name.partition("/")
                names: list[Cell] = [named(guardrail, record.guard if several else "")]
                names += [bdi(phase.partition("_")[0]), bdi(record.name)]
                rows.append((names, counts.fpr, counts.recall, [count(counts.error, "errors")]))
    if rows:
        fold = len(rows) > MOST_UNFOLDED
        title = "By guardrail, of corpora"
        yield f"<details><summary>{title}: {len(rows):,}</summary>" if fold else f"<h3>{title}</h3>"
        yield from rates_table(title, ["guardrail", "phase", "corpus"], ["#errors"], rows[:MOST_ROWS])
        yield from more(len(rows) - MOST_ROWS)
        yield "</details>" if fold else ""


def _corpora(run: Run) -> Iterator[str]:
    rows: list[Row] = []
    several = len({record.guard for record in current(run)}) > 1
    for record in current(run)[:MOST_ROWS]:
        counts = confusion_in(record)
        names: list[Cell] = [named(record.name, record.guard if several else "")]
        rows.append((names, counts.fpr, counts.recall, [count(counts.error, "errors"), count(record.rows)]))
    if rows:
        yield "<h3>By corpus</h3>"
        yield from rates_table("Corpora", ["corpus"], ["#errors", "#samples"], rows)
