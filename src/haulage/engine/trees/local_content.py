"""Open contents of a local tree: a regular file by descriptor, or a stream held in memory. Any thread may read."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from haulage.engine.trees.model import Hole
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.trouble import changed, unreadable


class FileContent:
    """A regular file, opened read-only."""

    __slots__ = ("_calls", "_fd", "_may_have_holes", "_path", "_stream", "size")

    def __init__(self, fd: int, status: os.stat_result, path: bytes, stream: bytes | None, calls: OsCalls) -> None:
        self._fd = fd
        self._path = path
        self._stream = stream
        self._calls = calls
        self._may_have_holes = status.st_blocks * 512 < status.st_size
        self.size = status.st_size

    def read_at(self, offset: int, size: int) -> bytes:
        """See :class:`haulage.engine.trees.model.Content`."""
        try:
            data = self._calls.pread(self._fd, size, offset)
            if len(data) == size:
                return data
            parts = [data]
            got = len(data)
            while got < size:
                more = self._calls.pread(self._fd, size - got, offset + got)
                if not more:
                    raise changed(self._path, "it became shorter", self._stream)
                parts.append(more)
                got += len(more)
            return b"".join(parts)
        except OSError as error:
            raise unreadable(self._path, error, self._stream) from error

    def holes(self) -> Sequence[Hole]:
        """See :class:`haulage.engine.trees.model.Content`."""
        found: list[Hole] = []
        position = 0
        while self._may_have_holes and position < self.size:
            try:
                start = self._calls.lseek(self._fd, position, os.SEEK_HOLE)
                if start >= self.size:
                    break
                end = self._data_after(start)
            except OSError:  # a hint: a file system that cannot tell has none
                break
            found.append(Hole(offset=start, size=end - start))
            position = end
        return found

    def _data_after(self, position: int) -> int:
        try:
            return min(self._calls.lseek(self._fd, position, os.SEEK_DATA), self.size)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return self.size
            raise

    def close(self) -> None:
        """See :class:`haulage.engine.trees.model.Content`."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._calls.close(fd)


class BytesContent:
    """A content that is in memory already."""

    __slots__ = ("_data", "_path", "_stream", "size")

    def __init__(self, data: bytes, path: bytes, stream: bytes | None) -> None:
        self._data = data
        self._path = path
        self._stream = stream
        self.size = len(data)

    def read_at(self, offset: int, size: int) -> bytes:
        """See :class:`haulage.engine.trees.model.Content`."""
        data = self._data[offset : offset + size]
        if len(data) != size:
            raise changed(self._path, "it is shorter than what was asked of it", self._stream)
        return data

    def holes(self) -> Sequence[Hole]:
        """See :class:`haulage.engine.trees.model.Content`."""
        return ()

    def close(self) -> None:
        """See :class:`haulage.engine.trees.model.Content`."""
