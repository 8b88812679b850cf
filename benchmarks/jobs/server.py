"""``haulage serve`` with one of the engines: ``python -m benchmarks.jobs.server ENGINE HOME``."""

from __future__ import annotations

import sys
from typing import Any

from haulage.wiring import serving


def main(engine: str, home: str) -> None:
    """Serve until asked to stop."""
    if engine == "dbos":
        from benchmarks.jobs.dbos_engine import DurableJobs

        def make(clock: Any, *, on_defect: Any) -> Any:
            return DurableJobs(f"sqlite:///{home}/jobs.db", clock, on_defect=on_defect)

        vars(serving)["ThreadedJobs"] = make  # the one place that chooses an engine
    serving.serve(home)


if __name__ == "__main__":
    main(*sys.argv[1:])
