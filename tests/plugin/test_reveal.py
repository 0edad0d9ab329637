"""``--guardrails-reveal``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = "  - {id: a, input: mail alice@example.com, expect: {verdict: allow, upstream: mail nobody}}\n"


def test_failures_mask_texts_by_default(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A failure shows the shape of texts, says that they are masked, and how to see them."""
    guard(CASES)
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(
        ["*«aaaa <EMAIL> · 12 chars · #*", "*texts are masked; --guardrails-reveal shows them*"]
    )
    result.stdout.no_fnmatch_line("*nobody*")


def test_reveal_shows_texts_in_failures_and_reports(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """With the flag, the diff and the report show what was written, and the report says that it reveals."""
    guard(CASES)
    result = pytester.runpytest("--guardrails-reveal", "--guardrails-report=json:r.json")
    result.stdout.fnmatch_lines(["*- 'mail nobody'*", "*+ 'mail <EMAIL>'*"])
    text = (pytester.path / "r.json").read_text()
    assert "alice@example.com" in text
    assert '"revealed": true' in text


def test_equal_texts_are_masked_alike_in_two_runs(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The key stays with the project, so that two reports can be compared."""
    guard(CASES)
    hashes = []
    for name in ("a.json", "b.json"):
        pytester.runpytest(f"--guardrails-report=json:{name}")
        hashes.append([part[:8] for part in (pytester.path / name).read_text().split("chars · #")[1:]])
    assert hashes[0]
    assert hashes[0] == hashes[1]


def test_the_key_can_come_from_the_environment(
    pytester: pytest.Pytester, guard: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two keys mask one text in two ways."""
    guard(CASES)
    seen = set()
    for key in ("one", "two"):
        monkeypatch.setenv("GUARDRAILS_MASK_KEY", key)
        pytester.runpytest("--guardrails-report=json:r.json", "-p", "no:cacheprovider")
        seen.add((pytester.path / "r.json").read_text().split("chars · #")[1][:8])
    assert len(seen) == 2


def test_texts_in_ids_of_parameters_are_masked_in_reports(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """A parameter that pytest spells in the node id is masked in our reports, a plain word is not."""
    guard()
    pytester.makepyfile(
        """
        import pytest
        from pytest_guardrails import expect_verdict

        @pytest.fixture(scope="session")
        def guardrails_config():
            return "guard.yaml"

        @expect_verdict("allow")
        @pytest.mark.parametrize("text", ["mail bob@example.org", "plain"])
        def test_it(guardrail_engine, text):
            guardrail_engine.run(text)
        """
    )
    pytester.runpytest("--guardrails-report").assert_outcomes(passed=2)
    for path in (pytester.path / "guardrails-report").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "bob@" not in text
        assert path.suffix == ".md" or "test_it[plain]" in text
