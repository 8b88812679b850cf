"""Receiving a parcel: only what is lacking is fetched, each section is verified before it is decoded, and what was received is
durable before it is told. No state is kept: what the store holds *is* the progress, so a killed receiver goes on where it was.

Knows the store, and the line as a function that fetches a range; no network, no site.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from haulage.base.errors import HaulageError, IntegrityError, NotFoundError, TransferError
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.manifest_model import CHUNK_ROW, unpack_chunks
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, WriteSession
from haulage.engine.parcels.head import PRELUDE, ParcelHead, Section, SectionKind, head_end, parse_head
from haulage.engine.parcels.section import check_batch_rows, decode_parts, decode_section, verify_section

Fetch = Callable[[int, int], Iterable[bytes]]
"""``(offset, size)``: the bytes of that range of the parcel, in pieces of any length."""
OnBatch = Callable[[int, int], None]
"""Index of the section that is now durable, bytes that crossed the line for it."""
OnManifest = Callable[[ManifestId], None]

_ASK_CHUNKS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveReport:
    """What receiving took."""

    bytes_wire: int
    """Bytes of sections fetched in this call."""
    sections_fetched: int
    sections_skipped: int
    """Held already, wholly."""


def fetch_head(fetch: Fetch, parcel_id: bytes) -> ParcelHead:
    """Get and check the head of an announced parcel. Raises like ``parse_head``, and TransferError ``transfer-cut``."""
    prelude = _exactly(fetch(0, PRELUDE.size), PRELUDE.size)
    end = head_end(prelude)
    return parse_head(prelude + _exactly(fetch(PRELUDE.size, end - PRELUDE.size), end - PRELUDE.size), expected_id=parcel_id)


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
    on_batch: OnBatch | None = None,
    on_manifest: OnManifest | None = None,
) -> ReceiveReport:
    """Bring every chunk of the target into the store. Call it again after any failure: at most one section crosses the line twice.

    ``on_manifest`` is called once the target's pages are held and durable (before that it cannot be pinned). The caller pins the
    bases first, and ends the session. Raises NotFoundError ``parcel-base-missing``; TransferError ``transfer-cut``; IntegrityError
    ``parcel-damaged`` for a section that is not what the head says, ``parcel-incomplete`` if the target is not whole in the end;
    FormatError for a parcel that contradicts itself; and what ``fetch`` raises.
    """
    lacking = bases_lacking(head, store)
    if lacking:
        raise NotFoundError("parcel-base-missing", f"The base {lacking[0].hex()} is not held here.", "A full parcel is asked for.")
    return _Receiver(head, fetch, store, session, on_batch, on_manifest).run()


class _Receiver:
    """One call of ``receive``."""

    def __init__(
        self,
        head: ParcelHead,
        fetch: Fetch,
        store: ChunkStore,
        session: WriteSession,
        on_batch: OnBatch | None,
        on_manifest: OnManifest | None,
    ) -> None:
        self._head = head
        self._fetch = fetch
        self._store = store
        self._session = session
        self._on_batch = on_batch
        self._on_manifest = on_manifest
        self._bytes_wire = self._fetched = self._skipped = 0

    def run(self) -> ReceiveReport:
        numbered = list(enumerate(self._head.sections))
        pages = [item for item in numbered if item[1].kind is SectionKind.PAGES]
        index = [item for item in numbered if item[1].kind is SectionKind.INDEX]
        batches = [item for item in numbered if item[1].kind is SectionKind.BATCH]
        for raw in self._structure(pages):
            for page in decode_parts(raw):
                self._session.put(chunk_id(page), page)
        self._session.checkpoint()
        manifest = self._manifest()
        if self._on_manifest is not None:
            self._on_manifest(manifest.id)
        rows = [row for raw in self._structure(index) for row in decode_parts(raw)]
        if len(rows) != len(batches):
            raise IntegrityError(
                "parcel-damaged", "The index of a parcel does not fit its batches.", "Get it again from a trusted site."
            )
        self._receive_batches(batches, rows)
        self._require_whole()
        return ReceiveReport(bytes_wire=self._bytes_wire, sections_fetched=self._fetched, sections_skipped=self._skipped)

    def _manifest(self) -> Manifest:
        try:
            return Manifest.open(self._head.target, self._store.read)
        except NotFoundError as error:
            raise IntegrityError("parcel-incomplete", "A parcel lacks its target's manifest.", "Ask for a full parcel.") from error

    def _structure(self, sections: list[tuple[int, Section]]) -> Iterator[bytes]:
        """Raw bytes of the sections that describe. They are kept under their own digest, so that a resumed receiver finds them; no
        manifest names them, so they are swept one day."""
        lacking = self._store.missing([ChunkId(section.digest) for _, section in sections])
        wanted = [(number, section) for number, section in sections if ChunkId(section.digest) in lacking]
        arriving = self._arrive(wanted)
        for _number, section in sections:
            if ChunkId(section.digest) in lacking:
                number, _section, stored = next(arriving)
                raw = decode_section(section, stored)
                self._session.put(ChunkId(section.digest), stored)
                self._told(number, section)
            else:
                raw = decode_section(section, self._store.read(ChunkId(section.digest)))
                self._skipped += 1
            yield raw

    def _receive_batches(self, batches: list[tuple[int, Section]], rows: list[bytes]) -> None:
        wanted: list[tuple[int, Section]] = []
        rows_of: dict[int, bytes] = {}
        for (number, section), row in zip(batches, rows, strict=True):
            check_batch_rows(row, section)
            chunks = [chunk for _length, chunk in unpack_chunks(row)]
            if self._store.missing(chunks):
                wanted.append((number, section))
                rows_of[number] = row
            else:
                for chunk in chunks:
                    self._session.has(chunk)
                self._skipped += 1
        for number, section, stored in self._arrive(wanted):
            self._put_batch(rows_of.pop(number), decode_section(section, stored))
            self._told(number, section)

    def _put_batch(self, rows: bytes, raw: bytes) -> None:
        view, offset = memoryview(raw), 0
        for length, chunk in CHUNK_ROW.iter_unpack(rows):
            data = view[offset : offset + length]
            if chunk_id(data) != chunk:
                raise IntegrityError(
                    "parcel-damaged", "A chunk in a parcel does not have its id.", "Get it again from a trusted site."
                )
            self._session.put(chunk, data)
            offset += length

    def _told(self, number: int, section: Section) -> None:
        self._session.checkpoint()
        self._fetched += 1
        if self._on_batch is not None:
            self._on_batch(number, section.stored_bytes)

    def _arrive(self, wanted: Sequence[tuple[int, Section]]) -> Iterator[tuple[int, Section, bytes]]:
        """Fetch sections, neighbours in one request, and yield each once it is whole and verified."""
        for run in _runs(wanted):
            start, end = run[0][1].offset, run[-1][1].end
            pieces = _Pieces(self._fetch(start, end - start), end - start)
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
