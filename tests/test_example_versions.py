"""The example of two versions: its README's commands do what its README says."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "versions"
if not EXAMPLE.is_dir():
    pytest.skip("there is no examples/ beside these tests", allow_module_level=True)

README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh\n(.*)\n```", README)
SAID = re.findall(r"```text\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def commands(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of the README's commands, in a copy of the example."""
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copytree(EXAMPLE, pytester.path, dirs_exist_ok=True)
    parts = [shlex.split(command) for command in COMMANDS]
    assert [part.pop(0) for part in parts] == ["pytest"] * 4
    return parts


def promised(text: str) -> list[str]:
    """Return the lines that a block of the README shows, up to where it leaves something out."""
    joined = re.sub(r"\n {11}", " ", text)
    return [line.partition("…")[0].rstrip() for line in joined.splitlines()]


def test_the_commands_of_the_readme(pytester: pytest.Pytester, commands: list[list[str]]) -> None:
    """Version 1 becomes the baseline; version 2 passes its tests and fails the comparison; version 3 passes both."""
    assert pytester.runpytest(*commands[0]).ret == 0
    for command, status, said in zip(commands[1:3], (1, 0), SAID, strict=True):
        result = pytester.runpytest(*command)
        result.assert_outcomes(passed=5)
        assert result.ret == status
        printed = " ".join(result.stdout.str().split())
        for line in promised(said):
            assert " ".join(line.split()) in printed
    result = pytester.runpytest(*commands[3])
    assert result.ret == 0
    result.stdout.fnmatch_lines(["shadow     a candidate judged the same cases*"])
