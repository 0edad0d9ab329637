"""The options and ini keys of the plugin, by what they are for; nothing is imported but pytest."""

from __future__ import annotations

import pytest

RECORD_MODES = ("none", "once", "new", "all", "verify")
REPORT = "--guardrails-report"
SAVE_FAILURES = "--guardrails-save-failures"
ARMING = "--guardrails-arming"
BASELINE = "--guardrails-baseline"
HISTORY = "--guardrails-history"
BARE = (REPORT, SAVE_FAILURES, ARMING, BASELINE, HISTORY)  # options whose value may be left out
CHECKED = (
    "report", "config", "executor", "save_failures", "arming", "min_coverage", "fail_on", "baseline",
    "update_baseline", "history", "shadow",
)  # fmt: skip  # before any test runs


def add_options(parser: pytest.Parser) -> None:
    """Declare the options and ini keys of the group "guardrails"."""
    group = parser.getgroup("guardrails", "regression tests for LLM guardrails")
    for add in (_of_the_run, _of_recording, _of_corpora, _of_gates, _of_versions):
        add(parser, group)


def _of_the_run(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    """Declare what is tested, and what is written."""
    group.addoption(
        REPORT,
        action="append",
        nargs="?",
        const="",
        metavar="TYPE[:DEST]",
        help="write a report: alone, a folder guardrails-report/ with report.json, index.html and summary.md; =TYPE "
        "(csv, ctrf, gha-benchmark, html, json, junit, md, openmetrics, sarif, traces, or one of a package) writes "
        "that one, to DEST if given. Repeatable; the value needs the '='.",
    )
    group.addoption(
        "--guardrails-config",
        metavar="PATH",
        help="the guardrail configuration to test, before any named by a fixture, a case file or the ini file",
    )
    parser.addini("guardrails_config", "the guardrail configuration to test, relative to the ini file")
    group.addoption(
        "--guardrails-reveal",
        action="store_true",
        help="show the texts of cases in failures and reports, which mask them by default",
    )


def _of_recording(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    """Declare what becomes of recorded answers."""
    group.addoption(
        "--guardrails-record",
        choices=RECORD_MODES,
        default="none",
        help="what to do where a guard asks its API: none replays and never opens a socket (default); once records "
        "cassettes that are not there; new records what is missing; all records everything again; verify asks live, "
        "reports what has changed and writes nothing",
    )
    parser.addini("guardrails_cassettes", "the folder of cassettes, relative to rootdir", default="cassettes")
    parser.addini(
        "guardrails_cassette_texts",
        "how texts are recorded: plain, or masked by hashes keyed with GUARDRAILS_MASK_KEY",
        default="plain",
    )


def _of_corpora(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    """Declare where messages are judged, and what becomes of those that fail."""
    group.addoption(
        "--guardrails-executor",
        metavar="EXECUTOR",
        help="where the messages of a corpus are judged: threads or processes (threads:8, processes:4), or the workers "
        "of a scheduler, dask:ADDRESS; by default one after the other in this process",
    )
    parser.addini("guardrails_executor", "what --guardrails-executor says, where it is not given", default="")
    group.addoption(
        "--guardrails-resume",
        action="store_true",
        help="continue the corpora of a run that was interrupted, from the results that it left in pytest's cache; one "
        "that has changed since, or whose guard has, starts afresh and says so",
    )
    group.addoption(
        SAVE_FAILURES,
        nargs="?",
        const="",
        metavar="PATH",
        help="append what Hypothesis found to a case file: PATH (it needs the '='), by default beside each test file "
        "test_x.py the file test_x.found.guardrails.yaml",
    )


def _of_gates(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    """Declare what fails a run, and who scores it."""
    group.addoption(
        "--guardrails-fail-on",
        action="append",
        metavar="GATE",
        help="fail the run unless a figure is as demanded: 'fpr<=0.01', 'recall[tag:pii]>=95%%', 'error_rate==0', "
        "'p95<=50ms'; rates are judged on their exact 95%% bound, or on the estimate: 'point:fpr<=1%%'. Repeatable",
    )
    parser.addini("guardrails_fail_on", "gates, one per line, beside those of --guardrails-fail-on", type="linelist")
    group.addoption(
        ARMING,
        nargs="?",
        const="",
        metavar="MODE",
        help="judge each case and test that passes again with each guardrail off, with all off, and with one that "
        "denies everything, and list those that do not notice. =live (it needs the '=') also where a guard asks an API "
        "that no recording answers",
    )
    group.addoption(
        "--guardrails-min-coverage",
        metavar="PERCENT",
        help="fail the run where fewer of the checks' cells are covered: fired on an attack, silent on a near miss, "
        "and with --guardrails-arming decided alone",
    )
    parser.addini("guardrails_grader", "who scores rubrics: module:function, or file.py:function from rootdir")


def _of_versions(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    """Declare what a run is compared with."""
    group.addoption(
        BASELINE,
        nargs="?",
        const="",
        metavar="PATH",
        help="compare the run with a baseline (PATH needs the '='; by default .guardrails/baseline.jsonl) and fail it "
        "where the guards have become worse",
    )
    group.addoption(
        "--guardrails-update-baseline",
        action="store_true",
        default=None,
        help="write what the run judged into the baseline, say what has changed, and accept it",
    )
    group.addoption(
        HISTORY,
        nargs="?",
        const="",
        metavar="PATH",
        help="append a line per guard version to a history (PATH needs the '='; by default .guardrails/history.jsonl); "
        "PATH may be the URL of a database: sqlite:///PATH or postgresql://...",
    )
    group.addoption(
        "--guardrails-shadow",
        metavar="PATH",
        help="a candidate configuration that judges the same cases in the same run; it is compared and fails nothing",
    )
    parser.addini("guardrails_shadow", "the candidate configuration, relative to the ini file")


def close_bare(args: list[str]) -> list[str]:
    """Close bare options; a database's URL after one is its value: as a missing file, pytest would print it whole."""
    closed: list[str] = []
    for arg in args:
        if closed and closed[-1] == f"{HISTORY}=" and "://" in arg:
            closed[-1] += arg
        else:
            closed.append(f"{arg}=" if arg in BARE else arg)
    return closed
