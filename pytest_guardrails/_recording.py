"""What the test that runs now is answered when its guard asks an API: recordings, live answers, or a fault."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pytest_guardrails._cassette import RecordedTransport, load, merge_parts
from pytest_guardrails._errors import ConfigError, MissingRecording
from pytest_guardrails._faults import FaultTransport, fault_named
from pytest_guardrails._key import mask_key
from pytest_guardrails._marker import CASSETTE, fault_of, read_cassette
from pytest_guardrails._population import current_key
from pytest_guardrails.lasso import ulid

FOLDER_INI = "guardrails_cassettes"
TEXTS_INI = "guardrails_cassette_texts"

_NOT_A_NAME = re.compile(r"[^\w.=+@-]+")
_LONGEST_NAME = 80
_MOST_NAMED = 3
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
KEY_HEADER, KEY_VARIABLE = "lasso-api-key", "LASSO_API_KEY"


@dataclass(slots=True)
class Exchange:
    """What one test is answered with, and what it asked so far, itself and ``aside``; ``nodeid`` names it."""

    nodeid: str
    cassette: RecordedTransport
    fault: FaultTransport | None = None
    played: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    misses: list[MissingRecording] = field(default_factory=list)

    @property
    def transport(self) -> Any:
        """What answers: the fault, or the cassette."""
        return self.fault or self.cassette

    @contextmanager
    def asked(self, request: httpx.Request) -> Iterator[None]:
        """Note what becomes of a request: the recording that it played, or that it missed.

        Raises:
            pytest.fail.Exception: where it cannot be recorded; no guard may take that for an error of the API.
        """
        try:
            yield
        except MissingRecording as exc:
            self.misses.append(exc)
            raise
        except ConfigError as exc:
            missing = f"; set {KEY_VARIABLE}" if KEY_HEADER in str(exc) else ""
            pytest.fail(f"{exc}{missing}", pytrace=False)
        finally:
            noted = request.extensions.get("guardrails", {})
            if noted.get("recorded"):
                self.played.append(noted["key"])


class RoutedTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The transport of every client of the session: it asks what the test that runs now is answered with."""

    def __init__(self, current: Callable[[], Exchange]) -> None:
        self._current = current

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the test's cassette or fault does."""
        exchange = self._current()
        with exchange.asked(request):
            response: httpx.Response = exchange.transport.handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the test's cassette or fault does."""
        exchange = self._current()
        with exchange.asked(request):
            response: httpx.Response = await exchange.transport.handle_async_request(request)
        return response


