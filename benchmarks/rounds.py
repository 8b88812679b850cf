"""The same tree through every contender, round after round: first capture, again unchanged, again with a few files changed,
restore, comparison, check. Contenders take turns within each phase, so that a neighbour's load falls on all of them alike.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from benchmarks.contenders import FIND, Contender
from benchmarks.process import CommandFailed, run

FIRST, AGAIN, CHANGED, RESTORE, COMPARE, CHECK = "first", "unchanged", "changed", "restore", "compare", "check"
BOTH = "restore and compare"
STORED, GROWN = "stored", "grown"

_REST_SECONDS = 6

Change = Callable[[int], None]
"""Makes the tree another, given the round's number."""

Figures = dict[str, dict[str, list[float]]]
"""By contender and figure: one number for each round."""


def processor(phase: str) -> str:
    """The figure of a phase's processor time: it suffers less from a busy machine than the time on the wall."""
    return f"{phase}, processor"


def peak(phase: str) -> str:
    """The figure of a phase's peak memory."""
    return f"{phase}, peak"


class Rounds:
    """Figures gathered over a tree that is ours to change."""

    def __init__(self, tree: str, work: str, contenders: Sequence[Contender], *, change: Change) -> None:
        self.figures: Figures = defaultdict(lambda: defaultdict(list))
        self._tree, self._work, self._change = tree, work, change
        self._contenders = list(contenders)
        self._failed: set[str] = set()

    def run(self, rounds: int, *, restore: bool = True, turn: int = 0) -> None:
        """All rounds; without ``restore`` only the first capture and the unchanged one."""
        for number in range(turn, turn + rounds):
            order = self._contenders[number % len(self._contenders) :] + self._contenders[: number % len(self._contenders)]
            for each in order:
                self._begin(each)
            self._phase(order, FIRST, "capture", "1")
            self._sizes(order, STORED)
            self._phase(order, AGAIN, "capture", "2", listing=True)
            if restore:
                self._change(number)
                self._phase(order, CHANGED, "capture", "3")
                self._sizes(order, GROWN)
                self._phase(order, RESTORE, "restore", "3")
                self._phase(order, COMPARE, "compare", "3")
                self._sum_up(order)
                self._phase(order, CHECK, "check", "3")
            for each in order:
                self._set_aside(each, number)

    def _phase(self, order: Sequence[Contender], phase: str, action: str, capture: str, *, listing: bool = False) -> None:
        if listing:
            self._measure(FIND, phase, FIND.capture, "")
        for each in order:
            command = getattr(each, action)
            if command and each.name not in self._failed and (each.incremental or phase != AGAIN):
                self._measure(each, phase, command, capture)

    def _measure(self, each: Contender, phase: str, command: str, capture: str) -> None:
        try:
            measured = run(self._fill(command, each, capture), environment=self._environment(each))
        except CommandFailed as error:
            print(f"{each.name}: {phase} failed and is left out: {error}")
            self._failed.add(each.name)
            return
        figures = self.figures[each.name]
        figures[phase].append(measured.wall_seconds)
        figures[processor(phase)].append(measured.processor_seconds)
        figures[peak(phase)].append(measured.peak_bytes)

    def _sum_up(self, order: Sequence[Contender]) -> None:
        for each in order:
            if each.compare and each.name not in self._failed:
                figures = self.figures[each.name]
                for kind in (str, processor):
                    figures[kind(BOTH)].append(figures[kind(RESTORE)][-1] + figures[kind(COMPARE)][-1])

    def _begin(self, each: Contender) -> None:
        run(self._fill(each.begin, each, ""), environment=self._environment(each))

    def _sizes(self, order: Sequence[Contender], figure: str) -> None:
        for each in order:
            if each.name not in self._failed:
                self.figures[each.name][figure].append(folder_bytes(self._store(each)))

    def _set_aside(self, each: Contender, number: int) -> None:
        """Removed only at the end of everything: some file systems create files slowly for minutes after many were removed."""
        for name in os.listdir(self._work):
            if name.startswith(os.path.basename(self._store(each))):
                os.rename(os.path.join(self._work, name), os.path.join(self._work, f"past-{number}-{name}"))

    def _store(self, each: Contender) -> str:
        return os.path.join(self._work, "store-" + each.name.split("+")[0])

    def _environment(self, each: Contender) -> dict[str, str]:
        return {name: value.format(store=self._store(each)) for name, value in each.environment.items()}

    def _fill(self, command: str, each: Contender, capture: str) -> str:
        store = self._store(each)
        return command.format(tree=self._tree, store=store, out=f"{store}.out", n=capture)


def let_rest(tree: str) -> None:
    """Read all of it once, so that nobody pays for a cold cache, and wait until the files just written count as old:
    a capture reads again whatever changed in the seconds before the last one."""
    os.sync()
    run(f"find {tree} -type f -exec cat {{}} + > /dev/null")
    time.sleep(_REST_SECONDS)


def remove(folder: str) -> None:
    """Remove a folder, whatever modes restoring has set in it."""
    run(f"chmod -R u+w {folder} 2> /dev/null || true; rm -rf {folder}")


def folder_bytes(folder: str) -> int:
    """Bytes of the files in a folder, as stored (not as the file system rounds them)."""
    return sum(os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names)


def count(folder: str) -> tuple[int, int]:
    """Files and bytes."""
    sizes = [os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names]
    return len(sizes), sum(sizes)


def change_files(tree: str, number: int, *, seed: int) -> None:
    """Append to some files, write over some bytes within others, move one, remove one, add one."""
    rng = random.Random(seed)
    files = sorted(os.path.join(at, name) for at, _, names in os.walk(tree) for name in names)
    files = [path for path in files if not os.path.islink(path) and os.path.getsize(path)]
    chosen = rng.sample(files, min(len(files), number))
    for path in chosen[2:] or chosen:
        with open(path, "r+b") as file:
            size = os.path.getsize(path)
            file.seek(size if rng.random() < 0.5 else rng.randrange(size))
            file.write(b"changed %d\n" % rng.getrandbits(64))
    if len(chosen) > 2:
        os.rename(chosen[0], f"{chosen[0]}.moved{seed}")
        shutil.copyfile(chosen[1], f"{chosen[1]}.added{seed}")
        os.unlink(chosen[1])
