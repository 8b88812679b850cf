"""A parcel as a file at rest: its head, and any range of its bytes for serving. Knows nothing of transport."""

from __future__ import annotations

import os
from collections.abc import Iterator

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content.parcel import PRELUDE, ParcelHead, head_end, parse_head
from haulage.engine.content.parcel_section import verify_section

READ_BYTES = 256 * 1024


class ParcelFile:
    """An open parcel; safe to read from several threads."""

    def __init__(self, fd: int, head: ParcelHead) -> None:
        self._fd = fd
        self.head = head

    @classmethod
    def open(cls, path: str) -> ParcelFile:
        """Open and check head and length. Raises FormatError for what is not a whole parcel."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            end = head_end(os.pread(fd, PRELUDE.size, 0))
            head = parse_head(os.pread(fd, end, 0))
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

    def read(self, offset: int, size: int) -> Iterator[bytes]:
        """The bytes of a range, in pieces; ends early at the end of the parcel."""
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
