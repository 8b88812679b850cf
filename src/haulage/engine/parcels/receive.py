"""Receiving a parcel: only what is lacking is fetched, each section is verified before it is decoded, and what was received is
durable before it is told. What the store holds *is* the progress, so a killed receiver goes on where it was.

Knows the store, and the line as a function that fetches a range; no network, no site.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from haulage.base.errors import HaulageError, IntegrityError, NotFoundError, TransferError
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.model import Buffer, ChunkId, ChunkStore, ManifestId, WriteSession
from haulage.engine.parcels.head import TRAILER, ParcelHead, Section, SectionKind, head_bytes, parse_head
from haulage.engine.parcels.layout import Layout, LayoutReader
from haulage.engine.parcels.progress import Progress
from haulage.engine.parcels.receive_batch import BatchMaker
from haulage.engine.parcels.section import open_section, verify_section
from haulage.engine.parcels.sources import Sources
from haulage.engine.parcels.structure import Structure

Fetch = Callable[[int, int], Iterable[bytes]]
"""``(offset, size)``: the bytes of that range of the parcel, in pieces of any length."""
OnBatch = Callable[[int, int], None]
"""Index of the section that is now durable, bytes that crossed the line for it."""
OnManifest = Callable[[ManifestId], None]

_ASK_CHUNKS = 16_384
_HEAD_GUESS_BYTES = 8 * 1024
"""Fetched from the end at first; most heads are shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveReport:
    """What receiving took."""

    bytes_wire: int
    """Bytes of sections fetched in this call."""
    sections_fetched: int
    sections_skipped: int
    """Held already, wholly."""


def fetch_head(fetch: Fetch, parcel_id: bytes, size: int) -> ParcelHead:
    """Get and check the head of an announced parcel of ``size`` bytes. Raises like ``parse_head``, and ``transfer-cut``."""
    some = min(size, _HEAD_GUESS_BYTES)
    tail = _exactly(fetch(size - some, some), some)
    length = head_bytes(tail[-TRAILER.size :], size)
    if length > some:
        tail = _exactly(fetch(size - length, length - some), length - some) + tail
    return parse_head(tail[len(tail) - length :], size, expected_id=parcel_id)


def bases_lacking(head: ParcelHead, store: ChunkStore) -> tuple[ManifestId, ...]:
    """Bases of which not even the root is held: with these the parcel is of no use here (B48)."""
    gone = store.missing([ChunkId(base) for base in head.bases])
    return tuple(base for base in head.bases if ChunkId(base) in gone)


def receive(
    head: ParcelHead,
    fetch: Fetch,
    store: ChunkStore,
    session: WriteSession,
    *,
    folder: str,
    owner: str,
    expires: dt.datetime | None = None,
    on_batch: OnBatch | None = None,
    on_manifest: OnManifest | None = None,
) -> ReceiveReport:
    """Bring every chunk of the target into the store. Call it again after any failure: at most one section crosses the line twice.

    ``folder`` takes temporary files without names. ``owner`` names the pin that keeps the progress, until it is received or the
    pin ``expires``. ``on_manifest`` is called once the target's pages are held and durable (before that it cannot be pinned). The
    caller pins the bases first, and ends the session. Raises NotFoundError ``parcel-base-missing`` for a base that is not held,
    IntegrityError of that code for one of which something cannot be read; TransferError ``transfer-cut``; IntegrityError
    ``parcel-damaged`` for a section that is not what the head says, ``parcel-incomplete`` if the target is not whole in the end;
    FormatError for a parcel that contradicts itself; and what ``fetch`` raises.
    """
    lacking = bases_lacking(head, store)
    if lacking:
        raise NotFoundError("parcel-base-missing", f"The base {lacking[0].hex()} is not held here.", "A full parcel is asked for.")
    bases = [Manifest.open(base, store.read) for base in head.bases]
    with contextlib.closing(Sources(bases, store, folder)) as sources:
        progress = Progress(store, head.id, owner, expires)
        return _Receiver(head, fetch, store, session, bases, sources, progress, on_batch, on_manifest).run()


