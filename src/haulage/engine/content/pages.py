"""Pages: where a manifest's entries are cut, and the order they must keep. *Pure*; page bytes in, entries out, no store.

Cuts depend on paths, not on positions, so that adding a file renews one page and not all that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from blake3 import blake3

from haulage.base.errors import FormatError
from haulage.engine.content.codec import AGAIN
from haulage.engine.content.content_list import chunk_count
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest_model import ManifestEntry, Totals, shown
from haulage.engine.content.manifest_wire import encode_entry, encode_page
from haulage.engine.content.model import ChunkId
from haulage.engine.trees.model import EntryType

PAGE_MIN_ENTRIES = 256
PAGE_MAX_ENTRIES = 4096
PAGE_SOFT_BYTES = 512 * 1024
"""A page is closed before an entry that would make it larger, unless it would be empty."""
_CUT_BELOW = 2**32 // 768
"""A page ends after an entry whose path hash is below this: 1,000 entries on average with the minimum."""


class Counter:
    """Adds entries up to totals."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(_TOTALS, 0)

    def add(self, entry: ManifestEntry) -> None:
        """Count one entry."""
        sums = self._sums
        if entry.same_as is not None:
            sums["hard_links"] += 1
        elif entry.type is EntryType.FILE:
            sums["files"] += 1
        elif entry.type is EntryType.SYMLINK:
            sums["symlinks"] += 1
        elif entry.path:
            sums["folders"] += 1
        sums["bytes_content"] += entry.content.size
        sums["chunks"] += chunk_count(entry.content)
        if entry.streams or entry.attributes or entry.acls:
            references = iter(entry.contents())
            next(references)
            for number, content in enumerate(references):
                sums["bytes_streams" if number < len(entry.streams) else "bytes_values"] += content.size
                sums["chunks"] += chunk_count(content)
            sums["streams"] += len(entry.streams)

    def add_totals(self, totals: Totals) -> None:
        """Count what was counted before."""
        for name in _TOTALS:
            self._sums[name] += getattr(totals, name)

    def totals(self) -> Totals:
        """The sums so far."""
        return Totals(**self._sums)


_TOTALS = tuple(Totals.__dataclass_fields__)


@dataclass(slots=True, kw_only=True)
class KeptPage:
    """A page of an earlier manifest whose entries are all still the same: it goes into the new one as it is where it falls between
    the same cuts, and entry by entry elsewhere."""

    id: ChunkId
    first: bytes
    last: bytes
    folders: tuple[int, ...]
    """As in :class:`Page`."""
    ends_itself: bool
    """Whether it ends after its last entry whatever follows."""
    entries: int
    totals: Totals
    number: int
    """Its place in the earlier manifest."""
    expand: Callable[[], list[ManifestEntry]]
    """Reads the entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One finished page."""

    id: ChunkId
    first: bytes
    last: bytes
    folders: tuple[int, ...]
    """Folders of this page under which later pages may go on: prefixes of ``last``, by length."""
    entries: int
    totals: Totals
    data: bytes
    """Empty for a page that was kept."""
    kept: KeptPage | None = None

    @property
    def ends_itself(self) -> bool:
        """Whether it ends after its last entry whatever follows."""
        return self.entries >= PAGE_MAX_ENTRIES or (self.entries >= PAGE_MIN_ENTRIES and is_cut(self.last))


def cut_pages(entries: Iterable[ManifestEntry | KeptPage]) -> Iterator[Page]:
    """Encode entries and cut them into pages; refuses a wrong order. Memory: one page. The pages are the same whether an entry
    comes by itself or in a page that is kept."""
    order = OrderCheck()
    open_page = _OpenPage()
    waiting: KeptPage | None = None
    for item in entries:
        if waiting is not None:
            for entry in waiting.expand():
                yield from open_page.add(entry, order)
            waiting = None
        if isinstance(item, ManifestEntry):
            yield from open_page.add(item, order)
        elif open_page.encoded:
            for entry in item.expand():
                yield from open_page.add(entry, order)
        elif item.ends_itself:
            yield _kept(item, order)
        else:
            waiting = item
    if waiting is not None:
        yield _kept(waiting, order)
    elif open_page.encoded:
        yield open_page.end(order)
    order.end()


