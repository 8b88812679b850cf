"""What a fuzzing target is: bytes in; refused by a HaulageError, taken with every promise kept, or a finding. Knows no parser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from haulage.base.errors import HaulageError
from haulage.testing.fuzzing.mutation import Coding

SEALED = b"\x01"
"""First byte of an input whose digests or signatures are made afresh, so that what lies behind them is reached too."""
AS_IT_IS = b"\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser, or several that read the same document."""

    name: str
    reads: str
    """What it reads, for the table."""
    take: Callable[[bytes], None]
    """Parse one input. A HaulageError refuses it; anything else that is raised is a finding, a broken promise (``assert``) too."""
    seeds: Callable[[], Sequence[bytes]]
    """Inputs made from real documents."""
    runs: int = 10_000
    """Executions in ``make test``: about a second."""
    most_bytes: int = 4096
    """Longest input that is tried."""
    coding: Coding = Coding.BYTES
    """Of the document in each input, so that half of the mutations keep it well-formed."""
    skip: int = 0
    """Bytes of an input before its document."""


def both(documents: Sequence[bytes]) -> list[bytes]:
    """Each document as it is, and once more to be sealed afresh."""
    return [mark + document for document in documents for mark in (AS_IT_IS, SEALED)]


def opened(data: bytes) -> tuple[bool, bytes]:
    """Whether to seal, and the document."""
    return data[:1] == SEALED, data[1:]


T = TypeVar("T")


def promised(act: Callable[[], T]) -> T:
    """What must succeed once a document was taken: a refusal here is a finding."""
    try:
        return act()
    except HaulageError as error:
        raise AssertionError(f"taken, and then refused: {error}") from error
