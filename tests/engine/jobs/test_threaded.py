"""The engine of a server, under the shared suite and by itself: what its threads do when nothing is there, when a job hangs and
when it stops. Every wait here ends by an event; the patience only says when a test gives up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import TransferError
from haulage.engine.jobs.engine import Submission
from haulage.engine.jobs.threaded import ThreadedJobs
from tests.engine.jobs.suite import Bench, Suite

_PATIENCE_SECONDS = 60.0


class Threaded(Bench):
    """An engine with threads; a kind ``point`` besides, with 4 workers and 2 for one place."""

    def __init__(self) -> None:
        super().__init__()
        self.hold = threading.Event()
        """Jobs that hang go on when it is set."""
        self.engine = self.threaded = ThreadedJobs(SystemClock(), on_defect=self.on_defect)
        self.engine.register("work", self.function, 4)
        self.engine.register("other", self.function, 2)
        self.engine.register("point", self.function, 4, per_place=2)
        self.engine.start()

    def until(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            for _ in range(round(_PATIENCE_SECONDS * 20)):
                if condition():
                    return
                self.changed.wait(0.05)
        pytest.fail(f"never came true; ran so far: {self.ran}")

    def hang(self, argument: str) -> None:
        """An action: jobs with this in their argument do not end."""
        if "hang" in argument:
            with self.changed:
                self.changed.notify_all()
            self.hold.wait(_PATIENCE_SECONDS)


@pytest.fixture
def bench() -> Iterator[Threaded]:
    bench = Threaded()
    yield bench
    bench.hold.set()
    bench.engine.stop(_PATIENCE_SECONDS)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("haulage-job")]


class TestThreaded(Suite):
    @pytest.fixture
    def bench(self, bench: Threaded) -> Bench:
        return bench


def _waits(bench: Threaded) -> list[float | None]:
    """For how long the threads that have nothing to do would sleep; a look from inside."""
    with bench.threaded._changed:
        return [bench.threaded._queue.ahead_seconds()]


def test_nothing_wakes_a_thread_that_has_nothing_to_do(bench: Threaded) -> None:
    done = threading.Event()
    bench.action = lambda _argument: done.set()
    bench.engine.submit("work", "a", "a", partition="p")
    assert done.wait(_PATIENCE_SECONDS)
    assert _waits(bench) == [None], "they sleep until they are told"
    bench.action = bench.hang
    bench.engine.submit("work", "hang", "hang", partition="p")
    bench.engine.submit("work", "b", "b", partition="p")
    bench.until(lambda: bench.engine.running() == {"hang"})
    assert _waits(bench) == [None], "a job that waits for its partition is begun by the end of the other, not by looking again"
    bench.engine.submit("other", "never", "never", partition="p", delay_seconds=1e15)
    bench.engine.submit("other", "later", "later", partition="p", delay_seconds=3600)
    (ahead,) = _waits(bench)
    assert ahead is not None
    assert 3000 < ahead <= 3600


def test_f41_a_place_that_hangs_takes_no_more_than_its_share_of_the_workers(bench: Threaded) -> None:
    bench.action = bench.hang
    for number in range(8):
        bench.engine.submit("point", f"hang{number}", f"hang{number}", partition=f"P{number}@HQ1/mount", place="HQ1/mount")
    for number in range(8):
        bench.engine.submit("point", f"well{number}", f"well{number}", partition=f"P{number}@HQ1/well", place="HQ1/well")
    bench.until(lambda: len(bench.ran) == 8)
    assert sorted(bench.ran) == [f"well{number}" for number in range(8)]
    assert bench.engine.running() == {"hang0", "hang1"}
    bench.hold.set()
    bench.until(lambda: len(bench.ran) == 16)


def test_q317893_a_job_that_hangs_does_not_keep_the_engine_from_stopping(bench: Threaded) -> None:
    bench.action = bench.hang
    bench.engine.submit("work", "hang", "hang", partition="p")
    bench.engine.submit("work", "next", "next", partition="p")
    bench.until(lambda: bench.engine.running() == {"hang"})
    bench.engine.stop(0)
    assert bench.engine.running() == {"hang"}, "the process knows that it must cut it off"
    with pytest.raises(TransferError, match="not running"):
        bench.engine.submit("work", "late", "late", partition="p")
    bench.hold.set()
    bench.engine.stop(_PATIENCE_SECONDS)
    assert bench.ran == ["hang"], "what waited is not begun any more"
    bench.engine.stop(0)


def test_f62_not_even_a_defect_in_telling_of_a_defect_takes_a_worker_away(caplog: pytest.LogCaptureFixture) -> None:
    def tell(_job: str, _defect: BaseException) -> None:
        raise MemoryError

    ran: list[str] = []
    done = threading.Event()

    def work(argument: str) -> None:
        ran.append(argument)
        if argument == "last":
            done.set()
            return
        raise SystemExit(argument)

    engine = ThreadedJobs(SystemClock(), on_defect=tell)
    engine.register("work", work, 1)
    engine.start()
    with caplog.at_level(logging.CRITICAL, logger="haulage.jobs"):
        for name in ("a", "b", "last"):
            engine.submit("work", name, name, partition="p")
        assert done.wait(_PATIENCE_SECONDS)
    engine.stop(_PATIENCE_SECONDS)
    assert ran == ["a", "b", "last"]


def test_f62_a_process_that_may_have_no_more_threads_says_so_and_can_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    real = threading.Thread.start
    started: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    engine = ThreadedJobs(SystemClock())
    engine.register("work", lambda _argument: None, 4)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="new thread"):
            engine.start()
    engine.stop(_PATIENCE_SECONDS)
    assert [thread.is_alive() for thread in started] == [False, False]


def test_it_takes_nothing_before_it_starts_and_no_kind_after() -> None:
    engine = ThreadedJobs(SystemClock())
    engine.register("work", lambda _argument: None, 1)
    with pytest.raises(TransferError):
        engine.submit("work", "a", "a", partition="p")
    engine.start()
    with pytest.raises(RuntimeError):
        engine.register("more", lambda _argument: None, 1)
    assert engine.submit("work", "a", "a", partition="p") is Submission.ACCEPTED
    engine.stop(_PATIENCE_SECONDS)


def test_many_submitters_and_few_workers_lose_no_wake_up(bench: Threaded) -> None:
    """Each job is for its own partition or one of three; all of them end without anybody looking again."""

    def submit(one: int) -> None:
        for number in range(200):
            name = f"{one}-{number}"
            bench.engine.submit("work", name, name, partition=name if number % 2 else str(number % 3))

    threads = [threading.Thread(target=submit, args=(one,)) for one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.until(lambda: len(bench.ran) == 800)
    assert len(set(bench.ran)) == 800
