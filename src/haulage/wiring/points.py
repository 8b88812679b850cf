"""Distribution points of this site: which kinds there are, and the refusal of folders that overlap anything of ours or of a
package's source (Q263376, B20)."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from haulage.base.errors import ConflictError, UsageError
from haulage.base.ids import SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point
from haulage.domain.points.backend import PointBackend
from haulage.domain.points.folder import FolderPoint
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.overlap import refuse_overlap
from haulage.engine.trees.source import parse_source
from haulage.wiring.sources import FOLDER


class LocalPoints:
    """Opens points, and takes new ones. ``home`` may hold points below its ``points`` folder only; ``written`` are the other
    folders Haulage writes to."""

    def __init__(self, code: SiteCode, database: Database, home: str, written: list[tuple[str, str]]) -> None:
        self._code = code
        self._database = database
        self._home = home
        self._written = written
        self._looking = threading.local()

    def open(self, point: Point) -> PointBackend:
        """The point's backend. Raises UsageError ``bad-point-url``."""
        if point.kind != "folder" or not point.url.startswith(FOLDER):
            raise UsageError(
                "bad-point-url", f"{point.url!r} is not a point this version can serve.", "Write folder:/ABSOLUTE/PATH."
            )
        return self._folder(point)

    def establish(self, tx: Transaction, point: Point) -> None:
        """Take the folder of a new point: apart from everything else, then marked. Raises ConflictError ``point-overlaps``."""
        self._check(tx, point)
        if not getattr(self._looking, "only", False):
            self._folder(point).establish()

    @contextlib.contextmanager
    def looking_only(self) -> Iterator[None]:
        """While it is open this thread checks new points and marks none."""
        self._looking.only = True
        try:
            yield
        finally:
            self._looking.only = False

    def _folder(self, point: Point) -> FolderPoint:
        root = point.url.removeprefix(FOLDER)
        return FolderPoint(root, point.place, open_reader=LocalReader, open_writer=LocalWriter)

    def refuse_target(self, target: str) -> None:
        """Refuse a folder to extract into that overlaps anything of ours. Raises ConflictError ``target-overlaps``."""
        with self._database.reading() as tx:
            self._refuse(tx, os.path.realpath(target), own=None, code="target-overlaps")

    def _check(self, tx: Transaction, point: Point) -> None:
        root = os.path.realpath(point.url.removeprefix(FOLDER))
        within = root.startswith(os.path.join(self._home, "points") + "/")
        self._refuse(tx, root, own=point, code="point-overlaps", home=not within)

    def _refuse(self, tx: Transaction, root: str, *, own: Point | None, code: str, home: bool = True) -> None:
        others = [
            (f"point {other.place}", other.url.removeprefix(FOLDER))
            for other in estate.list_points(tx, self._code)
            if (own is None or other.place != own.place) and other.url.startswith(FOLDER)
        ]
        sources = [(f"the source of {source.package}", parse_source(source.spec).path) for source in catalog.list_sources(tx)]
        homes = [("the home", self._home)] if home else []
        for label, path in (*homes, *self._written, *others, *sources):
            try:
                refuse_overlap(root, [(label, path)])
            except ConflictError:
                raise ConflictError(
                    code,
                    f"The folder {root} overlaps {label} {path}.",
                    f"Choose a folder apart from everything else (points may also lie below {self._home}/points).",
                ) from None
