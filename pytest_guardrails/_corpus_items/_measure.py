"""A corpus through a guard: read, judged in batches, written down and counted, in flat memory."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_guardrails._codec import encode
from pytest_guardrails._corpus import CorpusSpec, read, unique
from pytest_guardrails._corpus_items._near import doubt, look_through, nearness
from pytest_guardrails._corpus_items._progress import Progress
from pytest_guardrails._corpus_items._verdict import judged
from pytest_guardrails._errors import ConfigError
from pytest_guardrails._executors import ExecutorSpec, Pace, chunk_size, chunked, run_all
from pytest_guardrails._model import CorpusRecord, Outcome, Sample, SampleResult
from pytest_guardrails._population import Fold, Wrong, evaluate, places_of
from pytest_guardrails._records import guard_key
from pytest_guardrails._spool import Spool
from pytest_guardrails.targets.embedded import Engine

_BLOCK = 1 << 20
MOST_TEXT = 10_000  # characters of a sample that a report shows


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a corpus is measured: what a run's options say, and where.

    ``shown`` is its file's name in reports, ``show`` how texts of it appear there, ``key`` what hashes them.
    """

    nodeid: str
    shown: str
    show: Callable[[str], str]
    ledger: Path
    progress: Progress
    executor: ExecutorSpec | None = None
    resume: bool = False
    key: bytes = b""


def measure(spec: CorpusSpec, engine: Engine, how: Conditions) -> CorpusRecord:
    """Send a corpus through a guard, and return what is kept of it.

    Raises:
        ConfigError: where the corpus cannot be read, or the guard cannot go where it should be judged.
    """
    started = time.perf_counter()
    refuse_bad_spec(spec)
    if how.executor is not None and how.executor.kind != "threads":
        _refuse_bound_checks(engine, how.executor.kind)
    total, entities = look_through(samples_of(spec, how), spec)  # every mistake is found before anything is asked
    if not total:
        raise ConfigError("the corpus has no row: nothing would be measured", file=how.shown)
    fold = Fold(places_of(engine))
    with Spool(how.ledger, identity_of(spec, engine, how), resume=how.resume) as spool, how.progress:
        asked_again = _ask_again(spool, spec, engine, how)
        samples = samples_of(spec, how)
        for sample, result in _kept(spool, samples):
            fold.add(sample, result)
        resumed = fold.rows
        for batch, results in _judged(samples, engine, spec, how.executor):
            spool.append(results)
            for sample, result in zip(batch, results, strict=True):
                fold.add(sample, result)
            how.progress.show(fold, total)
    record = replace(_record(spec, engine, how, fold), ledger=str(spool.path))
    said = [_note(spec, spool.refused, (resumed - asked_again, asked_again), total)]
    said += [doubt(entities, engine)] if spec.path is not None else []
    note = "; ".join(filter(None, said)) or None
    return replace(record, note=note, duration_s=time.perf_counter() - started)


def _ask_again(spool: Spool, spec: CorpusSpec, engine: Engine, how: Conditions) -> int:
    """Ask again what the interrupted run got no answer to, and return how many samples that are."""
    if not spool.has_errors:
        return 0
    kept = _kept(spool, samples_of(spec, how))
    errored = (sample for sample, result in kept if result.outcome is Outcome.ERROR)
    asked = 0

    def answers() -> Iterator[list[SampleResult]]:
        nonlocal asked
        for _, results in _judged(errored, engine, spec, how.executor):
            asked += len(results)
            yield results

    spool.replace_errors(answers())
    return asked


def _note(spec: CorpusSpec, refused: str | None, continued: tuple[int, int], total: int) -> str | None:
    """Say what a reader should know: that this is a part of a corpus, or that another run measured some of it.

    ``continued``: how many results are of the interrupted run, and how many errors of it were asked again.
    """
    resumed, again = continued
    said = [f"the first {spec.limit:,} rows alone"] if spec.limit is not None else []
    said += [f"started afresh: {refused}"] if refused else []
    said += [f"continued: {resumed:,} of {total:,} results are of the interrupted run"] if resumed else []
    said += [f"asked again: {again:,} to which it got no answer"] if again else []
    return "; ".join(said) or None


def refuse_bad_spec(spec: CorpusSpec) -> None:
    """Refuse a rate or a strategy that cannot be meant, before anything is read.

    Raises:
        ConfigError: at the place where the corpus is asked for.
    """
    try:
        if spec.rate_limit is not None:
            Pace.of(spec.rate_limit)
        if spec.sample is not None:
            from pytest_guardrails.strategies import sample

            next(sample(spec.sample, 1, spec.seed), None)
    except ConfigError as exc:
        raise ConfigError(exc.message, file=spec.file, line=spec.line) from None


