"""The pages in Chromium: on a phone, in the dark, on paper, with hostile names, and following their history."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._history import Past
from pytest_guardrails._history._log import append, line_of
from pytest_guardrails.dashboard import Sources, build
from pytest_guardrails.dashboard._series import slug
from pytest_guardrails.dashboard._serve import serve
from pytest_guardrails.dashboard._write import write

MakePast = Callable[..., Past]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
EVIL = (
    "</script><img src=x onerror=alert(1)><svg/onload=alert(2)> \" onmouseover=alert(3) x='",
    "\u202eright to left \u200bzero width\u2060 \x1b[31mred\x07 \ud800 nul\x00",
    "unbroken" * 40,
    "${alert(4)} {{alert(5)}} javascript:alert(6) <!-- ]]>",
)
_CONTRAST = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const found = numbers(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const node of document.querySelectorAll("body *:not(script):not(style):not(svg *)")) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    const [one, two] = [light(numbers(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) low.push([node.outerHTML.slice(0, 80), ratio]);
  }
  return low;
}"""


@pytest.fixture(scope="module")  # not longer: while Playwright runs, no other test can have an event loop of its own
def browser() -> Iterator[Any]:
    """Chromium; the tests are skipped where it, or Playwright, is not there."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (the extra 'browser')")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@dataclass
class Watched:
    """A page, and what it said, opened or asked for beyond itself."""

    page: Any
    wrong: list[str] = field(default_factory=list)


@pytest.fixture
def watch(browser: Any) -> Iterator[Callable[..., Watched]]:
    """Open a page that tells on itself."""
    contexts = []

    def open_it(url: str, own: str = "file:", **options: Any) -> Watched:
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        watched = Watched(context.new_page())
        page, wrong = watched.page, watched.wrong
        page.on("console", lambda said: wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: None if asked.url.startswith(own) else wrong.append(asked.url))
        page.goto(url)
        return watched

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture
def pages(
    sources: Callable[..., Sources], past: MakePast, counts: Callable[..., FrozenDict], tmp_path: Path
) -> dict[str, str]:
    """Write a site of 40 runs in 20 versions under hostile names; return its pages."""
    lines = []
    for day in range(40):
        evil = EVIL[day // 2 % len(EVIL)]
        names = ("cases", *EVIL)
        populations = FrozenDict({name: counts(fp=day % 5, tn=40) for name in names})
        guardrails = FrozenDict({name: FrozenDict({f"before_request/{evil}": counts()}) for name in names})
        given = {"guard": EVIL[0], "suite": evil, "status": EVIL[1] if day == 39 else "passed"}
        lines.append(past(day, f"{day // 2} {evil}", populations=populations, guardrails=guardrails, **given))
    site, _ = build(sources(lines))
    write(site, tmp_path / "site")
    guard = slug(EVIL[0])
    found = {"first": "index", "guard": guard, "versions": f"{guard}.compare"}
    found |= {"cases": f"{guard}.{slug('cases')}", "hostile": f"{guard}.{slug(EVIL[0])}"}
    return {kind: (tmp_path / "site" / f"{name}.html").as_uri() for kind, name in found.items()}


def test_a_phone_shows_everything_without_scrolling_sideways(
    pages: dict[str, str], watch: Callable[..., Watched]
) -> None:
    """No page is wider than the phone; a row is a card whose figures have their heads; nothing hostile ran."""
    for kind, url in pages.items():
        shown = watch(url, viewport=PHONE)
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], kind
        wide = "[...document.querySelectorAll('.wide')].filter((n) => n.scrollWidth > n.clientWidth + 1).length"
        assert shown.page.evaluate(wide) == 0, kind
        assert shown.wrong == [], kind
    card = watch(pages["guard"], viewport=PHONE).page.locator("td[data-head=recall]").first
    assert card.evaluate("(node) => getComputedStyle(node, '::before').content") == '"recall"'


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(pages: dict[str, str], watch: Callable[..., Watched], scheme: str) -> None:
    """WCAG's contrast of 4.5 between each text and its ground, by day and by night; the two differ."""
    for kind, url in pages.items():
        shown = watch(url, color_scheme=scheme)
        assert shown.page.evaluate(_CONTRAST) == [], kind
        ground = shown.page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ground')")
        assert ground.strip() == {"light": "#ffffff", "dark": "#14171b"}[scheme]


def test_paper_is_white_and_has_no_form(pages: dict[str, str], watch: Callable[..., Watched]) -> None:
    """Also where the screen is dark; a row stays a row, and nothing is cut off at the side."""
    for kind, url in pages.items():
        page = watch(url, color_scheme="dark", viewport={"width": 680, "height": 900}).page
        page.emulate_media(media="print")
        assert page.evaluate(_CONTRAST) == [], kind
        assert (
            page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ground')").strip() == "#fff"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 680, kind
        assert page.locator("form:visible").count() == 0
        assert page.evaluate(
            "[...document.querySelectorAll('tr')].every((n) => getComputedStyle(n).display != 'block')"
        )


def test_older_ones_are_folded_away(pages: dict[str, str], watch: Callable[..., Watched]) -> None:
    """The newest changes, versions and runs are open, the older ones a key press away."""
    page = watch(pages["guard"]).page
    assert page.locator("article:visible").count() == 5
    page.locator("summary", has_text="14 older").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("article:visible").count() == 19


def test_two_open_pages_follow_the_history(
    sources: Callable[..., Sources], past: MakePast, watch: Callable[..., Watched]
) -> None:
    """A run that arrives is on both; so is what a merge conflict left, told with its line; a rotated file too."""
    source = sources([past(0, "1 (one)")])
    assert isinstance(source.history, Path)
    server, _ = serve(source, 0)
    own = f"http://127.0.0.1:{server.port}/"
    try:
        views = [watch(own, own), watch(f"{own}{slug('guard.yaml')}.html", own)]
        append(source.history, past(1, "2 (two)"))
        for view in views:
            view.page.get_by_text(re.compile(r"2 \(two\)")).first.wait_for()
        lines = [line_of(past(day, f"{day + 1} (merged)")) for day in (1, 2)]
        aside = source.history.with_suffix(".new")
        aside.write_text(f"<<<<<<< ours\n{lines[0]}\n=======\n{lines[1]}\n>>>>>>> theirs\n")
        aside.replace(source.history)
        for view in views:
            view.page.get_by_text(re.compile(r"3 \(merged\)")).first.wait_for()
        assert views[0].page.get_by_text("history.jsonl:1: no line of a history").count() == 1
        source.history.rename(aside)
        append(source.history, past(5, "9 (rotated)"))
        for view in views:
            view.page.get_by_text(re.compile(r"9 \(rotated\)")).first.wait_for()
            assert view.wrong == []
    finally:
        server.stop()
    for view in views:
        assert view.page.get_by_text(re.compile("rotated")).first.is_visible(), "what was shown stays"
