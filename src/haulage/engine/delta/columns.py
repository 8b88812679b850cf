"""Columns of whole numbers as bytes that compress well: all lowest bytes first, then all second ones. Knows no meaning."""

from __future__ import annotations

from typing import TypeAlias

from haulage.engine.delta.hdiff import bad_delta
from haulage.engine.delta.numbers import np, npt

Ints: TypeAlias = npt.NDArray[np.int64]
NUMBER_BYTES = 4


def write_column(numbers: Ints) -> bytes:
    """Numbers from -2^31 on and below 2^31; small ones of either sign are short where it counts."""
    folded = np.where(numbers < 0, -2 * numbers - 1, 2 * numbers).astype("<u4")
    return folded.view(np.uint8).reshape(-1, NUMBER_BYTES).T.tobytes()


def read_column(data: bytes) -> Ints:
    """What was written. Raises FormatError ``bad-delta`` when it ends within a number."""
    if len(data) % NUMBER_BYTES:
        raise bad_delta("a column ends within a number")
    planes = np.frombuffer(data, np.uint8).reshape(NUMBER_BYTES, -1).T
    folded = np.ascontiguousarray(planes).reshape(-1).view("<u4").astype(np.int64)
    return np.where(folded & 1, -(folded >> 1) - 1, folded >> 1)
