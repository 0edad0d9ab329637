"""A history in SQLite or Postgres: one table, each row the line that the file would have, through SQLAlchemy."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_guardrails._errors import ConfigError, unknown
from pytest_guardrails._history._log import BAD_LINE, Past, line_of, past_of, what_is_wrong

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Table

TABLE = "guardrails_history"
EXTRA = "pytest-guardrails[sql]"
KINDS = ("sqlite", "postgresql")
MOST_TEXT = 200  # of what is indexed; the line has all of it
_ALIASES = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
_ATTEMPTS = 3
_WAIT_S = 30

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Database:
    """A history behind a URL; what it prints of itself never has user, password or parameters."""

    url: URL
    name: str

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    def prepare(self) -> None:
        """Connect, and make the table where there is none.

        Raises:
            ConfigError: where either cannot be done, or a table of that name is not ours.
        """
        self._insert([])

    def append(self, pasts: Iterable[Past]) -> None:
        """Append lines, all of them or none; other writers lose nothing.

        Raises:
            ConfigError: where that cannot be done.
        """
        self._insert([_row(past) for past in pasts])

    def read(self) -> tuple[list[Past], list[str]]:
        """Return the lines in their order, and what was wrong with those that cannot be read.

        Raises:
            ConfigError: where there is no history.
        """
        found, problems = [], []
        for number, line in self._ask(_lines):
            try:
                found.append(past_of(line))
            except BAD_LINE as exc:
                problems.append(f"{self.name}: row {number}: {what_is_wrong(exc)}")
        return found, problems

    def mark(self) -> object:
        """Return what is another value where lines were added or removed.

        Raises:
            ConfigError: where there is no history.
        """
        return self._ask(_extent)

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        def insert(connection: Connection) -> None:
            _make_table(connection)
            if rows:
                connection.execute(_table().insert(), rows)

        if self.url.get_backend_name() == "sqlite":
            try:
                Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
            except OSError as exc:
                raise ConfigError(f"cannot write there: {exc.strerror}", file=self.name) from None
        self._do(insert)

    def _ask(self, question: Callable[[Connection], T]) -> T:
        if self.url.get_backend_name() == "sqlite" and not Path(str(self.url.database)).exists():
            raise ConfigError("there is no such file", file=self.name)  # sqlite would make one
        return self._do(question)

    def _do(self, action: Callable[[Connection], T]) -> T:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.pool import NullPool

        wait = "timeout" if self.url.get_backend_name() == "sqlite" else "connect_timeout"
        waits = {} if wait in self.url.query else {wait: _WAIT_S}
        try:
            engine = create_engine(self.url, poolclass=NullPool, connect_args=waits, hide_parameters=True)
            with engine.begin() as connection:
                return action(connection)
        except (SQLAlchemyError, OSError, ImportError, ValueError, TypeError) as exc:
            if isinstance(exc, ConfigError):
                raise ConfigError(exc.message, file=self.name) from None
            raise ConfigError(self._said(exc), file=self.name) from None  # a cause would be printed as it is

    def _said(self, exc: Exception) -> str:
        """Return what a driver says, in one line, and without anything of the URL that is secret."""
        said = " ".join(str(getattr(exc, "orig", None) or exc).split())
        for secret in _secrets(self.url):
            said = said.replace(secret, "***")
        return f"{type(exc).__name__}: {said[:300]}"


def is_url(spec: str) -> bool:
    """True for what names a database and no file."""
    return "://" in spec


def database(spec: str, base: Path) -> Database:
    """Return the database that a URL names; a SQLite path is relative to ``base``. Nothing is opened.

    Raises:
        ConfigError: for what is no such URL, or where the extra is not installed; it never quotes the URL.
    """
    if importlib.util.find_spec("sqlalchemy") is None:
        raise ConfigError(f"a history in a database needs SQLAlchemy: pip install '{EXTRA}'")
    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    if spec.partition("://")[2].count("@") > 1:  # else a part of the password would be taken for the host
        raise ConfigError("the database URL has more than one '@': write %40 for one in the user or the password")
    try:
        url = make_url(spec)
    except (SQLAlchemyError, ValueError):
        raise ConfigError("no database URL: sqlite:///PATH or postgresql://USER@HOST:PORT/NAME is one") from None
    kind = url.get_backend_name() if "+" in url.drivername else url.drivername
    url = url.set(drivername=_ALIASES.get(url.drivername, url.drivername))
    if kind not in (*KINDS, *_ALIASES):
        raise ConfigError(unknown("kind of database", kind, KINDS))
    _require_driver(url)
    if kind == "sqlite":
        return _sqlite(url, base)
    host = url.host or "localhost"
    port = f":{url.port}" if url.port else ""
    return Database(url, f"postgresql://{host}{port}/{url.database or ''}")


def _require_driver(url: URL) -> None:
    driver = url.drivername.partition("+")[2]
    if driver and importlib.util.find_spec(driver) is None:
        raise ConfigError(f"its driver {driver} is not installed: pip install '{EXTRA}' has psycopg")


def _sqlite(url: URL, base: Path) -> Database:
    if url.database in (None, "", ":memory:") or str(url.database).startswith("file:"):
        raise ConfigError("a history is kept in a file: sqlite:///PATH")
    path = base / str(url.database)
    return Database(url.set(database=str(path)), f"sqlite:///{path.name}")


def _secrets(url: URL) -> list[str]:
    """Return what of a URL must not be shown, longest first."""
    from urllib.parse import quote

    given = [str(url.password)] if url.password else []
    given += [value for each in url.query.values() for value in ([each] if isinstance(each, str) else each)]
    return sorted({*given, *map(quote, given)} - {""}, key=len, reverse=True)


def _table() -> Table:
    from sqlalchemy import JSON, Column, Index, Integer, MetaData, Table, Text

    texts = [Column(name, Text, nullable=True) for name in ("time", "guard", "version", "commit_id", "suite", "status")]
    indexes = [
        Index(f"{TABLE}_{'_'.join(names)}", *names) for names in (("guard", "version"), ("time",), ("commit_id",))
    ]
    number = Column("id", Integer, primary_key=True, autoincrement=True)
    return Table(TABLE, MetaData(), number, *texts, Column("line", JSON, nullable=False), *indexes)


def _row(past: Past) -> dict[str, Any]:
    texts = {"time": past.time, "guard": past.guard, "version": past.version, "commit_id": past.commit}
    texts |= {"suite": past.suite, "status": past.status}
    return {**{name: _column(text) for name, text in texts.items()}, "line": json.loads(line_of(past))}


def _column(text: str | None) -> str | None:
    """Return a text as every database takes it: without NUL and lone surrogates, and short enough for an index."""
    if text is None:
        return None
    return text[:MOST_TEXT].replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _make_table(connection: Connection) -> None:
    from sqlalchemy import inspect
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.schema import CreateIndex, CreateTable

    table = _table()
    for attempt in range(_ATTEMPTS):
        if inspect(connection).has_table(TABLE):
            break
        try:
            with connection.begin_nested():
                connection.execute(CreateTable(table, if_not_exists=True))
                for index in sorted(table.indexes, key=str):
                    connection.execute(CreateIndex(index, if_not_exists=True))
        except DBAPIError:  # another process makes it just now
            if attempt + 1 == _ATTEMPTS:
                raise
    there = {column["name"] for column in inspect(connection).get_columns(TABLE)}
    if missing := {column.name for column in table.columns} - there:
        raise ConfigError(f"the table {TABLE} there is not ours: it has no {', '.join(sorted(missing))}")


def _lines(connection: Connection) -> list[tuple[int, str]]:
    from sqlalchemy import Text, cast, select

    table = _table()
    found = connection.execute(select(table.c.id, cast(table.c.line, Text)).order_by(table.c.id))
    return [(number, str(line)) for number, line in found]


def _extent(connection: Connection) -> tuple[int, int]:
    from sqlalchemy import func, select

    number = _table().c.id
    count, last = connection.execute(select(func.count(number), func.max(number))).one()
    return int(count), int(last or 0)
