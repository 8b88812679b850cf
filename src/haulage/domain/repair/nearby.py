"""Where at this very site the right bytes may lie outside of the store: its distribution points, and the source a version was
captured from. Nothing there is trusted; whoever reads compares ids."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

from haulage.base.errors import HaulageError
from haulage.base.ids import PackageId, SiteCode, VersionNumber
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.publish import Sources, read_policy
from haulage.domain.estate import records as estate
from haulage.domain.points.backend import PointBackend
from haulage.domain.points.duty import OpenPoint
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.model import ChunkId
from haulage.engine.database.transaction import Database
from haulage.engine.trees.model import TreeReader

PAGES = "manifest/"


class Nearby:
    """Points and sources of one site, as places to read from."""

    def __init__(self, code: SiteCode, *, database: Database, open_point: OpenPoint, sources: Sources) -> None:
        self._code = code
        self._database = database
        self._open_point = open_point
        self._sources = sources

    def trees(self, package: PackageId, version: VersionNumber) -> Iterator[tuple[str, AbstractContextManager[TreeReader]]]:
        """Points that hold that version, then the source of the package, which may have changed since."""
        for label, backend in self._points(package, version):
            yield label, contextlib.closing(backend.reader(package, version))
        with self._database.reading() as tx:
            source = catalog.find_source(tx, package)
        if source is not None:
            yield f"the source {source.spec}", self._sources.open(source.spec, read_policy(source))

    def pages(self, package: PackageId, version: VersionNumber, page: ChunkId) -> Iterator[tuple[str, bytes]]:
        """A page of that version's manifest as it lies beside the tree on points."""
        for label, backend in self._points(package, version):
            with contextlib.suppress(HaulageError, OSError):
                data = backend.document(package, version, PAGES + page.hex())
                if data is not None and chunk_id(data) == page:
                    yield label, data

    def _points(self, package: PackageId, version: VersionNumber) -> Iterator[tuple[str, PointBackend]]:
        with self._database.reading() as tx:
            points = list(estate.list_points(tx, self._code))
        for point in points:
            # A point that does not work is no help, and no reason not to ask the next one.
            with contextlib.suppress(HaulageError, OSError):
                backend = self._open_point(point)
                backend.probe()
                if version in backend.versions(package):
                    yield f"point {point.place}", backend
