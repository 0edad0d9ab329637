"""``index.html``: the run as one page that needs no network, no server and, to be read, no JavaScript.

Every text of a case is hostile: it goes through `shown` and is escaped, or travels as JSON in a block that the script
reads with ``textContent``. Style and script are allowed by their hashes, and nothing else is.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files

from pytest_guardrails._codec import encode
from pytest_guardrails._metrics import measure
from pytest_guardrails._model import Run
from pytest_guardrails.reporters._facts import is_about_cases
from pytest_guardrails.reporters._html_arming import arming
from pytest_guardrails.reporters._html_cases import cases_section, worst_first
from pytest_guardrails.reporters._html_causes import causes
from pytest_guardrails.reporters._html_changes import candidate, changes
from pytest_guardrails.reporters._html_corpora import corpora
from pytest_guardrails.reporters._html_environment import allowlists, environment
from pytest_guardrails.reporters._html_head import gates, head, navigation
from pytest_guardrails.reporters._html_latency import latency
from pytest_guardrails.reporters._html_rates import rates
from pytest_guardrails.reporters._island import details, island
from pytest_guardrails.reporters._markup import shown
from pytest_guardrails.reporters._matrix import matrix
from pytest_guardrails.reporters.terminal import verdict_line

# Rows that the script will replace are not laid out before; they show if it never gets there.
EARLY = (
    'document.documentElement.className = "early";'
    'addEventListener("error", () => { document.documentElement.className = ""; });'
)


def html(run: Run) -> str:
    """Return the run as one self-contained page, safe to publish where the run does not reveal texts."""
    metrics = measure(run.records)
    cases = sorted((encode(record, sparse=True) for record in run.records), key=worst_first)
    sections = (
        gates(run),
        changes(run),
        matrix(metrics.fail_safe),
        rates(run, metrics),
        causes(run),
        cases_section(cases, hidden=not is_about_cases(run)),
        latency(run, metrics),
        corpora(run),
        candidate(run),
        arming(run),
        allowlists(run),
        environment(run),
    )
    main = "\n".join(line for section in sections for line in section)
    body = "\n".join(
        [
            '<a class="skip" href="#cases">Skip to the cases</a>'
            if is_about_cases(run)
            else '<a class="skip" href="#main">Skip to the results</a>',
            *head(run, metrics),
            *navigation(main),
            f'<main id="main">\n{main}\n</main>',
        ]
    )
    data = {"data": island(cases), "details": details(cases, run.revealed)}
    return _page(shown(verdict_line(run, metrics)), body, data)


def _page(title: str, body: str, data: Mapping[str, str]) -> str:
    """Return the page; its data come after all that a person reads, so that this is painted first."""
    style, script = (_asset(name) for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(EARLY)}' '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    blocks = "".join(f'<script type="application/json" id="{name}">{text}</script>\n' for name, text in data.items())
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>Guardrails: {title}</title>\n<style>{style}</style>\n<script>{EARLY}</script>\n</head>\n"
        f"<body>\n{body}\n{blocks}<script>{script}</script>\n</body>\n</html>\n"
    )


def _asset(name: str) -> str:
    return files("pytest_guardrails.reporters").joinpath(name).read_text(encoding="utf-8")


def _hash(block: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
