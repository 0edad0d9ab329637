"""Telephone numbers: from the ranges that regulators keep for fiction, else in the shape of a national plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families._source import (
    Entity,
    Recipe,
    Source,
    any_of,
    found,
    glued,
    number,
    one_of,
    pattern,
    phrase,
    twins,
    word,
)

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


def phone_recipe(region: str | None = None) -> Recipe:
    """Return the recipe of telephone numbers, of one region or of all."""
    if region is not None and region not in REGIONS:
        raise ConfigError(unknown("region", region, REGIONS))
    return _region(region) if region else one_of([_region(name) for name in REGIONS])


def _region(name: str) -> Recipe:
    return _american(_AMERICA[name]) if name in _AMERICA else _planned(_PLANS[name])


# (before the area code, after it, between exchange and line, after the line)
_AMERICAN_LAYOUTS = (
    ("", "-", "-", ""), ("", ".", ".", ""), ("", " ", "-", ""), ("", " ", " ", ""), ("(", ") ", "-", ""),
    ("(", ") ", " ", ""), ("1-", "-", "-", ""), ("+1 ", " ", " ", ""), ("+1-", "-", "-", ""), ("+1 (", ") ", "-", ""),
    ("+1", "", "", ""), ("", "-", "-", " ext. 12"), ("", "-", "-", " x7"),
)  # fmt: skip


def _american(areas: tuple[str, ...]) -> Recipe:
    def phone(source: Source) -> Sample:
        area, line = source.choice(areas), f"01{source.digits(2)}"  # 555-0100 to 555-0199 are kept for fiction
        if source.integer(0, 9) == 9:
            return found(PHONE, f"{area}555{line}", source.choice(_SAID))
        before, first, second, after = source.choice(_AMERICAN_LAYOUTS)
        return found(PHONE, f"{before}{area}{first}555{second}{line}{after}")

    return phone


def _planned(plan: Plan) -> Recipe:
    patterns = any_of(*map(pattern, plan.patterns))

    def phone(source: Source) -> Sample:
        national = patterns(source)
        if source.integer(0, 3) == 3:  # inside the country: a word says what it is
            return found(PHONE, plan.trunk + national, source.choice(_SAID))
        optional = f"+{plan.code} (0){national}" if plan.trunk else f"+{plan.code} {national}"
        compact, hyphens = national.replace(" ", ""), national.replace(" ", "-")
        code = plan.code
        return found(
            PHONE,
            source.choice(
                (
                    f"+{code} {national}",
                    f"+{code}{compact}",
                    f"+{code}-{hyphens}",
                    f"00{code} {national}",
                    f"00{code}{compact}",
                    optional,
                )
            ),
        )

    return phone


_AREA, _LINE = word(*_AMERICA["US"]), pattern("01##")
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


def _glued(source: Source) -> str:
    return glued(source, f"{_AREA(source)}-555-{_LINE(source)}")


ENTITIES = (
    Entity(PHONE, "phone_numbers", phone_recipe(), twins(PHONE, grouping=_REGROUPED, range=_OUTSIDE, glued=_glued)),
)
