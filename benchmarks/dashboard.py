"""How long a dashboard takes to be built, and how large its pages are.

    python benchmarks/dashboard.py [--lines 5000] [--populations 3] [--guardrails 5] [--versions 40]

A made-up history of one guard is written and built in this process; prints CPU seconds of reading,
building and writing, beside those of ``json.loads`` alone, and the largest pages.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._history import Past, recall
from pytest_guardrails._history._log import line_of
from pytest_guardrails.dashboard import Sources, build
from pytest_guardrails.dashboard._write import write

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def made_up(lines: int, populations: int, guardrails: int, versions: int) -> list[Past]:
    """Return a history whose false positives fall slowly from version to version."""
    draw = random.Random(1)  # noqa: S311 - figures for a picture
    names = ["cases", *(f"corpus-{number}" for number in range(1, populations))]
    found = []
    for line in range(lines):
        version = line * versions // lines
        risk = 0.08 / (1 + version / 8)
        found.append(
            Past(
                time=(FIRST + timedelta(hours=line)).isoformat(timespec="seconds"),
                commit=f"{draw.getrandbits(160):040x}",
                suite=f"{version // 10:016x}",
                guard="chat/guard.yaml",
                version=f"1.{version} ({version:010x})",
                status=draw.choices(("passed", "failed", "untrusted"), (95, 4, 1))[0],
                populations=FrozenDict({name: _figures(draw, risk, timed=True) for name in names}),
                guardrails=FrozenDict(
                    {
                        name: FrozenDict(
                            {f"before_request/guardrail-{n}": _figures(draw, risk / 2) for n in range(guardrails)}
                        )
                        for name in names
                    }
                ),
            )
        )
    return found


def _figures(draw: random.Random, risk: float, *, timed: bool = False) -> FrozenDict:
    benign, attacks = 400, 200
    false, missed = (sum(draw.random() < share for _ in range(40)) for share in (risk, 2 * risk))
    counts = {"true_positive": attacks - missed, "false_positive": false, "true_negative": benign - false}
    counts |= {"false_negative": missed, "error": int(draw.random() < 0.02)}
    base = 0.002 * (1 + draw.random())
    return FrozenDict({**counts, **({"p50_s": base, "p95_s": 2 * base, "p99_s": 3 * base} if timed else {})})


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("lines", 5000), ("populations", 3), ("guardrails", 5), ("versions", 40)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", metavar="DIR", help="write the site there and leave it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder) / "history.jsonl"
        pasts = made_up(given.lines, given.populations, given.guardrails, given.versions)
        history.write_text("".join(line_of(past) + "\n" for past in pasts))
        del pasts
        start = time.process_time()
        for line in history.read_bytes().splitlines():
            json.loads(line)
        peer = time.process_time() - start
        start = time.process_time()
        recall(history, "history")
        read = time.process_time()
        site, _ = build(Sources(history, "history"))
        built = time.process_time()
        write(site, Path(given.keep or f"{folder}/site"))
        written = time.process_time()
    print(f"{given.lines:,} lines, CPU: read {read - start:.2f} s; read and built {built - read:.2f} s; ", end="")
    print(f"written {written - built:.2f} s; {len(site)} files")
    print(f"json.loads of the same lines: {peer:.2f} s; read and built is {(built - read) / peer:.1f} times that")
    sizes = {name: len(content) for name, content in site.items() if isinstance(content, bytes)}
    for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:8]:
        print(f"{size / 1e6:8.2f} MB  {name}")


if __name__ == "__main__":
    main()
