"""The badge: the newest state of the guards as a small SVG picture for a README."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_guardrails._stats import per_cent
from pytest_guardrails.dashboard._series import CASES, GuardHistory, Series
from pytest_guardrails.reporters._markup import shown

LABEL = "guardrails"
COLOURS = {"passed": "#1a6e35", "failed": "#b3261e", "untrusted": "#8a5000", "incomplete": "#8a5000"}
_GREY = "#545d68"
_WORST_FIRST = ("untrusted", "failed", "incomplete", "passed")
_LETTER, _PAD = 6.7, 14


def badge(guards: Sequence[GuardHistory]) -> str:
    """Return the badge of some guards: with one of them its false-positive rate too, as rates are not pooled."""
    states = [guard.newest.status for guard in guards]
    if not guards:
        return drawn("no run yet", _GREY)
    if len(guards) == 1:
        return drawn(_one(guards[0]), COLOURS.get(states[0], _GREY))
    worst = min(states, key=lambda state: _WORST_FIRST.index(state) if state in _WORST_FIRST else -1)
    number = states.count(worst)
    said = f"{len(guards)} {worst}" if number == len(guards) else f"{number} of {len(guards)} {worst}"
    return drawn(said, COLOURS.get(worst, _GREY))


def _one(guard: GuardHistory) -> str:
    past = guard.newest
    if past.status not in ("passed", "failed"):
        return past.status
    series = _rated(guard)
    if series is None:
        return past.status
    rate = series.points[-1].counts.fpr
    where = "" if series.population == CASES else f" {series.population}"
    return f"{past.status} | FPR{where} {per_cent(rate.value or 0.0)} ({rate.hits:,} of {rate.total:,})"


def _rated(guard: GuardHistory) -> Series | None:
    """Return the first population that the newest run measured on benign requests."""
    last = len(guard.pasts) - 1
    found = (s for s in guard.populations if s.points[-1].index == last and s.points[-1].counts.fpr.total)
    return next(found, None)


def drawn(said: str, colour: str) -> str:
    """Draw a label and what is said; it needs no font and no network."""
    text = shown(said, 60)
    left, right = (round(len(words) * _LETTER + _PAD) for words in (LABEL, said[:60]))
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
