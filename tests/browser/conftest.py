"""Chromium, runs with a text in every field of every noun, and pages that tell on themselves."""

from __future__ import annotations

import enum
import shutil
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails import Engine
from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._model import (
    Action,
    CaseRecord,
    CaseStatus,
    CheckResult,
    CorpusRecord,
    Flip,
    Group,
    Guard,
    Message,
    Outcome,
    PopulationChange,
    RateChange,
    Request,
    Run,
    ScoreCurve,
)
from pytest_guardrails.reporters import html

HOSTILE = {
    "markup": "</script><img src=x onerror=alert(1)><script>alert(2)</script>",
    "attribute": '"\' onmouseover=alert(3) style=position:fixed;inset:0 x="',
    "link": "javascript:alert(4) https://evil.example/x.js <a href='https://evil.example'>",
    "comment": "<!--<script> ]]></style><svg/onload=alert(5)>",
    "direction": "\u202eright to left\u202c \u2067isolated \u200bzero\u2060width\ufeff \U000e0041tag שלום עולم",
    "control": "nul\x00 bell\x07 cr\r lf\n \x1b[31mred\x1b]8;;http://evil.example\x07link \u2028 \u2029 \ud800",
    "template": "${alert(6)} {{constructor.constructor('alert(7)')()}} %s &lt;b&gt; \\u003c __proto__",
    "long": "unbroken" * 60,
    "stacked": "Z" + "\u0301\u0489" * 80,
}


