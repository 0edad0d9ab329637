"""Take the pictures of `docs/report.md` and `docs/dashboard.md`: run an example aside and photograph its pages.

    python docs/screenshots.py

Needs Playwright (the extra ``browser``) and a Chromium on the path. Writes PNGs into ``docs/img/``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "img"
MOST_BYTES = 150_000
RUNS = (
    ["chat.guardrails.yaml", "--guardrails-config=guard_before.yaml", "--guardrails-update-baseline"],
    [
        "--guardrails-report", "--guardrails-baseline", "--guardrails-arming", "--guardrails-shadow=guard_before.yaml",
        "--guardrails-fail-on", "fpr<=5%",
    ],
)  # fmt: skip
TRACE = "#case=" + quote("chat.guardrails.yaml::card-and-email-are-sanitised", safe="")
DESK, PHONE = (1100, 700), (375, 740)
# name, fragment, size, colour scheme
PICTURES = (
    ("report-head", "", DESK, "light"),
    ("report-rates", "#rates", DESK, "light"),
    ("report-causes", "#causes", DESK, "light"),
    ("report-trace", TRACE, DESK, "light"),
    ("report-dark", TRACE, DESK, "dark"),
    ("report-phone", "", PHONE, "light"),
    ("report-phone-trace", TRACE, PHONE, "dark"),
)
# name, page of the site, size, colour scheme
DASHBOARD = (
    ("dashboard-index", "index.html", (1280, 500), "light"),
    ("dashboard-phone", "index.html", (375, 900), "light"),
    ("dashboard-phone-guard", "guard-yaml-????????.html", (375, 900), "dark"),
)


def report(folder: Path) -> Path:
    """Run the example in ``folder`` and return its page."""
    shutil.copytree(ROOT / "examples" / "report", folder, dirs_exist_ok=True)
    for options in RUNS:
        subprocess.run([sys.executable, "-m", "pytest", "-q", *options], cwd=folder, check=False)  # noqa: S603
    return folder / "guardrails-report" / "index.html"


def dashboard(folder: Path) -> Path:
    """Run two versions of `examples/versions` as one guard, the first one as baseline; return the site of them."""
    shutil.copytree(ROOT / "examples" / "versions", folder, dirs_exist_ok=True)
    for number, version in enumerate("112"):
        shutil.copy(folder / f"guard_v{version}.yaml", folder / "guard.yaml")
        judged = "--guardrails-update-baseline" if version == "1" else "--guardrails-baseline"
        options = [judged, "--guardrails-history", f"--guardrails-report=json:runs/{number}.json"]
        pytest = [sys.executable, "-m", "pytest", "-q", "airline.guardrails.yaml", "--guardrails-config=guard.yaml"]
        subprocess.run([*pytest, *options], cwd=folder, check=False)  # noqa: S603
    command = [sys.executable, "-m", "pytest_guardrails.cli", "dashboard", ".guardrails/history.jsonl", "runs"]
    subprocess.run([*command, "-o", "site"], cwd=folder, check=True)  # noqa: S603
    return folder / "site"


def photograph(browser: Browser, page_file: Path, picture: tuple[str, str, tuple[int, int], str]) -> None:
    """Write one picture; a fragment is a place of the page."""
    name, fragment, (width, height), scheme = picture
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(page_file.as_uri() + fragment)
    page.wait_for_load_state("load")
    target = IMAGES / f"{name}.png"
    page.screenshot(path=target)
    context.close()
    size = target.stat().st_size
    print(f"{target.relative_to(ROOT)}: {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"{target.name} is larger than {MOST_BYTES:,} bytes")


def main() -> None:
    """Take every picture."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = report(Path(folder, "report"))
        site = dashboard(Path(folder, "dashboard"))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for picture in PICTURES:
            photograph(browser, page_file, picture)
        for name, pattern, *rest in DASHBOARD:
            photograph(browser, next(site.glob(pattern)), (name, "", *rest))
        browser.close()


if __name__ == "__main__":
    main()
