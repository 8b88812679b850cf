"""A parcel as a file at rest: its head, and any range of its bytes for serving. Knows nothing of transport."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.parcels.head import PRELUDE, ParcelHead, head_end, parse_head
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
            end = head_end(os.pread(fd, PRELUDE.size, 0))
            head = parse_head(os.pread(fd, end, 0), expected_id=expected_id)
            if os.fstat(fd).st_size != head.bytes_wire:
                raise FormatError("bad-parcel", "A parcel is cut short or runs on.", "Build or fetch it again.")
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
        start = self.head.sections[0].offset if self.head.sections else self.size
        if offset < min(start, end):
            head = b"".join(self.read(0, start))
            parse_head(head, expected_id=self.head.id)
            yield head[offset : min(start, end)]
        at = bisect.bisect_right(self.head.sections, offset, key=lambda section: section.end)
        for section in self.head.sections[at:]:
            if section.offset >= end:
                return
            data = b"".join(self.read(section.offset, section.stored_bytes))
            verify_section(section, data)
            yield data[max(0, offset - section.offset) : end - section.offset]

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
