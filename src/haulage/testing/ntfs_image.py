"""Builders of NTFS structures by hand, sound and unsound alike: records of a file table, boot sectors. Knows no reader."""

from __future__ import annotations

import struct
from collections.abc import Sequence

RECORD_BYTES = 1024
ROOT = 5
_STANDARD, _NAME, _DATA, _REPARSE = 0x10, 0x30, 0x80, 0xC0
_TIME = 133_000_000_000_000_000


def resident(kind: int, value: bytes, name: str = "") -> bytes:
    """A resident attribute."""
    coded = name.encode("utf-16-le", "surrogatepass")
    at = 24 + len(coded) + -len(coded) % 8
    body = struct.pack("<IIBBHHHIHH", kind, 0, 0, len(coded) // 2, 24, 0, 0, len(value), at, 0) + coded
    body = body.ljust(at, b"\0") + value
    body += bytes(-len(body) % 8)
    return body[:4] + struct.pack("<I", len(body)) + body[8:]


def non_resident(runs: bytes, clusters: int, size: int) -> bytes:
    """Unnamed data in clusters."""
    body = struct.pack("<IIBBHHHqqHB5xqqq", _DATA, 0, 1, 0, 64, 0, 0, 0, clusters - 1, 64, 0, size, size, size) + runs
    body += bytes(8 - len(body) % 8)
    return body[:4] + struct.pack("<I", len(body)) + body[8:]


def named(name: str, parent: int = ROOT, namespace: int = 1) -> bytes:
    """A name in a folder, given as a reference (number, and sequence shifted by 48)."""
    coded = name.encode("utf-16-le", "surrogatepass")
    return resident(_NAME, struct.pack("<Q", parent).ljust(64, b"\0") + bytes([len(coded) // 2, namespace]) + coded)


def standard(bits: int = 0x20, modified: int = _TIME) -> bytes:
    """Times and attributes."""
    return resident(_STANDARD, struct.pack("<QQQQI", _TIME, modified, _TIME, _TIME, bits).ljust(48, b"\0"))


def data(value: bytes, stream: str = "") -> bytes:
    """A content inside the record."""
    return resident(_DATA, value, stream)


def link(target: str) -> bytes:
    """A relative symlink's reparse point."""
    coded = target.encode("utf-16-le")
    names = struct.pack("<HHHHI", 0, len(coded), 0, len(coded), 1) + coded
    return resident(_REPARSE, struct.pack("<IHH", 0xA000000C, len(names), 0) + names)


def record(*attributes: bytes, flags: int = 1, sequence: int = 1, base: int = 0) -> bytes:
    """A record in use, its sectors protected."""
    body = b"".join(attributes) + b"\xff\xff\xff\xff\0\0\0\0"
    used = 0x38 + len(body)
    head = struct.pack("<4sHHQHHHHIIQ", b"FILE", 0x30, 3, 0, sequence, 1, 0x38, flags, used, RECORD_BYTES, base)
    return protected((head.ljust(0x30, b"\0") + bytes(8) + body).ljust(RECORD_BYTES, b"\0"))


def protected(raw: bytes) -> bytes:
    """A record of 1 KiB with the update sequence that its sectors need."""
    made = bytearray(raw)
    struct.pack_into("<HH", made, 4, 0x30, 3)
    made[0x30:0x32] = b"\x07\x07"
    for sector in (1, 2):
        end = sector * 512
        made[0x30 + 2 * sector : 0x32 + 2 * sector] = made[end - 2 : end]
        made[end - 2 : end] = b"\x07\x07"
    return bytes(made)


def folder(name: str, parent: int = ROOT | 1 << 48, sequence: int = 1) -> bytes:
    """A folder's record."""
    return record(standard(), named(name, parent), flags=3, sequence=sequence)


def file(name: str, content: bytes, parent: int = ROOT | 1 << 48) -> bytes:
    """A small file's record."""
    return record(standard(), named(name, parent), data(content))


def boot() -> bytes:
    """Sectors of 512 bytes, one to a cluster, records of 1 KiB."""
    made = bytearray(512)
    made[3:11] = b"NTFS    "
    made[11:13] = (512).to_bytes(2, "little")
    made[13] = 1
    made[64] = 0xF6
    return bytes(made)


def records() -> Sequence[bytes]:
    """A small volume's table: root, folder, file with a stream, clusters, hole, link, second name, extension."""
    root = ROOT | 1 << 48
    made = [record(standard(), data(b"")) for _ in range(16)]
    made[ROOT] = record(standard(), flags=3)
    inside = 16 | 1 << 48
    made += [
        folder("folder", root),
        record(standard(), named("a.txt", inside), named("A~1.TXT", inside, 2), data(b"hello"), data(b"zone", "Zone.Identifier")),
        record(standard(), named("clusters", root), non_resident(b"\x11\x02\x04\x01\x03\x11\x01\x05\0", 6, 6 * 512 - 7)),
        record(standard(), named("link", root), link("folder\\a.txt"), flags=1),
        record(standard(0x26), named("one", root), named("two", inside), data(b"twice")),
        record(standard(), named("extended", root)),
        record(data(b"in the extension"), base=21 | 1 << 48),
    ]
    return made
