"""``--guardrails-config``, the fixture ``guardrails_config`` and the ini key: who goes first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

DENY = """\
input_guardrails:
  - {id: %s, default.contains: {words: [word], operator: none}, deny: true}
"""
TEST = """
    import pytest
    %s
    def test_it(guardrail_engine):
        print("decided by", guardrail_engine.run("a word").decided_by)
"""
FIXTURE = """
    @pytest.fixture(scope="session")
    def guardrails_config():
        return "fixture.yaml"
"""


@pytest.mark.parametrize(
    ("option", "fixture", "ini", "decider"),
    [
        (True, True, True, "option"),
        (True, False, False, "option"),
        (False, True, True, "fixture"),
        (False, False, True, "ini"),
    ],
)
def test_precedence(pytester: pytest.Pytester, option: bool, fixture: bool, ini: bool, decider: str) -> None:
    """The command line goes before an override of the fixture, and that before the ini file."""
    for name in ("option", "fixture", "ini"):
        (pytester.path / f"{name}.yaml").write_text(DENY % name)
    if ini:
        pytester.makeini("[pytest]\nguardrails_config = ini.yaml")
    pytester.makepyfile(TEST % (FIXTURE if fixture else ""))
    arguments = ["--guardrails-config=option.yaml"] if option else []
    pytester.runpytest("-s", *arguments).stdout.fnmatch_lines([f"*decided by {decider}*"])


@pytest.mark.parametrize(
    ("option", "named", "decider"), [(True, True, "option"), (False, True, "file"), (False, False, "ini")]
)
def test_precedence_for_case_files(pytester: pytest.Pytester, option: bool, named: bool, decider: str) -> None:
    """For a case file, its own guardrails: stands between the command line and the ini file."""
    for name in ("option", "file", "ini"):
        (pytester.path / f"{name}.yaml").write_text(DENY % name)
    pytester.makeini("[pytest]\nguardrails_config = ini.yaml")
    head = "guardrails: file.yaml\n" if named else ""
    (pytester.path / "c.guardrails.yaml").write_text(
        f"{head}cases: [{{id: a, input: a word, expect: {{verdict: block, by: {decider}}}}}]\n"
    )
    arguments = ["--guardrails-config=option.yaml"] if option else []
    pytester.runpytest(*arguments).assert_outcomes(passed=1)


def test_two_modules_with_two_configurations(pytester: pytest.Pytester) -> None:
    """The session-scoped engine follows the override of each module, and never keeps another module's guard."""
    for name in ("one", "two"):
        (pytester.path / f"{name}.yaml").write_text(DENY % name)
        (pytester.path / f"test_{name}.py").write_text(
            "import pytest\n"
            f"@pytest.fixture(scope='session')\ndef guardrails_config(): return '{name}.yaml'\n"
            f"def test_it(guardrail_engine):\n    assert guardrail_engine.run('a word').decided_by == '{name}'\n"
            f"    assert guardrail_engine.guardrails[0].id == '{name}'\n"
        )
    pytester.runpytest().assert_outcomes(passed=2)


def test_the_fixture_may_return_a_mapping_or_an_engine(pytester: pytest.Pytester) -> None:
    """A configuration is a path, a mapping or an engine."""
    body = """
        import pytest
        from pytest_guardrails import Engine
        WORDS = {"words": ["word"], "operator": "none"}
        CONFIG = {"input_guardrails": [{"id": "g", "default.contains": WORDS, "deny": True}]}

        @pytest.fixture(scope="session")
        def guardrails_config():
            return %s

        def test_it(guardrail_engine):
            assert isinstance(guardrail_engine, Engine)
            assert guardrail_engine.run("a word").decided_by == "g"
    """
    pytester.makepyfile(test_a=body % "CONFIG", test_b=body % "Engine.from_config(CONFIG)")
    pytester.runpytest().assert_outcomes(passed=2)


def test_a_missing_file_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """A configuration on the command line that cannot be read ends the run with status 4."""
    result = pytester.runpytest("--guardrails-config=nowhere.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*nowhere.yaml: cannot read the configuration*"])


def test_a_mistake_in_it_is_a_usage_error_with_its_place(pytester: pytest.Pytester) -> None:
    """A mistake names file, line, column and the nearest choice."""
    (pytester.path / "bad.yaml").write_text("version: 1\ninput_guardrials: []\n")
    result = pytester.runpytest("--guardrails-config=bad.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*bad.yaml:2:*unknown key*'input_guardrials'; did you mean 'input_guardrails'?*"])


def test_without_any_configuration_the_test_says_what_to_give(pytester: pytest.Pytester) -> None:
    """A test without a configuration errors with the four ways to give one, and without a stack."""
    pytester.makepyfile("def test_it(guardrail_engine): pass\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no guardrail configuration: give --guardrails-config=PATH*"])
    result.stdout.no_fnmatch_line("*_session.py*")


def test_a_case_that_names_another_guardrail_is_skipped_with_its_reason(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """On a user's own configuration, a case that asks for the pack's guardrail by id is skipped visibly."""
    guard("  - {id: a, input: forbidden, expect: {verdict: block, by: words}}\n")
    (pytester.path / "mine.yaml").write_text(DENY % "mine")
    result = pytester.runpytest("-rs", "--guardrails-config=mine.yaml")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*expects guardrail 'words', and this configuration has mine*"])