class _Receiver:
    """One call of ``receive``."""

    def __init__(
        self,
        head: ParcelHead,
        fetch: Fetch,
        store: ChunkStore,
        session: WriteSession,
        bases: Sequence[Manifest],
        sources: Sources,
        progress: Progress,
        on_batch: OnBatch | None,
        on_manifest: OnManifest | None,
    ) -> None:
        self._head = head
        self._fetch = fetch
        self._store = store
        self._session = session
        self._bases = bases
        self._sources = sources
        self._progress = progress
        self._on_batch = on_batch
        self._on_manifest = on_manifest
        self._bytes_wire = self._fetched = self._skipped = 0

    def run(self) -> ReceiveReport:
        described = self._described(SectionKind.STRUCTURE)
        structure = Structure.decode(described, self._head.target, self._bases)
        reader = LayoutReader(structure.new_lengths, self._sources.size)
        layouts = [layout for raw in self._described(SectionKind.LAYOUT) for layout in reader.read(raw)]
        reader.end()
        batches = self._head.of(SectionKind.BATCH)
        if len(layouts) != len(batches):
            raise IntegrityError(
                "parcel-damaged", "The layout of a parcel does not fit its batches.", "Get it again from a trusted site."
            )
        maker = BatchMaker(structure, self._sources, self._store, self._session)
        known = structure.new_ids
        if known is not None:
            self._put_pages(structure, known)
        self._receive_batches(batches, layouts, maker, keep_progress=known is None)
        if known is None:
            self._put_pages(structure, maker.ids)
        self._require_whole()
        self._progress.forget()
        return ReceiveReport(bytes_wire=self._bytes_wire, sections_fetched=self._fetched, sections_skipped=self._skipped)

    def _put_pages(self, structure: Structure, ids: Buffer) -> None:
        last = None
        for page in structure.pages(ids):
            last = chunk_id(page)
            self._session.put(last, page)
        if last != ChunkId(self._head.target):
            raise IntegrityError(
                "parcel-incomplete",
                f"What a parcel makes is not the version {self._head.target.hex()[:16]}.",
                "Ask for a full parcel.",
            )
        self._session.checkpoint()
        if self._on_manifest is not None:
            self._on_manifest(self._head.target)

    def _described(self, kind: SectionKind) -> Iterator[bytes]:
        """Raw bytes of the sections that describe. They are kept under their own digest, so that a resumed receiver finds them; no
        manifest names them, so they are swept one day."""
        sections = self._head.of(kind)
        lacking = self._store.missing([ChunkId(section.digest) for _, section in sections])
        arriving = self._arrive([(number, section) for number, section in sections if ChunkId(section.digest) in lacking])
        for _number, section in sections:
            if ChunkId(section.digest) in lacking:
                number, _section, stored = next(arriving)
                raw = open_section(section, stored)
                self._session.put(ChunkId(section.digest), stored)
                self._session.checkpoint()
                self._told(number, section)
            else:
                raw = open_section(section, self._store.read(ChunkId(section.digest)))
                self._skipped += 1
            yield raw

    def _receive_batches(
        self, batches: list[tuple[int, Section]], layouts: list[Layout], maker: BatchMaker, *, keep_progress: bool
    ) -> None:
        done = dict(self._progress.load()) if keep_progress else {}
        wanted: list[tuple[int, Section]] = []
        layout_of: dict[int, Layout] = {}
        for (number, section), layout in zip(batches, layouts, strict=True):
            if number in done:
                maker.take_over(done[number])
                self._skipped += 1
            elif maker.holds(layout):
                self._skipped += 1
            else:
                wanted.append((number, section))
                layout_of[number] = layout
        for number, section, stored in self._arrive(wanted):
            brought = maker.make(layout_of.pop(number), section, stored)
            if keep_progress:
                self._progress.add(number, brought, self._session)
            else:
                self._session.checkpoint()
            self._told(number, section)

    def _told(self, number: int, section: Section) -> None:
        self._fetched += 1
        if self._on_batch is not None:
            self._on_batch(number, section.stored_bytes)

    def _arrive(self, wanted: Sequence[tuple[int, Section]]) -> Iterator[tuple[int, Section, bytes]]:
        """Fetch sections, neighbours in one request, and yield each once it is whole and verified."""
        for run in _runs(wanted):
            start, end = run[0][1].offset, run[-1][1].end
            pieces = _Pieces(self._fetch(start, end - start) if end > start else (), end - start)
            for number, section in run:
                stored = pieces.take(section.stored_bytes)
                self._bytes_wire += len(stored)
                verify_section(section, stored)
                yield number, section, stored
            pieces.end()

    def _require_whole(self) -> None:
        lacking = 0
        try:
            for some in _by(live_chunks(self._head.target, self._store), _ASK_CHUNKS):
                lacking += len(self._store.missing(some))
        except NotFoundError:
            lacking += 1
        except HaulageError as error:
            raise IntegrityError(
                "parcel-incomplete", f"The version received cannot be read: {error.message}", error.hint
            ) from error
        if lacking:
            raise IntegrityError(
                "parcel-incomplete",
                f"The version {self._head.target.hex()[:16]} is not whole: {lacking} chunks are in neither parcel nor bases.",
                "Ask for a full parcel.",
            )


def _runs(wanted: Sequence[tuple[int, Section]]) -> Iterator[list[tuple[int, Section]]]:
    for _key, group in itertools.groupby(enumerate(wanted), key=lambda item: item[1][0] - item[0]):
        yield [item for _, item in group]


def _by(chunks: Iterable[ChunkId], count: int) -> Iterator[list[ChunkId]]:
    source = iter(chunks)
    while some := list(itertools.islice(source, count)):
        yield some


class _Pieces:
    """Cuts a body that arrives in pieces of any length into parts of known length (B51)."""

    def __init__(self, body: Iterable[bytes], size: int) -> None:
        self._body = iter(body)
        self._left = size
        self._rest = b""

    def take(self, size: int) -> bytes:
        parts, count = [self._rest], len(self._rest)
        while count < size:
            piece = next(self._body, None)
            if piece is None:
                raise TransferError("transfer-cut", "The line ended in the middle of a parcel.", "It goes on from there by itself.")
            parts.append(piece)
            count += len(piece)
            if count > self._left:
                raise IntegrityError("parcel-damaged", "More bytes came than were asked for.", "It is fetched again.")
        self._left -= size
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]

    def end(self) -> None:
        """Nothing may follow."""
        if self._rest or any(self._body):
            raise IntegrityError("parcel-damaged", "More bytes came than were asked for.", "It is fetched again.")


def _exactly(body: Iterable[bytes], size: int) -> bytes:
    pieces = _Pieces(body, size)
    data = pieces.take(size)
    pieces.end()
    return data
