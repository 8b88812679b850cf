"""Which ranges of new bytes are like which of old ones. Knows only numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haulage.engine.delta.columns import Ints
from haulage.engine.delta.numbers import np


@dataclass(frozen=True, slots=True, kw_only=True)
class Covers:
    """Where each old range stands in the new bytes, ascending and apart."""

    old: Ints
    new: Ints
    lengths: Ints

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, int]]) -> Covers:
        """From old offset, new offset and length of each."""
        columns = np.array(rows, np.int64).reshape(-1, 3)
        return cls(old=columns[:, 0].copy(), new=columns[:, 1].copy(), lengths=columns[:, 2].copy())

    def shifts(self, at: Ints) -> tuple[Ints, Ints]:
        """For new places: how much further they stand than in the old bytes, and where their cover ends (0: they are in none)."""
        if not len(self.new):
            return np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
        rows = np.searchsorted(self.new, at, side="right") - 1
        known = np.maximum(rows, 0)
        ends = np.where(rows >= 0, self.new[known] + self.lengths[known], 0)
        return self.new[known] - self.old[known], ends

    def uncovered(self, size: int) -> Iterator[tuple[int, int]]:
        """Beginnings and ends of what no cover holds, of ``size`` new bytes."""
        at = 0
        for start, length in zip(self.new.tolist(), self.lengths.tolist(), strict=True):
            if start > at:
                yield at, start
            at = start + length
        if size > at:
            yield at, size

    def draft(self, old: bytes, literals: bytes, size: int) -> bytearray:
        """The ``size`` new bytes as far as the covers and the literals know them."""
        data = bytearray(size)
        for source, start, length in zip(self.old.tolist(), self.new.tolist(), self.lengths.tolist(), strict=True):
            data[start : start + length] = old[source : source + length]
        at = 0
        for start, end in self.uncovered(size):
            data[start:end] = literals[at : at + end - start]
            at += end - start
        return data

    def literals(self, new: bytes) -> bytes:
        """The new bytes in no cover."""
        return b"".join([new[start:end] for start, end in self.uncovered(len(new))])
