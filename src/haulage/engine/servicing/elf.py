"""What an ELF file says of itself: the version in its package note, and its build id, which names content but has no order.

Hostile input: bounded reads, checked offsets. Sources: the System V ABI (headers, notes) and the ELF package metadata note
(owner FDO, type 0xcafe1a7e).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from haulage.engine.servicing import strict_json
from haulage.engine.servicing.errors import DocumentError

MOST_HEADERS = 256
MOST_NOTE_BYTES = 64 << 10
MOST_NOTES = 256
PT_NOTE = 4
GNU_BUILD_ID = 3
PACKAGE_NOTE = 0xCAFE1A7E


class _Malformed(Exception):
    """A structure points outside the file or contradicts itself."""


def read(file: BinaryIO, size: int) -> tuple[str | None, str, str | None]:
    """Version text or None, the reason for none, and ``build-id:…`` where there is one."""
    version, identity = None, None
    try:
        for count, (owner, kind, body) in enumerate(_notes(file, size)):
            if count == MOST_NOTES:
                raise _Malformed("too many notes")
            if owner == b"GNU" and kind == GNU_BUILD_ID and 0 < len(body) <= 64:
                identity = f"build-id:{body.hex()}"
            elif owner == b"FDO" and kind == PACKAGE_NOTE:
                version = _version(body)
    except _Malformed as error:
        return None, f"the program's headers are malformed: {error}", None
    if version is None:
        return None, "the program has a build id only" if identity else "the program has no package note and no build id", identity
    return version, "", identity


def _version(body: bytes) -> str | None:
    """The field ``version`` of a package note's JSON."""
    try:
        value = strict_json.decoded(body.rstrip(b"\0"), "package note", most_bytes=MOST_NOTE_BYTES, canonical=False)
    except DocumentError:
        return None
    version = value.get("version") if isinstance(value, dict) else None
    return version if isinstance(version, str) else None


def _at(file: BinaryIO, size: int, offset: int, length: int) -> bytes:
    if offset + length > size:
        raise _Malformed("an offset lies outside the file")
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise _Malformed("the file is shorter than it was")
    return data


def _notes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, bytes]]:
    """(owner, type, content) of every note in the program headers."""
    ident = _at(file, size, 0, 16)
    if ident[4] not in (1, 2) or ident[5] not in (1, 2):
        raise _Malformed("an unknown class or byte order")
    wide, order = ident[4] == 2, "<" if ident[5] == 1 else ">"
    header = _at(file, size, 0, 64 if wide else 52)
    table = struct.unpack_from(order + ("Q" if wide else "I"), header, 32 if wide else 28)[0]
    entry_bytes, count = struct.unpack_from(order + "HH", header, 54 if wide else 42)
    if count > MOST_HEADERS or entry_bytes < (56 if wide else 32):
        raise _Malformed("an impossible table of program headers") if count else _Malformed("no program headers")
    for index in range(count):
        entry = _at(file, size, table + index * entry_bytes, 56 if wide else 32)
        if struct.unpack_from(order + "I", entry)[0] == PT_NOTE:
            offset, length, align = _segment(entry, order, wide)
            yield from _notes_in(_at(file, size, offset, min(length, MOST_NOTE_BYTES)), order, align)


def _segment(entry: bytes, order: str, wide: bool) -> tuple[int, int, int]:
    if wide:
        offset, _, _, length, _, align = struct.unpack_from(order + "6Q", entry, 8)
    else:
        offset, _, _, length, _, _, align = struct.unpack_from(order + "7I", entry, 4)
    return offset, length, 8 if align == 8 else 4


def _notes_in(data: bytes, order: str, align: int) -> Iterator[tuple[bytes, int, bytes]]:
    position = 0
    while position + 12 <= len(data):
        owner_bytes, body_bytes, kind = struct.unpack_from(order + "III", data, position)
        position += 12
        body_at = position + _padded(owner_bytes, align if align == 4 else 4)
        body_at = body_at if align == 4 else _padded(body_at, 8)
        after = body_at + body_bytes
        if after > len(data):
            return  # cut off by the bound, or made up: what was read so far stands
        yield data[position : position + owner_bytes].rstrip(b"\0"), kind, data[body_at:after]
        position = _padded(after, align)


def _padded(value: int, align: int) -> int:
    return (value + align - 1) // align * align
