"""How large the page of many cases is, how long it takes to write, and how soon Chromium has it ready.

    python benchmarks/page.py [--cases 10000] [--rounds 3]

Needs Playwright (the extra ``browser``) and a Chromium on the path. Ready is from the start of the navigation until the
script has run and the browser has painted, the least of the rounds; one case in ten is not as expected.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import sync_playwright

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


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    run = made_run(asked.cases)
    started = time.process_time()
    text = html(run).encode()
    print(f"{asked.cases:,} cases: written in {time.process_time() - started:.2f} s of CPU")
    print(f"{len(text) / 1e6:.2f} MB ({len(gzip.compress(text)) / 1e6:.2f} MB compressed)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "index.html"
        file.write_bytes(text)
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        ready, work = [], []
        for _ in range(asked.rounds):
            page = chromium.new_page()
            devtools = page.context.new_cdp_session(page)
            devtools.send("Performance.enable")
            page.goto(file.as_uri(), wait_until="load")
            ready.append(page.evaluate(PAINTED))
            costs = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
            work.append([1000 * costs[f"{name}Duration"] for name in ("Task", "Script", "Layout", "RecalcStyle")])
            nodes = page.evaluate("document.getElementsByTagName('*').length")
            searched = page.evaluate(
                """() => {
                  const box = document.getElementById("search"), start = performance.now();
                  box.value = "variant 09999";
                  box.dispatchEvent(new Event("input"));
                  return performance.now() - start;
                }"""
            )
            page.close()
        chromium.close()
    tasks, script, layout, style = min(work)
    print(f"main thread busy for {tasks:.0f} ms: script {script:.0f}, layout {layout:.0f}, style {style:.0f}")
    print(f"ready in {min(ready):.0f} ms, {nodes:,} nodes; a search takes {searched:.0f} ms")


if __name__ == "__main__":
    main()
