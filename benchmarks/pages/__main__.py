"""Every page of the console and its JSON with a whole estate behind it: time on the server, in this process and over the socket.

    python -m benchmarks.pages --size big

Each address is asked some times to warm up, then N times, over the socket fewer times; p50, p95 and p99 of the time from the
request to the last byte, the bytes, and the statements sent to the database. Other work on the machine counts in; processor time
suffers least from it, and marked is what takes more than 100 ms of that in one of twenty.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Sequence

from benchmarks.pages.socket import Wire
from benchmarks.pages.visits import Visited, Visitor
from benchmarks.table import print_table
from haulage.base.memory import set_aside_what_is_loaded
from haulage.testing.estate.addresses import addresses
from haulage.testing.estate.making import make_estate
from haulage.testing.estate.opened import Estate
from haulage.testing.estate.size import SIZES
from haulage.wiring.home import load_home

AIM_MILLISECONDS = 100.0
HEAD = ("page", "p50", "p95", "p99", "processor p50", "processor p95", "over the socket, p50", "KiB", "statements", "")


def main() -> None:
    """Make or open the estate, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="big")
    parser.add_argument("--home", default="", help="a made estate; otherwise one is made and thrown away")
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--only", default="", help="addresses in which this stands")
    parser.add_argument("--no-json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = load_home(asked.home) if asked.home else make_estate(f"{folder}/home", SIZES[asked.size])
        with Estate(home) as estate:
            estate.service().core.librarian.run()
            set_aside_what_is_loaded()  # as a server does
            visitor = Visitor(estate.service())
            wire = Wire(estate, visitor.cookie)
            rows = list(_rows(visitor, wire, asked))
            visitor.close()
            wire.close()
    print_table(HEAD, rows)
    slow = [row for row in rows if row[-1]]
    print(f"{len(rows)} addresses, {len(slow)} over {AIM_MILLISECONDS:.0f} ms of processor time at p95")


def _rows(visitor: Visitor, wire: Wire, asked: argparse.Namespace) -> Iterator[Sequence[str]]:
    for page, target in addresses(visitor.pages):
        path, mark, query = target.partition("?")
        targets = [target] + ([f"{path}.json{mark}{query}"] if page.has_json and not asked.no_json else [])
        for one in targets:
            if asked.only in one:
                yield _row(visitor, wire, one, asked.times, asked.warm_up)


def _row(visitor: Visitor, wire: Wire, target: str, times: int, warm_up: int) -> Sequence[str]:
    for _ in range(warm_up):
        visitor.visit(target)
    seen: list[Visited] = [visitor.visit(target) for _ in range(times)]
    over = [wire.visit(target) for _ in range(max(5, times // 6))]
    parts = statistics.quantiles([one.seconds for one in seen], n=100, method="inclusive")
    used = statistics.quantiles([one.processor_seconds for one in seen], n=100, method="inclusive")
    bad = "" if all(one.status == 200 for one in seen) else f"status {seen[0].status}"
    slow = "SLOW" if used[94] * 1000 > AIM_MILLISECONDS else ""
    return (
        target,
        *(f"{parts[at - 1] * 1000:.1f}" for at in (50, 95, 99)),
        *(f"{used[at - 1] * 1000:.1f}" for at in (50, 95)),
        f"{statistics.median(over) * 1000:.1f}",
        f"{seen[-1].size_bytes / 1024:.1f}",
        str(seen[-1].questions),
        " ".join(word for word in (bad, slow) if word),
    )


if __name__ == "__main__":
    main()
