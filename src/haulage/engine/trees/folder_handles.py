"""Open folders below one root, each reached by component without following a link; bounded in number, shared by threads."""

from __future__ import annotations

import itertools
import os
import threading
from collections import OrderedDict

from haulage.engine.trees.oscalls import OsCalls

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_MOST_OPEN = 64


class _Handle:
    __slots__ = ("fd", "users")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.users = 1


def open_quietly(calls: OsCalls, name: bytes, flags: int, dir_fd: int | None = None) -> int:
    """Open for reading without leaving an access time where the system allows that (owner or root only)."""
    try:
        return calls.open(name, flags | os.O_NOATIME, dir_fd=dir_fd)
    except PermissionError:
        return calls.open(name, flags, dir_fd=dir_fd)


class FolderHandles:
    """``acquire`` gives a descriptor that stays open until as many calls of ``release``; idle ones are closed, oldest first.

    Raises OSError as ``open`` does: ELOOP or ENOTDIR where a component was swapped for a link (B3).
    """

    def __init__(self, root: bytes, calls: OsCalls) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._handles: OrderedDict[bytes, _Handle] = OrderedDict()
        self._closed = False
        # The root itself may be reached through links: it is the administrator's word, what lies below is not.
        self.root_fd = open_quietly(calls, root, _FOLDER & ~os.O_NOFOLLOW)

    def acquire(self, path: bytes) -> int:
        """The descriptor of the folder at ``path``, for use until ``release(path)``."""
        if not path:
            return self.root_fd
        with self._lock:
            handle = self._handles.get(path)
            if handle is not None:
                handle.users += 1
                self._handles.move_to_end(path)
                return handle.fd
        return self._open(path)

    def release(self, path: bytes) -> None:
        """Give a descriptor back."""
        if path:
            with self._lock:
                handle = self._handles.get(path)
                if handle is not None:
                    handle.users -= 1

    def close(self) -> None:
        """Close all; safe to repeat."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for handle in self._handles.values():
                self._calls.close(handle.fd)
            self._handles.clear()
            self._calls.close(self.root_fd)

    def _open(self, path: bytes) -> int:
        """Open what is missing on the way, and keep that open too: its neighbours need it next."""
        folder, fd, names = self._nearest(path)
        for name in names:
            try:
                deeper = open_quietly(self._calls, name, _FOLDER, fd)
            finally:
                self.release(folder)
            folder = folder + b"/" + name if folder else name
            fd = self._take_in(folder, deeper)
        return fd

    def _take_in(self, path: bytes, fd: int) -> int:
        """Keep a folder just opened, in use; or the one another thread opened before."""
        with self._lock:
            handle = self._handles.get(path)
            if handle is not None:
                self._calls.close(fd)
                handle.users += 1
                return handle.fd
            self._handles[path] = _Handle(fd)
            self._trim()
        return fd

    def _nearest(self, path: bytes) -> tuple[bytes, int, list[bytes]]:
        """The deepest open ancestor, taken, and the components from there."""
        names: list[bytes] = []
        with self._lock:
            while path:
                path, _, name = path.rpartition(b"/")
                names.append(name)
                handle = self._handles.get(path)
                if handle is not None:
                    handle.users += 1
                    self._handles.move_to_end(path)
                    return path, handle.fd, names[::-1]
        return b"", self.root_fd, names[::-1]

    def _trim(self) -> None:
        if len(self._handles) <= _MOST_OPEN:
            return
        oldest, handle = next(iter(self._handles.items()))
        if not handle.users:  # nearly always, and then one is enough
            del self._handles[oldest]
            self._calls.close(handle.fd)
        if len(self._handles) <= _MOST_OPEN:
            return
        idle = (path for path, handle in self._handles.items() if not handle.users)
        for path in list(itertools.islice(idle, len(self._handles) - _MOST_OPEN)):
            self._calls.close(self._handles.pop(path).fd)
