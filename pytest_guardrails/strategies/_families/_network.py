"""E-mail, IP and MAC addresses: those of documentation and test networks, that belong to nobody."""

from __future__ import annotations

from pytest_guardrails.strategies._families._recipes import (
    Words,
    any_of,
    first,
    formed,
    glued,
    joined,
    letters,
    made,
    number,
    phrase,
    phrases,
    word,
)
from pytest_guardrails.strategies._families._samples import Entity, found, twins
from pytest_guardrails.strategies._families._source import ALNUM, HEX, UPPER

EMAIL, IP, MAC = "EMAIL", "IP_ADDRESS", "MAC_ADDRESS"

# --- EMAIL: domains of RFC 2606 and RFC 6761

_FIRST = ("ana", "bo", "chen", "dara", "emre", "fatima", "gus", "hana", "ivo", "jun", "kemi", "leon", "mira", "noor")
_LAST = ("abara", "berg", "costa", "dahl", "eriksen", "fontaine", "garcia", "haddad", "ito", "jansen", "kovacs")
_ORDINARY = ("example.com", "example.org", "example.net", "mail.example", "shop.test", "eu.mail.example.com")
_UNUSUAL = ("xn--bcher-kva.example", "sub-domain.example.org", "a.b.c.example.net", "3.example.com")
_NAME = {"first": word(*_FIRST), "last": word(*_LAST), "Last": word(*map(str.title, _LAST))}
_ORDINARY_LOCAL = phrases("{first}", "{first}.{last}", "{first}_{last}", "{first}{year}", year=number(1, 2099), **_NAME)
_RARE_LOCAL = phrases(
    "{first}.{last}+{tag}", "{first}-{last}", "{first}%{last}", "O'{Last}", "{LAST}", tag=letters(ALNUM, 3),
    LAST=word(*map(str.upper, _LAST)), **_NAME,
)  # fmt: skip
_ADDRESS = phrases(
    *["{ordinary}@{domain}"] * 3, "{ordinary}@{unusual}", "{rare}@{domain}",
    ordinary=_ORDINARY_LOCAL, rare=_RARE_LOCAL, domain=word(*_ORDINARY), unusual=word(*_UNUSUAL),
)  # fmt: skip
_NO_ADDRESS = phrases(
    "@{first}",
    "@{first}_{last}",
    "{first}@",
    "{first}@localhost",
    "root@web{digit}:~$",
    "@{first}/core@{digit}.{two}.1",
    "{first}@{digit}.4.{digit}",
    "logo@{digit}x.png",
    "git@host.example:{first}/{last}.git",
    "java.lang.Object@{hash}",
    "{digit} @ {two}.99",
    "{{{first}}}@{{domain}}",
    "https://blog.example/@{first}/{two}",
    **_NAME,
    digit=number(1, 9),
    two=number(10, 99),
    hash=letters(HEX, 8),
)
_AROUND = (("", ""), ("<", ">"), ("mailto:", ""), ("e-mail: ", "."))


# Bare, in angle brackets, after mailto:, in a sentence.
_EMAILS = any_of(*(found(EMAIL, _ADDRESS, before, after) for before, after in _AROUND))

# --- IP_ADDRESS: RFC 5737, RFC 3849, and private networks

_NETWORKS = ("192.0.2", "198.51.100", "203.0.113", "10.20.30", "192.168.77", "172.16.254")


_IPV4 = joined(word(*_NETWORKS), ".", number(1, 254))
_GROUP, _PADDED, _UPPER = (number(1, 0xFFFF, form) for form in ("x", "04x", "X"))
_IPV6 = any_of(
    phrase("2001:db8::{a}", a=_GROUP),
    phrase("2001:db8:{a}::{a}", a=_GROUP),
    phrase("2001:db8:{a}:{a}:{a}:{a}:{a}:{a}", a=_GROUP),
    phrase("2001:0db8:{a}:{a}:{a}:{a}:{a}:{a}", a=_PADDED),
    phrase("2001:DB8:{a}:{a}:{a}:{a}:{a}:{a}", a=_UPPER),
)

_PORT = joined(":", number(80, 65535))
_IPS = any_of(
    any_of(found(IP, _IPV4), found(IP, _IPV4, "", _PORT), found(IP, _IPV4, "", joined("/", number(8, 32)))),
    any_of(found(IP, _IPV6), found(IP, _IPV6, "[", joined("]", _PORT))),
)

_OCTET, _TOO_MUCH = number(1, 254), number(256, 999)
_NOBODY = ("127.0.0.1", "0.0.0.0", "255.255.255.0", "255.255.255.255", "::1", "::")  # noqa: S104 - nothing listens
_OUTSIDE = any_of(
    phrase("{a}.{a}.{a}.{b}", a=_OCTET, b=_TOO_MUCH),
    phrase("{b}.{a}.{a}.{a}", a=_OCTET, b=_TOO_MUCH),
    phrase("2001:db8:{a}:{a}:{a}:{a}:{a}:g{b}", a=_GROUP, b=letters(HEX, 3)),
    word(*_NOBODY),
)
_REGROUPED = any_of(
    phrase("{a}.{b}", a=_IPV4, b=_OCTET),
    phrase("{a}.{a}.{a}", a=_OCTET),
    phrase("{a}:{b}:{b}", a=number(10, 23), b=number(10, 59)),
    phrase("2001::{a}::{a}", a=_GROUP),
    phrase("2001:db8:{a}:{a}:{a}:{a}:{a}:{a}:{a}", a=_GROUP),
)
_GLUED = phrases("{b}{a}", "{a}{b}", "{a}_{b}", a=_IPV4, b=letters(UPPER, 2))


# --- MAC_ADDRESS: RFC 7042's block for documentation, and locally administered ones


_LOCAL_MAC = joined(letters(HEX, 1), word(*"26ae"), letters(HEX, 10))
_MAC = any_of(joined("00005e0053", letters(HEX, 2)), _LOCAL_MAC)
_PAIRS = {separator: separator.join(["##"] * 6) for separator in ":-"}


def _in_both_cases(text: Words) -> Words:
    return any_of(text, made(str.upper, text))


def _in_pairs(address: Words) -> Words:
    return _in_both_cases(any_of(*(formed(form, address) for form in _PAIRS.values())))


_MACS = any_of(
    *(found(MAC, _in_both_cases(formed(form, _MAC))) for form in (*_PAIRS.values(), "####.####.####")),
    found(MAC, _in_both_cases(_MAC), "MAC "),
)
_MAC_REGROUPED = _in_both_cases(
    any_of(
        formed("##:##:##:##:##", first(10, _MAC)),
        formed("##-##-##-##-##-##-##", joined(_MAC, letters(HEX, 2))),
        formed("###-###-###-###", _MAC),
    )
)
_MAC_OUTSIDE = any_of(
    _in_pairs(joined(first(11, _MAC), word(*"ghkxz"))),
    word("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "FF-FF-FF-FF-FF-FF"),
)

ENTITIES = (
    Entity(EMAIL, "emails", _EMAILS, twins(EMAIL, syntax=_NO_ADDRESS)),
    Entity(IP, "ip_addresses", _IPS, twins(IP, grouping=_REGROUPED, range=_OUTSIDE, glued=_GLUED)),
    Entity(
        MAC,
        "mac_addresses",
        _MACS,
        twins(MAC, grouping=_MAC_REGROUPED, range=_MAC_OUTSIDE, glued=glued(_in_pairs(_MAC))),
    ),
)
