"""The import rule of the house, kept by a test: a module imports only from lower layers, and load stays cheap."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_guardrails

ROOT = Path(pytest_guardrails.__file__).parent
PACKAGE = "pytest_guardrails"

# From the bottom up. Modules of one line never import each other, but for siblings inside one folder.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("_errors", "_codec", "_aside"),
    ("_model",),
    ("_document", "_texts", "_mask", "_stats", "_denial", "_diagnosis", "_dump", "_schema", "_starter", "corpora"),
    ("_engine", "_expect", "_metrics", "_allowlists", "_parameters", "checks", "_population", "_spool"),
    ("_arming", "_coverage"),
    ("_config", "_cases", "_corpus", "_gates", "reporters", "_faults", "_cassette", "lasso"),
    ("_report",),
    ("_marker", "_history", "targets", "_key", "servers", "strategies", "_executors", "_rubric"),
    ("_engines", "_failures", "_records", "_recording", "_calibrate", "_run_gates", "_versions", "dashboard"),
    ("_showing",),
    ("_results", "_answers", "_found", "_merge"),
    ("_shadow", "_armed_items", "_riding"),
    ("_session",),
    ("_corpus_items",),
    ("_collect",),
    ("_options", "_controller"),
    ("plugin", "cli"),
    ("packs",),
    ("",),  # the package itself: lazy public names
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
HEAVY = ("yaml", "httpx", "httpx2", "vcr", "hypothesis", "jinja2", "jsonschema", "stdnum", "ssl", "sqlite3")
HEAVY += ("sqlalchemy",)
OWN = ("_controller", "_options", "plugin")  # what a run without guardrail tests imports of the package


def modules() -> Iterator[tuple[str, Path]]:
    """Yield every module's dotted name inside the package, and its file."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(path: Path) -> set[str]:
    """Return the package's modules that a file imports: at the top, in functions, under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    known = {name for name, _ in modules()}
    inner = {name.removeprefix(f"{PACKAGE}.") for name in found if name.startswith(f"{PACKAGE}.")}
    return {name for name in inner if name in known}


def room(name: str) -> str:
    """Return the module or folder of the house that a dotted name belongs to."""
    return name.partition(".")[0]


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name or PACKAGE for name, _ in modules()])
def test_a_module_imports_only_from_lower_layers(name: str, path: Path) -> None:
    """Every module is in the table, and imports from lower layers or its own folder alone."""
    assert room(name) in RANK, f"{name} is in no layer: add it to LAYERS where it belongs"
    for other in imported(path):
        if room(other) != room(name):
            assert RANK[room(other)] < RANK[room(name)], f"{name} imports {other}, which is not below it"


def test_the_table_names_nothing_that_is_gone() -> None:
    """A layer lists only modules that exist."""
    assert set(RANK) == {room(name) for name, _ in modules()}


def test_siblings_in_a_folder_make_no_cycle() -> None:
    """Inside a folder, imports between siblings have no cycle."""
    graph = {name: imported(path) for name, path in modules()}

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        nexts = graph[start] - seen
        return goal in nexts or any(reaches(n, goal, seen | nexts) for n in nexts)

    assert [name for name in graph if name and reaches(name, name, set())] == []


def loaded(code: str) -> list[str]:
    """Return the modules that a fresh interpreter has imported after ``code``."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    names: list[str] = json.loads(run.stdout.splitlines()[-1])
    return names


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    """Plugin load pays for pytest alone: none of our nouns, and no third-party package."""
    extra = set(loaded("import pytest; import pytest_guardrails.plugin")) - set(loaded("import pytest"))
    assert extra == {PACKAGE, *(f"{PACKAGE}.{own}" for own in OWN)}


def test_a_run_without_guardrail_tests_imports_nothing_heavy(tmp_path: Path) -> None:
    """A suite that does not use the plugin never pays for it, not even at the end of the run."""
    (tmp_path / "test_one.py").write_text("def test_one(): pass\n")
    code = (
        "import os, pytest; os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'; "
        "options = ['-q', '-p', 'pytest_guardrails.plugin', '-p', 'no:cacheprovider']; "
        f"assert pytest.main([*options, {str(tmp_path)!r}]) == 0"
    )
    names = loaded(code)
    assert [name for name in names if name.startswith(f"{PACKAGE}.")] == [f"{PACKAGE}.{own}" for own in OWN]
    assert [name for name in names if name in HEAVY] == []


def test_the_nouns_use_the_standard_library_alone() -> None:
    """Nouns import no third-party package."""
    nouns = sorted((ROOT / "_model").glob("*.py"))
    assert nouns
    for path in (ROOT / "_errors.py", ROOT / "_codec.py", *nouns):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for imported_name in names:
                top = imported_name.partition(".")[0]
                assert top == PACKAGE or top in sys.stdlib_module_names, f"{path.name} imports {imported_name}"
