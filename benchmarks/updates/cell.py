"""One cell of the table: a tool on a pair, made, applied, compared with the new tree. Cells are kept as JSON, so that a run that
was cut goes on, and the table can be printed again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Making or applying."""

    wall_seconds: float
    processor_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a tool needed on a pair."""

    pair: str
    tool: str
    version: str
    """The first line the tool says of itself."""
    mark: str
    """Digest of that and of the commands: a kept cell counts only for the same."""
    tree_bytes: int
    """Of the new tree."""
    wire_bytes: int | None = None
    make: Step | None = None
    apply: Step | None = None
    failed: str = ""
    """Why there are no figures; empty when the result was compared byte for byte and is the new tree."""


class Cells:
    """A folder with one file for each cell."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        os.makedirs(folder, exist_ok=True)

    def find(self, pair: str, tool: str, mark: str) -> Cell | None:
        """A cell that was measured with this version of the tool."""
        with contextlib.suppress(FileNotFoundError), open(self._path(pair, tool, mark)) as file:
            return _cell(json.load(file))
        return None

    def keep(self, cell: Cell) -> None:
        """Write it, in place of an earlier one."""
        path = self._path(cell.pair, cell.tool, cell.mark)
        with open(f"{path}.part", "w") as file:
            json.dump(dataclasses.asdict(cell), file, indent=1)
        os.replace(f"{path}.part", path)

    def _path(self, pair: str, tool: str, mark: str) -> str:
        return os.path.join(self._folder, f"{pair},{tool.replace(' ', '_').replace(',', '')},{mark}.json")


def write_all(path: str, cells: list[Cell]) -> None:
    """All cells of a run in one file, as the table shows them."""
    with open(path, "w") as file:
        json.dump([dataclasses.asdict(cell) for cell in cells], file, indent=1)


def read_all(path: str) -> list[Cell]:
    """What ``write_all`` wrote."""
    with open(path) as file:
        return [_cell(found) for found in json.load(file)]


def _cell(found: dict[str, object]) -> Cell:
    steps = {name: Step(**value) for name in ("make", "apply") if isinstance(value := found[name], dict)}
    return Cell(**{**found, **steps})  # type: ignore[arg-type]
