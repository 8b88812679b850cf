"""A part of the matrix: some packages by some sites. A cell is the worst of what a package is at a site itself and at its points;
what lies below a site stands in columns of its own, so that nothing is told twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber, site_of
from haulage.domain.estate import records as estate
from haulage.domain.reporting.matrix import records
from haulage.domain.reporting.matrix.records import Named, Stand, Wanted
from haulage.domain.reporting.records import site_outlines
from haulage.domain.reporting.standing import group_of
from haulage.engine.database.transaction import Transaction

LINES = 40
COLUMNS = 24
GROUPS = ("failed", "stuck", "late", "held", "report", "busy", "leaving", "present")
"""From worst to best."""
_RANK = {group: rank for rank, group in enumerate(GROUPS)}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which part."""

    q: str = ""
    """Words in the ids or names of packages."""
    below: str = ""
    """A site: it and everything below it."""
    show: str = ""
    """Only packages and sites that have something like this: problems, failed, stuck, late, held, report, busy."""
    package: str = ""
    """The line to begin with."""
    site: str = ""
    """The column to begin with."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A package at a site: the worst of it there, where that is, and at how many places it is meant to be."""

    group: str
    place: Place
    state: str
    reason: str
    places: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One package. A cell is None where the package is not meant to be."""

    package: PackageId
    name: str
    version: VersionNumber
    cells: Sequence[Cell | None]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One site; ``depth`` below the first of all."""

    code: SiteCode
    name: str
    depth: int


class MatrixView(msgspec.Struct, frozen=True, kw_only=True):
    """The part, how much there is, and where the parts beside it begin ("" where there is none)."""

    lines: Sequence[Line]
    columns: Sequence[Column]
    packages: int
    sites: int
    next_package: str = ""
    previous_package: str = ""
    next_site: str = ""
    previous_site: str = ""
    tops: Sequence[Column] = ()
    """Sites that have others below them."""


class Matrix:
    """The columns of a filter, read once; lines are read in parts."""

    def __init__(self, tx: Transaction, asked: Asked, now: dt.datetime) -> None:
        self._asked = asked
        self._now = now
        order = list(_in_order(tx))
        self.tops = [column for column, has_below in order if has_below]
        columns = [column for column, _has_below in order]
        within = None if asked.below not in {column.code for column in columns} else _subtree(columns, asked.below)
        show = asked.show if asked.show in records.SHOWS else ""
        self._wanted = Wanted(
            words=asked.q[:200], show=show, sites=None if within is None else [column.code for column in within], now=now
        )
        self.columns = columns if within is None else within
        if show:
            having = records.sites_with(tx, self._wanted)
            self.columns = [column for column in self.columns if column.code in having]

    def view(self, tx: Transaction) -> MatrixView:
        """The part the filter asks for."""
        begin = next((index for index, column in enumerate(self.columns) if column.code == self._asked.site), 0)
        shown = self.columns[begin : begin + COLUMNS]
        found = records.packages_from(tx, self._wanted, self._asked.package, LINES + 1)
        before = records.package_before(tx, self._wanted, self._asked.package, LINES) if self._asked.package else None
        return MatrixView(
            lines=self._lines(tx, found[:LINES], shown),
            columns=shown,
            packages=records.count_packages(tx, self._wanted),
            sites=len(self.columns),
            next_package=found[LINES].id if len(found) > LINES else "",
            previous_package=before or "",
            next_site=self.columns[begin + COLUMNS].code if begin + COLUMNS < len(self.columns) else "",
            previous_site=self.columns[max(0, begin - COLUMNS)].code if begin else "",
            tops=self.tops,
        )

    def lines_from(self, tx: Transaction, first: str, limit: int) -> tuple[Sequence[Line], str]:
        """So many lines with every column of the filter, and where to go on; "" at the end."""
        found = records.packages_from(tx, self._wanted, first, limit + 1)
        return self._lines(tx, found[:limit], self.columns), found[limit].id if len(found) > limit else ""

    def _lines(self, tx: Transaction, names: Sequence[Named], columns: Sequence[Column]) -> list[Line]:
        at: dict[tuple[PackageId, SiteCode], list[Stand]] = {}
        for stand in records.stands(tx, [one.id for one in names], [column.code for column in columns], self._now):
            at.setdefault((stand.package, site_of(stand.place)), []).append(stand)
        return [
            Line(
                package=one.id,
                name=one.name,
                version=VersionNumber(one.version or NO_VERSION),
                cells=[_cell(at.get((one.id, column.code))) for column in columns],
            )
            for one in names
        ]


def cells_of(line: Line, columns: Sequence[Column]) -> Mapping[str, str]:
    """The groups of a line by site, without those where the package is not meant to be."""
    return {column.code: cell.group for column, cell in zip(columns, line.cells, strict=True) if cell is not None}


def _cell(found: list[Stand] | None) -> Cell | None:
    if not found:
        return None
    group, worst = min(((_group(stand), stand) for stand in found), key=lambda pair: (_RANK[pair[0]], pair[1].place))
    return Cell(group=group, place=worst.place, state=worst.state, reason=worst.reason, places=len(found))


def _group(stand: Stand) -> str:
    if stand.reason == "report":
        return "report"
    group = group_of(stand.state, stand.reason)
    return "late" if stand.overdue and group == "busy" else group


def _in_order(tx: Transaction) -> Iterator[tuple[Column, bool]]:
    """Every site, each before those below it, and whether there are any."""
    names = {code: name for code, name, _parent, _status in site_outlines(tx)}
    tree = estate.hierarchy(tx)
    left = [] if tree.central is None else [(tree.central, 0)]
    while left:
        code, depth = left.pop()
        below = tree.children(code)
        yield Column(code=code, name=names.get(code, ""), depth=depth), bool(below)
        left += [(child, depth + 1) for child in reversed(below)]


def _subtree(columns: Sequence[Column], top: str) -> list[Column]:
    """A site and what follows it as long as it is deeper."""
    begin = next(index for index, column in enumerate(columns) if column.code == top)
    end = next((index for index in range(begin + 1, len(columns)) if columns[index].depth <= columns[begin].depth), len(columns))
    return list(columns[begin:end])
