"""What measuring a corpus costs, beside a plain loop over the engine: throughput as a ratio in one run, and memory.

    python benchmarks/corpus.py [--rows 100000 1000000] [--distinct 2000] [--executor SPEC]

For each size, two fresh processes judge the same JSONL file with the same guard: a plain loop (``json.loads``,
``engine.run``) and a pytest run with one corpus. Figures are CPU seconds (user + system, children included) and the
peak resident memory of the process itself; the memory of two sizes should be the same.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

GUARD = 'version: "1"\ninput_guardrails: [pii_redact, prompt_injection_detect]\n'
SUITE = "guardrails: guard.yaml\ncorpora: [{file: big.jsonl, max_fpr: 0.1}]\n"
TEXT = "please send the invoice for order number and tell me when the parcel arrives at our office in town today"
LOOP = """\
import json
from pytest_guardrails import Engine
engine = Engine.from_file("guard.yaml")
with open("big.jsonl") as file:
    for line in file:
        engine.run(json.loads(line)["text"], lambda request: "OK.")
"""
PYTEST = """\
import sys, pytest
code = pytest.main(["-q", "-p", "pytest_guardrails.plugin", *sys.argv[1:]])
assert code == 0, code
"""
MEASURED = """
import resource
own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print("\\n", own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, own.ru_maxrss)
"""


def write(path: Path, rows: int, distinct: int) -> None:
    """Write a corpus of short messages, one in a hundred with an address."""
    draw = random.Random(1)  # noqa: S311 - no secret
    texts = [" ".join(draw.choices(TEXT.split(), k=draw.randint(5, 25))) for _ in range(distinct)]
    with path.open("w") as file:
        for row in range(rows):
            text = f"{texts[row % distinct]} {row}" + (" a@example.com" if row % 100 == 0 else "")
            file.write(json.dumps({"text": text, "label": "benign", "category": f"c{row % 7}"}) + "\n")


def measure(folder: Path, script: str, *arguments: str) -> tuple[float, float]:
    """Return the CPU seconds and the peak memory, in MB, of a fresh process."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-c", script + MEASURED, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, env=environment)  # fmt: skip
    seconds, kilobytes = done.stdout.splitlines()[-1].split()
    return float(seconds), float(kilobytes) / 1024


def main() -> None:
    """Measure each size, and print a line per figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--distinct", type=int, default=2_000)
    parser.add_argument("--executor")
    arguments = parser.parse_args()
    options = [f"--guardrails-executor={arguments.executor}"] if arguments.executor else []
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "guard.yaml").write_text(GUARD)
            (folder / "pytest.ini").write_text("[pytest]\n")
            (folder / "big.guardrails.yaml").write_text(SUITE)
            write(folder / "big.jsonl", rows, arguments.distinct)
            loop, loop_memory = measure(folder, LOOP)
            run, run_memory = measure(folder, PYTEST, *options)
            print(f"{rows:,} messages")
            print(f"  plain loop   {loop:8.1f} CPU s  {rows / loop:9,.0f} a second  {loop_memory:6.0f} MB")
            print(f"  corpus       {run:8.1f} CPU s  {rows / run:9,.0f} a second  {run_memory:6.0f} MB", end="")
            print(f"   x {run / loop:.2f}", flush=True)


if __name__ == "__main__":
    main()
