"""Lines of a history as series."""

from __future__ import annotations

from collections.abc import Callable

from pytest_guardrails._codec import FrozenDict
from pytest_guardrails._history import Past
from pytest_guardrails.dashboard._series import by_version, histories, short, slug

MakePast = Callable[..., Past]


def test_runs_are_ordered_by_time_whatever_the_order_of_lines(past: MakePast) -> None:
    """A history that git has merged is drawn in time, across time zones; the guard that ran last comes first."""
    west = past(2, "2 (b)", time="2026-03-02T20:00:00-05:00")  # 01:00 UTC on the third
    lines = [past(9, guard="other.yaml"), past(3, "3 (c)"), west, past(0)]
    other, guard = histories(lines)
    assert (other.name, guard.name) == ("other.yaml", "guard.yaml")
    assert [line.version for line in guard.pasts] == ["1 (aaaa)", "2 (b)", "3 (c)"]
    assert guard.changes == (1, 2)


def test_a_population_has_points_where_it_was_measured(past: MakePast, counts: Callable[..., FrozenDict]) -> None:
    """A run without a corpus is a gap in it, cases come first, and guardrails are series of their own."""
    one = FrozenDict({"airline": counts(), "cases": counts()})
    rails = FrozenDict({"airline": FrozenDict({"before_request/words": FrozenDict({"true_positive": 3})})})
    (guard,) = histories([past(0, populations=one, guardrails=rails), past(1), past(2, populations=one)])
    assert [series.population for series in guard.populations] == ["cases", "airline"]
    assert [point.index for point in guard.populations[1].points] == [0, 2]
    (rail,) = guard.guardrails["airline"]
    assert (rail.guardrail, rail.points[0].counts.recall.hits) == ("before_request/words", 3)


def test_a_version_is_its_newest_sound_run(past: MakePast, counts: Callable[..., FrozenDict]) -> None:
    """Runs of one version are not pooled; an untrusted one speaks only where there is no other."""
    first = FrozenDict({"cases": counts(fp=5)})
    (guard,) = histories(
        [
            past(0, "1"),
            past(1, "1", populations=first),
            past(2, "1", status="untrusted"),
            past(3, "2", status="incomplete"),
        ]
    )
    one, two = by_version(guard.populations[0])
    assert (one.version, one.runs, one.point.counts.false_positive) == ("1", 3, 5)
    assert (two.version, two.runs, two.point.past.status) == ("2", 1, "incomplete")


def test_file_names_are_harmless_and_their_own() -> None:
    """Any name becomes a plain file name, and no two names share one."""
    names = ["a/b", "a-b", "../../etc/passwd", "", "\ud800", "x" * 500, "index", "CON", "a\0b", "Ä"]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(one) < 60 for one in slugs)


def test_a_version_is_called_what_it_declares() -> None:
    """Else its hash names it."""
    assert [short("1.2 (abc)"), short("undeclared (0123456789ab)"), short("odd")] == ["1.2", "0123456789", "odd"]
