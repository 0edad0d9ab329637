"""Chunks judged here, in threads and in processes: in order, in flat memory, at a rate, and with nothing lost."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_guardrails import Guardrail, Phase
from pytest_guardrails._errors import ConfigError, GuardrailsError, LassoStatusError, MissingRecording
from pytest_guardrails._executors import ExecutorSpec, Pace, chunk_size, chunked, parse, run_all
from pytest_guardrails._executors._spec import workers_of
from pytest_guardrails._executors._work import parcel
from pytest_guardrails._model import Sample
from pytest_guardrails.checks.wording import Contains
from pytest_guardrails.targets.embedded import Engine

# What runs in workers; a module of its own, since a worker imports it by its name.
WORKER = '''
import os, signal, time
from pathlib import Path

from pytest_guardrails._errors import LassoStatusError, MissingRecording


def judged(engine, chunk):
    return [(sample.id, engine.run(sample.text).verdict.value) for sample in chunk]


def dying_once(marker, chunk):
    """Kill its process at the number 7, the first time."""
    if 7 in chunk and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return [number * number for number in chunk]


def deadly(chunk):
    if 7 in chunk:
        os.kill(os.getpid(), signal.SIGKILL)
    return [number * number for number in chunk]


def raising(kind, chunk):
    if 7 in chunk:
        if kind == "status":
            raise LassoStatusError("limited", status=429)
        raise {"missing": MissingRecording, "value": ValueError}[kind]("what came")
    return list(chunk)


def interrupted(chunk):
    os.kill(os.getpid(), signal.SIGINT)
    return list(chunk)


def pids(folder, chunk):
    Path(folder, str(os.getpid())).touch()
    if 1 in chunk:
        time.sleep(60)
'''


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """A module that workers can import, too."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "work_for_executors.py").write_text(WORKER)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("work_for_executors")
    finally:
        sys.path.remove(str(folder))
        del sys.modules["work_for_executors"]


def an_engine() -> Engine:
    """Return a guard that denies one word."""
    return Engine([Guardrail("words", Phase.BEFORE_REQUEST, (Contains(words=("forbidden",), operator="none"),))])


def samples(count: int) -> list[Sample]:
    """Return samples of which every third is denied."""
    return [Sample(f"{'forbidden' if n % 3 == 0 else 'plain'} {n}", "benign", id=str(n)) for n in range(count)]


def squares(chunk: Sequence[int]) -> list[int]:
    """Return the squares of a chunk."""
    return [number * number for number in chunk]


def eventually(true: Callable[[], bool]) -> None:
    """Wait for something to be true; half a minute is never needed."""
    for _ in range(1500):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")


class Time:
    """A clock that goes on only while someone sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        """Return the time, in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, per_second: float) -> Pace:
        """Return a rate that is kept in this time."""
        return Pace(per_second, clock=self.clock, sleep=self.sleep)


# How an executor is written


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("threads", ExecutorSpec("threads")),
        ("threads:8", ExecutorSpec("threads", 8)),
        ("processes", ExecutorSpec("processes")),
        ("processes:4", ExecutorSpec("processes", 4)),
    ],
)
def test_an_executor_is_read(text: str, spec: ExecutorSpec) -> None:
    """Threads and processes, with a number or without."""
    assert parse(text) == spec


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("thread", "unknown executor 'thread'; did you mean 'threads'? Choices: dask:ADDRESS, processes, processes:N"),
        ("", "unknown executor ''"),
        ("THREADS", "unknown executor 'THREADS'"),
        ("threads:", "the number of threads is 1 to 512, not ''"),
        ("threads:0", "1 to 512, not '0'"),
        ("threads:-1", "1 to 512, not '-1'"),
        ("threads:٣", "1 to 512, not '٣'"),
        ("processes:513", "the number of processes is 1 to 512, not '513'"),
        ("processes:two", "1 to 512, not 'two'"),
        ("dask", "HOST:PORT"),
        ("dask:", "HOST:PORT"),
        ("dask:tcp://", "HOST:PORT"),
        ("dask:host", "HOST:PORT"),
        ("dask:host:0", "HOST:PORT"),
        ("dask:host:65536", "HOST:PORT"),
        ("dask:tcp://user:word@host:1", "HOST:PORT"),
        ("dask:http://host:8786", "unknown scheme of a dask scheduler 'http'"),
    ],
)
def test_an_executor_that_cannot_be_meant_is_refused(text: str, said: str) -> None:
    """The error says what came, and the choices."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert said in str(caught.value)


def test_dask_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'pytest-guardrails\[dask\]'"):
        parse("dask:127.0.0.1:8786")


def test_concurrency_is_the_most_that_run_at_once() -> None:
    """It is the number of workers where none is given, and caps the one that is."""
    assert workers_of(ExecutorSpec("threads"), 3) == 3
    assert workers_of(ExecutorSpec("threads", 8), 3) == 3
    assert workers_of(ExecutorSpec("processes", 2), 3) == 2
    assert workers_of(ExecutorSpec("processes"), None) >= 1
    for concurrency in (0, -1, True):
        with pytest.raises(ConfigError, match="concurrency is a whole number from 1"):
            run_all(None, squares, [[1]], concurrency=concurrency)


# Chunks


def test_a_remote_guard_is_asked_one_sample_at_a_time() -> None:
    """A chunk is one sample for an API, and no more than a tenth of a second's worth of a rate."""
    assert chunk_size(parse("processes"), remote=True) == 1
    assert chunk_size(parse("processes"), rate_limit="10/s") == 1
    assert chunk_size(parse("processes"), rate_limit="600/min") == 1
    assert chunk_size(None, rate_limit="500/s") == 50
    assert chunk_size(None, rate_limit="100000/s") == chunk_size(None)
    assert chunk_size(None, concurrency=4) == chunk_size(parse("threads")) < chunk_size(parse("processes"))


