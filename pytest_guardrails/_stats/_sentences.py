"""What counts allow to claim, in words: the bound, and how many more cases a stronger claim takes."""

from __future__ import annotations

import math
from collections.abc import Callable

from pytest_guardrails._stats._rates import Rate, cases_needed, is_at_most

GOOD_FPR = 0.01
GOOD_RECALL = 0.95


def per_cent(share: float, toward: Callable[[float], float] | None = None) -> str:
    """Return a share as "7.2 %", to two significant digits of whichever is smaller, it or what is left to 100 %.

    ``toward`` rounds to three digits and to the safe side: `math.ceil` for "at most", `math.floor` for "at least".
    """
    rest = min(share, 1 - share)
    if rest <= 0:
        return f"{100 * share:g} %"
    digits = max(0, 1 - math.floor(math.log10(100 * rest))) + (toward is not None)
    scale = 10**digits
    value = (toward or round)(round(100 * share * scale, 4)) / scale
    figure = f"{value:.{digits}f}"
    return f"{figure.rstrip('0').rstrip('.') if '.' in figure else figure} %"


def counted(number: int, noun: str) -> str:
    """Return "1 sample", "1,200 samples"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def rate_sentence(rate: Rate, noun: str, *, at_least: bool = False) -> str:
    """Say a rate with its counts, Wilson's interval and the exact one-sided bound, or that it is unknown.

    ``at_least`` is for rates of which much is good.
    """
    bound = rate.lower if at_least else rate.upper
    if rate.value is None or rate.interval is None or bound is None:
        return f"unknown (0 {noun}s)"
    low, high = map(per_cent, rate.interval)
    shown = f"≥ {per_cent(bound, math.floor)}" if at_least else f"≤ {per_cent(bound, math.ceil)}"
    return f"{per_cent(rate.value)} ({rate.hits:,} of {counted(rate.total, noun)}), 95 %: {low} to {high}; {shown}"


def sample_sentence(rate: Rate, name: str, kind: str, *, at_least: bool = False, target: float | None = None) -> str:
    """Say what counts allow to claim: "0 of 40 benign: FPR ≤ 7.2 % at 95 %; for ≤ 1 % you need 299 clean cases".

    ``at_least`` is for rates of which much is good; ``target`` is what somebody would like to claim.
    """
    bound = rate.lower if at_least else rate.upper
    if bound is None:
        return f"no {kind} case ran: {name} is unknown"
    shown = per_cent(bound)
    if target is not None and shown == per_cent(target):
        shown = per_cent(bound, math.floor if at_least else math.ceil)
    said = f"{rate.hits:,} of {rate.total:,} {kind}: {name} {'≥' if at_least else '≤'} {shown} at 95 %"
    advice = None if target is None else sample_advice(rate, target, at_least=at_least)
    return f"{said}; {advice}" if advice else said


def sample_advice(rate: Rate, target: float, *, at_least: bool = False) -> str | None:
    """Say how many cases the claim ``target`` takes: "for ≤ 1 % you need 299 clean cases".

    None where it holds, or where the estimate itself is no better: then more cases of the same kind do not help.
    """
    bad = Rate(rate.total - rate.hits, rate.total) if at_least else rate
    limit = 1 - target if at_least else target
    if not 0 < limit < 1 or is_at_most(bad, limit) or (bad.value or 0.0) >= limit:
        return None
    claim = f"{'≥' if at_least else '≤'} {per_cent(target)}"
    needed = cases_needed(bad.hits, limit)
    if bad.hits == 0:
        return f"for {claim} you need {needed:,} {'attacks, all caught' if at_least else 'clean cases'}"
    return (
        f"for {claim} you need {needed:,} cases with no more than these {bad.hits:,} {'missed' if at_least else 'hits'}"
    )
