"""What the plugin costs, beside plain pytest, as ratios within one run.

    python benchmarks/costs.py [--cases 10000] [--repeat 3]

Each figure is the CPU time (user + system) of a whole pytest process; the smallest of the repeats counts, and the
repeats of the two sides alternate, so that a machine that slows down slows both.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pytest_guardrails.servers import LassoServer

GUARD = 'version: "1"\ninput_guardrails: [pii_redact, prompt_injection_detect]\n'
PLAIN = "import pytest\n\n@pytest.mark.parametrize('n', range({n}))\ndef test_x(n):\n    assert n >= 0\n"
MARKED = """\
import pytest
from pytest_guardrails import expect_verdict

@pytest.fixture(scope="session")
def guardrails_config():
    return "guard.yaml"

@expect_verdict("allow")
@pytest.mark.parametrize("n", range({n}))
def test_x(guardrail_engine, n):
    guardrail_engine.run(f"what is the weather in town number {{n}} today")
"""
LASSO = "input_guardrails: [{id: lasso, deny: true, lasso.classify: {}}]\n"
CASE = "  - {{id: c{n}, input: what is the weather in town number {n} today, expect: allow}}\n"


def cpu_seconds(folder: Path, *arguments: str, plugin: bool, **variables: str) -> float:
    """Return the CPU seconds of one pytest process under environment ``variables``; it must pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    if plugin:
        command += ["-p", "pytest_guardrails.plugin"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed plugin is compiled once
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write(folder: Path, cases: int) -> dict[str, str]:
    """Write the suites that are timed; return the environment in which the recorded one was recorded."""
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "guard.yaml").write_text(GUARD)
    (folder / "test_plain.py").write_text(PLAIN.format(n=cases))
    (folder / "test_marked.py").write_text(MARKED.format(n=cases))
    listed = "".join(CASE.format(n=n) for n in range(cases))
    (folder / "big.guardrails.yaml").write_text(f"guardrails: guard.yaml\ncases:\n{listed}")
    (folder / "lasso.yaml").write_text(LASSO)
    recorded = f"guardrails: lasso.yaml\ncassette: recorded.jsonl\ncases:\n{listed}"
    (folder / "recorded.guardrails.yaml").write_text(recorded)
    with LassoServer() as server:
        server_url = server.url
        given = {"LASSO_API_BASE": server_url, "LASSO_API_KEY": server.api_key}
        cpu_seconds(folder, "recorded.guardrails.yaml", "--guardrails-record=all", plugin=True, **given)
    assert (folder / "recorded.jsonl").read_bytes().count(b"\n") >= cases
    return {"LASSO_API_BASE": server_url}


def main() -> None:
    """Time, and print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "suites"
        recorded = write(folder, arguments.cases)
        load(Path(name) / "bare", 10 * arguments.repeat)
        suites: dict[str, Callable[[], float]] = {
            "plain parametrized tests": lambda: cpu_seconds(folder, "test_plain.py", plugin=False),
            "YAML cases": lambda: cpu_seconds(folder, "big.guardrails.yaml", plugin=True),
            "YAML cases with reports": lambda: cpu_seconds(
                folder, "big.guardrails.yaml", "--guardrails-report", plugin=True
            ),
            "YAML cases, Lasso recorded": lambda: cpu_seconds(
                folder, "recorded.guardrails.yaml", plugin=True, **recorded
            ),
            "marked tests": lambda: cpu_seconds(folder, "test_marked.py", plugin=True),
        }
        times: dict[str, list[float]] = {label: [] for label in suites}
        for _ in range(arguments.repeat):
            for label, suite in suites.items():
                times[label].append(suite())
        plain = min(times["plain parametrized tests"])
        print(f"\n{arguments.cases} of each, CPU seconds (smallest of {arguments.repeat}), ratio to plain tests")
        for label, seconds in times.items():
            print(f"  {label:<28} {min(seconds):7.2f} s  x {min(seconds) / plain:.2f}")
        for path in sorted((folder / "guardrails-report").iterdir()):
            print(f"  {path.name:<28} {path.stat().st_size / 1e6:7.2f} MB")


def load(folder: Path, repeat: int) -> None:
    """Print what loading the plugin adds to a run that does not use it."""
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_one.py").write_text("def test_one(): pass\n")
    cpu_seconds(folder, plugin=True)  # bytecode is written before anything counts
    bare, loaded = [], []
    for _ in range(repeat):
        bare.append(cpu_seconds(folder, plugin=False))
        loaded.append(cpu_seconds(folder, plugin=True))
    added = statistics.median(after - before for before, after in zip(bare, loaded, strict=True))
    print(f"one test, CPU, median of {repeat} pairs: bare pytest {statistics.median(bare) * 1000:.0f} ms, ", end="")
    print(f"with the plugin {added * 1000:+.1f} ms (x {statistics.median(loaded) / statistics.median(bare):.3f})")


if __name__ == "__main__":
    main()
