"""A base as a receiver has it: its entries by number, and the chunks of each content by number. Reads pages and chunk lists as they
are needed and keeps the last few.
"""

from __future__ import annotations

import bisect
import operator
from array import array
from collections import OrderedDict
from collections.abc import Iterator

from haulage.base.errors import FormatError
from haulage.engine.content.content_list import Read, list_rows
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import CHUNK_ROW, ContentRef, ManifestEntry
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.structure_columns import bad

MOST_ENTRIES = 32_768
"""Of pages at hand, for all bases together: some 30 MB."""
READER_LOADS = 4
"""How often each page of a base is read at most, about, by who reads a structure in order."""
WRITER_LOADS = 16
_SPARE_LOADS = 1024
_CONTENTS_KEPT = 16
_LISTS_KEPT = 4
_ROW = CHUNK_ROW.size
_PATH = operator.attrgetter("path")


class HeldRows:
    """The chunk rows of one content, by number. Memory: four chunk lists of at most 288 KiB."""

    __slots__ = ("_count_before", "_listed", "_lists", "_low", "_open_lists", "_read", "content", "count")

    def __init__(self, content: ContentRef, read: Read) -> None:
        self.content = content
        self._read = read
        self._lists = list(list_rows(content)) if content.lists else []
        self._count_before = [0]
        for _size, count, _chunk in self._lists:
            self._count_before.append(self._count_before[-1] + count)
        self.count = self._count_before[-1] if content.lists else len(content.chunks) // _ROW
        self._low = 0 if not content.lists else self.count
        """Number of the first row at hand."""
        self._listed = content.chunks
        self._open_lists: OrderedDict[int, bytes] = OrderedDict()

    def slices(self, first: int, count: int) -> Iterator[bytes]:
        """Packed rows from ``first`` on, in pieces. The caller has checked that they exist."""
        while count:
            start = self._open(first)
            piece = self._listed[(first - start) * _ROW : (first - start + count) * _ROW]
            yield piece
            first += len(piece) // _ROW
            count -= len(piece) // _ROW

    def row(self, number: int) -> tuple[int, ChunkId]:
        """Length and id of one chunk."""
        start = self._open(number)
        length, chunk = CHUNK_ROW.unpack_from(self._listed, (number - start) * _ROW)
        return length, chunk

    def _open(self, number: int) -> int:
        """Have the list with this row at hand; the number of its first row."""
        if not 0 <= number - self._low < len(self._listed) // _ROW and self._lists:
            wanted = bisect.bisect_right(self._count_before, number) - 1
            rows = self._open_lists.get(wanted)
            if rows is None:
                _size, count, chunk = self._lists[wanted]
                rows = self._open_lists[wanted] = self._read(chunk)
                if len(rows) != count * _ROW:
                    raise FormatError("bad-chunk-list", "A chunk list does not hold as many chunks as its manifest says.")
                if len(self._open_lists) > _LISTS_KEPT:
                    self._open_lists.popitem(last=False)
            self._low, self._listed = self._count_before[wanted], rows
        return self._low


class Held:
    """The entries of a manifest by number, over all pages. Memory: about a kilobyte for each of ``most_entries`` (one page at
    least), and the rows of the last contents asked for."""

    def __init__(self, manifest: Manifest, most_entries: int = MOST_ENTRIES) -> None:
        self.manifest = manifest
        self.loads_left = 2**63
        """How many more pages may be read."""
        self._room = most_entries
        self.starts = array("Q", [0])
        """Number of the first entry of each page, and of the one that would follow the last."""
        for page in manifest.pages():
            self.starts.append(self.starts[-1] + page.entries)
        self.count = self.starts[-1]
        self._firsts = [page.first for page in manifest.pages()]
        self._pages: OrderedDict[int, list[ManifestEntry]] = OrderedDict()
        self._rows: OrderedDict[tuple[int, int], HeldRows] = OrderedDict()
        self._low = self._high = 0
        self._open: list[ManifestEntry] = []

    def limit_loads(self, times: int) -> None:
        """From here on refuse to read pages much more often than there are pages: scattered references to a large base cost a
        reader far more than who wrote them."""
        self.loads_left = _SPARE_LOADS + times * len(self._firsts)

    def entry(self, number: int) -> ManifestEntry:
        """One entry. Raises FormatError ``bad-parcel`` if there is none of that number."""
        if not self._low <= number < self._high:
            if not 0 <= number < self.count:
                raise bad("it names an entry that its base does not have")
            page = bisect.bisect_right(self.starts, number) - 1
            self._open = self.page(page)
            self._low, self._high = self.starts[page], self.starts[page + 1]
        return self._open[number - self._low]

    def find(self, path: bytes) -> int | None:
        """The number of the entry with this path."""
        page = max(bisect.bisect_right(self._firsts, path) - 1, 0)
        entries = self.page(page)
        at = bisect.bisect_left(entries, path, key=_PATH)
        if at < len(entries) and entries[at].path == path:
            return self.starts[page] + at
        return None

    def rows(self, number: int, part: int) -> HeldRows | None:
        """The chunks of one content of an entry; None if it has no such content."""
        key = (number, part)
        found = self._rows.get(key)
        if found is None:
            contents = list(self.entry(number).contents())
            if part >= len(contents):
                return None
            found = self._rows[key] = HeldRows(contents[part], self.manifest.read)
            if len(self._rows) > _CONTENTS_KEPT:
                self._rows.popitem(last=False)
        return found

    def page(self, page: int) -> list[ManifestEntry]:
        """The entries of one page."""
        found = self._pages.get(page)
        if found is None:
            self.loads_left -= 1
            if self.loads_left < 0:
                raise bad("it goes back and forth in a base without end")
            found = self.manifest.page(page)
            self._room -= len(found)
            while self._room < 0 and self._pages:
                self._room += len(self._pages.popitem(last=False)[1])
            self._pages[page] = found
        else:
            self._pages.move_to_end(page)
        return found
