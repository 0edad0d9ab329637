"""The site as a whole: its pages, its links, what hostile histories do to it."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history import Past
from pytest_guardrails.dashboard import Site, Sources, build
from pytest_guardrails.dashboard._series import slug

MakePast = Callable[..., Past]
MakeSources = Callable[..., Sources]

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "\u202egnp.exe\u200b\u2028\u2029",
    "\x1b]0;title\x07\x00\x7f",
    '=HYPERLINK("http://x.example")',
    "lone \ud800 surrogate",
    "]]><!--",
    "../../../etc/passwd",
    "x" * 5_000,
    "",
)


class Page(HTMLParser):
    """What a browser would find in a page: tags with their attributes, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))


def pages(site: Site) -> dict[str, Page]:
    """Return the parsed HTML pages of a site."""
    return {
        name: Page(content.decode())
        for name, content in site.items()
        if name.endswith(".html") and isinstance(content, bytes)
    }


def test_a_history_is_a_page_per_guard_and_population(
    sources: MakeSources, past: MakePast, counts: Callable[..., FrozenDict]
) -> None:
    """An index, and per guard a page, a badge, a CSV, a comparison, and a page per population; every link is there."""
    both = FrozenDict({"cases": counts(), "airline": counts()})
    site, problems = build(sources([past(0, populations=both), past(1, guard="b.yaml")]))
    a, b = slug("guard.yaml"), slug("b.yaml")
    assert problems == []
    assert set(site) == {
        "index.html", "badge.svg",
        *(f"{guard}{end}" for guard in (a, b) for end in (".html", ".svg", ".csv", ".compare.html")),
        f"{a}.{slug('cases')}.html", f"{a}.{slug('airline')}.html", f"{b}.{slug('cases')}.html",
    }  # fmt: skip
    for found in pages(site).values():
        links = [attrs["href"] for tag, attrs in found.tags if tag == "a"]
        assert [link for link in links if link not in site and link != "#main"] == []


def test_a_site_is_the_same_each_time(sources: MakeSources, past: MakePast) -> None:
    """Nothing of the clock or of the machine is in it, so that publishing it again changes nothing."""
    source = sources([past(0), past(1, "2")])
    assert build(source) == build(source)


def test_no_page_loads_anything(sources: MakeSources, past: MakePast) -> None:
    """The policy allows nothing but the page's own style and script; no element names another address."""
    site, _ = build(sources([past(0), past(1, "2")]))
    for found in pages(site).values():
        (policy,) = (str(attrs["content"]) for tag, attrs in found.tags if attrs.get("http-equiv"))
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert "connect-src" not in policy
        assert not {tag for tag, _ in found.tags} & {"img", "link", "iframe", "object", "base"}
        assert not [attrs for _, attrs in found.tags if {"src", "style", "onclick"} & set(attrs)]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_shown_and_do_nothing(
    sources: MakeSources, past: MakePast, counts: Callable[..., FrozenDict], text: str
) -> None:
    """In every field of a line: the tags are those of a harmless history, pictures parse, the island is JSON."""

    def fields(name: str) -> dict[str, Any]:
        rails = FrozenDict({name: FrozenDict({name: FrozenDict({"true_positive": 1})})})
        populations = FrozenDict({name: counts()})
        return {"commit": name, "suite": name, "guard": name, "status": name} | {
            "populations": populations, "guardrails": rails,
        }  # fmt: skip

    hostile, problems = build(sources([past(0, text, **fields(text)), past(1, text + "2", **fields(text))]))
    harmless, _ = build(sources([past(0, "a", **fields("a")), past(1, "a2", **fields("a"))]))
    assert problems == []
    assert [_shape(page) for page in pages(hostile).values()] == [_shape(page) for page in pages(harmless).values()]
    for name, content in hostile.items():
        assert re.fullmatch(r"[a-z0-9.-]+", name)
        assert isinstance(content, bytes)
        shown = content.decode()
        assert not set(shown) & set("\u202e\u200b\u2028\u2029\x1b\x07\x00\x7f")
        if name.endswith(".svg"):
            ET.fromstring(shown)  # noqa: S314 - our own text
        if name.endswith(".compare.html"):
            island = shown.partition('id="data">')[2].partition("</script>")[0]
            assert len(json.loads(island)["versions"]) == 2
        if name.endswith(".csv"):
            rows = list(csv.reader(io.StringIO(shown)))
            assert len({len(row) for row in rows}) == 1
            assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def _shape(page: Page) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attrs)) for tag, attrs in page.tags]