class Recordings:
    """The cassettes of one pytest process, each read once, and the exchange of the test that runs."""

    def __init__(
        self, config: pytest.Config, item: Callable[[], pytest.Item | None], show: Callable[[str], str]
    ) -> None:
        self._config = config
        self._item = item
        self._show = show
        self._mode: str = config.getoption("guardrails_record")
        self._worker: str | None = getattr(config, "workerinput", {}).get("workerid")
        self._cassettes: dict[Path, RecordedTransport] = {}
        self._exchange: tuple[pytest.Item | None, Exchange | None] = None, None
        self._played: dict[Path, set[str]] = {}
        self._drift: list[str] = []
        self._told: dict[Path, int] = {}
        self.transport = RoutedTransport(self.exchange)

    @property
    def records(self) -> bool:
        """True if the mode may write a cassette."""
        return self._mode in ("once", "new", "all")

    def exchange(self) -> Exchange:
        """Return what the test that runs now is answered with.

        Raises:
            pytest.fail.Exception: outside a test, or where its cassette or fault cannot be meant.
        """
        item = self._item()
        known, exchange = self._exchange
        if known is not item or exchange is None:
            if item is None:
                pytest.fail("a guard asked its API outside a test: there is no recording to answer with", pytrace=False)
            try:
                exchange = self._exchange_of(item)
            except ConfigError as exc:
                pytest.fail(str(exc), pytrace=False)
            self._exchange = item, exchange
        return exchange

    def forget(self) -> None:
        """Forget the exchange of the test before: a test that runs again starts anew."""
        self._exchange = None, None

    @contextmanager
    def aside(self, item: pytest.Item) -> Iterator[None]:
        """Answer what is asked inside as when the test began, and go on as before; what was played counts as used."""
        known = self.of(item)
        played = known.played if known else []
        if known is not None:
            known.cassette.wind(played, -1)
        self.forget()
        try:
            yield
        finally:
            inside = self.of(item)
            if inside is not None:
                inside.cassette.wind(inside.played, -1)
                known = known or self._exchange_of(item)
                known.aside += inside.played
            self._exchange = (item, known) if known is not None else (None, None)
            if known is not None:
                known.cassette.wind(played, 1)

    def of(self, item: pytest.Item) -> Exchange | None:
        """Return the exchange of a test, None where it asked nothing."""
        return self._exchange[1] if self._exchange[0] is item else None

    def session_id(self) -> str:
        """Return the conversation of the test that runs, or of its sample: the same ULID in each run."""
        item = self._item()
        return ulid((item.nodeid if item is not None else "") + (current_key() or ""))

    def _exchange_of(self, item: pytest.Item) -> Exchange:
        cassette = self._cassette(cassette_path(item, self._folder()))
        fault = fault_of(item)
        if fault is None:
            return Exchange(item.nodeid, cassette)
        name, on_call = fault
        return Exchange(item.nodeid, cassette, FaultTransport(fault_named(name), cassette, on_call))

    def _folder(self) -> Path:
        return self._config.rootpath / str(self._config.getini(FOLDER_INI))

    def _cassette(self, path: Path) -> RecordedTransport:
        cassette = self._cassettes.get(path)
        if cassette is None:
            masked = self._config.getini(TEXTS_INI) == "masked"
            cassette = self._cassettes[path] = RecordedTransport(
                path,
                self._mode,
                mask_key=mask_key(self._config) if masked else None,
                part=self._worker or "main",
                show=self._show,
                kind_of=kind_of,
                credential=KEY_HEADER,
            )
        return cassette

    # What rides on reports, and the end of the run

    def riding(self, item: pytest.Item) -> dict[str, Any] | None:
        """Return what a worker tells the controller of a test: its cassette and the recordings that it played."""
        exchange = self.of(item)
        if exchange is None:
            return None
        path, cassette = exchange.cassette.path, exchange.cassette
        told = self._told.get(path, 0)
        drift = cassette.drift[told:]
        self._told[path] = told + len(drift)
        return {
            "cassette": str(path),
            "played": [*exchange.played, *exchange.aside],
            "drift": [f"{self._shown(path)}: #{one.key[:8]} {one.kind}: {one.what}" for one in drift],
        }

    def gather(self, riding: dict[str, Any]) -> None:
        """Keep what rode on a report."""
        self._played.setdefault(Path(riding["cassette"]), set()).update(riding["played"])
        self._drift += riding["drift"]

    def finish(self) -> tuple[list[str], bool]:
        """Fold what was recorded into the cassettes; return what to say at the end, and if live answers drifted."""
        for cassette in self._cassettes.values():
            cassette.close()
        said = self._fold() if self.records else []
        said += [line for path in sorted(self._played) for line in self._unused(path)]
        said += [f"drift      {line}" for line in self._drift]
        return said, bool(self._drift)

    def _fold(self) -> list[str]:
        folders = {self._folder(), *(path.parent for path in self._played)}
        parts = {part for folder in folders if folder.is_dir() for part in folder.rglob("*.part")}
        said = []
        for path in sorted({part.with_suffix("").with_suffix("") for part in parts}):  # name.yaml.worker.part
            try:
                said.append(f"recorded   {self._shown(path)}: {merge_parts(path)} answers")
            except ConfigError as exc:
                said.append(f"NOT FOLDED {exc}")
        return said

    def _unused(self, path: Path) -> list[str]:
        """Say which recordings of a cassette no test of this run asked for; under -k they are many."""
        if not path.exists():
            return []
        interactions = load(path).interactions
        idle = [one for one in interactions if one.key not in self._played[path]] if not self.records else []
        if not idle:
            return []
        named = ", ".join(f"{one.method} {urlsplit(one.url).path} #{one.key[:8]}" for one in idle[:_MOST_NAMED])
        count = f"{len(idle)} of {len(interactions)} recordings were not used"
        return [f"unused     {self._shown(path)}: {count}: {named}{', …' if len(idle) > _MOST_NAMED else ''}"]

    def _shown(self, path: Path) -> str:
        root = self._config.rootpath
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def kind_of(url: str) -> str:
    """Return what a cassette of answers from there is: a server on loopback is a stand-in, and they are synthetic."""
    return "synthetic" if urlsplit(url).hostname in _LOOPBACK else "recorded"


def cassette_path(item: pytest.Item, folder: Path) -> Path:
    """Return the cassette of a test: its marker's, its case file's, else one of its own under ``folder``.

    Raises:
        ConfigError: where the marker or the key cannot be meant.
    """
    mark = item.get_closest_marker(CASSETTE)
    if mark is not None:
        try:
            return folder / read_cassette(mark)
        except ConfigError as exc:
            file, line, _ = item.location
            raise ConfigError(exc.message, file=file, line=(line or 0) + 1) from None
    named = getattr(item.parent, "cassette", None)
    if named is not None:
        return Path(named)
    root = item.config.rootpath
    module = item.path.relative_to(root) if item.path.is_relative_to(root) else Path(item.path.name)
    stem = module.name.split(".")[0]
    if hasattr(item, "case"):
        return folder / module.parent / f"{stem}.yaml"
    return folder / module.parent / stem / f"{_file_name(item.nodeid.partition('::')[2])}.yaml"


def _file_name(name: str) -> str:
    """Return a test's name as a file name; where that loses something, a hash keeps two tests apart."""
    plain = _NOT_A_NAME.sub("-", name)
    if plain == name.replace("::", "-") and len(plain) <= _LONGEST_NAME:
        return plain
    return f"{plain[:_LONGEST_NAME]}-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"
