"""A run: pair after pair, every tool on it in turn, each cell kept as soon as it is measured."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import rounds
from benchmarks.process import run as command
from benchmarks.updates.cell import Cell, Cells, write_all
from benchmarks.updates.corpus import lay_out
from benchmarks.updates.fetch import NotFetched
from benchmarks.updates.measure import identify, measure
from benchmarks.updates.pairs import Pair
from benchmarks.updates.peer import Peer, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Where, and how far."""

    corpus: str
    results: str
    """A folder: kept cells, and ``run.json`` with all that this run shows."""
    work: str
    """Where tools work; a few times the size of the largest tree."""
    fresh: bool = False
    """Measure everything now instead of taking kept cells."""
    limit_seconds: float = 3600
    rest_seconds: float = 0
    """After the trees of a pair were removed, before the next: see ``measure``."""

    def over(self, pairs: Sequence[Pair], tools: Sequence[Peer]) -> list[Cell]:
        """All cells, in order. A pair that cannot be had is said and left out."""
        cells: list[Cell] = []
        for number, pair in enumerate(pairs):
            if number:
                time.sleep(self.rest_seconds)
            try:
                folder = os.path.join(self.corpus, pair.name)
                folder = folder if os.path.isdir(f"{folder}/new") else lay_out(pair, self.corpus)
            except NotFetched as error:
                print(f"!!! LEFT OUT: {pair.name}: {error}", flush=True)
                continue
            cells += self._pair(pair.name, folder, tools)
            write_all(os.path.join(self.results, "run.json"), cells)
        return cells

    def _pair(self, name: str, folder: str, tools: Sequence[Peer]) -> list[Cell]:
        kept = Cells(os.path.join(self.results, "cells"))
        shared = os.path.join(self.work, "shared")
        cells = []
        try:
            for peer in tools:
                place = self._place(folder, shared, peer)
                cell = identify(name, peer, place)
                found = None if self.fresh else kept.find(name, peer.name, cell.mark)
                if found is None or found.failed:
                    _prepare(place, peer)
                    found = measure(cell, peer, place, limit_seconds=self.limit_seconds)
                    kept.keep(found)
                _say(found)
                cells.append(found)
        finally:
            rounds.remove(shared)
            rounds.remove(os.path.join(self.work, "aside"))
        return cells

    def _place(self, folder: str, shared: str, peer: Peer) -> Place:
        short = peer.name.replace(" ", "-").replace(",", "")
        return Place(
            old=f"{folder}/old",
            new=f"{folder}/new",
            shared=shared,
            work=os.path.join(self.work, short),
            out=os.path.join(self.work, f"{short}.out"),
            aside=os.path.join(self.work, "aside"),
            tools=os.path.join(self.corpus, ".tools"),
        )


def _prepare(place: Place, peer: Peer) -> None:
    """Tars for those that know no folders; both trees read once, so that nobody pays for a cold cache."""
    os.makedirs(place.shared, exist_ok=True)
    for which in ("old", "new"):
        tar = os.path.join(place.shared, f"{which}.tar")
        if peer.tars and not os.path.exists(tar):
            command(f"tar -C {getattr(place, which)} --sort=name --owner=0 --group=0 --numeric-owner -cf {tar} .")
    command(f"find {place.old} {place.new} -type f -exec cat {{}} + > /dev/null")


def _say(cell: Cell) -> None:
    figure = cell.failed or f"{cell.wire_bytes:,} bytes"
    times = [f"{step.processor_seconds:.1f}" for step in (cell.make, cell.apply) if step]
    print(f"{cell.pair} {cell.tool}: {figure} {' + '.join(times)}", file=sys.stderr, flush=True)
