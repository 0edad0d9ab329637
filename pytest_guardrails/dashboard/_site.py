"""The whole site as a mapping from file to content: what `dashboard` writes and `serve` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_guardrails._history import Store, recall
from pytest_guardrails.dashboard._badge import badge
from pytest_guardrails.dashboard._compare import compare_html
from pytest_guardrails.dashboard._csv import table
from pytest_guardrails.dashboard._files import (
    BADGE,
    INDEX,
    compare_page,
    guard_badge,
    guard_csv,
    guard_page,
    population_page,
)
from pytest_guardrails.dashboard._guard import MOST_POPULATIONS, guard_html
from pytest_guardrails.dashboard._overview import overview
from pytest_guardrails.dashboard._population import population_html
from pytest_guardrails.dashboard._reports import NONE, Change, Reports, changes, read_reports
from pytest_guardrails.dashboard._series import GuardHistory, histories

Site = Mapping[str, bytes | Path]  # a Path is copied as it is
MOST_GUARDS = 200


@dataclass(frozen=True, slots=True)
class Sources:
    """What a site is built from: a history, how it is called, and the folder of its runs' reports."""

    history: Store
    shown: str
    runs: Path | None = None


def build(sources: Sources, site: Path | None = None, *, live: bool = False) -> tuple[Site, list[str]]:
    """Return the files of the site, and what of its sources could not be read.

    ``site`` is the folder that it will be in: reports inside it are linked where they are. ``live`` pages reload.

    Raises:
        ConfigError: where there is no history, or no such folder of reports.
    """
    pasts, problems = recall(sources.history, sources.shown)
    reports = NONE if sources.runs is None else read_reports(sources.runs, site)
    problems = [*problems, *reports.problems]
    guards = histories(pasts)
    if len(guards) > MOST_GUARDS:
        problems.append(f"{len(guards) - MOST_GUARDS:,} guards that ran longest ago have no page")
    files: dict[str, bytes | Path] = dict(reports.copies)
    flips: dict[str, list[Change]] = {}
    for guard in guards[:MOST_GUARDS]:
        flips[guard.name], unread = changes(guard, reports)
        problems += unread
        files |= _guard(guard, reports, flips[guard.name], live=live)
        if (left := len(guard.populations) - MOST_POPULATIONS) > 0:
            problems.append(f"{guard.name}: {left:,} populations have no page")
    files[BADGE] = badge(guards).encode()
    files[INDEX] = overview(guards[:MOST_GUARDS], flips, problems, live=live)
    return files, problems


def _guard(guard: GuardHistory, reports: Reports, flipped: Sequence[Change], *, live: bool) -> dict[str, bytes | Path]:
    return {
        guard_page(guard): guard_html(guard, reports, flipped, live=live),
        guard_badge(guard): badge([guard]).encode(),
        guard_csv(guard): table(guard).encode(),
        compare_page(guard): compare_html(guard, live=live),
        **dict(_populations(guard, reports, live=live)),
    }


def _populations(guard: GuardHistory, reports: Reports, *, live: bool) -> Iterator[tuple[str, bytes]]:
    for series in guard.populations[:MOST_POPULATIONS]:
        yield population_page(guard, series.population), population_html(guard, series, reports, live=live)
