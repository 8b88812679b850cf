"""Topic: job engines. ``threads`` is what Haulage uses, ``leases`` the same with lease columns on the duties, ``dbos`` what it used
before. Each runs as a process of its own, in turns, so that a neighbour's load falls on all alike."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.jobs import weight
from benchmarks.jobs.worker import ENGINES
from benchmarks.table import cell, mebibytes, print_table, seconds

Figures = dict[str, dict[str, list[float]]]
"""By engine and figure: one number for each round."""

WORKERS = 4
MANY = 100
"""Workers of the process that is killed."""

_CLI = "import sys; from haulage.cli.main import main; sys.exit(main(sys.argv[1:]))"


def measure(work: str, *, repeats: int, jobs: int, idle_seconds: int, servers_only: bool) -> None:
    """All of it."""
    engines = [name for name in ENGINES if name != "dbos" or importlib.util.find_spec("dbos")]
    if "dbos" not in engines:
        print("dbos is not installed and is left out (pip install dbos==3.4.0).\n")
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for turn in range(repeats):
        order = engines[turn % len(engines) :] + engines[: turn % len(engines)]
        for step in () if servers_only else (_trivial, _latency, _idle, _recovery):
            for name in order:
                folder = os.path.join(work, f"{name}-{turn}-{step.__name__}")
                os.mkdir(folder)
                step(figures[name], name, folder, jobs, idle_seconds)
        for name in order:
            if name != "leases":  # it differs by columns, which a server has or has not
                _server(figures[name], name, os.path.join(work, f"home-{name}-{turn}"), idle_seconds)
    _print_weight(engines)
    _print(figures, engines, jobs)


class _Process:
    """A worker or a server."""

    def __init__(self, module: str, *arguments: str) -> None:
        self.began = time.perf_counter()
        self._child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.pid = self._child.pid

    def hear(self, what: str) -> dict[str, Any]:
        """A worker's next line, which says this."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended: {self._child.communicate()[1][-2000:]}")
        told: dict[str, Any] = json.loads(line)
        assert told["what"] == what, told
        return told

    def ready(self) -> float:
        """A server says it on standard error; seconds since it was started."""
        assert self._child.stderr is not None
        for line in self._child.stderr:
            if line.startswith("ready"):
                return time.perf_counter() - self.began
        raise RuntimeError("the server did not start")

    def processor(self) -> float:
        """Seconds so far, of all its threads."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Bytes resident."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()
        self._child.communicate()

    def end(self, number: int | None = None) -> float:
        """Wait for it, after a signal if one is given; seconds until it was gone."""
        began = time.perf_counter()
        if number is not None:
            self._child.send_signal(number)
        self._child.communicate()
        return time.perf_counter() - began


def _worker(name: str, folder: str, workers: int, mode: str, count: int) -> _Process:
    return _Process("benchmarks.jobs.worker", name, folder, str(workers), mode, str(count))


def _trivial(into: dict[str, list[float]], name: str, folder: str, jobs: int, _idle_seconds: int) -> None:
    process = _worker(name, folder, WORKERS, "trivial", jobs)
    into["start"].append(process.hear("ready")["processor"])
    told = process.hear("result")
    process.hear("stopping")
    into["stop"].append(process.end())
    into["trivial, wall"].append(told["wall"])
    into["trivial, processor"].append(told["processor"])
    into["written"].append(told["written"] / jobs)
    into["writes"].append(told["writes"] / jobs)


def _latency(into: dict[str, list[float]], name: str, folder: str, _jobs: int, _idle_seconds: int) -> None:
    process = _worker(name, folder, WORKERS, "latency", 300)
    process.hear("ready")
    told = process.hear("result")
    process.hear("stopping")
    process.end()
    into["p50"].append(told["p50"])
    into["p99"].append(told["p99"])


def _idle(into: dict[str, list[float]], name: str, folder: str, _jobs: int, idle_seconds: int) -> None:
    process = _worker(name, folder, WORKERS, "idle", idle_seconds)
    process.hear("ready")
    told = process.hear("result")
    process.hear("stopping")
    process.end()
    into["idle"].append(told["processor"] * 60 / idle_seconds)


def _recovery(into: dict[str, list[float]], name: str, folder: str, _jobs: int, _idle_seconds: int) -> None:
    killed = _worker(name, folder, MANY, "hang", MANY)
    killed.hear("ready")
    assert killed.hear("result")["running"] == MANY
    killed.kill()
    process = _worker(name, folder, WORKERS, "rest", 0)
    process.hear("ready")
    told = process.hear("result")
    into["recovery, wall"].append(time.perf_counter() - process.began)
    into["recovery, processor"].append(told["processor"])
    process.hear("stopping")
    process.end()
    if told["effects"] != {"1": 11 * MANY}:
        print(f"{name}: not every duty was done exactly once: {told['effects']}")


def _server(into: dict[str, list[float]], name: str, home: str, idle_seconds: int) -> None:
    port = 18440 + os.getpid() % 1000
    init = ["init", "--home", home, "--site", "HQ1", "--listen", f"127.0.0.1:{port}"]
    subprocess.run([sys.executable, "-c", _CLI, *init], check=True, capture_output=True)
    process = _Process("benchmarks.jobs.server", name, home)
    into["server, ready"].append(process.ready())
    into["server, start"].append(process.processor())
    time.sleep(10)  # until what a start has to do is done
    before = process.processor()
    time.sleep(idle_seconds)
    into["server, idle"].append((process.processor() - before) * 60 / idle_seconds)
    into["server, memory"].append(process.memory())
    into["server, stop"].append(process.end(signal.SIGTERM))


def _print_weight(engines: Sequence[str]) -> None:
    rows = []
    for name in engines:
        brought = weight.packages("dbos") if name == "dbos" else []
        size = mebibytes(weight.installed_bytes(brought)) if brought else "–"
        rows.append([name, str(weight.lines(weight.FILES[name])), str(len(brought)) if brought else "–", size])
    print_table(["", "lines of ours", "packages it brings", "their size"], rows)


def _milliseconds(value: float) -> str:
    return f"{value * 1000:.1f} ms"


def _print(figures: Figures, engines: Sequence[str], jobs: int) -> None:
    _table(
        figures,
        engines,
        {
            f"{jobs:,} jobs": ("trivial, wall", seconds),
            "processor": ("trivial, processor", seconds),
            "written a job": ("written", lambda value: f"{value / 1024:.1f} KiB"),
            "calls a job": ("writes", lambda value: f"{value:.1f}"),
            "due to begun, half": ("p50", _milliseconds),
            "99 of 100": ("p99", _milliseconds),
        },
    )
    _table(
        figures,
        engines,
        {
            "processor to start": ("start", seconds),
            "idle, a minute": ("idle", _milliseconds),
            "stop": ("stop", _milliseconds),
            "after SIGKILL: to all done": ("recovery, wall", seconds),
            "processor": ("recovery, processor", seconds),
        },
    )
    servers = [name for name in engines if name != "leases"]
    _table(
        figures,
        servers,
        {
            "`serve`: to ready": ("server, ready", seconds),
            "processor": ("server, start", seconds),
            "memory": ("server, memory", mebibytes),
            "idle, a minute": ("server, idle", _milliseconds),
            "SIGTERM to exit": ("server, stop", seconds),
        },
    )


def _table(figures: Figures, engines: Sequence[str], columns: dict[str, tuple[str, Callable[[float], str]]]) -> None:
    base = figures[engines[0]]
    rows = [[name, *(cell(figures[name][key], base[key], show) for key, show in columns.values())] for name in engines]
    print_table(["", *columns], rows)
