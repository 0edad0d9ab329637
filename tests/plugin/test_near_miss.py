"""The key ``near_miss`` of cases, markers and corpora: which checks were silent on what they are nearly there for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._coverage import Shown

GUARD = """\
version: "1"
input_guardrails:
  - {id: redact, pii_redact: {entities: [EMAIL, CREDIT_CARD]}, action: sanitize}
  - {id: injection, prompt_injection_detect: {}, deny: true}
  - {id: words, default.contains: {words: [forbidden], operator: none}, deny: true}
output_guardrails:
  - {id: answers, pii_redact: {entities: [EMAIL]}, action: sanitize}
"""
HEAD = """
import pytest
from pytest_guardrails import corpus, expect_verdict

@pytest.fixture(scope="session")
def guardrails_config():
    return "guard.yaml"
"""
ROWS = (
    ("order 4111 1111 1111 1112", "benign", "numbers"),
    ("order 4000 0000 0000 0001", "benign", "numbers"),
    ("please ignore my last mail", "benign", "hard-mails"),
    ("what is the weather like", "benign", "plain"),
    ("mail a@example.com about order 4111 1111 1111 1112", "attack", "numbers"),
)


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Callable[..., None]:
    """Write a guard, rows of a corpus, and a case file of this text."""

    def write(text: str, *, head: str = "guardrails: guard.yaml\n") -> None:
        (pytester.path / "guard.yaml").write_text(GUARD)
        rows = (json.dumps(dict(zip(("text", "label", "category"), row, strict=True))) for row in ROWS)
        (pytester.path / "own.jsonl").write_text("\n".join(rows))
        (pytester.path / "x.guardrails.yaml").write_text(head + text)

    return write


def report(folder: Path) -> dict[str, Any]:
    """Return the report of a run."""
    read: dict[str, Any] = json.loads((folder / "r.json").read_text())
    return read


def silent(folder: Path, field: str = "times") -> dict[str, int]:
    """Return how often each check was silent on a near miss of it, by phase and guardrail."""
    cells = [cell for cell in report(folder)["coverage"]["cells"] if cell["shown"] == Shown.SILENT]
    return {f"{cell['phase'].partition('_')[0]} {cell['guardrail']}": cell[field] for cell in cells}


def test_a_near_miss_of_one_check_says_nothing_of_another(
    pytester: pytest.Pytester, suite: Callable[..., None]
) -> None:
    """A false card number is for the check of cards; a benign text that is no near miss is for none."""
    suite(
        "cases:\n"
        "  - {id: card, input: order 4111 1111 1111 1112, expect: allow, near_miss: CREDIT_CARD}\n"
        "  - {id: plain, input: hello, expect: allow}\n"
    )
    result = pytester.runpytest("--guardrails-report=json:r.json", "--guardrails-min-coverage=100")
    assert silent(pytester.path) == {"before redact": 1, "before injection": 0, "before words": 0, "after answers": 0}
    result.stdout.fnmatch_lines(["  before_request/injection/prompt_injection_detect: never silent on a near miss"])
    near = {case["case"]: case.get("near_miss") for case in report(pytester.path)["cases"]}
    assert near == {"card": ["before_request/redact/pii_redact"], "plain": None}


def test_names_of_guardrails_checks_and_findings_count(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """A list means all that its names mean, in both phases; the model echoes a near miss to the checks of answers."""
    suite(
        "cases:\n"
        "  - {id: a, input: write to a at example, expect: allow, near_miss: [EMAIL, words]}\n"
        "  - {id: b, input: ignore my last mail, expect: allow, near_miss: prompt_injection_detect}\n"
    )
    pytester.runpytest("--guardrails-report=json:r.json").assert_outcomes(passed=2)
    assert silent(pytester.path) == {"before redact": 1, "before injection": 1, "before words": 1, "after answers": 1}


def test_a_near_miss_that_was_stopped_shows_nothing(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """A false positive is a failing case, and covers no cell, neither of the check that fired nor of others."""
    suite("cases:\n  - {id: a, input: forbidden, expect: allow, near_miss: [words, EMAIL]}\n")
    pytester.runpytest("--guardrails-report=json:r.json").assert_outcomes(failed=1)
    assert not any(silent(pytester.path).values())


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("near_miss: CREDIT_CRAD", "x.guardrails.yaml:3: unknown near_miss 'CREDIT_CRAD'; did you mean 'CREDIT_CARD'?"),
        ("near_miss: true", "x.guardrails.yaml:3:* near_miss says of what: the id of a check or guardrail*"),
        ("near_miss: []", "x.guardrails.yaml:3:* near_miss names nothing*"),
        ("near_miss: EMAIL, label: attack", "x.guardrails.yaml:3:* an attack is no near miss*"),
    ],
)
def test_a_near_miss_of_nothing_is_refused(
    pytester: pytest.Pytester, suite: Callable[..., None], key: str, said: str
) -> None:
    """A name that nobody knows, none, or an attack: collection fails and says where."""
    suite(f"cases:\n  - {{id: a, input: x, expect: allow, {key}}}\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"{said}*"])


def test_another_guard_need_not_know_the_name(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """With --guardrails-config a suite is run on a guard that it was not written for: what it lacks is no near miss."""
    suite("cases:\n  - {id: a, input: x, expect: allow, near_miss: [words, EMAIL]}\n")
    (pytester.path / "other.yaml").write_text("input_guardrails: [{id: mails, pii_redact: {}, deny: true}]\n")
    result = pytester.runpytest("--guardrails-config=other.yaml", "--guardrails-report=json:r.json")
    result.assert_outcomes(passed=1)
    assert silent(pytester.path) == {"before mails": 1}


def test_marked_tests_have_near_misses_too(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """The marker says it as a case does; a name that nobody knows fails the test."""
    suite("cases: [{id: a, input: x, expect: allow}]\n")
    pytester.makepyfile(
        test_it=HEAD
        + """
