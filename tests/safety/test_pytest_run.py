"""A suite whose every text is hostile, run by pytest: its terminal, JUnit, reports, baseline and history."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from pytest_guardrails.reporters import BENCHMARK, REPORTERS

GRADERS = """\
def kind(criterion, trace, case):
    return 1, criterion.ask + trace.request.text
"""
PYTHON = """\
import pytest
from pytest_guardrails import expect_verdict
from pytest_guardrails._model import Guardrail, Phase
from pytest_guardrails.targets.embedded import Engine

class Vendor:
    id = {name}
    def __call__(self, texts):
        raise RuntimeError({text} + texts[0].text)

@pytest.fixture(scope="session")
def guardrails_config():
    return Engine([Guardrail({name}, Phase.BEFORE_REQUEST, (Vendor(),))])

@expect_verdict("allow", by={text}, findings={text}, warns={text})
def test_vendor(guardrail_engine):
    guardrail_engine.run({text})
"""


def written(hostile: ModuleType) -> dict[str, str]:
    """Return the texts that a file can hold and that are not empty: YAML has no lone surrogate."""
    return {name: text for name, text in hostile.TEXTS.items() if name in _BEYOND or _is_ascii(text)}


def _is_ascii(text: str) -> bool:
    return text.isascii() and bool(text.strip())


_BEYOND = ("right to left", "left to right override", "zero width", "tags", "separators", "c1 controls", "combining")


def suite(pytester: pytest.Pytester, hostile: ModuleType) -> int:
    """Write a suite with every text in every field that accepts it; return how many cases it has."""
    texts = written(hostile)
    named = {name: text for name, text in texts.items() if is_name(text)}
    first = next(iter(named.values()))
    guard = {
        "version": "".join(named.values())[:5_000],
        "input_guardrails": [
            {"id": text, "default.contains": {"words": [text], "operator": "none"}, "deny": False, "action": "warn"}
            for text in list(named.values())[::4]
        ]
        + [{"id": "pii", "pii_redact": {"allowlist": [text for text in texts.values() if len(text) < 200]}}],
    }
    cases = [
        {"id": f"{text}{number}", "input": texts[name], "note": texts[name], "xfail": texts[name] if number else False,
         "severity": "high", "response": texts[name], "rubric": [{"id": "kind", "ask": texts[name]}],
         "expect": {"verdict": "block", "by": first, "findings": [texts[name]],
                    "upstream": texts[name], "absent_upstream": [texts[name]], "warns": [texts[name]]}}
        for number in (0, 1) for name, text in named.items()
    ]  # fmt: skip
    for one in cases:
        if one.get("xfail") is False:
            del one["xfail"]
    rows = [
        {"text": text, "label": label, "category": text[:200], "id": f"{label} {text}"[:200]}
        for label in ("attack", "benign") for text in texts.values()
    ]  # fmt: skip
    corpus = {
        "file": "rows.jsonl",
        "name": "<b>=| @x #1 [l](javascript:1)",
        "max_fpr": "point:0",
        "min_recall": "point:1",
    }
    data = {"guardrails": "guard.json", "grader": "graders.py:kind", "cases": cases, "corpora": [corpus]}
    folder = pytester.path / "a<b>|`@x ::error::"
    folder.mkdir()
    (folder / "guard.json").write_text(json.dumps(guard))
    (folder / "graders.py").write_text(GRADERS)
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "=1+1.guardrails.yaml").write_text(json.dumps(data))  # JSON is YAML
    for number, text in enumerate(texts.values()):
        (pytester.path / f"test_vendor_{number}.py").write_text(
            PYTHON.format(text=ascii(text), name=ascii(text if text.isprintable() else "vendor")), encoding="utf-8"
        )
    return len(cases)


def is_name(text: str) -> bool:
    """True if a text may be the id of a case."""
    return "::" not in text and text.isprintable()


def test_a_hostile_suite(
    pytester: pytest.Pytester, hostile: ModuleType, parsers: ModuleType, private: ModuleType
) -> None:
    """Everything is judged, and each file that is left behind is well-formed; nothing acts on the terminal."""
    number = suite(pytester, hostile)
    result = pytester.runpytest(
        *(f"--guardrails-report={kind}:out/{kind}" for kind in (*REPORTERS, BENCHMARK)),
        "--junitxml=out/pytest.xml", "--guardrails-update-baseline", "--guardrails-baseline=out/baseline.jsonl",
        "--guardrails-history=out/history.jsonl", "--guardrails-arming", "--tb=short", "-rA",
    )  # fmt: skip
    out = pytester.path / "out"
    report = json.loads(
        (out / "report.json").read_text() if (out / "report.json").exists() else (out / "json").read_text()
    )
    assert len(report["cases"]) == number + len(written(hostile))
    assert len(report["corpora"]) == 1
    for kind in REPORTERS:
        text = (out / kind).read_text(encoding="utf-8")
        assert not parsers.unseen(text, keep="\n\t"), kind
        if kind == "md":
            assert list(parsers.markdown_problems(text)) == []
        if kind == "html":
            assert parsers.structure(text).off == []
    assert list(parsers.junit_problems((out / "pytest.xml").read_text(encoding="utf-8"))) == []
    assert not parsers.unseen((out / "history.jsonl").read_text(encoding="utf-8"))
    section = "\n".join([*result.outlines, *result.errlines])
    assert not parsers.unseen(section, keep="\n\t")
    assert not [line for line in result.outlines if line.lstrip().startswith(("::", "##["))]
    assert sum(path.stat().st_size for path in out.iterdir() if path.is_file()) < 30_000_000


@pytest.mark.parametrize(
    "name", ["ansi", "c1 controls", "right to left", "zero width", "nul", "newlines", "separators"]
)
def test_an_id_that_nobody_can_see_is_refused(name: str, pytester: pytest.Pytester, hostile: ModuleType) -> None:
    """An id is printed by pytest as it is, so a case file may not have one that acts on a terminal."""
    case = {"id": hostile.TEXTS[name], "input": "x", "expect": "allow"}
    guard = {"input_guardrails": [{"id": "p", "pii_redact": {}}]}
    path: Path = pytester.path / "a.guardrails.yaml"
    path.write_text(json.dumps({"guardrails": guard, "cases": [case]}))
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["a.guardrails.yaml:1:*"])
