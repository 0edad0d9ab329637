"""``--guardrails-report`` in the formats of other tools."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

FILES = {
    "csv": ["cases.csv"],
    "ctrf": ["ctrf.json"],
    "gha-benchmark": ["bigger-is-better.json", "smaller-is-better.json"],
    "junit": ["junit.xml"],
    "openmetrics": ["metrics.txt"],
    "sarif": ["guardrails.sarif"],
    "traces": ["traces.jsonl"],
}
CASES = """\
  - {id: a, input: mail alice@example.com, response: wonderland,
     expect: {verdict: block, upstream: looking glass, absent_upstream: [tweedledee]}}
  - {id: b, input: hello jabberwock, expect: allow}
"""
SECRETS = ("alice", "example.com", "wonderland", "looking", "tweedle", "jabberwock")


def asked() -> list[str]:
    """Return the options that ask for every format."""
    return [f"--guardrails-report={kind}" for kind in FILES]


def test_each_format_has_its_file(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Each type writes its files into the folder of reports, and the terminal names them."""
    guard(CASES)
    result = pytester.runpytest(*asked())
    written = sorted(path.name for path in (pytester.path / "guardrails-report").iterdir())
    assert written == sorted(name for names in FILES.values() for name in names)
    said = [line.partition("guardrails-report/")[2] for line in result.outlines if line.startswith("report ")]
    assert sorted(said) == written


def test_texts_are_masked_in_every_format(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """No text of a case, and no path of the machine, is in any of them; revealed, the trace log has the texts."""
    guard(CASES)
    pytester.runpytest(*asked())
    for path in (pytester.path / "guardrails-report").iterdir():
        said = path.read_text(encoding="utf-8")
        assert not [secret for secret in (*SECRETS, str(pytester.path)) if secret in said], path.name
    pytester.runpytest("--guardrails-reveal", "--guardrails-report=traces:t.jsonl")
    assert "jabberwock" in (pytester.path / "t.jsonl").read_text(encoding="utf-8")


def test_formats_are_equal_under_xdist(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """But for times, two workers write what one process writes."""
    guard(CASES)
    for folder, workers in (("one", ()), ("two", ("-n", "2"))):
        pytester.runpytest(*(f"--guardrails-report={kind}:{folder}/" for kind in ("sarif", "traces")), *workers)
    one, two = ({path.name: timeless(path) for path in (pytester.path / folder).iterdir()} for folder in ("one", "two"))
    assert set(one) == {"guardrails.sarif", "traces.jsonl"}
    assert one == two


def timeless(path: Path) -> str:
    """Return a report without its times."""
    return re.sub(r'"duration_s": [-+.\de]+', "", path.read_text(encoding="utf-8"))


def test_a_reporter_of_another_package(
    pytester: pytest.Pytester, guard: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry point adds a type; one that fails is named, the run ends with 4, and the other reports are there."""
    guard("  - {id: b, input: hello, expect: allow}\n")
    info = pytester.mkdir("site") / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[pytest_guardrails.reporters]\nacme = acme_r:count\nbroken = acme_r:broken\n"
    )
    (info.parent / "acme_r.py").write_text(
        "from pytest_guardrails.reporters import report_dict\n"
        "def count(run): return str(report_dict(run)['metrics']['cases']['as expected'])\n"
        "def broken(run): return 1 / 0\n"
    )
    monkeypatch.syspath_prepend(str(info.parent))
    result = pytester.runpytest("--guardrails-report=acme:n.txt", "--guardrails-report=broken", *asked()[:1])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (pytester.path / "n.txt").read_text() == "1"
    assert [path.name for path in (pytester.path / "guardrails-report").iterdir()] == ["cases.csv"]
    result.stdout.fnmatch_lines(["NO REPORT *reporter 'broken' of package 'acme' failed: ZeroDivisionError: *"])
    result = pytester.runpytest("--guardrails-report=acmee")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown report type 'acmee'; did you mean 'acme'? Choices: *, broken, csv,*"])


def test_missed_attacks_are_where_their_cases_are(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A case that lets an attack pass is a result of the SARIF log, at its file and line."""
    guard("  - {id: ok, input: hello, expect: allow}\n  - {id: miss, input: hello again, tags: [pii], expect: block}\n")
    pytester.runpytest("--guardrails-report=sarif:s.sarif").assert_outcomes(passed=1, failed=1)
    (result,) = json.loads((pytester.path / "s.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], physical["artifactLocation"]["uri"]) == ("pii", "cases.guardrails.yaml")
    assert physical["region"]["startLine"] == 4
