"""One record of an NTFS master file table, decoded from bytes that may be hostile. Pure; the layout is that of NTFS 3.1."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from haulage.base.errors import FormatError, Remedy

STANDARD_INFORMATION, FILE_NAME, DATA, REPARSE_POINT, EA = 0x10, 0x30, 0x80, 0xC0, 0xE0
COMPRESSED, ENCRYPTED = 0x00FF, 0x4000
NUMBER_MASK = (1 << 48) - 1

_END = 0xFFFFFFFF
_STRIDE = 512
_HEADER = struct.Struct("<4sHHQHHHHIIQ")
_COMMON = struct.Struct("<IIBBHHH")
_RESIDENT = struct.Struct("<IH")
_NON_RESIDENT = struct.Struct("<qqHB5xqqq")
_MOST_CLUSTERS = 1 << 52

Run = tuple[int | None, int]
"""First cluster on the volume (None: a hole) and number of clusters."""


@dataclass(frozen=True, slots=True)
class NtfsAttribute:
    """One attribute, or one extent of it."""

    type: int
    name: bytes
    flags: int
    value: bytes | None
    """The content of a resident attribute."""
    first_cluster: int = 0
    runs: tuple[Run, ...] = ()
    size: int = 0
    initialized: int = 0


@dataclass(frozen=True, slots=True)
class NtfsRecord:
    """One record in use."""

    number: int
    sequence: int
    is_folder: bool
    base: int
    """Reference of the record this one extends; 0: it is a base record itself."""
    attributes: tuple[NtfsAttribute, ...]


def damaged(why: str) -> FormatError:
    """The image cannot be trusted."""
    return FormatError(
        "ntfs-damaged",
        f"The NTFS image is damaged: {why}.",
        "Check the volume with chkdsk on Windows and take the image again.",
        remedy=Remedy.WAIT_FOR_PERSON,
    )


def wtf8(utf16: bytes) -> bytes:
    """UTF-16LE to UTF-8; lone surrogates become three bytes each (WTF-8)."""
    return utf16.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")


def parse_record(raw: bytes, number: int) -> NtfsRecord | None:
    """A record of the table; None for one not in use. Raises FormatError ``ntfs-damaged``."""
    try:
        return _parse(raw, number)
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise damaged(f"record {number} breaks its own bounds") from error


def _parse(raw: bytes, number: int) -> NtfsRecord | None:
    if raw[:4] != b"FILE":
        if raw[:4] == b"BAAD":
            raise damaged(f"record {number} is marked bad")
        return None
    _, fix_at, fix_count, _, sequence, _, first, flags, used, _, base = _HEADER.unpack_from(raw)
    if not flags & 1:
        return None
    if used > len(raw) or first < _HEADER.size or first > used:
        raise damaged(f"record {number} breaks its own bounds")
    fixed = _fixed_up(raw, fix_at, fix_count, number)
    return NtfsRecord(number, sequence, bool(flags & 2), base, tuple(_attributes(fixed, first, used, number)))


def _fixed_up(raw: bytes, at: int, count: int, number: int) -> bytes:
    """Put back the last two bytes of each sector, which NTFS replaces by a counter to find torn writes.

    ntfscat has done so already for the table's own records, so a sector may also end as it should."""
    if (count - 1) * _STRIDE != len(raw) or at + 2 * count > len(raw) or at < 0x28:
        raise damaged(f"record {number} has a wrong update sequence")
    fixed = bytearray(raw)
    for sector in range(1, count):
        end = sector * _STRIDE
        original = raw[at + 2 * sector : at + 2 * sector + 2]
        if raw[end - 2 : end] not in (raw[at : at + 2], original):
            raise damaged(f"record {number} was written only in part")
        fixed[end - 2 : end] = original
    return bytes(fixed)


def _attributes(raw: bytes, position: int, used: int, number: int) -> list[NtfsAttribute]:
    found = []
    while position + 4 <= used and struct.unpack_from("<I", raw, position)[0] != _END:
        kind, length, non_resident, name_length, name_at, flags, _ = _COMMON.unpack_from(raw, position)
        if length < 24 or length % 8 or position + length > used:
            raise damaged(f"record {number} holds an attribute of a wrong length")
        body = raw[position : position + length]
        name = wtf8(_slice(body, name_at, 2 * name_length, number)) if name_length else b""
        if non_resident:
            found.append(_non_resident(body, kind, name, flags, number))
        else:
            size, at = _RESIDENT.unpack_from(body, 16)
            found.append(NtfsAttribute(kind, name, flags, _slice(body, at, size, number), size=size, initialized=size))
        position += length
    return found


def _slice(body: bytes, at: int, size: int, number: int) -> bytes:
    if at + size > len(body):
        raise damaged(f"record {number} holds a value outside of its attribute")
    return body[at : at + size]


def _non_resident(body: bytes, kind: int, name: bytes, flags: int, number: int) -> NtfsAttribute:
    low, high, runs_at, _, _, size, initialized = _NON_RESIDENT.unpack_from(body, 16)
    runs = _runs(body[runs_at:], number)
    if low < 0 or sum(count for _, count in runs) != high - low + 1 or (low == 0 and not 0 <= initialized <= size):
        raise damaged(f"record {number} holds an attribute whose clusters do not add up")
    return NtfsAttribute(kind, name, flags, None, low, runs, size, initialized)


def _runs(coded: bytes, number: int) -> tuple[Run, ...]:
    found: list[Run] = []
    position = cluster = 0
    while position < len(coded) and coded[position]:
        count_bytes, offset_bytes = coded[position] & 15, coded[position] >> 4
        end = position + 1 + count_bytes + offset_bytes
        if not 1 <= count_bytes <= 8 or offset_bytes > 8 or end > len(coded):
            raise damaged(f"record {number} holds an unreadable list of clusters")
        count = int.from_bytes(coded[position + 1 : position + 1 + count_bytes], "little", signed=True)
        if offset_bytes:
            cluster += int.from_bytes(coded[position + 1 + count_bytes : end], "little", signed=True)
        if not 0 < count < _MOST_CLUSTERS or not 0 <= cluster < _MOST_CLUSTERS:
            raise damaged(f"record {number} holds clusters outside of any volume")
        found.append((cluster if offset_bytes else None, count))
        position = end
    return tuple(found)


@dataclass(frozen=True, slots=True)
class FileName:
    """One name of a file."""

    parent: int
    """Reference of its folder: number and sequence."""
    name: bytes


def file_names(record: NtfsRecord) -> list[FileName]:
    """The names a record holds, without the 8.3 aliases that DOS programs see."""
    found = []
    for attribute in record.attributes:
        if attribute.type == FILE_NAME:
            value = attribute.value or b""
            if len(value) < 66 or len(value) < 66 + 2 * value[64]:
                raise damaged(f"record {record.number} holds a broken name")
            if value[65] != 2:
                found.append(FileName(int.from_bytes(value[:8], "little"), wtf8(value[66 : 66 + 2 * value[64]])))
    return found
