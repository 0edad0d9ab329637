"""The command line: ``pytest-guardrails init | lint | calibrate | compare | report | merge | …``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_guardrails._errors import ConfigError
from pytest_guardrails._schema import case_file_schema
from pytest_guardrails._starter import IGNORED, STARTER


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 if nothing could be done, 2 for wrong usage."""
    arguments = _parser().parse_args(argv)
    if arguments.command == "schema":
        print(schema(arguments.of))
        return 0
    if arguments.command == "lint":
        return lint([Path(path) for path in arguments.paths])
    if arguments.command == "lasso-server":
        from pytest_guardrails.servers._command import serve_lasso

        return serve_lasso(arguments)
    if arguments.command == "calibrate":
        from pytest_guardrails._calibrate._command import run_calibrate

        return run_calibrate(arguments)
    if arguments.command == "compare":
        from pytest_guardrails._history._command import run_compare

        return run_compare(arguments)
    if arguments.command == "dashboard":
        from pytest_guardrails.dashboard._command import run_dashboard

        return run_dashboard(arguments)
    if arguments.command == "serve":
        from pytest_guardrails.dashboard._command import run_serve

        return run_serve(arguments)
    if arguments.command == "report":
        from pytest_guardrails._report._command import run_report

        return run_report(arguments)
    if arguments.command == "merge":
        from pytest_guardrails._merge._command import run_merge

        return run_merge(arguments)
    return init(Path(arguments.folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pytest-guardrails", description="Regression tests for LLM guardrails, inside pytest.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    starting = commands.add_parser("init", help="write a small working suite; never overwrites a file")
    starting.add_argument("folder", nargs="?", default=".", help="where to write it (default: here)")
    printing = commands.add_parser("schema", help="print a JSON Schema: of *.guardrails.yaml files, or of report.json")
    printing.add_argument("of", nargs="?", default="cases", choices=("cases", "report"), help="default: cases")
    linting = commands.add_parser("lint", help="find keys and personal data in cassettes")
    linting.add_argument("paths", nargs="*", default=["cassettes"], help="cassettes, or folders of them")
    serving = commands.add_parser("lasso-server", help="serve a Lasso stand-in on 127.0.0.1, until Ctrl-C")
    serving.add_argument("--port", type=int, default=0, help="its port (default: a free one)")
    serving.add_argument("--rules", metavar="FILE", help="a YAML file of rules (default: the package's own)")
    serving.add_argument("--cassette", metavar="FILE", help="answer from a recording instead of by rules")
    serving.add_argument("--fault", metavar="NAME", help="fail every call in this way")
    serving.add_argument("--key", help="the key that clients must send (default: a random one, which is printed)")
    calibrating = commands.add_parser("calibrate", help="propose what would end a run's false positives; edits nothing")
    calibrating.add_argument("report", help="the report.json of a run")
    calibrating.add_argument("--config", required=True, metavar="FILE", help="the configuration that it tested")
    calibrating.add_argument("--root", default=".", metavar="DIR", help="where its case files are (default: here)")
    calibrating.add_argument("--reveal", action="store_true", help="print proposed entries as they are, not masked")
    comparing = commands.add_parser("compare", help="compare two versions; exit status 1 where the second is worse")
    comparing.add_argument("before", help="a baseline, a report.json or the folder of one")
    comparing.add_argument("after", nargs="+", help="another, of the same suite; or several, one per shard")
    comparing.add_argument("--format", choices=("text", "json", "md"), default="text", help="how it is printed")
    _add_reports(commands)
    _add_dashboards(commands)
    return parser


def _add_dashboards(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    drawing = commands.add_parser("dashboard", help="write a history as static pages: rates over runs and versions")
    drawing.add_argument("history", help="a history.jsonl, or the URL of its database")
    drawing.add_argument("runs", nargs="?", metavar="RUNS_DIR", help="a folder of the runs' report.json files")
    drawing.add_argument("-o", "--output", default="site", metavar="DIR", help="where to write them (default: site)")
    showing = commands.add_parser("serve", help="show a history on 127.0.0.1 and follow it, until Ctrl-C")
    showing.add_argument(
        "history", nargs="?", default=".guardrails/history.jsonl", help="(default: .guardrails/history.jsonl)"
    )
    showing.add_argument("--runs", metavar="RUNS_DIR", help="a folder of the runs' report.json files")
    showing.add_argument("--port", type=int, default=0, help="its port (default: a free one)")


def _add_reports(commands: Any) -> None:
    drawing = commands.add_parser("report", help="draw a report.json again, as any type of report")
    drawing.add_argument("report", help="a report.json, or the folder of one")
    drawing.add_argument("--to", required=True, metavar="TYPE", help="html, md, csv, …: as in --guardrails-report")
    drawing.add_argument("-o", "--output", metavar="PATH", help="where to write it (default: standard output)")
    merging = commands.add_parser("merge", help="join the reports of a suite's shards; exit status 1 where one failed")
    merging.add_argument("reports", nargs="+", metavar="report", help="a report.json, or the folder of one")
    merging.add_argument("-o", "--output", metavar="PATH", help="where to write it (default: standard output)")
    merging.add_argument("--expect", type=int, metavar="N", help="refuse any other number of reports: one is missing")
    merging.add_argument("--matrix", action="store_true", help="keep each report's tests and guards apart, by its name")
    gate = {"action": "append", "default": [], "metavar": "GATE", "help": "what the whole must show, as in fpr<=1%%"}
    merging.add_argument("--fail-on", **gate)


def schema(of: str) -> str:
    """Return the JSON Schema of case files or of reports, as text."""
    if of == "cases":
        return json.dumps(case_file_schema(), indent=2)
    from pytest_guardrails._report._command import shipped_schema

    return shipped_schema().rstrip("\n")


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
    print(_ignore(folder / ".gitignore"))
    print("now run: pytest --guardrails-report")
    return 0


def _ignore(path: Path) -> str:
    """Write a ``.gitignore`` of what runs leave behind, where there is none; return what was done."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in IGNORED)
    except FileExistsError:
        return f"{path} is yours and stays as it is; what runs leave behind is {', '.join(IGNORED)}"
    return f"wrote {path}"


if __name__ == "__main__":
    raise SystemExit(main())
