"""What a manifest says about a tree, as values: content references, entries, totals. *Pure*; knows neither encoding nor store."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.trees.model import Dos, EntryType, Owner

CHUNK_ROW = struct.Struct(">I32s")
"""Length and id of one chunk."""
LIST_ROW = struct.Struct(">QI32s")
"""Bytes covered, number of chunks, and id of one chunk list."""

MAX_INLINE_CHUNKS = 256
"""A content of more chunks names chunk lists instead of chunks."""
MAX_INLINE_VALUE_BYTES = 1024
"""An attribute's or ACL's value up to this length stands in the manifest itself."""


class ContentRef(msgspec.Struct, frozen=True):
    """Bytes by reference: either packed rows of chunks, or packed rows of chunk lists (never both)."""

    size: int = 0
    chunks: bytes = b""
    """``CHUNK_ROW`` for each chunk in order."""
    lists: bytes = b""
    """``LIST_ROW`` for each chunk list in order; a chunk list is itself a chunk, made of ``CHUNK_ROW``."""


EMPTY = ContentRef()

ValueRef = bytes | ContentRef
"""A value that stands here, or a reference to it."""


class NamedRef(msgspec.Struct, frozen=True):
    """A named stream."""

    name: bytes
    content: ContentRef


class ManifestEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One name of a tree: the facts of trees' ``Entry``, with content, streams and values by reference."""

    path: bytes
    type: EntryType
    content: ContentRef = EMPTY
    mode: int | None = None
    owner: Owner | None = None
    mtime_ns: int = 0
    target: bytes = b""
    same_as: bytes | None = None
    attributes: tuple[tuple[bytes, ValueRef], ...] = ()
    """Name and value, sorted by name."""
    acls: tuple[tuple[str, ValueRef], ...] = ()
    """Dialect and value, sorted by dialect."""
    streams: tuple[NamedRef, ...] = ()
    dos: Dos | None = None
    extra: tuple[tuple[str, bytes], ...] = ()
    """Fields of a newer writer that this reader may ignore: name and encoded value."""

    def contents(self) -> Iterator[ContentRef]:
        """Everything this entry references: content, streams, large attributes and ACLs."""
        yield self.content
        for stream in self.streams:
            yield stream.content
        for _name, value in self.attributes:
            if isinstance(value, ContentRef):
                yield value
        for _dialect, value in self.acls:
            if isinstance(value, ContentRef):
                yield value


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The counts of a whole tree. Sizes in bytes."""

    files: int = 0
    """Names of regular files that are not a further name of another."""
    folders: int = 0
    """Without the root."""
    symlinks: int = 0
    hard_links: int = 0
    """Further names of files already counted."""
    streams: int = 0
    bytes_content: int = 0
    bytes_streams: int = 0
    bytes_values: int = 0
    """Attributes and ACLs that are kept as chunks."""
    chunks: int = 0
    """References, repeats included."""

    @property
    def bytes_total(self) -> int:
        """Everything that is chunked: contents, streams and large values."""
        return self.bytes_content + self.bytes_streams + self.bytes_values

    @property
    def entries(self) -> int:
        """Names, the root included."""
        return 1 + self.files + self.folders + self.symlinks + self.hard_links


class PageRef(msgspec.Struct, frozen=True, kw_only=True):
    """One page as the root page lists it."""

    id: ChunkId
    first: bytes
    """Path of its first entry."""
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRef:
    """A written manifest."""

    id: ManifestId
    sha256: bytes
    """SHA-256 of the same root page, for signature schemes that know no BLAKE3."""
    root_bytes: int
    totals: Totals


def pack_chunks(chunks: Iterable[tuple[int, ChunkId]]) -> bytes:
    """Rows of a chunk list."""
    return b"".join([CHUNK_ROW.pack(length, chunk) for length, chunk in chunks])


def unpack_chunks(rows: bytes | memoryview) -> Iterator[tuple[int, ChunkId]]:
    """Length and id of each row."""
    for length, chunk in CHUNK_ROW.iter_unpack(rows):
        yield length, ChunkId(chunk)


def one_chunk(length: int, chunk: ChunkId) -> ContentRef:
    """A content of a single chunk."""
    return ContentRef(length, CHUNK_ROW.pack(length, chunk))


def shown(path: bytes) -> str:
    """A path for people: escaped where it is not printable text, never ambiguous, no control or direction marks."""
    if not path:
        return "(the root)"
    text = path.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
