"""The command line: ``pytest-guardrails init`` and ``pytest-guardrails schema``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_guardrails._schema import case_file_schema
from pytest_guardrails._starter import STARTER


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 if nothing could be done, 2 for wrong usage."""
    arguments = _parser().parse_args(argv)
    if arguments.command == "schema":
        print(json.dumps(case_file_schema(), indent=2))
        return 0
    return init(Path(arguments.folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pytest-guardrails", description="Regression tests for LLM guardrails, inside pytest.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    starting = commands.add_parser("init", help="write a small working suite; never overwrites a file")
    starting.add_argument("folder", nargs="?", default=".", help="where to write it (default: here)")
    commands.add_parser("schema", help="print the JSON Schema of *.guardrails.yaml files, for editors")
    return parser


def init(folder: Path) -> int:
    """Write the starter suite into ``folder``; where any of its files is there already, write nothing at all."""
    if folder.exists() and not folder.is_dir():
        print(f"{folder} is not a folder", file=sys.stderr)
        return 1
    there = [name for name in STARTER if (folder / name).exists()]
    if there:
        print(f"nothing written: {', '.join(there)} is already in {folder}", file=sys.stderr)
        return 1
    for name, text in STARTER.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:  # "x": a file that appeared meanwhile is not overwritten
            file.write(text)
        print(f"wrote {path}")
    print("now run: pytest --guardrails-report")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
