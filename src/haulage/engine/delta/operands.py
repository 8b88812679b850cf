"""Where machine code names other places, and what becomes of those names when code moves. *Pure*; both sides compute the same.

When a program is built again, most of what differs are the distances in its calls, jumps and data accesses: their targets moved.
All that name one target moved by as much, so a small table of targets and moves foretells them. Nothing here parses executables:
a wrong guess costs a byte, no truth. Knows only x86 and bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from haulage.engine.delta.numbers import np, npt

Ints: TypeAlias = npt.NDArray[np.int64]
Octets: TypeAlias = npt.NDArray[np.uint8]

FARTHEST = 1 << 27
"""Distances of 128 MiB and more are taken for something else."""
_WORD = 4
_SURE = 3
"""As many neighbouring targets have to move alike before the table says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """From which target on (a place in the old bytes; those before and behind them too) targets moved by how much."""

    targets: Ints
    """Ascending."""
    moves: Ints

    def at(self, targets: Ints, otherwise: Ints) -> Ints:
        """By how much each target moved; where the table begins later, ``otherwise``."""
        if not len(self.targets):
            return otherwise
        rows = np.searchsorted(self.targets, targets, side="right") - 1
        return np.where(rows >= 0, self.moves[np.maximum(rows, 0)], otherwise)


def operands(code: Octets) -> Ints:
    """Offsets of what may be distances in ``code``: 4 bytes each, ascending, none reaching into the next.

    They follow E8 and E9 (call, jump), 0F 80 to 0F 8F (conditional jumps) and every byte that could say "relative to here".
    """
    last = len(code) - _WORD
    if last < 2:
        return np.empty(0, np.int64)
    found = np.zeros(len(code), np.bool_)
    before = code[: last - 1]
    found[1:last] = ((before & 0xFE) == 0xE8) | ((before & 0xC7) == 0x05)
    found[2:last] |= (code[: last - 2] == 0x0F) & ((code[1 : last - 1] & 0xF0) == 0x80)
    at: Ints = np.flatnonzero(found)
    distances = words(code, at)
    at = at[(np.abs(distances) < FARTHEST) & (distances != 0)]
    apart = np.ones(len(at), np.bool_)
    apart[1:] = np.diff(at) >= _WORD
    kept: Ints = at[apart]
    return kept


def words(data: Octets, at: Ints) -> Ints:
    """The signed 4-byte numbers at these offsets."""
    signed: Ints = _everywhere(data)[at].astype(np.int64)
    return signed


def put_words(data: Octets, at: Ints, values: Ints) -> None:
    """Write 4-byte numbers; what is beyond 32 bits is lost."""
    _everywhere(data)[at] = values.astype("<i4")


def _everywhere(data: Octets) -> npt.NDArray[np.int32]:
    """The number that begins at each offset, over the same memory."""
    return np.ndarray(max(len(data) - _WORD + 1, 0), "<i4", data, strides=(1,))


def learn(targets: Ints, moves: Ints) -> Moves:
    """A table from what was seen: the move of each of these targets. A move counts where neighbours agree."""
    order = np.argsort(targets, kind="stable")
    targets, moves = targets[order], moves[order]
    if len(targets) < _SURE:
        return Moves(targets=targets[:0], moves=moves[:0])
    sure = np.flatnonzero((moves[:-2] == moves[1:-1]) & (moves[1:-1] == moves[2:]))
    sure = sure[np.abs(moves[sure]) < FARTHEST]
    new = np.ones(len(sure), np.bool_)
    new[1:] = moves[sure[1:]] != moves[sure[:-1]]
    return Moves(targets=targets[sure[new]], moves=moves[sure[new]])
