"""Fuzzing targets of the parcels' room: heads, sections, layouts, whole parcels."""

from __future__ import annotations

import functools
import os
import struct
import tempfile
from array import array

from haulage.base.errors import FormatError
from haulage.engine.content import codec
from haulage.engine.content.digest import digest
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.delta.level import Level
from haulage.engine.parcels.build import build
from haulage.engine.parcels.file import ParcelFile
from haulage.engine.parcels.head import MAGIC, TRAILER, ParcelHead, SectionKind, encode_head, parse_head
from haulage.engine.parcels.layout import LayoutReader, encode_layout, encode_layouts
from haulage.engine.parcels.model import Source
from haulage.engine.parcels.receive import fetch_head, receive
from haulage.engine.parcels.section import open_section
from haulage.testing.folders import noise
from haulage.testing.fuzzing.content_targets import captured
from haulage.testing.fuzzing.mutation import Coding
from haulage.testing.fuzzing.target import Target, opened, promised

_SECTION = struct.Struct(">BBQQI")
"""Of a parcel to be sealed: kind, method, raw length, bytes_total's share, stored length; then the stored bytes."""
_OLD = noise(3000)


@functools.cache
def _parcels() -> tuple[bytes, ...]:
    """The full parcel of the first version and updates to the second."""
    store, first, second = captured()
    made = []
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "parcel")
        for target, bases, level in ((first, [], Level.FAST), (second, [first], Level.FAST), (second, [first], Level.SMALLEST)):
            build(target, bases, store, out, level=level, folder=folder, threads=0)
            with open(out, "rb") as file:
                made.append(file.read())
    return tuple(made)


def _head_of(parcel: bytes) -> bytes:
    length, _magic = TRAILER.unpack(parcel[-TRAILER.size :])
    return parcel[-TRAILER.size - length :]


def _parsed(parcel: bytes) -> ParcelHead:
    return parse_head(_head_of(parcel), len(parcel))


def _take_head(data: bytes) -> None:
    """A head for sections that fit, whatever their lengths."""
    size = len(MAGIC) + len(data) + _stored_bytes(data)
    head = parse_head(data, size)
    value = codec.decode(data[: -TRAILER.size], max_bytes=len(data), what="head")
    assert isinstance(value, dict)
    if set(value) == {"bases", "bytes_new", "bytes_reused", "bytes_total", "crit", "format", "kind", "sections", "target"}:
        rows = [(int(s.kind), int(s.method), s.stored_bytes, s.raw_bytes, s.digest) for s in head.sections]
        figures = {"bytes_total": head.bytes_total, "bytes_new": head.bytes_new}
        assert promised(lambda: encode_head(head.target, head.bases, **figures, sections=rows)) == data


def _stored_bytes(data: bytes) -> int:
    value = codec.decode(data[: -TRAILER.size], max_bytes=len(data), what="head")
    rows = value.get("sections") if isinstance(value, dict) else None
    if not isinstance(rows, bytes) or len(rows) % 50:
        return 0
    return sum([int.from_bytes(rows[at + 2 : at + 10]) for at in range(0, len(rows), 50)])


def _section_seeds() -> list[bytes]:
    return [
        struct.pack(">BBI", section.kind, section.method, section.raw_bytes) + parcel[section.offset : section.end]
        for parcel in _parcels()
        for section in _parsed(parcel).sections
    ]


def _take_section(data: bytes) -> None:
    """One section whose digest is right: what decoders make of hostile bytes that were signed."""
    if len(data) < 7:
        return
    kind, method, raw_size = struct.unpack_from(">BBI", data)
    stored = data[6:]
    rows = [(kind, method, len(stored), raw_size, digest(stored))]
    head = encode_head(ManifestId(bytes(32)), (), bytes_total=0, bytes_new=0, sections=rows)
    section = parse_head(head, len(MAGIC) + len(stored) + len(head)).sections[0]
    assert len(open_section(section, stored, _OLD)) == raw_size


def _layout_seeds() -> list[bytes]:
    found = []
    for parcel in _parcels():
        for _number, section in _parsed(parcel).of(SectionKind.LAYOUT):
            found.append(open_section(section, parcel[section.offset : section.end]))
    return found


