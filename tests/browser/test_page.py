"""The page in Chromium: what it can be asked, by whom it can be read, and that nothing of a case runs in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pytest_guardrails._model import Comparison, Flip, Run
from pytest_guardrails.reporters import html

Show = Callable[..., Any]

CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest("script, option") || !node.checkVisibility()) continue;
    const style = getComputedStyle(node);
    const [one, two] = [light(rgb(node.closest("svg") ? style.fill : style.color)), light(ground(node))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    seen += 1;
    if (ratio < 4.5) poor.push([ratio.toFixed(2), node.tagName, node.className, walker.currentNode.data.slice(0, 30)]);
  }
  return [seen, poor];
}"""


def names(page: Any) -> list[str]:
    """Return the cases that the table lists, in order."""
    found: list[str] = page.locator("#rows tr[data-case] td.case button").all_inner_texts()
    return found


def open_all(page: Any) -> None:
    """Unfold everything, and open every case."""
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    page.evaluate("for (const one of document.querySelectorAll('#rows button[aria-expanded=false]')) one.click()")


def overflow(page: Any) -> int:
    """Return how many pixels of the page are out of sight to the right."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def test_a_page_is_quiet(show: Show, plain_run: Run) -> None:
    """From a file, under its own policy, it runs, asks for nothing and complains of nothing."""
    watched = show(plain_run)
    assert watched.page.locator("#controls").is_visible()
    assert watched.page.title() == "Guardrails: 1 of 4 cases not as expected"
    assert watched.is_clean(), watched


def test_the_policy_stops_what_is_not_of_the_page(show: Show, plain_run: Run) -> None:
    """A script, a style or markup that somebody gets into the page does nothing: the policy is in force."""
    watched = show(plain_run)
    watched.page.evaluate(
        """() => {
          const script = document.createElement("script");
          try { script.textContent = "window.ran = true"; document.body.append(script); } catch {}
          try { document.body.innerHTML = "<img src=x onerror='window.ran = true'>"; } catch {}
          fetch("https://evil.example/").catch(() => {});
        }"""
    )
    assert watched.page.evaluate("window.ran") is None
    assert all(url.startswith("file:") for url in watched.requests)
    assert any("Content Security Policy" in error or "TrustedHTML" in error for error in watched.errors)


def test_it_filters_searches_and_clears(show: Show, plain_run: Run) -> None:
    """By status, severity, outcome, guardrail and tag, together, and by words; one button undoes it all."""
    page = show(plain_run).page
    assert names(page) == ["missed", "mail", "clean", "hello"]
    for chooser, expected in (
        ('[data-group="status"][data-value="not as expected"]', ["missed"]),
        ('[data-group="severity"][data-value="low"]', ["clean", "hello"]),
        ('[data-group="outcome"][data-value="true positive"]', ["mail"]),
    ):
        page.click(chooser)
        assert names(page) == expected
        assert page.get_attribute(chooser, "aria-pressed") == "true"
        page.click(chooser)
    page.select_option('select[data-group="tag"]', "pii")
    assert names(page) == ["missed", "mail"]
    page.select_option('select[data-group="guardrail"]', "pii")
    assert names(page) == ["mail"]
    page.click("#clear")
    assert len(names(page)) == 4
    page.fill("#search", "GUARDRAILS.yaml cle")
    assert names(page) == ["clean"]
    assert page.inner_text("#showing") == "1 of 1 cases that match, of 4, worst first"
    page.fill("#search", "no such words")
    assert page.inner_text("#showing") == "No case matches, of 4"


def test_a_click_on_a_head_sorts(show: Show, plain_run: Run) -> None:
    """Up, down, and back to the worst first; the head says which."""
    page = show(plain_run).page
    head = page.locator('th[data-key="name"]')
    ways = []
    for _ in range(3):
        head.locator("button").click()
        ways.append((head.get_attribute("aria-sort"), names(page)))
    up = ["clean", "hello", "mail", "missed"]
    assert ways == [("ascending", up), ("descending", up[::-1]), ("none", ["missed", "mail", "clean", "hello"])]
    page.click('th[data-key="severity"] button')
    assert names(page)[:2] == ["missed", "mail"]


def test_a_link_opens_its_case(show: Show, plain_run: Run) -> None:
    """Deep links open the trace of a case, from outside and from within the page, whatever was filtered."""
    page = show(plain_run, "#case=" + quote("a.guardrails.yaml::mail", safe="")).page
    assert page.locator("tr.detail").count() == 1
    assert page.evaluate("document.activeElement.textContent") == "mail"
    page.fill("#search", "clean")
    page.click('#causes a[href^="#case="]')
    assert page.evaluate("document.activeElement.textContent") == "missed"
    assert "action: expected sanitize, got none" in page.inner_text("tr.detail")


def test_the_trace_shows_what_was_found_and_what_became_of_it(show: Show, plain_run: Run) -> None:
    """In order: the request, the guardrail with its time and what it marked, the difference that the model received."""
    page = show(plain_run, "#case=" + quote("a.guardrails.yaml::mail", safe="")).page
    trace = page.locator("tr.detail ol.trace")
    assert trace.locator("> li .step b").all_inner_texts()[:4] == ["Caller sent", "pii", "Model received", "Caller got"]
    assert trace.locator("li.sanitize mark").inner_text() == "alice@example.com"
    assert re.fullmatch(r"\d+\.\d\d ms", trace.locator("li.sanitize .time").inner_text())
    assert trace.locator("li.model del").inner_text() == "alice@example.com"
    assert trace.locator("li.model ins").inner_text() == "<EMAIL>"


def test_the_keyboard_is_enough(show: Show, plain_run: Run) -> None:
    """Slash searches, j and k go down and up, Enter opens, Escape closes and then clears."""
    page = show(plain_run).page
    page.keyboard.press("/")
    page.keyboard.type("missed")
    assert names(page) == ["missed"]
    page.keyboard.press("Escape")
    assert len(names(page)) == 4
    page.keyboard.press("Escape")
    for key in "jjjk":
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.textContent") == "mail"
    page.keyboard.press("Enter")
    assert page.locator("tr.detail").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("tr.detail").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "mail"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough(show: Show, full_of: Callable[[str], Run], scheme: str) -> None:
    """Every text of a page with everything open has a contrast of 4.5 to its ground (WCAG AA), light and dark."""
    page = show(full_of("words"), color_scheme=scheme).page
    open_all(page)
    seen, poor = page.evaluate(CONTRAST)
    assert seen > 300
    assert poor == []


def test_light_and_dark_can_be_chosen(show: Show, plain_run: Run) -> None:
    """The page follows the system until somebody chooses, and keeps the choice."""
    page = show(plain_run, color_scheme="dark").page
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#theme")
    assert page.inner_text("#theme") == "Theme: light"
    assert page.evaluate(ground) == "rgb(255, 255, 255)" != dark
    page.reload()
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.click("#theme")
    assert page.evaluate(ground) == dark


def test_print_is_light_and_shows_what_failed(show: Show, plain_run: Run) -> None:
    """Paper is white, has no controls, and shows the traces of what was not as expected."""
    page = show(plain_run, color_scheme="dark").page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert not page.locator("#controls").is_visible()
    assert not page.locator("nav").is_visible()
    assert page.locator("tr.detail").count() == 1
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("tr.detail").count() == 0


def exercised(show: Show, run: Run) -> Any:
    """Return a page on which everything was opened, sorted and searched."""
    watched = show(run)
    page = watched.page
    open_all(page)
    for name in ("name", "tags", "severity"):
        page.click(f'th[data-key="{name}"] button')
    page.fill("#search", "a")
    page.fill("#search", "")
    open_all(page)
    return watched


def outline(page: Any) -> Any:
    """Return how often each element is there."""
    return page.evaluate(
        """[...document.body.getElementsByTagName("*")].reduce(
            (counts, { tagName }) => ({ ...counts, [tagName]: (counts[tagName] ?? 0) + 1 }), {})"""
    )


@pytest.fixture(scope="module")
def harmless() -> dict[str, Any]:
    """The outline of a page of harmless words, once somebody has made it."""
    return {}


def test_a_hostile_text_stays_a_text(
    show: Show, full_of: Callable[[str], Run], hostile_text: str, harmless: dict[str, Any]
) -> None:
    """In every field of every noun: nothing runs, nothing leaves, the page is built as of harmless words, and fits."""
    if not harmless:
        harmless.update(outline(exercised(show, full_of("words")).page))
    watched = exercised(show, full_of(hostile_text))
    assert outline(watched.page) == harmless
    for width in (1280, 375):
        watched.page.set_viewport_size({"width": width, "height": 800})
        assert overflow(watched.page) <= 0
    assert watched.is_clean(), watched


def test_a_text_does_not_turn_its_neighbours(show: Show, full_of: Callable[[str], Run]) -> None:
    """A name in letters that are written from right to left leaves what stands beside it where it was."""
    page = show(full_of("שלום")).page
    boxes = page.evaluate(
        """[...document.querySelectorAll("#environment .facts dt")].map((term) =>
            term.getBoundingClientRect().right <= term.nextElementSibling.getBoundingClientRect().left)"""
    )
    assert boxes
    assert all(boxes)
    loose = page.evaluate(
        """[...document.querySelectorAll("main *, header *")].filter((node) => [...node.childNodes].some((child) =>
            child.nodeType === 3 && /[\\u0590-\\u05ff]/.test(child.data)))
            .filter((node) => !node.closest("bdi, pre, title, option, h1"))
            .map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert loose == []