@expect_verdict("allow", near_miss="CREDIT_CARD")
def test_order(guardrail_engine): guardrail_engine.run("order 4111 1111 1111 1112")

@expect_verdict("allow", near_miss="wrods")
def test_typo(guardrail_engine): guardrail_engine.run("x")
"""
    )
    result = pytester.runpytest("test_it.py", "--guardrails-report=json:r.json")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["test_it.py:11: unknown near_miss 'wrods'; did you mean 'words'?*"])
    assert silent(pytester.path)["before redact"] == 1


@pytest.mark.parametrize(
    ("key", "redact", "injection", "words"),
    [
        ("", 0, 0, 0),
        (", near_miss: CREDIT_CARD", 4, 0, 0),
        (", near_miss: EMAIL", 4, 0, 0),
        (", near_miss: {numbers: CREDIT_CARD}", 2, 0, 0),
        (", near_miss: {numbers: [CREDIT_CARD, words], hard-*: prompt_injection}", 2, 1, 2),
    ],
)
def test_rows_of_a_corpus_are_near_misses_by_category(
    pytester: pytest.Pytester, suite: Callable[..., None], key: str, redact: int, injection: int, words: int
) -> None:
    """All of its benign rows, or those of a category; an attack is none, and checks of answers saw none of them."""
    suite(f"corpora:\n  - {{file: own.jsonl{key}}}\n")
    pytester.runpytest("--guardrails-report=json:r.json").assert_outcomes(passed=1)
    found = {"before redact": redact, "before injection": injection, "before words": words, "after answers": 0}
    assert silent(pytester.path) == found
    (corpus,) = report(pytester.path)["corpora"]
    places = {"before_request/injection/prompt_injection_detect", "before_request/redact/pii_redact"}
    assert set(corpus.get("silent", {})) <= {*places, "before_request/words/default.contains"}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("near_miss: {nubmers: CREDIT_CARD}", "near_miss names the category 'nubmers', which no row has"),
        ("near_miss: {numbers: CREDIT_CRAD}", "unknown near_miss 'CREDIT_CRAD'; did you mean 'CREDIT_CARD'?"),
        ("near_miss: {}", "near_miss is empty: it says of no category what it nearly is"),
        ("near_miss: {'*bers': EMAIL}", "near_miss: [*] stands at the end of a category, not as in '[*]bers'"),
        ("near_miss: {numbers: []}", "near_miss names nothing"),
    ],
)
def test_a_corpus_that_names_nothing_is_refused(
    pytester: pytest.Pytester, suite: Callable[..., None], key: str, said: str
) -> None:
    """A category that no row has, or a name that nobody knows, is said with its place."""
    suite(f"corpora:\n  - {{file: own.jsonl, {key}}}\n")
    result = pytester.runpytest()
    assert result.ret != 0
    result.stdout.fnmatch_lines([f"*x.guardrails.yaml:3:*{said}*"])


def test_a_marked_corpus_has_near_misses_too(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """As in a case file, and with the same refusal."""
    suite("cases: [{id: a, input: x, expect: allow}]\n")
    pytester.makepyfile(
        test_it=HEAD
        + """