@given(st.lists(st.integers()), st.integers(1, 7))
def test_chunks_hold_every_sample_once(numbers: list[int], size: int) -> None:
    """Chunks put together are the samples, and only the last is short."""
    chunks = list(chunked(numbers, size))
    assert [number for chunk in chunks for number in chunk] == numbers
    assert all(len(chunk) == size for chunk in chunks[:-1])


# Order, laziness, errors


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(), max_size=3), max_size=12), st.sampled_from([None, 1, 2, 5]))
def test_threads_give_what_one_after_the_other_gives(chunks: list[list[int]], concurrency: int | None) -> None:
    """Results come in the order of the chunks, one for each, also for empty chunks."""
    expected = [squares(chunk) for chunk in chunks]
    assert list(run_all(parse("threads:3"), squares, chunks, concurrency=concurrency)) == expected
    assert list(run_all(None, squares, chunks, concurrency=concurrency)) == expected


@pytest.mark.parametrize("spec", [None, parse("threads:3")])
def test_order_is_kept_where_the_first_takes_longest(spec: ExecutorSpec | None) -> None:
    """A result waits for the one before it."""

    def slow_first(chunk: Sequence[int]) -> int:
        time.sleep(0.05 if chunk == [0] else 0)
        return chunk[0]

    assert list(run_all(spec, slow_first, ([n] for n in range(20)))) == list(range(20))


@pytest.mark.parametrize(("spec", "most"), [(None, 1), ("threads:1", 2), ("threads:4", 8)])
def test_chunks_are_read_as_they_are_needed(spec: str | None, most: int) -> None:
    """Never more than two chunks per worker are ahead of the results that were taken."""
    read = 0

    def counted() -> Iterator[list[int]]:
        nonlocal read
        for number in range(100):
            read += 1
            yield [number]

    taken = 0
    for _ in run_all(spec and parse(spec), squares, counted()):
        assert read - taken <= most
        taken += 1
    assert taken == 100


def test_nothing_is_started_for_nothing() -> None:
    """Without a chunk no worker starts, and no scheduler is asked."""
    assert list(run_all(ExecutorSpec("dask", address="tcp://127.0.0.1:9"), squares, [])) == []


def test_concurrency_alone_uses_threads_and_no_more() -> None:
    """As many chunks as asked for run at once, never more."""
    at_once = peak = 0
    lock = threading.Lock()
    barrier = threading.Barrier(3)

    def busy(_chunk: Sequence[int]) -> None:
        nonlocal at_once, peak
        with lock:
            at_once += 1
            peak = max(peak, at_once)
        barrier.wait(10)  # passes only where three are here together
        with lock:
            at_once -= 1

    list(run_all(None, busy, ([n] for n in range(12)), concurrency=3))
    assert peak == 3


@pytest.mark.parametrize("spec", [None, parse("threads:2")])
@pytest.mark.parametrize("kind", [ValueError, MissingRecording, KeyboardInterrupt])
def test_what_the_function_raises_is_raised(spec: ExecutorSpec | None, kind: type[BaseException]) -> None:
    """Also what is no Exception; chunks that wait are dropped."""
    seen = []

    def raising(chunk: Sequence[int]) -> None:
        seen.append(chunk[0])
        if chunk[0] == 3:
            raise kind("three")

    with pytest.raises(kind):
        list(run_all(spec, raising, ([n] for n in range(1000))))
    assert len(seen) < 12


def test_an_exception_does_not_wait_for_a_slow_chunk_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later chunk's exception ends the run while the first is still at work."""
    monkeypatch.setattr("pytest_guardrails._executors._pools.GRACE_S", 0.01)
    release = threading.Event()
    ended = []

    def function(chunk: Sequence[int]) -> None:
        if chunk[0] == 1:
            raise ValueError("second")
        release.wait(5)
        ended.append(chunk[0])

    with pytest.raises(ValueError, match="second"):
        list(run_all(parse("threads:2"), function, ([n] for n in range(50))))
    assert ended == []
    release.set()


