"""Measure the built-in detectors on labelled corpora: false-positive rate, recall, spans, time.

Run ``python benchmarks/detectors.py --data DIR [--limit N]``. DIR holds ``*.jsonl`` files, one object a line with
``text``, ``label`` (0 legitimate, 1 attack or holds personal data), ``category`` and, where known, ``spans`` (``type``,
``start``, ``end``). Corpora are never pooled: each row of the table is one population. Without DIR, only the near-miss
pack and the worst-case timings are measured.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest_guardrails
from pytest_guardrails import _cases
from pytest_guardrails._model import Check, Text
from pytest_guardrails._stats import Rate
from pytest_guardrails.checks import ContentModeration, PiiRedact, PromptInjectionDetect

CHECKS: tuple[Check, ...] = (PiiRedact(), PromptInjectionDetect(), ContentModeration())
SPANS_OF = "presidio_generated_large"
TYPES = {  # the types of that corpus that we have
    "CREDIT_CARD": "CREDIT_CARD",
    "EMAIL_ADDRESS": "EMAIL",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP_ADDRESS",
    "PHONE_NUMBER": "PHONE",
    "US_SSN": "US_SSN",
}
HOSTILE = (
    "a@", "a@1", "sk-1", "1:", ":1", "AKIA1", "call 1", "a.", "x.", "1-", "1 ", "1.", "1", "a", "+1", "+49 ",
    "::1", "DE89 ", "4111 ",
    "415-", "ssn 1", "version ", "@", " ", "ignore all ", "ignore the ", "reveal your ", "you are free ",
    "new ", "act ", "[", "<|", "build a ", "\n", "é", "１",
)  # fmt: skip
# What detectors made of shapes or of words alone would use: the peers on the near-miss pack.
PEERS = {
    "peer: digit shapes": r"\d{13,16}|\d{3}-?\d{2}-?\d{4}|\d{10}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d+\.\d+\.\d+\.\d+",
    "peer: token shapes": r"sk-\w+|\S+@\S+|\b[0-9a-f]{40}\b|\b[A-Z]{2}\d{2}[A-Z0-9 ]{11,30}\b",
    "peer: single words": r"ignore|jailbreak|system prompt|instructions|api.?key|kill|shoot|bomb|attack|poison",
}


def rows(path: Path, limit: int | None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a corpus, the first ``limit`` of them."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if limit is not None and number >= limit:
                return
            yield json.loads(line)


def flagged(check: Check, texts: Sequence[str]) -> tuple[int, float]:
    """Return how many texts have a finding, and the microseconds that one text took."""
    begun = time.process_time()
    hits = sum(bool(check([Text(text)])) for text in texts)
    return hits, (time.process_time() - begun) / max(1, len(texts)) * 1e6


def shown(rate: Rate) -> str:
    """Say a rate with its counts and interval."""
    if rate.interval is None:
        return "unknown (0 of 0)"
    low, high = rate.interval
    return f"{rate.hits:>5} of {rate.total:<5} {rate.hits / rate.total:7.2%} [{low:.2%}, {high:.2%}]"


def corpora(folder: Path, limit: int | None) -> None:
    """Print a line per corpus, label and check: label 0 is the false-positive rate, label 1 recall."""
    for path in sorted(folder.glob("*.jsonl")):
        found = list(rows(path, limit))
        for label, name in ((0, "FPR"), (1, "recall")):
            texts = [row["text"] for row in found if row["label"] == label]
            for check in CHECKS if texts else ():
                hits, micros = flagged(check, texts)
                print(f"{path.stem:30} {name:6} {check.id:24} {shown(Rate(hits, len(texts)))} {micros:8.1f} us/message")


def spans(path: Path, limit: int | None) -> None:
    """Print span recall and precision per type: a hit has the same type and half of the gold span."""
    check, counts = CHECKS[0], {ours: [0, 0, 0, 0] for ours in TYPES.values()}
    for row in rows(path, limit):
        gold = [(TYPES[s["type"]], s["start"], s["end"]) for s in row["spans"] or () if s["type"] in TYPES]
        got = [(finding.name, finding.start or 0, finding.end or 0) for finding in check([Text(row["text"])])]
        for one in gold:
            counts[one[0]][0] += any(covers(one, other) for other in got)
            counts[one[0]][1] += 1
        for one in got:
            if one[0] in counts:
                counts[one[0]][2] += any(covers(other, one) for other in gold)
                counts[one[0]][3] += 1
    print(f"\nspans of {path.stem}")
    for name, (hits, total, right, found) in counts.items():
        print(f"  {name:12} recall {shown(Rate(hits, total))}   precision {shown(Rate(right, found))}")


def covers(gold: tuple[str, int, int], found: tuple[str, int, int]) -> bool:
    """True if ``found`` has the type of ``gold`` and at least half of its characters."""
    common = min(gold[2], found[2]) - max(gold[1], found[1])
    return gold[0] == found[0] and 2 * common >= gold[2] - gold[1]


def near_misses() -> None:
    """Print how much of the near-miss pack is flagged by the checks, and by a detector of shapes alone."""
    file = Path(pytest_guardrails.__file__).parent / "packs" / "near_miss" / "near_miss.guardrails.yaml"
    texts = [message.text for case in _cases.load(file).cases for message in case.request.messages]
    print(f"\n{file.stem}: {len(texts)} legitimate look-alikes")
    for check in CHECKS:
        print(f"  {check.id:24} {shown(Rate(flagged(check, texts)[0], len(texts)))}")
    hits = {name: {text for text in texts if re.search(shape, text, re.IGNORECASE)} for name, shape in PEERS.items()}
    hits["peers together"] = set().union(*hits.values())
    for name, found in hits.items():
        print(f"  {name:24} {shown(Rate(len(found), len(texts)))}")


def worst_case() -> None:
    """Print, per check, the hostile text that grows most from 5,000 to 20,000 characters; linear is 4."""
    print("\nworst case, 20,000 characters against 5,000 (linear: 4)")
    for check in CHECKS:
        timed = [(seconds(check, unit, 20_000), seconds(check, unit, 5_000), unit) for unit in HOSTILE]
        slowest, slow_unit = max((long, unit) for long, _, unit in timed)
        growth, unit = max((long / short, unit) for long, short, unit in timed if long >= min(slowest, 1e-3))
        print(f"  {check.id:24} growth {growth:4.1f} on {unit!r}, slowest {slowest * 1e3:.1f} ms on {slow_unit!r}")


def seconds(check: Check, unit: str, size: int) -> float:
    """Return the best of five CPU times of a text made of ``unit``."""
    text = [Text((unit * size)[:size])]
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        check(text)
        best = min(best, time.perf_counter() - begun)
    return best


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurements that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="a folder of labelled *.jsonl corpora")
    parser.add_argument("--limit", type=int, help="use the first N rows of each corpus")
    options = parser.parse_args(arguments)
    if options.data is None or not any(options.data.glob("*.jsonl")):
        print(f"corpora skipped: {options.data or 'no --data'} has no *.jsonl files")
    else:
        corpora(options.data, options.limit)
        labelled = options.data / f"{SPANS_OF}.jsonl"
        if labelled.is_file():
            spans(labelled, options.limit)
    near_misses()
    worst_case()
    return 0


if __name__ == "__main__":
    sys.exit(main())
