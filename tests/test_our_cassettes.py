"""The cassettes of this project: synthetic, clean, and exactly what the recording script records."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from pytest_guardrails._cassette import lint, load

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "cassettes/record.py"
pytestmark = pytest.mark.skipif(
    not SCRIPT.exists(), reason="the wheel has no cassettes/record.py: tested in a checkout"
)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The recording script, as a module."""
    spec = importlib.util.spec_from_file_location("record", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("number", range(3))
def test_recording_anew_gives_what_is_stored(script: ModuleType, tmp_path: Path, number: int) -> None:
    """Every question and answer of a fresh recording is that of the stored cassette: nothing has rotted."""
    suite = script.SUITES[number]
    fresh = load(script.record(suite, tmp_path))
    named = script.load(suite).cassette.value
    stored = load(suite.parent / named)
    answers = [{one.key: one.answer for one in cassette.interactions} for cassette in (fresh, stored)]
    assert answers[0] == answers[1]
    assert stored.metadata.kind == "synthetic"


def test_every_cassette_passes_lint_but_for_invented_addresses(script: ModuleType) -> None:
    """No credential is in any of them; the personal data are the example.com addresses that the cases ask about."""
    for suite in script.SUITES:
        path = suite.parent / script.load(suite).cassette.value
        problems = [problem.what for problem in lint(path)]
        assert not [what for what in problems if "key" in what or "credential" in what], path
        text = path.read_text()
        assert text.count("@") == text.count("@example.com")