def _take_layout(data: bytes) -> None:
    """Columns against sources of 3,000 bytes and forty chunks of 100: what is taken is written again as it was."""

    def size_of(source: Source) -> int:
        if source.base > 3:
            raise FormatError("bad-parcel", "There is no such base.")
        return 3000

    layouts = LayoutReader(array("I", [100] * 40), size_of).read(data)
    for layout in layouts:
        assert sum([made.count for made in layout.objects]) <= 40
    if not any(source.members or source.base < 0 for layout in layouts for source in layout.sources):
        promised(lambda: encode_layouts([encode_layout(layout, size_of) for layout in layouts]))


def _parcel_seeds() -> list[bytes]:
    seeds = []
    for parcel in _parcels():
        parsed = _parsed(parcel)
        share = parsed.bytes_total - parsed.bytes_new
        rows = b"".join(
            [
                _SECTION.pack(s.kind, s.method, s.raw_bytes, share, s.stored_bytes) + parcel[s.offset : s.end]
                for s in parsed.sections
            ]
        )
        seeds += [b"\x00" + parcel, b"\x01" + bytes(parsed.target) + rows]
    return seeds


def _take_parcel(data: bytes) -> None:
    """A whole parcel, from a file and by a receiver that holds the first version."""
    sealing, body = opened(data)
    whole = _sealed_parcel(body) if sealing else body
    fd = os.memfd_create("parcel")
    try:
        os.write(fd, whole)
        parcel = ParcelFile.open(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
    try:
        assert b"".join(parcel.read(0, parcel.size)) == whole
        _receive(parcel.head, whole)
    finally:
        parcel.close()


def _receive(head: ParcelHead, whole: bytes) -> None:
    held, first, _ = captured()
    store = MemoryStore()
    store.chunks.update({chunk: held.chunks[chunk] for chunk in _live(first)})

    def fetch(offset: int, size: int) -> list[bytes]:
        return [whole[offset : offset + size]]

    assert fetch_head(fetch, head.id, len(whole)) == head
    with store.session("fuzz") as session:
        receive(head, fetch, store, session, folder=tempfile.gettempdir(), owner="receiving:fuzz")
    promised(lambda: _whole(head.target, store))


def _whole(target: ManifestId, store: MemoryStore) -> None:
    """Every byte of the version is there and right."""
    for chunk in live_chunks(target, store):
        assert digest(store.read(chunk)) == chunk
    assert sum(1 for _ in Manifest.open(target, store.read).entries())


@functools.cache
def _live(manifest: ManifestId) -> tuple[ChunkId, ...]:
    return tuple(dict.fromkeys(live_chunks(manifest, captured()[0])))


def _sealed_parcel(body: bytes) -> bytes:
    """A parcel whose digests fit, from sections written one after the other."""
    target, at = ManifestId(body[:32].ljust(32, b"\0")), 32
    rows, stored_parts, total = [], [], 0
    while at + _SECTION.size <= len(body):
        kind, method, raw_size, share, size = _SECTION.unpack_from(body, at)
        stored = body[at + _SECTION.size : at + _SECTION.size + size]
        at += _SECTION.size + size
        rows.append((kind, method, len(stored), raw_size, digest(stored)))
        stored_parts.append(stored)
        total = max(total, share)
    if total >= 2**62:
        raise FormatError("bad-parcel", "No parcel can say so.")
    base = (captured()[1],) if target != captured()[1] else ()
    head = encode_head(target, base, bytes_total=total, bytes_new=0, sections=rows)
    return MAGIC + b"".join(stored_parts) + head


TARGETS = (
    Target(name="parcel-head", reads="heads of parcels", take=_take_head, seeds=lambda: [_head_of(each) for each in _parcels()]),
    Target(name="parcel-section", reads="sections with a right digest", take=_take_section, seeds=_section_seeds),
    Target(name="parcel-layout", reads="layouts of batches", take=_take_layout, seeds=_layout_seeds, coding=Coding.MSGPACK),
    Target(
        name="parcel",
        reads="whole parcels, file and receiver",
        take=_take_parcel,
        seeds=_parcel_seeds,
        most_bytes=65_536,
        runs=3_000,
    ),
)
