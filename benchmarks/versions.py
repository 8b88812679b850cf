"""Topic: two successive versions of published packages side by side in one tree: capture of the first, of the same again, of the
second; restore, comparison, check. Fetched by name and version, unpacked, and swapped by renaming so that no file looks new.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from benchmarks import rounds
from benchmarks.contenders import OURS, Contender
from benchmarks.packages import NotFetched, unpack
from benchmarks.rounds import Rounds
from benchmarks.table import mebibytes
from benchmarks.tree import print_figures

PAIRS = ("django:5.2.7:5.2.8", "sqlalchemy:2.0.40:2.0.41", "numpy:2.3.4:2.3.5", "botocore:1.40.60:1.40.61")


def measure(work: str, cache: str, peers: Sequence[Contender], pairs: Sequence[str], *, repeats: int) -> None:
    """Measure and print."""
    places = {which: os.path.join(work, which) for which in ("old", "new")}
    named = []
    for pair in pairs:
        name, *versions = pair.split(":")
        try:
            for which, version in zip(places, versions, strict=True):
                unpack(name, version, cache, os.path.join(places[which], name))
            named.append(f"{name} {versions[0]} then {versions[1]}")
        except NotFetched as error:
            print(f"LEFT OUT: {error}")
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
