"""The tables of a run: every pair with every tool, bytes side by side, and what they say about the aims. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.table import mebibytes, print_table, seconds
from benchmarks.updates import aims
from benchmarks.updates.cell import Cell, Step
from benchmarks.updates.ours import LEVELS, ours
from benchmarks.updates.pairs import Pair
from benchmarks.updates.peers import HDIFFZ, PEERS

_MEBIBYTE = 1 << 20


def report(cells: Sequence[Cell], pairs: Sequence[Pair]) -> None:
    """Print everything. A tool that failed is in the table with its reason below it."""
    notes = {pair.name: f"{pair.note}, {pair.kind.value}" for pair in pairs}
    measured = list(dict.fromkeys(cell.pair for cell in cells))
    _bytes(cells, measured)
    _everything(cells, measured, notes)
    _failures(cells)
    for level in LEVELS:
        if ours(level).name in {cell.tool for cell in cells}:
            _by_pair(cells, measured, ours(level).name)
    _aims(cells)


def _bytes(cells: Sequence[Cell], pairs: Sequence[str]) -> None:
    tools = list(dict.fromkeys(cell.tool for cell in cells))
    print("### Bytes on the wire, MB (10^6)\n")
    rows = []
    for pair in pairs:
        of = {cell.tool: cell for cell in cells if cell.pair == pair}
        size = next(iter(of.values())).tree_bytes
        rows.append([f"{pair} ({size / 1e6:,.0f})", *[_megabytes(of.get(tool)) for tool in tools]])
    print_table(["pair (MB of new tree)", *tools], rows)


def _megabytes(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    return "failed" if cell.wire_bytes is None else f"{cell.wire_bytes / 1e6:.3g}" if cell.wire_bytes < 1e9 else "all"


def _everything(cells: Sequence[Cell], pairs: Sequence[str], notes: dict[str, str]) -> None:
    print("### Time and memory: processor (wall), peak of the whole process tree\n")
    rows = []
    for pair in pairs:
        rows.append([f"**{pair}**: {notes.get(pair, '')}", *[""] * 6])
        for cell in cells:
            if cell.pair == pair:
                wire = "failed" if cell.wire_bytes is None else f"{cell.wire_bytes:,}"
                rows.append([cell.tool, wire, *_step(cell.make), *_step(cell.apply), "" if cell.failed else "yes"])
    print_table(["tool", "bytes", "make", "peak", "apply", "peak", "same bytes"], rows)


def _step(step: Step | None) -> list[str]:
    if step is None:
        return ["–", "–"]
    return [f"{seconds(step.processor_seconds)} ({seconds(step.wall_seconds)})", mebibytes(step.peak_bytes)]


def _failures(cells: Sequence[Cell]) -> None:
    for cell in cells:
        if cell.failed:
            print(f"!!! FAILED: {cell.tool} on {cell.pair}: {cell.failed}")
    print(flush=True)


def _by_pair(cells: Sequence[Cell], pairs: Sequence[str], own: str) -> None:
    """Every pair beside what the aims speak of."""
    yardstick = [PEERS[0].name]
    columns: list[tuple[str, Sequence[str], aims.Figure]] = [
        ("bytes: hdiffz", HDIFFZ, aims.wire),
        *[(f"bytes: {name}", [name], aims.wire) for name in ("rsync -z", "casync", "zchunk")],
        ("make, processor: hdiffz", HDIFFZ, aims.making),
        ("make, wall: hdiffz", HDIFFZ, aims.making_wall),
        ("apply, processor: tar", yardstick, aims.applying),
        ("apply, wall: tar", yardstick, aims.applying_wall),
    ]
    found = [aims.ratios(cells, own, theirs, figure).of for _, theirs, figure in columns]
    rows = [[pair, *[f"{ratios[pair]:.3g}" if pair in ratios else "–" for ratios in found]] for pair in pairs]
    print(f"### {own} divided by a peer, pair by pair; hdiffz by the best of its settings on the pair\n")
    print_table(["pair", *[title for title, _, _ in columns]], rows)


def _aims(cells: Sequence[Cell]) -> None:
    print("### Haulage divided by each peer; below 1 Haulage needs less\n")
    present = {cell.tool for cell in cells}
    rows = []
    for name in [ours(level).name for level in LEVELS]:
        if name not in present:
            continue
        for title, figure in (("bytes", aims.wire), ("make, processor", aims.making), ("apply, processor", aims.applying)):
            rows.append([name, title, "hdiffz, the best", str(aims.ratios(cells, name, HDIFFZ, figure))])
        for peer in PEERS:
            if peer.name in present and peer.name not in HDIFFZ and peer is not PEERS[0]:
                rows.append([name, "bytes", peer.name, str(aims.ratios(cells, name, [peer.name], aims.wire))])
        rows.append([name, "apply, processor", PEERS[0].name, str(aims.ratios(cells, name, [PEERS[0].name], aims.applying))])
        rows.append([name, "apply, wall", PEERS[0].name, str(aims.ratios(cells, name, [PEERS[0].name], aims.applying_wall))])
    print_table(["", "figure", "beside", "ratio"], rows)
    _speeds(cells)


def _speeds(cells: Sequence[Cell]) -> None:
    for level in LEVELS:
        own = [cell for cell in cells if cell.tool == ours(level).name and cell.make and cell.apply]
        if not own:
            continue
        slowest = min(own, key=lambda cell: cell.tree_bytes / (cell.make.processor_seconds if cell.make else 1))
        rate = slowest.tree_bytes / (slowest.make.processor_seconds if slowest.make else 1) / 1e6
        total = sum(cell.tree_bytes for cell in own) / sum(cell.make.processor_seconds for cell in own if cell.make) / 1e6
        make = max(cell.make.peak_bytes for cell in own if cell.make) / _MEBIBYTE
        apply = max(cell.apply.peak_bytes for cell in own if cell.apply) / _MEBIBYTE
        print(f"- {level}: {total:.0f} MB of new tree a processor second made (least {rate:.0f}, {slowest.pair}); ", end="")
        print(f"most memory {make:.0f} MiB to make, {apply:.0f} MiB to apply")
    print(flush=True)
