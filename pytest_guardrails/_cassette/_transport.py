"""The recorded transport: a transport of httpx and httpx2 that replays a cassette, records one, or checks one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from pytest_guardrails._cassette._drift import Drift, drifts
from pytest_guardrails._cassette._file import Cassette, load, suffix_of
from pytest_guardrails._cassette._interaction import Interaction, header, scrubbed
from pytest_guardrails._cassette._live import Live, Outcome
from pytest_guardrails._cassette._masking import (
    checked_key,
    key_id,
    masked_request,
    masked_response,
    text_mask,
    unmasked_response,
)
from pytest_guardrails._cassette._metadata import Metadata
from pytest_guardrails._cassette._nearest import headline, nearest
from pytest_guardrails._cassette._parts import append, merge_parts, part_file, refuse_mixing
from pytest_guardrails._cassette._replay import exception_of, library_of, notes_of, response_of
from pytest_guardrails._errors import ConfigError, MissingRecording, unknown

Given = Mapping[str, Any] | Metadata | None

CREDENTIAL = "guardrails_credential"  # a request's own extension: the header that it needs, None for none
MODES = ("all", "new", "none", "once", "verify")

_MOST_DIFFERENCES = 20  # a suite without its cassette misses thousands of times: the first ones say why


@dataclass(frozen=True, slots=True)
class _Asked:
    """A live request: as the cassette would have it, its key, and the body as it was sent."""

    stored: Interaction
    key: str
    body: bytes


class RecordedTransport(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """Answers from a cassette, for `httpx.Client`, `httpx.AsyncClient` and those of httpx2; safe under threads.

    ``mode``: none (replay; no socket, nothing written), once (record all if the file was absent, else replay), new
    (replay what is recorded, record the rest), all (record everything; what is recorded anew replaces what was),
    verify (send everything that is recorded, answer from the recording, collect `drift`; nothing written).
    Answers to one key play in order, and the last one repeats; a recorded failure is raised again. An answer has
    ``extensions["guardrails"] = {"latency_ms": ..., "recorded": True or False, "key": ...}``, and so has the request
    of either.

    ``inner``: the transport for live requests, by default one of the request's library. ``wait``: take the time that
    the recording took. ``mask_key``: store texts masked. ``metadata``: what a new cassette says of itself, keys as
    in `Metadata`. ``part``: the name under which this process records. ``show``: how texts are shown where a
    recording is missing.
    ``kind_of``: the kind (recorded, synthetic) of what a URL answers. ``credential``: the header without which
    nothing is sent, unless a request names its own in the extension `CREDENTIAL`.

    Raises:
        ConfigError: for an unknown mode, a cassette that cannot be read, is masked under another key, or is of
            another kind than what would be recorded into it.
        MissingRecording: by a request that nothing recorded answers.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        mode: str = "none",
        *,
        inner: Any = None,
        wait: bool = False,
        mask_key: bytes | None = None,
        metadata: Given = None,
        part: str | None = None,
        show: Callable[[str], str] = str,
        kind_of: Callable[[str], str] | None = None,
        credential: str | None = None,
    ) -> None:
        if mode not in MODES:
            raise ConfigError(unknown("mode of recording", mode, MODES))
        self.path = Path(path)
        self.mode = mode
        suffix_of(self.path)
        found = load(self.path) if self.path.exists() else None
        cassette = found or Cassette()
        self._is_new = not cassette.interactions  # a file without any, too, as for vcrpy
        self._live = Live(inner)
        self._wait = wait
        self._show = show
        self._kind_of = kind_of
        self._credential = credential
        self._metadata = self._settled(cassette, checked_key(mask_key), metadata)
        self._mask = text_mask(mask_key) if mask_key and self._metadata.key_id else None
        self._part = part_file(self.path, part or f"pid{os.getpid()}")
        self._begun = False
        self._lock = threading.Lock()
        self._index: dict[str, list[Interaction]] = {}
        for interaction in cassette.interactions:
            self._index.setdefault(interaction.key, []).append(interaction)
        self._plays: dict[str, int] = {}
        self._played: list[str] = []
        self._misses: list[str] = []
        self._drift: list[Drift] = []

    @property
    def metadata(self) -> Metadata:
        """What the cassette says of itself, or will when it is saved."""
        return self._metadata

    @property
    def misses(self) -> tuple[str, ...]:
        """The text of each `MissingRecording` so far, whoever swallowed it."""
        with self._lock:
            return tuple(self._misses)

    @property
    def drift(self) -> tuple[Drift, ...]:
        """What live answers said differently, under verify."""
        with self._lock:
            return tuple(self._drift)

    @property
    def played(self) -> tuple[str, ...]:
        """The keys of the recorded answers that were given, in order."""
        with self._lock:
            return tuple(self._played)

    @property
    def unused(self) -> tuple[Interaction, ...]:
        """The interactions of the cassette that answered nothing so far."""
        with self._lock:
            rest = [group[self._plays.get(key, 0) :] for key, group in self._index.items()]
            return tuple(interaction for group in rest for interaction in group)

    def wind(self, keys: Iterable[str], steps: int) -> None:
        """Move on by ``steps`` in the recorded answers to each of ``keys``; below 0, answers come again."""
        with self._lock:
            for key in keys:
                self._plays[key] = max(0, self._plays.get(key, 0) + steps)

    def save(self) -> int:
        """Fold what was recorded, here and in left-over parts, into the cassette; return how many interactions.

        Nothing is written in the modes none and verify. Where several processes record, one of them saves, at the end.
        """
        return merge_parts(self.path) if self.mode in ("all", "new", "once") else 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        asked = self._asked(request, request.read())
        if self._is_live(asked.key):
            self._refuse_without_key(request)
            return self._recorded(request, asked, self._live.send(request))
        recorded = self._next(asked)
        if self.mode == "verify":
            self._refuse_without_key(request)
            self._compare(asked, recorded, self._live.send(request))
        if self._wait and recorded.latency_ms:
            time.sleep(recorded.latency_ms / 1000)
        return self._replayed(request, asked, recorded)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        asked = self._asked(request, await request.aread())
        if self._is_live(asked.key):
            self._refuse_without_key(request)
            return self._recorded(request, asked, await self._live.send_async(request))
        recorded = self._next(asked)
        if self.mode == "verify":
            self._refuse_without_key(request)
            self._compare(asked, recorded, await self._live.send_async(request))
        if self._wait and recorded.latency_ms:
            import anyio  # httpx has it: a client may run under asyncio or trio

            await anyio.sleep(recorded.latency_ms / 1000)
        return self._replayed(request, asked, recorded)

    def close(self) -> None:
        """Close the connections of live requests; a later one opens new ones."""
        self._live.close()

    async def aclose(self) -> None:
        """Close the connections of live requests; a later one opens new ones."""
        await self._live.aclose()

    def _settled(self, cassette: Cassette, mask_key: bytes | None, given: Given) -> Metadata:
        """Return the metadata that holds: the cassette's, or for a new one what was given."""
        own = cassette.metadata
        if not self._is_new and own.key_id and (mask_key is None or key_id(mask_key) != own.key_id):
            had = "no key is given" if mask_key is None else f"the given one has the id {key_id(mask_key)}"
            raise ConfigError(
                f"its texts are masked under the key with the id {own.key_id}, and {had}: set GUARDRAILS_MASK_KEY",
                file=str(self.path),
            )
        said = given if isinstance(given, Metadata) else Metadata.of({"kind": "recorded", **(given or {})})
        wanted = replace(said, key_id=key_id(mask_key) if mask_key else None)
        if self._is_new:
            return wanted
        if self.mode in ("all", "new"):
            refuse_mixing(own, replace(wanted, kind=own.kind) if self._kind_of else wanted, self.path)
        return own

    def _asked(self, request: Any, body: bytes) -> _Asked:
        content_type = request.headers.get("content-type", "")
        stored = Interaction(
            method=request.method,
            url=str(request.url),
            request_headers=(("accept", request.headers.get("accept", "*/*")), ("content-type", content_type)),
            request_body=masked_request(body, content_type, self._mask) if self._mask else body,
        )
        return _Asked(stored, stored.key, body)

    def _refuse_without_key(self, request: Any) -> None:
        """Refuse to send live what can only get the answer to a key that is missing.

        Raises:
            ConfigError: where the credential's header is not there.
        """
        needed = request.extensions.get(CREDENTIAL, self._credential)
        if needed is not None and needed not in request.headers:
            raise ConfigError(f"the mode {self.mode} sends this request, which has no {needed}")

    def _is_live(self, key: str) -> bool:
        return self.mode == "all" or (
            (self.mode == "once" and self._is_new) or (self.mode == "new" and key not in self._index)
        )

    def _next(self, asked: _Asked) -> Interaction:
        with self._lock:
            group = self._index.get(asked.key)
            if group is not None:
                count = self._plays.get(asked.key, 0)
                self._plays[asked.key] = count + 1
                self._played.append(asked.key)
                return group[min(count, len(group) - 1)]
            text = headline(asked.stored, self.path, self.mode, exists=not self._is_new)
            number = len(self._misses)
            self._misses.append(text)
        if number < _MOST_DIFFERENCES:
            recorded = [interaction for group in self._index.values() for interaction in group]
            text = f"{text}\n{nearest(asked.stored, recorded, self._show)}"
            with self._lock:
                self._misses[number] = text
        raise MissingRecording(text)

    def _replayed(self, request: Any, asked: _Asked, recorded: Interaction) -> httpx.Response:
        if recorded.raises:
            request.extensions["guardrails"] = notes_of(recorded, asked.key, is_recorded=True)
            text = f"{recorded.raises}, as recorded in {self.path.name}"
            raise exception_of(library_of(request), recorded.raises)(text, request=request)
        if self._mask:
            body = unmasked_response(recorded.response_body, asked.body)
            recorded = replace(recorded, response_body=body)
        return response_of(request, recorded, asked.key, is_recorded=True)

    def _recorded(self, request: Any, asked: _Asked, outcome: Outcome) -> httpx.Response:
        self._append(self._stored(asked, outcome))
        if outcome.error is not None:
            raise outcome.error
        return response_of(request, outcome.interaction, asked.key, is_recorded=False)

    def _stored(self, asked: _Asked, outcome: Outcome) -> Interaction:
        """Return what the cassette will hold of an exchange."""
        answer = outcome.interaction
        body = answer.response_body
        if self._mask:
            content_type = header(answer.response_headers, "content-type")
            body = masked_response(body, content_type, asked.body, self._mask)
        return replace(
            asked.stored,
            status=answer.status,
            response_headers=answer.response_headers,
            response_body=body,
            latency_ms=answer.latency_ms,
            raises=answer.raises,
        )

    def _append(self, interaction: Interaction) -> None:
        with self._lock:
            if not self._begun:
                url = urlsplit(scrubbed(interaction.url))
                if self._kind_of is not None:
                    self._metadata = self._of_kind(self._kind_of(interaction.url))
                self._metadata = replace(
                    self._metadata,
                    recorded_at=self._metadata.recorded_at or datetime.now(UTC).isoformat(timespec="seconds"),
                    base_url=self._metadata.base_url or f"{url.scheme}://{url.netloc}",
                )
            append(self._part, interaction, self._metadata, replaces=self.mode == "all", begin=not self._begun)
            self._begun = True

    def _of_kind(self, kind: str) -> Metadata:
        """Return the metadata for answers of a kind; the caller knows it once it sees where they come from."""
        wanted = replace(self._metadata, kind=kind)
        if not self._is_new:
            refuse_mixing(self._metadata, wanted, self.path)
        return wanted

    def _compare(self, asked: _Asked, recorded: Interaction, outcome: Outcome) -> None:
        found = drifts(recorded, self._stored(asked, outcome))
        with self._lock:
            self._drift += found
