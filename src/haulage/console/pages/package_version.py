"""A version of a package, folder by folder; two of them side by side; what was noticed while one was captured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.base.errors import ConflictError, UsageError
from haulage.console.frame.page import Page, Shown, Visit
from haulage.console.pages.package import asked_package
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package
from haulage.domain.catalog.views import version_view
from haulage.domain.reporting.packages.capture import CaptureView, capture_rows, capture_view
from haulage.domain.reporting.packages.contents import Cost, DiffView, FolderView, difference
from haulage.domain.reporting.packages.paths import path_of
from haulage.domain.reporting.packages.signing import Signature, signature_of
from haulage.domain.transit import records as transit
from haulage.engine.content.compare import MEANINGS, What
from haulage.engine.database.transaction import Transaction
from haulage.operations.desk import require_package
from haulage.server.api.package_report import offset, version_number
from haulage.server.core import SiteCore

View = dict[str, object]
ROWS = 200


class FilesQuery(msgspec.Struct, frozen=True, kw_only=True, rename={"folder": "in"}):
    """Where in the tree, or which name."""

    folder: str = ""
    q: str = ""
    after: str = ""


class LinesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of a capture's report."""

    kind: str = ""
    q: str = ""
    after: str = ""


class DiffQuery(msgspec.Struct, frozen=True, kw_only=True, rename={"old": "from", "new": "to", "folder": "in"}):
    """Which two versions, and what of them."""

    old: str = ""
    new: str = ""
    folder: str = ""
    kind: str = ""
    q: str = ""
    after: str = ""

    @property
    def kinds(self) -> frozenset[What]:
        """As they are compared. Raises UsageError ``bad-filter``."""
        if self.kind and self.kind not in list(What):
            raise UsageError("bad-filter", f"{self.kind[:40]!r} is no way paths differ.", f"One of {', '.join(What)}.")
        return frozenset({What(self.kind)}) if self.kind else frozenset()


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Which package and which versions there are of it."""

    id: str
    name: str
    version: int
    versions: Sequence[int]
    """Newest first."""
    held: Sequence[int]
    """Those whose content is here."""


class VersionPage(msgspec.Struct, frozen=True, kw_only=True):
    """A version: facts, and one folder of its tree. Without the tree ``absent`` says why."""

    head: Head
    version: View
    sha256: str
    signature: Signature
    noticed: int
    folder: FolderView | None
    absent: str


class CapturePage(msgspec.Struct, frozen=True, kw_only=True):
    """What was noticed while a version was captured."""

    head: Head
    number: int
    kind: str
    words: str
    capture: CaptureView


class DiffPage(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions side by side. Without two there is nothing to compare, and ``diff`` is null."""

    head: Head
    old: int
    new: int
    kind: str
    words: str
    kinds: Mapping[str, str]
    """What each kind of difference means."""
    diff: DiffView | None
    cost: Cost | None


def version_pages(core: SiteCore) -> tuple[Page, ...]:
    """The three pages."""
    looks = _Looks(core)
    return (
        Page(
            path="/packages/{id}/versions/{number}/capture",
            template="package_capture.html",
            show=looks.capture,
            query=LinesQuery,
            place="packages",
            rows=looks.lines,
        ),
        Page(
            path="/packages/{id}/versions/{number}",
            template="package_version.html",
            show=looks.show,
            query=FilesQuery,
            place="packages",
        ),
        Page(
            path="/packages/{id}/diff",
            template="package_diff.html",
            show=looks.compared,
            query=DiffQuery,
            place="packages",
            rows=looks.differences,
        ),
    )


class _Looks:
    """What each page shows."""

    def __init__(self, core: SiteCore) -> None:
        self._core = core

    def show(self, visit: Visit) -> Shown:
        asked: FilesQuery = visit.query
        number = version_number(visit.path["number"])
        with self._core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            version = catalog.find_version(tx, package.id, number)
            head, signature = _head(tx, package), signature_of(tx, package.id, number)
            capture = catalog.find_capture(tx, package.id, number)
        folder, absent = None, ""
        try:
            if asked.q:
                folder = self._core.contents.search(package.id, number, asked.q, after=path_of(asked.after), limit=ROWS)
            else:
                folder = self._core.contents.folder(
                    package.id, number, path_of(asked.folder), after=path_of(asked.after), limit=ROWS
                )
        except ConflictError as error:
            absent = error.message
        assert version is not None  # asked for above, where it is missing
        view = VersionPage(
            head=head,
            version=version_view(version),
            sha256=version.sha256,
            signature=signature,
            noticed=0 if capture is None else sum(capture.counts.values()),
            folder=folder,
            absent=absent,
        )
        return Shown(title=f"{package.id}:{number} {package.name}", view=view)

    def capture(self, visit: Visit) -> Shown:
        asked: LinesQuery = visit.query
        number = version_number(visit.path["number"])
        with self._core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            found = capture_view(tx, package.id, number, kind=asked.kind, words=asked.q, start=offset(asked.after), limit=ROWS)
            view = CapturePage(head=_head(tx, package), number=number, kind=asked.kind, words=asked.q, capture=found)
        return Shown(title=f"Capture of {package.id}:{number}", view=view)

    def lines(self, visit: Visit) -> Iterator[Mapping[str, object]]:
        asked: LinesQuery = visit.query
        number = version_number(visit.path["number"])
        with self._core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            return map(msgspec.structs.asdict, capture_rows(tx, package.id, number, kind=asked.kind, words=asked.q))

    def compared(self, visit: Visit) -> Shown:
        asked: DiffQuery = visit.query
        with self._core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            head = _head(tx, package)
        old, new = _chosen(asked, head)
        diff, cost = None, None
        if old and new and old != new:
            diff = self._core.contents.diff_view(
                package.id,
                old,
                new,
                path=path_of(asked.folder),
                kinds=asked.kinds,
                words=asked.q,
                start=offset(asked.after),
                limit=ROWS,
            )
            cost = self._core.contents.compared(package.id, old, new)[1]
        kinds = {what.value: MEANINGS[what] for what in What}
        view = DiffPage(head=head, old=old, new=new, kind=asked.kind, words=asked.q, kinds=kinds, diff=diff, cost=cost)
        return Shown(title=f"{package.id}: what differs", view=view)

    def differences(self, visit: Visit) -> Iterator[Mapping[str, object]]:
        asked: DiffQuery = visit.query
        with self._core.database.reading() as tx:
            package = require_package(tx, asked_package(visit))
            old, new = _chosen(asked, _head(tx, package))
        comparison, _cost = self._core.contents.compared(package.id, old, new)
        prefix = path_of(asked.folder)
        for row in comparison.chosen(asked.kinds, asked.q):
            if not prefix or row.path.startswith(prefix + b"/"):
                yield msgspec.structs.asdict(difference(row))


def _head(tx: Transaction, package: Package) -> Head:
    versions = [one.number for one in catalog.list_versions(tx, package.id)]
    held = set(transit.held_versions(tx, package.id))
    return Head(
        id=package.id,
        name=package.name,
        version=package.version,
        versions=versions,
        held=[number for number in versions if number in held],
    )


def _chosen(asked: DiffQuery, head: Head) -> tuple[int, int]:
    """The two versions an address means: the newest two that are here, unless it says which. Zero for one there is not."""
    new = version_number(asked.new) if asked.new else (head.held[0] if head.held else 0)
    older = [number for number in head.held if number < new]
    old = version_number(asked.old) if asked.old else (older[0] if older else 0)
    return old, new
