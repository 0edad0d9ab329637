"""The command line: ``pytest-guardrails init | schema | lint | lasso-server``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._schema import case_file_schema
from pytest_guardrails._starter import STARTER


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 if nothing could be done, 2 for wrong usage."""
    arguments = _parser().parse_args(argv)
    if arguments.command == "schema":
        print(json.dumps(case_file_schema(), indent=2))
        return 0
    if arguments.command == "lint":
        return lint([Path(path) for path in arguments.paths])
    if arguments.command == "lasso-server":
        from pytest_guardrails.servers._command import serve_lasso

        return serve_lasso(arguments)
    return init(Path(arguments.folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pytest-guardrails", description="Regression tests for LLM guardrails, inside pytest.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    starting = commands.add_parser("init", help="write a small working suite; never overwrites a file")
    starting.add_argument("folder", nargs="?", default=".", help="where to write it (default: here)")
    commands.add_parser("schema", help="print the JSON Schema of *.guardrails.yaml files, for editors")
    linting = commands.add_parser("lint", help="find keys and personal data in cassettes")
    linting.add_argument("paths", nargs="*", default=["cassettes"], help="cassettes, or folders of them")
    serving = commands.add_parser("lasso-server", help="serve a Lasso stand-in on 127.0.0.1, until Ctrl-C")
    serving.add_argument("--port", type=int, default=0, help="its port (default: a free one)")
    serving.add_argument("--rules", metavar="FILE", help="a YAML file of rules (default: the package's own)")
    serving.add_argument("--cassette", metavar="FILE", help="answer from a recording instead of by rules")
    serving.add_argument("--fault", metavar="NAME", help="fail every call in this way")
    serving.add_argument("--key", help="the key that clients must send (default: a random one, which is printed)")
    return parser


def lint(paths: Sequence[Path]) -> int:
    """Say where cassettes hold credentials or personal data, never which; the exit status is 1 where they do."""
    from pytest_guardrails import _cassette

    found: list[str] = []
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    cassettes = [file for file in files if file.suffix in _cassette.SUFFIXES or file in paths]
    for file in cassettes:
        try:
            problems = _cassette.lint(file)
        except ConfigError as exc:
            found.append(str(exc))
            continue
        for problem in problems:
            line = "" if problem.line is None else f":{problem.line}"
            found.append(f"{problem.file}{line}: {problem.where}: {problem.what}")
    if not cassettes:
        found.append(f"no cassette in {', '.join(map(str, paths))}")
    for said in found:
        print(said, file=sys.stderr)
    print(f"{len(cassettes)} cassettes, {len(found)} problems")
    return 1 if found else 0


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
