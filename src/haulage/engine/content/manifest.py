"""Manifests: writing one from entries, and reading one page by page with every rule of the format held. Pages are chunks, the root
page's id is the tree's identity. Knows the store only as ``put`` and ``read``.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

import msgspec

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content import codec
from haulage.engine.content.content_list import Read, list_rows, read_chunks
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest_model import ManifestEntry, ManifestRef, PageRef, Totals
from haulage.engine.content.manifest_wire import Glance, check_path, decode_page
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, WriteSession
from haulage.engine.content.pages import Counter, KeptPage, OrderCheck, Page, cut_pages

KIND = "haulage-manifest"
FORMAT = 1
MAX_ROOT_BYTES = 4 * 1024 * 1024
"""Room for 40,000 pages: some forty million entries."""
_TOTALS = tuple(Totals.__dataclass_fields__)


def write_manifest(
    entries: Iterable[ManifestEntry | KeptPage], session: WriteSession, *, on_page: Callable[[Page], None] | None = None
) -> ManifestRef:
    """Write entries (in path order, root first) as pages into the store. The same entries give the same id anywhere (I23), whether
    they come one by one or in pages of an earlier manifest, which the session must be relying upon.

    Raises FormatError for entries that break the format. Memory: one page, and the list of pages.
    """
    counter = Counter()
    rows: list[codec.Value] = []
    for page in cut_pages(entries):
        if page.kept is None:
            session.put(page.id, page.data)
        counter.add_totals(page.totals)
        rows.append([bytes(page.id), page.first, page.entries])
        if on_page is not None:
            on_page(page)
    totals = counter.totals()
    root = codec.encode({"crit": [], "format": FORMAT, "kind": KIND, "pages": rows, "totals": asdict(totals)})
    if len(root) > MAX_ROOT_BYTES:
        raise FormatError("too-many-entries", f"A tree of {totals.entries} entries is too large.", "Split the package.")
    root_id = chunk_id(root)
    session.put(root_id, root)
    return ManifestRef(id=ManifestId(root_id), sha256=hashlib.sha256(root).digest(), root_bytes=len(root), totals=totals)


class _Shape(msgspec.Struct):
    pages: list[tuple[bytes, bytes, int]]
    totals: dict[str, int]


_SHAPE = msgspec.msgpack.Decoder(_Shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The root page of a manifest."""

    pages: tuple[PageRef, ...]
    totals: Totals


def parse_root(data: bytes) -> Root:
    """Read a root page strictly. Raises FormatError; ``format-too-new`` when a newer Haulage is needed (B37)."""
    value = codec.decode(data, max_bytes=MAX_ROOT_BYTES, what="manifest", shape=_SHAPE)
    fields = codec.document(value, kind=KIND, newest=FORMAT, critical=frozenset())
    sums = fields.get("totals")
    if not isinstance(sums, dict):
        raise codec.bad_field("manifest", "totals")
    totals = Totals(**{key: codec.take_int(sums, key, "manifest") for key in _TOTALS})
    pages = tuple([_page_ref(row) for row in codec.take_list(fields, "pages", "manifest")])
    if not pages or pages[0].first or any(a.first >= b.first for a, b in itertools.pairwise(pages)):
        raise FormatError("bad-order", "The pages of a manifest are missing or out of order.", codec.AGAIN)
    if sum(page.entries for page in pages) != totals.entries:
        raise FormatError("bad-totals", "The pages of a manifest do not add up to its totals.", codec.AGAIN)
    return Root(pages=pages, totals=totals)


def _page_ref(row: codec.Value) -> PageRef:
    match row:
        case [bytes() as chunk, bytes() as first, int() as entries] if len(chunk) == 32 and entries > 0 and entries is not True:
            check_path(first)
            return PageRef(id=ChunkId(chunk), first=first, entries=entries)
    raise codec.bad_field("manifest", "pages")


