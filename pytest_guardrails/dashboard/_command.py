"""``pytest-guardrails dashboard`` and ``serve``: the site written into a folder, or shown on loopback."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history import store_of
from pytest_guardrails.dashboard._serve import serve
from pytest_guardrails.dashboard._site import Sources, build
from pytest_guardrails.dashboard._write import write
from pytest_guardrails.reporters.terminal import plain
from pytest_guardrails.servers._command import until_told

MOST_PROBLEMS = 10


def run_dashboard(arguments: argparse.Namespace) -> int:
    """Write the site; return 0, 1 where it cannot be written, 2 where the sources cannot be meant."""
    folder = Path(arguments.output)
    try:
        site, problems = build(_sources(arguments), folder)
        done = write(site, folder)
    except ConfigError as exc:
        return _refused(exc)
    except OSError as exc:
        print(f"{folder}: cannot write the site: {exc.strerror}", file=sys.stderr)
        return 1
    _tell([*problems, *(f"{folder / name}: kept, since somebody changed it" for name in done.kept)])
    removed = f", {done.removed:,} old ones removed" if done.removed else ""
    print(f"{folder / 'index.html'}: {done.written:,} files written{removed}")
    return 0


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; return 0, 1 where the port is taken, 2 where the sources cannot be meant."""
    try:
        with until_told() as told:
            server, served = serve(_sources(arguments), arguments.port)
            try:
                _tell(served.problems)
                print(f"http://127.0.0.1:{server.port}/ (Ctrl-C stops it)", flush=True)
                told.wait()
            finally:
                server.stop()
    except ConfigError as exc:
        return _refused(exc)
    except OSError as exc:
        said = os.strerror(exc.errno) if exc.errno else str(exc)
        print(f"port {arguments.port}: {said}; without --port a free one is taken", file=sys.stderr)
        return 1
    return 0


def _sources(arguments: argparse.Namespace) -> Sources:
    store = store_of(arguments.history, Path())
    shown = arguments.history if isinstance(store, Path) else str(store)
    return Sources(store, shown, Path(arguments.runs) if arguments.runs else None)


def _refused(exc: ConfigError) -> int:
    print(plain(str(exc), 1_000), file=sys.stderr)
    return 2


def _tell(problems: Sequence[str]) -> None:
    for problem in problems[:MOST_PROBLEMS]:
        print(plain(problem, 300), file=sys.stderr)
    if len(problems) > MOST_PROBLEMS:
        print(f"… and {len(problems) - MOST_PROBLEMS:,} more; the first page lists them", file=sys.stderr)
