"""The hostile texts and runs of ``hostile.py``, and the parsers of ``parsers.py``, as fixtures."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

# As in the conftest above: runs inside a test would import and compile them anew each time.
for name in ("httpx", "httpcore", "vcr", "requests"):
    if importlib.util.find_spec(name) is not None:
        importlib.import_module(name)


def _beside(name: str) -> ModuleType:
    """Import a file of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"safety_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


HOSTILE, PARSERS, SECRETS = (_beside(name) for name in ("hostile", "parsers", "secrets_of_cases"))


@pytest.fixture(scope="session")
def hostile() -> ModuleType:
    """The module of hostile texts, and of runs that are full of one."""
    return HOSTILE


@pytest.fixture(scope="session")
def parsers() -> ModuleType:
    """The module of real parsers of each format."""
    return PARSERS


@pytest.fixture(scope="session")
def private() -> ModuleType:
    """The module of personal data and keys, assembled at run time, and of the search for them."""
    return SECRETS
