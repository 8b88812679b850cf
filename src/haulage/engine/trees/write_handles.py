"""Files being written in a private folder: bounded in number, reopened when needed, each write through its own position."""

from __future__ import annotations

import itertools
import os
import threading
from collections import OrderedDict

from haulage.engine.trees.folder_handles import FolderHandles
from haulage.engine.trees.oscalls import OsCalls

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_AGAIN = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_MOST_OPEN = 128
_STAGING_MODE = 0o600


class _Handle:
    __slots__ = ("fd", "users")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.users = 0


class WriteHandles:
    """All raise OSError; the caller names path and stream."""

    def __init__(self, folders: FolderHandles, calls: OsCalls) -> None:
        self._folders = folders
        self._calls = calls
        self._lock = threading.Lock()
        self._handles: OrderedDict[bytes, _Handle] = OrderedDict()

    def create(self, path: bytes, size: int) -> None:
        """A new file of zeros (one hole), kept open."""
        fd = self._open(path, _CREATE)
        if size:
            try:
                self._calls.ftruncate(fd, size)
            except OSError:
                self._calls.close(fd)
                raise
        with self._lock:
            self._handles[path] = _Handle(fd)
            if len(self._handles) > _MOST_OPEN:
                self._trim()

    def create_whole(self, path: bytes, data: memoryview | bytes, mode: int) -> int:
        """A new file with all its bytes; the caller closes the descriptor. ``mode`` is what the process's mask leaves of it."""
        folder, _, name = path.rpartition(b"/")
        parent = self._folders.acquire(folder)
        try:
            fd = self._calls.open(name, _CREATE, mode, dir_fd=parent)
        finally:
            self._folders.release(folder)
        try:
            self._write(fd, 0, data)
        except OSError:
            self._calls.close(fd)
            raise
        return fd

    def write(self, path: bytes, offset: int, data: memoryview | bytes) -> None:
        """Write all of ``data`` at ``offset``."""
        fd = self.acquire(path)
        try:
            self._write(fd, offset, data)
        finally:
            self.release(path)

    def _write(self, fd: int, offset: int, data: memoryview | bytes) -> None:
        done = self._calls.pwrite(fd, data, offset)
        while done < len(data):
            done += self._calls.pwrite(fd, memoryview(data)[done:], offset + done)

    def acquire(self, path: bytes) -> int:
        """The descriptor of a file created here, open until ``release``."""
        with self._lock:
            handle = self._handles.get(path)
            if handle is None:
                handle = self._handles[path] = _Handle(self._open(path, _AGAIN))
                self._trim()
            handle.users += 1
            return handle.fd

    def release(self, path: bytes) -> None:
        """Give a descriptor back."""
        with self._lock:
            self._handles[path].users -= 1

    def done(self, path: bytes) -> None:
        """The file is finished: close it."""
        with self._lock:
            handle = self._handles.pop(path, None)
        if handle is not None:
            self._calls.close(handle.fd)

    def close(self) -> None:
        """Close all; safe to repeat."""
        with self._lock:
            for handle in self._handles.values():
                self._calls.close(handle.fd)
            self._handles.clear()

    def _open(self, path: bytes, flags: int) -> int:
        folder, _, name = path.rpartition(b"/")
        parent = self._folders.acquire(folder)
        try:
            return self._calls.open(name, flags, _STAGING_MODE, dir_fd=parent)
        finally:
            self._folders.release(folder)

    def _trim(self) -> None:
        if len(self._handles) <= _MOST_OPEN:
            return
        idle = (path for path, handle in self._handles.items() if not handle.users)
        for path in list(itertools.islice(idle, len(self._handles) - _MOST_OPEN)):
            self._calls.close(self._handles.pop(path).fd)