def test_a_bad_row_ends_the_run() -> None:
    """What reading the chunks raises is raised, and the threads end."""

    def rows() -> Iterator[list[int]]:
        yield [1]
        raise ConfigError("unknown label", file="a.jsonl", line=2)

    with pytest.raises(ConfigError, match=r"a\.jsonl:2"):
        list(run_all(parse("threads:2"), squares, rows()))
    assert not [t for t in threading.enumerate() if t.name.startswith("guardrails")]


def test_closing_drops_what_waits_and_waits_for_what_runs() -> None:
    """A run that is not read to its end leaves no thread, and begins nothing more."""
    submitted, release = threading.Event(), threading.Event()
    ended = []

    def function(chunk: Sequence[int]) -> None:
        (submitted if chunk == [0] else release).wait(10)
        ended.append(chunk[0])

    def chunks() -> Iterator[list[int]]:
        for number in range(100):
            if number == 3:
                submitted.set()
            yield [number]

    with contextlib.closing(run_all(parse("threads:2"), function, chunks())) as results:
        next(results)  # now 1 and 2 run, and 3 waits
        threading.Timer(0.1, release.set).start()
    eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith("guardrails")])
    assert sorted(ended) == [0, 1, 2]


# The rate


@pytest.mark.parametrize(
    "text", ["10", "10/d", "0/s", "-1/s", "1e3/s", "10 /s", "", "/s", "10/s\n", "0.0/min", None, 10]
)
def test_a_rate_that_cannot_be_meant_is_refused(text: Any) -> None:
    """The error says what came, and how a rate is written."""
    with pytest.raises(ConfigError, match="is no rate: write a number above 0 per s, min or h, as in 10/s"):
        Pace.of(text)
    if isinstance(text, str):
        with pytest.raises(ConfigError, match="is no rate"):
            run_all(None, squares, [[1]], rate_limit=text)


@pytest.mark.parametrize(("text", "per_second"), [("10/s", 10), ("600/min", 10), ("0.5/s", 0.5), ("36000/h", 10)])
def test_a_rate_is_read(text: str, per_second: float) -> None:
    """Per second, minute or hour."""
    assert Pace.of(text).per_second == per_second


def test_a_rate_spaces_samples_evenly() -> None:
    """The first goes at once, each other a tenth of a second later, counted in samples and not in chunks."""
    time_ = Time()
    starts = []

    def note(_chunk: Sequence[int]) -> None:
        starts.append(round(time_.now - 100, 6))

    list(run_all(None, note, [[1], [2], [3, 4, 5], [6]], rate_limit=time_.pace(10)))
    assert starts == [0, 0.1, 0.2, 0.5]


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0, 3)), max_size=30), st.sampled_from([0.5, 10.0, 1000.0]))
def test_no_window_has_more_than_the_rate(steps: list[tuple[int, float]], per_second: float) -> None:
    """Whatever pauses there are, between two chunks there is the time that the first and those after it take."""
    time_ = Time()
    pace = time_.pace(per_second)
    starts = []
    for count, pause in steps:
        pace.wait(count)
        starts.append((time_.now, count))
        time_.now += pause
    for first in range(len(starts)):
        used = 0.0
        for last in range(first + 1, len(starts)):
            used += starts[last - 1][1] / per_second
            assert starts[last][0] - starts[first][0] >= used - 1e-6


def test_with_a_rate_nothing_waits_in_a_queue() -> None:
    """A chunk is submitted when a worker is free, since from a queue many could start at once."""
    read = 0
    seen = []
    both = threading.Barrier(2)

    def slow(_chunk: Sequence[int]) -> None:
        both.wait(10)
        time.sleep(0.05)
        seen.append(read)
        both.wait(10)

    def chunks() -> Iterator[list[int]]:
        nonlocal read
        for number in range(6):
            read += 1
            yield [number]

    time_ = Time()
    list(run_all(parse("threads:2"), slow, chunks(), rate_limit=time_.pace(10)))
    assert seen == [2, 2, 4, 4, 6, 6]
    assert len(time_.slept) == 5


def test_a_result_does_not_wait_for_the_rate() -> None:
    """What is there is handed out before anything more is waited for."""
    time_ = Time()

    def sleep(seconds: float) -> None:
        time.sleep(0.05)  # meanwhile the first result comes
        time_.sleep(seconds)

    results = run_all(
        parse("threads:2"), squares, ([n] for n in range(6)), rate_limit=Pace(1, clock=time_.clock, sleep=sleep)
    )
    assert next(results) == [0]
    assert len(time_.slept) <= 1
    results.close()


