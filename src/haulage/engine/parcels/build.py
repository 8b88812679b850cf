"""Building a parcel into a file: deterministic for the same manifests, level and compression library. The file
appears under its name only when it is whole and durable. Knows the store by its interface.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from haulage.base.errors import FormatError
from haulage.base.files import rename, sync_file, sync_folder, unlink, write_all
from haulage.engine.content.chunker import MAX_BYTES
from haulage.engine.content.digest import digest
from haulage.engine.content.manifest_model import unpack_chunks
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId
from haulage.engine.content.ordered import in_order
from haulage.engine.content.store_errors import naming
from haulage.engine.parcels.head import MAX_BASES, ParcelHead, SectionKind, encode_head, parse_head
from haulage.engine.parcels.plan import ParcelPlan, plan_parcel
from haulage.engine.parcels.section import INDEX_BYTES, STRUCTURE_BYTES, compress, encode_parts

LEVEL = 9
"""Of zstd: a parcel is made once and sent to many, but making it must keep up with the links."""

Progress = Callable[[int], None]
"""Raw bytes done."""
SectionRow = tuple[int, int, int, int, bytes]


@dataclass(frozen=True, slots=True)
class _Job:
    kind: SectionKind
    raw: Callable[[], bytes]


def build(
    target: ManifestId,
    bases: Sequence[ManifestId],
    store: ChunkStore,
    out_path: str,
    *,
    level: int = LEVEL,
    threads: int = 2,
    on_progress: Progress | None = None,
) -> ParcelHead:
    """Plan and write a parcel from ``bases`` (at most 4) to ``target`` at ``out_path``, durably; every chunk is verified when read.

    Raises NotFoundError ``chunk-missing``, IntegrityError ``chunk-damaged``: no file appears then.
    """
    if len(bases) > MAX_BASES:
        raise FormatError("too-many-bases", f"A parcel leans on at most {MAX_BASES} versions.")
    return write_parcel(plan_parcel(target, bases, store), store, out_path, level=level, threads=threads, on_progress=on_progress)


def write_parcel(
    plan: ParcelPlan, store: ChunkStore, out_path: str, *, level: int = LEVEL, threads: int = 2, on_progress: Progress | None = None
) -> ParcelHead:
    """Write a planned parcel. Memory: a few batches. Raises TransferError ``disk-full``, ``store-io``; what reading raises."""
    with naming(out_path, "build"):
        return _write(plan, store, out_path, level, threads, on_progress)


def _write(
    plan: ParcelPlan, store: ChunkStore, out_path: str, level: int, threads: int, on_progress: Progress | None
) -> ParcelHead:
    folder = os.path.dirname(out_path) or "."
    temporary = os.path.join(folder, f".{os.path.basename(out_path)}.{secrets.token_hex(4)}.tmp")
    jobs = list(_jobs(plan, store))
    room = len(_head(plan, [(0, 0, 0, 0, bytes(32))] * len(jobs)))
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        try:
            rows = _write_sections(fd, room, jobs, level, threads, on_progress)
            head = _head(plan, rows)
            assert len(head) == room
            write_all(fd, head, offset=0)
            sync_file(fd)
        finally:
            os.close(fd)
        rename(temporary, out_path)
    except BaseException:
        with contextlib.suppress(OSError):
            unlink(temporary)
        raise
    sync_folder(folder)
    return parse_head(head)


def _head(plan: ParcelPlan, rows: list[SectionRow]) -> bytes:
    return encode_head(plan.target, plan.bases, bytes_total=plan.bytes_total, bytes_new=plan.bytes_new, sections=rows)


def _write_sections(
    fd: int, offset: int, jobs: list[_Job], level: int, threads: int, on_progress: Progress | None
) -> list[SectionRow]:
    def work(job: _Job) -> tuple[SectionRow, bytes]:
        raw = job.raw()
        method, stored = compress(raw, level)
        return (int(job.kind), int(method), len(stored), len(raw), digest(stored)), stored

    rows: list[SectionRow] = []
    done_bytes = 0
    with contextlib.closing(in_order(work, jobs, threads=threads)) as done:
        for _job, (row, stored) in done:
            write_all(fd, stored, offset=offset)
            offset += len(stored)
            done_bytes += row[3]
            rows.append(row)
            if on_progress is not None:
                on_progress(done_bytes)
    return rows


def _jobs(plan: ParcelPlan, store: ChunkStore) -> Iterator[_Job]:
    """Sections in order, each able to make its raw bytes. Their number must not depend on what compression yields."""
    for group in _page_groups(plan.structure, store):
        yield _Job(SectionKind.PAGES, functools.partial(_pages, group, store))
    for rows in _groups(plan.batches):
        yield _Job(SectionKind.INDEX, functools.partial(encode_parts, rows))
    for row in plan.batches:
        yield _Job(SectionKind.BATCH, functools.partial(_batch, row, store))


def _page_groups(structure: Sequence[ChunkId], store: ChunkStore) -> Iterator[list[ChunkId]]:
    group: list[ChunkId] = []
    size = 0
    for chunk in structure:
        length = len(store.read(chunk))
        if group and size + length > STRUCTURE_BYTES:
            yield group
            group, size = [], 0
        group.append(chunk)
        size += length
    if group:
        yield group


def _groups(batches: Sequence[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for rows in batches:
        if group and size + len(rows) > INDEX_BYTES:
            yield group
            group, size = [], 0
        group.append(rows)
        size += len(rows)
    if group:
        yield group


def _pages(group: Sequence[ChunkId], store: ChunkStore) -> bytes:
    return encode_parts([store.read(chunk) for chunk in group])


def _batch(rows: bytes, store: ChunkStore) -> bytes:
    chunks = list(unpack_chunks(rows))
    data = {chunk: bytes(part) for chunk, part in store.read_many([chunk for _length, chunk in chunks])}
    for length, chunk in chunks:
        if len(data[chunk]) != length or length > MAX_BYTES:
            raise FormatError("bad-content", "A chunk does not have the length its manifest says.")
    return b"".join([data[chunk] for _length, chunk in chunks])
