"""Fuzzing targets of the tree room: sidecars, NTFS images, what file systems keep in attributes, sources as they are written."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import struct
import tempfile
from collections.abc import Sequence
from typing import IO

import msgspec

from haulage.engine.trees import posix_acl, samba
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.model import Entry, EntryType
from haulage.engine.trees.ntfs_reader import NtfsReader
from haulage.engine.trees.ntfs_record import file_names, parse_record
from haulage.engine.trees.ntfs_reparse import interix_target, link_target
from haulage.engine.trees.paths import check_path
from haulage.engine.trees.sidecar_format import LENGTH, decode_header, decode_record, encode, marker, read_marker
from haulage.engine.trees.source import parse_source
from haulage.testing import ntfs_image
from haulage.testing.folders import hostile_tree, write_sidecar_folder
from haulage.testing.fuzzing.mutation import Coding
from haulage.testing.fuzzing.target import Target, both, opened, promised

_CLUSTER = 512
_BOOT = 512


@functools.cache
def _index() -> bytes:
    """The index of a small hostile tree's sidecar."""
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "tree")
        write_sidecar_folder(hostile_tree(depth=3, stream_sizes=(0, 1)), root)
        with open(os.path.join(root, ".haulage-tree", "index"), "rb") as file:
            return file.read()


def _records() -> list[bytes]:
    found, at, index = [], 0, _index()
    while at < len(index):
        (size,) = LENGTH.unpack_from(index, at)
        found.append(index[at + LENGTH.size : at + LENGTH.size + size])
        at += LENGTH.size + size
    return found


def _take_record(data: bytes) -> None:
    kind, body = data[:1], data[1:]
    if kind == b"m":
        records, digest = read_marker(body)
        assert marker(records, digest) == body
        return
    document = decode_header(body) if kind == b"h" else decode_record(body)
    assert encode(document) == LENGTH.pack(len(body)) + body


def _record_seeds() -> list[bytes]:
    header, *records = _records()
    return [b"m" + marker(3, "ab" * 32), b"h" + header, b"h\x80", *[b"r" + record for record in records]]


@functools.cache
def _sidecar_root() -> str:
    """A tree whose sidecar each input replaces."""
    keeper = tempfile.TemporaryDirectory(prefix="haulage-fuzz-")
    _kept.append(keeper)
    root = os.path.join(keeper.name, "tree")
    write_sidecar_folder(hostile_tree(depth=3, stream_sizes=(0, 1)), root)
    return root


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _take_sidecar(data: bytes) -> None:
    """A whole index with its marker, over the tree it was made for: whatever it says, no entry leaves the tree."""
    sealing, index = opened(data)
    if sealing:
        index = _framed(index)
    root = _sidecar_root()
    side = os.path.join(root, ".haulage-tree")
    count = 0
    with contextlib.suppress(struct.error):
        at = 0
        while at < len(index):
            at += LENGTH.size + LENGTH.unpack_from(index, at)[0]
            count += 1
    digest = hashlib.sha256(index).hexdigest() if sealing else "00" * 32
    for name, content in (("index", index), ("marker", marker(max(0, count - 1), digest))):
        with open(os.path.join(side, name), "wb") as file:
            file.write(content)
    with contextlib.closing(LocalReader(root)) as reader:
        before = None
        for entry in reader.entries():
            _sound(entry, before)
            before = entry.path
            for stream in [None] * (entry.type is EntryType.FILE and entry.same_as is None) + [s.name for s in entry.streams]:
                with contextlib.closing(reader.open(entry, stream)) as content_:
                    content_.read_at(0, min(content_.size, 1 << 16))


def _sound(entry: Entry, before: bytes | None) -> None:
    check_path(entry.path)
    assert before is None or before < entry.path
    assert entry.size >= 0
    assert -(1 << 63) <= entry.mtime_ns < 1 << 63


def _framed(documents: bytes) -> bytes:
    """An index from an array of header and records: with lengths that fit."""
    with contextlib.suppress(msgspec.MsgspecError, ValueError):
        values = msgspec.msgpack.decode(documents)
        bodies = [msgspec.msgpack.encode(value) for value in values] if isinstance(values, list) else []
        return b"".join([LENGTH.pack(len(body)) + body for body in bodies])
    return documents


def _sidecar_seeds() -> list[bytes]:
    records = [msgspec.msgpack.decode(record) for record in _records()]
    arrays = [msgspec.msgpack.encode(part) for part in (records, records[:1], records[:1] + records[5:15])]
    return [b"\x00" + _index(), *[b"\x01" + array for array in arrays]]