def test_lines_that_cannot_be_read_are_told(sources: MakeSources, past: MakePast) -> None:
    """A torn line, and one with a nonsense time, count or type, are named on the first page; the others are drawn."""
    source = sources([past(0)])
    assert isinstance(source.history, Path)
    good = json.loads(source.history.read_text())
    bad = [
        {**good, "time": "yesterday"},
        {**good, "guard": ["x"]},
        {**good, "populations": {"cases": {"error": -1}}},
        {**good, "populations": {"cases": {"p95_s": 1e400}}},
        {**good, "populations": {"cases": {"true_positive": 10**400}}},
        {**good, "guardrails": [1]},
        {**good, "time": "0001-01-01T00:00:00+23:00"},
    ]
    with source.history.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in bad)
        file.write('{"schema": "pytest-gu')
    site, problems = build(source)
    assert [problem.split(": ")[0] for problem in problems] == [f"history.jsonl:{n}" for n in range(2, 10)]
    index = site["index.html"]
    assert isinstance(index, bytes)
    assert b"history.jsonl:9: cut off" in index
    assert b"1 guard, 1 run" in index


def test_an_empty_history_is_a_page_and_a_missing_one_an_error(sources: MakeSources, tmp_path: Path) -> None:
    """Nothing has run yet, or the name is wrong: two things."""
    site, _ = build(sources([]))
    assert set(site) == {"index.html", "badge.svg"}
    assert b"no run yet" in bytes(site["badge.svg"])
    with pytest.raises(ConfigError, match=r"nowhere.jsonl: cannot read the history: No such file"):
        build(Sources(tmp_path / "nowhere.jsonl", "nowhere.jsonl"))


def test_the_csv_has_every_run(sources: MakeSources, past: MakePast) -> None:
    """Pictures are thinned, the download is not: each run and population is a row, with rates and intervals."""
    pasts = [past(0, time=f"2026-03-01T{i // 60:02}:{i % 60:02}:00") for i in range(700)]
    site, _ = build(sources(pasts))
    rows = list(csv.DictReader(io.StringIO(bytes(site[f"{slug('guard.yaml')}.csv"]).decode())))
    assert [row["time"] for row in rows] == [line.time for line in pasts]
    assert (rows[0]["fpr"], rows[0]["fpr_low_95"], rows[0]["population"]) == ("0.025", "0.004427", "cases")


def test_pages_stay_small(sources: MakeSources, past: MakePast, counts: Callable[..., FrozenDict]) -> None:
    """Thousands of runs, hundreds of versions and dozens of guardrails: no page reaches a megabyte."""
    rails = FrozenDict({"cases": FrozenDict({f"before_request/{n}": counts() for n in range(40)})})
    pasts = [
        past(0, f"{i // 2} (x)", time=f"2026-03-01T{i // 60:02}:{i % 60:02}:00", guardrails=rails) for i in range(1_000)
    ]
    site, _ = build(sources(pasts))
    assert max(len(content) for name, content in site.items() if name.endswith(".html")) < 1_000_000  # type: ignore[arg-type]


def test_more_guards_than_pages_are_told(sources: MakeSources, past: MakePast) -> None:
    """A history of too many guards has pages of the newest, and says so."""
    _, problems = build(sources([past(i, guard=f"g{i}") for i in range(203)]))
    assert problems == ["3 guards that ran longest ago have no page"]
