"""A case file: its own keys, and its cases, each with an id of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_guardrails._cases._case import DEFAULT_KEYS
from pytest_guardrails._cases._matrix import cases_of
from pytest_guardrails._document import Node, parse_yaml
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._model import Case

SUFFIXES = (".guardrails.yaml", ".guardrails.yml")
FILE_KEYS = ("guardrails", "cassette", "grader", "defaults", "cases", "corpora", "gates", "shadow")


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one file, and what it names: a configuration (path, mapping or nothing), a cassette, corpora."""

    file: str
    guardrails: Node | None
    cases: tuple[Case, ...]
    cassette: Node | None = None
    grader: Node | None = None
    corpora: Node | None = None
    gates: tuple[Node, ...] = ()
    shadow: Node | None = None


def load(path: Path, shown: str | None = None) -> Suite:
    """Read a case file; ``shown`` is its name in errors and reports.

    Raises:
        ConfigError: where it cannot be read or meant.
    """
    file = shown or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot read the file: {exc.strerror}", file=file) from None
    except UnicodeDecodeError:
        raise ConfigError("the file is not UTF-8", file=file) from None
    return read(text, file)


def read(text: str, file: str) -> Suite:
    """Read the text of a case file.

    Raises:
        ConfigError: where it cannot be meant.
    """
    root = parse_yaml(text, file)
    top = root.mapping("a case file", FILE_KEYS)
    if "cases" not in top and "corpora" not in top:
        root.fail("a case file has cases: a list of cases, or corpora")
    defaults = dict(top["defaults"].mapping("defaults", DEFAULT_KEYS)) if "defaults" in top else {}
    seen: dict[str, int | None] = {}
    cases = []
    for node in top["cases"].items("cases") if "cases" in top else ():
        for case in cases_of(node, defaults):
            if case.id in seen:
                raise ConfigError(f"case {case.id!r} is there twice; the first is in line {seen[case.id]}",
                                  file=file, line=case.line, column=node.column)  # fmt: skip
            seen[case.id] = case.line
            cases.append(case)
    if not cases and "cases" in top:
        top["cases"].fail("cases is empty: give it some, or leave it out")
    named = {key: top[key] for key in ("cassette", "grader", "corpora", "shadow") if key in top}
    gates = tuple(top["gates"].items("gates")) if "gates" in top else ()
    return Suite(file, top.get("guardrails"), tuple(cases), gates=gates, **named)
