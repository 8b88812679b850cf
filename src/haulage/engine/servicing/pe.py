"""The file version in a Windows program's version resource (VS_FIXEDFILEINFO). Hostile input: bounded reads, checked offsets.

Source: the published PE format specification (headers, section table, resource directory) and the VS_VERSIONINFO structure.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

RT_VERSION = 16
FIXED_FILE_INFO = 0xFEEF04BD
MOST_SECTIONS = 96
MOST_ENTRIES = 4096
"""Entries looked at in all resource directories together."""
MOST_RESOURCE_BYTES = 1 << 20


class _Malformed(Exception):
    """A structure points outside the file or contradicts itself."""


def read(file: BinaryIO, size: int) -> tuple[str | None, str, str | None]:
    """Version text ``a.b.c.d`` or None, the reason for none, and no identity."""
    try:
        found = set(_versions(_Image(file, size)))
    except _Malformed as error:
        return None, f"the program's headers are malformed: {error}", None
    if not found:
        return None, "the program has no version resource", None
    if len(found) > 1:
        return None, f"the program states several versions: {', '.join(sorted(found)[:4])}", None
    return found.pop(), "", None


class _Image:
    """A PE file: bounded reads by file offset and by virtual address."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self.budget = MOST_ENTRIES
        header = self.at(0, 64)
        start = struct.unpack_from("<I", header, 60)[0]
        coff = self.at(start, 24)
        if coff[:4] != b"PE\0\0":
            raise _Malformed("no PE signature")
        sections, optional_bytes = struct.unpack_from("<H", coff, 6)[0], struct.unpack_from("<H", coff, 20)[0]
        optional = self.at(start + 24, optional_bytes)
        self.resources = self._resource_directory(optional)
        if sections > MOST_SECTIONS:
            raise _Malformed("too many sections")
        table = self.at(start + 24 + optional_bytes, sections * 40)
        self._sections = [struct.unpack_from("<IIII", table, 40 * index + 8) for index in range(sections)]

    def at(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes at a file offset."""
        if length > MOST_RESOURCE_BYTES or offset + length > self._size:
            raise _Malformed("an offset lies outside the file")
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) != length:
            raise _Malformed("the file is shorter than it was")
        return data

    def at_address(self, address: int, length: int) -> bytes:
        """Exactly ``length`` bytes at a virtual address."""
        for virtual_size, start, raw_size, raw in self._sections:
            if start <= address and address + length <= start + max(virtual_size, raw_size):
                if address - start + length > raw_size:
                    raise _Malformed("a resource lies outside its section's bytes")
                return self.at(raw + address - start, length)
        raise _Malformed("an address lies in no section")

    @staticmethod
    def _resource_directory(optional: bytes) -> int:
        """The virtual address of the resource directory; 0 for none."""
        if len(optional) < 2:
            return 0
        magic = struct.unpack_from("<H", optional)[0]
        base = {0x10B: 92, 0x20B: 108}.get(magic)
        if base is None:
            raise _Malformed("an unknown optional header")
        if len(optional) < base + 4 + 24 or struct.unpack_from("<I", optional, base)[0] < 3:
            return 0
        return int(struct.unpack_from("<I", optional, base + 4 + 16)[0])


def _versions(image: _Image) -> list[str]:
    if not image.resources:
        return []
    found = []
    for kind, target in _entries(image, 0):
        if kind == RT_VERSION:
            for name in _children(image, target):
                for leaf in _children(image, name):
                    found.extend(_of_leaf(image, leaf))
    return found


def _children(image: _Image, target: int) -> list[int]:
    if not target & 0x80000000:
        raise _Malformed("a resource directory is missing a level")
    return [inner for _, inner in _entries(image, target & 0x7FFFFFFF)]


def _entries(image: _Image, offset: int) -> list[tuple[int, int]]:
    """(id or name, target) of each entry of the resource directory at ``offset``."""
    header = image.at_address(image.resources + offset, 16)
    named, numbered = struct.unpack_from("<HH", header, 12)
    count = named + numbered
    image.budget -= count
    if image.budget < 0:
        raise _Malformed("too many resources")
    table = image.at_address(image.resources + offset + 16, 8 * count)
    return [struct.unpack_from("<II", table, 8 * index) for index in range(count)]


def _of_leaf(image: _Image, target: int) -> list[str]:
    if target & 0x80000000:
        raise _Malformed("a resource directory has a level too many")
    address, length = struct.unpack("<II", image.at_address(image.resources + target, 8))
    data = image.at_address(address, length)
    for offset in range(0, len(data) - 16 + 1, 4):  # the structure is aligned to 32 bits after a name of varying length
        if struct.unpack_from("<I", data, offset)[0] == FIXED_FILE_INFO:
            high, low = struct.unpack_from("<II", data, offset + 8)
            return [f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}"]
    return []
