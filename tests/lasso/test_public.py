"""What ``pytest_guardrails.lasso`` exports, and what importing it costs."""

from __future__ import annotations

import json
import subprocess
import sys

from pytest_guardrails import lasso


def test_all_is_sorted_and_there() -> None:
    """``__all__`` has no repeats, and every name of it exists."""
    names = lasso.__all__
    assert len(set(names)) == len(names)
    assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert all(hasattr(lasso, name) for name in names)


def test_importing_it_imports_no_http_library() -> None:
    """A suite that reads a configuration with Lasso in it pays for httpx when it first asks."""
    code = "import json, sys, pytest_guardrails.lasso; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert not {"httpx", "httpx2", "yaml", "vcr", "ssl"} & set(json.loads(run.stdout))
