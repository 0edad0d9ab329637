"""Entries of allowlists at the end of a run: unused and over-broad ones are named, and no text of one is shown."""

from __future__ import annotations

import json

import pytest

CONFIG = """\
input_guardrails:
  - id: pii
    pii_redact:
      entities: [EMAIL]
      allowlist: [help@example.com, nobody@example.com, {pattern: '[a-z]{1,20}@example[.]net'}]
"""
CASES = """\
guardrails: guardrails.yaml
cases:
  - {id: desk, input: write to help@example.com, expect: {verdict: allow, action: none}}
  - {id: leak, input: I am jane@example.net, label: attack, expect: {verdict: allow, action: none}}
"""


@pytest.fixture(autouse=True)
def suite(pytester: pytest.Pytester) -> None:
    """Write a guard with three entries, of which two are used, one of them on an attack."""
    (pytester.path / "guardrails.yaml").write_text(CONFIG)
    (pytester.path / "chat.guardrails.yaml").write_text(CASES)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_unused_and_over_broad_entries_are_named(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """By place and number, masked; the used one is not mentioned; reports hold counts for each."""
    result = pytester.runpytest("--guardrails-report=json:r.json", "--guardrails-report=md:s.md", *workers)
    result.stdout.fnmatch_lines(
        [
            "allowlist  unused: entry 2 of pii/pii_redact (before), «*",
            "allowlist  over-broad: entry 3 of pii/pii_redact*",
        ]
    )
    result.stdout.no_fnmatch_line("*: entry 1 *")
    text = (pytester.path / "r.json").read_text() + (pytester.path / "s.md").read_text() + result.stdout.str()
    assert "nobody" not in text
    uses = json.loads((pytester.path / "r.json").read_text())["allowlists"]
    assert [(use["index"], use["findings"], use["missed"]) for use in uses] == [
        (0, 1, []),
        (1, 0, []),
        (2, 1, ["chat.guardrails.yaml::leak"]),
    ]


def test_entries_are_shown_where_the_run_reveals(pytester: pytest.Pytester) -> None:
    """As the user wrote them."""
    result = pytester.runpytest("--guardrails-reveal")
    result.stdout.fnmatch_lines(["*unused: entry 2 of pii/pii_redact (before), nobody@example.com"])


def test_a_run_that_was_cut_short_calls_nothing_unused(pytester: pytest.Pytester) -> None:
    """What did not run could have used it."""
    (pytester.path / "chat.guardrails.yaml").write_text(CASES.replace("allow, action: none}}", "block}}", 1))
    result = pytester.runpytest("-x")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*unused:*")
