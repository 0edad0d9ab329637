"""E-mail, IP and MAC addresses: those of documentation and test networks, that belong to nobody."""

from __future__ import annotations

from pytest_guardrails._model import Sample
from pytest_guardrails.strategies._families._source import (
    ALNUM,
    HEX,
    UPPER,
    Entity,
    Source,
    Words,
    any_of,
    found,
    glued,
    letters,
    number,
    phrase,
    phrases,
    twins,
    word,
)

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


def emails(source: Source) -> Sample:
    """Draw a mailbox as people write it: bare, in angle brackets, after ``mailto:``."""
    return found(EMAIL, _ADDRESS(source), *source.choice(_AROUND))


# --- IP_ADDRESS: RFC 5737, RFC 3849, and private networks

_NETWORKS = ("192.0.2", "198.51.100", "203.0.113", "10.20.30", "192.168.77", "172.16.254")


def _ipv4(source: Source) -> str:
    return f"{source.choice(_NETWORKS)}.{source.integer(1, 254)}"


_GROUP, _PADDED, _UPPER = (number(1, 0xFFFF, form) for form in ("x", "04x", "X"))
_IPV6 = any_of(
    phrase("2001:db8::{a}", a=_GROUP),
    phrase("2001:db8:{a}::{a}", a=_GROUP),
    phrase("2001:db8:{a}:{a}:{a}:{a}:{a}:{a}", a=_GROUP),
    phrase("2001:0db8:{a}:{a}:{a}:{a}:{a}:{a}", a=_PADDED),
    phrase("2001:DB8:{a}:{a}:{a}:{a}:{a}:{a}", a=_UPPER),
)


_PORT = phrase(":{port}", port=number(80, 65535))
_AFTER_IPV4 = any_of(word(""), _PORT, phrase("/{length}", length=number(8, 32)))


def ip_addresses(source: Source) -> Sample:
    """Draw an address of version 4 or 6: bare, with a port or a network's length, in brackets."""
    if source.choice((4, 6)) == 4:
        return found(IP, _ipv4(source), "", _AFTER_IPV4(source))
    if source.choice((True, False)):
        return found(IP, _IPV6(source))
    return found(IP, _IPV6(source), "[", f"]{_PORT(source)}")


_OCTET, _TOO_MUCH = number(1, 254), number(256, 999)
_NOBODY = ("127.0.0.1", "0.0.0.0", "255.255.255.0", "255.255.255.255", "::1", "::")  # noqa: S104 - nothing listens
_OUTSIDE = any_of(
    phrase("{a}.{a}.{a}.{b}", a=_OCTET, b=_TOO_MUCH),
    phrase("{b}.{a}.{a}.{a}", a=_OCTET, b=_TOO_MUCH),
    phrase("2001:db8:{a}:{a}:{a}:{a}:{a}:g{b}", a=_GROUP, b=letters(HEX, 3)),
    word(*_NOBODY),
)
_REGROUPED = any_of(
    phrase("{a}.{b}", a=_ipv4, b=_OCTET),
    phrase("{a}.{a}.{a}", a=_OCTET),
    phrase("{a}:{b}:{b}", a=number(10, 23), b=number(10, 59)),
    phrase("2001::{a}::{a}", a=_GROUP),
    phrase("2001:db8:{a}:{a}:{a}:{a}:{a}:{a}:{a}", a=_GROUP),
)
_GLUED = phrases("{b}{a}", "{a}{b}", "{a}_{b}", a=_ipv4, b=letters(UPPER, 2))


# --- MAC_ADDRESS: RFC 7042's block for documentation, and locally administered ones


def _mac(source: Source) -> str:
    return f"00005e0053{source.string(HEX, 2)}" if source.choice((True, False)) else _local_mac(source)


def _local_mac(source: Source) -> str:
    return f"{source.choice(HEX)}{source.choice('26ae')}{source.string(HEX, 10)}"


def _written(source: Source, digits: str, size: int, separator: str) -> str:
    text = separator.join([digits[start : start + size] for start in range(0, len(digits), size)])
    return source.choice((text, text.upper()))


_MAC_LAYOUTS = ((2, ":", ""), (2, "-", ""), (4, ".", ""), (12, "", "MAC "))


def mac_addresses(source: Source) -> Sample:
    """Draw an address in pairs, in Cisco's groups of four, or bare after a word."""
    size, separator, said = source.choice(_MAC_LAYOUTS)
    return found(MAC, _written(source, _mac(source), size, separator), said)


_MAC_REGROUPED: Words = any_of(
    lambda source: _written(source, _mac(source)[:10], 2, ":"),
    lambda source: _written(source, _mac(source) + source.string(HEX, 2), 2, "-"),
    lambda source: _written(source, _mac(source), 3, "-"),
)
_MAC_OUTSIDE: Words = any_of(
    lambda source: _written(source, f"{_mac(source)[:-1]}{source.choice('ghkxz')}", 2, source.choice(":-")),
    word("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "FF-FF-FF-FF-FF-FF"),
)


def _mac_glued(source: Source) -> str:
    return glued(source, _written(source, _mac(source), 2, source.choice(":-")))


ENTITIES = (
    Entity(EMAIL, "emails", emails, twins(EMAIL, syntax=_NO_ADDRESS)),
    Entity(IP, "ip_addresses", ip_addresses, twins(IP, grouping=_REGROUPED, range=_OUTSIDE, glued=_GLUED)),
    Entity(
        MAC, "mac_addresses", mac_addresses, twins(MAC, grouping=_MAC_REGROUPED, range=_MAC_OUTSIDE, glued=_mac_glued)
    ),
)