@dataclass
class Watched:
    """A page, and what it did that a report must not do."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def is_clean(self) -> bool:
        """True if it asked for nothing but itself, said nothing wrong, and opened no dialog."""
        return not self.errors and not self.dialogs and all(url.startswith("file:") for url in self.requests)


@pytest.fixture(scope="module")  # not longer: while Playwright runs, no other test can have an event loop of its own
def browser() -> Iterator[Any]:
    """Chromium; the tests are skipped where it, or Playwright, is not there."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (the extra 'browser')")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Opens a run's page: whatever leaves is counted and refused."""
    contexts = []

    def opened(run: Run, fragment: str = "", width: int = 1280, **options: Any) -> Watched:
        file = tmp_path / "index.html"
        file.write_text(html(run), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        watched = Watched(context.new_page())
        page = watched.page
        page.on("request", lambda request: watched.requests.append(request.url))
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on("console", lambda said: watched.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("dialog", lambda dialog: (watched.dialogs.append(dialog.message), dialog.dismiss()))
        page.route("**/*", lambda route: route.continue_() if route.request.url == file.as_uri() else route.abort())
        page.goto(file.as_uri() + fragment)
        page.wait_for_load_state("load")
        return watched

    yield opened
    for context in contexts:
        context.close()


# A text in every field of every noun. What must be one of our own words, or have a shape, is given here.

_KINDS = ("all", "check", "category")
_GIVEN: dict[tuple[type, str], Callable[[str], Any]] = {
    (Message, "role"): lambda _: "user",
    (Message, "content"): lambda text: text,
    (Request, "endpoint"): lambda _: "chat/completions",
    (Group, "kind"): lambda _: "category",
    (CorpusRecord, "groups"): lambda text: tuple(Group(kind, text, 3, 1, 5, 2, 1, 1) for kind in _KINDS),
    (CorpusRecord, "latency"): lambda _: FrozenDict({"-350": 12, "-300": 2}),
    (CorpusRecord, "vendor_latency"): lambda _: FrozenDict({"-200": 12}),
    (CorpusRecord, "allowed"): lambda text: FrozenDict({f"before_request/{text}/{text}/0": (2, 1)}),
    (CorpusRecord, "spans"): lambda _: (3, 3, 2, 2, 7),
    (CorpusRecord, "worst"): lambda text: ((text,) * 5, (text,) * 5),
    (CorpusRecord, "shadow"): lambda _: False,
    (ScoreCurve, "points"): lambda _: ((0.9, 0.0, 0.5), (0.1, 1.0, 1.0)),
    (CheckResult, "allowed"): lambda _: ((0, 2),),
    (Guard, "guardrails"): lambda text: ((text, "before_request", text, text),),
    (Guard, "checks"): lambda text: ((text,),),
    (Guard, "allowlists"): lambda text: FrozenDict({f"before_request/{text}/{text}": (text, text)}),
    (PopulationChange, "latency"): lambda _: (0.1, 0.2, 0.1, 0.3),
    (RateChange, "rate"): lambda _: "fpr",
    (Flip, "truth"): lambda _: "newly wrong",
    (Run, "revealed"): lambda _: True,
}  # fmt: skip


def filled(kind: Any, text: str, where: tuple[type, str] | None = None) -> Any:
    """Return a value of a type with ``text`` in every text of it."""
    if where in _GIVEN:
        return _GIVEN[where](text)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return filled(inner[0], text, where)
    if origin is tuple:
        pair = inner[0] is str or inner[0] is float
        return tuple(filled(inner[0], text) for _ in range(2 if pair else 1))
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return typing.cast(Any, kind)(
            **{one.name: filled(hints[one.name], text, (kind, one.name)) for one in fields(kind)}
        )  # type: ignore[arg-type]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    simple: dict[Any, Any] = {str: text, int: 2, float: 0.25, bool: True, FrozenDict: FrozenDict({text: text})}
    return simple[kind]


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def hostile_text(request: pytest.FixtureRequest) -> str:
    """A text that means harm to a page, or to its layout."""
    return str(request.param)


@pytest.fixture
def full_of() -> Callable[[str], Run]:
    """Makes a run with a text in every field: of cases with each status, and of all else that a run can have."""

    def made(text: str) -> Run:
        run: Run = filled(Run, text)
        (record,) = run.records
        outcomes = (*Outcome, None)
        records = [
            replace(
                record, nodeid=f"{text}::{number}", case=f"{text}{number}", status=list(CaseStatus)[number % 4],
                outcome=outcomes[number % len(outcomes)], xfail=text if number == 5 else None,
            )
            for number in range(8)
        ]  # fmt: skip
        return replace(run, records=tuple(records))

    return made


@pytest.fixture
def plain_run() -> Run:
    """Four cases of two tags, one of them missed, judged by a real engine."""
    guard = Engine.from_config(
        {"version": "7", "input_guardrails": [{"id": "pii", "pii_redact": {}, "action": "sanitize"}]}
    )
    texts = {"mail": "write to alice@example.com", "clean": "hello", "hello": "good morning", "missed": "my card"}
    records = []
    for name, text in texts.items():
        trace = guard.run(text)
        attack = name in ("mail", "missed")
        acted = trace.action is not Action.NONE
        outcome = Outcome.TRUE_POSITIVE if acted else Outcome.FALSE_NEGATIVE if attack else Outcome.TRUE_NEGATIVE
        missed = name == "missed"
        records.append(
            CaseRecord(
                f"a.guardrails.yaml::{name}",
                name,
                CaseStatus.NOT_AS_EXPECTED if missed else CaseStatus.AS_EXPECTED,
                "guard@1",
                outcome,
                "allow",
                label="attack" if attack else "benign",
                severity="critical" if attack else "low",
                tags=("pii",) if attack else ("chat",),
                file="a.guardrails.yaml",
                line=len(records) + 1,
                reasons=("action: expected sanitize, got none",) if missed else (),
                trace=trace,
            )
        )
    version = guard.version
    described = Guard(
        "guard@1", "embedded engine", "guard.yaml", version, (("pii", "before_request", "sanitize", "block"),)
    )
    return Run(
        "2026-11-21T10:00:00", 0.5, True, FrozenDict({"python": "3.13"}), (described,), tuple(records), revealed=True
    )


@pytest.fixture
def big_run(plain_run: Run) -> Run:
    """Ten thousand cases, one in ten of them missed."""
    bad, good = plain_run.records[3], plain_run.records[0]
    records = (
        replace(
            bad if number % 10 == 0 else good, nodeid=f"a.guardrails.yaml::case {number:05}", case=f"case {number:05}"
        )
        for number in range(10_000)
    )
    return replace(plain_run, records=tuple(records))
