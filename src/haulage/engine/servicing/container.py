"""A bundle as a file: a zip archive that Python runs, in one exact layout, read here as data and never run.

Layout: one line ``#!/usr/bin/env python3``, the members one after another (stored, no extra fields), the central directory, its
end. Nothing before, between or after: what another zip reader might see differently is refused (docs/fix-bundles.md).
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from haulage.engine.servicing.errors import DocumentError

SHEBANG = b"#!/usr/bin/env python3\n"
MOST_MEMBERS = 256
MOST_BYTES = 2**32 - 1
"""Zip archives beyond 4 GiB cannot be run by Python's own importer."""
MOST_MEMBER_IN_MEMORY = 32 << 20
NAME = re.compile(r"[a-z_][a-z0-9_]*(?:/[a-z_][a-z0-9_]*)*\.[a-z0-9]+")
PIECE_BYTES = 1 << 20

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DATE = (1 << 5) | 1
"""1 January 1980, the first day a zip knows: equal content has equal bytes."""
_MODE = 0o100644 << 16


def damaged(what: str) -> DocumentError:
    """The error for a file that is no intact bundle."""
    return DocumentError("damaged-bundle", f"The bundle is damaged or not a bundle: {what}.", "Get the file again from its maker.")


@dataclass(frozen=True)
class Member:
    """One member: where its bytes lie in the file."""

    name: str
    offset: int
    size: int
    crc: int


class Container:
    """An open bundle file. All offsets and sizes are checked when it is opened; contents are checked when they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        self.members: Mapping[str, Member] = {each.name: each for each in _members(file, self.size)}

    def member(self, name: str) -> Member:
        """Raises DocumentError ``damaged-bundle`` if there is none of that name."""
        if name not in self.members:
            raise damaged(f"it has no {name}")
        return self.members[name]

    def read(self, name: str, most: int = MOST_MEMBER_IN_MEMORY) -> bytes:
        """A small member as a whole, checked."""
        member = self.member(name)
        if member.size > most:
            raise damaged(f"{name} has {member.size} bytes, more than {most}")
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member in pieces of up to 1 MiB; the checksum is compared at the end."""
        member = self.member(name)
        crc, position = 0, member.offset
        end = member.offset + member.size
        while position < end:
            self._file.seek(position)
            piece = self._file.read(min(PIECE_BYTES, end - position))
            if not piece:
                raise damaged("it is shorter than it was")
            crc = zlib.crc32(piece, crc)
            position += len(piece)
            yield piece
        if crc != member.crc:
            raise damaged(f"{name} does not have its checksum")


def _exactly(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise damaged("it ends early")
    return data


def _members(file: BinaryIO, size: int) -> list[Member]:
    if not len(SHEBANG) + _END.size <= size <= MOST_BYTES:
        raise damaged(f"it has {size} bytes")
    if _exactly(file, 0, len(SHEBANG)) != SHEBANG:
        raise damaged("it does not begin as one")
    end = _END.unpack(_exactly(file, size - _END.size, _END.size))
    count, directory_bytes, directory_at = end[3], end[5], end[6]
    if end != (b"PK\5\6", 0, 0, count, count, directory_bytes, directory_at, 0) or count > MOST_MEMBERS:
        raise damaged("its end is not a bundle's")
    if directory_at + directory_bytes != size - _END.size or directory_bytes > MOST_MEMBERS * 512:
        raise damaged("its directory is not where it should be")
    directory = _exactly(file, directory_at, directory_bytes)
    members: list[Member] = []
    position = len(SHEBANG)
    for header, name in _central(directory, count):
        member = _checked(file, header, name, position)
        if member.name in {each.name for each in members}:
            raise damaged(f"{member.name} stands in it twice")
        position = member.offset + member.size
        members.append(member)
    if position != directory_at:
        raise damaged("bytes lie between its members and its directory")
    return members


def _central(directory: bytes, count: int) -> Iterator[tuple[tuple[object, ...], bytes]]:
    position = 0
    for _ in range(count):
        if position + _CENTRAL.size > len(directory):
            raise damaged("its directory ends early")
        header = _CENTRAL.unpack_from(directory, position)
        position += _CENTRAL.size
        name = directory[position : position + header[10]]
        position += len(name)
        yield header, name
    if position != len(directory):
        raise damaged("its directory holds more than its members")


def _checked(file: BinaryIO, header: tuple[object, ...], name: bytes, at: int) -> Member:
    """The member whose directory entry says what its local header at ``at`` says, in the one layout."""
    text = name.decode("ascii", "replace")
    crc, size = header[7], header[8]
    assert isinstance(crc, int)
    assert isinstance(size, int)
    if not NAME.fullmatch(text) or header != _central_fields(name, size, crc, at):
        raise damaged(f"the member {text[:60]!r} is not written as a bundle's")
    local = _local_header(name, size, crc)
    if _exactly(file, at, len(local)) != local:
        raise damaged(f"the member {text[:60]!r} is called differently in two places")
    return Member(text, at + len(local), size, crc)


def _local_header(name: bytes, size: int, crc: int) -> bytes:
    return _LOCAL.pack(b"PK\3\4", 10, 0, 0, 0, _DATE, crc, size, size, len(name), 0) + name


def _central_fields(name: bytes, size: int, crc: int, at: int) -> tuple[object, ...]:
    return (b"PK\1\2", (3 << 8) | 10, 10, 0, 0, 0, _DATE, crc, size, size, len(name), 0, 0, 0, 0, _MODE, at)


@dataclass(frozen=True)
class NewMember:
    """A member to be written: its bytes in pieces, its size and CRC-32 known beforehand."""

    name: str
    size: int
    crc: int
    pieces: Iterable[bytes]


def member_of(name: str, data: bytes) -> NewMember:
    """A small member, from its bytes."""
    return NewMember(name, len(data), zlib.crc32(data), (data,))


def written(members: Iterable[NewMember]) -> Iterator[bytes]:
    """The file, piece by piece. Raises DocumentError ``bundle-too-large`` beyond 4 GiB."""
    yield SHEBANG
    position, directory, count = len(SHEBANG), [], 0
    for member in members:
        name = member.name.encode("ascii")
        if position + member.size > MOST_BYTES - (64 << 10):
            raise DocumentError("bundle-too-large", "The bundle would have more than 4 GiB.", "Make several fixes of it.")
        header = _local_header(name, member.size, member.crc)
        directory.append(_CENTRAL.pack(*_central_fields(name, member.size, member.crc, position)) + name)
        yield header
        yield from member.pieces
        position += len(header) + member.size
        count += 1
    entries = b"".join(directory)
    yield entries
    yield _END.pack(b"PK\5\6", 0, 0, count, count, len(entries), position, 0)
