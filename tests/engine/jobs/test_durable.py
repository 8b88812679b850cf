"""The durable engine: the shared suite on SQLite and PostgreSQL with one launch each, and a process killed and started again."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import TransferError
from haulage.engine.jobs.durable import DurableJobs
from tests.engine.jobs import worker
from tests.engine.jobs.suite import Bench, Suite
from tests.peers import need
from tests.postgres import Cluster

_PATIENCE_SECONDS = 60


class Durable(Bench):
    """A DBOS on a database of its own."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.engine = DurableJobs(url, SystemClock(), poll_seconds=0.05, on_defect=self.on_defect)
        self.engine.register("work", self.function, 4)
        self.engine.register("other", self.function, 2)
        self.engine.start()

    def until(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            for _ in range(_PATIENCE_SECONDS * 20):
                if condition():
                    return
                self.changed.wait(0.05)
        pytest.fail(f"never came true; ran so far: {self.ran}")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def launched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Durable]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('jobs')}/jobs.db"
    else:
        need("postgresql")
        cluster: Cluster = request.getfixturevalue("postgres")
        url = cluster.fresh()
    bench = Durable(url)
    yield bench
    bench.engine.stop(0)
    with pytest.raises(TransferError, match="not running"):
        bench.engine.submit("work", "late", "late", partition="p")
    bench.engine.stop(0)


class TestDurable(Suite):
    @pytest.fixture
    def bench(self, launched: Durable) -> Bench:
        launched.reset()
        return launched

    def test_the_librarys_queues_wait_on_our_pulse(self, launched: Durable) -> None:
        engine = launched.engine
        assert isinstance(engine, DurableJobs)
        assert engine._pulse is not None, "it has no such thread any more; jobs begin at the next look only"


class Process:
    """A worker process."""

    def __init__(self, url: str, *jobs: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, worker.__file__, url, *jobs], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self._watchdog = threading.Timer(_PATIENCE_SECONDS, self._process.kill)
        self._watchdog.start()

    def until(self, *wanted: str) -> None:
        """Read its output until every wanted line was seen."""
        assert self._process.stdout is not None
        while not set(wanted) <= set(self.lines):
            line = self._process.stdout.readline()
            assert line, f"ended after {self.lines}"
            self.lines.append(line.strip())

    def kill(self) -> None:
        self._watchdog.cancel()
        self._process.kill()
        output, _ = self._process.communicate()
        self.lines += output.split("\n")

    def end(self) -> None:
        output, _ = self._process.communicate()
        self._watchdog.cancel()
        self.lines += output.split("\n")
        assert self._process.returncode == 0
        assert "stopped" in self.lines


def test_i12_killed_in_the_middle_goes_on_and_a_deleted_database_loses_only_history(tmp_path: pathlib.Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    first = Process(url, "quick0", "hang1", "hang2", "later1")
    first.until("end quick0", "begin hang1", "begin hang2", "accepted later1")
    first.kill()

    second = Process(url, "quick0", "hang1", "later1")
    second.until("begin hang1", "begin hang2", "finished quick0", "running hang1", "running later1", "ready")
    second.kill()
    assert not {"begin quick0", "begin later1"} & set(second.lines)

    for name in os.listdir(tmp_path):
        os.unlink(tmp_path / name)
    third = Process(url, "quick0", "later1")
    third.until("end quick0", "end later1")
    third.end()
    assert "begin hang1" not in third.lines