# Processes


def test_what_travels_shows_no_text() -> None:
    """Workers log what they work on."""
    assert "alice" not in repr(parcel(b"", ["alice@example.com"], {}))


def test_processes_give_what_one_after_the_other_gives(work: ModuleType) -> None:
    """Three hundred samples through a real engine, in two processes."""
    function = functools.partial(work.judged, an_engine())
    here = list(run_all(None, function, chunked(samples(300), 40)))
    there = list(run_all(parse("processes:2"), function, chunked(samples(300), 40)))
    assert there == here
    assert sum(verdict == "block" for chunk in here for _, verdict in chunk) == 100


def test_a_worker_that_is_killed_loses_nothing(work: ModuleType, tmp_path: Path) -> None:
    """Its chunk, and those that waited with it, are judged again, once each and in order."""
    function = functools.partial(work.dying_once, str(tmp_path / "died"))
    results = list(run_all(parse("processes:2"), function, chunked(range(40), 3)))
    assert [square for chunk in results for square in chunk] == [n * n for n in range(40)]
    assert (tmp_path / "died").exists()


def test_samples_that_kill_their_worker_end_the_run(work: ModuleType) -> None:
    """After three times an error says how many samples it was; those before have their results."""
    results = run_all(parse("processes:2"), work.deadly, chunked(range(40), 3))
    assert [next(results), next(results)] == [[0, 1, 4], [9, 16, 25]]
    with pytest.raises(GuardrailsError, match=r"died 3 times while it judged the same 3 sample\(s\)"):
        next(results)


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("value", ValueError, "what came"),
        ("missing", MissingRecording, "what came"),
        ("status", GuardrailsError, "LassoStatusError: limited"),
    ],
)
def test_exceptions_come_back_from_processes(
    work: ModuleType, kind: str, error: type[BaseException], said: str
) -> None:
    """An exception is raised as it was, or in words if it cannot travel; it is never taken for a dead worker."""
    with pytest.raises(error, match=said) as caught:
        list(run_all(parse("processes:1"), functools.partial(work.raising, kind), chunked(range(40), 3)))
    assert not isinstance(caught.value, LassoStatusError)


def test_a_guard_that_cannot_travel_is_refused() -> None:
    """The error says so before anything runs, and what to use instead."""
    lock: Any = threading.Lock()
    with pytest.raises(ConfigError, match=r"cannot go to another process \(.*lock.*\); use threads"):
        list(run_all(parse("processes:1"), functools.partial(squares, lock), [[1]]))


def test_an_interrupt_is_not_for_the_workers(work: ModuleType) -> None:
    """A terminal's Ctrl-C reaches every process; the one that runs pytest decides what becomes of it."""
    assert list(run_all(parse("processes:1"), work.interrupted, [[1], [2]])) == [[1], [2]]


def test_a_check_that_workers_cannot_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of a module that only this process has, such as a test file, is an error that says so."""
    module = ModuleType("only_here")
    exec("def judge(chunk): return chunk", module.__dict__)  # noqa: S102
    monkeypatch.setitem(sys.modules, "only_here", module)
    with pytest.raises(ConfigError, match=r"a worker cannot load the guard \(No module named 'only_here'\)"):
        list(run_all(parse("processes:1"), module.judge, [[1]]))


MAIN = """
import functools, sys
sys.path.insert(0, {folder!r})
import work_for_executors
from pytest_guardrails._executors import parse, run_all
if __name__ == "__main__":
    list(run_all(parse("processes:2"), functools.partial(work_for_executors.pids, {pids!r}), [[1], [2]]))
"""


def running(work: ModuleType, tmp_path: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Start an interpreter with two worker processes, one busy for a minute and one idle; return all when they are."""
    pids = tmp_path / "pids"
    pids.mkdir()
    script = tmp_path / "main.py"
    script.write_text(MAIN.format(folder=str(Path(str(work.__file__)).parent), pids=str(pids)))
    command = [sys.executable, str(script)]
    main = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)  # noqa: S603
    eventually(lambda: len(list(pids.iterdir())) == 2)
    return main, [int(path.name) for path in pids.iterdir()]


def is_alive(pid: int) -> bool:
    """True if a process is there and no zombie."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_run(work: ModuleType, tmp_path: Path, number: int) -> None:
    """Ctrl-C ends the run in the middle of a chunk, and a run that is killed leaves no process behind."""
    main, workers = running(work, tmp_path)
    if number == signal.SIGINT:
        os.killpg(main.pid, number)  # as a terminal does: to the workers, too
    else:
        main.send_signal(number)
    _, said = main.communicate(timeout=30)
    eventually(lambda: not any(map(is_alive, workers)))
    if number == signal.SIGINT:
        assert said.count(b"Traceback") == 1
        assert b"KeyboardInterrupt" in said
