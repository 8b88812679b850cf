"""Topic: a real tree. Capture, capture again, restore, compare, check: Haulage beside its peers."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Sequence

from benchmarks import rounds
from benchmarks.contenders import FIND, OURS, Contender
from benchmarks.process import run
from benchmarks.rounds import Figures, Rounds
from benchmarks.table import Format, cell, mebibytes, print_table, seconds

CHANGED_FILES = 20
WRITING: tuple[tuple[str, str, Format], ...] = (
    ("first capture", rounds.FIRST, seconds),
    ("processor", rounds.processor(rounds.FIRST), seconds),
    ("peak memory", rounds.peak(rounds.FIRST), mebibytes),
    ("unchanged", rounds.AGAIN, seconds),
    ("processor", rounds.processor(rounds.AGAIN), seconds),
    ("changed", rounds.CHANGED, seconds),
    ("processor", rounds.processor(rounds.CHANGED), seconds),
    ("stored, first", rounds.STORED, mebibytes),
    ("stored, with the changed", rounds.GROWN, mebibytes),
)
READING: tuple[tuple[str, str, Format], ...] = (
    ("restore", rounds.RESTORE, seconds),
    ("processor", rounds.processor(rounds.RESTORE), seconds),
    ("peak memory", rounds.peak(rounds.RESTORE), mebibytes),
    ("compare", rounds.COMPARE, seconds),
    ("processor", rounds.processor(rounds.COMPARE), seconds),
    ("restore and compare", rounds.BOTH, seconds),
    ("processor", rounds.processor(rounds.BOTH), seconds),
    ("check the store", rounds.CHECK, seconds),
)


def measure(work: str, peers: Sequence[Contender], *, folder: str | None, repeats: int) -> None:
    """Measure and print."""
    tree = os.path.join(work, "tree")
    os.mkdir(tree)
    for source in [folder] if folder else _libraries():
        run(f"cp -a {source} {tree}/")
    if not folder:
        run(f"rm -rf {tree}/python*/site-packages")  # the base interpreter's; whatever one machine happens to have there
    files, size = rounds.count(tree)
    print(f"### A real tree: {files:,} files, {mebibytes(size)}\n")
    rounds.let_rest(tree)
    print_figures(_measured(tree, work, peers, repeats), peers)


def _measured(tree: str, work: str, peers: Sequence[Contender], repeats: int) -> Figures:
    measuring = Rounds(tree, work, [OURS, *peers], change=lambda number: rounds.change_files(tree, CHANGED_FILES, seed=number))
    measuring.run(repeats)
    return measuring.figures


def print_figures(figures: Figures, peers: Sequence[Contender], *, reading: bool = True) -> None:
    """Both tables: what writing costs, what reading costs."""
    everyone = [OURS, *peers]
    print_table(["", *[title for title, _, _ in WRITING]], [_row(each, figures, WRITING) for each in [*everyone, FIND]])
    if reading:
        print_table(["", *[title for title, _, _ in READING]], [_row(each, figures, READING) for each in everyone])


def _row(each: Contender, figures: Figures, columns: Sequence[tuple[str, str, Format]]) -> list[str]:
    ours = figures[OURS.name]
    return [each.name, *[cell(figures[each.name][figure], ours[figure], show) for _, figure, show in columns]]


def _libraries() -> list[str]:
    """The standard library, and what is installed beside Haulage. They are two folders unless nothing is a virtual environment."""
    return sorted({sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")})
