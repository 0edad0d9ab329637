"""What a recorded answer costs: load and replay, beside vcrpy and a transport that only calls a function.

    python benchmarks/replay.py [--sizes 10,1000,10000] [--repeat 3] [--libraries httpx,httpx2]

CPU time of this process; the smallest of the repeats counts, and the sides take turns within a repeat. Requests are
spread over the whole cassette. vcrpy, matched on the body, scans its cassette for each request: above 100 interactions
it gets a sample of them, and above 1,000 no more than a few, and the line says how many.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pytest_guardrails._cassette import Cassette, Interaction, Metadata, RecordedTransport, save

URL = "https://lasso.example/gateway/v3/classify"
ANSWER = {
    "deputies": dict.fromkeys(["jailbreak", "custom-policies", "sexual", "hate", "illegality", "codetect"], False),
    "findings": {},
    "violations_detected": False,
}
MOST_OF_VCRPY = ((100, 100), (1_000, 20), (10_000, 3))  # requests, up to that many interactions


def question(number: int) -> bytes:
    """Return the body of a request, about as long as a real one."""
    text = f"Question {number}: what is the weather in town number {number} today? " + "Please answer at length. " * 12
    message = {"role": "user", "content": text}
    return json.dumps(
        {"messages": [message], "messageType": "PROMPT", "sessionId": "01HF3Z7YVDN0SGKPVJ9BQ6RPXE"}
    ).encode()


def cassette(size: int) -> Cassette:
    """Return a synthetic cassette of that many questions, each with the same clean answer."""
    json_type = (("content-type", "application/json"),)
    answer = json.dumps(ANSWER).encode()
    return Cassette(
        tuple(
            Interaction("POST", URL, json_type, question(number), 200, json_type, answer, latency_ms=120.0)
            for number in range(size)
        ),
        Metadata("synthetic"),
    )


def cpu(work: Callable[[], Any]) -> float:
    """Return the CPU seconds that a call takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def ask(client: Any, numbers: Iterable[int]) -> None:
    """Send these questions; each must be answered."""
    for number in numbers:
        response = client.post(URL, content=question(number), headers={"content-type": "application/json"})
        assert response.json()["violations_detected"] is False


def spread(size: int, most: int) -> list[int]:
    """Return at most so many numbers below ``size``, evenly spread."""
    count = min(size, most)
    return [number * size // count for number in range(count)]


def with_transport(library: Any, make: Callable[[], Any], size: int) -> tuple[float, float, int]:
    """Return the seconds to make a transport, the seconds for a request, and how many were sent."""
    made: list[Any] = []
    load = cpu(lambda: made.append(make()))
    numbers = spread(size, 2_000)
    with library.Client(transport=made[0]) as client:
        return load, cpu(lambda: ask(client, numbers)) / len(numbers), len(numbers)


def with_vcrpy(library: Any, path: Path, size: int) -> tuple[float, float, int]:
    """Return the same for vcrpy, matched on method, uri and body."""
    import vcr

    recorder = vcr.VCR(record_mode="none", match_on=["method", "uri", "body"], serializer=path.suffix[1:])
    context = recorder.use_cassette(str(path))
    load = cpu(context.__enter__)
    try:
        numbers = spread(size, next((most for limit, most in MOST_OF_VCRPY if size <= limit), 1))
        with library.Client() as client:
            return load, cpu(lambda: ask(client, numbers)) / len(numbers), len(numbers)
    finally:
        context.__exit__(None, None, None)


def compare(name: str, size: int, repeat: int, folder: Path) -> None:
    """Print one table: a library and a size."""
    library: Any = importlib.import_module(name)
    paths = {suffix: folder / f"{size}{suffix}" for suffix in (".yaml", ".json", ".jsonl")}
    for path in paths.values():
        if not path.exists():
            save(path, cassette(size))
    answer = library.MockTransport(lambda request: library.Response(200, json=ANSWER))
    sides: dict[str, Callable[[], tuple[float, float, int]]] = {
        "MockTransport (the floor)": lambda: with_transport(library, lambda: answer, size),
        "recorded, YAML": lambda: with_transport(library, lambda: RecordedTransport(paths[".yaml"]), size),
        "recorded, JSON": lambda: with_transport(library, lambda: RecordedTransport(paths[".json"]), size),
        "recorded, JSON Lines": lambda: with_transport(library, lambda: RecordedTransport(paths[".jsonl"]), size),
        "vcrpy, YAML": lambda: with_vcrpy(library, paths[".yaml"], size),
        "vcrpy, JSON": lambda: with_vcrpy(library, paths[".json"], size),
    }
    runs: dict[str, list[tuple[float, float, int]]] = {label: [] for label in sides}
    for _ in range(1 if size > 1_000 else repeat):
        for label, side in sides.items():
            runs[label].append(side())
    best = {label: (min(r[0] for r in rows), min(r[1] for r in rows), rows[0][2]) for label, rows in runs.items()}
    floor, ours = best["MockTransport (the floor)"][1], best["recorded, JSON Lines"][0]
    print(f"\n{name}, {size:,} interactions")
    print(f"  {'':<26} {'load':>10} {'x JSONL':>8} {'a request':>12} {'x floor':>9}   requests")
    for label, (load, request, count) in best.items():
        loading = f"{load * 1000:7.1f} ms {load / ours:8.1f}" if "Mock" not in label else " " * 19
        sampled = f"{count:,}" + (" (a sample)" if count < size else "")
        print(f"  {label:<26} {loading} {request * 1e6:9.0f} µs {request / floor:9.1f}   {sampled}")


def main() -> None:
    """Time, and print a table for each library and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10,1000,10000")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--libraries", default="httpx,httpx2")
    arguments = parser.parse_args()
    import vcr  # noqa: F401 - its import is no part of a load

    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.libraries.split(","):
            if importlib.util.find_spec(name) is None:
                print(f"\n{name} is not installed")
                continue
            for size in map(int, arguments.sizes.split(",")):
                compare(name, size, arguments.repeat, Path(folder))


if __name__ == "__main__":
    main()
