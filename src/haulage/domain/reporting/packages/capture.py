"""What was noticed while a version was captured, as people see it: counted by kind, listed by filter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import PackageId, VersionNumber
from haulage.base.text import shown
from haulage.domain.catalog import captured
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Capture
from haulage.domain.reporting.packages.paths import token, whole
from haulage.engine.database.transaction import Transaction


class KindCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of one kind; ``listed`` is less where there are more than are kept."""

    kind: str
    group: str
    """``dropped``, ``warned`` or ``foreign``."""
    meaning: str
    count: int
    listed: int


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was noticed."""

    kind: str
    path: str
    at: str
    detail: str


class CaptureView(msgspec.Struct, frozen=True, kw_only=True):
    """The report on one capture. Without one (``known`` false) the version was captured elsewhere, or before reports were kept."""

    known: bool
    of_version: int
    taken: str | None
    figures: dict[str, int]
    kinds: Sequence[KindCount]
    items: Sequence[LineView]
    cursor: str | None
    matched: int


def capture_view(
    tx: Transaction, package: PackageId, number: VersionNumber, *, kind: str = "", words: str = "", start: int = 0, limit: int = 200
) -> CaptureView:
    """Some of the lines a filter leaves."""
    found = catalog.find_capture(tx, package, number)
    if found is None:
        return CaptureView(known=False, of_version=0, taken=None, figures={}, kinds=(), items=(), cursor=None, matched=0)
    lines = captured.lines_of(found)
    matched = list(captured.chosen(lines, kind=kind, words=words))
    some = matched[start : start + limit]
    return CaptureView(
        known=True,
        of_version=found.of_version,
        taken=iso(found.taken),
        figures=found.figures,
        kinds=_kinds(found, lines),
        items=[_line(one) for one in some],
        cursor=str(start + limit) if start + limit < len(matched) else None,
        matched=len(matched),
    )


def capture_rows(
    tx: Transaction, package: PackageId, number: VersionNumber, *, kind: str = "", words: str = ""
) -> Iterator[LineView]:
    """All lines a filter leaves."""
    found = catalog.find_capture(tx, package, number)
    return iter(()) if found is None else map(_line, captured.chosen(captured.lines_of(found), kind=kind, words=words))


def _kinds(found: Capture, lines: Sequence[captured.Line]) -> list[KindCount]:
    listed = {kind: sum(1 for _one in some) for kind, some in itertools.groupby(lines, key=lambda line: line.kind)}
    return [
        KindCount(kind=kind, group=kind.partition(" ")[0], meaning=captured.meaning(kind), count=count, listed=listed.get(kind, 0))
        for kind, count in sorted(found.counts.items())
    ]


def _line(one: captured.Line) -> LineView:
    return LineView(kind=one.kind, path=whole(one.path), at=token(one.path), detail=shown(one.detail))
