"""Personal data and keys, assembled at run time so that no scanner finds any here, and the search for them."""

from __future__ import annotations

import base64
import gzip
import html
import itertools
import json
import re
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LOCAL, DOMAIN = "".join(("marisol", "quintanilla")), "".join(("canary", "mailbox"))
DIGITS = "".join(("5500", "0055", "5555", "5559"))
BODY = "".join(("Qz7Wm2", "Kp9Rt4", "Xv6Bn3", "Lc8Jd5"))

EMAIL = f"{LOCAL}@{DOMAIN}.example"
CARD = " ".join(DIGITS[start : start + 4] for start in range(0, 16, 4))
KEY = "-".join(("sk", "live", BODY))
PHRASE = " ".join(("my", "zebrawood", "unicycle"))  # no pattern finds it: a text is private whatever stands in it

# What must not be found, not even in part; digits in any grouping.
NEEDLES: Mapping[str, tuple[str, ...]] = {
    "e-mail": (LOCAL, DOMAIN),
    "card": (DIGITS[:8], DIGITS[8:], CARD[:9], CARD[10:], DIGITS[:8][::-1]),
    "key": (BODY[:12], BODY[12:]),
    "text": ("zebrawood", "unicycle"),
}
SECRET = f"{PHRASE} {EMAIL} {CARD} {KEY}"


def forms(needle: str) -> set[str]:
    """Return what a text looks like raw, reversed and in the encodings in which a report could hold it."""
    raw = needle.encode()
    found = {needle, needle[::-1], raw.hex(), raw.hex(" "), raw.hex(":")}
    found |= {"".join(f"\\u{ord(letter):04x}" for letter in needle), "".join(f"\\x{byte:02x}" for byte in raw)}
    found |= {"".join(f"&#{ord(letter)};" for letter in needle), "".join(f"&#x{ord(letter):x};" for letter in needle)}
    found |= {"".join(f"%{byte:02x}" for byte in raw)}
    found |= {base64.b32encode(raw).decode()[: len(raw) * 8 // 5]}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        core = encoded[(0, 2, 3)[offset] : len(encoded) - (0 if (offset + len(raw)) % 3 == 0 else 1)]
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return {form.casefold() for form in found}


_FORMS = {kind: set(itertools.chain(*map(forms, needles))) for kind, needles in NEEDLES.items()}
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{80,}={0,2}")


def _spellings(text: str) -> Iterator[str]:
    """Yield a text as it is, and as those read it who decode it: JSON, URL, HTML, compressed base64."""
    yield text
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    yield urllib.parse.unquote_plus(text)
    yield html.unescape(text)
    yield re.sub(r"(?<=[0-9])[ -]+(?=[0-9])", "", text) if "\n" not in text[:1] else text
    for blob in _BLOB.findall(text):
        whole = blob.rstrip("=").replace("-", "+").replace("_", "/")
        raw = base64.b64decode(whole[: len(whole) // 4 * 4])
        for opened in (gzip.decompress, zlib.decompress, lambda data: zlib.decompress(data, -15)):
            try:
                yield opened(raw).decode("utf-8", "replace")
            except (OSError, EOFError, zlib.error):
                continue


def leaks(text: str) -> list[str]:
    """Return which kinds of private data a text holds, in whatever spelling."""
    folded = [spelling.casefold() for spelling in _spellings(text)]
    return [kind for kind, known in _FORMS.items() if any(form in said for form in known for said in folded)]


def where(text: str, needles: Iterable[str], width: int = 60) -> list[str]:
    """Return what stands around each needle: for whoever reads a failed test."""
    found = []
    for needle in needles:
        at = text.casefold().find(needle.casefold())
        found += [text[max(0, at - width) : at + len(needle) + width]] if at >= 0 else []
    return found


def leaking_files(folder: Path, but: Iterable[str] = ()) -> dict[str, list[str]]:
    """Return the files under ``folder`` that hold private data, in content or name; ``but`` are left out."""
    left_out = tuple(but)
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name.startswith(left_out):
            continue
        kinds = leaks(path.read_bytes().decode("utf-8", "replace")) + [f"{kind} (its name)" for kind in leaks(name)]
        if kinds:
            found[name] = kinds
    return found


def quoted(text: str) -> str:
    """Return a text as YAML and JSON write it."""
    return json.dumps(text)
