"""A history in SQLite and Postgres: the same lines as in the file, whoever writes at the same time."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails._codec import FrozenDict, encode
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._history import Past, keep, mark, recall, store_of
from pytest_guardrails._history import _sql as sql
from pytest_guardrails._history._log import append, line_of, read

sqlalchemy = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

PAST = Past(
    "2026-11-21T10:00:00+00:00", None, "ab", "guard.yaml", "1 (abc)", "passed", FrozenDict({"cases": FrozenDict()})
)
SECRET = "-".join(["s3cret", "pass", "word"])
HOSTILE = (
    "nul \0",
    "lone \ud800",
    "'; DROP TABLE guardrails_history; --",
    "%s %(x)s :x",
    "x" * 9_000,
    "ελληνικά \U0001f600",
)


# A real Postgres, as the tests' own


def _binaries() -> Path | None:
    """Return the folder of a Postgres server's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(f"postgres ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    pytest.fail("postgres does not answer")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a Postgres on 127.0.0.1, with a password, in a folder of its own; return its URL."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no Postgres server is installed (initdb)")
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    root = os.geteuid() == 0  # Postgres refuses to run as root
    user = "nobody" if root else getpass.getuser()
    with tempfile.TemporaryDirectory(prefix="guardrails-pg-", ignore_cleanup_errors=True) as folder:
        home, password = Path(folder), Path(folder) / "password"
        password.write_text(SECRET)
        if root:
            for path in (home, password):
                os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        became = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if root else {}
        data, port = home / "data", _free_port()
        made = [binaries / "initdb", "-D", data, "-U", "ci", "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8"]
        subprocess.run([*made, "--locale=C", "-N"], check=True, cwd=home, stdout=subprocess.DEVNULL, **became)  # type: ignore[call-overload]  # noqa: S603
        command = [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", home, "-F"]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, **became)  # type: ignore[call-overload]  # noqa: S603
        try:
            _wait_for(port, process)
            yield f"postgresql://ci:{SECRET}@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/history.db"
        return
    found = request.getfixturevalue("server")
    yield found
    with opened(found.replace("://", "+psycopg://")) as connection:
        connection.execute(sqlalchemy.text(f"DROP TABLE IF EXISTS {sql.TABLE}"))


def test_it_reads_the_same_lines_as_the_file(url: str, tmp_path: Path) -> None:
    """What is kept in a database comes back in its order, equal to what the file gives, and as the same JSON."""
    rails = FrozenDict({"cases": FrozenDict({"before_request/x": FrozenDict({"true_positive": 2})})})
    times = FrozenDict(
        {"b": FrozenDict({"p50_s": 0.1, "p95_s": 1e-9, "p99_s": None}), "a": FrozenDict({"error": 2**53})}
    )
    lines = [PAST, replace(PAST, commit="c0ffee0", populations=times, guardrails=rails), PAST]
    store, path = store_of(url, tmp_path), tmp_path / "history.jsonl"
    keep(store, lines[:1])
    keep(store, lines[1:])
    for line in lines:
        append(path, line)
    assert recall(store, "") == read(path, "") == (lines, [])
    assert [line_of(past) for past in recall(store, "")[0]] == path.read_text().splitlines()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_is_kept_whole(url: str, tmp_path: Path, text: str) -> None:
    """In every field, also what a column of the database would refuse."""
    names = FrozenDict({text: FrozenDict({text: 1})})
    past = Past(PAST.time, text, text, text, text, text, names, FrozenDict({text: names}))
    store = store_of(url, tmp_path)
    keep(store, [past])
    assert recall(store, "") == ([past], [])


@contextlib.contextmanager
def opened(url: object) -> Iterator[Any]:
    """Give a connection of the tests' own, which is closed."""
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        yield connection


WRITER = """
import json, sys
from dataclasses import replace
from pathlib import Path
from pytest_guardrails._codec import decode
from pytest_guardrails._history import Past, keep, store_of
past, store = decode(Past, json.loads(sys.argv[2])), store_of(sys.argv[1], Path())
for number in range(50):
    keep(store, [replace(past, guard=f"{sys.argv[3]}-{number}")])
"""


def test_writers_at_the_same_time_lose_nothing(url: str, tmp_path: Path) -> None:
    """Two processes write fifty lines each into a database that neither found a table in."""
    command = [sys.executable, "-c", WRITER, url, json.dumps(encode(PAST))]
    writers = [subprocess.Popen([*command, str(worker)]) for worker in range(2)]  # noqa: S603 - our own code
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found, problems = recall(store_of(url, tmp_path), "")
    assert problems == []
    for worker in range(2):
        own = [past.guard for past in found if past.guard.startswith(f"{worker}-")]
        assert own == [f"{worker}-{number}" for number in range(50)]


def test_a_mark_changes_with_each_line(url: str, tmp_path: Path) -> None:
    """So that whoever shows a history knows when to read it again; without one there is no mark."""
    store = store_of(url, tmp_path)
    assert mark(store) is None
    keep(store, [PAST])
    first = mark(store)
    assert mark(store) == first is not None
    keep(store, [PAST])
    assert mark(store) != first


def test_a_row_that_is_no_line_is_told(url: str, tmp_path: Path) -> None:
    """It is named with its number, and the others are read."""
    store = store_of(url, tmp_path)
    assert isinstance(store, sql.Database)
    keep(store, [PAST])
    with opened(store.url) as connection:
        connection.execute(sqlalchemy.text(f"INSERT INTO {sql.TABLE} (line) VALUES ('[1]')"))  # noqa: S608
    keep(store, [PAST])
    found, (problem,) = recall(store, "")
    assert found == [PAST, PAST]
    assert problem.startswith(f"{store}: row 2: no line of a history: TypeError")


def test_a_table_of_somebody_else_is_refused(url: str, tmp_path: Path) -> None:
    """Nothing is written into it."""
    store = store_of(url, tmp_path)
    assert isinstance(store, sql.Database)
    with opened(store.url) as connection:
        connection.execute(sqlalchemy.text(f"CREATE TABLE {sql.TABLE} (id INTEGER PRIMARY KEY, name TEXT)"))
    with pytest.raises(ConfigError, match="the table guardrails_history there is not ours: it has no commit_id, guard"):
        keep(store, [PAST])


def test_reading_what_is_not_there_makes_nothing(url: str, tmp_path: Path) -> None:
    """A wrong name is an error and no empty database."""
    with pytest.raises(ConfigError):
        recall(store_of(url, tmp_path), "")
    assert not (tmp_path / "history.db").exists()


def test_indexes_are_there(url: str, tmp_path: Path) -> None:
    """By guard and version, time and commit."""
    store = store_of(url, tmp_path)
    assert isinstance(store, sql.Database)
    keep(store, [PAST])
    with opened(store.url) as connection:
        columns = sorted(index["column_names"] for index in sqlalchemy.inspect(connection).get_indexes(sql.TABLE))
    assert columns == [["commit_id"], ["guard", "version"], ["time"]]


# What a URL may be, and what is never printed of it


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sqlite://", "a history is kept in a file: sqlite:///PATH"),
        ("sqlite:///:memory:", "a history is kept in a file"),
        ("sqlite:///file:x?uri=true", "a history is kept in a file"),
        (f"mysql://u:{SECRET}@h/d", "unknown kind of database 'mysql'. Choices: postgresql, sqlite"),
        (f"postgresql://u:{SECRET}/d", "no database URL"),  # the @ is missing: the password looks like a port
        (f"postgresql://u:a@{SECRET}@h/d", "more than one '@'"),
        (f"postgresql+nope://u:{SECRET}@h/d", "its driver nope is not installed"),
        (f"://{SECRET}", "no database URL"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused(text: str, says: str) -> None:
    """The error says why and quotes nothing."""
    with pytest.raises(ConfigError, match=says) as caught:
        store_of(text, Path())
    assert SECRET not in str(caught.value)


def test_nothing_of_a_password_is_printed(tmp_path: Path) -> None:
    """Not in the name, not in an error of the driver, not in what led to it; raw or encoded."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    store = store_of(f"postgres://user:{SECRET}%2F@127.0.0.1:1/{SECRET[:0]}d?application_name={SECRET}", tmp_path)
    assert str(store) == "postgresql://127.0.0.1:1/d"
    assert repr(store) == "Database('postgresql://127.0.0.1:1/d')"
    with pytest.raises(ConfigError, match="refused") as caught:
        keep(store, [PAST])
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_wrong_password_is_told_without_it(server: str, tmp_path: Path) -> None:
    """By the driver's own words, in one line."""
    wrong = SECRET[::-1]
    store = store_of(server.replace(SECRET, wrong), tmp_path)
    with pytest.raises(ConfigError, match="password authentication failed") as caught:
        recall(store, "")
    assert wrong not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is opened."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'pytest-guardrails\[sql\]'"):
        store_of("sqlite:///x.db", Path())


@settings(max_examples=200)
@given(st.text(max_size=300))
def test_an_indexed_column_is_short_and_clean(text: str) -> None:
    """What every database takes: no NUL, no lone surrogate, a few hundred characters."""
    found = sql._column(text)
    assert found is not None
    assert len(found.encode()) <= 4 * sql.MOST_TEXT
    assert "\0" not in found


# In a run

CASES = "  - {id: a, input: forbidden, expect: block}\n  - {id: b, input: hello, expect: allow}\n"


def test_a_run_is_kept_in_a_database(
    pytester: pytest.Pytester, guard: Callable[..., None], url: str, tmp_path: Path
) -> None:
    """With the option alone or after a space, and under xdist once; nothing printed or reported has the password."""
    guard(CASES)
    report = "--guardrails-report=json:r.json"
    workers = ["-n2"] if url.startswith("sqlite") else []
    results = [
        pytester.runpytest(f"--guardrails-history={url}", report, "--junitxml=j.xml"),
        pytester.runpytest("--guardrails-history", url, *workers),
    ]
    for result in results:
        assert result.ret == 0
        result.stdout.fnmatch_lines(["history*://*: 1 added"])
        assert SECRET not in result.stdout.str() + result.stderr.str()
    assert SECRET not in Path("r.json").read_text() + Path("j.xml").read_text()
    found, problems = recall(store_of(url, tmp_path), "")
    assert problems == []
    assert [past.guard for past in found] == ["guard.yaml", "guard.yaml"]
    words = found[0].guardrails["cases"]["before_request/words"]
    assert words == {"true_positive": 1, "true_negative": 1}


def test_a_relative_path_is_where_pytest_was_called(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """As for the file; folders are made."""
    guard(CASES)
    assert pytester.runpytest("--guardrails-history=sqlite:///deep/h.db").ret == 0
    assert (pytester.path / "deep" / "h.db").exists()


def test_a_database_that_does_not_answer_is_told_before_the_run(
    pytester: pytest.Pytester, guard: Callable[..., None]
) -> None:
    """A usage error, no test has run, and no password is shown."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    guard(CASES)
    result = pytester.runpytest(f"--guardrails-history=postgresql://u:{SECRET}@127.0.0.1:1/d")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    shown = result.stdout.str() + result.stderr.str()
    assert "postgresql://127.0.0.1:1/d: OperationalError" in shown
    assert SECRET not in shown
    assert "passed" not in shown


def test_a_database_that_goes_away_is_told_at_the_end(pytester: pytest.Pytester, guard: Callable[..., None]) -> None:
    """The run says that its line was not written, and does not pass."""
    guard(CASES)
    pytester.makeconftest(
        "import pathlib, shutil\n"
        "def pytest_runtest_logfinish():\n"
        "    shutil.rmtree('gone', ignore_errors=True)\n"
        "    pathlib.Path('gone').touch()\n"
    )
    result = pytester.runpytest("--guardrails-history=sqlite:///gone/h.db")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["NOT WRITTEN sqlite:///h.db: cannot write there: *"])


def test_the_lines_are_json_for_sql_too(url: str, tmp_path: Path) -> None:
    """A team's own queries reach into a line: the column is JSON."""
    store = store_of(url, tmp_path)
    assert isinstance(store, sql.Database)
    keep(store, [replace(PAST, populations=FrozenDict({"cases": FrozenDict({"false_positive": 7})}))])
    path = "line ->> '$.guard'" if url.startswith("sqlite") else "line ->> 'guard'"
    with opened(store.url) as connection:
        assert connection.execute(sqlalchemy.text(f"SELECT {path} FROM {sql.TABLE}")).scalar() == "guard.yaml"  # noqa: S608
        kept = connection.execute(sqlalchemy.text(f"SELECT CAST(line AS TEXT) FROM {sql.TABLE}")).scalar()  # noqa: S608
    assert json.loads(str(kept))["schema"] == "pytest-guardrails/history/1"
