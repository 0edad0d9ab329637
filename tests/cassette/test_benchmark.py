"""The benchmark of replay runs, and what it claims holds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "replay.py"
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="no benchmarks beside the tests: tested in a checkout")


def test_it_prints_a_line_for_each_side() -> None:
    """Each library and size has its table, with the floor, our three formats and vcrpy."""
    command = [sys.executable, str(SCRIPT), "--sizes", "3,5", "--repeat", "1", "--libraries", "httpx,nosuchlibrary"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert [line for line in run.stdout.splitlines() if line.startswith("httpx")] == [
        "httpx, 3 interactions",
        "httpx, 5 interactions",
    ]
    sides = ["MockTransport (the floor)"]
    sides += ["recorded, YAML", "recorded, JSON", "recorded, JSON Lines", "vcrpy, YAML", "vcrpy, JSON"]
    labels = [re.split(r"  +", line)[1] for line in run.stdout.splitlines() if " µs " in line]
    assert labels == sides * 2
    assert "nosuchlibrary is not installed" in run.stdout
