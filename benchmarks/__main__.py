"""Prints tables of ratios, Haulage beside its peers, measured in one run: ``python -m benchmarks [TOPIC ...]``.
What updates cost has a run of its own: ``python -m benchmarks.updates``.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Sequence

from benchmarks import scale, tree, versions
from benchmarks.contenders import OURS, PEERS, Contender
from benchmarks.rounds import remove

TOPICS = ("versions", "unchanged", "tree", "many", "large")
BY_DEFAULT = ("versions", "unchanged")


def main() -> None:
    """Parse, measure topic by topic, clean up."""
    given = _arguments()
    peers = [peer for peer in PEERS if peer.installed() and (not given.peers or peer.name in given.peers)]
    _introduce(peers)
    folder = tempfile.mkdtemp(prefix="haulage-bench-", dir=given.work)
    try:
        for topic in given.topics or BY_DEFAULT:
            work = os.path.join(folder, topic)
            os.mkdir(work)
            corpus = os.path.abspath(given.corpus or os.path.join(folder, "corpus"))
            if topic == "versions":
                versions.measure(work, corpus, peers, given.pairs or versions.PAIRS, repeats=given.repeats)
            elif topic == "unchanged":
                scale.measure_unchanged(work, peers, repeats=given.repeats, number=100_000)
            elif topic == "tree":
                tree.measure(work, peers, folder=given.folder, repeats=given.repeats)
            elif topic == "many":
                number = 1_000_000 if given.long else 200_000
                scale.measure_many(work, peers, memory=given.memory, repeats=given.repeats, number=number)
            else:
                scale.measure_large(work, peers, repeats=given.repeats, size=(20 if given.long else 4) << 30)
    finally:
        remove(folder)
    _name_absent(given.peers)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("topics", nargs="*", choices=[*TOPICS, []], help=f"by default {', '.join(BY_DEFAULT)}")
    parser.add_argument("--folder", help="tree: measure with this folder instead of Python's libraries")
    parser.add_argument("--repeats", type=int, default=2, help="rounds in which all contenders take turns (default 2)")
    parser.add_argument("--peers", nargs="*", help="only these peers, by name")
    parser.add_argument("--pairs", nargs="*", help=f"versions: pairs of updates/pairs.tsv (by default {', '.join(versions.PAIRS)})")
    parser.add_argument("--corpus", help="versions: keep fetched packages in this folder, as benchmarks.updates does")
    parser.add_argument("--memory", default="/dev/shm", help="many: a folder in memory for small files (default /dev/shm)")
    parser.add_argument(
        "--long", action="store_true", help="many, large: one million files and 20 GiB instead of 200,000 and 4 GiB"
    )
    parser.add_argument("--work", help="where trees and stores stand while measuring (default: the system's temporary folder)")
    return parser.parse_args()


def _name_absent(asked: Sequence[str] | None) -> list[str]:
    """Said before and after, and where it cannot be overlooked: a table without a peer proves nothing against it."""
    absent = [peer for peer in PEERS if not peer.installed() and (not asked or peer.name in asked)]
    for peer in absent:
        print(f"!!! NOT MEASURED: {peer.name} is not installed (it needs {', '.join(peer.needs)}).", flush=True)
    return [peer.name for peer in absent]


def _introduce(peers: Sequence[Contender]) -> None:
    absent = _name_absent(None)
    print(f"Processors: {os.cpu_count()}; {platform.python_implementation()} {platform.python_version()}; ", end="")
    print(f"load before: {os.getloadavg()[0]:.1f}; files come from the page cache.")
    print("Medians; in brackets the median over the rounds of the ratio to Haulage: above 1× the peer needs more.")
    if not absent:
        print("Every peer is installed.\n")
    for each in [OURS, *peers]:
        print(f"- {each.name}: {each.note or 'as it comes'}")
    print(flush=True)


if __name__ == "__main__":
    main()
