"""A page of the site: its frame with a strict policy, and the few elements that all pages share.

Every name and text of a history is hostile: it reaches the page through `shown` alone, or as JSON that the script of
the comparison reads with ``textContent``. Style and scripts are allowed by their hashes, and nothing else is.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterable, Sequence
from importlib.resources import files

from pytest_guardrails.reporters._markup import shown

STATES = ("passed", "failed", "untrusted", "incomplete")
VERSION_FILE = "version.json"
_BEFORE_UNIT = re.compile(r"(?<=[0-9]) (?=%|ms|s\b|µs)")


def page(title: str, body: Iterable[str], *, live: bool, script: str = "", data: str = "") -> bytes:
    """Return a whole page; ``script`` names a file of this folder, ``data`` is JSON for it, ``live`` pages reload."""
    style = _asset("dashboard.css")
    scripts = [_asset(name) for name in (script, "live.js" if live else "") if name]
    allowed = " ".join(f"'{_hash(text)}'" for text in scripts) or "'none'"
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {allowed}; base-uri 'none'; form-action 'none'"
    )
    policy += "; connect-src 'self'" if live else ""
    island = f'<script type="application/json" id="data">{_inert(data)}</script>\n' if data else ""
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        '<meta name="generator" content="pytest-guardrails dashboard">\n'
        f"<title>{shown(title)}</title>\n<style>{style}</style>\n{island}</head>\n<body>\n"
        + "\n".join(body)
        + "".join(f"\n<script>{text}</script>" for text in scripts)
        + "\n</body>\n</html>\n"
    )
    return text.encode("utf-8", "backslashreplace")


@functools.cache
def _asset(name: str) -> str:
    return files("pytest_guardrails.dashboard").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _hash(block: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()


def _inert(data: str) -> str:
    """Return JSON that cannot end its element, nor a line of a script."""
    for letter in "<>&\u2028\u2029":
        data = data.replace(letter, f"\\u{ord(letter):04x}")
    return data


def name(text: str) -> str:
    """Return a name, apart from its surroundings whichever way it is written."""
    return f"<bdi>{shown(text) or '(no name)'}</bdi>"


def figure(said: str) -> str:
    """Return a figure in words, in which no line ends between a number and its unit."""
    return _BEFORE_UNIT.sub("&nbsp;", shown(said))


def link(target: str, inner: str) -> str:
    """Return a link to a file of the site; ``inner`` is markup."""
    return f'<a href="{shown(target, 2_000)}">{inner}</a>'


def status(state: str) -> str:
    """Return the state of a run, in words and colour."""
    return f'<span class="state {state if state in STATES else "other"}">{shown(state)}</span>'


def head(trail: Sequence[tuple[str, str]], title: str, lines: Iterable[str]) -> list[str]:
    """Return the head of a page: the way to it (files and their markup), its title and a few lines, all markup."""
    way = " › ".join(link(target, inner) for target, inner in trail)
    nav = f'<nav aria-label="Where this is">{way}</nav>' if way else ""
    said = "".join(f"<p>{line}</p>" for line in lines)
    return [f'<header><a class="skip" href="#main">Skip to the figures</a>{nav}<h1>{title}</h1>{said}</header>']


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table that scrolls by itself; cells are markup, the first is the row's name.

    Each cell knows its head, since a phone shows a row as a card.
    """
    top = "".join(f'<th scope="col">{shown(text)}</th>' for text in heads)
    marks = [f' data-head="{shown(text)}"' if text else "" for text in heads[1:]]
    lines = []
    for row in rows:
        cells = "".join(f"<td{mark}><div>{cell}</div></td>" for mark, cell in zip(marks, row[1:], strict=True))
        lines.append(f'<tr><th scope="row">{row[0]}</th>{cells}</tr>')
    label = shown(caption)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}"><table><caption>{label}</caption>'
        f"<thead><tr>{top}</tr></thead>\n<tbody>{''.join(lines)}</tbody></table></div>"
    )


def folded(parts: Sequence[str], most: int, more: str) -> list[str]:
    """Return parts with those after the first ``most`` folded away, under ``more``."""
    rest = parts[most:]
    return [*parts[:most], f"<details><summary>{more}</summary>", *rest, "</details>"] if rest else list(parts)


def long_table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> list[str]:
    """Return a table, with what comes after its first ``most`` rows folded away."""
    parts = [part for part in (rows[:most], rows[most:]) if part]
    tables = [table(said, heads, part) for said, part in zip((caption, f"{caption}: older"), parts, strict=False)]
    return folded(tables, 1, f"{len(rows) - most:,} older")


def section(title: str, parts: Iterable[str]) -> list[str]:
    """Return a section; nothing where it has no parts."""
    inside = list(parts)
    return [f"<section><h2>{title}</h2>", *inside, "</section>"] if inside else []
