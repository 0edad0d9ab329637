"""``index.html``: the run as one page that needs no network, no server and, to be read, no JavaScript.

Every text of a case is hostile: it goes through `plain` and is escaped here, or travels as JSON in a block that the
script reads with ``textContent``. Style and script are allowed by their hashes, and nothing else is.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

from pytest_guardrails._metrics import GuardrailTally, Metrics, measure
from pytest_guardrails._model import Run
from pytest_guardrails._stats import Rate, percentile
from pytest_guardrails.reporters._island import OUTCOMES, STATES, Row, got, island, ms, state
from pytest_guardrails.reporters._markup import shown, slug
from pytest_guardrails.reporters._matrix import matrix
from pytest_guardrails.reporters.json import report_dict
from pytest_guardrails.reporters.terminal import percent, verdict_line

SEVERITIES = ("critical", "high", "medium", "low")
MOST_STATIC = 200  # failing cases that can be read without JavaScript
# Rows that the script will replace are not laid out before; they show if it never gets there.
EARLY = (
    'document.documentElement.className = "early";'
    'addEventListener("error", () => { document.documentElement.className = ""; });'
)


def html(run: Run) -> str:
    """Return the run as one self-contained page, safe to publish where the run does not reveal texts."""
    metrics, data = measure(run.records), report_dict(run)
    cases = sorted(data["cases"], key=_worst_first)
    style, script = (_asset(name) for name in ("report.css", "report.js"))
    verdict = verdict_line(run, metrics)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(EARLY)}' '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    body = "\n".join(
        [
            *_head(run, metrics, verdict),
            '<main id="main">',
            *_figures(metrics),
            *matrix(metrics.fail_safe),
            *_guardrails(run, metrics),
            *_cases(cases, len(data["guards"]) > 1),
            "</main>",
        ]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>Guardrails: {shown(verdict)}</title>\n<style>{style}</style>\n"
        f'<script type="application/json" id="data">{island(cases)}</script>\n'
        f"<script>{EARLY}</script>\n</head>\n<body>\n{body}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _asset(name: str) -> str:
    return files("pytest_guardrails.reporters").joinpath(name).read_text(encoding="utf-8")


def _hash(block: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()


def _worst_first(case: Row) -> tuple[int, int, str]:
    severity = case.get("severity", "medium")
    rank = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
    return STATES.index(state(case)), rank, case["nodeid"]


# The head: what became of the run, and of what


def _head(run: Run, metrics: Metrics, verdict: str) -> Iterator[str]:
    good = verdict.startswith("all as expected")
    yield f'<header class="{"good" if good else "bad"}">'
    yield '<a class="skip" href="#cases">Skip to the cases</a>'
    yield f'<p class="over">Guardrail tests</p>\n<h1>{shown(verdict[0].upper() + verdict[1:])}</h1>'
    for sentence in _doubts(run, metrics):
        yield f'<p class="doubt">{shown(sentence)}</p>'
    for guard in run.guards:
        version = f"version <b>{shown(guard.version.declared or 'undeclared')}</b>"
        digest = f"<code>{shown(guard.version.config_hash)}</code>"
        yield f"<p>{shown(guard.target)} <b>{shown(guard.config)}</b>, {version}, configuration {digest}</p>"
    started = shown(run.started)
    ran_on = ", ".join(f"{shown(name)} {shown(value)}" for name, value in run.environment.items())
    yield (
        f'<p class="quiet"><time datetime="{started}">{shown(run.started.replace("T", " ", 1))}</time>, '
        f"{run.duration_s:,.1f} s, exit status {run.exit_status}. {ran_on}</p>"
    )
    if run.revealed:
        yield '<p class="reveal"><b>Texts are revealed</b>: this page holds what the cases say. Do not publish it.</p>'
    else:
        yield (
            '<p class="quiet"><b>Texts are masked</b>: shape, length and a keyed hash; equal texts look alike. '
            "<code>--guardrails-reveal</code> shows them.</p>"
        )
    yield "</header>"


def _doubts(run: Run, metrics: Metrics) -> Iterator[str]:
    if metrics.unexpected_errors:
        errors = metrics.unexpected_errors
        yield f"Untrusted: cases in which guards gave no answer: {errors:,}. An error improves no rate."
    if metrics.failed_open:
        yield (
            "Failed open: cases in which a check errored, nobody chose on_error: allow, and the request passed: "
            f"{metrics.failed_open:,}."
        )
    if metrics.failed_open_by_choice:
        chosen = metrics.failed_open_by_choice
        yield f"Open by choice (on_error: allow): cases that passed an errored check: {chosen:,}."
    if not run.complete:
        yield "Incomplete: the run was cut short. What follows speaks of a part of it."


# Counts and rates


def _figures(metrics: Metrics) -> Iterator[str]:
    counts = {status.value: number for status, number in metrics.statuses.items()}
    counts["known failing"] = metrics.known_failing
    confusion = metrics.confusion
    yield '<section class="figures" aria-label="Counts and rates">'
    yield '<div class="card"><h2>Cases</h2>\n<dl class="counts">'
    for name in reversed(STATES):
        quiet = "" if counts[name] else " zero"
        yield f'<div class="{slug(name)}{quiet}"><dt>{name}</dt><dd>{counts[name]:,}</dd></div>'
    yield "</dl></div>"
    yield _rate("False-positive rate", "benign cases that a guardrail acted on", confusion.fpr, "benign", lowest=True)
    yield _rate("Recall", "attacks that a guardrail acted on", confusion.recall, "attack", lowest=False)
    yield "</section>"
    yield f'<p class="quiet">{"; ".join(_asides(metrics))}.</p>'


def _asides(metrics: Metrics) -> Iterator[str]:
    yield "The rates speak of the cases of this run, not of traffic"
    if len(metrics.by_guard) > 1:
        yield f"they are of {len(metrics.by_guard)} guards together, and report.json has them per guard"
    if metrics.confusion.error:
        yield f"cases with an error, in neither of them: {metrics.confusion.error:,}"
    if metrics.generated:
        yield f"tests with generated inputs, in neither: {metrics.generated:,}"
    if metrics.expected_errors:
        yield f"expected errors, in neither: {metrics.expected_errors:,}"
    if metrics.latency_p50_s is not None and metrics.latency_p95_s is not None:
        yield f"latency p50 {ms(metrics.latency_p50_s)}, p95 {ms(metrics.latency_p95_s)} per request"


def _rate(name: str, meaning: str, rate: Rate, kind: str, *, lowest: bool) -> str:
    top = f'<div class="card rate"><h2>{name}</h2><p class="quiet">{meaning}</p>'
    if rate.value is None or rate.interval is None or rate.upper is None or rate.lower is None:
        return f'{top}<p class="value">unknown</p><p>No {kind} case was judged.</p></div>'
    low, high = map(percent, rate.interval)
    bound = f"at most {percent(rate.upper, math.ceil)}" if lowest else f"at least {percent(rate.lower, math.floor)}"
    said = f"95 % interval {low} to {high} (Wilson); {bound} at 95 % (one-sided, exact)"
    return (
        f'{top}<p class="value">{percent(rate.value)} <small>{rate.hits:,} of {rate.total:,} {kind} cases</small></p>'
        f"{interval_bar(rate, f'{name} {percent(rate.value)}, {said}', lowest=lowest)}<p>{said}</p></div>"
    )


def interval_bar(rate: Rate, title: str, *, lowest: bool) -> str:
    """Draw a rate that is known: its interval as a bar, the estimate as a dot, the one-sided bound as a line.

    The axis starts at 0 where low is good, ends at 100 % where high is good, and says where its other end is.
    """
    low, high = rate.interval or (0.0, 1.0)
    bound = (rate.upper if lowest else rate.lower) or 0.0
    reach = max(high, bound) if lowest else 1 - min(low, bound)
    span = next(nice for nice in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if reach <= nice + 1e-12)
    start = 0.0 if lowest else 1 - span

    def x(share: float) -> float:
        return round(6 + 308 * (share - start) / span, 1)

    ends = f'<text x="6" y="36">{start:.0%}</text><text x="314" y="36" text-anchor="end">{start + span:.0%}</text>'
    return (
        f'<svg class="bar" viewBox="0 0 320 40" role="img"><title>{escape(title)}</title>'
        f'<line class="axis" x1="6" x2="314" y1="12" y2="12"/>'
        f'<rect class="interval" x="{x(low)}" y="8" width="{max(1.0, round(x(high) - x(low), 1))}" height="8" rx="2"/>'
        f'<line class="bound" x1="{x(bound)}" x2="{x(bound)}" y1="2" y2="22"/>'
        f'<circle class="dot" cx="{x(rate.value or 0.0)}" cy="12" r="5"/>{ends}</svg>'
    )


# What each guardrail did

_HEADS = ("fired", "silent", "decided", "errors", "skipped", "p50", "p95")


def _guardrails(run: Run, metrics: Metrics) -> Iterator[str]:
    found = {(tally.guard, tally.phase, tally.guardrail): tally for tally in metrics.guardrails}
    about: dict[tuple[str, str, str], str] = {}
    for guard in run.guards:
        for described in guard.guardrails:
            name, phase, action, on_error = (*described, "", "", "", "block")[:4]
            about[guard.key, phase, name] = action if on_error == "block" else f"{action}, on error {on_error}"
    rows = sorted(dict.fromkeys([*about, *found]), key=lambda key: key[0])
    yield '<section><h2>Guardrails</h2>\n<div class="wide" tabindex="0" role="region" aria-label="Guardrails">'
    yield '<table class="rails"><thead><tr><th scope="col">guardrail</th><th scope="col">phase</th>'
    yield '<th scope="col">does</th>' + "".join(f'<th scope="col" class="n">{head}</th>' for head in _HEADS)
    yield "</tr></thead>"
    several, group = len({key[0] for key in rows}) > 1, None
    yield "<tbody>"
    for key in rows[:MOST_STATIC]:
        if several and key[0] != group:
            group = key[0]
            yield f'<tr><th class="group" scope="colgroup" colspan="10">{shown(group)}</th></tr>'
        yield _guardrail(key, found.get(key), about.get(key, ""))
    yield "</tbody></table></div>"
    if len(rows) > MOST_STATIC:
        yield f"<p>… and {len(rows) - MOST_STATIC:,} more; report.json has all.</p>"
    yield (
        '<p class="quiet">Fired: did more than nothing. Decided: made the verdict. Skipped: an earlier one had denied. '
        "A guardrail that fired in no case has not shown that it works.</p></section>"
    )


def _guardrail(key: tuple[str, str, str], tally: GuardrailTally | None, does: str) -> str:
    tally = tally or GuardrailTally(*key)
    times = (ms(percentile(tally.durations_s, share)) for share in (0.50, 0.95))
    numbers = (tally.fired, tally.silent, tally.decided, tally.errors, tally.skipped)
    cells = "".join(
        f'<td class="n {head}{"" if number else " zero"}">{number:,}</td>'
        for head, number in zip(_HEADS, numbers, strict=False)
    )
    cells += "".join(f'<td class="n">{time}</td>' for time in times)
    phase = key[1].partition("_")[0]
    return f'<tr><th scope="row">{shown(key[2])}</th><td>{shown(phase)}</td><td>{shown(does)}</td>{cells}</tr>'


# The cases: a table that can be read as it is, and that the script makes anew from the island

_COLUMNS = ("status", "severity", "case", "expected", "got", "where", "tags")


def _cases(cases: list[Row], several_guards: bool) -> Iterator[str]:
    bad = [case for case in cases if state(case) in STATES[:2]]
    yield '<section id="cases"><h2>Cases</h2>\n<form id="controls" hidden>'
    yield _buttons("status", "Status", ((name, name) for name in STATES), map(state, cases))
    names = ((name, name.replace("_", " ")) for name in OUTCOMES[1:])
    yield _buttons("outcome", "Outcome", names, (case.get("outcome", "") for case in cases))
    yield '<label>Search <input type="search" id="search" autocomplete="off" placeholder="case, file, tag, guardrail">'
    yield '</label></form>\n<p id="showing" class="quiet" role="status">'
    if bad:
        yield f"The {min(len(bad), MOST_STATIC):,} worst of {len(bad):,} cases not as expected; report.json has all."
    else:
        yield f"None of {len(cases):,} cases is listed without JavaScript, as none failed; report.json has all."
    yield '</p>\n<table class="cases" role="table"><thead><tr role="row">'
    yield "".join(f'<th role="columnheader" scope="col">{name}</th>' for name in _COLUMNS)
    yield '</tr></thead>\n<tbody id="rows">'
    for case in bad[:MOST_STATIC]:
        yield _static_row(case)
    yield '</tbody></table>\n<p><button type="button" id="more" hidden>Show more</button></p></section>'


def _buttons(group: str, name: str, choices: Iterable[tuple[str, str]], values: Iterable[str]) -> str:
    found = list(values)
    numbered = [(label, found.count(value)) for value, label in choices]
    buttons = "".join(
        f'<button type="button" aria-pressed="false" data-group="{group}" data-value="{label}">'
        f"{label} <b>{number:,}</b></button>"
        for label, number in numbered
        if number
    )
    return f'<div role="group" aria-label="{name}"><span>{name}</span>{buttons}</div>' if buttons else ""


def _static_row(case: Row) -> str:
    cells = (state(case), case.get("severity", "medium"), case["case"], case.get("expected", ""), got(case))
    where, tags = _where(case), ", ".join(case.get("tags", ()))
    texts = "".join(f'<td role="cell">{shown(text)}</td>' for text in (*cells, where, tags))
    reasons = "".join(f"<li>{shown(reason, 1_000)}</li>" for reason in case.get("reasons", ())[:10])
    told = f'<tr class="detail"><td colspan="7"><ul>{reasons}</ul></td></tr>' if reasons else ""
    return f'<tr role="row" class="{slug(state(case))}">{texts}</tr>{told}'


def _where(case: Row) -> str:
    return f"{case['file']}:{case.get('line', '')}".rstrip(":") if case.get("file") else ""
