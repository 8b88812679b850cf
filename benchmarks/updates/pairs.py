"""The pairs: which sources make the old tree and the new one, as ``pairs.tsv`` tells. Knows no registry and no tool."""

from __future__ import annotations

import csv
import enum
import os
from collections.abc import Sequence
from dataclasses import dataclass

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pairs.tsv")


class Kind(enum.Enum):
    """What becomes of the archives of a pair."""

    UNPACKED = "unpacked"
    """Their files, side by side as installed."""
    PACKED = "packed"
    """The archives themselves, as published."""
    MADE = "made"
    """No archive: made from the files of other pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One version of one package: ``scheme:name=version``, with the separator its registry uses (``==``, ``@`` or ``=``)."""

    scheme: str
    """wheel, winwheel (for Windows), sdist, npm, deb or image."""
    name: str
    version: str
    opened: bool = False
    """Written as ``:files`` at the end: unpacked even in a packed pair."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two versions of a package's content."""

    name: str
    kind: Kind
    old: Sequence[Source]
    new: Sequence[Source]
    note: str


def read_pairs(path: str = TABLE) -> list[Pair]:
    """All pairs in their order. Raises ValueError for a line that is none."""
    with open(path, newline="") as file:
        return [_pair(row) for row in csv.DictReader(file, delimiter="\t")]


def _pair(row: dict[str, str]) -> Pair:
    old, new = (tuple(_source(text) for text in row[which].split()) for which in ("old", "new"))
    return Pair(name=row["pair"], kind=Kind(row["kind"]), old=old, new=new, note=row["note"])


def _source(text: str) -> Source:
    scheme, colon, rest = text.partition(":")
    if not colon:
        raise ValueError(f"{text}: a source begins with the name of its registry")
    opened = rest.endswith(":files")
    rest = rest.removesuffix(":files")
    separator = {"npm": "@", "deb": "="}.get(scheme, "==")
    name, _, version = rest.rpartition(separator)
    return Source(scheme=scheme, name=name or scheme, version=version, opened=opened)