def test_everything_has_a_role_and_a_name(show: Show, full_of: Callable[[str], Run]) -> None:
    """One of each landmark, every section and drawing named, every control labelled, every id once."""
    page = show(full_of("words")).page
    open_all(page)
    counts = {tag: page.locator(tag).count() for tag in ("main", "header", "nav", "h1")}
    assert counts == {"main": 1, "header": 1, "nav": 1, "h1": 1}
    nameless = page.evaluate(
        """() => {
          const without = (what, has) => [...document.querySelectorAll(what)].filter((one) => !has(one));
          return [
            ...without("section", (one) => document.getElementById(one.getAttribute("aria-labelledby"))),
            ...without("svg[role=img]", (one) => one.querySelector("title")?.textContent),
            ...without("svg:not([role=img])", (one) => one.getAttribute("aria-hidden") === "true"),
            ...without("button, a", (one) => one.textContent.trim()),
            ...without("input, select", (one) => one.labels.length),
            ...without("[role=region]", (one) => one.getAttribute("aria-label")),
            ...without("th", (one) => one.scope),
          ].map((one) => one.outerHTML.slice(0, 100));
        }"""
    )
    assert nameless == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    targets = page.evaluate("[...document.querySelectorAll('nav a')].map((one) => one.hash.slice(1))")
    assert set(targets) <= set(ids)


