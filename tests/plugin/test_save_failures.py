"""``--guardrails-save-failures``: what Hypothesis found becomes a case file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_guardrails._cases import load
from pytest_guardrails._model import Case

OPTION = "--guardrails-save-failures"
HEAD = """\
import pytest
from hypothesis import given, settings, strategies as st
from pytest_guardrails import Engine, expect_verdict
from pytest_guardrails.strategies import Sample, given_cases

settings.register_profile("t", database=None, derandomize=True, deadline=None, max_examples=10)
settings.load_profile("t")

def benign(*texts):
    return st.sampled_from(texts).map(lambda text: Sample(text, "benign"))

"""
CONFIG = """
@pytest.fixture(scope="session")
def guardrails_config():
    return {config}
"""
WRONG = """
@given_cases(benign("forbidden"))
def test_wrong(): pass
"""
FOUND = "test_it.found.guardrails.yaml"


def run(pytester: pytest.Pytester, body: str, *options: str, config: str = '"guard.yaml"') -> pytest.RunResult:
    """Run a test file with the usual beginning."""
    pytester.makepyfile(test_it=HEAD + CONFIG.format(config=config) + body)
    return pytester.runpytest("test_it.py", *options)


def saved(path: Path | str) -> list[Case]:
    """Return the cases of a file."""
    return list(load(Path(path)).cases)


def test_the_shrunk_case_is_saved_and_runs_at_once(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The file stands beside the test, names its configuration, and fails as the test did, outside every rate."""
    guard()
    body = """
@expect_verdict("allow", action="none")
@given(st.integers(0, 10_000))
def test_x(guardrail_engine, n):
    guardrail_engine.run("x" if n < 37 else f"forbidden {n}")
"""
    result = run(pytester, body, OPTION)
    result.stdout.fnmatch_lines([f"saved      1 new case in {FOUND}"])
    (case,) = saved(FOUND)
    assert case.request.text == "forbidden 37"
    again = pytester.runpytest(FOUND)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines([f"*{FOUND}::{case.id} - expected allow (none), got*"])
    again.stdout.fnmatch_lines(["FPR *unknown (0 benign cases)", "*1 test with generated inputs is in no rate*"])
    pytester.runpytest("-m", "generated").assert_outcomes(failed=1, deselected=1)


def test_nothing_is_saved_without_it_or_without_a_failure(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """No file appears where nobody asked, and none where nothing was found."""
    guard()
    run(pytester, WRONG).assert_outcomes(failed=1)
    run(pytester, '@given_cases(benign("a"))\ndef test_right(): pass\n', OPTION).assert_outcomes(passed=1)
    assert list(pytester.path.glob("*.found.*")) == []


def test_an_input_is_never_saved_twice(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A second run adds nothing, two tests that find one input make one case, and another input is added."""
    guard()
    both = WRONG + WRONG.replace("test_wrong", "test_again")
    run(pytester, both, OPTION).assert_outcomes(failed=2)
    before = Path(FOUND).read_text()
    result = run(pytester, both, OPTION)
    result.stdout.fnmatch_lines([f"saved      no new case: {FOUND} has them"])
    assert Path(FOUND).read_text() == before
    run(pytester, WRONG.replace("forbidden", "more forbidden"), OPTION)
    assert Path(FOUND).read_text().startswith(before)
    assert [case.request.text for case in saved(FOUND)] == ["forbidden", "more forbidden"]


@pytest.mark.parametrize("arguments", [(OPTION, "test_it.py"), ("test_it.py", OPTION)])
def test_it_never_swallows_a_path(
    pytester: pytest.Pytester, guard: Callable[..., None], arguments: tuple[str, ...]
) -> None:
    """A path after the bare option is a path."""
    guard()
    pytester.makepyfile(test_it=HEAD + CONFIG.format(config='"guard.yaml"') + WRONG, test_other="def test_o(): pass")
    pytester.runpytest(*arguments).assert_outcomes(failed=1)
    assert len(saved(FOUND)) == 1


def test_a_named_file_keeps_what_it_has(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Cases, comments and line ends of the file stay as they are; new cases stand at its end, in its columns."""
    guard()
    lines = [
        "# ours",
        "guardrails: ../guard.yaml",
        "cases:",
        "- id: one  # the first",
        "  input: 'a'",
        "  expect: allow",
    ]
    text = "\r\n".join([*lines, "# end", ""])
    path = pytester.mkdir("cases") / "our.guardrails.yaml"
    path.write_bytes(text.encode())
    path.chmod(0o600)
    result = run(pytester, WRONG, f"{OPTION}=cases/our.guardrails.yaml")
    result.stdout.fnmatch_lines(["saved      1 new case in cases/our.guardrails.yaml"])
    written = path.read_bytes().decode()
    assert written.startswith(text)
    assert "\n" not in written.replace("\r\n", "")
    assert [case.request.text for case in saved(path)] == ["a", "forbidden"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["our.guardrails.yaml"]
    pytester.runpytest("cases").assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "guardrails: guard.yaml\ncases: [{id: one, input: a, expect: allow}]\n",
            "its list of cases is not the last thing",
        ),
        ("cases:\n- {id: one, input: a, expect: allow}\nguardrails: guard.yaml\n", "is not the last thing in it"),
        (
            "guardrails: guard.yaml\ndefaults: {stream: true}\ncases:\n- {id: a, input: a, expect: block}\n",
            "a new case would not read back as it is",
        ),
        ("guardrails: guard.yaml\ncases:\n- {id: one, input: a}\n", "needs expect"),
        ("cases: {", "not YAML"),
        ("guardrails: {input_guardrails: []}\n", "another configuration than the one"),
    ],
)
def test_a_file_that_it_would_spoil_is_left_alone(
    pytester: pytest.Pytester, guard: Callable[..., None], text: str, said: str
) -> None:
    """Where appending would break the file or change what it says, nothing is written, and the reason is told."""
    guard()
    Path("our.guardrails.yaml").write_text(text)
    result = run(pytester, WRONG, f"{OPTION}=our.guardrails.yaml")
    assert Path("our.guardrails.yaml").read_text() == text
    result.stdout.fnmatch_lines([f"NOT SAVED  our.guardrails.yaml*{said}*"])


