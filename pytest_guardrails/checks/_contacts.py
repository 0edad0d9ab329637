"""E-mail addresses, IP addresses and phone numbers: iterators of spans."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from pytest_guardrails.checks._spans import WORD, Span, follows, glued, in_path

# --- EMAIL: the local part is read backwards from the @, so that a long run of letters is never scanned twice.

_NOT_LOCAL = re.compile(r"[^0-9A-Za-z\u00c0-\u052f_.%+'-]")
_DOMAIN = re.compile(
    r"(?:[0-9A-Za-z\u00c0-\u052f](?:[0-9A-Za-z\u00c0-\u052f-]{0,61}[0-9A-Za-z\u00c0-\u052f])?\.){1,6}"
    r"(?:xn--[0-9a-z-]{2,40}|[A-Za-z\u00c0-\u052f]{2,18})"
)
_NO_TLD = ("css", "gif", "html", "ico", "jpeg", "jpg", "js", "json", "pdf", "png", "svg", "txt", "webp", "xml", "yaml")


def emails(text: str) -> Iterator[Span]:
    at = text.find("@")
    while at >= 0:
        match = _DOMAIN.match(text, at + 1)
        if match:
            local = _NOT_LOCAL.split(text[max(0, at - 64) : at])[-1].lstrip(".'-")
            after = text[match.end() : match.end() + 1]
            remote = local == "git" and after in (":", "/")  # git@host:team/repository
            if _is_mailbox(local, match[0]) and after not in WORD and not remote:
                yield at - len(local), match.end()
        at = text.find("@", at + 1)


def _is_mailbox(local: str, domain: str) -> bool:
    *_, owner, top = domain.split(".")
    number = owner.rstrip("x")
    if number.isdigit() and len(number) < 3:
        return False  # logo@2x.min, package@1.26.post; but 163.com is a mail provider
    one_case = top.islower() or top.isupper() or top.istitle()  # else code: this@Activity.getString
    return bool(local) and not local.endswith(".") and ".." not in local and one_case and top.lower() not in _NO_TLD


# --- IP_ADDRESS

_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_IPV6 = re.compile(r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}")
_IP_CONTEXT = re.compile(r"(?:\b|_)(?:ips?|ipv4|address|addr|hosts?|server|dns|ping|gateway)(?:\b|_)", re.IGNORECASE)
_VERSION_CONTEXT = re.compile(
    r"(?:\b(?:version|release|firmware|build|driver|kernel|section|clause|chapter|oid|(?:up|down)graded?)"
    r"(?: (?:is|was|to|from|number|no\.?))?[\s:#='\"(]{0,3}|\bv\.? ?|[=<>~!]= ?)\Z",
    re.IGNORECASE,
)


def ips(text: str) -> Iterator[Span]:
    if "." in text:
        for match in _IPV4.finditer(text):
            if _is_ipv4(text, match):
                yield match.span()
    if ":" in text:
        for match in _IPV6.finditer(text):
            start, end = match.span()
            start += match[0].startswith(":") and not match[0].startswith("::")  # IP:2001:db8::1
            end -= match[0].endswith(":") and not match[0].endswith("::")
            if _is_ipv6(text[start:end]) and not glued(text, start, end):
                yield start, end


def _is_ipv4(text: str, match: re.Match[str]) -> bool:
    start, end = match.span()
    octets = match[0].split(".")
    if any(int(octet) > 255 or (octet[0] == "0" and octet != "0") for octet in octets):
        return False
    if int(octets[0]) in (0, 127) or int(octets[0]) > 223:
        return False  # unspecified, loopback, multicast, masks
    if len(match[0]) == 7 and not follows(_IP_CONTEXT, text, start):
        return False  # four single digits are more often a version or a section
    after = text[end : end + 2]
    if (after[:1] == "-" and after[1:].isalpha()) or in_path(text, start):
        return False  # 1.20.30.4-beta, nginx/1.20.30.4
    return not glued(text, start, end, "") and not follows(_VERSION_CONTEXT, text, start)


def _is_ipv6(candidate: str) -> bool:
    """True for an address, not for a clock time, a ratio, or code such as ``abc::def``."""
    groups = [group for group in candidate.split(":") if group]
    long_enough = len(groups) > 2 or (len(groups) > 0 and len(groups[0]) == 4)
    if not long_enough or not any(map(str.isdigit, candidate)):
        return False
    try:
        address = ipaddress.IPv6Address(candidate)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_multicast)


# --- PHONE: North America with separators, international with +, anything else only after a word such as "phone:".

_CODE = r"[2-9](?:[02-9][0-9]|1[02-9])"  # an area or an exchange: never N11, which is a service
_NANP = re.compile(
    rf"(?:(?:\+?1|001)[ .-]?)?(?:\({_CODE}\)[ -]?|{_CODE}[ .-]){_CODE}[ .-][0-9]{{4}}(?: ?(?:x|ext\.? ?)[0-9]{{1,6}})?"
    rf"|\+1{_CODE}{_CODE}[0-9]{{4}}"
)
_E164 = re.compile(r"\+[2-9][0-9]{8,14}|\+[2-9][0-9]{0,4}(?:(?: ?\([0-9]{1,4}\) ?|[ .-])[0-9]{1,10}){1,6}")
_LOCAL = re.compile(r"\+?\(?[0-9](?:[ .()-]{0,2}[0-9]){6,14}")
_PHONE_CONTEXT = re.compile(
    r"(?:\b(?:tel|mobile|cell|telephone|phone|telefon[eo]?|téléphone|teléfono|fax|whatsapp)"
    r"(?: ?(?:number|no\.?|nr\.?|#))?"
    r"|\b(?:call|text|ring|dial|reach)(?: (?:me|us|him|her|them))?(?: (?:at|on))?)(?: (?:is|was))?\W{0,3}\Z",
    re.IGNORECASE,
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}([.-])[0-9]{1,2}[.-](?:19|20)[0-9]{2}")


def phones(text: str) -> Iterator[Span]:
    for match in _NANP.finditer(text):
        if not glued(text, *match.span(), "-+") and text[match.start() - 1 : match.start()] != "+":
            yield match.span()
    if "+" in text:
        for match in _E164.finditer(text):
            if _is_international(match[0]) and not glued(text, *match.span(), "-+*="):
                yield match.span()
    for match in _LOCAL.finditer(text):
        if _is_local(match[0]) and follows(_PHONE_CONTEXT, text, match.start()) and not glued(text, *match.span()):
            yield match.span()


def _is_international(found: str) -> bool:
    digits = "".join(filter(str.isdigit, found))
    coordinate = found.count(".") == 1 and len(found) == len(digits) + 2  # +51.5073219
    return 9 <= len(digits) <= 15 and len(set(digits)) > 2 and not coordinate


def _is_local(found: str) -> bool:
    digits = "".join(filter(str.isdigit, found))
    bare = len(found) == len(digits)
    return not _DATE.fullmatch(found) and len(digits) >= (9 if bare else 7) and len(set(digits)) > 2
