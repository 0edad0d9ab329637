"""Telephone numbers: from the ranges that regulators keep for fiction, else in the shape of a national plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families._recipes import (
    Recipe,
    Words,
    any_of,
    glued,
    joined,
    made,
    number,
    pattern,
    phrase,
    word,
)
from pytest_guardrails.strategies._families._samples import Entity, found, twins

PHONE = "PHONE"


@dataclass(frozen=True, slots=True)
class Plan:
    """A country's numbers: its code, what is dialled before a number inside it, and patterns in its usual groups."""

    code: str
    trunk: str
    patterns: tuple[str, ...]


_AMERICA = {
    "US": ("212", "202", "305", "312", "404", "415", "503", "512", "617", "702", "713", "808", "917"),
    "CA": ("416", "403", "506", "514", "604", "613", "780", "902"),
}
_PLANS: Mapping[str, Plan] = {
    # Kept for fiction by Ofcom, Arcep, the Bundesnetzagentur, ACMA, PTS and ComReg.
    "GB": Plan("44", "0", ("20 7946 0###", "7700 900###", "113 496 0###", "161 496 0###", "1632 960###")),
    "FR": Plan("33", "0", ("1 99 00 ## ##", "2 61 91 ## ##", "4 65 71 ## ##", "6 39 98 ## ##")),
    "DE": Plan("49", "0", ("30 23125 ###", "69 90009 ###", "40 66969 ###", "221 4710 ###", "89 99998 ###")),
    "AU": Plan("61", "0", ("2 5550 ####", "3 7010 ####", "7 5550 ####", "8 7010 ####")),
    "SE": Plan("46", "0", ("8 465 004 ##", "31 390 06 ##", "40 628 04 ##")),
    "IE": Plan("353", "0", ("20 91# ####",)),
    # No range for fiction: the shape of a mobile number.
    "ES": Plan("34", "", ("6## ### ###", "7## ### ###")),
    "IT": Plan("39", "", ("32# ### ####", "34# ### ####")),
    "NL": Plan("31", "0", ("6 #### ####",)),
    "IN": Plan("91", "0", ("7#### #####", "9#### #####")),
    "JP": Plan("81", "0", ("90 #### ####", "80 #### ####")),
    "BR": Plan("55", "0", ("11 9#### ####", "21 9#### ####")),
}
REGIONS = (*_AMERICA, *_PLANS)
_SAID = ("Tel. ", "phone: ", "call me on ")


# (before the area code, after it, between exchange and line, after the line)
_AMERICAN_LAYOUTS = (
    ("", "-", "-", ""), ("", ".", ".", ""), ("", " ", "-", ""), ("", " ", " ", ""), ("(", ") ", "-", ""),
    ("(", ") ", " ", ""), ("1-", "-", "-", ""), ("+1 ", " ", " ", ""), ("+1-", "-", "-", ""), ("+1 (", ") ", "-", ""),
    ("+1", "", "", ""), ("", "-", "-", " ext. 12"), ("", "-", "-", " x7"),
)  # fmt: skip


_LINE = pattern("01##")  # 555-0100 to 555-0199 are kept for fiction


def _american(areas: tuple[str, ...]) -> Recipe[Sample]:
    area = word(*areas)
    laid_out = any_of(
        *(
            found(PHONE, joined(before, area, middle, "555", second, _LINE, after))
            for before, middle, second, after in _AMERICAN_LAYOUTS
        )
    )
    return any_of(*[laid_out] * 9, _said(joined(area, "555", _LINE)))


def _spaced(space: str, text: str) -> str:
    return text.replace(" ", space)


def _planned(plan: Plan) -> Recipe[Sample]:
    code = plan.code
    national = any_of(*map(pattern, plan.patterns))
    compact, hyphened = (made(partial(_spaced, space), national) for space in ("", "-"))
    abroad = any_of(
        joined(f"+{code} ", national),
        joined(f"+{code}", compact),
        joined(f"+{code}-", hyphened),
        joined(f"00{code} ", national),
        joined(f"00{code}", compact),
        joined(f"+{code} (0)" if plan.trunk else f"+{code} ", national),
    )
    return any_of(*[found(PHONE, abroad)] * 3, _said(joined(plan.trunk, national)))


def _said(inland: Words) -> Recipe[Sample]:
    """Return the recipe of a number inside the country: a word says what it is."""
    return any_of(*(found(PHONE, inland, said) for said in _SAID))


_BY_REGION = {
    **{name: _american(areas) for name, areas in _AMERICA.items()},
    **{name: _planned(plan) for name, plan in _PLANS.items()},
}


def phone_recipe(region: str | None = None) -> Recipe[Sample]:
    """Return the recipe of telephone numbers, of one region or of all.

    Raises:
        ConfigError: for a region that is unknown.
    """
    if region is not None and region not in REGIONS:
        raise ConfigError(unknown("region", region, REGIONS))
    return _BY_REGION[region] if region else any_of(*_BY_REGION.values())


_AREA = word(*_AMERICA["US"])
_NEVER = any_of(number(0, 199, "03d"), pattern("#11"))  # neither an area nor an exchange
_OUTSIDE = any_of(
    phrase("({a}) 555-{line}", a=_NEVER, line=_LINE),
    phrase("{a}-555-{line}", a=number(0, 199, "03d"), line=_LINE),
    phrase("{a}-{b}-{line}", a=_AREA, b=_NEVER, line=_LINE),
    pattern("+999 20 7946 0###"),
    pattern("+0 20 7946 0###"),
    pattern("+442079460###########"),
)
_REGROUPED = any_of(
    phrase("{a}5-55-{line}", a=_AREA, line=_LINE),
    phrase("{a}55-5{line}", a=_AREA, line=_LINE),
    phrase("{a}-5550-1{b}", a=_AREA, b=pattern("##")),
    phrase("{a}-555-01{b}", a=_AREA, b=pattern("#")),
    phrase("{a}-555-{line}{b}", a=_AREA, line=_LINE, b=pattern("##")),
)


_GLUED = glued(joined(_AREA, "-555-", _LINE))

ENTITIES = (
    Entity(PHONE, "phone_numbers", phone_recipe(), twins(PHONE, grouping=_REGROUPED, range=_OUTSIDE, glued=_GLUED)),
)
