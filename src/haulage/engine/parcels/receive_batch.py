"""What a receiver does with one batch: decode it against what is held, make its chunks, put them into the store. Knows nothing of
the line, or of what is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blake3 import blake3

from haulage.base.errors import HaulageError, IntegrityError
from haulage.engine.archives.view import BytesView, View
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest_model import ContentRef, pack_chunks
from haulage.engine.content.model import ChunkId, ChunkStore, WriteSession
from haulage.engine.parcels.content_view import ContentView
from haulage.engine.parcels.head import Section
from haulage.engine.parcels.layout import CHECK_BYTES, Layout
from haulage.engine.parcels.making import PieceView, make
from haulage.engine.parcels.model import SCRATCH, Copy, Made, ObjectKind, Source, Window
from haulage.engine.parcels.progress import Brought
from haulage.engine.parcels.section import open_section
from haulage.engine.parcels.sources import Sources
from haulage.engine.parcels.structure import Structure

ID_BYTES = 32


class BatchMaker:
    """Makes the batches of one parcel, in order, and knows what was made so far."""

    def __init__(self, structure: Structure, sources: Sources, store: ChunkStore, session: WriteSession) -> None:
        self._structure = structure
        self._sources = sources
        self._store = store
        self._session = session
        self._lengths = structure.new_lengths
        self._known = structure.new_ids
        self.ids = bytearray(ID_BYTES * len(self._lengths)) if self._known is None else self._known
        """Of the new chunks, by ordinal, as far as they are known."""
        self._aside: dict[int, View] = {}

    def holds(self, layout: Layout) -> bool:
        """Whether everything a batch would make is known and held; then it stays (I12)."""
        if self._known is None or any(made.kind is ObjectKind.SCRATCH for made in layout.objects):
            return False
        chunks = [self._id(number) for made in layout.objects for number in range(made.first, made.first + made.count)]
        if self._store.missing(chunks):
            return False
        return all(self._session.has(chunk) for chunk in chunks)

    def take_over(self, brought: Brought) -> None:
        """A batch was made by an earlier try."""
        for first, _count, rows in brought:
            for _length, chunk in rows:
                self._session.has(chunk)
            if first < 0:
                self._aside[-1 - first] = self._aside_view(rows)
            else:
                self.ids[ID_BYTES * first : ID_BYTES * (first + len(rows))] = b"".join([chunk for _length, chunk in rows])

    def make(self, layout: Layout, section: Section, stored: bytes) -> Brought:
        """Decode a verified batch and store what it makes. Raises NotFoundError ``parcel-base-missing`` where old bytes cannot be
        read; IntegrityError ``parcel-damaged`` if something else comes out than the sender had; FormatError."""
        views: dict[int, View] = {}

        def view(number: int) -> View:
            if number not in views:
                views[number] = self._view(layout.sources[number])
            return views[number]

        try:
            old = self._sources.windows(view, layout.windows)
            self._sources.at_hand(view, _plain_copies(layout))
            fresh = BytesView(open_section(section, stored, old))
            del old
            check, brought, offset = blake3(), Brought(), 0
            for made in layout.objects:
                pieces = PieceView(made.pieces, view, fresh, offset)
                offset = pieces.fresh_end
                rows = self._rows(made, pieces, check)
                brought.append((-1 - made.first if made.kind is ObjectKind.SCRATCH else made.first, made.count, rows))
        except HaulageError as error:
            raise _base_gone(error) from error
        if check.digest(CHECK_BYTES) != layout.check or offset != fresh.size:
            raise _other_bytes(section)
        for first, _count, rows in brought:
            if first < 0:
                # Readable only once they are durable: before the next batch they are.
                self._aside[-1 - first] = self._aside_view(rows)
        return brought

    def _rows(self, made: Made, pieces: PieceView, check: blake3) -> list[tuple[int, ChunkId]]:
        rows: list[tuple[int, ChunkId]] = []
        aside = blake3()

        def emit(ordinal: int, data: bytes) -> None:
            chunk = chunk_id(data)
            rows.append((len(data), chunk))
            if ordinal < 0:
                aside.update(data)
            else:
                if self._known is not None and self._id(ordinal) != chunk:
                    raise IntegrityError("parcel-damaged", "A chunk in a parcel does not have its id.", "It is fetched again.")
                check.update(chunk)
                self.ids[ID_BYTES * ordinal : ID_BYTES * (ordinal + 1)] = chunk
            self._session.put(chunk, data)

        make(made, pieces, self._lengths, self._structure.rows, emit)
        if made.kind is ObjectKind.SCRATCH:
            check.update(aside.digest())
        return rows

    def _id(self, ordinal: int) -> ChunkId:
        return ChunkId(bytes(self.ids[ID_BYTES * ordinal : ID_BYTES * (ordinal + 1)]))

    def _aside_view(self, rows: Sequence[tuple[int, ChunkId]]) -> View:
        content = ContentRef(sum([length for length, _chunk in rows]), pack_chunks(rows))
        return ContentView(content, self._store, self._sources.cache)

    def _view(self, source: Source) -> View:
        return self._aside[source.at.page] if source.base == SCRATCH else self._sources.view(source)


def _plain_copies(layout: Layout) -> Iterator[Window]:
    """What is copied out of sources as they are."""
    for made in layout.objects:
        for piece in made.pieces:
            if isinstance(piece, Copy) and not layout.sources[piece.source].members:
                yield Window(*piece)


def _base_gone(error: HaulageError) -> HaulageError:
    """A base of which something cannot be read is as good as none: the next question must not name it (B48)."""
    if error.code not in {"chunk-missing", "chunk-damaged"}:
        return error
    return IntegrityError(
        "parcel-base-missing", f"A base of the parcel cannot be read here: {error.message}", "A parcel without it is asked for."
    )


def _other_bytes(section: Section) -> IntegrityError:
    return IntegrityError(
        "parcel-damaged",
        f"The section at offset {section.offset} of a parcel makes other bytes than its sender had.",
        "It is fetched again.",
    )