def test_a_picture_never_stands_alone(show: Show, full_of: Callable[[str], Run]) -> None:
    """What is drawn stands beside it in figures: in the cell before, or in words or a table of the same card."""
    page = show(full_of("words")).page
    open_all(page)
    seen, alone = page.evaluate(
        """() => {
          const drawn = [...document.querySelectorAll("main svg[role=img]")];
          const told = (one) => {
            const beside = one.closest("td")?.previousElementSibling ?? one.closest(".card");
            return /\\d/.test([...beside.querySelectorAll("*")].filter((node) => !node.closest("svg"))
              .map((node) => node.textContent).join(" "));
          };
          return [drawn.length, drawn.filter((one) => !told(one)).map((one) => one.outerHTML.slice(0, 200))];
        }"""
    )
    assert seen > 10
    assert alone == []


def test_focus_can_be_seen(show: Show, plain_run: Run) -> None:
    """Whatever the tab key reaches has an outline."""
    page = show(plain_run).page
    for _ in range(25):
        page.keyboard.press("Tab")
        width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 1, page.evaluate("document.activeElement.outerHTML")


def test_without_javascript_the_failures_can_be_read(show: Show, plain_run: Run) -> None:
    """Verdict, tables, and the failing cases with their reasons, to which links lead; no dead control is shown."""
    page = show(plain_run, java_script_enabled=False).page
    assert page.locator("h1").inner_text() == "1 of 4 cases not as expected"
    assert page.locator("#rows").get_by_text("action: expected sanitize, got none").is_visible()
    assert not page.locator("#controls").is_visible()
    assert not page.locator("#theme").is_visible()
    target = page.locator('#causes a[href^="#case="]').first.get_attribute("href")
    assert target == "#case=" + quote("a.guardrails.yaml::missed", safe="")
    assert page.locator('[id="case=a.guardrails.yaml::missed"]').count() == 1


def test_ten_thousand_cases_are_a_light_page(show: Show, big_run: Run, tmp_path: Path) -> None:
    """At most 2 MB and 50 rows at first; more on demand, or by key; a search and a link reach every case."""
    assert len(html(big_run).encode()) <= 2_000_000
    page = show(big_run, "#case=" + quote("a.guardrails.yaml::case 09999", safe="")).page
    assert len(names(page)) == 50
    assert names(page)[0] == "case 09999"
    assert page.evaluate("document.getElementsByTagName('*').length") < 2_500
    page.click("#more")
    assert len(names(page)) == 250
    page.focus("#rows tr[data-case]:last-child button")
    page.keyboard.press("j")
    assert len(names(page)) == 450
    assert page.evaluate("document.activeElement.textContent") == names(page)[250]
    page.fill("#search", "case 01234")
    assert names(page) == ["case 01234"]


def test_an_incomplete_or_empty_run_has_a_page(show: Show, plain_run: Run) -> None:
    """No case, no guard, nothing: the page says so and works."""
    watched = show(replace(plain_run, records=(), guards=(), complete=False))
    assert watched.page.locator("h1").inner_text() == "INCOMPLETE · no case ran"
    assert watched.is_clean(), watched


def test_a_phone_shows_who_decided_a_flip(show: Show, plain_run: Run) -> None:
    """Every link of the navigation and every cell of a flip is on its screen, under the name of its column."""
    flip = Flip("cases", "x", "benign", "high", "newly wrong", "became blocked", "allow", "block by stop_words")
    made = replace(plain_run, comparison=Comparison("a", "b", 1, flips=(flip,)))
    page = show(made, width=390).page
    ends = "(nodes) => nodes.map((node) => node.getBoundingClientRect().right)"
    assert max(page.eval_on_selector_all(".flips td, nav a", ends)) <= 390
    assert page.eval_on_selector(".flips td:last-child", "(cell) => cell.dataset.head") == "after"
    assert page.eval_on_selector(".flips td:last-child", "(cell) => cell.scrollWidth <= cell.clientWidth")
