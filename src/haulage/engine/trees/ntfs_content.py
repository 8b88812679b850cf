"""Contents in an NTFS image: clusters read straight from the image file, or a spool that ntfscat wrote (compressed ones)."""

from __future__ import annotations

import bisect
import os
from collections.abc import Sequence
from typing import IO

from haulage.engine.trees.model import Hole
from haulage.engine.trees.ntfs_record import NtfsAttribute, damaged
from haulage.engine.trees.paths import shown
from haulage.engine.trees.trouble import changed, unreadable


class ClusterContent:
    """A non-resident attribute, neither compressed nor encrypted. Borrows the image's descriptor. Any thread may read."""

    __slots__ = ("_fd", "_initialized", "_path", "_runs", "_starts", "_stream", "size")

    def __init__(
        self, fd: int, image_bytes: int, cluster_bytes: int, extents: Sequence[NtfsAttribute], path: bytes, stream: bytes | None
    ) -> None:
        self._fd = fd
        self._path = path
        self._stream = stream
        self.size = extents[0].size
        self._initialized = extents[0].initialized
        self._starts: list[int] = []
        self._runs: list[tuple[int | None, int]] = []
        position = 0
        for extent in extents:
            if extent.first_cluster * cluster_bytes != position:
                raise damaged(f"clusters of {shown(path, stream)} are missing")
            for cluster, count in extent.runs:
                start = None if cluster is None else cluster * cluster_bytes
                if start is not None and start + count * cluster_bytes > image_bytes:
                    raise damaged(f"clusters of {shown(path, stream)} lie beyond its end")
                self._starts.append(position)
                self._runs.append((start, count * cluster_bytes))
                position += count * cluster_bytes
        if position < self.size:
            raise damaged(f"clusters of {shown(path, stream)} are missing")

    def read_at(self, offset: int, size: int) -> bytes:
        """See :class:`haulage.engine.trees.model.Content`."""
        if offset < 0 or offset + size > self.size:
            raise changed(self._path, "it is shorter than what was asked of it", self._stream)
        parts = []
        end = min(offset + size, self._initialized)
        position = offset
        while position < end:
            index = bisect.bisect_right(self._starts, position) - 1
            start, length = self._runs[index]
            within = position - self._starts[index]
            piece = min(length - within, end - position)
            parts.append(bytes(piece) if start is None else self._read_image(start + within, piece))
            position += piece
        parts.append(bytes(offset + size - max(position, offset)))
        return b"".join(parts)

    def holes(self) -> Sequence[Hole]:
        """See :class:`haulage.engine.trees.model.Content`."""
        found = []
        for begin, (start, length) in zip(self._starts, self._runs, strict=True):
            if start is None and begin < self.size:
                found.append(Hole(offset=begin, size=min(length, self.size - begin)))
        return found

    def close(self) -> None:
        """See :class:`haulage.engine.trees.model.Content`."""

    def _read_image(self, position: int, size: int) -> bytes:
        try:
            data = os.pread(self._fd, size, position)
        except OSError as error:
            raise unreadable(self._path, error, self._stream) from error
        if len(data) != size:
            raise changed(self._path, "the image became shorter", self._stream)
        return data


class SpooledContent:
    """A content copied out into an unnamed temporary file."""

    __slots__ = ("_path", "_spool", "_stream", "size")

    def __init__(self, spool: IO[bytes], path: bytes, stream: bytes | None) -> None:
        self._spool = spool
        self._path = path
        self._stream = stream
        self.size = os.fstat(spool.fileno()).st_size

    def read_at(self, offset: int, size: int) -> bytes:
        """See :class:`haulage.engine.trees.model.Content`."""
        data = os.pread(self._spool.fileno(), size, offset)
        if len(data) != size:
            raise changed(self._path, "it is shorter than what was asked of it", self._stream)
        return data

    def holes(self) -> Sequence[Hole]:
        """See :class:`haulage.engine.trees.model.Content`."""
        return ()

    def close(self) -> None:
        """See :class:`haulage.engine.trees.model.Content`."""
        self._spool.close()