def _kept(page: KeptPage, order: OrderCheck) -> Page:
    order.skip(page)
    return Page(
        id=page.id,
        first=page.first,
        last=page.last,
        folders=page.folders,
        entries=page.entries,
        totals=page.totals,
        data=b"",
        kept=page,
    )


@dataclass(slots=True)
class _OpenPage:
    """The page that is growing."""

    encoded: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    first: bytes = b""
    last: bytes = b""
    counter: Counter = field(default_factory=Counter)

    def add(self, entry: ManifestEntry, order: OrderCheck) -> Sequence[Page]:
        """Take an entry in, and give the pages that this ends."""
        pages: Sequence[Page] = ()
        data = encode_entry(entry)
        if self.encoded and self.size_bytes + len(data) > PAGE_SOFT_BYTES:
            pages = [self.end(order)]
        order.next(entry)
        if not self.encoded:
            self.first = entry.path
        self.encoded.append(data)
        self.size_bytes += len(data)
        self.last = entry.path
        self.counter.add(entry)
        count = len(self.encoded)
        if count >= PAGE_MAX_ENTRIES or (count >= PAGE_MIN_ENTRIES and is_cut(entry.path)):
            pages = [*pages, self.end(order)]
        return pages

    def end(self, order: OrderCheck) -> Page:
        """What was gathered, as a page; the next one begins empty."""
        data = encode_page(self.encoded)
        page = Page(
            id=chunk_id(data),
            first=self.first,
            last=self.last,
            folders=order.open_folders(self.first),
            entries=len(self.encoded),
            totals=self.counter.totals(),
            data=data,
        )
        self.encoded, self.size_bytes, self.counter = [], 0, Counter()
        return page


def is_cut(path: bytes) -> bool:
    """Whether a page may end after this path."""
    return int.from_bytes(blake3(path).digest(4)) < _CUT_BELOW


class OrderCheck:
    """Holds a sequence of entries to the order of a tree: the root first, paths strictly rising in byte order, everything below a
    folder that was listed (B31, B33). Memory: one path's length."""

    __slots__ = ("_folders", "_last")

    def __init__(self) -> None:
        self._last: bytes | None = None
        # Every folder that may still get children is a prefix of the path just seen, so they form a stack.
        self._folders: list[bytes] = []

    def next(self, entry: ManifestEntry) -> None:
        """Admit the next entry. Raises FormatError ``bad-order``."""
        path = entry.path
        if self._last is None:
            if path or entry.type is not EntryType.FOLDER:
                raise _disorder(path, "the root folder must come first")
        else:
            if path <= self._last:
                raise _disorder(path, "it is repeated or out of order")
            while not path.startswith(self._folders[-1]):
                self._folders.pop()
            slash = path.rfind(b"/")
            parent = path[:slash] if slash >= 0 else b""
            if not any(len(folder) == len(parent) for folder in reversed(self._folders)):
                raise _disorder(path, "its parent is not a folder of the tree")
        self._last = path
        if entry.type is EntryType.FOLDER:
            self._folders.append(path)

    def open_folders(self, first: bytes) -> tuple[int, ...]:
        """Lengths of the folders from path ``first`` on that may still get children."""
        return tuple([len(folder) for folder in self._folders if folder >= first])

    def skip(self, page: KeptPage) -> None:
        """Admit a page whose inner order was proven when it was made. Raises FormatError ``bad-order``."""
        self.next(ManifestEntry(path=page.first, type=EntryType.FILE if page.first else EntryType.FOLDER))
        last = page.last
        before = [folder for folder in self._folders if folder < page.first and last.startswith(folder)]
        self._folders = before + [last[:length] for length in page.folders]
        self._last = last

    def end(self) -> None:
        """No more entries. Raises FormatError if there were none."""
        if self._last is None:
            raise _disorder(b"", "the root folder is missing")


def _disorder(path: bytes, why: str) -> FormatError:
    return FormatError("bad-order", f"The manifest's entry {shown(path[:200])} is wrong: {why}.", AGAIN)