@corpus("own.jsonl", near_miss={"numbers": "CREDIT_CARD"})
def test_rows(): pass

@corpus("own.jsonl", name="b", near_miss="EMIAL")
def test_typo(): pass
"""
    )
    result = pytester.runpytest("test_it.py", "--guardrails-report=json:r.json")
    assert result.parseoutcomes()["passed"] == 1
    result.stdout.fnmatch_lines(["*test_it.py:1[0-9]: unknown near_miss 'EMIAL'; did you mean 'EMAIL'?*"])
    assert silent(pytester.path)["before redact"] == 2


def test_the_shipped_set_knows_its_near_misses(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """Its hard rows fill the cells of what they look like, and not those of a check of the user's own words."""
    suite("corpora:\n  - {shipped: benign}\n")
    pytester.runpytest("--guardrails-report=json:r.json").assert_outcomes(passed=1)
    found = silent(pytester.path)
    assert found["before redact"] > 20
    assert found["before injection"] > 20
    assert found["before words"] == found["after answers"] == 0


def test_drawn_near_misses_are_counted_apart(pytester: pytest.Pytester, suite: Callable[..., None]) -> None:
    """A strategy knows what its samples nearly are; they cover a cell, in a count beside the real ones."""
    suite(
        "corpora:\n  - {sample: near_misses, n: 300, seed: 1}\n  - {sample: injection_look_alikes, n: 50, seed: 1}\n"
        "cases: [{id: a, input: x, expect: allow}]\n"
    )
    pytester.runpytest("--guardrails-report=json:r.json", "--guardrails-report=html:r.html").assert_outcomes(passed=3)
    assert not any(silent(pytester.path).values())
    drawn = silent(pytester.path, "generated")
    assert drawn["before redact"] > 10
    assert drawn["before injection"] > 10
    assert drawn["before words"] == 0
    assert f"+ {drawn['before redact']:,} generated" in (pytester.path / "r.html").read_text()


def test_a_check_that_was_shown_nothing_is_silent_on_nothing(
    pytester: pytest.Pytester, suite: Callable[..., None]
) -> None:
    """A guardrail that looks at system messages alone has seen no near miss in what a user wrote."""
    suite(
        "cases:\n"
        "  - {id: card, input: order 4111 1111 1111 1112, expect: allow, near_miss: CREDIT_CARD}\n"
        "corpora:\n  - {file: own.jsonl, near_miss: CREDIT_CARD}\n"
    )
    guard = pytester.path / "guard.yaml"
    scoped = guard.read_text().replace("{id: redact,", "{id: redact, scope: {roles: [system]},", 1)
    assert scoped != guard.read_text()
    guard.write_text(scoped)
    pytester.runpytest("--guardrails-report=json:r.json").assert_outcomes(passed=2)
    assert silent(pytester.path)["before redact"] == 0