class Manifest:
    """A manifest being read. Pages are fetched as they are needed; every page is checked against the root and its neighbours."""

    def __init__(
        self, manifest_id: ManifestId, root: Root, read: Read, *, sha256: bytes, root_bytes: int, keep_entries: int = 0
    ) -> None:
        self.id = manifest_id
        self.root = root
        self.sha256 = sha256
        self.root_bytes = root_bytes
        self._read = read
        self._kept: OrderedDict[int, list[ManifestEntry]] = OrderedDict()
        self._room = keep_entries
        self._lock = threading.Lock()

    @classmethod
    def open(cls, manifest_id: ManifestId, read: Read, *, keep_entries: int = 0) -> Manifest:
        """Read the root page. ``read`` must return verified bytes; they are verified here again, for the identity hangs on them.
        ``keep_entries``: how many entries of the pages read last stay in memory, at about a kilobyte each, for who comes back."""
        data = read(ChunkId(manifest_id))
        if chunk_id(data) != ChunkId(manifest_id):
            raise IntegrityError("chunk-damaged", f"The root page of manifest {manifest_id.hex()} is damaged.", "Repair the store.")
        return cls(
            manifest_id,
            parse_root(data),
            read,
            sha256=hashlib.sha256(data).digest(),
            root_bytes=len(data),
            keep_entries=keep_entries,
        )

    @property
    def totals(self) -> Totals:
        """Counts as the root page states them."""
        return self.root.totals

    @property
    def ref(self) -> ManifestRef:
        """What ``write_manifest`` returned for it."""
        return ManifestRef(id=self.id, sha256=self.sha256, root_bytes=self.root_bytes, totals=self.totals)

    def pages(self) -> tuple[PageRef, ...]:
        """The pages in order."""
        return self.root.pages

    def page(self, index: int) -> list[ManifestEntry]:
        """The entries of one page, checked against what the root page says of it and of the next. Raises FormatError. Not to be
        changed: others may get the same list."""
        with self._lock:
            kept = self._kept.get(index)
            if kept is not None:
                self._kept.move_to_end(index)
                return kept
        entries = self._read_page(index)
        with self._lock:
            if index not in self._kept and len(entries) <= self._room + sum(map(len, self._kept.values())):
                self._room -= len(entries)
                self._kept[index] = entries
                while self._room < 0:
                    self._room += len(self._kept.popitem(last=False)[1])
        return entries

    def _read_page(self, index: int) -> list[ManifestEntry]:
        wanted = self.root.pages[index]
        entries = decode_page(self._read(wanted.id))
        ends_before = self.root.pages[index + 1].first if index + 1 < len(self.root.pages) else None
        if len(entries) != wanted.entries or entries[0].path != wanted.first:
            raise FormatError("bad-page", "A manifest page is not what its root page says.", codec.AGAIN)
        if any(a.path >= b.path for a, b in itertools.pairwise(entries)):
            raise FormatError("bad-order", "The entries of a manifest page are out of order.", codec.AGAIN)
        if ends_before is not None and entries[-1].path >= ends_before:
            raise FormatError("bad-order", "A manifest page runs into the next.", codec.AGAIN)
        return entries

    def glance(self, index: int) -> Glance:
        """One page for looking: much cheaper than its entries, of which few are shown. Raises FormatError."""
        wanted = self.root.pages[index]
        found = Glance(self._read(wanted.id))
        if len(found.paths) != wanted.entries or found.paths[0] != wanted.first:
            raise FormatError("bad-page", "A manifest page is not what its root page says.", codec.AGAIN)
        return found

    def entries(self) -> Iterator[ManifestEntry]:
        """All entries in order, one page in memory. At the end the totals are proven. Raises FormatError."""
        order, counter = OrderCheck(), Counter()
        for index in range(len(self.root.pages)):
            for entry in self.page(index):
                order.next(entry)
                counter.add(entry)
                yield entry
        if counter.totals() != self.totals:
            raise FormatError("bad-totals", "The entries of a manifest do not add up to its totals.", codec.AGAIN)

    def lookup(self, path: bytes) -> ManifestEntry | None:
        """The entry of a path, or None; reads one page."""
        low, high = 0, len(self.root.pages)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.root.pages[middle].first <= path else (low, middle)
        return next((entry for entry in self.page(low) if entry.path == path), None)

    def read(self, chunk: ChunkId) -> bytes:
        """A chunk by the function this manifest is read with."""
        return self._read(chunk)


def live_chunks(manifest_id: ManifestId, store: ChunkStore) -> Iterator[ChunkId]:
    """Every chunk a manifest needs, repeats possible: its pages, chunk lists and contents. What sweep spares.

    Raises NotFoundError, IntegrityError or FormatError if any page or list cannot be read.
    """
    manifest = Manifest.open(manifest_id, store.read)
    yield ChunkId(manifest_id)
    for index, page in enumerate(manifest.pages()):
        yield page.id
        for entry in manifest.page(index):
            for content in entry.contents():
                for _size, _count, chunk in list_rows(content):
                    yield chunk
                for _length, chunk in read_chunks(content, store.read):
                    yield chunk
