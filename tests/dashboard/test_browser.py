"""The page that compares versions, in a browser: its script runs under its policy, and names do nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._history import Past
from pytest_guardrails._stats import Rate
from pytest_guardrails.dashboard import Sources, build
from pytest_guardrails.dashboard._figures import rate_said
from pytest_guardrails.dashboard._series import slug
from pytest_guardrails.dashboard._write import write

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


def opened(page: str, folder: Path) -> str:
    """Return what a browser makes of a page, its scripts having run, without a network."""
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", "--dump-dom",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=2000", page,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout  # type: ignore[arg-type]  # noqa: S603


def test_two_versions_are_compared(
    sources: Callable[..., Sources],
    past: Callable[..., Past],
    counts: Callable[..., FrozenDict],
    tmp_path: Path,
) -> None:
    """The newest two are chosen, or those of the link; figures, changes and doubts are told; a name is text."""
    evil = "<img src=x onerror=\"document.title='owned'\"></script>"
    before = FrozenDict({evil: counts(fp=1, tn=39), "gone": counts()})
    after = FrozenDict({evil: counts(fp=8, tn=32)})
    lines = [
        past(0, "zero"),
        past(1, f"1 {evil}", populations=before),
        past(2, f"2 {evil}", populations=after, suite="x"),
    ]
    site, _ = build(sources(lines))
    write(site, tmp_path / "site")
    page = (tmp_path / "site" / f"{slug('guard.yaml')}.compare.html").as_uri()
    shown = opened(page, tmp_path / "profile")
    table = shown[shown.index('<table id="figures">') : shown.index("</table>")]
    assert "owned" not in re.findall("<title>(.*?)</title>", shown)[0]
    assert "<img" not in shown
    cells = re.findall("<td>(.*?)</td>", table)
    assert cells[:3] == [rate_said(Rate(1, 40)), rate_said(Rate(8, 40)), "+17.5 points"]
    assert cells[18:21] == [rate_said(Rate(1, 40)), "not measured", "–"]
    assert "different suites" in shown
    linked = opened(f"{page}#before=zero&after=nonsense", tmp_path / "profile")
    assert re.findall("<th[^>]*><bdi>(.*?)</bdi><br>", linked)[0] == "zero"
