"""The other form of the structure sections: pages and chunk lists as they are, and the ids of the new chunks. For targets that the
columns do not give back exactly; no tree of ours is one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from haulage.engine.content.chunker import MAX_BYTES
from haulage.engine.content.content_list import list_rows, read_chunks
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.parcels.model import At
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.structure_columns import MOST_BYTES, MOST_SECTION_BYTES, SECTION_BYTES, VERBATIM, Reader, bad, put
from haulage.engine.parcels.structure_pages import Row


def encode_verbatim(target: Manifest, new: NewChunks) -> Iterator[bytes]:
    """Raw sections. Memory: a section."""
    pending = bytearray()
    put(pending, len(new.lengths))
    for length, chunk in zip(new.lengths, new.ordinals, strict=True):
        put(pending, length)
        pending += chunk
        yield from _cut(pending)
    for data in _parts(target, new):
        put(pending, len(data))
        pending += data
        yield from _cut(pending)
    yield from _cut(pending, whole=True)


def _parts(target: Manifest, new: NewChunks) -> Iterator[bytes]:
    for page in new.fresh_pages:
        for entry in target.page(page):
            for content in entry.contents():
                for _size, _count, chunk in list_rows(content):
                    yield target.read(chunk)
        yield target.read(target.pages()[page].id)
    yield target.read(ChunkId(target.id))


def _cut(pending: bytearray, *, whole: bool = False) -> Iterator[bytes]:
    while len(pending) >= SECTION_BYTES or (whole and pending):
        yield bytes([VERBATIM]) + pending[: SECTION_BYTES - 1]
        del pending[: SECTION_BYTES - 1]


class VerbatimPages:
    """What such sections hold."""

    def __init__(self, sections: Iterable[bytes], target: ManifestId, bases: Sequence[Manifest]) -> None:
        """Raises FormatError ``bad-parcel``, or for a manifest that breaks its own format. Memory: the sections."""
        whole = bytearray()
        for raw in sections:
            if len(raw) > MOST_SECTION_BYTES or raw[:1] != bytes([VERBATIM]) or len(whole) > MOST_BYTES:
                raise bad("a section is too long or of another form")
            whole += raw[1:]
        reader = Reader(whole)
        self.lengths = array("I")
        self.ids: bytearray | None = bytearray()
        for _ in range(reader.number()):
            length = reader.number()
            if not 0 < length <= MAX_BYTES:
                raise bad("a chunk has a length it cannot have")
            self.lengths.append(length)
            self.ids += reader.take(32)
        self._parts: list[bytes] = []
        while not reader.done():
            self._parts.append(reader.take(reader.number()))
        if not self._parts or chunk_id(self._parts[-1]) != ChunkId(target):
            raise bad("its root page is not the one it is for")
        self._bases = bases
        self._held = {chunk_id(part): number for number, part in enumerate(self._parts)}
        self._ordinals: dict[bytes, int] = {}
        self._target = Manifest.open(target, self._read)

    def pages(self, ids: memoryview) -> Iterator[bytes]:
        """Chunk lists, pages and the root."""
        if self.ids is None or bytes(ids) != bytes(self.ids):
            raise bad("its new chunks are not the ones it names")
        yield from self._parts

    def rows(self, at: At) -> Iterator[Row]:
        """The chunks of one content of the target."""
        if not self._ordinals and self.ids:
            self._ordinals = {bytes(self.ids[32 * n : 32 * n + 32]): n for n in range(len(self.lengths))}
        if not 0 <= at.page < len(self._target.pages()):
            raise bad(f"nothing stands at {tuple(at)} of its target")
        entries = self._target.page(at.page)
        contents = list(entries[at.entry].contents()) if 0 <= at.entry < len(entries) else []
        if not 0 <= at.part < len(contents):
            raise bad(f"nothing stands at {tuple(at)} of its target")
        for length, chunk in read_chunks(contents[at.part], self._read):
            ordinal = self._ordinals.get(chunk, -1)
            yield length, chunk, ordinal

    def _read(self, chunk: ChunkId) -> bytes:
        number = self._held.get(chunk)
        if number is not None:
            return self._parts[number]
        if not self._bases:
            raise bad(f"it lacks chunk {chunk.hex()[:16]} of its target's manifest")
        return self._bases[0].read(chunk)
