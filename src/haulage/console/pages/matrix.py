"""The matrix: packages by sites as a heat map, a part at a time; the whole of it as a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.console.frame.page import Page, Shown, Visit
from haulage.domain.reporting.matrix.window import GROUPS, Asked, Matrix, MatrixView, cells_of
from haulage.server.core import SiteCore

PATH = "/matrix"
SLICE = 40
"""Lines read at once for a spreadsheet."""


class MatrixPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the matrix, and the filter it came by."""

    query: Mapping[str, str]
    matrix: MatrixView
    groups: Sequence[str] = GROUPS


def matrix_pages(_core: SiteCore) -> tuple[Page, ...]:
    """One page."""
    return (Page(path=PATH, template="matrix.html", show=_show, query=Asked, place="matrix", live=True, rows=_rows),)


def _show(visit: Visit) -> Shown:
    asked: Asked = visit.query
    with visit.service.core.database.reading() as tx:
        view = Matrix(tx, asked, visit.service.clock.now()).view(tx)
    query = {name: value for name, value in msgspec.structs.asdict(asked).items() if value}
    return Shown(title="Matrix", view=MatrixPage(query=query, matrix=view))


def _rows(visit: Visit) -> Iterator[Mapping[str, object]]:
    """A line for each package, a column for each site; every slice in a transaction of its own."""
    core, now, first = visit.service.core, visit.service.clock.now(), ""
    with core.database.reading() as tx:
        matrix = Matrix(tx, visit.query, now)
    blank: dict[str, object] = {column.code: "" for column in matrix.columns}
    while True:
        with core.database.reading() as tx:
            lines, first = matrix.lines_from(tx, first, SLICE)
        for line in lines:
            yield {"id": line.package, "name": line.name, "version": line.version, **blank, **cells_of(line, matrix.columns)}
        if not first:
            return
