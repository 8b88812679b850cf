"""What the figures of a run say as ratios: ours beside each peer, pair by pair, with medians. Knows how nothing was measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.updates.cell import Cell

Figure = Callable[[Cell], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """Ours divided by theirs, for each pair that both have a figure of."""

    of: dict[str, float]

    def __str__(self) -> str:
        if not self.of:
            return "–"
        least, most = min(self.of, key=self.of.__getitem__), max(self.of, key=self.of.__getitem__)
        middle = statistics.median(self.of.values())
        return f"median {middle:.3g} ({self.of[least]:.3g} {least} … {self.of[most]:.3g} {most}; {len(self.of)} pairs)"


def ratios(cells: Sequence[Cell], ours: str, theirs: Sequence[str], figure: Figure) -> Ratios:
    """Where several tools are theirs, the one with fewest bytes on the wire counts."""
    found: dict[str, float] = {}
    for pair in dict.fromkeys(cell.pair for cell in cells):
        own = [value for cell in _of(cells, pair, [ours]) if (value := figure(cell))]
        others = sorted(_of(cells, pair, theirs), key=lambda cell: cell.wire_bytes or 0)
        other = figure(others[0]) if others else None
        if own and other:
            found[pair] = own[0] / other
    return Ratios(of=found)


def _of(cells: Sequence[Cell], pair: str, tools: Sequence[str]) -> Iterator[Cell]:
    return (cell for cell in cells if cell.pair == pair and cell.tool in tools and not cell.failed)


def wire(cell: Cell) -> float | None:
    """Bytes on the wire."""
    return cell.wire_bytes


def making(cell: Cell) -> float | None:
    """Processor time to make."""
    return cell.make.processor_seconds if cell.make else None


def applying(cell: Cell) -> float | None:
    """Processor time to apply."""
    return cell.apply.processor_seconds if cell.apply else None


def making_wall(cell: Cell) -> float | None:
    """Time on the wall to make."""
    return cell.make.wall_seconds if cell.make else None


def applying_wall(cell: Cell) -> float | None:
    """Time on the wall to apply."""
    return cell.apply.wall_seconds if cell.apply else None
