"""Topic: two successive versions of real packages side by side in one tree: capture of the first, of the same again, of the second;
restore, comparison, check. Fetched by name and version, unpacked, and swapped by renaming so that no file looks new.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from benchmarks import rounds
from benchmarks.contenders import OURS, Contender
from benchmarks.process import run
from benchmarks.rounds import Rounds
from benchmarks.table import mebibytes
from benchmarks.tree import print_figures
from benchmarks.updates.corpus import lay_out
from benchmarks.updates.fetch import NotFetched
from benchmarks.updates.pairs import read_pairs

PAIRS = ("pydata", "ansible", "npm", "lo", "kernel")
"""Of the update benchmark: libraries, many small files, scripts, an office, kernel modules; some 1.2 GB."""


def measure(work: str, corpus: str, peers: Sequence[Contender], pairs: Sequence[str], *, repeats: int) -> None:
    """Measure and print."""
    places = {which: os.path.join(work, which) for which in ("old", "new")}
    for place in places.values():
        os.mkdir(place)
    named = []
    for pair in read_pairs():
        if pair.name in pairs:
            try:
                folder = lay_out(pair, corpus)
            except NotFetched as error:
                print(f"LEFT OUT: {error}")
                continue
            for which, place in places.items():
                run(f"cp -a {folder}/{which} {place}/{pair.name}")
            named.append(f"{', '.join(map(str, pair.old))} and the next")
    if not named:
        return
    files, size = rounds.count(places["old"])
    print(f"### Two versions: {', '.join(named)}; {files:,} files, {mebibytes(size)}\n")
    for place in places.values():
        rounds.let_rest(place)
    tree = os.path.join(work, "tree")
    os.rename(places["old"], tree)

    def change(_number: int) -> None:
        os.rename(tree, places["old"])
        os.rename(places["new"], tree)

    def change_back() -> None:
        os.rename(tree, places["new"])
        os.rename(places["old"], tree)

    measuring = Rounds(tree, work, [OURS, *peers], change=change)
    for number in range(repeats):
        measuring.run(1, turn=number)
        change_back()
    print_figures(measuring.figures, peers)
