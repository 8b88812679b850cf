"""Bytes that can be read anywhere: in memory, as a part of others, and in a temporary file that grows."""

from __future__ import annotations

import os
import tempfile
from types import TracebackType
from typing import Protocol

from haulage.base.errors import IntegrityError


class View(Protocol):
    """Bytes with random access, for several threads at once."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """The bytes at ``offset``: ``size`` of them, fewer only where the view ends, none behind its end."""
        ...


class BytesView:
    """A view of bytes in memory."""

    __slots__ = ("_data", "size")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]


class PartView:
    """A range of another view; cut where that one ends."""

    __slots__ = ("_offset", "_whole", "size")

    def __init__(self, whole: View, offset: int, size: int) -> None:
        self._whole = whole
        self._offset = min(offset, whole.size)
        self.size = max(0, min(size, whole.size - offset))

    def read(self, offset: int, size: int) -> bytes:
        return self._whole.read(self._offset + offset, min(size, self.size - offset)) if offset < self.size else b""


class Spill:
    """A temporary file in ``folder``, without a name there; grows by ``append``, from one thread; is a view of what it holds."""

    def __init__(self, folder: str) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  (closed by close)
        self.size = 0

    def append(self, data: bytes | memoryview) -> None:
        """Grow by ``data``."""
        rest = memoryview(data)
        while rest:
            done = self._file.write(rest)
            self.size += done
            rest = rest[done:]

    def read(self, offset: int, size: int) -> bytes:
        return _read(self._file.fileno(), offset, min(size, self.size - offset))

    def close(self) -> None:
        """Give the space back."""
        self._file.close()

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _read(fd: int, offset: int, size: int) -> bytes:
    if size <= 0:
        return b""
    data = os.pread(fd, size, offset)
    if len(data) == size:
        return data
    parts, missing = [data], size - len(data)
    while missing:
        data = os.pread(fd, missing, offset + size - missing)
        if not data:
            raise IntegrityError("file-shrank", "A file lost bytes while it was read.", "Try again when nobody writes to it.")
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)
