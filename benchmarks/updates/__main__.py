"""What an update costs with each tool: ``python -m benchmarks.updates``. Prints one table over all pairs and tools."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Sequence

from benchmarks.rounds import remove
from benchmarks.updates.build_tools import build_tools
from benchmarks.updates.cell import read_all
from benchmarks.updates.fetch import NotFetched
from benchmarks.updates.ours import LEVELS, ours
from benchmarks.updates.pairs import Pair, read_pairs
from benchmarks.updates.peer import Peer
from benchmarks.updates.peers import HDIFFZ, PEERS
from benchmarks.updates.quick import quick_pairs
from benchmarks.updates.report import report
from benchmarks.updates.run import Run

_REST_SECONDS = 40


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, lay out, measure, print."""
    given = _arguments(arguments)
    if given.show:
        report(read_all(given.show), read_pairs())
        return
    folder = tempfile.mkdtemp(prefix="haulage-updates-", dir=given.work)
    try:
        succeeded = _run(given, folder)
    finally:
        remove(folder)
    if not succeeded:
        raise SystemExit("An update of Haulage failed: see above.")


def _run(given: argparse.Namespace, folder: str) -> bool:
    """Whether everything of Haulage gave the new tree. That a peer fails is its own affair."""
    corpus = os.path.abspath(given.corpus or f"{folder}/corpus")
    pairs = quick_pairs(corpus) if given.quick else read_pairs()
    pairs = [pair for pair in pairs if not given.pairs or pair.name in given.pairs]
    tools = _tools(given, corpus)
    _introduce(pairs, tools)
    work = os.path.join(folder, "work")
    os.mkdir(work)
    results = given.results or f"{folder}/results"
    os.makedirs(results, exist_ok=True)
    rest = 0 if given.quick else _REST_SECONDS
    run = Run(corpus=corpus, results=results, work=work, fresh=given.fresh, limit_seconds=given.limit, rest_seconds=rest)
    cells = run.over(pairs, tools)
    report(cells, pairs)
    return not any(cell.failed for cell in cells if cell.tool in {ours(level).name for level in LEVELS})


def _tools(given: argparse.Namespace, corpus: str) -> list[Peer]:
    """Haulage at every level and the peers that are here; the others are named where nobody can overlook it."""
    tools = os.path.join(corpus, ".tools")
    wanted = [peer for peer in (*(ours(level) for level in given.levels), *PEERS) if not given.tools or peer.name in given.tools]
    if not given.quick and any(peer.name in HDIFFZ for peer in wanted):
        try:
            build_tools(tools, os.path.join(corpus, "fetched"))
        except NotFetched as error:
            print(f"!!! {error}", flush=True)
    for peer in wanted:
        if lacking := peer.lacking(tools):
            print(f"!!! NOT MEASURED: {peer.name} (it needs {', '.join(lacking)}).", flush=True)
    return [peer for peer in wanted if not peer.lacking(tools)]


def _introduce(pairs: Sequence[Pair], tools: Sequence[Peer]) -> None:
    print(f"Processors: {os.cpu_count()}; {platform.python_implementation()} {platform.python_version()}; ", end="")
    print(f"load before: {os.getloadavg()[0]:.1f}; {len(pairs)} pairs, {len(tools)} tools; files come from the page cache.")
    print("Every result is compared byte for byte with the new tree; one that is not the same is a failure.\n")
    for peer in tools:
        print(f"- {peer.name}: {peer.note or 'as it comes'}")
    print(flush=True)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.updates", description=__doc__)
    parser.add_argument("--corpus", help="where fetched packages and their trees are kept (default: fetched for this run)")
    parser.add_argument("--pairs", nargs="*", help="only these pairs of pairs.tsv, by name")
    parser.add_argument("--tools", nargs="*", help="only these tools, by name")
    parser.add_argument("--levels", nargs="*", default=LEVELS, choices=LEVELS, help="of Haulage")
    parser.add_argument("--results", help="keep figures here: a run that was cut goes on, and one can be shown again")
    parser.add_argument("--fresh", action="store_true", help="measure all anew, in one go, whatever is kept")
    parser.add_argument("--quick", action="store_true", help="three small made pairs instead: shows that everything works")
    parser.add_argument("--limit", type=float, default=3600, help="seconds that one step of one tool may take (default 3600)")
    parser.add_argument("--work", help="where trees and stores stand while measuring (default: the system's temporary folder)")
    parser.add_argument("--show", metavar="RUN.json", help="print the tables of a kept run, measure nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
