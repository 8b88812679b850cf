"""Chunk lists: contents of many chunks name lists of chunks, cut by content so that an insertion renews few of them.

Writes and reads lists through the store's interfaces; knows nothing of entries or pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from haulage.base.errors import FormatError
from haulage.engine.content.chunker import MAX_BYTES
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest_model import CHUNK_ROW, EMPTY, LIST_ROW, MAX_INLINE_CHUNKS, ContentRef, unpack_chunks
from haulage.engine.content.model import ChunkId, WriteSession

LIST_MIN_CHUNKS = 1024
LIST_MAX_CHUNKS = 8192
_CUT_BELOW = 2**32 // 3072
"""A list ends after a chunk whose id starts with a number below this: every 3,072nd chunk on average beyond the minimum."""
MAX_LISTS = 8192
"""More would make one entry too large for a page; reached at 1 TiB on average."""

Read = Callable[[ChunkId], bytes]


class ContentWriter:
    """Gathers the chunks of one content in order and ends with its reference. Memory stays below one chunk list."""

    __slots__ = ("_inline", "_lists", "_rows", "_session", "_size")

    def __init__(self, session: WriteSession) -> None:
        self._session = session
        self._rows = bytearray()
        self._lists = bytearray()
        self._inline = True
        self._size = 0

    def add(self, length: int, chunk: ChunkId) -> None:
        """The next chunk."""
        self._rows += CHUNK_ROW.pack(length, chunk)
        self._size += length
        count = len(self._rows) // CHUNK_ROW.size
        if self._inline and count > MAX_INLINE_CHUNKS:
            self._inline = False
        if count >= LIST_MAX_CHUNKS or (count >= LIST_MIN_CHUNKS and int.from_bytes(chunk[:4]) < _CUT_BELOW):
            self._end_list()

    def finish(self) -> ContentRef:
        """The reference of everything added."""
        if self._inline:
            return ContentRef(self._size, bytes(self._rows)) if self._size else EMPTY
        if self._rows:
            self._end_list()
        if len(self._lists) > MAX_LISTS * LIST_ROW.size:
            raise FormatError("content-too-large", f"A content of {self._size} bytes is too large.", "Split the file.")
        return ContentRef(self._size, b"", bytes(self._lists))

    def _end_list(self) -> None:
        rows = bytes(self._rows)
        listed = sum(length for length, _ in unpack_chunks(rows))
        chunk = chunk_id(rows)
        self._session.put(chunk, rows)
        self._lists += LIST_ROW.pack(listed, len(rows) // CHUNK_ROW.size, chunk)
        self._rows.clear()


def list_rows(content: ContentRef) -> Iterator[tuple[int, int, ChunkId]]:
    """Bytes covered, chunks and id of each chunk list a content names; none for a small one."""
    for size, count, chunk in LIST_ROW.iter_unpack(content.lists):
        yield size, count, ChunkId(chunk)


def read_chunks(content: ContentRef, read: Read) -> Iterator[tuple[int, ChunkId]]:
    """Length and id of every chunk of a content, in order, its lists read and checked one at a time."""
    if not content.lists:
        yield from cast("Iterator[tuple[int, ChunkId]]", CHUNK_ROW.iter_unpack(content.chunks))
        return
    for size, count, chunk in list_rows(content):
        rows = read(chunk)
        if len(rows) != count * CHUNK_ROW.size:
            raise FormatError("bad-chunk-list", "A chunk list does not hold as many chunks as its manifest says.")
        check_rows(rows, size)
        yield from unpack_chunks(rows)


def chunk_count(content: ContentRef) -> int:
    """How many chunks a content has."""
    if content.lists:
        return sum(count for _size, count, _chunk in list_rows(content))
    return len(content.chunks) // CHUNK_ROW.size


def check_content(content: ContentRef) -> None:
    """Refuse a reference that contradicts itself: FormatError ``bad-content`` (B34)."""
    if not 0 <= content.size < 2**63:
        raise _bad("its size is out of range")
    if not content.lists:
        if len(content.chunks) > MAX_INLINE_CHUNKS * CHUNK_ROW.size:
            raise _bad("it names too many chunks directly")
        check_rows(content.chunks, content.size)
        return
    if content.chunks or len(content.lists) % LIST_ROW.size or len(content.lists) > MAX_LISTS * LIST_ROW.size:
        raise _bad("its chunk lists are malformed")
    total = chunks = 0
    for size, count, _chunk in list_rows(content):
        if not 0 < count <= LIST_MAX_CHUNKS or not 0 < size <= count * MAX_BYTES:
            raise _bad("a chunk list has a size it cannot have")
        total += size
        chunks += count
    if total != content.size or chunks <= MAX_INLINE_CHUNKS:
        raise _bad("its chunk lists do not add up to its size")


def check_rows(rows: bytes, size: int) -> None:
    """Refuse chunk rows that are malformed or do not add up to ``size``."""
    if len(rows) % CHUNK_ROW.size:
        raise _bad("its chunk rows are malformed")
    total = 0
    for length, _chunk in CHUNK_ROW.iter_unpack(rows):
        if not 0 < length <= MAX_BYTES:
            raise _bad("a chunk has a length it cannot have")
        total += length
    if total != size:
        raise _bad("its chunks do not add up to its size")


def _bad(why: str) -> FormatError:
    return FormatError("bad-content", f"A content reference is wrong: {why}.", "Get the manifest again from a trusted site.")
