"""What is in a version, and what differs between two: by folder, by name, or all of it. Opens manifests, reads no content."""

from __future__ import annotations

import datetime as dt
import itertools
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import msgspec
from blake3 import blake3

from haulage.base.clock import iso
from haulage.base.errors import ConflictError, NotFoundError
from haulage.base.ids import PackageId, SiteCode, VersionNumber
from haulage.base.text import shown_bytes
from haulage.domain.catalog import records as catalog
from haulage.domain.reporting.packages.paths import Crumb, crumbs, name_of, token, whole
from haulage.domain.transit import records as transit
from haulage.domain.transit.levels import expected_wire
from haulage.engine.content.browse import Listed, children, named
from haulage.engine.content.compare import Comparison, Row, Sum, What, compare
from haulage.engine.content.content_list import chunk_count
from haulage.engine.content.diff import Change, diff
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ContentRef, ManifestEntry
from haulage.engine.content.model import ChunkStore, ManifestId
from haulage.engine.database.transaction import Database
from haulage.engine.delta.level import Level
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.trees.model import Dos, EntryType

MOST_DIFFERENCES = 200_000
"""More are not laid out as a tree; they are listed one by one."""
KEPT_COMPARISONS = 6
KEPT_FOLDERS = 40
_VALUE_BYTES = 200
_FLAGS = ((0x1, "read-only"), (0x2, "hidden"), (0x4, "system"), (0x20, "archive"))


class StreamView(msgspec.Struct, frozen=True, kw_only=True):
    """A named stream."""

    name: str
    size: int


class ValueView(msgspec.Struct, frozen=True, kw_only=True):
    """An extended attribute, or an access list by its dialect; a value that is long is told by its size."""

    name: str
    value: str
    size: int


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One name of a version. Sizes in bytes; ``at`` is its path for addresses."""

    name: str
    path: str
    at: str
    type: str
    size: int
    digest: str
    """BLAKE3 of the content where that is one chunk (up to 64 KiB), of its list of chunk digests otherwise."""
    chunks: int
    mode: str
    owner: str
    modified: str
    target: str
    same_as: str
    streams: Sequence[StreamView]
    attributes: Sequence[ValueView]
    acls: Sequence[ValueView]
    flags: Sequence[str]


class FolderView(msgspec.Struct, frozen=True, kw_only=True):
    """One folder of a version, or what a name was found as. ``cursor`` is where to go on."""

    at: str
    crumbs: Sequence[Crumb]
    words: str
    items: Sequence[EntryView]
    cursor: str | None


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What the newer version costs a site that holds the older one. Bytes."""

    bytes_total: int
    bytes_new: int
    bytes_wire: int
    how: str
    """``made``: the update is made, its size is exact; ``estimated``."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One path that differs."""

    name: str
    path: str
    at: str
    kind: str
    was: str
    type: str
    bytes_old: int
    bytes_new: int
    what: Sequence[str]
    streams: Sequence[str]


class FolderSum(msgspec.Struct, frozen=True, kw_only=True):
    """A folder in which something differs."""

    name: str
    path: str
    at: str
    counts: dict[str, int]
    bytes_added: int
    bytes_removed: int
    own: Difference | None
    """What differs of the folder itself."""


