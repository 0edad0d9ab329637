"""Chunks judged by the workers of a real dask scheduler: the same result, and nothing lost with a worker."""

from __future__ import annotations

import functools
import importlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pytest_guardrails import Guardrail, Phase
from pytest_guardrails._errors import ConfigError, GuardrailsError, MissingRecording
from pytest_guardrails._executors import ExecutorSpec, chunked, parse, run_all
from pytest_guardrails._model import Sample
from pytest_guardrails.checks.wording import Contains
from pytest_guardrails.targets.embedded import Engine

pytest.importorskip("distributed", reason="the extra dask is not installed")

# What the workers run; a module of its own, since a worker imports it by its name.
WORKER = '''
import os, time
from pathlib import Path

from pytest_guardrails._errors import MissingRecording


def judged(engine, chunk):
    return [(sample.id, engine.run(sample.text).verdict.value) for sample in chunk]


def whose(chunk):
    time.sleep(0.02)
    return os.getpid()


def stuck_once(folder, chunk):
    """Stay at the number 7 for a minute, the first time, and say who does."""
    if 7 in chunk and not list(Path(folder).iterdir()):
        Path(folder, str(os.getpid())).touch()
        time.sleep(60)
    return [number * number for number in chunk]


def raising(chunk):
    raise MissingRecording("a text that is private")
'''


class Cluster:
    """A scheduler, and workers that stay dead when they are killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        eventually(lambda: file.exists() and bool(file.read_text()))
        self.address: str = json.loads(file.read_text())["address"]

    def start(self, kind: str, *args: str) -> subprocess.Popen[bytes]:
        """Start a dask process, whose log is a file."""
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *args, "--no-dashboard"]
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        with (self.folder / f"{kind}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                command, stdout=log, stderr=log, cwd=self.folder, env={**os.environ, "PYTHONPATH": path}
            )

    def with_workers(self, count: int) -> Cluster:
        """Return the cluster with as many living workers, at least."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < count:
            self.workers.append(self.start("worker", self.address, "--nthreads", "1", "--no-nanny"))
        return self

    @property
    def spec(self) -> ExecutorSpec:
        """The executor of this cluster."""
        return parse(f"dask:{self.address}")

    def logs(self) -> str:
        """Return what the workers logged."""
        return (self.folder / "worker.log").read_text(errors="replace")

    def stop(self) -> None:
        """End every process that was started here."""
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def eventually(true: Callable[[], bool]) -> None:
    """Wait for something to be true; half a minute is never needed."""
    for _ in range(1500):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler on a free port of this machine."""
    folder = tmp_path_factory.mktemp("dask")
    (folder / "work_for_dask.py").write_text(WORKER)
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def work(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that the workers import, too."""
    monkeypatch.syspath_prepend(str(cluster.folder))
    return importlib.import_module("work_for_dask")


