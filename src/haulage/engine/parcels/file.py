"""A parcel as a file at rest: its head, and any range of its bytes for serving. Knows nothing of transport."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.parcels.head import MAGIC, TRAILER, ParcelHead, head_bytes, parse_head
from haulage.engine.parcels.section import verify_section

READ_BYTES = 256 * 1024


class ParcelFile:
    """An open parcel; safe to read from several threads."""

    def __init__(self, fd: int, head: ParcelHead) -> None:
        self._fd = fd
        self.head = head

    @classmethod
    def open(cls, path: str, expected_id: bytes | None = None) -> ParcelFile:
        """Open and check head and length. Raises FormatError for what is not a whole parcel, IntegrityError ``parcel-damaged`` if
        it is another than expected."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(fd).st_size
            length = head_bytes(os.pread(fd, TRAILER.size, max(0, size - TRAILER.size)), size)
            head = parse_head(os.pread(fd, length, size - length), size, expected_id=expected_id)
            if os.pread(fd, len(MAGIC), 0) != MAGIC:
                raise FormatError("not-a-parcel", "This is not a parcel.", "Check what was given.")
        except BaseException:
            os.close(fd)
            raise
        return cls(fd, head)

    @property
    def size(self) -> int:
        """Bytes of the whole parcel."""
        return self.head.bytes_wire

    def verified(self, offset: int, size: int) -> Iterator[bytes]:
        """The bytes of a range, in pieces of at most a section, each verified against the head before it is given: what is damaged
        here is never served. Raises IntegrityError ``parcel-damaged``."""
        end = min(offset + size, self.size)
        if offset < min(len(MAGIC), end):
            yield MAGIC[offset:end]
        at = bisect.bisect_right(self.head.sections, offset, key=lambda section: section.end)
        for section in self.head.sections[at:]:
            if section.offset >= end:
                return
            data = b"".join(self.read(section.offset, section.stored_bytes))
            verify_section(section, data)
            yield data[max(0, offset - section.offset) : end - section.offset]
        start = self.size - self.head.head_bytes
        if start < end:
            head = b"".join(self.read(start, self.head.head_bytes))
            parse_head(head, self.size, expected_id=self.head.id)
            yield head[max(0, offset - start) : end - start]

    def read(self, offset: int, size: int) -> Iterator[bytes]:
        """The bytes of a range, in pieces, as they are; ends early at the end of the parcel."""
        end = min(offset + size, self.size)
        while offset < end:
            data = os.pread(self._fd, min(READ_BYTES, end - offset), offset)
            if not data:
                raise FormatError("bad-parcel", "A parcel was cut short while it was read.", "Build it again.")
            yield data
            offset += len(data)

    def close(self) -> None:
        """Release the file; safe to repeat."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def check_parcel(path: str, parcel_id: bytes) -> None:
    """Read a whole parcel and compare it with its name. Raises IntegrityError ``parcel-damaged``, FormatError, OSError."""
    parcel = ParcelFile.open(path)
    try:
        if parcel.head.id != parcel_id:
            raise IntegrityError("parcel-damaged", "The head of a parcel is not what its name says.", "It is built anew.")
        for section in parcel.head.sections:
            verify_section(section, b"".join(parcel.read(section.offset, section.stored_bytes)))
    finally:
        parcel.close()
