"""``--guardrails-executor``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASE = "  - {id: a, input: hello, expect: allow}\n"


@pytest.mark.parametrize("value", ["threads", "threads:2", "processes", "processes:2"])
def test_an_executor_is_accepted(pytester: pytest.Pytester, guard: Callable[..., None], value: str) -> None:
    """Cases run as ever: the option is about corpora."""
    guard(CASE)
    pytester.runpytest(f"--guardrails-executor={value}").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("thread", "*--guardrails-executor: unknown executor 'thread'; did you mean 'threads'?*"),
        ("", "*--guardrails-executor: unknown executor ''*"),
        ("threads:0", "*--guardrails-executor: *the number of threads is 1 to 512, not '0'*"),
        ("dask:nowhere", "*--guardrails-executor: *HOST:PORT*"),
    ],
)
def test_an_executor_that_cannot_be_meant_is_a_usage_error(
    pytester: pytest.Pytester, guard: Callable[..., None], value: str, said: str
) -> None:
    """It is refused before any test, with exit status 4."""
    guard(CASE)
    result = pytester.runpytest(f"--guardrails-executor={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


def test_the_ini_key_is_read_where_no_option_is_given(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """A bad ini key is refused by its name; the option goes before it."""
    guard(CASE)
    pytester.makeini("[pytest]\nguardrails_executor = threats\n")
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*the ini key guardrails_executor: unknown executor 'threats'*"])
    pytester.runpytest("--guardrails-executor=threads").assert_outcomes(passed=1)


def test_dask_where_it_is_not_installed(
    pytester: pytest.Pytester, guard: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usage error names the extra."""
    guard(CASE)
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    result = pytester.runpytest("--guardrails-executor=dask:127.0.0.1:8786")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*pip install 'pytest-guardrails[[]dask]'*"])
