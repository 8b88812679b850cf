"""A process with a durable engine, to be killed. Arguments: the database's URL, then what to submit. Says on standard output what
its jobs do; a job named ``hang…`` never ends; the last character is
the partition; the process ends when its standard input does."""

from __future__ import annotations

import sys
import threading

from haulage.base.clock import SystemClock
from haulage.engine.jobs.durable import DurableJobs
from haulage.engine.jobs.engine import Submission

_hanging = threading.Event()


def say(line: str) -> None:
    """One write per line, so that the lines of threads do not mix."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def work(argument: str) -> None:
    say(f"begin {argument}")
    if argument.startswith("hang1"):
        _hanging.set()
    if argument.startswith("hang"):
        threading.Event().wait()
    say(f"end {argument}")


def main(url: str, *jobs: str) -> None:
    engine = DurableJobs(url, SystemClock(), poll_seconds=0.05)
    engine.register("work", work, 3)
    engine.start()
    for name in jobs:
        if name == "later1" and "hang1" in jobs:
            _hanging.wait()
            while engine.submit("work", "quick0", "quick0", partition="0") is not Submission.FINISHED:
                threading.Event().wait(0.01)  # that it ended is noted a moment after it did
        say(f"{engine.submit('work', name, name, partition=name[-1]).value} {name}")
    say("ready")
    sys.stdin.read()
    engine.stop(1)
    say("stopped")


if __name__ == "__main__":
    main(*sys.argv[1:])