@pytest.mark.parametrize("text", ["", "# only a comment", "guardrails: guard.yaml\n"])
def test_a_file_without_cases_gets_its_first(pytester: pytest.Pytester, guard: Callable[..., None], text: str) -> None:
    """An empty file, or one that only names a configuration, can be appended to."""
    guard()
    pytester.makeini("[pytest]\nguardrails_config = guard.yaml\n")
    Path("our.guardrails.yaml").write_text(text)
    run(pytester, WRONG, f"{OPTION}=our.guardrails.yaml")
    assert Path("our.guardrails.yaml").read_text().startswith(text)
    assert len(saved("our.guardrails.yaml")) == 1


@pytest.mark.parametrize("value", ["found.yaml", "folder.guardrails.yaml"])
def test_a_file_that_pytest_would_not_collect_is_refused(pytester: pytest.Pytester, value: str) -> None:
    """A name without the suffix of case files, or a folder, is a usage error before any test runs."""
    pytester.mkdir("folder.guardrails.yaml")
    pytester.makepyfile("def test_one(): pass")
    result = pytester.runpytest(f"{OPTION}={value}")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*{OPTION}={value}: a case file ends with .guardrails.yaml or .guardrails.yml*"])


def test_it_is_equal_under_xdist(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Two workers find what one process finds, and the controller writes it once."""
    guard()
    body = "".join(f'@given_cases(benign("forbidden {number}"))\ndef test_{number}(): pass\n\n' for number in range(6))
    run(pytester, body, OPTION).assert_outcomes(failed=6)
    alone = Path(FOUND).read_text()
    Path(FOUND).unlink()
    result = run(pytester, body, OPTION, "-n", "2")
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines([f"saved      6 new cases in {FOUND}"])
    assert Path(FOUND).read_text() == alone


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ('"guard.yaml"', 'guardrails: "guard.yaml"'),
        (
            '{"input_guardrails": [{"id": "w", "wordCount": {"maxWords": 0}, "deny": True}]}',
            'guardrails: {"input_guardrails": [{"id": "w", "wordCount": {"maxWords": 0}, "deny": true}]}',
        ),
    ],
)
def test_the_file_names_its_configuration(
    pytester: pytest.Pytester, guard: Callable[..., None], config: str, line: str
) -> None:
    """A path is named from the new file, a mapping stands in it; either way the file runs by itself."""
    guard()
    run(pytester, WRONG, OPTION, config=config)
    assert line in Path(FOUND).read_text().splitlines()
    pytester.runpytest(FOUND).assert_outcomes(failed=1)
    again = run(pytester, WRONG.replace("forbidden", "a forbidden word"), OPTION, config=config)
    again.stdout.fnmatch_lines([f"saved      1 new case in {FOUND}"])


def test_what_the_ini_file_names_is_not_named_again(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """Where the ini file has the configuration, or another one was tried out, the new file follows the ini file."""
    guard()
    Path("other.yaml").write_text(Path("guard.yaml").read_text())
    pytester.makeini("[pytest]\nguardrails_config = guard.yaml\n")
    for options in ((), ("--guardrails-config=other.yaml",)):
        run(pytester, WRONG, OPTION, *options)
        assert "guardrails:" not in Path(FOUND).read_text()
        pytester.runpytest(FOUND).assert_outcomes(failed=1)
        Path(FOUND).unlink()


def test_an_engine_made_in_python_is_said(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A file cannot hold such an engine: it says how to run it."""
    guard()
    run(pytester, WRONG, OPTION, config='Engine.from_file("guard.yaml")').assert_outcomes(failed=1)
    assert "run them with --guardrails-config=PATH" in Path(FOUND).read_text()
    pytester.runpytest(FOUND, "--guardrails-config=guard.yaml").assert_outcomes(failed=1)


def test_two_configurations_do_not_share_a_file(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A case that was found on another configuration than the file tests is not put into it, and that is said."""
    guard()
    run(pytester, WRONG, OPTION)
    before = Path(FOUND).read_text()
    Path("other.yaml").write_text(Path("guard.yaml").read_text())
    result = run(pytester, WRONG.replace("forbidden", "so forbidden"), OPTION, config='"other.yaml"')
    result.stdout.fnmatch_lines([f"NOT SAVED  {FOUND}*another configuration*"])
    assert Path(FOUND).read_text() == before


def test_a_folder_that_cannot_be_written_is_said(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """What stands in the way of writing is told at the end of the run."""
    guard()
    Path("file").write_text("")
    result = run(pytester, WRONG, f"{OPTION}=file/our.guardrails.yaml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["NOT SAVED  file/our.guardrails.yaml: *"])


def test_guesses_and_a_suite_s_own_texts_are_not_saved(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A test that does not say what it expects, and one whose texts were written by hand, save nothing."""
    guard()
    body = """
@given(st.just("forbidden"))
def test_guess(guardrail_engine, text):
    assert guardrail_engine.run(text).verdict == "allow"

@expect_verdict("allow")
@pytest.mark.parametrize("text", ["forbidden"])
def test_own(guardrail_engine, text):
    guardrail_engine.run(text)
"""
    result = run(pytester, body, OPTION)
    result.assert_outcomes(failed=2)
    result.stdout.no_fnmatch_line("saved *")
    assert not Path(FOUND).exists()
