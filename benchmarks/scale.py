"""Topics: the ends of the scale. Very many small files, and one very large sparse file: time and memory, beside a few peers."""

from __future__ import annotations

import os
from collections.abc import Sequence

from benchmarks import rounds, synthetic
from benchmarks.contenders import FIND, OURS, Contender
from benchmarks.rounds import Rounds
from benchmarks.table import mebibytes
from benchmarks.tree import print_figures

PEERS = ("tar+zstd", "borg", "restic")
"""Those that show the range; the others take long at this size and tell nothing new."""
CHANGED_FILES = 100


def measure_many(work: str, peers: Sequence[Contender], *, memory: str, repeats: int, number: int) -> None:
    """Very many small files, in memory where that is possible, so that the disk hides nothing."""
    peers = [peer for peer in peers if peer.name in PEERS]
    place = os.path.join(memory if os.path.isdir(memory) and os.access(memory, os.W_OK) else work, f"haulage-bench-{os.getpid()}")
    os.mkdir(place)
    try:
        tree = os.path.join(place, "tree")
        synthetic.small_files(tree, number)
        _, size = rounds.count(tree)
        rounds.let_rest(tree)
        print(f"### {number:,} small files, {mebibytes(size)}, in {os.path.dirname(place)}\n")
        measuring = Rounds(tree, place, [OURS, *peers], change=lambda number: rounds.change_files(tree, CHANGED_FILES, seed=number))
        measuring.run(repeats)
        print_figures(measuring.figures, peers)
    finally:
        rounds.remove(place)


def measure_unchanged(work: str, peers: Sequence[Contender], *, repeats: int, number: int) -> None:
    """Finding out that nothing changed, beside listing alone."""
    peers = [peer for peer in peers if peer.name in ("borg", "restic")]
    tree = os.path.join(work, "tree")
    synthetic.small_files(tree, number)
    rounds.let_rest(tree)
    print(f"### {number:,} small files of which none changed\n")
    measuring = Rounds(tree, work, [OURS, *peers], change=lambda _: None)
    measuring.run(repeats, restore=False)
    own = measuring.figures[OURS.name][rounds.processor(rounds.AGAIN)]
    listing = measuring.figures[FIND.name][rounds.processor(rounds.AGAIN)]
    print_figures(measuring.figures, peers, reading=False)
    print(f"Unchanged, processor time: {min(own) / min(listing):.1f} times that of find -printf (the least of each).\n")


def measure_large(work: str, peers: Sequence[Contender], *, repeats: int, size: int) -> None:
    """One very large sparse file."""
    peers = [peer for peer in peers if peer.name in PEERS]
    tree = os.path.join(work, "large")
    os.mkdir(tree)
    data = synthetic.sparse_file(os.path.join(tree, "disk.img"), size)
    rounds.let_rest(tree)
    print(f"### One sparse file of {size >> 30} GiB, {mebibytes(data)} of it random\n")
    measuring = Rounds(tree, work, [OURS, *peers], change=lambda number: rounds.change_files(tree, 1, seed=number))
    measuring.run(repeats)
    print_figures(measuring.figures, peers)
