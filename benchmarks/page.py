"""How large the page of many cases is, how long it takes to write, and how soon Chromium has it ready.

    python benchmarks/page.py [--cases 10000] [--rounds 3]

Needs Playwright (the extra ``browser``) and a Chromium on the path. Ready is from the start of the navigation until the
script has run and the browser has painted, the least of the rounds; one case in ten is not as expected. CPU is what the
page's main thread took until then. Both stand beside a peer: one case in ten as a plain table, without style or script.
The rounds of both alternate, so that a busy machine is as hard on the one as on the other.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from pytest_guardrails import Engine
from pytest_guardrails._codec import EMPTY
from pytest_guardrails._mask import mask_trace, masker, placeholders_of
from pytest_guardrails._model import CaseRecord, CaseStatus, Guard, Outcome, Run
from pytest_guardrails.reporters import html

CONFIG = {
    "version": "1",
    "input_guardrails": [{"id": "pii", "pii_redact": {}, "action": "sanitize"}, "prompt_injection_detect"],
}
PAINTED = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0)))"""
SEARCH = """() => {
  const box = document.getElementById("search"), start = performance.now();
  box.value = "variant 09999";
  box.dispatchEvent(new Event("input"));
  return performance.now() - start;
}"""


def made_run(number: int) -> Run:
    """Return a run of so many cases, masked, one in ten of them not as expected."""
    engine = Engine.from_config(CONFIG)
    trace = engine.run("my email is alice@example.com, please draft a reply")
    trace = mask_trace(trace, masker(b"k" * 16, placeholders_of(trace)))
    good = CaseRecord(
        "", "", CaseStatus.AS_EXPECTED, "guard.yaml@1", Outcome.TRUE_POSITIVE, "allow (sanitize) by 'pii'",
        label="attack", runs=1, trace=trace,
    )  # fmt: skip
    bad = replace(
        good,
        status=CaseStatus.NOT_AS_EXPECTED,
        outcome=Outcome.FALSE_NEGATIVE,
        reasons=("verdict: expected block, got allow",),
    )
    records = []
    for index in range(number):
        name, file = f"a case of a suite, variant {index:05}", f"suites/part{index % 40}.guardrails.yaml"
        severity, tags = (
            ("critical", "high", "medium", "low")[index % 4],
            (("pii", "email"), ("injection",), ())[index % 3],
        )
        own = {"nodeid": f"{file}::{name}", "case": name, "file": file, "line": index + 1}
        records.append(replace(bad if index % 10 == 0 else good, **own, severity=severity, tags=tags))
    guard = Guard("guard.yaml@1", "embedded engine", "guard.yaml", engine.version)
    return Run("2026-11-21T10:00:00", 1.0, True, EMPTY, (guard,), tuple(records))


def plain_page(run: Run) -> str:
    """Return one case in ten as a table, and nothing else."""
    rows = "\n".join(
        f"<tr><td>{one.status}<td>{one.severity}<td>{one.case}<td>{one.expected}<td>{', '.join(one.tags)}</tr>"
        for one in run.records[::10]
    )
    return f"<!doctype html><meta charset=utf-8><title>Cases</title><table>{rows}</table>"


def opened(chromium: Browser, file: Path) -> tuple[float, float, Page]:
    """Open a page; return when it was ready, the CPU of its main thread until then (both in ms), and the page."""
    page = chromium.new_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(file.as_uri(), wait_until="load")
    ready = page.evaluate(PAINTED)
    costs = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    return ready, 1000 * costs["TaskDuration"], page


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    run = made_run(asked.cases)
    started = time.process_time()
    text = html(run).encode()
    print(f"{asked.cases:,} cases: written in {time.process_time() - started:.2f} s of CPU")
    print(f"{len(text) / 1e6:.2f} MB ({len(gzip.compress(text)) / 1e6:.2f} MB compressed)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file, peer = Path(folder) / "index.html", Path(folder) / "plain.html"
        file.write_bytes(text)
        peer.write_text(plain_page(run), encoding="utf-8")
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        ours, theirs, searches = [], [], []
        for _ in range(asked.rounds):
            ready, busy, page = opened(chromium, peer)
            theirs.append((ready, busy))
            page.close()
            ready, busy, page = opened(chromium, file)
            ours.append((ready, busy))
            nodes = page.evaluate("document.getElementsByTagName('*').length")
            searches.append(page.evaluate(SEARCH))
            page.close()
        chromium.close()
    ready, busy = (min(found) for found in zip(*ours, strict=True))
    peer_ready, peer_busy = (min(found) for found in zip(*theirs, strict=True))
    print(f"ready in {ready:.0f} ms, {busy:.0f} ms of CPU, {nodes:,} nodes; a search takes {min(searches):.0f} ms")
    ratio = f"ratio of CPU {busy / peer_busy:.2f}"
    print(f"a plain table of {asked.cases // 10:,}: {peer_ready:.0f} ms, {peer_busy:.0f} ms of CPU; {ratio}")


if __name__ == "__main__":
    main()