class DiffView(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions side by side, in one folder, or what a filter leaves of everything."""

    at: str
    crumbs: Sequence[Crumb]
    folders: Sequence[FolderSum]
    items: Sequence[Difference]
    cursor: str | None
    matched: int
    counts: dict[str, int]
    bytes_added: int
    bytes_removed: int


class Contents:
    """The trees of versions this site holds. Comparisons are kept, for versions never change. Any thread may use it."""

    def __init__(self, code: SiteCode, database: Database, store: ChunkStore) -> None:
        self._code = code
        self._database = database
        self._store = store
        self._lock = threading.Lock()
        self._folders: OrderedDict[tuple[ManifestId, bytes, bytes, int], Listed] = OrderedDict()
        """Looked into last: the top of a large tree takes a look at many pages."""
        self._kept: OrderedDict[tuple[ManifestId, ManifestId], tuple[Comparison, Cost]] = OrderedDict()

    def manifest(self, package: PackageId, number: int) -> Manifest:
        """The tree of a version. Raises NotFoundError ``no-such-version``, ConflictError ``version-not-held``."""
        with self._database.reading() as tx:
            version = catalog.find_version(tx, package, VersionNumber(number))
            held = transit.held_versions(tx, package)
        if version is None:
            hint = f"haulage package versions {package}"
            raise NotFoundError("no-such-version", f"Package {package} has no version {number} here.", hint)
        # After a rollback a newer version keeps the very same tree.
        if version.manifest not in held.values():
            sentence = f"The content of {package}:{number} is not held at {self._code}."
            raise ConflictError("version-not-held", sentence, "Ask a site that holds it.")
        return Manifest.open(ManifestId(version.manifest), self._store.read)

    def folder(self, package: PackageId, number: int, path: bytes, *, after: bytes = b"", limit: int = 200) -> FolderView:
        """One folder of a version. Raises NotFoundError ``no-such-folder``."""
        manifest = self.manifest(package, number)
        entry = manifest.lookup(path)
        if entry is None or entry.type is not EntryType.FOLDER:
            raise NotFoundError(
                "no-such-folder", f"{package}:{number} has no folder {whole(path)}.", "Start from the version's page."
            )
        found = self._inside(manifest, path, after, limit)
        entries = found.entries
        if not after and found.after is None:
            entries = sorted(entries, key=lambda one: (one.type is not EntryType.FOLDER, one.path))
        cursor = None if found.after is None else token(found.after)
        return FolderView(at=token(path), crumbs=crumbs(path), words="", items=[entry_view(one) for one in entries], cursor=cursor)

    def search(self, package: PackageId, number: int, words: str, *, after: bytes = b"", limit: int = 200) -> FolderView:
        """What a name is found as, everywhere in a version."""
        found = named(self.manifest(package, number), words, after=after, limit=limit)
        cursor = None if found.after is None else token(found.after)
        return FolderView(at="", crumbs=(), words=words, items=[entry_view(one) for one in found.entries], cursor=cursor)

    def compared(self, package: PackageId, old: int, new: int) -> tuple[Comparison, Cost]:
        """Everything that differs between two versions, and what the newer costs who holds the older. Raises ConflictError
        ``too-many-differences``."""
        before, after = self.manifest(package, old), self.manifest(package, new)
        with self._lock:
            known = self._kept.get((before.id, after.id))
            if known is not None:
                self._kept.move_to_end((before.id, after.id))
        if known is None:
            known = _laid_out(before, after, f"{package}:{old} and {package}:{new}"), self._cost(before, after)
            with self._lock:
                self._kept[before.id, after.id] = known
                while len(self._kept) > KEPT_COMPARISONS or (len(self._kept) > 1 and self._rows_kept() > MOST_DIFFERENCES):
                    self._kept.popitem(last=False)
        return known

    def changes(self, package: PackageId, old: int, new: int) -> Iterator[Change]:
        """The same one by one, nothing put together and nothing kept, however many they are."""
        return diff(self.manifest(package, old), self.manifest(package, new))

    def diff_view(
        self,
        package: PackageId,
        old: int,
        new: int,
        *,
        path: bytes = b"",
        kinds: frozenset[What] = frozenset(),
        words: str = "",
        start: int = 0,
        limit: int = 200,
    ) -> DiffView:
        """One folder of the comparison; with ``words`` what they leave of all of it."""
        comparison, _cost = self.compared(package, old, new)
        below = comparison.sums.get(path) or Sum()
        if words:
            found: list[bytes | Row] = list(comparison.chosen(kinds, words))
        else:
            found = comparison.folder(path, kinds)
            below_it = {one for one in found if isinstance(one, bytes)}
            # What differs of such a folder itself is told in the same line.
            found = [one for one in found if isinstance(one, bytes) or one.path not in below_it]
        shown = found[start : start + limit]
        return DiffView(
            at=token(path),
            crumbs=crumbs(path),
            folders=[_folder_sum(one, comparison, kinds) for one in shown if isinstance(one, bytes)],
            items=[difference(one) for one in shown if isinstance(one, Row)],
            cursor=str(start + limit) if start + limit < len(found) else None,
            matched=len(found),
            counts={what.value: below.counts[what] for what in What},
            bytes_added=below.bytes_added,
            bytes_removed=below.bytes_removed,
        )

    def _inside(self, manifest: Manifest, path: bytes, after: bytes, limit: int) -> Listed:
        key = (manifest.id, path, after, limit)
        with self._lock:
            known = self._folders.get(key)
        found = known or children(manifest, path, after=after, limit=limit)
        with self._lock:
            self._folders[key] = found
            self._folders.move_to_end(key)
            while len(self._folders) > KEPT_FOLDERS:
                self._folders.popitem(last=False)
        return found

    def _rows_kept(self) -> int:
        return sum(len(comparison.rows) for comparison, _cost in self._kept.values())

    def _cost(self, old: Manifest, new: Manifest) -> Cost:
        with self._database.reading() as tx:
            made = [one for one in transit.list_parcels(tx, bytes(new.id)) if one.bases == (old.id.hex(),)]
        bytes_new = NewChunks(new, [old]).bytes_new
        wire = min((one.size for one in made), default=None)
        return Cost(
            bytes_total=new.totals.bytes_total,
            bytes_new=bytes_new,
            bytes_wire=expected_wire(Level.SMALLEST, bytes_new, based=True) if wire is None else wire,
            how="estimated" if wire is None else "made",
        )


def _laid_out(before: Manifest, after: Manifest, which: str) -> Comparison:
    changes = list(itertools.islice(diff(before, after), MOST_DIFFERENCES + 1))
    if len(changes) > MOST_DIFFERENCES:
        raise ConflictError(
            "too-many-differences",
            f"Between {which} more than {MOST_DIFFERENCES} paths differ: too many to be laid out as a tree.",
            f"They are listed one by one: haulage package diff {which.replace(' and', '')} -o csv",
        )
    return compare(changes)


def entry_view(entry: ManifestEntry) -> EntryView:
    """One entry, for people and programs."""
    return EntryView(
        name=name_of(entry.path),
        path=whole(entry.path),
        at=token(entry.path),
        type="hard link" if entry.same_as is not None else entry.type.value,
        size=entry.content.size,
        digest=_digest(entry.content),
        chunks=chunk_count(entry.content),
        mode="" if entry.mode is None else stat.filemode(entry.mode)[1:],
        owner=_owner(entry),
        modified=_moment(entry.mtime_ns),
        target=shown_bytes(entry.target) if entry.target else "",
        same_as=whole(entry.same_as) if entry.same_as is not None else "",
        streams=[StreamView(name=shown_bytes(one.name), size=one.content.size) for one in entry.streams],
        attributes=[_value(shown_bytes(name), value) for name, value in entry.attributes],
        acls=[_value(dialect, value) for dialect, value in entry.acls],
        flags=_flags(entry.dos),
    )


def difference(row: Row) -> Difference:
    """One row of a comparison, for people and programs."""
    return Difference(
        name=name_of(row.path) or whole(row.path),
        path=whole(row.path),
        at=token(row.path),
        kind=row.what.value,
        was=whole(row.was) if row.was else "",
        type=row.type.value,
        bytes_old=row.old_bytes,
        bytes_new=row.new_bytes,
        what=row.facets,
        streams=[shown_bytes(name) for name in row.streams],
    )


def _folder_sum(path: bytes, comparison: Comparison, kinds: frozenset[What]) -> FolderSum:
    found, own = comparison.sums[path], comparison.row(path)
    counts = {what.value: found.counts[what] for what in What if found.counts[what] and (not kinds or what in kinds)}
    return FolderSum(
        name=name_of(path),
        path=whole(path),
        at=token(path),
        counts=counts,
        bytes_added=found.bytes_added,
        bytes_removed=found.bytes_removed,
        own=None if own is None else difference(own),
    )


def _digest(content: ContentRef) -> str:
    if not content.size:
        return ""
    if content.lists or chunk_count(content) != 1:
        return blake3(content.chunks + content.lists).hexdigest()
    return content.chunks[4:].hex()


def _owner(entry: ManifestEntry) -> str:
    if entry.owner is None:
        return ""
    return f"{entry.owner.user or entry.owner.uid}:{entry.owner.group or entry.owner.gid}"


def _moment(nanoseconds: int) -> str:
    try:
        return iso(dt.datetime.fromtimestamp(nanoseconds // 10**9, dt.UTC)) if nanoseconds else ""
    except (OverflowError, ValueError, OSError):
        return ""


def _value(name: str, value: bytes | ContentRef) -> ValueView:
    if isinstance(value, ContentRef):
        return ValueView(name=name, value="", size=value.size)
    return ValueView(name=name, value=shown_bytes(value[:_VALUE_BYTES]) if len(value) <= _VALUE_BYTES else "", size=len(value))


def _flags(dos: Dos | None) -> list[str]:
    return [] if dos is None else [word for bit, word in _FLAGS if dos.attributes & bit]
