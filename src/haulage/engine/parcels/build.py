"""Building a parcel into a file: deterministic for the same manifests, level and libraries. The file appears under its name only
when it is whole and durable. Knows the store by its interface.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from blake3 import blake3

from haulage.base.errors import FormatError
from haulage.base.files import rename, sync_file, sync_folder, unlink, write_all
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.model import ChunkStore, ManifestId
from haulage.engine.content.store_errors import naming
from haulage.engine.delta.encoding import memory_needed
from haulage.engine.delta.level import Level
from haulage.engine.parcels.content_view import ChunkCache
from haulage.engine.parcels.head import MAGIC, MAX_BASES, ParcelHead, SectionKind, SectionRow, encode_head, parse_head
from haulage.engine.parcels.layout import CHECK_BYTES, LAYOUT_BYTES, Layout, Wire, encode_layout, encode_layouts, wire_bytes
from haulage.engine.parcels.model import Copy, ObjectKind, PlannedBatch
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.planning import plan_update
from haulage.engine.parcels.section import seal_section
from haulage.engine.parcels.side_by_side import side_by_side
from haulage.engine.parcels.sources import Sources
from haulage.engine.parcels.staging import Staging
from haulage.engine.parcels.structure import structure_sections

ENCODING_BYTES = 272 * 1024 * 1024
"""What encoders at work may take together, unless one alone needs more; the whole process stays below 512 MiB."""
CACHE_BYTES = 40 * 1024 * 1024
"""Of chunks read last, for planning and encoding together: what is planned is encoded next."""
_PAGES_BYTES = 8 * 1024 * 1024
"""Of pages and chunk lists read last: they stand in blocks between other things, and are read several times."""
_DIGEST_BYTES = 1024 * 1024
_KEPT_ENTRIES = 32_768
"""Of the target, and of the bases together, at hand: a plan comes back to them several times. Some 50 MB."""

Progress = Callable[[int], None]
"""Bytes of new chunks done."""


def build(
    target: ManifestId,
    bases: Sequence[ManifestId],
    store: ChunkStore,
    out_path: str,
    *,
    level: Level,
    folder: str,
    abilities: frozenset[str] = frozenset(),
    threads: int = 2,
    on_progress: Progress | None = None,
) -> ParcelHead:
    """Write a parcel from ``bases`` (at most 4) to ``target`` at ``out_path``, durably; every chunk is verified when read.

    ``folder`` takes temporary files without names; ``abilities`` are what the receiver can make again exactly (``archives``).
    Raises NotFoundError ``chunk-missing``, IntegrityError ``chunk-damaged``, TransferError ``disk-full``, ``store-io``: no file
    appears then.
    """
    if len(bases) > MAX_BASES:
        raise FormatError("too-many-bases", f"A parcel leans on at most {MAX_BASES} versions.")
    pages = ChunkCache(store, _PAGES_BYTES)
    wanted = Manifest.open(target, pages.one, keep_entries=_KEPT_ENTRIES)
    held = [Manifest.open(base, pages.one, keep_entries=_KEPT_ENTRIES // len(bases)) for base in dict.fromkeys(bases)]
    with (
        naming(out_path, "build"),
        contextlib.closing(Staging(store, CACHE_BYTES, folder)) as cache,
        contextlib.closing(Sources(held, store, folder, cache=cache)) as sources,
    ):
        building = _Building(wanted, held, store, sources, level, threads, on_progress)
        return building.write(out_path, folder, abilities)


@dataclass(frozen=True, slots=True)
class _Job:
    layout: Layout
    old: bytes
    fresh: bytes
    text: bool


@dataclass(frozen=True, slots=True)
class _Sealed:
    row: SectionRow
    stored: bytes
    wire: Wire


class _Building:
    """One parcel being written."""

    def __init__(
        self,
        target: Manifest,
        bases: Sequence[Manifest],
        store: ChunkStore,
        sources: Sources,
        level: Level,
        threads: int,
        on_progress: Progress | None,
    ) -> None:
        self._target = target
        self._bases = bases
        self._store = store
        self._sources = sources
        self._level = level
        self._described = Level.FAST if level is Level.FAST else Level.SMALLEST
        """What describes is little, and there is much to gain."""
        self._threads = threads
        self._on_progress = on_progress
        self._new = NewChunks(target, bases)
        self._ids = list(self._new.ordinals)
        self._rows: list[SectionRow] = []
        self._offset = len(MAGIC)

    def write(self, out_path: str, folder: str, abilities: frozenset[str]) -> ParcelHead:
        parent = os.path.dirname(out_path) or "."
        temporary = os.path.join(parent, f".{os.path.basename(out_path)}.{secrets.token_hex(4)}.tmp")
        fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            try:
                write_all(fd, MAGIC, offset=0)
                plan = plan_update(
                    self._target,
                    self._bases,
                    self._store,
                    self._new,
                    level=self._level,
                    folder=folder,
                    abilities=abilities,
                    cache=self._sources.cache,
                )
                self._write_structure(fd)
                self._write_batches(fd, plan.batches())
                head = self._head()
                write_all(fd, head, offset=self._offset)
                sync_file(fd)
            finally:
                os.close(fd)
            rename(temporary, out_path)
        except BaseException:
            with contextlib.suppress(OSError):
                unlink(temporary)
            raise
        sync_folder(parent)
        return parse_head(head, self._offset + len(head))

    def _head(self) -> bytes:
        return encode_head(
            self._target.id,
            tuple([base.id for base in self._bases]),
            bytes_total=self._target.totals.bytes_total,
            bytes_new=self._new.bytes_new,
            sections=self._rows,
        )

    def _append(self, fd: int, row: SectionRow, stored: bytes) -> None:
        write_all(fd, stored, offset=self._offset)
        self._offset += len(stored)
        self._rows.append(row)

    def _write_structure(self, fd: int) -> None:
        for raw in structure_sections(self._target, self._bases, self._new):
            self._append(fd, *seal_section(SectionKind.STRUCTURE, raw, self._described))

    def _write_batches(self, fd: int, batches: Iterator[PlannedBatch]) -> None:
        wires: list[Wire] = []
        done_bytes = 0
        under_way = side_by_side(self._seal, self._jobs(batches), self._need, threads=self._threads, limit_bytes=ENCODING_BYTES)
        with contextlib.closing(under_way) as sealed:
            for job, result in sealed:
                self._append(fd, result.row, result.stored)
                wires.append(result.wire)
                done_bytes += self._made_bytes(job.layout)
                if self._on_progress is not None:
                    self._on_progress(done_bytes)
        for some in _groups(wires):
            self._append(fd, *seal_section(SectionKind.LAYOUT, encode_layouts(some), self._described))

    def _made_bytes(self, layout: Layout) -> int:
        return sum([sum(self._new.lengths[made.first : made.first + made.count]) for made in layout.objects if made.count])

    def _jobs(self, batches: Iterator[PlannedBatch]) -> Iterator[_Job]:
        """What a plan's views show is read before the next batch is drawn, and so are old bytes: planning read them just now."""
        for batch in batches:
            layout = Layout(sources=batch.sources, windows=batch.windows, objects=batch.objects, check=self._check(batch))
            fresh = _fresh(batch)
            old = self._sources.windows(lambda number: self._sources.view(layout.sources[number]), layout.windows)  # noqa: B023
            yield _Job(layout, old, fresh, batch.text)

    def _need(self, job: _Job) -> int:
        old, new = len(job.old), len(job.fresh)
        return memory_needed(old, new, self._level) + old + new

    def _seal(self, job: _Job) -> _Sealed:
        row, stored = seal_section(SectionKind.BATCH, job.fresh, self._level, old=job.old, text=job.text)
        return _Sealed(row, stored, encode_layout(job.layout, self._sources.size))

    def _check(self, batch: PlannedBatch) -> bytes:
        check = blake3()
        for made, (view, start) in zip(batch.objects, batch.origins, strict=True):
            if made.kind is ObjectKind.SCRATCH:
                aside = blake3()
                for offset in range(start, start + made.size, _DIGEST_BYTES):
                    aside.update(view.read(offset, min(_DIGEST_BYTES, start + made.size - offset)))
                check.update(aside.digest())
            else:
                for ordinal in range(made.first, made.first + made.count):
                    check.update(self._ids[ordinal])
        return check.digest(CHECK_BYTES)


def _fresh(batch: PlannedBatch) -> bytes:
    parts: list[bytes] = []
    for made, (view, offset) in zip(batch.objects, batch.origins, strict=True):
        for piece in made.pieces:
            if not isinstance(piece, Copy):
                parts.append(view.read(offset, piece.length))
            offset += piece.length
    return b"".join(parts)


def _groups(wires: Sequence[Wire]) -> Iterator[list[Wire]]:
    group: list[Wire] = []
    size = 0
    for wire in wires:
        length = wire_bytes(wire)
        if group and size + length > LAYOUT_BYTES:
            yield group
            group, size = [], 0
        group.append(wire)
        size += length
    if group:
        yield group
