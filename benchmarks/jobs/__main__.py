"""Prints tables of the job engine beside lease columns and DBOS, measured in one run: ``python -m benchmarks.jobs``."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile

from benchmarks.jobs.measure import measure
from benchmarks.rounds import remove


def main() -> None:
    """Parse, measure, clean up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="rounds in which all engines take turns (default 3)")
    parser.add_argument("--jobs", type=int, default=10_000, help="how many trivial jobs (default 10,000)")
    parser.add_argument("--idle-seconds", type=int, default=60, help="how long nothing is done (default 60)")
    parser.add_argument("--servers-only", action="store_true", help="only whole servers")
    given = parser.parse_args()
    print(f"Processors: {os.cpu_count()}; {platform.python_implementation()} {platform.python_version()}; ", end="")
    print(f"load before: {os.getloadavg()[0]:.1f}; medians, in brackets the median of the ratios to the first row.\n", flush=True)
    folder = tempfile.mkdtemp(prefix="haulage-jobs-")
    try:
        measure(folder, repeats=given.repeats, jobs=given.jobs, idle_seconds=given.idle_seconds, servers_only=given.servers_only)
    finally:
        remove(folder)


if __name__ == "__main__":
    main()
