"""An older tree on the same file system whose bytes a new one may share: cloned by the file system where it can, so that neither
is changed when the other is written to, else copied inside the kernel. Whoever uses this reads everything afterwards.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence

from haulage.engine.trees.folder_handles import FolderHandles
from haulage.engine.trees.oscalls import OsCalls
from haulage.engine.trees.paths import name_of, parent_of
from haulage.engine.trees.trouble import FULL

LEAST_CLONED_BYTES = 32 * 1024
"""Below this writing the bytes is as cheap as asking for them."""
LEAST_COPIED_BYTES = 1024 * 1024
"""Where nothing can be cloned: below this opening the older file costs what decoding saves."""
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CLONE = 0x40049409
"""FICLONE: all of another file's extents, shared until one of the two is written to."""
_NEVER = (errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM)
_COPY_BYTES = 64 * 1024 * 1024

Range = tuple[int, int]
"""Offset and length."""


class OlderTree:
    """Never written to. For the one thread that adds names."""

    def __init__(self, root: bytes, calls: OsCalls) -> None:
        """Raises OSError."""
        self._calls = calls
        self._folders = FolderHandles(root, calls)
        self._clones = True

    @property
    def least_bytes(self) -> int:
        """Contents smaller than this are not worth asking for."""
        return LEAST_CLONED_BYTES if self._clones else LEAST_COPIED_BYTES

    def fill(self, fd: int, path: bytes, size: int, same: Sequence[Range]) -> bool:
        """Make the file of ``size`` bytes behind ``fd`` hold, in the ranges ``same``, what the older file at ``path`` holds there;
        elsewhere it holds anything. False if that is not to be had, or too little of it: then the file is one hole."""
        if size < self.least_bytes or 2 * sum([length for _, length in same]) < size:
            return False
        source = self._open(path, same[-1][0] + same[-1][1])
        if source < 0:
            return False
        try:
            done = (self._clones and self._clone(fd, source)) or (len(same) == 1 and self._copy(fd, source, same[0], size))
            self._calls.ftruncate(fd, size)
        finally:
            self._calls.close(source)
        return done

    def close(self) -> None:
        """Release everything; safe to repeat."""
        self._folders.close()

    def _open(self, path: bytes, least: int) -> int:
        """A regular file of at least that many bytes; -1 if there is none."""
        folder = parent_of(path)
        try:
            parent = self._folders.acquire(folder)
            try:
                # Looked at before it is opened: nothing but a regular file is ever opened.
                if not _serves(self._calls.stat(name_of(path), dir_fd=parent, follow_symlinks=False), least):
                    return -1
                fd = self._calls.open(name_of(path), _FILE, dir_fd=parent)
            finally:
                self._folders.release(folder)
        except OSError:
            return -1
        try:
            if _serves(self._calls.fstat(fd), least):
                return fd
        except OSError:
            pass
        self._calls.close(fd)
        return -1

    def _clone(self, fd: int, source: int) -> bool:
        # Into an empty file: a last block that is not whole can only become the last one.
        self._calls.ftruncate(fd, 0)
        try:
            self._calls.ioctl(fd, _CLONE, source)
        except OSError as error:
            if error.errno in FULL:
                raise
            self._clones = error.errno not in _NEVER
            return False
        return True

    def _copy(self, fd: int, source: int, same: Range, size: int) -> bool:
        """Only a whole file without holes: copying would fill them."""
        status = self._calls.fstat(source)
        if same != (0, size) or size < LEAST_COPIED_BYTES or status.st_blocks * 512 < status.st_size:
            return False
        done = 0
        while done < size:
            try:
                count = self._calls.copy_file_range(source, fd, min(size - done, _COPY_BYTES), done, done)
            except OSError as error:
                if error.errno in FULL:
                    raise
                count = 0
            if not count:
                self._calls.ftruncate(fd, 0)
                return False
            done += count
        return True


def _serves(status: os.stat_result, least: int) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size >= least
