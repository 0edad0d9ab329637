"""The page: what it says, what it keeps, and that nothing of a case can run or break it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from pytest_guardrails._model import (
    Action,
    Armed,
    CaseRecord,
    CaseStatus,
    Comparison,
    Flip,
    Outcome,
    Run,
    Shadow,
    Trace,
    Verdict,
)
from pytest_guardrails._stats import Rate
from pytest_guardrails.reporters._island import MOST_TRACES, detail
from pytest_guardrails.reporters._svg import interval_bar
from pytest_guardrails.reporters.html import html
from pytest_guardrails.reporters.json import report_dict

MakeRun = Callable[..., Run]
MakeRecord = Callable[..., CaseRecord]


class Page(HTMLParser):
    """A parsed page: its elements with their attributes, its visible words, its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.blocks: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag in self.blocks:
            self.blocks[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave a script or style."""
        self._inside = ""

    def handle_data(self, data: str) -> None:
        """Keep words, apart from those of scripts and styles."""
        if self._inside in self.blocks:
            self.blocks[self._inside][-1] += data
        else:
            self.words += data

    @property
    def data(self) -> dict[str, Any]:
        """What the script reads at once."""
        loaded = json.loads(self.blocks["script"][1])
        assert isinstance(loaded, dict)
        return loaded

    @property
    def details(self) -> list[Any]:
        """What the script reads when a case is opened or searched."""
        loaded = json.loads(self.blocks["script"][2])

        def unpacked(value: Any) -> Any:
            if isinstance(value, list):
                return [unpacked(item) for item in value]
            return value if value is None else -1 - value if value < 0 else loaded["strings"][value]

        made = unpacked(loaded["cases"])
        assert isinstance(made, list)
        return made

    def nodeids(self) -> list[str]:
        """Return the node ids as the script puts them together."""
        columns, strings, ids = (self.data[name] for name in ("columns", "strings", "ids"))
        pairs = enumerate(zip(columns["prefix"], columns["name"], strict=True))
        return [ids.get(str(index)) or strings[prefix] + name for index, (prefix, name) in pairs]


def title(run: Run) -> str:
    """Return the title of a run's page."""
    return str(re.findall(r"<title>(.*?)</title>", html(run))[0])


def test_the_policy_names_the_hashes_of_the_only_style_and_scripts(run: MakeRun, record: MakeRecord) -> None:
    """Nothing may load or run but the one style and the two scripts of the page, by their hashes."""
    page = Page(html(run(record())))
    policy = next(given["content"] for tag, given in page.elements if given.get("http-equiv"))
    assert policy is not None
    hashes = [
        base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        for block in (page.blocks["style"][0], page.blocks["script"][0], page.blocks["script"][3])
    ]
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{hashes[0]}'" in policy
    assert f"script-src 'sha256-{hashes[1]}' 'sha256-{hashes[2]}'" in policy
    assert "unsafe" not in policy
    assert [len(page.blocks[kind]) for kind in ("style", "script")] == [1, 4]
    kinds = [given.get("type") for tag, given in page.elements if tag == "script"]
    assert kinds == [None, "application/json", "application/json", None]


def test_the_page_asks_for_nothing(run: MakeRun, record: MakeRecord) -> None:
    """No element has a source, a style or a handler, and every link stays on the page."""
    for tag, given in Page(html(run(record()))).elements:
        assert tag not in {"link", "img", "iframe", "object", "base", "noscript"}
        assert not {"src", "style", "srcset", "action"} & set(given)
        assert not [name for name in given if name.startswith("on")]
        assert (given.get("href") or "#").startswith("#")


def test_the_script_writes_texts_as_texts(run: MakeRun) -> None:
    """The script has no way to turn a text into markup or code."""
    script = Page(html(run())).blocks["script"][3]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|setTimeout|\.src", script)


def test_a_hostile_text_changes_no_element(hostile: Run, full_of: Callable[[str], Run]) -> None:
    """A page whose every text is hostile has the elements and attribute names of a harmless page."""

    def outline(text: str) -> list[tuple[str, list[str]]]:
        return [(tag, sorted(given)) for tag, given in Page(text).elements]

    assert outline(html(hostile)) == outline(html(full_of("harmless words")))


def test_a_hostile_text_reaches_the_page_readable(hostile: Run) -> None:
    """The page is UTF-8 without hidden, control or surrogate characters, in its markup and after JSON is parsed."""
    text = html(hostile)
    text.encode("utf-8")
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    page = Page(text)
    assert all(letter.isprintable() or letter in "\n\t" for letter in _strings([page.data, page.details]))
    assert not set("<>&\u2028\u2029") & set("".join(page.blocks["script"][1:3]))


def _strings(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "".join(map(_strings, [*value, *value.values()]))
    return "".join(map(_strings, value)) if isinstance(value, list) else ""


@pytest.mark.parametrize(
    ("statuses", "fields", "said"),
    [
        (["as expected"], {}, "Guardrails: all as expected (1 case)"),
        (["as expected", "not as expected"], {}, "Guardrails: 1 of 2 cases not as expected"),
        (["error"], {}, "Guardrails: UNTRUSTED · 0 of 1 case not as expected, 1 without an answer"),
        (["as expected"], {"complete": False}, "Guardrails: INCOMPLETE · all as expected (1 case)"),
        (["not run"], {}, "Guardrails: no case ran"),
        ([], {}, "Guardrails: no case ran"),
    ],
)
def test_the_title_says_what_became_of_the_run(
    run: MakeRun, record: MakeRecord, statuses: list[str], fields: dict[str, Any], said: str
) -> None:
    """The title is the verdict of the run, and what makes it doubtful comes first."""
    records = [record(str(index), CaseStatus(status)) for index, status in enumerate(statuses)]
    assert title(run(*records, **fields)) == said


def test_failed_open_is_in_the_title(run: MakeRun, record: MakeRecord, open_trace: Trace) -> None:
    """A request that passed an errored check that nobody excused stands in the title."""
    made = record("a", CaseStatus.ERROR, outcome=Outcome.ERROR, trace=open_trace)
    assert title(run(made)).startswith("Guardrails: UNTRUSTED · FAILED OPEN in 1 case · ")


def test_the_head_says_whether_texts_are_masked(run: MakeRun) -> None:
    """A masked and a revealed page each say which they are."""
    assert "Texts are masked" in Page(html(run())).words
    revealed = Page(html(run(revealed=True))).words
    assert "Texts are revealed" in revealed
    assert "Do not publish" in revealed


def test_rates_stand_with_counts_interval_and_bound(run: MakeRun, record: MakeRecord) -> None:
    """0 of 40 benign cases is a rate of 0 with its interval, its bound and a drawing; no attack is unknown."""
    records = [record(str(i), outcome=Outcome.TRUE_NEGATIVE, label="benign") for i in range(40)]
    words = Page(html(run(*records))).words
    assert "0 % 0 of 40 benign cases" in words
    assert "95 % interval 0 % to 8.8 % (Wilson); at most 7.22 % at 95 % (one-sided, exact)" in words
    assert "unknown" in words
    assert "No attack case was judged." in words


def test_the_drawing_has_a_name_and_stays_inside() -> None:
    """The interval is drawn inside its axis, whose ends say what they are, and is named for those who cannot see it."""
    for hits, total, lowest, ends in (
        (0, 40, True, "0 %,10 %"),
        (999, 1000, False, "99 %,100 %"),
        (1, 3, True, "0 %,100 %"),
    ):
        drawn = interval_bar(Rate(hits, total), "said <aloud>", lowest=lowest)
        assert 'role="img"><title>said &lt;aloud&gt;</title>' in drawn
        assert ",".join(re.findall(r"<text[^>]*>([^<]*)<", drawn)) == ends
        assert all(6 <= float(x) <= 314 for x in re.findall(r'\b(?:x|cx|x1|x2)="([^"]*)"', drawn))


def test_a_guardrail_that_was_never_reached_is_listed(run: MakeRun, record: MakeRecord) -> None:
    """The table has every guardrail of the configuration, also where no case reached it."""
    page = html(run(record(trace=None)))
    cell = "<td[^>]*><bdi>([^<]*)</bdi></td>"
    assert re.findall(f'<tr><th scope="row"><bdi>([^<]*)</bdi></th>{cell}{cell}', page)[:2] == [
        ("pii_redact", "before", "sanitize"),
        ("out", "after", "deny, on error allow"),
    ]


def test_failing_cases_are_readable_without_the_script(run: MakeRun, record: MakeRecord) -> None:
    """The failing cases with their reasons stand in the page itself, at most 200, worst first."""
    records = [record(f"case {i}", CaseStatus.NOT_AS_EXPECTED, reasons=("because",)) for i in range(250)]
    page = html(run(record("fine"), *records, record("worst", CaseStatus.ERROR, severity="critical")))
    static = page[page.index('<tbody id="rows"') : page.index('id="more"')]
    assert static.count("<li><bdi>because</bdi></li>") == 199
    assert static.index("worst") < static.index("case 0")
    assert "fine" not in static
    assert "The 200 worst of 251 cases" in page


def test_rows_are_worst_first_and_node_ids_survive(run: MakeRun, record: MakeRecord) -> None:
    """The island orders by status and severity, and gives back every node id, however it ends."""
    records = [
        record("z"),
        record("b", CaseStatus.NOT_AS_EXPECTED, severity="low"),
        record("c", CaseStatus.NOT_AS_EXPECTED, severity="critical", nodeid="test_x.py::odd[1]"),
        record("k", CaseStatus.NOT_AS_EXPECTED, xfail="known"),
    ]
    page = Page(html(run(*records)))
    assert page.nodeids() == [
        "test_x.py::odd[1]",
        "a.guardrails.yaml::b",
        "a.guardrails.yaml::k",
        "a.guardrails.yaml::z",
    ]
    assert [page.data["states"][index] for index in page.data["columns"]["status"]] == [
        "not as expected",
        "not as expected",
        "known failing",
        "as expected",
    ]


def test_every_button_asks_for_what_rows_say(run: MakeRun, record: MakeRecord) -> None:
    """The filters speak the words of the island, and count its rows."""
    page = Page(html(run(record("a"), record("b", CaseStatus.NOT_AS_EXPECTED, outcome=Outcome.FALSE_NEGATIVE))))
    buttons = [given["data-value"] for _, given in page.elements if "data-value" in given]
    assert buttons == ["not as expected", "as expected", "medium", "true positive", "false negative"]
    assert set(buttons) <= {*page.data["states"], *page.data["outcomes"], *page.data["strings"]}


def test_a_detail_tells_the_way_of_the_request(run: MakeRun, record: MakeRecord, trace: Callable[..., Trace]) -> None:
    """The steps of a blocked request are in order: sent, guardrails, the model that was not called, the caller."""
    made = record("a", CaseStatus.NOT_AS_EXPECTED, trace=trace("hi", blocked=True), note="why")
    case = report_dict(run(made))["cases"][0]
    steps = detail(case)["steps"]
    assert [(kind, name) for kind, name, *_ in steps] == [
        ("sent", "Caller sent"),
        ("deny", "pii_redact"),
        ("model", "Model received"),
        ("skipped", "out"),
        ("deny", "Caller got"),
        ("warn", "Operator warned"),
    ]
    assert steps[2][2] == "nothing: it was not called"
    assert steps[4][2:] == ("446 block by pii_redact", 0.0004, [["denial", "hi"]])
    assert ("note", "why") in detail(case)["facts"]


def test_a_detail_says_that_the_model_received_something_else(
    run: MakeRun, record: MakeRecord, trace: Callable[..., Trace]
) -> None:
    """Where the model received other messages than the caller sent, the step says so and shows them."""
    case = report_dict(run(record(trace=trace("hi"))))["cases"][0]
    model = next(step for step in detail(case)["steps"] if step[0] == "model")
    assert model[2:] == ("1 call, not what the caller sent", None, [["user", "hi", [0, "hi", 3, "!"]]])


def test_ten_thousand_cases_fit_two_megabytes(big: Callable[[int, int], Run]) -> None:
    """A page of 10,000 cases, half of them failing, is at most 2 MB and keeps the traces of the first 500."""
    text = html(big(10_000, 2))
    assert len(text.encode()) <= 2_000_000
    page = Page(text)
    assert {len(column) for column in page.data["columns"].values()} == {10_000}
    assert 300 < len(page.details) <= MOST_TRACES


def test_a_detail_comes_back_as_it_was(run: MakeRun, record: MakeRecord) -> None:
    """Texts by their index and numbers below zero give back reasons, facts, steps and times in microseconds."""
    made = run(record("x", CaseStatus.NOT_AS_EXPECTED, reasons=("why", "user")))
    (found,) = Page(html(made)).details
    known = json.loads(json.dumps(detail(report_dict(made)["cases"][0])))
    assert [found[0], found[1], found[3]] == [known["reasons"], known["facts"], known["more"]]
    assert [step[:3] + step[4:] for step in found[2]] == [step[:3] + step[4:] for step in known["steps"]]
    assert [step[3] for step in found[2]] == [None if step[3] is None else 1e6 * step[3] for step in known["steps"]]


def test_a_large_run_with_everything_fits_two_megabytes(big: Callable[[int, int], Run]) -> None:
    """Comparison, candidate and arming do not take a page of 10,000 cases beyond 2 MB."""
    beside = Shadow(
        "guard.yaml@2", CaseStatus.AS_EXPECTED, Outcome.TRUE_POSITIVE, Verdict.ALLOW, Action.SANITIZE, "pii"
    )
    armed = Armed(noticed=("before_request/pii_redact",), unnoticed=("after_request/out",), off=True)
    made = big(10_000, 2)
    records = tuple(replace(record, shadow=beside, armed=armed, key=record.nodeid) for record in made.records)
    flips = tuple(
        Flip("cases", one.nodeid, "attack", "high", "newly wrong", "became allowed", "block by pii_redact", "allow")
        for one in records[:1_000]
    )
    keys = tuple(one.nodeid for one in records[:1_000])
    compared = Comparison("a", "b", 10_000, 1_000, 1_000, (), flips, (), keys, keys)
    page = Page(text := html(replace(made, records=records, comparison=compared, shadow=compared)))
    assert len(text.encode()) <= 2_000_000
    assert sum(one is not None for one in page.details) > 300


def test_a_small_run_keeps_every_trace(big: Callable[[int, int], Run]) -> None:
    """At most 200 cases keep all their traces; a larger run keeps those that are not as expected."""
    assert [len(Page(html(big(number, 10))).details) for number in (200, 201)] == [200, 21]


def test_a_text_of_five_megabytes_is_cut_everywhere(full_of: Callable[[str], Run]) -> None:
    """A text of 5 MB in every field leaves a page of less than 1.5 MB that says how long the text was."""
    text = html(full_of("<&\u202e" * 1_666_667))
    assert len(text) < 1_500_000
    assert "(5,000,001 characters)" in text


def test_the_page_is_a_function_of_the_run(hostile: Run) -> None:
    """The same run gives the same page."""
    assert html(hostile) == html(hostile)
