"""The cheap lane: cases skip setup and teardown, unless someone watches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TWO = """\
  - {id: one, input: hello, expect: allow}
  - {id: two, input: hello, expect: block}
  - {id: three, input: hello, expect: allow}
"""
COUNTER = """
phases = []
def pytest_runtest_logreport(report):
    phases.append((report.nodeid.rpartition("::")[2], report.when, report.outcome))
def pytest_terminal_summary(terminalreporter):
    for phase in phases:
        terminalreporter.write_line("phase " + " ".join(phase))
"""
PLAIN = ["-p", "no:timeout", "-p", "no:html"]


def phases(result: pytest.RunResult) -> list[str]:
    """Return the reports that a conftest saw."""
    return [line.removeprefix("phase ") for line in result.stdout.lines if line.startswith("phase ")]


def test_only_the_last_case_of_a_file_takes_the_whole_protocol(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """A case makes one report; the last one makes three, and sets up and tears down around the file."""
    guard(TWO)
    pytester.makeconftest(COUNTER)
    assert phases(pytester.runpytest(*PLAIN)) == [
        "one call passed",
        "two call failed",
        "three setup passed",
        "three call passed",
        "three teardown passed",
    ]


@pytest.mark.parametrize(
    "hook",
    [
        "def pytest_runtest_setup(item): pass",
        "def pytest_runtest_call(item): pass",
        "def pytest_runtest_teardown(item): pass",
        "def pytest_runtest_makereport(item, call): pass",
    ],
)
def test_a_conftest_that_watches_gets_the_whole_protocol(
    pytester: pytest.Pytester, guard: Callable[..., None], hook: str
) -> None:
    """A hook around each test sees every case."""
    guard(TWO)
    pytester.makeconftest(f"{COUNTER}\n{hook}\n")
    assert len(phases(pytester.runpytest(*PLAIN))) == 9


@pytest.mark.parametrize("option", ["--setup-show", "--trace-config"])
def test_options_that_show_phases(pytester: pytest.Pytester, guard: Callable[..., None], option: str) -> None:
    """--setup-show needs the whole protocol; an option that shows nothing per test does not."""
    guard(TWO)
    pytester.makeconftest(COUNTER)
    assert len(phases(pytester.runpytest(*PLAIN, option))) == (9 if option == "--setup-show" else 5)


def test_pdb_stops_at_a_failed_case(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """--pdb enters the debugger after the diagnosis."""
    guard(TWO)
    child = pytester.spawn_pytest("--pdb -p no:cacheprovider cases.guardrails.yaml", expect_timeout=120)
    child.expect("expected block, got allow")
    child.expect("Pdb")
    child.sendline("q")
    child.wait()


def test_pytest_html_shows_every_case(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The table of pytest-html has a row for each case."""
    pytest.importorskip("pytest_html")
    guard(TWO)
    pytester.runpytest("--html=r.html", "--self-contained-html").assert_outcomes(passed=2, failed=1)
    page = (pytester.path / "r.html").read_text()
    for name in ("one", "two", "three"):
        assert f"cases.guardrails.yaml::{name}" in page


def test_a_check_that_breaks_the_run_is_shown_with_its_stack(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """What is neither a verdict nor an error of a check (here: a BaseException) ends as pytest shows it."""
    guard(TWO.replace("guard.yaml", ""))
    pytester.makeconftest(
        """
import pytest
from pytest_guardrails.targets import embedded

def pytest_collection_modifyitems(items):
    def boom(*args): raise RuntimeError("upstream broke")
    for item in items:
        own = {"run": boom, "version": item.engine.version, "source": "x", "guardrails": ()}
        item.engine = type("Broken", (), own)()
"""
    )
    result = pytester.runpytest(*PLAIN)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*RuntimeError: upstream broke*"])
