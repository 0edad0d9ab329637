"""Allowlists, guards and their versions, and what else could explain a difference between two runs."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_guardrails._allowlists import EntryUse, entry_use
from pytest_guardrails._model import Guard, Run
from pytest_guardrails.reporters._html_parts import Cell, bdi, count, named, section, table


def allowlists(run: Run) -> Iterator[str]:
    """Yield the section of allowlists, nothing where no check has one."""
    uses = sorted(entry_use(run), key=lambda use: (not use.over_broad, not use.unused))
    heads = ["entry", "#no.", "check", "#findings taken away", "", "attacks that passed there"]
    yield from section("allowlists", "Allowlists", table("Allowlists", heads, (_entry(use, run) for use in uses)))


def _entry(use: EntryUse, run: Run) -> list[Cell]:
    said: Cell = "in use"
    if use.over_broad:
        said = ("failed", "✗ over-broad")
    elif use.unused:
        said = ("untested", "unused" if run.complete else "unused so far")
    missed = ", ".join(map(bdi, use.missed[:8])) + (" …" if len(use.missed) > 8 else "")
    return [
        bdi(use.entry),
        f"{use.index + 1}",
        named(use.place, use.guard if len(run.guards) > 1 else ""),
        count(use.findings),
        said,
        missed,
    ]


def environment(run: Run) -> Iterator[str]:
    """Yield the section of guards, their versions, and the environment."""
    heads = ["guard", "target", "version", "configuration", "packages that decide"]
    started = bdi(run.started.replace("T", " ", 1))
    facts = [("started", started), ("took", f"{run.duration_s:,.1f} s"), ("exit status", f"{run.exit_status}")]
    facts += [(bdi(name), bdi(value)) for name, value in run.environment.items()]
    listed = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    told = [f'<dl class="facts">{listed}</dl>']
    yield from section("environment", "Guards and environment", table("Guards", heads, map(_guard, run.guards)), told)


def _guard(guard: Guard) -> list[Cell]:
    packages = ", ".join(f"{bdi(name)} {bdi(version)}" for name, version in guard.version.packages.items())
    digest = f"<code>{bdi(guard.version.config_hash)}</code>"
    return [bdi(guard.config), bdi(guard.target), bdi(guard.version.declared or "undeclared"), digest, packages]