def _refuse_bound_checks(engine: Engine, kind: str) -> None:
    """Refuse checks that cannot leave this process: they hold a connection, or something else that is of here."""
    for guardrail in engine.guardrails:
        for check in guardrail.checks:
            why = "asks an API through this process" if hasattr(check, "connected") else _unpicklable(check)
            if why:
                raise ConfigError(
                    f"check {check.id!r} of guardrail {guardrail.id!r} {why}, so it cannot go to {kind}: use threads"
                )


def _unpicklable(check: Any) -> str | None:
    try:
        pickle.dumps(check)
    except Exception as exc:  # whatever another package's check raises there
        return f"cannot be pickled ({type(exc).__name__})"
    return None


def is_remote(engine: Engine) -> bool:
    """True if a check of the guard asks an API."""
    return any(hasattr(check, "connected") for guardrail in engine.guardrails for check in guardrail.checks)


def samples_of(spec: CorpusSpec, how: Conditions) -> Iterator[Sample]:
    """Return the samples of a corpus, each with an id."""
    if spec.path is None:
        from pytest_guardrails.strategies import sample

        return unique(sample(spec.sample or "", spec.n, spec.seed), how.key)
    columns = dict(spec.columns)
    return read(spec.path, how.shown, label=spec.label, columns=columns, key=how.key, limit=spec.limit)


def identity_of(spec: CorpusSpec, engine: Engine, how: Conditions) -> dict[str, Any]:
    """Return what must be equal for an interrupted run to be continued, under the words in which that is said."""
    options = {"label": spec.label, "columns": spec.columns, "limit": spec.limit}
    return {
        "the corpus": [spec.source, spec.n, spec.seed] if spec.path is None else _content(spec.path),
        "its options": options,
        "the guard": [guard_key(engine), encode(engine.version)],
        "the key of the hashes": hashlib.blake2b(b"corpus", key=how.key, digest_size=8).hexdigest(),
    }


def _content(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _kept(spool: Spool, samples: Iterator[Sample]) -> Iterator[tuple[Sample, SampleResult]]:
    """Yield what the interrupted run has, with the samples that it is of."""
    for result in spool.kept():
        sample = next(samples, None)
        if sample is None or sample.id != result.key:
            raise ConfigError("what the interrupted run left is not of this corpus: run without --guardrails-resume")
        yield sample, result


def _judged(
    samples: Iterable[Sample], engine: Engine, spec: CorpusSpec, executor: ExecutorSpec | None
) -> Iterator[tuple[list[Sample], list[SampleResult]]]:
    """Yield batches with their results, in order; only those that are under way are held."""
    size = chunk_size(executor, concurrency=spec.concurrency, rate_limit=spec.rate_limit, remote=is_remote(engine))
    waiting: deque[list[Sample]] = deque()

    def batches() -> Iterator[list[Sample]]:
        for batch in chunked(samples, size):
            waiting.append(batch)
            yield batch

    answers = run_all(
        executor,
        functools.partial(evaluate, engine),
        batches(),
        concurrency=spec.concurrency,
        rate_limit=spec.rate_limit,
        packages=dict(engine.version.packages),
    )
    with contextlib.closing(answers):
        for results in answers:
            yield waiting.popleft(), results


def _record(spec: CorpusSpec, engine: Engine, how: Conditions, fold: Fold) -> CorpusRecord:
    status, reasons = judged(fold.counts(), spec)
    return CorpusRecord(
        nodeid=how.nodeid,
        name=spec.name,
        status=status,
        guard=guard_key(engine),
        file=spec.file,
        line=spec.line,
        generated=spec.sample is not None,
        rows=fold.rows,
        groups=fold.groups(),
        spans=fold.spans,
        latency=fold.latency.to_dict(),
        vendor_latency=fold.vendor_latency.to_dict(),
        curves=fold.curves(),
        allowed=fold.allowed(),
        acted=fold.acted(),
        silent=fold.silent(nearness(spec, engine)),
        worst=tuple(_told(wrong, how) for wrong in fold.worst()),
        reasons=tuple(reasons),
        source=how.shown,
    )


def _told(wrong: Wrong, how: Conditions) -> tuple[str, ...]:
    """Return a sample that went wrong as reports tell it: what, category, place, text (masked), by whom."""
    what = wrong.result.outcome.value.replace("_", " ")
    line = wrong.sample.line
    place = f"{how.shown}:{line}" if line is not None else how.shown
    by = ", ".join(wrong.result.errors or wrong.result.fired) or wrong.result.decided_by or ""
    text = how.show(wrong.sample.text)
    text = text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}… ({len(text):,} characters)"
    return what, wrong.sample.category, place, text, by
