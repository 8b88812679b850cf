"""Which files a transfer brings: what is new or changed against the version the place has, with the bytes of each that are not in
that file there. Reads manifests that are held here, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import msgspec

from haulage.base.errors import ConflictError, NotFoundError, UsageError
from haulage.base.ids import NO_VERSION, PackageId, Place, VersionNumber
from haulage.domain.reporting.moving.records import find_shown
from haulage.domain.transit import records
from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.diff import Change, ChangeKind, diff
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import shown
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId
from haulage.engine.database.transaction import Database


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """One path that differs. ``size``: of its content and streams in the version that comes; ``bytes_new``: of those, what the file
    there does not have. Other files there may have it all the same: then it does not cross the line either."""

    path: str
    change: str
    """``added``, ``changed``, ``removed``."""
    what: Sequence[str]
    streams: Sequence[str]
    size: int
    bytes_new: int


class FileList(msgspec.Struct, frozen=True, kw_only=True):
    """A page; ``cursor`` counts. ``base`` 0: the place has nothing of the package, or what it has is not held here."""

    package: PackageId
    place: Place
    version: VersionNumber
    base: VersionNumber
    files: int
    """In the version, all of them."""
    bytes: int
    items: Sequence[FileRow]
    cursor: str | None


def files_of(
    database: Database, store: ChunkStore, package: PackageId, where: Place, *, limit: int, cursor: str | None
) -> FileList:
    """What a transfer changes at its place, in path order. Raises NotFoundError ``not-assigned``, ConflictError
    ``version-not-held``, UsageError ``bad-cursor``."""
    if cursor is not None and not cursor.isdecimal():
        raise UsageError("bad-cursor", f"{cursor[:40]!r} is not a cursor of this list.", "Begin without one.")
    with database.reading() as tx:
        row = find_shown(tx, package, where)
        held = records.held_versions(tx, package)
    if row is None or row.wanted == NO_VERSION:
        raise NotFoundError(
            "not-assigned", f"{package} is not meant for {where}.", f"haulage package assign {package} --to {where}"
        )
    if row.wanted not in held:
        raise ConflictError(
            "version-not-held", f"The content of {package}:{row.wanted} is not held here yet.", "Ask the site it comes from."
        )
    base = row.present if row.present in held else NO_VERSION
    target = Manifest.open(ManifestId(held[row.wanted]), store.read)
    changes = diff(Manifest.open(ManifestId(held[base]), store.read), target) if base else _all_new(target)
    start = int(cursor or 0)
    some = list(itertools.islice(changes, start, start + limit + 1))
    return FileList(
        package=package,
        place=where,
        version=row.wanted,
        base=base,
        files=target.totals.files,
        bytes=target.totals.bytes_total,
        items=[_view(change, store.read) for change in some[:limit]],
        cursor=str(start + limit) if len(some) > limit else None,
    )


def _all_new(target: Manifest) -> Iterator[Change]:
    for entry in target.entries():
        yield Change(kind=ChangeKind.ADDED, path=entry.path, new=entry)


def _view(change: Change, read: Callable[[ChunkId], bytes]) -> FileRow:
    size = fresh = 0
    if change.new is not None:
        here = (
            set()
            if change.old is None
            else {chunk for content in change.old.contents() for _length, chunk in read_chunks(content, read)}
        )
        for content in change.new.contents():
            size += content.size
            fresh += sum([length for length, chunk in read_chunks(content, read) if chunk not in here])
    return FileRow(
        path=shown(change.path),
        change=change.kind.value,
        what=list(change.what),
        streams=[shown(name) for name in change.streams],
        size=size,
        bytes_new=fresh,
    )
