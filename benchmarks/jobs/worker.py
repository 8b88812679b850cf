"""One process with one engine, to be measured or killed: ``python -m benchmarks.jobs.worker ENGINE FOLDER WORKERS MODE [COUNT]``.
Writes one JSON object a line to standard output."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from benchmarks.jobs.duties import Site, look
from benchmarks.jobs.leases import Leases
from haulage.base.clock import SystemClock
from haulage.engine.jobs.engine import JobEngine

ENGINES = ("threads", "leases", "dbos")


def make_engine(name: str, folder: str) -> JobEngine:
    """The contender of that name; imports no other."""
    if name == "dbos":
        from benchmarks.jobs.dbos_engine import DurableJobs

        return DurableJobs(f"sqlite:///{folder}/jobs.db", SystemClock())
    from haulage.engine.jobs.threaded import ThreadedJobs

    return ThreadedJobs(SystemClock())


class Worker:
    """The process's site and what its jobs do."""

    def __init__(self, engine: str, folder: str, workers: int) -> None:
        self._begun = threading.Semaphore(0)
        self._done = threading.Semaphore(0)
        self._hang = False
        self._begin_times: list[float] = []
        looking = Leases(workers).claim if engine == "leases" else look
        self.site = Site(f"sqlite:///{folder}/site.db", make_engine(engine, folder), workers, self._work, looking)

    def _work(self, _number: int) -> None:
        self._begin_times.append(time.perf_counter())
        self._begun.release()
        if self._hang:
            threading.Event().wait()
        self._done.release()

    def trivial(self, count: int) -> dict[str, Any]:
        """So many duties become due in one transaction; until the end of each is written."""
        before, began = Usage(), time.perf_counter()
        self.site.add(count, due=True)
        self._finish(count)
        return {"wall": time.perf_counter() - began, **before.until_now()}

    def latency(self, count: int) -> dict[str, Any]:
        """One duty after another becomes due while nothing runs: from its commit to the beginning of its job."""
        self.site.add(count, due=False)
        before, waits = Usage(), []
        for number in range(count):
            self.site.arm(number)
            armed = time.perf_counter()
            self._begun.acquire()
            waits.append(max(0.0, self._begin_times[-1] - armed))
            self._finish(1)
        waits.sort()
        return {"p50": waits[count // 2], "p99": waits[count * 99 // 100], **before.until_now()}

    def idle(self, seconds: int) -> dict[str, Any]:
        """Nothing to do."""
        self.site.add(1, due=True)
        self._finish(1)
        before = Usage()
        time.sleep(seconds)
        return before.until_now()

    def hang(self, running: int) -> dict[str, Any]:
        """Eleven times as many duties as may run at once; none ends. To be killed."""
        self._hang = True
        self.site.add(11 * running, due=True)
        for _ in range(running):
            self._begun.acquire()
        time.sleep(1.0)  # so that the others are handed over and wait
        return {"running": len(self.site.engine.running())}

    def rest(self, _count: int) -> dict[str, Any]:
        """What the killed one left, to its end."""
        before, began = Usage(), time.perf_counter()
        while self.site.left():
            time.sleep(0.02)
        return {"wall": time.perf_counter() - began, "effects": self.site.effects(), **before.until_now()}

    def _finish(self, count: int) -> None:
        for _ in range(count):
            self._done.acquire()
        while self.site.left():
            time.sleep(0.001)


class Usage:
    """What this process used since."""

    def __init__(self) -> None:
        self._processor = time.process_time()
        self._io = _io()

    def until_now(self) -> dict[str, float]:
        """Processor seconds (all threads), bytes and calls that went to files."""
        io = _io()
        return {
            "processor": time.process_time() - self._processor,
            "written": io["write_bytes"] - self._io["write_bytes"],
            "writes": io["syscw"] - self._io["syscw"],
        }


def _io() -> dict[str, int]:
    with open("/proc/self/io", encoding="ascii") as file:
        return {name: int(value) for name, value in (line.split(": ") for line in file)}


def say(what: str, **facts: Any) -> None:
    """One line."""
    sys.stdout.write(json.dumps({"what": what, **facts}) + "\n")
    sys.stdout.flush()


def main(engine: str, folder: str, workers: str, mode: str, count: str = "0") -> None:
    """Start, say ready, do what the mode says, stop."""
    worker = Worker(engine, folder, int(workers))
    worker.site.start()
    say("ready", processor=time.process_time())
    say("result", **getattr(worker, mode)(int(count)))
    say("stopping")
    worker.site.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