def test_a_scheduler_without_workers(cluster: Cluster, work: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is missing, instead of waiting for ever."""
    monkeypatch.setattr("pytest_guardrails._executors._dask.WORKERS_S", 0.3)
    with pytest.raises(ConfigError, match=f"scheduler {cluster.address} has no workers: dask worker {cluster.address}"):
        list(run_all(cluster.spec, work.whose, [[1]]))


def test_two_workers_give_what_one_after_the_other_gives(cluster: Cluster, work: ModuleType) -> None:
    """Five hundred samples through a real engine."""
    engine = Engine([Guardrail("words", Phase.BEFORE_REQUEST, (Contains(words=("forbidden",), operator="none"),))])
    samples = [Sample("forbidden" if n % 3 == 0 else f"plain {n}", "benign", id=str(n)) for n in range(500)]
    function = functools.partial(work.judged, engine)
    here = list(run_all(None, function, chunked(samples, 20)))
    spec = cluster.with_workers(2).spec
    assert list(run_all(spec, function, chunked(samples, 20), packages=engine.version.packages)) == here
    assert sum(verdict == "block" for chunk in here for _, verdict in chunk) == 167


def test_the_work_is_shared(cluster: Cluster, work: ModuleType) -> None:
    """Both workers take part, and nobody else."""
    spec = cluster.with_workers(2).spec

    def are_two() -> bool:
        pids = set(run_all(spec, work.whose, ([n] for n in range(20))))
        assert pids <= {worker.pid for worker in cluster.workers}
        return len(pids) == 2

    eventually(are_two)  # the second worker may still be starting


def test_a_worker_that_is_killed_loses_nothing(cluster: Cluster, work: ModuleType, tmp_path: Path) -> None:
    """What it was at is judged by the other one: each result is there once, in order."""
    spec = cluster.with_workers(2).spec
    killed = []

    def kill() -> None:
        eventually(lambda: any(tmp_path.iterdir()))
        killed.append(int(next(tmp_path.iterdir()).name))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    results = list(run_all(spec, functools.partial(work.stuck_once, str(tmp_path)), chunked(range(300), 5)))
    killer.join()
    assert [square for chunk in results for square in chunk] == [n * n for n in range(300)]
    assert killed[0] in {worker.pid for worker in cluster.workers}


def test_exceptions_come_back_and_texts_stay_out_of_the_logs(cluster: Cluster, work: ModuleType) -> None:
    """What the function raises is raised here; the worker's log of it does not show the chunk."""
    spec = cluster.with_workers(2).spec
    with pytest.raises(MissingRecording, match="private"):
        list(run_all(spec, work.raising, [["alice@example.com"]]))
    eventually(lambda: "Compute Failed" in cluster.logs())
    assert "alice" not in cluster.logs()


def test_a_worker_with_other_packages_is_refused(cluster: Cluster, work: ModuleType) -> None:
    """A worker that could judge differently judges nothing."""
    spec = cluster.with_workers(1).spec
    with pytest.raises(ConfigError, match=r"a worker has pytest-guardrails \S+ and this run has 0\.0\.0"):
        list(run_all(spec, work.whose, [[1]], packages={"pytest-guardrails": "0.0.0"}))
    with pytest.raises(ConfigError, match=r"a worker has no-such-package none and this run has 1"):
        list(run_all(spec, work.whose, [[1]], packages={"no-such-package": "1"}))


def test_other_versions_are_logged_and_break_nothing(
    cluster: Cluster, work: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning of dask's about versions is for the log, also where every warning is an error."""
    from distributed import Client

    class Warning_(Client):  # type: ignore[misc]  # noqa: N801
        def __init__(self, *args: object, **kwargs: object) -> None:
            warnings.warn("Mismatched versions found", UserWarning, stacklevel=1)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr("distributed.Client", Warning_)
    with caplog.at_level(logging.WARNING, "pytest_guardrails"):
        assert list(run_all(cluster.with_workers(1).spec, work.whose, [[1]]))
    assert "dask: Mismatched versions found" in caplog.text


def test_a_scheduler_that_is_lost_ends_the_run(work: ModuleType, tmp_path: Path) -> None:
    """The error says so; the run does not wait for it to come back."""
    (tmp_path / "work_for_dask.py").write_text(WORKER)
    lost = Cluster(tmp_path)
    try:
        results = run_all(lost.with_workers(1).spec, work.whose, ([n] for n in range(100_000)))
        next(results)
        lost.scheduler.kill()
        with pytest.raises(GuardrailsError, match=f"connection to the dask scheduler {lost.address} was lost"):
            list(results)
    finally:
        lost.stop()


def test_nobody_answers() -> None:
    """A port where nothing listens is refused at once, with its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConfigError, match=rf"no dask scheduler answers at tcp://127\.0\.0\.1:{port}"):
        list(run_all(parse(f"dask:127.0.0.1:{port}"), len, [[1]]))


def test_something_else_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that never says a word is refused after some seconds."""
    monkeypatch.setattr("pytest_guardrails._executors._dask.CONNECT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ConfigError, match=r"is no dask scheduler that can be used: no word in"):
            list(run_all(parse(f"dask:127.0.0.1:{port}"), len, [[1]]))
