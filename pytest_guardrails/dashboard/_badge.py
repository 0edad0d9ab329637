"""The badge: the newest state of the guards as a small SVG picture for a README."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_guardrails.dashboard._figures import FPR, RECALL, counts_said
from pytest_guardrails.dashboard._series import CASES, SOUND, GuardHistory
from pytest_guardrails.dashboard._worst import on_cases_alone, worst_first
from pytest_guardrails.reporters._markup import shown
from pytest_guardrails.reporters.terminal import plain

LABEL = "guardrails"
COLOURS = {"passed": "#1a6e35", "failed": "#b3261e", "untrusted": "#8a5000", "incomplete": "#8a5000"}
_GREY = "#545d68"
_ON_CASES = "passed on cases alone"  # no green: recent runs measured corpora
_WORST_FIRST = ("untrusted", "failed", "incomplete", _ON_CASES, "passed")
_MOST_SAID, _MOST_NAME = 130, 24
_LETTER, _PAD = 6.7, 14


def badge(guards: Sequence[GuardHistory]) -> str:
    """Return the badge of some guards: with one of them its worst rates too, as rates are not pooled."""
    states = [_state(guard) for guard in guards]
    if not guards:
        return drawn("no run yet", _GREY)
    if len(guards) == 1:
        return drawn(_one(guards[0]), COLOURS.get(states[0], _GREY))
    worst = min(states, key=lambda state: _WORST_FIRST.index(state) if state in _WORST_FIRST else -1)
    number = states.count(worst)
    said = f"{len(guards)} {worst}" if number == len(guards) else f"{number} of {len(guards)} {worst}"
    return drawn(said, COLOURS.get(worst, _GREY))


def _state(guard: GuardHistory) -> str:
    status = guard.newest.status
    return _ON_CASES if status == "passed" and on_cases_alone(guard) else status


def _one(guard: GuardHistory) -> str:
    """Say the state, the highest false-positive rate of any population and the lowest recall, with their counts."""
    if guard.newest.status not in SOUND:
        return guard.newest.status
    named = any(series.population != CASES for series in guard.populations)
    said = [_state(guard)]
    for title, metric in (("FPR", FPR), ("recall", RECALL)):
        series = next(iter(worst_first(guard, metric)), None)
        if series is not None:
            counts = series.points[-1].counts
            where = f" {plain(series.population, _MOST_NAME)}" if named else ""
            said.append(f"{title}{where} {counts_said(counts.fpr if metric is FPR else counts.recall)}")
    return " | ".join(said)


def drawn(said: str, colour: str) -> str:
    """Draw a label and what is said; it needs no font and no network."""
    text = shown(said, _MOST_SAID)
    left, right = (round(len(words) * _LETTER + _PAD) for words in (LABEL, said[:_MOST_SAID]))
    font = 'font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" fill="#fff"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" '
        f'viewBox="0 0 {left + right} 20" role="img" '
        f'aria-label="{LABEL}: {text}"><title>{LABEL}: {text}</title>'
        f'<rect width="{left + right}" height="20" rx="3" fill="#3a424c"/>'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{right - 3}z" fill="{colour}"/>'
        f'<g {font} text-anchor="middle"><text x="{left / 2}" y="14" textLength="{left - 10}">{LABEL}</text>'
        f'<text x="{left + right / 2}" y="14" textLength="{right - 10}">{text}</text></g></svg>\n'
    )
