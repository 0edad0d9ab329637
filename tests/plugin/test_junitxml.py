"""pytest's own ``--junitxml``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

CASES = """\
  - {id: mail, input: my mail is alice@example.com, expect: {verdict: allow, action: sanitize}, tags: [pii, email]}
  - {id: words, input: it is forbidden, expect: block}
"""
NAMES = ("verdict", "expected", "decided_by", "category", "guard", "guard_version", "latency_ms")


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_each_case_has_scalar_properties(
    pytester: pytest.Pytester, guard: Callable[..., None], workers: tuple[str, ...]
) -> None:
    """Verdict, expectation, decider, category, guard, version and latency are properties, each once."""
    guard(CASES)
    pytester.runpytest("--junitxml=j.xml", *workers).assert_outcomes(passed=2)
    root = ET.parse(pytester.path / "j.xml")  # noqa: S314 - it is ours
    found = {}
    for case in root.iter("testcase"):
        pairs = [(item.attrib["name"], item.attrib["value"]) for item in case.iter("property")]
        assert [name for name, _ in pairs] == [f"guardrail.{name}" for name in NAMES]
        found[case.attrib["name"]] = dict(pairs)
    assert float(found["mail"].pop("guardrail.latency_ms")) > 0
    version = found["mail"].pop("guardrail.guard_version")
    assert version.startswith("1.2 (")
    assert found["mail"] == {
        "guardrail.verdict": "allow",
        "guardrail.expected": "allow (sanitize)",
        "guardrail.decided_by": "redact",
        "guardrail.category": "pii",
        "guardrail.guard": f"guard.yaml@{version[5:-1]}",
    }
    assert found["words"]["guardrail.category"] == "content"


def test_a_marked_test_has_them_too(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A test in Python has the same properties."""
    guard()
    pytester.makepyfile(
        """
        from pytest_guardrails import expect_verdict

        @expect_verdict("block")
        def test_words(guardrail_engine):
            guardrail_engine.run("forbidden")
        """
    )
    pytester.runpytest("--junitxml=j.xml", "--guardrails-config=guard.yaml").assert_outcomes(passed=1)
    root = ET.parse(pytester.path / "j.xml")  # noqa: S314 - it is ours
    assert [item.attrib["name"] for item in root.iter("property")] == [f"guardrail.{name}" for name in NAMES]
