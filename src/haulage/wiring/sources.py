"""Opening what packages are captured from: which kinds of trees there are, and the refusal of whatever overlaps a place Haulage
writes to (Q263376, B20)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from haulage.base.errors import NotAllowedError, NotFoundError
from haulage.base.ids import SiteCode
from haulage.base.settings import CaptureSettings
from haulage.domain.estate import records as estate
from haulage.engine.content.capture_rules import CaptureRules, WarningKind
from haulage.engine.content.chunker import WHOLE_BYTES
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.model import ChunkId
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.model import ReadPolicy, TreeReader
from haulage.engine.trees.ntfs_reader import NtfsReader
from haulage.engine.trees.overlap import refuse_overlap
from haulage.engine.trees.source import SourceFactory, SourceKind, SourceSpec, open_source, parse_source

FOLDER = "folder:"


def _folder(spec: SourceSpec, policy: ReadPolicy) -> TreeReader:
    return LocalReader(spec.path, policy)


def _image(spec: SourceSpec, policy: ReadPolicy) -> TreeReader:
    return NtfsReader(spec.path, spec.inside, policy)


FACTORIES: dict[SourceKind, SourceFactory] = {SourceKind.FOLDER: _folder, SourceKind.NTFS_IMAGE: _image}


def capture_rules(settings: CaptureSettings, keys: str | os.PathLike[str]) -> CaptureRules:
    """The site's rules for captures; ``keys`` is the folder of its secrets, looked at before each capture."""
    refuse = frozenset(map(WarningKind, settings.refuse))
    return CaptureRules(max_bytes=settings.max_bytes, refuse=refuse, secrets=lambda: _secrets(keys))


def _secrets(keys: str | os.PathLike[str]) -> frozenset[ChunkId]:
    """Small files are one chunk, so a copy of a key is known by its chunk, whatever it is called."""
    found = set()
    for entry in os.scandir(keys):
        if entry.is_file(follow_symlinks=False) and 0 < entry.stat().st_size <= WHOLE_BYTES:
            with open(entry.path, "rb") as file:
                found.add(chunk_id(file.read()))
    return frozenset(found)


def refuse_unnamed(allowed: Sequence[str]) -> None:
    """Whoever may operate, and is not the one whose machine this is, would otherwise have any file of it read. Raises
    NotAllowedError ``source-not-allowed``."""
    if not allowed:
        raise NotAllowedError(
            "source-not-allowed",
            "Paths of this server may be named by its local administrator alone, for [capture] allowed names no folder.",
            "Name the folders sources may lie in there, or let whoever has keys/admin.token do it.",
        )


class LocalSources:
    """Implements :class:`~haulage.domain.catalog.publish.Sources`. ``written`` are the folders Haulage itself writes to."""

    def __init__(
        self, code: SiteCode, database: Database, written: list[tuple[str, str]], allowed: Sequence[str] = (), kept: str = ""
    ) -> None:
        """``kept`` is the folder in which this site keeps bundles: nobody writes there what is a package's source already."""
        self._code = code
        self._database = database
        self._written = written
        self._allowed = allowed
        self._kept = kept

    @contextlib.contextmanager
    def open(self, spec: str, policy: ReadPolicy) -> Iterator[TreeReader]:
        source = parse_source(spec)
        self._refuse_outside(source)
        with self._database.reading() as tx:
            self._refuse_overlap(tx, source)
        with contextlib.closing(open_source(spec, policy, FACTORIES)) as reader:
            yield reader

    def check(self, tx: Transaction, spec: str) -> None:
        """Whether a package may have this source: it is there and apart. Raises UsageError ``bad-source``, NotFoundError
        ``source-missing``, ConflictError ``source-overlaps``."""
        source = parse_source(spec)
        self._refuse_outside(source)
        there = os.path.isdir(source.path) if source.kind is SourceKind.FOLDER else os.path.isfile(source.path)
        if not there:
            raise NotFoundError(
                "source-missing", f"There is no {source.kind.value} {source.path} on the server.", "Mend the path, or mount it."
            )
        self._refuse_overlap(tx, source)

    def check_from_afar(self, tx: Transaction, spec: str) -> None:
        """The same for whoever is not the local administrator: of them every source is below a folder the settings name. Raises
        NotAllowedError ``source-not-allowed``, too."""
        refuse_unnamed(self._allowed)
        self.check(tx, spec)

    def _refuse_outside(self, source: SourceSpec) -> None:
        """Where the settings name folders for sources, links and dots do not lead out of them."""
        real = os.path.realpath(source.path)
        if self._is_kept(source):
            return
        tops = [os.path.realpath(top) for top in self._allowed]
        if tops and not any(os.path.commonpath([top, real]) == top for top in tops):
            raise NotAllowedError(
                "source-not-allowed",
                f"The source {source.path} lies outside the folders that [capture] allowed names.",
                f"Move it below one of them, or change the setting: {', '.join(self._allowed)}.",
            )

    def _is_kept(self, source: SourceSpec) -> bool:
        return bool(self._kept) and os.path.dirname(os.path.realpath(source.path)) == os.path.realpath(self._kept)

    def _refuse_overlap(self, tx: Transaction, source: SourceSpec) -> None:
        if self._is_kept(source):
            return
        points = [
            (f"point {point.place}", point.url.removeprefix(FOLDER))
            for point in estate.list_points(tx, self._code)
            if point.url.startswith(FOLDER)
        ]
        refuse_overlap(source.path, [*self._written, *points])