def _take_ntfs_record(data: bytes) -> None:
    sealing, raw = opened(data)
    if sealing:
        raw = ntfs_image.protected(raw.ljust(1024, b"\0")[:1024])
    record = parse_record(raw, 30)
    if record is not None:
        for name in file_names(record):
            name.name.decode("utf-8", "surrogatepass")
        for attribute in record.attributes:
            if attribute.value is not None:
                link_target(attribute.value)
                interix_target(attribute.value)
            assert all(count > 0 for _, count in attribute.runs)


def _ntfs_record_seeds() -> list[bytes]:
    return both(list(ntfs_image.records()))


def _fetch(fixed: bytes, image: str, number: int, most_bytes: int, name: bytes | None = None) -> IO[bytes]:
    """Stands for ntfscat: what it wrote is the input, whatever it was asked."""
    del image, number, name
    spool = tempfile.TemporaryFile()  # noqa: SIM115  (it is what is returned)
    spool.write(fixed[:most_bytes])
    spool.flush()
    return spool


def _take_ntfs(data: bytes) -> None:
    """A whole volume: two bytes of boot sector that matter, then what ntfscat printed, records of 1 KiB."""
    sealing, body = opened(data)
    boot, table = bytearray(ntfs_image.boot()), body[2:]
    if sealing:
        pieces = [table[at : at + 1024].ljust(1024, b"\0") for at in range(0, len(table), 1024)]
        table = b"".join([ntfs_image.protected(piece) for piece in pieces])
    else:
        boot[13], boot[64] = (*body[:2], 0, 0)[:2]
    fd = os.memfd_create("image")
    try:
        os.write(fd, bytes(boot) + bytes(64 * 1024))
        with contextlib.closing(NtfsReader(f"/proc/self/fd/{fd}", fetch=functools.partial(_fetch, table))) as reader:
            before = None
            for entry in reader.entries():
                _sound(entry, before)
                before = entry.path
                has_content = entry.type is EntryType.FILE and entry.same_as is None
                for stream in [None] * has_content + [info.name for info in entry.streams]:
                    with contextlib.closing(reader.open(entry, stream)) as content:
                        content.holes()
                        content.read_at(0, min(content.size, 1 << 16))
    finally:
        os.close(fd)


def _ntfs_seeds() -> list[bytes]:
    geometry = ntfs_image.boot()[13:14] + ntfs_image.boot()[64:65]
    return both([geometry + b"".join(ntfs_image.records())])


def _take_attribute(data: bytes) -> None:
    """Values and names of Linux attributes, as any program may have set them."""
    dos = samba.read_dos(data)
    if dos is not None:
        assert -(1 << 63) <= (dos.created_ns or 0) < 1 << 63
        assert dos.attributes & ~samba.KEPT_BITS == 0
        written = samba.write_dos(dos)
        assert written is None or samba.read_dos(written) == dos
    name = samba.stream_name(data)
    assert name is None or samba.stream_attribute(name) == data
    posix_acl.mirrors_mode(data, 0o640)


def _attribute_seeds() -> list[bytes]:
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, 4, 0xFFFFFFFF) for tag in (0x01, 0x04, 0x20))
    dos = struct.pack("<2xHH2xIIQ", 5, 5, 0x11, 0x27, 133_000_000_000_000_000)
    return [acl, dos, b"user.DosStream.Zone.Identifier:$DATA", b"user.DosStream.:$DATA"]


def _take_source(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    spec = parse_source(text)
    assert promised(lambda: parse_source(spec.text())) == spec
    assert spec.path.startswith("/")
    assert ".." not in spec.inside.split("/")


def _source_seeds() -> Sequence[bytes]:
    return [b"/srv/packages/office", b"ntfs:/srv/image.ntfs!/a/b", b"ntfs:/x!/", b"ntfs:/x!/a/../b", b"\\\\server\\share"]


TARGETS = (
    Target(
        name="sidecar-record",
        reads="marker, header and records",
        take=_take_record,
        seeds=_record_seeds,
        coding=Coding.MSGPACK,
        skip=1,
    ),
    Target(
        name="sidecar",
        reads="indexes over a tree",
        take=_take_sidecar,
        seeds=_sidecar_seeds,
        runs=2_500,
        most_bytes=16_384,
        coding=Coding.MSGPACK,
        skip=1,
    ),
    Target(name="ntfs-record", reads="records of a file table", take=_take_ntfs_record, seeds=_ntfs_record_seeds, runs=15_000),
    Target(
        name="ntfs", reads="boot sector and ntfscat's output", take=_take_ntfs, seeds=_ntfs_seeds, runs=2_500, most_bytes=32_768
    ),
    Target(name="attribute", reads="DOSATTRIB, stream names, ACLs", take=_take_attribute, seeds=_attribute_seeds, runs=20_000),
    Target(name="source", reads="sources as written", take=_take_source, seeds=_source_seeds, runs=20_000),
)
